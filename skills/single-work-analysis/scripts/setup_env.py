#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""Prepare the Python environment, once for all skills. See --help."""

import pathlib
import sys

sys.dont_write_bytecode = True  # the skill folder holds what was installed and nothing else
root = next(p for p in pathlib.Path(__file__).resolve().parents if (p / "lib" / "tikomni").is_dir())
sys.path.insert(0, str(root / "lib"))
from tikomni.install.launch import setup  # noqa: E402

setup()
