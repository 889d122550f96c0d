#!/usr/bin/env python3
"""Get the words of videos: links, media files, speech jobs. See --help."""

import pathlib
import sys

root = next(p for p in pathlib.Path(__file__).resolve().parents if (p / "lib" / "tikomni").is_dir())
sys.path.insert(0, str(root / "lib"))
from tikomni.install.launch import run  # noqa: E402

run(["transcribe"])
