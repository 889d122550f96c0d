"""Take skills out of an agent's skills folder.

Files that you edited are kept and named (exit status 3), as is everything that is not ours: `.env`, your own files.
"""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.places import add_change, add_places, report, spoken
from tikomni.install import verbs
from tikomni.install.agents import agents
from tikomni.install.words import Refusal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "none; name one")
    add_change(parser)
    add_common(parser)


@spoken
def run(args: argparse.Namespace, context: Context) -> Outcome:
    if not (args.agent or args.dir):
        raise Refusal("usage", "name_an_agent", valid=", ".join(agent.id for agent in agents()))
    places = verbs.places_in_use(args.agent, args.scope or "user", args.dir)
    return report(verbs.remove(places, args.skills, force=args.force, dry_run=args.dry_run), args, context)
