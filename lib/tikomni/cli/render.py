"""Make cards again from what is stored, without a call."""

from __future__ import annotations

import argparse
from contextlib import closing

from tikomni.cli.base import Context, Outcome, add_common, add_output_arguments
from tikomni.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("works", metavar="WORK", nargs="*", help="work id, or platform:id")
    parser.add_argument("--all", action="store_true", help="every stored work")
    parser.add_argument("--base-url", metavar="URL", help="the upstream that the works came from")
    parser.add_argument(
        "--card-type", choices=("work", "author_sample_work"), default="work", help="which folder and prefix"
    )
    add_output_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.cards import assets
    from tikomni.cards.paths import CardIndex, homes
    from tikomni.cards.render import render_work
    from tikomni.library.store import Library
    from tikomni.storage.tree import Tree

    settings = context.settings(args)
    if not args.works and not args.all:
        raise InputError("no_input", "Name a work, or --all.")
    Tree(settings).check(homes(settings))
    with closing(Library(settings.state / "library.sqlite3", settings.origin)) as library:
        works = list(library.works()) if args.all else []
        for name in args.works:
            platform, colon, work_id = name.rpartition(":")
            found = [w for w in library.find(work_id if colon else name) if not colon or w.platform == platform]
            if not found:
                raise InputError("invalid_input", f"{name} is not stored for {settings.origin}; analyse it first.")
            works += found
    warnings: list[str] = []
    index = CardIndex(settings)
    pictures = ((work, assets.stored(settings, assets.plan(work, settings.images))) for work in works)
    cards = [str(render_work(settings, w, p, warnings, args.card_type, index=index)) for w, p in pictures]
    return Outcome(result={"count": len(cards), "cards": cards}, warnings=tuple(warnings))
