"""How long whole profiles take beside what rate, latency and speech jobs allow, what they cost and need. Run by hand:

    python benchmarks/creators.py [--profiles dy_60,xhs_60,dy_200,xhs_200,dy_1000,dy_5000] [--job-seconds 15]

Each profile is analysed three times: as new, again, and after ten new works with ``--max-age 0``. Prints a table and
exits 1 where a promise is not kept. Memory is the command's own. Run it with the managed environment's Python
(``tikomni-skills env --json`` names it); on a busy machine repeat what looks slow.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LIB = Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))

from tikomni.sandbox import Sandbox, Script, links  # noqa: E402
from tikomni.sandbox.server import ASR_SUBMIT  # noqa: E402

PROFILES = "dy_60,xhs_60,dy_200,xhs_200,dy_1000,dy_5000"
POLL = "u2.tasks"
NEW_WORKS = 10
TIMES_BOUND = 1.3
BOUNDED_WORKS = 200  # what the bound is promised for; beyond, memory is, and time in proportion
MOST_MB = 250
FIRST_FIGURES_S = {"douyin": 3.0, "xiaohongshu": 12.0}
COLUMNS = ("profile", "run", "works", "wall s", "bound s", "×", "figures s", "billed", "jobs", "MB", "report MB")


@dataclass(slots=True)
class Watched:
    """A command as it was seen from outside. Seconds from its start; ``peak_mb`` is its own resident memory."""

    document: dict[str, Any]
    seconds: float
    figures_s: float | None
    peak_mb: float
    asked: list[str]
    stages: dict[str, float] = field(default_factory=dict)


def watch(sandbox: Sandbox, home: str, rate: float, words: list[str]) -> Watched:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TIKOMNI_", "XDG_"))}
    environ |= {
        "HOME": home, "PYTHONPATH": str(LIB), "TIKOMNI_API_KEY": sandbox.key, "TIKOMNI_BASE_URL": sandbox.base_url,
        "TIKOMNI_GLOBAL_QPS": f"{rate:g}",
    }  # fmt: skip
    before, start = len(sandbox.requests), time.perf_counter()
    command = [sys.executable, "-m", "tikomni", "creator", *words, "--progress", "jsonl", "--deadline", "3600"]
    stages: dict[str, float] = {}
    with subprocess.Popen(command, env=environ, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:

        def listen() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                if (stage := _stage(line)) is not None:
                    stages.setdefault(f"first {stage}", time.perf_counter() - start)
                    stages[stage] = time.perf_counter() - start

        threading.Thread(target=listen, daemon=True).start()
        peak = [0.0]
        threading.Thread(target=_weigh, args=(process, peak), daemon=True).start()
        assert process.stdout is not None
        out = process.stdout.read()
    taken = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"{' '.join(command)}: {out.decode()[:600]}")
    asked = [seen.route for seen in sandbox.requests[before:] if not seen.route.startswith("sandbox.")]
    return Watched(json.loads(out), taken, stages.get("first figures"), peak[0], asked, stages)


def _stage(line: bytes) -> str | None:
    try:
        return json.loads(line).get("stage")
    except ValueError:
        return None


def _weigh(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    """The high-water mark of a process's own memory; what it inherited before it was itself does not count."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            text = status.read_text()
        except OSError:
            return
        found = next((line for line in text.splitlines() if line.startswith("VmHWM")), None)
        peak[0] = max(peak[0], int(found.split()[1]) / 1000 if found else 0.0)
        time.sleep(0.02)


def bound(asked: list[str], rate: float, latency: float, job_seconds: float) -> float:
    """What no run can be faster than: every call up to the last job at the rate, that job, the look that finds it."""
    calls = [route for route in asked if route != POLL]
    if ASR_SUBMIT not in calls:
        return max(0, len(calls) - 1) / rate + latency if calls else 0.0
    last = len(calls) - calls[::-1].index(ASR_SUBMIT)
    return max((last - 1) / rate + latency + job_seconds + latency, (len(calls) - 1) / rate + latency)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", default=PROFILES)
    parser.add_argument("--rate", type=float, default=5.0, help="calls a second")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds that the sandbox takes for a call")
    parser.add_argument("--job-seconds", type=float, default=15.0, help="how long a speech job takes")
    parser.add_argument("--stages", action="store_true", help="print when each stage was told, too")
    args = parser.parse_args()
    broken: list[str] = []
    print(" | ".join(COLUMNS))
    script = Script(seconds=args.job_seconds)
    for name in args.profiles.split(","):
        with (
            Sandbox(rate=None, latency_s=args.latency, script=script) as sandbox,
            tempfile.TemporaryDirectory() as home,
        ):
            broken += measure(name, sandbox, home, args)
    print("\n".join(["", *broken] if broken else ["", "Everything is as promised."]))
    sys.exit(1 if broken else 0)


def measure(name: str, sandbox: Sandbox, home: str, args: argparse.Namespace) -> list[str]:
    """Print a profile's three rows; returns what is not as promised."""
    from tikomni.sandbox.world import crowd

    sandbox.reset()
    platform = links[name].platform
    broken = []
    for run, more in (("new", ()), ("again", ()), (f"+{NEW_WORKS}", ("--max-age", "0"))):
        if more:
            crowd.advance(NEW_WORKS)
        ran = watch(sandbox, home, args.rate, [links[name].url, "--works", "all", *more])
        result, cost = ran.document["result"], ran.document["cost"]
        works, least = result["figures"]["works"], bound(ran.asked, args.rate, args.latency, args.job_seconds)
        report = Path(result["paths"]["report"]).stat().st_size / 1e6
        figures = "" if ran.figures_s is None else f"{ran.figures_s:.1f}"
        times = ran.seconds / least if least else 0.0
        jobs = ran.asked.count(ASR_SUBMIT)
        cells = (name, run, works, f"{ran.seconds:.1f}", f"{least:.1f}", f"{times:.2f}", figures,
                 cost["billed_calls"], jobs, f"{ran.peak_mb:.0f}", f"{report:.2f}")  # fmt: skip
        print(" | ".join(map(str, cells)), flush=True)
        if args.stages:
            print("   ", {stage: round(at, 1) for stage, at in ran.stages.items()}, flush=True)
        promises = {
            f"{ran.peak_mb:.0f} MB, promised {MOST_MB}": ran.peak_mb <= MOST_MB,
            f"{ran.document['status']}": ran.document["status"] == "complete",
        }
        if run == "new":
            most = FIRST_FIGURES_S[platform] if works <= BOUNDED_WORKS else float("inf")
            promises[f"first figures after {figures} s, promised {most:g}"] = (ran.figures_s or 0) <= most
            promises[f"{times:.2f} times its bound"] = works > BOUNDED_WORKS or times <= TIMES_BOUND
        elif run == "again":
            promises[f"{cost['billed_calls']} billed calls the second time"] = not cost["billed_calls"] and not jobs
        else:
            lists = sum("post" in route for route in ran.asked)
            promises[f"{lists} list calls for {NEW_WORKS} new works"] = lists <= 2
            promises[f"{jobs} jobs for {NEW_WORKS} new works"] = jobs <= 1
            promises[f"{works} works in the end"] = works == crowd.PROFILES[name].size + NEW_WORKS
        broken += [f"{name}, {run}: {what}" for what, kept in promises.items() if not kept]
    return broken


if __name__ == "__main__":
    main()
