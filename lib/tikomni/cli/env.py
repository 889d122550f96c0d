"""Prepare the Python environment that all skills share; --extra adds a set of packages to it."""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.install import environment
from tikomni.install.words import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    environment.add_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    context.language = args.language or context.language
    if args.dry_run:
        place = environment.locate()
        missing = [environment.BASE, *args.extra] if args.rebuild else place.missing(args.extra)
        result = {"dry_run": True, "python": str(place.python), "created": bool(missing), "extras": args.extra}
        return Outcome(result={**result, "sets": missing}, plain=(f"{place.folder}: {', '.join(missing) or '-'}",))
    prepared = environment.prepare_as_asked(args, context.progress(args).note)
    result = environment.result(prepared, args.extra)
    return Outcome(result=result, plain=(say("ready", context.language, path=prepared.python),))
