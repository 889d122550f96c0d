"""Write a commented settings file with every default, to edit."""

from __future__ import annotations

import argparse
from pathlib import Path

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.errors import InputError
from tikomni.locations import config_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", type=Path, metavar="FILE", help="default: the user's own config file")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.settings_text import yaml_text

    path = (args.path or args.config or config_file()).expanduser().absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(yaml_text())
        path.chmod(0o600)
    except FileExistsError:
        raise InputError("config", f"{path} exists and was left alone.", hint="Name another file.") from None
    except OSError as error:
        raise InputError("storage", f"{path}: {error.strerror or error}.") from None
    return Outcome(result={"path": str(path)}, plain=(f"Wrote {path}",))
