"""Put two to five stored creators side by side: the same figures over the same window. Costs nothing, asks nobody."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Outcome, add_common, add_output_arguments, new_run_id, paste
from tikomni.cli.looks import open_library
from tikomni.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tikomni.analysis.comparison import Comparison, Shared
    from tikomni.facts import Creator
    from tikomni.pipelines.comparing import Stored
    from tikomni.settings import Settings

LABELS = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", metavar="CREATOR", nargs="*", help="name, handle, id or profile link; two to five")
    parser.add_argument("--platform", metavar="NAME", help="whose handles or ids these are: douyin, xiaohongshu")
    parser.add_argument(
        "--since",
        metavar="DATE",
        help="works published since then: 2026-11-01, or 90d (default: what is stored of all)",
    )
    parser.add_argument("--base-url", metavar="URL", help="the upstream that the creators came from")
    add_output_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.analysis.comparison import FEWEST, MOST

    settings = context.settings(args)
    if not FEWEST <= len(args.inputs) <= MOST:
        raise InputError("usage", f"{len(args.inputs)} creators were named; give {FEWEST} to {MOST}.")

    from tikomni.cli.card_write import task_rows
    from tikomni.cli.creator import moment
    from tikomni.pipelines import comparing
    from tikomni.storage.tree import Tree
    from tikomni.transcripts.segment import own_words

    since = moment(args.since, "since", settings)
    found = _stored(args.inputs, args.platform, settings, context)
    words = own_words(settings.words_file) if settings.words_file else ()
    made = comparing.compare(found, since, settings, words)
    tree = Tree(settings)
    tree.check()
    run_id = new_run_id(settings)
    written = comparing.write(made, tree.run_dir(run_id), settings)
    result = {
        "window": {
            "since": made.window.since.astimezone(settings.zone).isoformat(timespec="seconds"),
            "until": made.window.until.astimezone(settings.zone).isoformat(timespec="seconds"),
            "chosen": "longest" if since is None else "asked",
        },
        "creators": [
            {
                "letter": side.letter,
                "key": side.creator.key,
                "author_name": side.creator.author_name,
                "works": len(side.cohort.counted),
            }
            for side in made.sides
        ],
        "figures": _figures(made),
        "shared_topics": _labels(made.topics),
        "shared_keywords": _labels(made.keywords),
        "paths": written.paths,
        "tasks": task_rows(list(written.tasks), context, settings),
    }
    return Outcome(result=result, warnings=tuple(_warnings(found, since, settings, context)))


def _stored(inputs: Sequence[str], platform: str | None, settings: Settings, context: Context) -> list[Stored]:
    from tikomni.pipelines.comparing import stored

    with open_library(settings) as library:
        if library is None:
            raise _not_there(inputs[0], platform, settings, context)
        creators = list(library.creators())
        chosen = [_one(text, platform, creators, settings, context) for text in inputs]
        if twice := [creator.key for creator in chosen if chosen.count(creator) > 1]:
            raise InputError("usage", f"{twice[0]} was named twice; give different creators.")
        found = [(text, stored(library, creator)) for text, creator in zip(inputs, chosen, strict=True)]
    for text, one in found:
        if one is None:
            raise _not_there(text, platform, settings, context)
    return [one for _, one in found if one is not None]


def _one(text: str, platform: str | None, creators: Sequence[Creator], settings: Settings, context: Context) -> Creator:
    from tikomni.pipelines.known import known_creators

    found = known_creators(text, creators, platform)
    if not found:
        raise _not_there(text, platform, settings, context)
    if len(found) > 1:
        keys = [creator.key for creator in found]
        raise InputError("usage", f"{text!r} names {len(found)} creators: {', '.join(keys[:5])}.", hint="Give an id.")
    return found[0]


def _not_there(text: str, platform: str | None, settings: Settings, context: Context) -> InputError:
    """A creator who is not on disk, and the command that gets them; a name alone finds nobody on a platform."""
    words = [text, *(["--platform", platform] if platform else [])]
    return InputError(
        "invalid_input",
        f"{text[:120]!r} is not stored for {settings.origin}.",
        hint="Analyse this creator first (a profile link, or a handle with --platform), then compare again.",
        next_command=paste(["creator"], [*words, "--no-transcripts"], context.skill_dir),
    )


def _figures(made: Comparison) -> dict[str, dict[str, list[float | None]]]:
    """Values and ratios in the order of ``creators``; what they rest on is in the documents."""
    return {
        row.name: {
            "values": [_short(figure.value) for figure in row.figures],
            "ratios": [ratio and float(f"{ratio:.3g}") for ratio in row.ratios],
        }
        for row in made.rows
    }


def _short(value: float | None) -> float | None:
    if value is None:
        return None
    short = float(f"{value:.5g}") if abs(value) < 10_000 else round(value)
    return int(short) if short == int(short) else short


def _labels(rows: Sequence[Shared]) -> list[dict[str, Any]]:
    return [{"text": row.label, "counts": list(row.counts)} for row in rows[:LABELS]]


def _warnings(found: Sequence[Stored], since: Any, settings: Settings, context: Context) -> list[str]:
    told = []
    for one in found:
        creator = one.creator
        if since is not None and one.since > since:
            words = [creator.platform_author_id, "--platform", creator.platform, "--works", "all"]
            command = paste(["creator"], words, context.skill_dir)
            told.append(
                f"{creator.key}: stored from {one.since.astimezone(settings.zone):%Y-%m-%d} on only, so its figures "
                f"rest on less than --since asks for. {command}"
            )
        elif not one.sure:
            told.append(
                f"{creator.key}: no whole walk of its list is recorded; its window begins with the oldest stored work."
            )
    return told
