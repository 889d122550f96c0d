"""Put skills into an agent's skills folder, each with all that it needs; what is there already is brought up to date.

Files that you edited are kept and named (exit status 3); files that are not ours are never touched.
"""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Next, Outcome, add_common, paste
from tikomni.cli.places import add_change, add_places, report, spoken
from tikomni.install import doctor, verbs
from tikomni.install.environment import prepare
from tikomni.install.words import Refusal, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "those found on this machine")
    parser.add_argument("--migrate", action="store_true", help="codex: also take our copy out of its former folder")
    add_change(parser)
    add_common(parser)


@spoken
def run(args: argparse.Namespace, context: Context) -> Outcome:
    places = verbs.places_to_install(args.agent, args.scope or "user", args.dir)
    former = [
        verbs.Place(place.agent, "user", place.agent.legacy, legacy=True) for place in places if place.agent.legacy
    ]
    if args.migrate and not former:
        raise Refusal("usage", "no_migration")
    python = None
    if not args.dry_run:
        verbs.install(places, args.skills, force=args.force, dry_run=True)  # what cannot be done is refused first
        python = str(prepare(note=context.progress(args).note, language=context.language).python)
    done = verbs.install(places, args.skills, force=args.force, dry_run=args.dry_run)
    if args.migrate:
        done += verbs.remove(former, args.skills, force=args.force, dry_run=args.dry_run)
    outcome = report(done, args, context, () if args.dry_run else _then(places, context), python=python)
    from dataclasses import replace

    keys = [say("key_place", context.language, path=place.folder / ".env") for place in places]
    return replace(outcome, plain=(*(outcome.plain or ()), *([] if args.dry_run else keys)))


def _then(places: list[verbs.Place], context: Context) -> list[Next]:
    """How the key gets into place, and how it is checked."""
    language, steps = context.language, []
    for place in places:
        env = place.folder / ".env"
        if not env.exists():
            # By the installed skill: what npx fetched may be gone tomorrow.
            command = paste(["env", "init"], doctor.words(place), place.folder / "any")
            steps.append(Next(command, say("why_env_init", language, path=env)))
        for skill in verbs.ours_in(place.folder):
            if (place.folder / skill / "scripts" / "test_auth.py").is_file():
                steps.append(Next(paste(["auth"], [], place.folder / skill), say("why_auth", language, path=env)))
    return steps
