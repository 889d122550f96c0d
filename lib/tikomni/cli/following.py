"""What is new of the creators that are followed: ``creator --follow [FILE]``, one run for all of them."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Next, Outcome, paced, paste, run_async
from tikomni.cli.follow import stored_creators
from tikomni.errors import InputError, TikomniError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tikomni.cards.digest import News
    from tikomni.pipelines.creators import Done
    from tikomni.pipelines.following import Followed
    from tikomni.pipelines.session import Run
    from tikomni.pipelines.subject import Options
    from tikomni.settings import Settings

# What is read of somebody for the first time, unless --works says otherwise: a page.
FIRST_WORKS = 20
NEW, NAMED = 3, 10
# How long what this run asked stands for who goes on with it, in seconds.
GOES_ON = 900


def run(args: argparse.Namespace, context: Context, options: Options, settings: Settings) -> Outcome:
    """``options``: those of the command; ``--works``, ``--detail`` and words only where they were asked for."""
    from tikomni.pipelines import creators as pipeline
    from tikomni.pipelines import following

    extra = [name for name in ("since", "until", "analyst") if getattr(args, name) is not None]
    if args.inputs or args.source or "plays" in args.extras or extra:
        told = "neither creators, dates, plays nor an analyst"
        raise InputError("usage", f"--follow reads what is new of the list: it takes {told}.")
    path = Path(args.follow).expanduser().absolute() if args.follow else following.default_path(settings)
    entries = following.read(path, stored_creators(settings))
    if not entries:
        command = paste(["follow", "add"], ["PROFILE_LINK"], context.skill_dir)
        hint = "Add creators to the list first, by hand or by the command in details."
        raise InputError("no_input", f"{path}: nobody is followed yet.", hint=hint, details={"command": command})
    options = replace(
        options,
        works=options.works if args.works else FIRST_WORKS,
        detail=args.detail or "none",
        words="transcripts" in args.extras,
        follow=True,
    )
    if args.dry_run:
        return _plan(path, entries, options, settings)
    settings.require_key()
    options = replace(options, terms=context.terms(args, settings))
    targets = [entry.target for entry in entries]
    with closing(context.progress(args)) as progress:
        brought = run_async(pipeline.analyze(targets, options, settings, context.deadline, progress))
    return _outcome(brought, entries, settings, context)


def _outcome(run: Run, entries: Sequence[Followed], settings: Settings, context: Context) -> Outcome:
    from tikomni.cli.creator import document, keep_works

    news = [_news(done, entry) for done, entry in zip(run.done, entries, strict=True)]
    rows = [_row(done, one) for done, one in zip(run.done, news, strict=True)]
    missing = run.missing
    told = [row for row in rows if row["status"] != "complete" or row["first_reading"] or _moved(row)]
    result: dict[str, Any] = {
        "followed": len(entries),
        "read": sum(done.creator is not None for done in run.done),
        "new_works_count": sum(row["new_works_count"] or 0 for row in rows),
        "unchanged": len(rows) - len(told),
        # What failed first, then who brought most.
        "creators": sorted(told, key=lambda row: (row["status"] != "failed", -(row["new_works_count"] or 0))),
        "missing": missing[:NAMED],
        "missing_count": len(missing),
        "digest_path": None,
    }
    whole = document(result | {"creators": rows, "missing": missing}, run)
    result["run_path"] = context.keep_run(settings, run, whole)
    if result["run_path"] is not None:
        folder = Path(result["run_path"]).parent
        keep_works(folder / "works.jsonl", run, context)
        result["digest_path"] = _digest(folder / "digest.md", news, settings, context)
    go_on = (_go_on(context),) if run.pending or run.interrupted else ()
    return Outcome(
        result=result,
        status=run.status,
        warnings=run.warnings,
        cost=run.cost,
        next=go_on,
        error=run.error,
    )


def _news(done: Done, entry: Followed) -> News:
    from tikomni.cards.digest import News

    works = {work.key: work for work in done.picture.works} if done.picture else {}
    changes = done.picture.changes if done.picture else None
    error = done.error.message if done.error and not works else None
    name = (entry.creator and entry.creator.author_name) or entry.key[1]
    return News(name, done.creator or entry.creator, changes, works, error)


def _row(done: Done, news: News) -> dict[str, Any]:
    """A creator in few words; the run's document has everything."""
    creator, changes = news.creator, news.changes
    row: dict[str, Any] = {
        "platform": done.target.platform,
        "platform_author_id": creator and creator.platform_author_id,
        "author_name": news.name if creator is None else creator.author_name,
        "status": done.status,
    }
    if done.creator is None or news.error is not None:
        error = done.error
        return row | {
            "first_reading": False,
            "new_works_count": None,
            "error": error and error.code,
            "message": error and error.message,
        }
    fresh = [news.works[key] for key in (changes.new_works if changes else ()) if key in news.works]
    deleted = changes and changes.deleted_works
    return row | {
        "first_reading": changes is None,
        "fans_count": done.creator.fans_count,
        "fans_delta": changes and changes.fans_delta.value,
        "new_works_count": len(changes.new_works) if changes else None,
        "deleted_works_count": None if deleted is None else len(deleted),
        "new_works": [
            {"id": work.platform_work_id, "title": work.title, "digg_count": work.digg_count} for work in fresh[:NEW]
        ],
    }


def _moved(row: dict[str, Any]) -> bool:
    return any(row.get(name) for name in ("fans_delta", "new_works_count", "deleted_works_count"))


def _digest(path: Path, news: Sequence[News], settings: Settings, context: Context) -> str | None:
    from datetime import datetime

    from tikomni.cards.digest import render
    from tikomni.cards.labels import language
    from tikomni.storage.atomic import write_text

    platform = next((one.creator.platform for one in news if one.creator), "")
    try:
        write_text(path, render(news, datetime.now(settings.zone), settings, language(settings, platform)))
    except TikomniError as error:  # the summary is printed all the same
        context.warnings.append(error.message)
        return None
    return str(path)


def _go_on(context: Context) -> Next:
    """The same command, for which what this run has asked is new enough."""
    asked = int(time.monotonic() - context.deadline.started) + GOES_ON
    words, skip = [], False
    for word in context.argv[len(context.command.split()) :]:
        if not skip and word not in ("--fresh", "--max-age") and not word.startswith("--max-age="):
            words.append(word)
        skip = word == "--max-age"
    why = "goes on where this run stopped; what was asked is not paid for again within a quarter of an hour"
    return Next(paste(["creator"], [*words, f"--max-age={asked}"], context.skill_dir), why, 20)


def _plan(path: Path, entries: Sequence[Followed], options: Options, settings: Settings) -> Outcome:
    """What a run would ask at least; more only where somebody has more new works than a page holds."""
    first = [":".join(map(str, entry.key)) for entry in entries if entry.creator is None]
    result = {
        "dry_run": True,
        "path": str(path),
        "followed": len(entries),
        "profile_calls": len(entries),
        "list_calls": len(entries),
        "seconds_at_rate": paced(2 * len(entries), settings),
        "first_reading": first[:NAMED],
        "first_reading_count": len(first),
        "first_reading_works": options.works,
        "speech": "new works of creators read before" if options.words else "none",
    }
    return Outcome(result=result)
