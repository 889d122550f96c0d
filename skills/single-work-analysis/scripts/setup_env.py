#!/usr/bin/env python3
"""Prepare the Python environment, once for all skills. See --help."""

import pathlib
import sys

root = next(p for p in pathlib.Path(__file__).resolve().parents if (p / "lib" / "tikomni").is_dir())
sys.path.insert(0, str(root / "lib"))
from tikomni.install.launch import setup  # noqa: E402

setup()
