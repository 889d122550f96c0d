"""Analyse one or a few creators: profile links, share texts or handles in; figures, cards, tables and a report out."""

from __future__ import annotations

import argparse
import re
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni.cli import analyst
from tikomni.cli.base import (
    Context,
    Next,
    Outcome,
    add_call_arguments,
    add_common,
    add_output_arguments,
    paced,
    run_async,
    table_forms,
)
from tikomni.cli.card_write import task_rows
from tikomni.errors import InputError, TikomniError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tikomni.pipelines.creators import Done
    from tikomni.pipelines.session import Run
    from tikomni.pipelines.subject import Options
    from tikomni.platforms import Target
    from tikomni.settings import Settings

WORKS = 200
TOP, NAMED = 5, 10
# Where a route takes no size, its pages hold ten works at least, as far as it is known.
PAGE = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", metavar="INPUT", nargs="*", help="profile link, pasted share text, handle or id")
    parser.add_argument("--from", dest="source", metavar="FILE", help="read inputs from a file; -: standard input")
    parser.add_argument("--platform", metavar="NAME", help="whose handles or ids these are: douyin, xiaohongshu")
    parser.add_argument("--works", metavar="N|all", help=f"newest works to collect (default {WORKS})")
    parser.add_argument("--since", metavar="DATE", help="works published since then: 2026-11-01, or 30d")
    parser.add_argument("--until", metavar="DATE", help="works published before then")
    parser.add_argument(
        "--detail",
        choices=("sample", "all", "none"),
        help="whose own answer is asked for what lists leave out (default: 80 works at most, the sampled ones first)",
    )
    parser.add_argument(
        "--with",
        dest="extras",
        choices=("plays", "transcripts"),
        action="append",
        default=[],
        help="priced extras; transcripts: with --follow, the words of new works",
    )
    parser.add_argument(
        "--follow", nargs="?", const="", metavar="FILE", help="what is new of the creators in follow.yaml, or in FILE"
    )
    parser.add_argument("--no-transcripts", action="store_true", help="facts and figures only, no words of videos")
    parser.add_argument("--sources", dest="transcript_sources", metavar="LIST", help="where words are sought, in order")
    parser.add_argument("--export", metavar="FORMS", help="tables to write: xlsx,csv,jsonl,feishu")
    parser.add_argument("--dry-run", action="store_true", help="say what would be asked and cost, and ask nothing")
    analyst.add_analyst_arguments(parser, "creator")
    add_output_arguments(parser)
    add_call_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.cli.targets import gather, is_creator, refuse_others

    settings = context.settings(args)
    if args.follow is not None:
        from tikomni.cli import following

        return following.run(args, context, _options(args, settings), settings)
    targets = gather(args.inputs, args.source, args.platform, expect="creator")
    creators = [t for t in targets if is_creator(t)]
    refusal, instead = refuse_others(targets, context, is_creator)
    if refusal is not None and not creators:
        return Outcome(status="failed", error=refusal, next=instead)
    options = _options(args, settings)
    if args.dry_run:
        return _plan(creators, options, settings, instead)
    settings.require_key()

    from dataclasses import replace

    from tikomni.pipelines import creators as pipeline

    options = replace(options, terms=context.terms(args, settings))
    with closing(context.progress(args)) as progress:
        brought = run_async(pipeline.analyze(creators, options, settings, context.deadline, progress))
    return _outcome(brought, options, settings, context, instead, refusal is not None)


def _options(args: argparse.Namespace, settings: Settings) -> Options:
    from tikomni.pipelines.subject import Options
    from tikomni.transcripts.segment import own_words

    works = args.works if args.works is not None else str(WORKS)
    if works != "all" and not (works.isascii() and works.isdecimal() and int(works)):
        raise InputError("usage", f"--works {works!r}: expected a number of works, or all.")
    since, until = (moment(getattr(args, name), name, settings) for name in ("since", "until"))
    if since and until and since >= until:
        raise InputError("usage", f"--since {args.since} is not before --until {args.until}.")
    return Options(
        works=None if works == "all" else int(works),
        since=since,
        until=until,
        detail=args.detail or "sample",
        plays="plays" in args.extras,
        words=not args.no_transcripts,
        exports=table_forms(args.export),
        own_words=own_words(settings.words_file) if settings.words_file else (),
        analyst=analyst.asked(args, settings, "creator"),
    )


def moment(text: str | None, name: str, settings: Settings) -> datetime | None:
    """``2026-11-01`` (its beginning in the display zone), ``2026-11-01T08:00`` or ``30d`` ago.

    Raises:
        InputError: ``usage``.
    """
    if text is None:
        return None
    if found := re.fullmatch(r"(\d{1,4})([dhw])", text.strip(), re.ASCII):
        unit = {"h": "hours", "d": "days", "w": "weeks"}[found[2]]
        return datetime.now(settings.zone) - timedelta(**{unit: int(found[1])})
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError("usage", f"--{name} {text!r}: expected a date such as 2026-11-01, or 30d.") from None
    return at if at.tzinfo else at.replace(tzinfo=settings.zone)


def _outcome(
    run: Run,
    options: Options,
    settings: Settings,
    context: Context,
    instead: tuple[Next, ...],
    refused: bool,
) -> Outcome:
    commands = list(instead)
    if run.pending or run.interrupted:
        commands.insert(0, context.go_on())
    many = len(run.done) > 1
    result: dict[str, Any] = {"creators": [_row(d) for d in run.done]} if many else {}
    if not many and run.done[0].creator is not None:
        result = _whole(run.done[0])
    missing = run.missing + analyst.missing(run.analyses)
    result |= {"missing": missing[:NAMED], "missing_count": len(missing)}
    waiting = analyst.unanswered((row for d in run.done for row in d.tasks), run.analyses)
    result["tasks"] = task_rows(waiting, context, settings)
    if options.analyst is not None:
        result["analyses"] = analyst.rows(run.analyses)
    result["run_path"] = context.keep_run(settings, run, document(result | {"missing": missing}, run))
    if result["run_path"] is not None:
        keep_works(Path(result["run_path"]).with_name("works.jsonl"), run, context)
    return Outcome(
        result=result,
        status="partial" if refused and run.status == "complete" else run.status,
        warnings=run.warnings,
        cost=run.cost,
        next=tuple(commands),
        error=run.error,
    )


def _whole(done: Done) -> dict[str, Any]:
    """The result for the only creator."""
    assert done.creator is not None
    return {
        "creator": done.creator.as_dict(),
        "collection": _collection(done),
        "figures": _figures(done),
        "top": _top(done),
        "changes": _changes(done),
        "paths": dict(done.paths),
    }


def _row(done: Done) -> dict[str, Any]:
    """One of several creators in ``result.creators``, in few words; the run's document has everything of each."""
    if done.creator is None:
        from tikomni.cli.targets import failed_row

        return failed_row(done)
    creator, changes = done.creator, done.picture and done.picture.changes
    return {
        "platform": creator.platform,
        "platform_author_id": creator.platform_author_id,
        "author_name": creator.author_name,
        "fans_count": creator.fans_count,
        "status": done.status,
        "fetched": _collection(done)["fetched"],
        "figures": {name: f["value"] if isinstance(f, dict) else f for name, f in _figures(done).items()},
        "changes": changes and {"new_works": len(changes.new_works), "fans_delta": changes.fans_delta.value},
        "paths": {name: done.paths.get(name) for name in ("creator_card", "report")},
    }


def _collection(done: Done) -> dict[str, Any]:
    found = done.collection
    names = ("requested", "fetched", "stop_reason", "pages")
    return {name: getattr(found, name) if found else None for name in names}


def _figures(done: Done) -> dict[str, Any]:
    """The key figures, each with what it rests on; all of them are in the creator's card and in the run's document."""
    if done.picture is None:
        return {}
    figures = done.picture.figures
    found = {
        "median_interactions": figures.counts["interactions"].median,
        "p90_interactions": figures.counts["interactions"].p90,
        **{f"hit_rate_{rate.threshold}": rate.rate for rate in figures.hit_rates if rate.days is None},
        "outlier_rate": figures.outlier_rate,
        "interaction_per_fan": figures.interaction_per_fan,
        "engagement_rate": figures.engagement_rate,
    }
    counted = {"works": figures.works, "mature": figures.mature, "immature": figures.immature}
    shown = {
        name: {"value": f.value, "n": f.n, "since": f.since, "until": f.until, "reason": f.reason}
        for name, f in found.items()
    }
    rough = [name for name, f in found.items() if f.approximate]
    return counted | {"sampled": len(done.picture.sample.picked), "approximate": rough} | shown


def _top(done: Done) -> list[dict[str, Any]]:
    if done.picture is None:
        return []
    return [
        {
            "platform_work_id": s.work.platform_work_id,
            "title": s.work.title,
            "published_date": s.work.published_date,
            "digg_count": s.work.digg_count,
            "interactions": s.interactions,
            "multiple": s.multiple.value,
            "bucket": s.bucket,
        }
        for s in done.picture.standings[:TOP]
    ]


def _changes(done: Done) -> dict[str, Any] | None:
    if done.picture is None or done.picture.changes is None:
        return None
    found = done.picture.changes
    return {
        "since": found.since,
        **_named("new_works", found.new_works),
        **_named("deleted_works", found.deleted_works),
        "fans_delta": found.fans_delta.as_dict(),
        "top_growers": [{"key": g.key, "title": g.title, **g.interactions.as_dict()} for g in found.top_growers],
    }


def _named(name: str, keys: Sequence[str] | None) -> dict[str, Any]:
    """The ids of the first works under ``name``, and how many there are; the run's document names all."""
    if keys is None:
        return {name: None, f"{name}_count": None}
    return {name: [key.partition(":")[2] for key in keys[:NAMED]], f"{name}_count": len(keys)}


def document(result: dict[str, Any], run: Run) -> dict[str, Any]:
    """What the run's own document holds: everything but the works, which stand in a file beside it."""
    pictures = [(d.creator, d.picture) for d in run.done if d.creator is not None and d.picture is not None]
    return result | {
        "figures_of": {creator.key: picture.figures.as_dict() for creator, picture in pictures},
        "aggregates_of": {creator.key: picture.aggregates.as_dict() for creator, picture in pictures},
        "paths_of": {d.creator.key: dict(d.paths) for d in run.done if d.creator is not None},
        "changes_of": {c.key: picture.changes.as_dict() for c, picture in pictures if picture.changes is not None},
        "sample_of": {creator.key: [s.work.key for s in picture.sample.picked] for creator, picture in pictures},
    }


def keep_works(path: Path, run: Run, context: Context) -> None:
    from tikomni.storage.tables import write_rows

    works = (work.as_dict() for done in run.done if done.picture is not None for work in done.picture.works)
    try:
        write_rows(path, works, "jsonl")
    except TikomniError as error:
        context.warnings.append(error.message)


def _plan(targets: Sequence[Target], options: Options, settings: Settings, instead: tuple[Next, ...]) -> Outcome:
    """What a run would ask and what each choice costs, from the definitions alone."""
    result = {
        "dry_run": True,
        "plan": [_planned(target, options, settings) for target in targets],
        "detail": options.detail,
        "speech": "billed by the second where a video has no subtitles" if options.words else "none",
        "speech_usd_per_hour": settings.asr_usd_per_hour,
        "note": "Answers that are stored already cost nothing.",
        **analyst.plan(options.analyst),
    }
    return Outcome(result=result, next=instead)


def _planned(target: Target, options: Options, settings: Settings) -> dict[str, Any]:
    """One creator's calls and prices; what it costs and takes at most with each ``--detail``, without speech."""
    from tikomni import catalog
    from tikomni.analysis.sampling import size
    from tikomni.facts import Work
    from tikomni.pipelines.subject import LIST, MOST_DETAILS, PLAYS
    from tikomni.platforms import definition, enrichment, requests
    from tikomni.platforms.lists import list_requests
    from tikomni.transcripts.chain import names

    known = definition(target.platform or "")
    most = options.works
    profile = requests(known, "creator", target.known)
    listed = list_requests(known, LIST, {**target.ids, "creator_id": target.ids.get("creator_id", "-")})[0]
    detail = requests(known, "work", {"work_id": "-"})[0]
    plays = enrichment(known, PLAYS, [Work(known.platform, str(n)) for n in range(most or 0)])
    pages = None if most is None else -(-most // (listed.size[1] if listed.size else PAGE))
    # A work's own answer may hold subtitles, which are cheaper than speech.
    spares = options.words and names(settings.transcript_sources)[0] == "subtitles"
    sampled = MOST_DETAILS if most is None else min(MOST_DETAILS, most if spares else size(most))
    details = {"none": 0, "sample": sampled, "all": most} if listed.partial else {"none": 0, "sample": 0, "all": 0}
    profiles = 1 if "creator_id" in target.ids else 2
    usd_per_list_call, usd_per_detail_call = (catalog.get(r).price for r in (listed.ask.route, detail.route))
    usd_of_plays = sum(catalog.get(request.route).price for request in plays)
    usd = calls = None  # without what single works are asked for
    if pages is not None:
        usd = profiles * catalog.get(profile[0].route if profile else listed.ask.route).price
        usd += pages * usd_per_list_call + usd_of_plays * options.plays
        calls = profiles + pages + len(plays) * options.plays
    return {
        "input": (target.url or target.text)[:120],
        "platform": target.platform,
        "profile_calls": profiles,
        "profile_route": profile[0].route if profile else None,
        "list_route": listed.ask.route,
        "list_calls_at_most": pages,
        "usd_per_list_call": usd_per_list_call,
        "detail_calls_at_most": details,
        "usd_per_detail_call": usd_per_detail_call,
        "plays_asked": options.plays,
        "plays_calls_at_most": None if most is None else len(plays),
        "plays_usd_at_most": None if most is None else round(usd_of_plays, 6),
        "usd_at_most": {
            name: None if usd is None else round(usd + more * usd_per_detail_call, 6) for name, more in details.items()
        },
        "seconds_at_rate": {
            name: None if calls is None else paced(calls + more, settings) for name, more in details.items()
        },
    }
