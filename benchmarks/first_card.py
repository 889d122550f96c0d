"""How long a new user waits: from ``npx`` to the first finished card, on the sandbox.

    python benchmarks/first_card.py [TARBALL]

An empty home without an environment or an npm cache; pip, or uv with ``--uv``, may use what it has cached on this
machine. Prints the seconds of each stage and their sum; the aim is less than 60. Where no tarball is named, the package
is packed first, which is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))
AIM_SECONDS = 60


def main() -> int:
    from tikomni.sandbox import Sandbox, links

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tarball", nargs="?", type=Path)
    parser.add_argument("--uv", action="store_true", help="with the uv on PATH; else it is hidden and pip installs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tikomni-first-") as scratch, Sandbox().start() as sandbox:
        home = Path(scratch) / "home"
        (home / ".claude").mkdir(parents=True)
        tarball = options.tarball or pack(Path(scratch))
        environ = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("TIKOMNI_", "XDG_", "PYTHON"))
            },
            **{"HOME": str(home), "npm_config_cache": str(home / ".npm")},
            **{"TIKOMNI_BASE_URL": sandbox.base_url, "TIKOMNI_API_KEY": sandbox.key},
        }
        environ.setdefault("PIP_CACHE_DIR", os.path.expanduser("~/.cache/pip"))
        if not options.uv:
            environ["PATH"] = os.pathsep.join(
                folder for folder in environ["PATH"].split(os.pathsep) if not Path(folder, "uv").exists()
            )
        npx = ["npx", "--yes", "--package", str(tarball.resolve()), "tikomni-skills"]
        script = home / ".claude/skills/single-work-analysis/scripts/analyze_work.py"
        stages = {
            "npx fetches the package": [*npx, "--version"],
            "the Python environment": [*npx, "env"],
            "the skills": [*npx, "install", "claude-code"],
            "the first card": ["python3", str(script), links["dy_video"].url],
        }
        whole = 0.0
        for stage, command in stages.items():
            before = time.perf_counter()
            done = subprocess.run(command, env=environ, cwd=home, capture_output=True, encoding="utf-8")
            taken = time.perf_counter() - before
            if done.returncode != 0:
                print(f"{stage}: exit {done.returncode}\n{done.stdout}{done.stderr}")
                return 1
            whole += taken
            print(f"{taken:6.1f} s  {stage}", flush=True)
        card = json.loads(done.stdout)["result"]["card"]["path"]
        print(f"{whole:6.1f} s  in all (aim: {AIM_SECONDS}); {Path(card).name}")
        return 0 if Path(card).is_file() and whole < AIM_SECONDS else 1


def pack(folder: Path) -> Path:
    done = subprocess.run(
        ["npm", "pack", "--json", "--pack-destination", str(folder)], cwd=ROOT, capture_output=True, check=True
    )
    return folder / json.loads(done.stdout)[0]["filename"]


if __name__ == "__main__":
    sys.exit(main())
