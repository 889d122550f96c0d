"""Where the managed environment is and what it holds. Reads only; building it is ``environment.py``'s.

The thin scripts come here with whatever ``python3`` the machine has, so this module is standard library only
and stays importable on Python 3.8. ``bin/tikomni-skills.js`` finds the same folder and reads the same marker.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tikomni import __version__
from tikomni.locations import data_home

# The folder that holds lib/: the package, or an installed skill. Both keep their locks in requirements/.
ROOT = Path(__file__).resolve().parents[3]
LOCKS = ROOT / "requirements"
# Whether it is still there after this run (bin/unpack.js).
KEPT = not os.environ.get("TIKOMNI_UNKEPT")
BASE = "base"


@dataclass(frozen=True)
class Environment:
    """One managed environment and the folder of the locks that it is made from (``<set>.txt``)."""

    folder: Path
    locks: Path

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def marker(self) -> Path:
        return self.folder / ".ready.json"

    def lock(self, name: str) -> Path:
        return self.locks / (name + ".txt")

    def installed(self) -> dict[str, str]:
        """Requirement set → SHA-256 of the lock it was installed from; empty while nothing is whole."""
        try:
            if not self.python.exists():  # also when the Python that it was made from is gone
                return {}
            return dict(json.loads(self.marker.read_text(encoding="utf-8"))["sets"])
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def missing(self, extras: Iterable[str] = ()) -> list[str]:
        """Which of the base set and ``extras`` are not installed as their locks say."""
        installed = self.installed()
        return [name for name in (BASE, *extras) if installed.get(name) != digest(self.lock(name))]

    def used(self) -> None:
        """Keep this environment from being taken for an abandoned one."""
        try:
            if time.time() - self.marker.stat().st_mtime > 86400:
                os.utime(str(self.marker))
        except OSError:  # not ours to write: then somebody else looks after it
            pass

    def is_ready(self, extras: Iterable[str] = ()) -> bool:
        return not self.missing(extras)


def locate(locks: Path = LOCKS) -> Environment:
    """The environment of this version and these locks; it need not exist."""
    name = "{}-{}".format(__version__, digest(locks / (BASE + ".txt"))[:12])
    return Environment(data_home() / "env" / name, locks)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def print_document(document: dict[str, Any]) -> None:
    """The one JSON document of stdout. ASCII, because an old Python may not know the terminal's encoding."""
    print(json.dumps(document, indent=2 if sys.stdout.isatty() else None))
