"""From profiles to the whole picture: works, words, figures, sample, cards, report. The order of steps, nothing else.

Facts come first: as soon as the list has been walked the creator's card and figures are on disk, and words follow.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from tikomni import redact
from tikomni.analysis.aggregate import Aggregates, aggregates
from tikomni.analysis.buckets import Standing, lacking, standings
from tikomni.analysis.changes import Changes, Reading, changes
from tikomni.analysis.cohort import Cohort, cohort
from tikomni.analysis.figures import Figures, figures
from tikomni.analysis.rules import Rules, rules
from tikomni.analysis.sampling import Sample, sample
from tikomni.analysis.signals import Signals, signals
from tikomni.cards import assets, report, tables, thumbs
from tikomni.cards.assets import Asset
from tikomni.cards.creator_card import Collection, CreatorSummary
from tikomni.cards.document import write_creator_document
from tikomni.cards.labels import language
from tikomni.cards.paths import CardIndex, Kind, homes
from tikomni.cards.render import creator_path, render_creator, render_work
from tikomni.cards.report import ReportData, ReportWork
from tikomni.cards.standing import WorkFigures
from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.dispatch.downloads import Downloader
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.dispatch.terms import Terms
from tikomni.envelope import Cost, Status
from tikomni.errors import TikomniError, UpstreamError
from tikomni.facts import Creator, Media, Missing, Stream, Work
from tikomni.library.store import Library, Walked
from tikomni.pipelines.benchmark import creator_tasks
from tikomni.pipelines.identity import profile_of
from tikomni.pipelines.lists import ENDS, Collected, collect
from tikomni.pipelines.works import INTERRUPTED, facts_of, fetcher, swallow_cancellation
from tikomni.platforms import Page, Target, definition, enriched, enrichment, read_enrichment, read_links
from tikomni.progress import Progress
from tikomni.settings import Settings
from tikomni.storage.atomic import write_json, write_text
from tikomni.storage.tree import Tree
from tikomni.transcripts.chain import Chain, gate
from tikomni.transcripts.source import Means, Words
from tikomni.transcripts.task import NO_SPEECH

Detail = Literal["sample", "all", "none"]

LIST = "creator.works"
PLAYS = "play_count"
MOST_DETAILS = 80
CREATORS_AT_ONCE = 3
DETAILS_AT_ONCE = 8
CARDS_AT_ONCE = 8  # a card waits for the disk longer than it takes to write
WORK_CARDS: Kind = "author_sample_work"
# A walk that ended so holds everything that was asked for.
WHOLE = ENDS | {"most", "since", "known"}
# Why a work has no words, where that is no failure: the gate, silence, or nobody asked.
NO_FAULT = frozenset(
    {
        *("not_video", "duration_missing", "duration_too_short", "duration_too_long", "video_download_url_missing"),
        *(NO_SPEECH, "not_requested", "caption_partial", "caption_missing"),
    }
)
# What a reading never takes over from an earlier one: what the run itself decides, and what tells of one moment.
_OWN = frozenset(
    "platform platform_work_id primary_text primary_text_source transcript analysis_eligibility "
    "analysis_exclusion_reason field_sources missing partial approximate snapshot_at platform_native_ids "
    "work_modality media_kind".split()
)
_COUNTS = ("digg_count", "comment_count", "collect_count", "share_count", "play_count")


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for. ``works``: at most so many, ``None`` for all; ``since`` and ``until`` are aware."""

    works: int | None = 200
    since: datetime | None = None
    until: datetime | None = None
    detail: Detail = "sample"
    plays: bool = False
    words: bool = True
    exports: tuple[str, ...] = ()
    own_words: tuple[str, ...] = ()
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the works of a creator add up to."""

    works: tuple[Work, ...]
    cohort: Cohort
    figures: Figures
    standings: tuple[Standing, ...]
    sample: Sample
    aggregates: Aggregates
    signals: Mapping[str, Signals]
    changes: Changes | None


@dataclass(frozen=True, slots=True)
class Done:
    """One creator and what became of it. ``pending``: a later run gets the rest without paying again."""

    target: Target
    status: Status
    creator: Creator | None = None
    picture: Picture | None = None
    collection: Collection | None = None
    error: TikomniError | None = None
    missing: tuple[Missing, ...] = ()
    paths: Mapping[str, Any] = field(default_factory=dict)
    pending: bool = False
    tasks: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)  # asyncio spells out what a task brought: that would be every work
class Run:
    """Everything a run brought."""

    done: tuple[Done, ...]
    cost: Cost
    warnings: tuple[str, ...]
    interrupted: bool = False

    @property
    def pending(self) -> bool:
        return any(d.pending for d in self.done)

    @property
    def status(self) -> Status:
        states = {d.status for d in self.done}
        if states == {"failed"}:
            return "failed"
        return "partial" if self.interrupted or states & {"failed", "partial"} else "complete"


@dataclass(eq=False)
class _Subject:
    """A creator on the way through the run."""

    target: Target
    run: _Run
    creator: Creator | None = None
    before: Reading | None = None
    works: dict[str, Work] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    covers: dict[str, asyncio.Task[tuple[Asset | None, str | None]]] = field(default_factory=dict)
    collected: Collected | None = None
    detailed: set[str] = field(default_factory=set)
    missing: list[Missing] = field(default_factory=list)
    error: TikomniError | None = None
    pending: bool = True

    @cached_property
    def rules(self) -> Rules:
        settings = self.run.settings
        return rules(
            self.target.platform or "",
            weights=settings.score_weights,
            immature_hours=settings.immature_hours,
            hit_thresholds=settings.hit_thresholds,
            ignore=settings.ignore_works,
        )

    # --- facts

    async def gather(self) -> None:
        """Profile, list, what single works lack, extras. What fails later keeps what came before."""
        try:
            ids, reading = await profile_of(self.target, self.run.dispatcher)
            self.creator = reading.creator
            assert self.creator is not None
            self._remember()
            self.run.library.keep_creator(self.creator)
            self.run.progress.stage("profile", 1, 1, creator=self.creator.key)
            await self._walk(ids)
            await self._look_closer()
            await self._add_plays()
            self.pending = False
        except DeadlinePassed:
            self._lack("works", "deadline")
        except TikomniError as error:
            self.pending = False
            if self.creator is None or not self.works:
                self.error = error
            else:
                self._lack("works", error.code)
                self.run.means.warn(f"{error.message} {error.hint()}")

    def _remember(self) -> None:
        """What was known of this creator before anything is stored over it."""
        creator, library = self.creator, self.run.library
        assert creator is not None
        known = library.creator(creator.platform, creator.platform_author_id)
        if known is None or known.snapshot_at is None:
            return
        walked = library.walked(creator.platform, LIST, creator.platform_author_id)
        works = library.works_of(creator.platform, creator.platform_author_id)
        self.before = Reading(known.snapshot_at, works, bool(walked and walked.complete), known)

    async def _walk(self, ids: Mapping[str, str]) -> None:
        options, creator = self.run.options, self.creator
        assert creator is not None
        before = {work.key: work for work in self.before.works} if self.before else {}
        # Where words are still due, the list is walked once more: it says where each clip is.
        due = any(self._words_are_due(work) for work in before.values())
        may_stop = not options.terms.fresh and self._window_was_walked() and not due

        def on_page(page: Page) -> None:
            found = [item for item in page.items if isinstance(item, Work)]
            self.run.library.keep_works(renewed(work, before.get(work.key)) for work in found)
            seen = len(self.works)
            for work in found:
                if self._asked_for(work) and (options.works is None or len(self.works) < options.works):
                    self._take(renewed(work, before.get(work.key)), page.media.get(work.key, Media()))
            if len(self.works) > seen:
                self.run.progress.stage("works", len(self.works), creator.works_count, creator=creator.key)

        self.collected = await collect(
            definition(creator.platform),
            LIST,
            {**ids, "creator_id": creator.platform_author_id},
            self.run.dispatcher,
            most=options.works,
            since=options.since,
            until=options.until,
            expected=creator.works_count,
            stop_at_known=(lambda item: item.key in before) if may_stop else None,
            on_page=on_page,
        )
        if self.collected.stop_reason == "known":
            self._take_known(before.values())
        self._record_walk()
        if self.collected.stop_reason not in WHOLE:
            self._lack("works", self.collected.stop_reason)
        for reason in self.collected.skipped.values():
            if reason == "needs_cookie":
                self.run.means.warn(f"{creator.key}: a route was skipped, because it needs a login cookie.")

    def _asked_for(self, work: Work) -> bool:
        options = self.run.options
        if options.since is None and options.until is None:
            return True
        if work.published_at is None:
            return False
        at = datetime.fromisoformat(work.published_at)
        return (options.since is None or at >= options.since) and (options.until is None or at < options.until)

    def _take(self, work: Work, media: Media) -> None:
        self.works[work.key], self.media[work.key] = work, media
        if self.run.options.words and not _thin(work, media):
            self.run.chain.add(work, media)

    def _take_known(self, before: Iterable[Work]) -> None:
        """What lies behind the first known work was walked before; it is in the library."""
        most = self.run.options.works
        for work in before:
            if work.key not in self.works and self._asked_for(work) and (most is None or len(self.works) < most):
                self.works[work.key], self.media[work.key] = work, Media()

    def _window_was_walked(self) -> bool:
        """Whether an earlier walk got at least as far as this one is asked to, without a hole."""
        works = self.run.options.works
        return any(self._was_walked(name) for name in (LIST, *(() if works is None else (f"{LIST}:{works}",))))

    def _words_are_due(self, work: Work) -> bool:
        """Whether an earlier run knew a clip of this work that may be heard, and nobody has said what is in it."""
        run = self.run
        if not run.options.words or work.transcript is not None or not work.video_download_url:
            return False
        if gate(work, Media((Stream(work.video_download_url),)), run.settings) or run.means.kept(work.key):
            return False
        speech, scope = run.dispatcher.ledger.speech, run.dispatcher.scope
        failed = speech.failure_of(scope, "asr", work.key, float("inf")) is not None
        return not failed or bool(speech.open_jobs(scope, [work.key]))

    def _was_walked(self, name: str) -> bool:
        creator = self.creator
        assert creator is not None
        walk = self.run.library.walked(creator.platform, name, creator.platform_author_id)
        return walk is not None and walk.complete

    def _record_walk(self) -> None:
        """A walk that was bounded by a number has its own name: it holds for as many works and no more."""
        collected, options = self.collected, self.run.options
        assert collected is not None
        if options.since is not None or options.until is not None:
            return
        known = collected.stop_reason == "known"
        self._record(LIST, collected.complete or (known and self._was_walked(LIST)))
        if options.works is not None:
            self._record(f"{LIST}:{options.works}", collected.stop_reason in WHOLE)

    def _record(self, name: str, complete: bool) -> None:
        creator = self.creator
        assert creator is not None
        dated = [work for work in self.works.values() if work.published_at]
        newest = max(dated, key=lambda work: datetime.fromisoformat(work.published_at or ""), default=None)
        self.run.library.record_walk(
            Walked(
                platform=creator.platform,
                list=name,
                object_id=creator.platform_author_id,
                walked_at=self.run.now.isoformat(timespec="seconds"),
                newest_id=newest.platform_work_id if newest else None,
                newest_at=newest.published_at if newest else None,
                complete=complete,
            )
        )

    # --- what a list entry cannot carry

    async def _look_closer(self) -> None:
        """Ask for single works what their list entries lack, as far as that was asked for."""
        thin = [work for work in self.works.values() if _thin(work, self.media[work.key])]
        stage = f"{LIST}:{self.run.options.works}:{self.run.options.detail}"
        due: list[Work] = []
        if self.before and not self.run.options.terms.fresh and self._was_walked(stage):
            known = {work.key for work in self.before.works}  # of these an earlier run had its choice
            due = [work for work in thin if work.key in known and self._words_are_due(work)]
            thin = [work for work in thin if work.key not in known]
        chosen = due + self._chosen(thin)
        turns, finished = asyncio.Semaphore(DETAILS_AT_ONCE), 0

        async def one(work: Work) -> None:
            nonlocal finished
            async with turns:
                try:
                    found, media = await self._detail(work)
                except DeadlinePassed:
                    self._lack("detail", "deadline", work)
                    return
                except TikomniError as error:
                    self._lack("detail", error.code, work)
                    return
                self.detailed.add(work.key)
                self._take(renewed(found, work), media)
                finished += 1
                self.run.progress.stage("details", finished, len(chosen))

        await asyncio.gather(*(one(work) for work in chosen))
        if self.detailed:
            self.run.library.keep_works(self.works[key] for key in self.detailed)
        if not any(row.field == "detail" for row in self.missing):
            self._record(stage, True)
        if self.run.options.words:
            for key, work in self.works.items():
                self.run.chain.add(work, self.media[key])

    def _chosen(self, thin: Sequence[Work]) -> list[Work]:
        options = self.run.options
        if options.detail == "none" or not thin:
            return []
        if options.detail == "all":
            return list(thin)
        unscored = [work for work in thin if lacking(work, self.rules)]
        if unscored:
            self.run.means.warn(
                f"The list lacks counts that scores need for {len(unscored)} works: they have no bucket and are not "
                f"sampled. --detail all would ask for each, {len(thin)} calls."
            )
        picked = sample(standings(self._cohort())).picked
        wanted = {standing.work.key for standing in picked}
        return [work for work in thin if work.key in wanted][:MOST_DETAILS]

    async def _detail(self, work: Work) -> tuple[Work, Media]:
        link = work.open_url or work.source_url or ""
        targets = [t for t in read_links(link, work.platform) if t.kind == "work"]
        if not targets:
            raise UpstreamError("not_found", f"{work.key}: its link names no work.")
        return await facts_of(targets[0], self.run.dispatcher, self.run.settings)

    async def _add_plays(self) -> None:
        if not self.run.options.plays or self.creator is None:
            return
        known = definition(self.creator.platform)
        for request in enrichment(known, PLAYS, self.works.values()):
            answer = await self.run.dispatcher.call(request.route, request.inputs)
            if answer.ok:
                found = read_enrichment(known, PLAYS, answer.body, request.route)
                self.works = {key: enriched(work, found) for key, work in self.works.items()}
        if all(work.play_count is None for work in self.works.values()):
            self._lack(PLAYS, "not_published")

    # --- what it adds up to

    def _cohort(self) -> Cohort:
        return cohort(self.works.values(), self.rules, self.run.now, self.run.settings.zone)

    def picture(self, found: Mapping[str, Words]) -> Picture:
        """Figures, buckets and sample over the works with what words there are."""
        works = {key: self._with_words(work, found) for key, work in self.works.items()}
        self.works = works
        parted = self._cohort()
        order = standings(parted)
        spoken = {
            key: signals(work, self.run.options.own_words) for key, work in works.items() if work.primary_text
        }  # fmt: skip
        silent = [key for key, work in works.items() if not work.primary_text]
        return Picture(
            works=tuple(works.values()),
            cohort=parted,
            figures=figures(self.creator, parted, self.before.works if self.before else ()),
            standings=order,
            sample=sample(order, spoken, silent),
            aggregates=aggregates(parted, order, spoken),
            signals=spoken,
            changes=self._changes(tuple(works.values())),
        )

    def _with_words(self, work: Work, found: Mapping[str, Words]) -> Work:
        words = found.get(work.key) or self.run.means.kept(work.key)
        if words is None:
            asked = self.run.options.words and work.work_modality == "video"
            words = Words(reason=(self.run.stopped or "deadline") if asked else "not_requested", pending=asked)
        if work.work_modality == "video" and self.run.options.words:
            reason = None if words.transcript is not None else words.reason
            if words.pending or (reason is not None and reason not in NO_FAULT):
                self.pending = self.pending or words.pending
                self._lack("primary_text", reason or "asr_pending", work)
        return work.with_words(words.transcript, words.reason)

    def _changes(self, works: tuple[Work, ...]) -> Changes | None:
        creator, before, collected = self.creator, self.before, self.collected
        if creator is None or before is None or collected is None or creator.snapshot_at == before.taken_at:
            return None
        limited = self.run.options.since is not None or self.run.options.until is not None
        after = Reading(creator.snapshot_at or "", works, collected.complete and not limited, creator)
        return changes(before, after)

    def _lack(self, name: str, reason: str, work: Work | None = None) -> None:
        whose = work.key if work else self.creator.key if self.creator else self.target.text[:80]
        row = Missing(whose, name, reason)
        if row not in self.missing:
            self.missing.append(row)

    # --- pictures

    def fetch_covers(self) -> None:
        """Begin to fetch the covers of the works with most likes, as many as a report's wall holds."""
        best = sorted(self.works.values(), key=lambda work: -(work.digg_count or 0))[: report.WALL]
        self.covers = {work.key: asyncio.create_task(self._cover(work)) for work in best if work.cover_image}

    async def _cover(self, work: Work) -> tuple[Asset | None, str | None]:
        run = self.run
        planned = [replace(a) for a in assets.plan(work, 0) if a.is_cover]
        stored, _ = await assets.store(run.settings, work, planned, run.fetch, definition(work.platform).referer)
        if not stored:
            return None, None
        data = await asyncio.to_thread((run.settings.cards / stored[0].path).read_bytes)
        return stored[0], await asyncio.to_thread(thumbs.thumbnail, data)

    async def covers_there(self) -> dict[str, tuple[Asset | None, str | None]]:
        """The covers that are there when time is up."""
        tasks = set(self.covers.values())
        if tasks:
            patience = 0 if self.run.stopped == INTERRUPTED else self.run.deadline.remaining()
            _, late = await asyncio.wait(tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return {
            key: task.result()
            for key, task in self.covers.items()
            if task.done() and not task.cancelled() and task.exception() is None
        }


@dataclass(eq=False)
class _Run:
    """What all creators of a run share."""

    options: Options
    settings: Settings
    deadline: Deadline
    progress: Progress
    now: datetime
    library: Library
    dispatcher: Dispatcher
    means: Means
    chain: Chain
    folder: Path
    index: CardIndex
    tree: Tree
    stopped: str = ""

    async def fetch(self, url: str, referer: str | None) -> bytes:
        return await fetcher(self.means.downloader)(url, referer)


async def analyze(
    targets: Sequence[Target],
    options: Options,
    settings: Settings,
    deadline: Deadline,
    progress: Progress,
    run_id: str,
) -> Run:
    """The whole picture of each of ``targets``, which all name creators.

    A stop by the user, the deadline or a failing creator keeps what the others brought.

    Raises:
        TikomniError: nothing could be done at all: roots, key, account.
    """
    tree = Tree(settings)
    tree.check(homes(settings))
    async with AsyncExitStack() as stack:
        library = Library(settings.state / "library.sqlite3", settings.origin, options.terms.tell)
        stack.callback(library.close)
        dispatcher = await stack.enter_async_context(Dispatcher(settings, deadline, options.terms))
        means = Means(dispatcher, Downloader(dispatcher.transport, settings.origin), progress)
        chain = await stack.enter_async_context(Chain(means))
        run = _Run(
            options=options,
            settings=settings,
            deadline=deadline,
            progress=progress,
            now=datetime.now(settings.zone),
            library=library,
            dispatcher=dispatcher,
            means=means,
            chain=chain,
            folder=tree.run_dir(run_id),
            index=CardIndex(settings),
            tree=tree,
        )
        subjects = [_Subject(target, run) for target in targets]
        try:
            await _gather(subjects)
            await chain.done()
        except asyncio.CancelledError:
            swallow_cancellation()
            run.stopped = INTERRUPTED
        except DeadlinePassed:
            run.stopped = "deadline"
        except TikomniError as error:  # the words' own trouble must not cost the facts
            run.stopped = error.code
            means.warn(f"{error.message} {error.hint()}")
        done = [await _finish(subject) for subject in subjects]
        warnings = tuple(dict.fromkeys((*settings.warnings, *means.warnings)))
        return Run(tuple(done), dispatcher.cost(), warnings, run.stopped == INTERRUPTED)


async def _gather(subjects: Sequence[_Subject]) -> None:
    gate = asyncio.Semaphore(CREATORS_AT_ONCE)

    async def one(subject: _Subject) -> None:
        async with gate:
            await subject.gather()
            if subject.works:
                subject.fetch_covers()
            if subject.creator is not None:
                _publish_first(subject)

    await asyncio.gather(*(one(subject) for subject in subjects))


def _publish_first(subject: _Subject) -> None:
    """The creator's card with its figures, before any words are there."""
    run, creator = subject.run, subject.creator
    assert creator is not None
    if not run.options.words or not subject.works or run.stopped:
        return
    parted = subject._cohort()
    order = standings(parted)
    picture = Picture(
        tuple(subject.works.values()),
        parted,
        figures(creator, parted, subject.before.works if subject.before else ()),
        order,
        sample(order),
        aggregates(parted, order),
        {},
        subject._changes(tuple(subject.works.values())),
    )
    avatar = next(iter(assets.stored(run.settings, assets.plan_avatar(creator))), None)
    path = render_creator(run.settings, creator, _summary(subject, picture, avatar), run.index, run.means.warnings)
    run.progress.stage("figures", 1, 1, creator=creator.key, card=str(path))


async def _finish(subject: _Subject) -> Done:
    """Store what is known of one creator and say how complete it is."""
    try:
        return await _store(subject)
    except TikomniError as error:  # a full disk, say: what was paid for is in the ledger, and is told as paid
        return Done(subject.target, "failed", subject.creator, error=error, pending=subject.pending)


async def _store(subject: _Subject) -> Done:
    run, creator = subject.run, subject.creator
    if creator is None:
        shown = (subject.target.url or subject.target.text)[:120]
        error = subject.error or UpstreamError("timeout", f"{shown}: time ran out before it was asked.")
        if not subject.pending:
            name = subject.target.ids.get("creator_id") or "input"
            path = run.tree.errors_path(subject.target.platform or "unknown", name, run.now)
            told = {"input": subject.target.text, "url": subject.target.url, "error": error.as_dict()}
            write_json(path, redact.texts(told))
        return Done(subject.target, "partial" if subject.pending else "failed", error=error, pending=subject.pending)
    picture = subject.picture(run.chain.found)
    run.library.keep_works(picture.works)
    covers = await subject.covers_there()
    paths = _write(subject, creator, picture, covers, await _avatar(run, creator))
    tasks = paths.pop("tasks")
    whole = not subject.missing and subject.error is None
    return Done(
        subject.target,
        "complete" if whole else "partial",
        creator,
        picture,
        _collection(subject),
        subject.error,
        tuple(subject.missing),
        paths,
        subject.pending,
        tasks,
    )


async def _avatar(run: _Run, creator: Creator) -> tuple[Asset | None, str | None]:
    if not creator.avatar_url or run.deadline.passed or run.stopped == INTERRUPTED:
        return None, None
    planned = assets.plan_avatar(creator)
    stored, _ = await assets.store(run.settings, creator, planned, run.fetch, definition(creator.platform).referer)
    if not stored:
        return None, None
    data = (run.settings.cards / stored[0].path).read_bytes()
    return stored[0], thumbs.thumbnail(data, thumbs.AVATAR)


def _write(
    subject: _Subject,
    creator: Creator,
    picture: Picture,
    covers: Mapping[str, tuple[Asset | None, str | None]],
    avatar: tuple[Asset | None, str | None],
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
        "exports": {form: [str(path) for path in found] for form, found in exports.items()},
        "run": str(run.folder),
        "tasks": tasks,
        "creator_json": str(write_creator_document(run.tree, creator, run.now)),
    }


def _summary(subject: _Subject, picture: Picture, avatar: Asset | None) -> CreatorSummary:
    collection = _collection(subject)
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


def _collection(subject: _Subject) -> Collection:
    found = subject.collected
    return Collection(
        requested=subject.run.options.works,
        fetched=len(subject.works),
        pages=found.pages if found else 0,
        stop_reason=found.stop_reason if found else "not_walked",
        complete=bool(found and found.complete),
    )


def _thin(work: Work, media: Media) -> bool:
    """Whether a work's own answer would tell more than its list entry: text that was cut, or where its video is."""
    silent = work.work_modality == "video" and work.transcript is None and not media.streams and not media.subtitles
    return bool(work.partial.keys() & {"caption_raw", "image_urls"}) or silent


def renewed(work: Work, before: Work | None) -> Work:
    """``work`` with what it lacks, or has in part only, from an earlier reading of the same work.

    Counts are taken over only where they were read within a day of these: they tell of one moment.
    """
    if before is None or before.key != work.key or before.work_modality != work.work_modality:
        return work
    close = work.snapshot_at and before.snapshot_at and _apart(work.snapshot_at, before.snapshot_at) < timedelta(days=1)
    names = [
        name
        for name in work.__slots__
        if name not in _OWN
        and (close or name not in _COUNTS)
        and (getattr(work, name) in (None, ()) or name in work.partial)
        and getattr(before, name) not in (None, ())
        and name not in before.partial
    ]
    sources = {name: before.field_sources[name] for name in names if name in before.field_sources}
    rough = {name: before.approximate[name] for name in names if name in before.approximate}
    return replace(
        work,
        **{name: getattr(before, name) for name in names},
        platform_native_ids={**before.platform_native_ids, **work.platform_native_ids},
        transcript=work.transcript or before.transcript,
        field_sources=work.field_sources | sources,
        approximate=work.approximate | rough,
        partial={name: why for name, why in work.partial.items() if name not in names},
        missing={name: why for name, why in work.missing.items() if name not in names},
    )


def _apart(one: str, other: str) -> timedelta:
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other))
