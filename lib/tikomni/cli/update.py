"""Bring installed skills up to the version of this package, wherever they are.

Files that you edited are kept and named (exit status 3); files that are not ours are never touched.
"""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.places import add_change, add_places, nothing_installed, report, spoken
from tikomni.install import verbs
from tikomni.install.environment import prepare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "all that have skills of ours")
    add_change(parser)
    add_common(parser)


@spoken
def run(args: argparse.Namespace, context: Context) -> Outcome:
    places = [
        place
        for place in verbs.places_in_use(args.agent, args.scope, args.dir)
        if set(verbs.known_skills(args.skills)) & set(verbs.ours_in(place.folder))
    ]
    if not places:
        raise nothing_installed(args)
    if not args.dry_run:
        verbs.update(places, args.skills, force=args.force, dry_run=True)  # what cannot be done is refused first
        prepare(say=context.progress(args).note)
    return report(verbs.update(places, args.skills, force=args.force, dry_run=args.dry_run), args, context)
