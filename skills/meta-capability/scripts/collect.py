#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "httpx2>=2.16,<3",
#     "jinja2>=3.1,<4",
#     "jmespath>=1.0,<2",
#     "jsonschema>=4.23,<5",
#     "Pillow>=12,<14",
#     "pysubs2>=1.8,<2",
#     "python-dotenv>=1,<2",
#     "PyYAML>=6,<7",
#     "rjieba>=0.2,<0.3",
#     "tqdm>=4.66,<5",
#     "tzdata>=2025.2",
#     "XlsxWriter>=3.2,<4",
# ]
# ///
"""Collect works by keyword, topic or chart. See --help."""

import pathlib
import sys

sys.dont_write_bytecode = True  # the skill folder holds what was installed and nothing else
root = next(p for p in pathlib.Path(__file__).resolve().parents if (p / "lib" / "tikomni").is_dir())
sys.path.insert(0, str(root / "lib"))
from tikomni.install.launch import run  # noqa: E402

run(["collect"])
