"""Make of each skill a folder that works wherever it is copied, and a reproducible `.skill` archive of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.places import add_change, folder, report, spoken
from tikomni.install.bundle import bundle
from tikomni.install.words import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("skills", metavar="SKILL", nargs="*", help="names of skills, or `all` (default)")
    parser.add_argument("--dir", type=folder, default=Path("dist"), metavar="DIR", help="default: ./dist")
    add_change(parser)
    add_common(parser)
    parser.set_defaults(agent=None, scope=None)


@spoken
def run(args: argparse.Namespace, context: Context) -> Outcome:
    made = bundle(args.skills, args.dir, force=args.force, dry_run=args.dry_run)
    outcome = report([made.done], args, context, archives=[str(path) for path in made.archives])
    from dataclasses import replace

    lines = [
        say("bundled", context.language, path=path, count=len(plan.files))
        for path, plan in zip(made.archives, made.done.plans, strict=True)
    ]
    return replace(outcome, plain=(*(outcome.plain or ()), *lines))
