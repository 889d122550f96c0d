"""``python -m tikomni``."""

from tikomni.cli import run

run()
