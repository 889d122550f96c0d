"""Delete Python environments and unpacked packages of other versions that nobody has used for a month."""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.install import environment
from tikomni.install.words import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    context.language = args.language or context.language
    folders = environment.unused() if args.dry_run else environment.prune(environment.unused())
    lines = [say("freed", context.language, path=path) for path in folders]
    result = {"dry_run": args.dry_run, "removed": [str(path) for path in folders]}
    return Outcome(result=result, plain=tuple(lines or [say("nothing_to_free", context.language)]))
