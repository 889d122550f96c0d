"""How long the words of a whole profile take beside the time of the speech jobs themselves. Run by hand:

    python benchmarks/transcripts.py [--works 200] [--job-seconds 5] [--found-per-second 50]

Works come in as a collection finds them; jobs of a hundred leave as they fill. Prints wall time, what the sandbox
billed and the memory of this process. Run it with the managed environment's Python (``tikomni-skills env --json``
names it).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIB = Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))

from tikomni.deadline import Deadline  # noqa: E402
from tikomni.dispatch.dispatcher import Dispatcher  # noqa: E402
from tikomni.dispatch.downloads import Downloader  # noqa: E402
from tikomni.facts import Media, Stream, Work  # noqa: E402
from tikomni.progress import Progress  # noqa: E402
from tikomni.settings_load import load  # noqa: E402
from tikomni.transcripts.chain import Chain  # noqa: E402
from tikomni.transcripts.source import Means  # noqa: E402

FILMS = 23
SERVER = """
import sys, threading
from tikomni.sandbox import Sandbox, Script
with Sandbox(rate=None, script=Script(seconds=float(sys.argv[1]))) as sandbox:
    print(sandbox.base_url, sandbox.key, flush=True)
    threading.Event().wait()
"""


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def hear(count: int, pause: float, base_url: str) -> tuple[int, float]:
    """Words of ``count`` made-up works; how many there are, and the largest memory in MB."""
    settings = load()
    most = 0.0
    async with Dispatcher(settings, Deadline()) as dispatcher:
        means = Means(dispatcher, Downloader(dispatcher.transport, base_url), Progress("none"))
        async with Chain(means) as chain:
            for n in range(count):
                url = f"{base_url}/media/dy_repair_{n % FILMS + 1:02}/video-540.mp4?n={n}"
                work = Work("douyin", f"{n:019}", work_modality="video", media_kind="video", duration_ms=30_000)
                chain.add(work, Media((Stream(url),)))
                most = max(most, resident_mb())
                await asyncio.sleep(pause)
            found = await chain.done()
            most = max(most, resident_mb())
    return sum(words.transcript is not None for words in found.values()), most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, default=200)
    parser.add_argument("--job-seconds", type=float, default=5.0)
    parser.add_argument("--found-per-second", type=float, default=50.0)
    args = parser.parse_args()
    environ = {**os.environ, "PYTHONPATH": str(LIB)}
    command = [sys.executable, "-c", SERVER, str(args.job_seconds)]
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        base_url, key = server.stdout.readline().split()
        os.environ |= {"TIKOMNI_API_KEY": key, "TIKOMNI_BASE_URL": base_url, "TIKOMNI_STATE_DIR": home}
        before, start = resident_mb(), time.perf_counter()
        heard, most = asyncio.run(hear(args.works, 1 / args.found_per_second, base_url))
        taken = time.perf_counter() - start
        import urllib.request

        bill = json.load(urllib.request.urlopen(f"{base_url}/sandbox/bill"))
        server.terminate()
    collecting = args.works / args.found_per_second
    print(
        f"{heard} of {args.works} transcripts in {taken:.1f} s: collection {collecting:.1f} s, job {args.job_seconds} s"
    )
    print(f"over both {taken - collecting - args.job_seconds:.1f} s (allowed 3.0); {bill['submissions']} jobs,")
    print(f"{bill['asr_seconds']} s billed; memory {before:.0f} → {most:.0f} MB")


if __name__ == "__main__":
    main()
