"""The folders of the system that are ours. Standard library only: scripts use it before the environment exists."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def data_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Where state and the managed environment live, whatever the working directory."""
    home = Path(environ.get("HOME") or Path.home())
    if os.name == "nt":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif environ.get("XDG_DATA_HOME"):
        base = Path(environ["XDG_DATA_HOME"])
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = home / ".local" / "share"
    return base / "tikomni"


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the YAML config stands when nobody names another."""
    home = Path(environ.get("HOME") or Path.home())
    roaming = environ.get("APPDATA") if os.name == "nt" else None
    return Path(environ.get("XDG_CONFIG_HOME") or roaming or home / ".config") / "tikomni" / "config.yaml"
