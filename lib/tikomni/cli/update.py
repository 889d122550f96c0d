"""Bring installed skills up to the version of this package, wherever they are.

Files that you edited are kept and named (exit status 3); files that are not ours are never touched.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace

from tikomni.cli.base import Context, Next, Outcome, add_common
from tikomni.cli.places import add_change, add_places, command, nothing_installed, report, spoken
from tikomni.install import verbs
from tikomni.install.environment import prepare
from tikomni.install.words import say


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
    places, linked = (places, []) if args.agent or args.dir else _without_links(places)
    if not args.dry_run:
        verbs.update(places, args.skills, force=args.force, dry_run=True)  # what cannot be done is refused first
        prepare(note=context.progress(args).note, language=context.language)
    done = verbs.update(places, args.skills, force=args.force, dry_run=args.dry_run)
    outcome = report(done, args, context)
    return _naming(linked, outcome, args, context.language) if linked else outcome


def _without_links(places: Sequence[verbs.Place]) -> tuple[list[verbs.Place], list[verbs.Place]]:
    """The folders that are updated unasked, and links to others, which are only named; where all are links, all."""
    real = [place for place in places if not place.folder.is_symlink()]
    updated = {os.path.realpath(place.folder) for place in real}
    return (real, [p for p in places if os.path.realpath(p.folder) not in updated]) if real else (list(places), [])


def _naming(linked: Sequence[verbs.Place], outcome: Outcome, args: argparse.Namespace, language: str) -> Outcome:
    """``outcome`` with what was left out because nothing is written through a link unasked, and how to ask for it."""
    warnings, steps = [], []
    for place in linked:
        folder = os.path.realpath(place.folder)
        warnings.append(say("root_is_a_link", language, path=place.folder, folder=folder))
        again = command(["update"], [place.agent.id, *args.skills, "--dir", folder])
        steps.append(Next(again, say("why_linked", language, path=place.folder)))
    return replace(
        outcome,
        status="partial",
        warnings=tuple(warnings),
        next=(*outcome.next, *steps),
        plain=(*(outcome.plain or ()), *(f"→ {step.command}" for step in steps)),
    )
