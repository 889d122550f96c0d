"""Write a commented settings file with every default, to edit. (`env init` writes the `.env` for the key.)"""

from __future__ import annotations

import argparse
from pathlib import Path

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.env_init import write_private
from tikomni.errors import InputError
from tikomni.locations import config_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", type=Path, metavar="FILE", help="default: the user's own config file")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.settings_text import yaml_text

    path = (args.path or args.config or config_file()).expanduser().absolute()
    if not write_private(path, yaml_text()):
        raise InputError("config", f"{path} exists and was left alone.", hint="Name another file.")
    return Outcome(result={"path": str(path)}, plain=(f"Wrote {path}",))
