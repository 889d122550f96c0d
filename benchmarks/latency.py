"""How long commands take against the sandbox, beside what they cannot be faster than. Run by hand:

    python benchmarks/latency.py [--runs 15]

Prints a table; compares medians, so that a busy machine shifts both sides alike. Run it with the managed environment's
Python (``tikomni-skills env --json`` names it).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LIB = Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))

from tikomni.sandbox import Sandbox, links  # noqa: E402

URLLIB = """
import json, os, urllib.request
url = os.environ["TIKOMNI_BASE_URL"] + "/api/u1/v1/douyin/app/v3/fetch_one_video?aweme_id=" + os.environ["WORK"]
request = urllib.request.Request(url, headers={"Authorization": "Bearer " + os.environ["TIKOMNI_API_KEY"]})
print(json.load(urllib.request.urlopen(request))["code"])
"""


def seconds(command: Sequence[str], environ: dict[str, str], before: Callable[[], None] = lambda: None) -> float:
    before()
    start = time.perf_counter()
    done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=environ["HOME"])
    taken = time.perf_counter() - start
    if done.returncode not in (0, 3):
        sys.exit(f"{command}: {done.stdout[:400]} {done.stderr[:400]}")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds that the sandbox takes for a call")
    runs = parser.parse_args()
    python, module = sys.executable, [sys.executable, "-m", "tikomni"]
    with Sandbox(rate=None, latency_s=runs.latency) as sandbox, tempfile.TemporaryDirectory() as home:
        environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TIKOMNI_")},
            "HOME": home, "PYTHONPATH": str(LIB), "TIKOMNI_API_KEY": sandbox.key, "TIKOMNI_BASE_URL": sandbox.base_url,
            "TIKOMNI_GLOBAL_QPS": "100", "WORK": links["dy_pictures"].id,
        }  # fmt: skip

        def median(command: Sequence[str], before: Callable[[], None] = lambda: None) -> float:
            seconds(command, environ, before)
            return statistics.median(seconds(command, environ, before) for _ in range(runs.runs))

        def forget() -> None:
            for file in Path(home).rglob("ledger.sqlite3*"):
                file.unlink()

        detail = ["route", "call", "douyin.app.v3.fetch_one_video", f"aweme_id={links['dy_pictures'].id}"]
        empty = median([python, "-c", "pass"])
        bare = median([python, "-c", URLLIB])
        rows = [
            ("bare interpreter", empty, None, None),
            ("route call --dry-run (no call)", median([*module, *detail, "--dry-run"]), empty, 0.060),
            ("config show (no call)", median([*module, "config", "show"]), empty, None),
            ("bare urllib, the same request", bare, None, None),
            ("route call", median([*module, *detail, "--fresh"]), bare, 0.250),
        ]
        subtitled = median([*module, "work", links["xhs_subtitled"].url, "--progress", "none"], forget)
        rows.append(("one work with subtitles (1 call)", subtitled, runs.latency, 0.6))
        spoken = median([*module, "work", links["dy_video"].url, "--progress", "none"], forget)
        rows.append(("one work, finished speech job (3 calls, one 0.5 s poll)", spoken, 3 * runs.latency + 0.5, 0.6))
    print(f"{'':<58}{'median':>9}{'bound':>9}{'over':>9}{'allowed':>9}")
    for name, taken, bound, allowed in rows:
        over = "" if bound is None else f"{(taken - bound) * 1000:.0f} ms"
        cells = (f"{taken * 1000:.0f} ms", "" if bound is None else f"{bound * 1000:.0f} ms", over,
                 "" if allowed is None else f"{allowed * 1000:.0f} ms")  # fmt: skip
        print(f"{name:<58}" + "".join(f"{cell:>9}" for cell in cells))
    print(json.dumps({name: round(taken * 1000) for name, taken, _, _ in rows}), file=sys.stderr)


if __name__ == "__main__":
    main()
