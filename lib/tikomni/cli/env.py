"""Prepare the Python environment that all skills share; --extra adds a set of packages to it."""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.places import spoken
from tikomni.install import environment
from tikomni.install.words import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    environment.add_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    add_common(parser)


@spoken
def run(args: argparse.Namespace, context: Context) -> Outcome:
    if args.dry_run:
        place = environment.locate()
        again = dict.fromkeys((environment.BASE, *args.extra, *place.installed()))
        missing = list(again) if args.rebuild else place.missing(args.extra)
        result = {"dry_run": True, "python": str(place.python), "created": bool(missing), "extras": args.extra}
        key = "env_would_add" if missing else "ready"
        line = say(key, context.language, path=place.python, folder=place.folder, names=", ".join(missing))
        return Outcome(result={**result, "sets": missing}, plain=(line,))
    prepared = environment.prepare_as_asked(args, context.progress(args).note, context.language)
    result = environment.result(prepared, args.extra)
    return Outcome(result=result, plain=(say("ready", context.language, path=prepared.python),))
