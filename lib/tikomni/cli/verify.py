"""Compare installed skills with what was installed, file by file; exit status 3 where something differs.

Where the versions are the same, the manifest is compared with this package, too.
"""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.places import add_places, nothing_installed, spoken
from tikomni.install import package, verbs
from tikomni.install.words import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "all that have skills of ours")
    add_common(parser)


@spoken
def run(args: argparse.Namespace, context: Context) -> Outcome:
    targets, lines, good = [], [], True
    names = verbs.known_skills(args.skills, package.names())
    for place in verbs.places_in_use(args.agent, args.scope, args.dir):
        rows = [verbs.verify(place, name) for name in names if (place.folder / name).exists()]
        if rows:
            targets.append({"agent": place.agent.id, "folder": str(place.folder), "skills": rows})
            lines += [f"{place.agent.title}: {place.folder}"]
            lines += [line for row in rows for line in _lines(row, context.language)]
            good = good and all(map(verbs.holds, rows))
    if not targets:
        raise nothing_installed(args)
    return Outcome(result={"targets": targets}, status="complete" if good else "partial", plain=tuple(lines))


def _lines(row: dict, language: str) -> list[str]:
    lines = [f"  {row['skill']} {row['version'] or ''}".rstrip()]
    if not row["version"]:
        return [f"{lines[0]}: {say('no_manifest', language)}"]
    if verbs.holds(row):
        return [f"{lines[0]}: {say('verified', language, count=row['unchanged'])}"]
    for key, names in (
        ("missing_file", row["missing"]),
        ("edited_file", row["edited"]),
        ("differing_file", row["not_of_the_package"]),
    ):
        lines += [f"    {say(key, language, path=name)}" for name in names]
    return lines
