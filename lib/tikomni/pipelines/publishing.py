"""What a user gets of a creator: pictures, cards, report, tables, documents, tasks. Writes; asks for pictures alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from tikomni.analysis.buckets import Standing
from tikomni.cards import assets, report, tables, thumbs
from tikomni.cards.assets import Asset
from tikomni.cards.creator_card import Collection, CreatorSummary
from tikomni.cards.document import write_creator_document
from tikomni.cards.labels import language
from tikomni.cards.paths import Kind
from tikomni.cards.render import creator_path, render_creator, render_work
from tikomni.cards.report import ReportData, ReportWork
from tikomni.cards.standing import WorkFigures
from tikomni.facts import Creator, Work
from tikomni.pipelines.benchmark import creator_tasks
from tikomni.pipelines.subject import Cover, Ground, Picture, Subject
from tikomni.platforms import definition
from tikomni.storage.atomic import write_text

CARDS_AT_ONCE = 8  # a card waits for the disk longer than it takes to write
WORK_CARDS: Kind = "author_sample_work"


def fetch_covers(subject: Subject) -> None:
    """Begin to fetch the covers of the works with most likes, as many as a report's wall holds."""
    best = sorted(subject.works.values(), key=lambda work: -(work.digg_count or 0))[: report.WALL]
    subject.covers = {work.key: asyncio.create_task(_cover(subject.run, work)) for work in best if work.cover_image}


async def _cover(run: Ground, work: Work) -> Cover:
    planned = [replace(a) for a in assets.plan(work, 0) if a.is_cover]
    stored, _ = await assets.store(run.settings, work, planned, run.fetch, definition(work.platform).referer)
    if not stored:
        return None, None
    data = await asyncio.to_thread((run.settings.cards / stored[0].path).read_bytes)
    return stored[0], await asyncio.to_thread(thumbs.thumbnail, data)


async def covers_there(subject: Subject) -> dict[str, Cover]:
    """The covers that are there when time is up."""
    tasks = set(subject.covers.values())
    if tasks:
        patience = 0 if subject.run.interrupted else subject.run.deadline.remaining()
        _, late = await asyncio.wait(tasks, timeout=patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return {
        key: task.result()
        for key, task in subject.covers.items()
        if task.done() and not task.cancelled() and task.exception() is None
    }


def write_first(subject: Subject) -> None:
    """The creator's card with its figures, before any words are there."""
    run, creator = subject.run, subject.creator
    if creator is None or not run.options.words or not subject.works or run.stopped:
        return
    avatar = next(iter(assets.stored(run.settings, assets.plan_avatar(creator))), None)
    summary = _summary(subject, subject.picture(), avatar)
    path = render_creator(run.settings, creator, summary, run.index, run.means.warnings)
    run.progress.stage("figures", 1, 1, creator=creator.key, card=str(path))


async def avatar_of(run: Ground, creator: Creator) -> Cover:
    if not creator.avatar_url or run.deadline.passed or run.interrupted:
        return None, None
    planned = assets.plan_avatar(creator)
    stored, _ = await assets.store(run.settings, creator, planned, run.fetch, definition(creator.platform).referer)
    if not stored:
        return None, None
    data = (run.settings.cards / stored[0].path).read_bytes()
    return stored[0], thumbs.thumbnail(data, thumbs.AVATAR)


def write(
    subject: Subject,
    creator: Creator,
    picture: Picture,
    covers: Mapping[str, Cover],
    avatar: Cover,
) -> dict[str, Any]:
    """Cards, report, tables and documents; returns their paths."""
    run, settings = subject.run, subject.run.settings
    creator_path(settings, creator, run.index)
    picked = {standing.work.key for standing in picture.sample.picked}
    cards: dict[str, Path] = {}

    def card_of(standing: Standing) -> Path:
        work = standing.work
        cover = covers.get(work.key, (None, None))[0]
        mark = WorkFigures(standing, work.key in picked, picture.signals.get(work.key), creator.snapshot_at)
        stored = (cover,) if cover else assets.stored(settings, assets.plan(work, 0))
        return render_work(settings, work, stored, run.means.warnings, WORK_CARDS, mark, run.index)

    with ThreadPoolExecutor(CARDS_AT_ONCE) as pool:
        for number, path in enumerate(pool.map(card_of, picture.standings), 1):
            cards[picture.standings[number - 1].work.key] = path
            if number % 50 == 0 or number == len(picture.standings):
                run.progress.stage("cards", number, len(picture.standings))
    tasks = creator_tasks(creator, picture, settings)
    summary = _summary(subject, picture, avatar[0])
    card = render_creator(settings, creator, summary, run.index, run.means.warnings)
    rows = [
        ReportWork(
            standing,
            standing.work.key in picked,
            os.path.relpath(cards[standing.work.key], run.folder),
            covers.get(standing.work.key, (None, None))[1],
        )
        for standing in picture.standings
    ]
    data = ReportData(
        creator=creator,
        works=rows,
        figures=picture.figures,
        rules=subject.rules,
        generated_at=run.now,
        zone=settings.zone,
        language=language(settings, creator.platform),
        changes=picture.changes,
        avatar=avatar[1],
    )
    name = creator.key.replace(":", "-")
    page = run.folder / f"{name}.html"
    write_text(page, report.render(data))
    exports = tables.export(data, run.folder, name, run.options.exports) if run.options.exports else {}
    return {
        "creator_card": str(card),
        "work_cards": str(next(iter(cards.values())).parent) if cards else None,
        "report": str(page),
        # One file, or the folder of several.
        "exports": {form: str(found[0] if len(found) == 1 else found[0].parent) for form, found in exports.items()},
        "run": str(run.folder),
        "tasks": tasks,
        "creator_json": str(write_creator_document(run.tree, creator, run.now)),
    }


def _summary(subject: Subject, picture: Picture, avatar: Asset | None) -> CreatorSummary:
    collection = collection_of(subject)
    assert collection is not None
    return CreatorSummary(
        figures=picture.figures,
        rules=subject.rules,
        standings=picture.standings,
        collection=collection,
        sample=picture.sample,
        aggregates=picture.aggregates,
        changes=picture.changes,
        avatar=avatar,
        missing=tuple(subject.missing),
        work_kind=WORK_CARDS,
    )


def collection_of(subject: Subject) -> Collection:
    found = subject.collected
    return Collection(
        requested=subject.run.options.works,
        fetched=len(subject.works),
        pages=found.pages if found else 0,
        stop_reason=found.stop_reason if found else "not_walked",
        complete=bool(found and found.complete),
    )
