"""What a user gets of a creator: pictures, cards, report, tables, documents, tasks. Writes; asks for pictures alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from tikomni.analysis.buckets import Standing
from tikomni.cards import assets, report, tables, thumbs
from tikomni.cards.assets import Asset
from tikomni.cards.creator_card import Collection, CreatorSummary
from tikomni.cards.document import write_document
from tikomni.cards.labels import language
from tikomni.cards.paths import Kind
from tikomni.cards.paths import Subject as CardSubject
from tikomni.cards.render import creator_path, render_creator, render_work, write_report
from tikomni.cards.report import ReportData, ReportWork
from tikomni.cards.standing import WorkFigures
from tikomni.facts import Creator, Work
from tikomni.pipelines.benchmark import creator_tasks
from tikomni.pipelines.session import Session
from tikomni.pipelines.subject import Cover, Ground, Picture, Subject
from tikomni.platforms import definition

CARDS_AT_ONCE = 8  # a card waits for the disk longer than it takes to write
_DECODERS = ThreadPoolExecutor(2)  # each picture takes tens of megabytes while it is made small
WORK_CARDS: Kind = "author_sample_work"


class Covered(Protocol):
    """Who has works whose covers are shown."""

    run: Session
    works: dict[str, Work]
    covers: dict[str, asyncio.Task[Cover]]


def fetch_covers(subject: Covered) -> None:
    """Begin to fetch the covers of the works with most likes, as many as a report's wall holds."""
    best = sorted(subject.works.values(), key=lambda work: -(work.digg_count or 0))[: report.WALL]
    subject.covers = {work.key: asyncio.create_task(_cover(subject.run, work)) for work in best if work.cover_image}


async def _cover(run: Session, work: Work) -> Cover:
    return await _picture(run, work, [asset for asset in assets.plan(work, 0) if asset.is_cover], thumbs.COVER)


async def avatar_of(run: Ground, creator: Creator) -> Cover:
    if not creator.avatar_url or run.deadline.passed:
        return None, None
    return await _picture(run, creator, assets.plan_avatar(creator), thumbs.AVATAR)


async def _picture(run: Session, of: Work | Creator, planned: Sequence[Asset], size: tuple[int, int]) -> Cover:
    stored, _ = await assets.store(run.settings, of, planned, run.fetch, definition(of.platform).referer)
    if not stored:
        return None, None

    def small() -> str | None:
        return thumbs.thumbnail((run.settings.cards / stored[0].path).read_bytes(), size)

    return stored[0], await asyncio.get_running_loop().run_in_executor(_DECODERS, small)


async def covers_there(subject: Covered) -> dict[str, Cover]:
    """The covers that are there when time is up."""
    tasks = set(subject.covers.values())
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=subject.run.deadline.remaining())
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
    if creator is None or not run.options.words or not subject.works or run.stopped or run.deadline.passed:
        return
    avatar = next(iter(assets.stored(run.settings, assets.plan_avatar(creator))), None)
    summary = _summary(subject, subject.picture(), avatar)
    path = render_creator(run.settings, creator, summary, run.index, run.means.warnings)
    run.progress.stage("figures", 1, 1, creator=creator.key, card=str(path))


def write(
    subject: Subject,
    creator: Creator,
    picture: Picture,
    covers: Mapping[str, Cover],
    avatar: Cover,
) -> dict[str, Any]:
    """Cards, report, tables and documents; returns their paths.

    Where time has been up for long, the creator's card and document are written and the rest is left to the next run.
    """
    run, settings = subject.run, subject.run.settings
    creator_path(settings, creator, run.index)
    # Before the cards, which tell whether an analysis still holds.
    tasks = () if subject.leaves("tasks") else creator_tasks(creator, picture, settings)
    picked = {standing.work.key for standing in picture.sample.picked}
    cards: dict[str, Path] = {}

    def card_of(standing: Standing) -> Path | None:
        if run.late:
            return None
        work = standing.work
        # Of who is followed, works that were not read anew keep their cards.
        if work.key in subject.unread and (there := run.index.find(WORK_CARDS, CardSubject.of(work))):
            return there
        cover = covers.get(work.key, (None, None))[0]
        mark = WorkFigures(standing, work.key in picked, picture.signals.get(work.key), creator.snapshot_at)
        stored = (cover,) if cover else assets.stored(settings, assets.plan(work, 0))
        return render_work(settings, work, stored, run.means.warnings, WORK_CARDS, mark, run.index)

    with ThreadPoolExecutor(CARDS_AT_ONCE) as pool:
        for standing, path in zip(picture.standings, pool.map(card_of, picture.standings), strict=True):
            if path is not None:
                cards[standing.work.key] = path
                if len(cards) % 50 == 0 or len(cards) == len(picture.standings):
                    run.progress.stage("cards", len(cards), len(picture.standings))
    if len(cards) < len(picture.standings):
        subject.leaves("work_cards")
    summary = _summary(subject, picture, avatar[0])
    card = render_creator(settings, creator, summary, run.index, run.means.warnings)
    page, exports = None, {}
    if not subject.leaves("report"):
        rows = [
            ReportWork(
                standing,
                standing.work.key in picked,
                os.path.relpath(path, run.folder) if (path := cards.get(standing.work.key)) else None,
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
        page = write_report(settings, data, run.folder)
        if run.options.exports and not subject.leaves("exports"):
            exports = export(data, run.folder, page.stem, run.options.exports)
    return {
        "creator_card": str(card),
        "work_cards": str(next(iter(cards.values())).parent) if cards else None,
        "report": str(page) if page else None,
        "exports": exports,
        "run": str(run.folder),
        "tasks": tasks,
        "creator_json": str(write_document(run.tree, creator, run.now)),
    }


def export(data: tables.Data, folder: Path, stem: str, forms: Sequence[str]) -> dict[str, str]:
    """Write works as tables; for each form the one file, or the folder of several."""
    made = tables.export(data, folder, stem, forms)
    return {form: str(found[0] if len(found) == 1 else found[0].parent) for form, found in made.items()}


def _summary(subject: Subject, picture: Picture, avatar: Asset | None) -> CreatorSummary:
    return CreatorSummary(
        figures=picture.figures,
        rules=subject.rules,
        standings=picture.standings,
        collection=collection_of(subject),
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
