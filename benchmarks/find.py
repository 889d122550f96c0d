"""How long ``route find`` and ``route show`` take, cold, and how many tokens they answer with. Run by hand:

    python benchmarks/find.py [--runs 15]

Compares medians with the bare interpreter's start, in turns, so that what else the machine does slows all alike: by the
clock, and in processor time, which tells more where others are at work (not on Windows). Tokens are counted by npm's
``gpt-tokenizer``, which is fetched by name into a scratch folder; without npm they are left out. Run it with the
managed environment's Python.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "tests" / "find" / "examples.jsonl"
ALLOWED_MS = 60
MODULE = [sys.executable, "-m", "tikomni"]
COUNT = """
const {encode} = require("gpt-tokenizer");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => encode(text).length)));
"""


def output(command: Sequence[str], environ: dict[str, str]) -> str:
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command}: {done.stdout[:400]} {done.stderr[:400]}")
    return done.stdout


def medians_ms(commands: Sequence[Sequence[str]], environ: dict[str, str], runs: int) -> list[tuple[float, float]]:
    """Of each command the milliseconds by the clock, and of the processor."""
    taken = [[measured(command, environ) for command in commands] for _ in range(runs + 1)][1:]
    return [tuple(map(statistics.median, zip(*turns, strict=True))) for turns in zip(*taken, strict=True)]


def measured(command: Sequence[str], environ: dict[str, str]) -> tuple[float, float]:
    start, before = time.perf_counter(), _used_by_children()
    output(command, environ)
    return (time.perf_counter() - start) * 1000, (_used_by_children() - before) * 1000


def _used_by_children() -> float:
    try:
        import resource
    except ImportError:
        return math.nan
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tokens(texts: Sequence[str], folder: Path) -> list[int] | None:
    """Tokens of each text; ``None`` where npm is absent or brings nothing."""
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not here: tokens are not counted.", file=sys.stderr)
        return None
    install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), "gpt-tokenizer"]
    if subprocess.run(install, capture_output=True).returncode:
        print("npm could not install gpt-tokenizer: tokens are not counted.", file=sys.stderr)
        return None
    counted = subprocess.run(
        ["node", "-e", COUNT], input=json.dumps(texts), capture_output=True, text=True, cwd=folder, check=True
    )
    return json.loads(counted.stdout)


def find_command(example: dict) -> list[str]:
    have = [f"--have={n}={json.dumps(v) if isinstance(v, list) else v}" for n, v in (example["have"] or {}).items()]
    return [*MODULE, "route", "find", *have, "--", example["q"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    examples = [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()][::20]
    with tempfile.TemporaryDirectory() as home:
        own = ("TIKOMNI_", "PYTHON")
        environ = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        # Compiled modules are kept, as they are where the package is installed, but not among the sources.
        environ |= {
            "PYTHONPATH": str(ROOT / "lib"),
            "PYTHONPYCACHEPREFIX": f"{home}/compiled",
            "TIKOMNI_STATE_DIR": home,
        }
        shown = [*MODULE, "route", "show", "douyin.app.v3.fetch_video_comments"]
        bare = [sys.executable, "-c", "pass"]
        names = ("bare interpreter", "route find", "route show")
        taken = medians_ms([bare, find_command(examples[0]), shown], environ, runs)
        for name, (clock, used) in zip(names, taken, strict=True):
            over = f"{clock - taken[0][0]:.0f} ms and {used - taken[0][1]:.0f} ms over it (allowed {ALLOWED_MS})"
            print(f"{name:<16}  {clock:5.0f} ms by the clock, {used:.0f} ms of the processor; {over}")
        finds = [output(find_command(example), environ) for example in examples]
        routes = [example["accept"][0] for example in examples if example["accept"]]
        shows = [output([*MODULE, "route", "show", route], environ) for route in routes]
        counts = tokens([*finds, *shows], Path(home))
        if counts:
            for name, part in (("route find", counts[: len(finds)]), ("route show", counts[len(finds) :])):
                ninth = sorted(part)[int(len(part) * 0.9)]
                print(
                    f"{name:<16}  {statistics.median(part):5.0f} tokens, {ninth} for nine of ten, {max(part)} at most"
                )


if __name__ == "__main__":
    main()
