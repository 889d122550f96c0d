"""Analyse one or a few works: links, share texts or ids in; facts, words and cards out."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni import redact
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
from tikomni.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tikomni.pipelines.analyst import Asked
    from tikomni.pipelines.comments import Wanted
    from tikomni.pipelines.session import Run
    from tikomni.pipelines.works import Done, Options
    from tikomni.platforms import Target
    from tikomni.settings import Settings

# Of several works so many tasks are printed, and none beside more rows than that: rows are what was asked for.
TASKS_SHOWN, ROWS_WITH_TASKS = 2, 6
SPEECH_PRICE = "billed by the second where a video has no subtitles"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", metavar="INPUT", nargs="*", help="link, pasted share text, or id")
    parser.add_argument("--from", dest="source", metavar="FILE", help="read inputs from a file; -: standard input")
    parser.add_argument("--platform", metavar="NAME", help="whose ids these are: douyin, xiaohongshu")
    parser.add_argument("--no-transcript", action="store_true", help="facts only, no words of videos")
    parser.add_argument("--sources", dest="transcript_sources", metavar="LIST", help="where words are sought, in order")
    parser.add_argument("--no-card", action="store_true", help="no Markdown card")
    parser.add_argument(
        "--card-type", choices=("work", "author_sample_work"), default="work", help="which folder and prefix"
    )
    group = parser.add_argument_group("comments")
    group.add_argument("--comments", type=int, metavar="N", help="read N comments too, about one call for 20")
    group.add_argument(
        "--replies", action="store_true", help="and up to N replies in all, of the N/10 comments that have most"
    )
    group.add_argument("--keep-users", action="store_true", help="keep commenters' names and ids (default: a hash)")
    group.add_argument("--export", metavar="FORMS", help="tables of comments: csv,xlsx (default csv)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be asked, and ask nothing")
    analyst.add_analyst_arguments(parser, "work")
    add_output_arguments(parser)
    add_call_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.cli.targets import gather, is_work, left_out, refuse_others

    settings = context.settings(args)
    targets = gather(args.inputs, args.source, args.platform)
    works = [t for t in targets if is_work(t)]
    refusal, instead = refuse_others(targets, context)
    if refusal is not None and not works:
        return Outcome(status="failed", error=refusal, next=instead)
    asked = analyst.asked(args, settings, "work")
    comments = _comments(args)
    if args.dry_run:
        return _plan(works, args, settings, instead, asked, comments)
    settings.require_key()

    from tikomni.pipelines import works as pipeline

    options = pipeline.Options(
        words=not args.no_transcript,
        cards=not args.no_card,
        images=settings.images,
        terms=context.terms(args, settings),
        card_type=args.card_type,
        analyst=asked,
        comments=comments,
    )
    with closing(context.progress(args)) as progress:
        brought = run_async(pipeline.analyze(works, options, settings, context.deadline, progress))
    return _outcome(brought, options, settings, context, instead, left_out(t for t in targets if t not in works))


def _comments(args: argparse.Namespace) -> Wanted | None:
    """What was asked for of comments."""
    if args.comments is None:
        if args.replies or args.keep_users or args.export:
            raise InputError("usage", "--replies, --keep-users and --export need --comments N.")
        return None
    if args.comments < 1:
        raise InputError("usage", f"--comments {args.comments}: expected how many, 1 or more.")

    from tikomni.cards.comment_tables import FORMS
    from tikomni.pipelines.comments import Wanted

    return Wanted(args.comments, args.replies, args.keep_users, table_forms(args.export or "csv", FORMS))


def _outcome(
    run: Run,
    options: Options,
    settings: Settings,
    context: Context,
    instead: tuple[Next, ...],
    unread: list[dict[str, str]],
) -> Outcome:
    """``unread``: rows of ``missing`` for inputs that name no work."""
    commands = list(instead)
    stopped = any(d.error is not None and d.error.details.get("stopped") for d in run.done)
    if run.pending or run.interrupted or stopped:
        commands.insert(0, context.go_on())
    result: dict[str, Any] = {"works": [_row(d, len(run.done) == 1) for d in run.done]}
    if len(run.done) == 1 and run.done[0].work is not None:
        only = run.done[0]
        result["work"] = only.work.as_dict()
        result["card"] = {"path": _text(only.card), "json_path": _text(only.document)}
        if only.comments is not None:
            result["comments"] = only.comments.as_dict()
    waiting = analyst.unanswered((row for done in run.done for row in done.tasks), run.analyses)
    result["tasks"] = task_rows(waiting, context, settings)
    result["missing"] = run.missing
    result["missing"] += [
        {"item": redact.text(d.target.text[:120]), "field": "work", "reason": d.error.code}
        for d in run.done
        if d.work is None and d.error is not None
    ]
    result["missing"] += unread
    result["missing"] += analyst.missing(run.analyses)
    if options.analyst is not None:
        result["analyses"] = analyst.rows(run.analyses)
    whole = {**result, "work_documents": [d.work.as_dict() for d in run.done if d.work is not None]}
    whole.pop("work", None)
    result["run_path"] = context.keep_run(settings, run, whole)
    if len(run.done) > 1 and len(result["tasks"]) > TASKS_SHOWN:  # the run's document has them all
        result["tasks_count"] = len(result["tasks"])
        result["tasks"] = result["tasks"][:TASKS_SHOWN] if len(run.done) <= ROWS_WITH_TASKS else []
    return Outcome(
        result=result,
        status="partial" if unread and run.status == "complete" else run.status,
        warnings=run.warnings,
        cost=run.cost,
        next=tuple(commands),
        error=run.error,
    )


def _row(done: Done, alone: bool) -> dict[str, Any]:
    """One line of ``result.works``; what there is to say of an only work stands beside it."""
    if done.work is None:
        from tikomni.cli.targets import failed_row

        return failed_row(done)
    from tikomni.library.entries import COUNTS

    work = done.work
    row: dict[str, Any] = {"platform": work.platform, "platform_work_id": work.platform_work_id, "title": work.title}
    row |= {name: getattr(work, name) for name in COUNTS}
    row |= {"status": done.status, "card": _text(done.card), "json_path": _text(done.document)}
    if (talk := done.comments) is not None and not alone:
        row |= {
            "comments_read": len(talk.found),
            "replies_read": len(talk.replies),
            "comments_path": _text(talk.paths.get("jsonl")),
        }
    return row


def _plan(
    targets: list[Target],
    args: argparse.Namespace,
    settings: Settings,
    instead: tuple[Next, ...],
    asked: Asked | None,
    comments: Wanted | None,
) -> Outcome:
    """What a run would ask, from the platform definitions and the ledger alone."""
    rows = planned(targets)
    result = {
        "dry_run": True,
        "plan": rows,
        "calls_at_least": len(rows),
        "usd_at_least": round(sum(r["usd_at_least"] or 0 for r in rows), 6),
        "seconds_at_rate": paced(len(rows), settings),
        "speech": "none" if args.no_transcript else SPEECH_PRICE,
        "speech_usd_per_hour": settings.asr_usd_per_hour,
        **_comments_plan(targets, comments),
        "note": "Answers that are stored already cost nothing.",
        **analyst.plan(asked),
    }
    return Outcome(result=result, next=instead)


def planned(targets: Sequence[Target]) -> list[dict[str, Any]]:
    """One row for each work: the routes that may be asked for it, one after another, and what that costs."""
    from tikomni import catalog
    from tikomni.platforms import definition, requests

    rows = []
    for target in targets:
        known = requests(definition(target.platform), "work", target.known)
        prices = [catalog.get(r.route).price for r in known]
        rows.append(
            {
                "input": (target.url or target.text)[:120],
                "platform": target.platform,
                "platform_work_id": target.ids.get("work_id"),
                "routes": [r.route for r in known],
                "usd_at_least": prices[0] if prices else None,
                "usd_at_most": round(sum(prices), 6),
            }
        )
    return rows


def _comments_plan(targets: list[Target], comments: Wanted | None) -> dict[str, Any]:
    if comments is None:
        return {}

    from tikomni.pipelines.comments import price

    prices = [price(target, comments) for target in targets]
    return {
        "comments_calls_about": sum(one.calls for one in prices),
        "comments_usd_about": round(sum(one.usd for one in prices), 6),
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
