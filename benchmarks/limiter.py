"""Whether several processes keep to one rate, and use it. Run by hand:

    python benchmarks/limiter.py [--processes 4] [--rate 20] [--calls 100]

Each process makes its calls from a folder of its own, eight at once, and tells when each leaves; the sandbox tells when
it arrives. The table tells the most that any window of one second held (promised: the rate and one more), and how much
of the rate was used while work waited (promised: 95 %). Promised is what leaves: on a busy machine the sandbox, which
has to share it, sees some late and others not. Exits 1 where a promise is not kept.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

LIB = Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))

from tikomni.sandbox import Sandbox  # noqa: E402

ROUTE = "douyin.app.v3.fetch_hot_search_list"
WORKER = f"""
import asyncio, sys, time
from pathlib import Path
sys.path.insert(0, {str(LIB)!r})
from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.settings import Settings
key, url, state, rate, calls = sys.argv[1:]
async def main():
    settings = Settings(api_key=key, base_url=url, state_dir=Path(state), global_qps=float(rate))
    async with Dispatcher(settings, Deadline()) as dispatcher:
        gate = asyncio.Semaphore(8)
        async def one():
            async with gate:
                await dispatcher.call("{ROUTE}", {{}}, max_age=0, on_send=lambda: print(time.monotonic()))
        await asyncio.gather(*(one() for _ in range(int(calls))))
asyncio.run(main())
"""


class Clocked(Sandbox):
    """A sandbox that takes any rate and writes down when each call that carries a key comes."""

    def __init__(self) -> None:
        super().__init__(rate=None)
        self.arrivals: list[float] = []

    def _too_fast(self, key: str) -> int:
        self.arrivals.append(time.monotonic())
        return 0


def most_in_a_second(times: Sequence[float]) -> int:
    return max(bisect_left(times, start + 1.0) - n for n, start in enumerate(times))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rate", type=float, default=20.0, help="calls a second for the key")
    parser.add_argument("--calls", type=int, default=100, help="calls of each process")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, Clocked().start() as sandbox:
        words = [sandbox.key, sandbox.base_url, str(Path(home) / "state"), str(args.rate), str(args.calls)]
        workers = []
        for number in range(args.processes):
            folder = Path(home) / str(number)
            folder.mkdir()
            workers.append(
                subprocess.Popen([sys.executable, "-c", WORKER, *words], cwd=folder, stdout=subprocess.PIPE, text=True)
            )
        left = sorted(float(line) for worker in workers for line in worker.communicate()[0].split())
        failed = [worker for worker in workers if worker.returncode]
        arrived = sorted(sandbox.arrivals)
    if failed or len(arrived) != args.processes * args.calls:
        print(f"{len(failed)} processes failed; {len(arrived)} calls arrived")
        return 1
    most = most_in_a_second(left)
    used = (len(left) - 1) / (left[-1] - left[0]) / args.rate
    print(f"{args.processes} processes, {len(left)} calls, {args.rate:g} a second")
    print(f"  most that left in one second     {most:>6}   promised {args.rate + 1:g} at most")
    print(f"  most that arrived in one second  {most_in_a_second(arrived):>6}")
    print(f"  used of the rate                 {used:>6.1%}   promised 95% at least")
    return 0 if most <= args.rate + 1 and used >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main())
