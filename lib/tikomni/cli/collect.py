"""Collect works by keyword, topic or chart: rows, covers, tables. Ads and live rooms are left out and counted."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import (
    Context,
    Next,
    Outcome,
    add_call_arguments,
    add_common,
    add_output_arguments,
    paced,
    paste,
    run_async,
    table_forms,
)
from tikomni.errors import InputError, Interrupted
from tikomni.pipelines.query import KINDS, SORTS

if TYPE_CHECKING:
    from tikomni.cards.collection import Hit
    from tikomni.pipelines.collect import Found
    from tikomni.pipelines.query import Query
    from tikomni.platforms import Definition
    from tikomni.settings import Settings

WHATS = ("search", "topic", "chart")
MOST, MOST_CHARS = 1000, 100
SHOWN, TITLE_CHARS, NAME_CHARS = 20, 30, 12
# Pages hold ten works at least, as far as it is known.
PAGE = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=WHATS, help="where works are looked for")
    parser.add_argument(
        "words", metavar="WORDS", nargs="*", help="search: keywords; topic: name, link or id; chart: its name"
    )
    parser.add_argument("--platform", metavar="NAME", help="douyin or xiaohongshu")
    parser.add_argument(
        "--max", type=int, default=60, metavar="N", help="works that are read from the list (default 60)"
    )
    parser.add_argument(
        "--sort", choices=tuple(SORTS), help="most or newest first; by the platform where it can, else of what was read"
    )
    group = parser.add_argument_group("of the works that were read, only those")
    group.add_argument("--since", metavar="DATE", help="published since then: 2026-11-01, or 7d")
    group.add_argument("--kind", choices=tuple(KINDS), help="of this form")
    group.add_argument("--min-likes", type=int, metavar="N", help="with at least so many likes")
    group.add_argument(
        "--max-fans",
        type=int,
        metavar="N",
        help="of authors with at most so many fans; one call for each author; most likes per fan first",
    )
    parser.add_argument("--export", metavar="FORMS", help="tables to write: xlsx,csv,jsonl,feishu")
    parser.add_argument("--dry-run", action="store_true", help="say what would be asked and cost, and ask nothing")
    add_output_arguments(parser)
    add_call_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.cli.targets import refuse_others

    settings = context.settings(args)
    forms = table_forms(args.export)
    text = " ".join(" ".join(args.words).split())
    if not text and args.what != "chart":
        raise InputError("no_input", f"Nothing to look for: collect {args.what} WORDS --platform NAME.")
    if len(text) > MOST_CHARS and "://" not in text:
        raise InputError("usage", f"{len(text)} characters are too many to look for; {MOST_CHARS} at most.")
    targets = _targets(text, args)
    refusal, instead = refuse_others(targets, context, lambda t: t.kind == "topic" and args.what == "topic")
    if refusal is not None:
        return Outcome(status="failed", error=refusal, next=instead)
    query = _query(text, targets, args, settings, context)
    if args.dry_run:
        return _plan(query, settings)
    settings.require_key()

    from tikomni.pipelines import collect as pipeline

    terms = context.terms(args, settings)
    with closing(context.progress(args)) as progress:
        found = run_async(pipeline.find(query, forms, terms, settings, context.deadline, progress))
    return _outcome(found, settings, context)


def _targets(text: str, args: argparse.Namespace) -> tuple[Any, ...]:
    """What the words name where they are a link, or the id of a topic."""
    from tikomni.platforms import names, read_links

    if args.platform is not None and args.platform not in names():
        raise InputError("usage", f"--platform {args.platform!r}: there are {', '.join(names())}.")
    found = read_links(text, args.platform, "topic") if text else ()
    return tuple(t for t in found if t.url is not None or (args.what == "topic" and t.kind == "topic"))


def _query(
    text: str, targets: tuple[Any, ...], args: argparse.Namespace, settings: Settings, context: Context
) -> Query:
    """What is looked for, once it is certain that it can be.

    Raises:
        InputError: ``usage``, where an argument is missing or wrong, or the platform has no such list or chart.
    """
    from tikomni.cli.creator import moment
    from tikomni.pipelines.query import Query
    from tikomni.platforms import definition, names

    if len(targets) > 1:
        raise InputError("usage", f"{len(targets)} topics: give one at a time.")
    platform = targets[0].platform if targets else args.platform
    if platform is None:
        raise InputError("usage", f"--platform is missing: {', '.join(names())}.")
    if args.platform not in (None, platform):
        raise InputError("usage", f"--platform {args.platform}, but the link is of {platform}.")
    for name, least in (("max", 1), ("min_likes", 0), ("max_fans", 0)):
        if (value := getattr(args, name)) is not None and value < least:
            raise InputError("usage", f"--{name.replace('_', '-')} {value}: expected at least {least}.")
    if args.max > MOST:
        raise InputError("usage", f"--max {args.max}: expected at most {MOST}.")
    known = definition(platform)
    if f"{args.what}.works" not in known.lists:
        having = [name for name in names() if f"{args.what}.works" in definition(name).lists]
        raise InputError("usage", f"{known.name} has no {args.what}s of works; {', '.join(having)} has.")
    ids = targets[0].ids if targets else _ids(text, known, args, context)
    return Query(
        platform=platform,
        what=args.what,
        text=(ids.get("topic") or ids["topic_id"]) if args.what == "topic" else text,
        ids=ids,
        most=args.max,
        sort=args.sort,
        since=moment(args.since, "since", settings),
        kind=args.kind,
        min_likes=args.min_likes,
        max_fans=args.max_fans,
    )


def _ids(text: str, known: Definition, args: argparse.Namespace, context: Context) -> dict[str, str]:
    """What the list is asked with, from words."""
    listed = known.lists[f"{args.what}.works"]
    if args.what == "search":
        return {"keyword": text}
    if args.what == "chart":
        chart = listed.choices["chart"]
        if text not in chart.values:
            what = f"no chart {text!r}" if text else "no chart was named"
            raise InputError("usage", f"{known.name}: {what}; there are {', '.join(chart.values)}.")
        return {chart.put: chart.values[text]}
    if not (name := text.strip("# ")):
        raise InputError("no_input", f"{text!r} is no topic's name.")
    if not listed.resolve:
        raise InputError(
            "usage",
            f"{known.name} finds no topic by its name {name!r}: give its link or id, or search for it.",
            hint="Run the command in `next`: it searches for the topic's name.",
            next_command=paste(["collect"], ["search", f"#{name}", "--platform", known.platform], context.skill_dir),
        )
    return {"topic": name}


def _outcome(found: Found, settings: Settings, context: Context) -> Outcome:
    result: dict[str, Any] = {
        "query": _asked(found.query),
        "read": found.collected,
        "hits": len(found.hits),
        "pages": found.pages,
        "stop_reason": found.stop_reason or None,
        "sorted": {"by": found.sort, "here": found.sorted_here},
        "dropped": dict(found.dropped),
        "left_out": dict(found.left_out),
        "works": [_row(hit, found.query) for hit in found.hits[:SHOWN]],
        "paths": dict(found.paths),
        "missing": [asdict(row) for row in found.missing],
    }
    result["run_path"] = context.keep_run(settings, found, result | {"skipped": dict(found.skipped)})
    commands: list[Next] = []
    if found.pending:
        commands.append(context.go_on())
    elif found.stop_reason == "most" and found.left_out and found.query.most < MOST:
        commands.append(_further(found.query, context))
    return Outcome(
        result=result,
        status=found.status,
        warnings=found.warnings,
        cost=found.cost,
        next=tuple(commands),
        error=Interrupted() if found.interrupted else found.error,
    )


def _further(query: Query, context: Context) -> Next:
    """The same with more works to choose from."""
    command = context.go_on().command
    more = min(query.most * 2, MOST)
    return Next(f"{command} --max {more}", f"reads {more} works; the pages before are not paid for again")


def _asked(query: Query) -> dict[str, Any]:
    return {
        "what": query.what,
        "platform": query.platform,
        "words": query.text,
        "max": query.most,
        "sort": query.sort,
        "since": query.since and query.since.isoformat(timespec="minutes"),
        "kind": query.kind,
        "min_likes": query.min_likes,
        "max_fans": query.max_fans,
    }


def _row(hit: Hit, query: Query) -> dict[str, Any]:
    """A hit in few words; the file of rows has everything of each."""
    work = hit.work
    row: dict[str, Any] = {
        "rank": hit.rank,
        "platform_work_id": work.platform_work_id,
        "title": _short(work.title or work.caption_raw, TITLE_CHARS),
        "author_name": _short(work.author_name, NAME_CHARS),
        "digg_count": work.digg_count,
        "published_date": work.published_date,
    }
    if query.max_fans is not None:
        row |= {"fans_count": hit.fans_count, "likes_per_fan": hit.likes_per_fan}
    return row


def _short(text: str | None, most: int) -> str | None:
    line = " ".join((text or "").split())
    return (line if len(line) <= most else line[: most - 1] + "…") or None


def _plan(query: Query, settings: Settings) -> Outcome:
    """What a run would ask and what that costs, from the definitions alone."""
    from datetime import datetime

    from tikomni import catalog
    from tikomni.pipelines.query import choices
    from tikomni.platforms import definition, requests
    from tikomni.platforms.lists import list_requests, list_resolvers

    known = definition(query.platform)
    ids = {"topic_id": "-", **query.ids} if query.what == "topic" else query.ids
    routes = list_requests(known, query.list, ids)
    route = routes[0]
    pages = -(-query.most // (route.size[1] if route.size else PAGE))
    resolving = [] if "topic_id" in query.ids else list_resolvers(known, query.list, query.ids)
    profiles = requests(known, "creator", {"creator_id": "-"})
    calls = [
        _calls("topic id", resolving[0][0].route, 1) if resolving else None,
        _calls("pages", route.ask.route, pages),
        _calls("fans of authors", profiles[0].route, query.most) if query.max_fans is not None else None,
    ]
    plan = [row for row in calls if row]
    by_platform = choices(known, query, datetime.now(settings.zone))
    result = {
        "dry_run": True,
        "query": _asked(query),
        "plan": plan,
        "usd_at_most": round(sum(row["calls_at_most"] * catalog.get(row["route"]).price for row in plan), 6),
        "seconds_at_rate": paced(sum(row["calls_at_most"] for row in plan), settings),
        "chosen_by_platform": sorted(by_platform),
        "note": "Answers that are stored already cost nothing. Each author is asked for once.",
    }
    return Outcome(result=result)


def _calls(what: str, route: str, most: int) -> dict[str, Any]:
    from tikomni import catalog

    return {"for": what, "route": route, "calls_at_most": most, "usd_per_call": catalog.get(route).price}
