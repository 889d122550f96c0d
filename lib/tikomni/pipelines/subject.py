"""A creator on the way through a run: profile, list, what single works lack, words, and what it all adds up to.

Asks and counts; renders nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Literal

from tikomni import catalog
from tikomni.analysis.aggregate import Aggregates, aggregates
from tikomni.analysis.buckets import Standing, lacking, standings
from tikomni.analysis.changes import Changes, Reading, changes
from tikomni.analysis.cohort import Cohort, cohort
from tikomni.analysis.figures import Figures, figures
from tikomni.analysis.rules import Rules, rules_of
from tikomni.analysis.sampling import Sample, sample
from tikomni.analysis.signals import Signals, signals
from tikomni.cards.assets import Asset
from tikomni.cards.paths import CardIndex
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.dispatch.terms import Terms
from tikomni.errors import TikomniError, UpstreamError
from tikomni.facts import Creator, Media, Missing, Stream, Work
from tikomni.library.store import Walked
from tikomni.pipelines.analyst import Asked
from tikomni.pipelines.identity import profile_of
from tikomni.pipelines.lists import WHOLE as WHOLE_LISTS
from tikomni.pipelines.lists import Collected, collect
from tikomni.pipelines.renewal import read_at, renewed
from tikomni.pipelines.session import Session, each
from tikomni.pipelines.works import facts_of
from tikomni.platforms import Page, Target, definition, enriched, enrichment, read_enrichment, read_links, requests
from tikomni.transcripts.chain import detail_pays, gate
from tikomni.transcripts.task import NO_SPEECH

Detail = Literal["sample", "all", "none"]
Cover = tuple[Asset | None, str | None]
"""A stored picture, and its small copy as a data URI."""

LIST = "creator.works"
# How far news were read down to what was known; for a number of works a walk is named after it.
NEWS = f"{LIST}:news"
PLAYS = "play_count"
MOST_DETAILS = 80
DETAILS_AT_ONCE = 8
# A walk that ended so holds everything that was asked for.
WHOLE = WHOLE_LISTS | {"since", "known"}
# Why a work has no words, where that is no failure: the gate, silence, or nobody asked.
NO_FAULT = frozenset(
    {
        *("not_video", "duration_missing", "duration_too_short", "duration_too_long", "video_download_url_missing"),
        *(NO_SPEECH, "not_requested", "caption_partial", "caption_missing"),
    }
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for. ``works``: at most so many, ``None`` for all; ``since`` and ``until`` are aware.

    ``follow``: what is new since the last reading, asked anew whatever is stored; ``works`` and no words where there
    has been none.
    """

    works: int | None = 200
    since: datetime | None = None
    until: datetime | None = None
    detail: Detail = "sample"
    plays: bool = False
    words: bool = True
    exports: tuple[str, ...] = ()
    own_words: tuple[str, ...] = ()
    follow: bool = False
    terms: Terms = field(default_factory=Terms)
    analyst: Asked | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What the works of a creator add up to."""

    works: tuple[Work, ...]
    figures: Figures
    standings: tuple[Standing, ...]
    sample: Sample
    aggregates: Aggregates
    signals: Mapping[str, Signals]
    changes: Changes | None


@dataclass(eq=False, kw_only=True)
class Ground(Session):
    """What all creators of a run share."""

    options: Options
    index: CardIndex


@dataclass(eq=False)
class Subject:
    """A creator on the way through the run."""

    target: Target
    run: Ground
    creator: Creator | None = None
    before: Reading | None = None
    works: dict[str, Work] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    covers: dict[str, asyncio.Task[Cover]] = field(default_factory=dict)
    collected: Collected | None = None
    missing: list[Missing] = field(default_factory=list)
    error: TikomniError | None = None
    pending: bool = True
    following: bool = False
    unread: frozenset[str] = frozenset()

    @cached_property
    def rules(self) -> Rules:
        return rules_of(self.target.platform or "", self.run.settings)

    # --- facts

    async def gather(self) -> None:
        """Profile, list, what single works lack, extras. What fails later keeps what came before."""
        try:
            ids, reading = await profile_of(self.target, self.run.dispatcher, max_age=self._max_age)
            self.creator = reading.creator
            assert self.creator is not None
            self._remember()
            self.run.library.keep_creator(self.creator)
            self.run.step("profile", self.creator.key, "done")
            self.run.progress.stage("profile", 1, 1, creator=self.creator.key)
            await self._walk(ids)
            await self._look_closer()
            await self._add_plays()
            self.pending = False
        except DeadlinePassed:
            self._lack("works", "deadline")
        except TikomniError as error:
            self.pending = False
            if not self.works:
                self.error = error
            if self.creator is not None:
                self._lack("works", error.code)
                self.run.means.warn(f"{error.message} {error.hint()}")

    def _remember(self) -> None:
        """What was known of this creator before anything is stored over it."""
        creator, library = self.creator, self.run.library
        assert creator is not None
        known = library.creator(creator.platform, creator.platform_author_id)
        if known is None or known.snapshot_at is None:
            return
        works = library.works_of(creator.platform, creator.platform_author_id)
        if self.run.options.follow:
            walks = library.walks_of(creator.platform, creator.platform_author_id)
            self.following = any(walk.complete and is_walk(walk.list) for walk in walks)
        # Above the first known work of a walk without a hole, what is not known is new.
        complete = self.following or self._was_walked(LIST)
        self.before = Reading(known.snapshot_at, works, complete, known)

    @property
    def _max_age(self) -> float | None:
        """Who follows somebody asks anew, but for what ``--max-age`` accepts."""
        return float(self.run.settings.max_age_sec or 0) if self.run.options.follow else None

    @property
    def _most(self) -> int | None:
        return None if self.following else self.run.options.works

    def _to_hear(self, work: Work) -> bool:
        """Whether words of ``work`` are wanted: of who is followed those of new works alone."""
        if not self.run.options.follow:
            return self.run.options.words
        return self.run.options.words and self.following and work.key not in self._known

    @cached_property
    def _known(self) -> dict[str, Work]:
        """The works that were known before this run."""
        return {work.key: work for work in self.before.works} if self.before else {}

    async def _walk(self, ids: Mapping[str, str]) -> None:
        options, creator, before = self.run.options, self.creator, self._known
        assert creator is not None
        # Where words are still due, the list is walked once more: it says where each clip is.
        due = not options.follow and any(self._words_are_due(work) for work in before.values())
        may_stop = self.following or (not options.terms.fresh and self._window_was_walked() and not due)

        def on_page(page: Page) -> None:
            found = [item for item in page.items if isinstance(item, Work)]
            self.run.library.keep_works(renewed(work, before.get(work.key)) for work in found)
            seen = len(self.works)
            for work in found:
                if self._asked_for(work) and (self._most is None or len(self.works) < self._most):
                    self._take(renewed(work, before.get(work.key)), page.media.get(work.key, Media()))
            if len(self.works) > seen:
                self.run.progress.stage("works", len(self.works), creator.works_count, creator=creator.key)

        self.collected = await collect(
            definition(creator.platform),
            LIST,
            {**ids, "creator_id": creator.platform_author_id},
            self.run.dispatcher,
            most=self._most,
            since=options.since,
            until=options.until,
            expected=creator.works_count,
            stop_at_known=(lambda item: item.key in before) if may_stop else None,
            on_page=on_page,
            max_age=self._max_age,
        )
        nothing = not (self.collected.items or self.collected.dropped)
        if self.collected.complete and nothing and creator.works_count:  # that all were deleted nobody said
            self.collected = replace(self.collected, stop_reason="list_empty")
        if self.collected.stop_reason == "known":
            read = set(self.works)
            self._take_known()
            if self.following:
                self.unread = frozenset(self.works.keys() - read)
        self._record_walk()
        self.collected = replace(self.collected, items=())  # each page was taken as it came
        if self.collected.stop_reason not in WHOLE:
            self._lack("works", self.collected.stop_reason)
        self.run.step("works", creator.key, self.collected.stop_reason, f"{len(self.works)} works")
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
        if self._to_hear(work) and not _thin(work, media) and not self._may_spare_speech(work):
            self.run.chain.add(work, media)

    def _take_known(self) -> None:
        """What lies behind the first known work was walked before; it is in the library."""
        for work in self._known.values():
            wanted = self._most is None or len(self.works) < self._most
            if work.key not in self.works and self._asked_for(work) and wanted:
                self.works[work.key], self.media[work.key] = work, Media()

    def _window_was_walked(self) -> bool:
        """Whether an earlier walk got at least as far as this one is asked to, without a hole."""
        works = self.run.options.works
        return self._was_walked(LIST) or (works is not None and self._was_walked(f"{LIST}:{works}"))

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
        if collected.complete and self._known:
            self.run.library.unlist(work for key, work in self._known.items() if key not in self.works)
        known = collected.stop_reason == "known"
        self._record(LIST, collected.complete or (known and self._was_walked(LIST)))
        if self.following:
            self._record(NEWS, collected.stop_reason in WHOLE)
        elif options.works is not None:
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
        thin = [work for work in self.works.values() if self._tells_more_alone(work)]
        stage = f"{LIST}:{self.run.options.works}:{self.run.options.detail}"
        due: list[Work] = []
        if self.following:
            thin = [work for work in thin if work.key not in self._known]
        elif self.before and not self.run.options.terms.fresh and self._was_walked(stage):
            # Of the known ones an earlier run had its choice.
            due = [work for work in thin if work.key in self._known and self._words_are_due(work)]
            thin = [work for work in thin if work.key not in self._known]
        chosen = due + self._chosen(thin)
        detailed: list[str] = []

        async def one(work: Work) -> None:
            try:
                found, media = await self._detail(work)
            except (DeadlinePassed, TikomniError) as stop:
                self._lack("detail", stop.code if isinstance(stop, TikomniError) else "deadline", work)
                return
            detailed.append(work.key)
            self._take(renewed(found, work), media)
            self.run.progress.stage("details", len(detailed), len(chosen))

        await each(one, chosen, DETAILS_AT_ONCE)
        if detailed:
            self.run.library.keep_works(self.works[key] for key in detailed)
        if not self.following and not any(row.field == "detail" for row in self.missing):
            self._record(stage, True)
        asked = {work.key for work in chosen}
        left = MOST_DETAILS - len(asked) if self.run.options.detail == "sample" else len(self.works)
        for key, work in self.works.items():
            if self._to_hear(work):
                closer = left > 0 and key not in asked and self._may_spare_speech(work)
                left -= closer
                self.run.chain.add(work, self.media[key], detail=self._own_answer if closer else None)

    def _may_spare_speech(self, work: Work) -> bool:
        """Whether the answer for ``work`` alone may hold subtitles that its list leaves out, and costs less than to
        listen; not where words are there, or paid for and on their way."""
        run, usd = self.run, self._detail_usd
        if usd is None or not detail_pays(work, self.media[work.key], usd, run.settings) or run.means.kept(work.key):
            return False
        return not run.dispatcher.ledger.speech.open_jobs(run.dispatcher.scope, [work.key])

    @cached_property
    def _detail_usd(self) -> float | None:
        """What a work's own answer costs, where it tells more than a list and may be asked for."""
        known = definition(self.target.platform or "")
        if self.run.options.detail == "none" or not any(route.partial for route in known.lists[LIST].routes):
            return None
        return catalog.get(requests(known, "work", {"work_id": "-"})[0].route).price

    async def _own_answer(self, work: Work) -> tuple[Work, Media]:
        found, media = await self._detail(work)
        self.works[work.key] = renewed(found, self.works[work.key])
        self.run.library.keep_works([self.works[work.key]])
        return self.works[work.key], media

    def _tells_more_alone(self, work: Work) -> bool:
        """Whether a call for ``work`` is worth its price: a list that cuts may leave out counts, too; a clip whose
        place was read before is asked for again only where its words are due."""
        if _is_cut(work) or (work.partial and lacking(work, self.rules)):
            return True
        return _thin(work, self.media[work.key]) and (not work.video_download_url or self._words_are_due(work))

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
        return await facts_of(targets[0], self.run.dispatcher, media_kind=work.media_kind)

    async def _add_plays(self) -> None:
        if not self.run.options.plays or self.creator is None:
            return
        known = definition(self.creator.platform)
        for request in enrichment(known, PLAYS, filter(self._plays_are_due, self.works.values())):
            answer = await self.run.dispatcher.call(request.route, request.inputs)
            if answer.ok:
                found = read_enrichment(known, PLAYS, answer.body, request.route)
                self.works = {key: enriched(work, found) for key, work in self.works.items()}
        if all(work.play_count is None for work in self.works.values()):
            self._lack(PLAYS, "not_published")

    def _plays_are_due(self, work: Work) -> bool:
        """Whether the plays of ``work`` are unknown, or were read too long ago."""
        read = read_at(work, PLAYS)
        if work.play_count is None or read is None or self.run.options.terms.fresh:
            return True
        age = self.run.now - datetime.fromisoformat(read)
        return age.total_seconds() >= self.run.settings.shelf_life("facts")

    # --- what it adds up to

    def _cohort(self) -> Cohort:
        return cohort(self.works.values(), self.rules, self.run.now, self.run.settings.zone)

    def picture(self, heard: bool = False) -> Picture:
        """Figures, buckets and sample over the works, with the words that were found once all were ``heard``."""
        if heard:
            self.media = {}
            self.works = {key: self._with_words(work) for key, work in self.works.items()}
        works = tuple(self.works.values())
        read = [work for work in works if heard and work.primary_text]
        spoken: dict[str, Signals] = {}
        for work in read:
            if self.leaves("signals"):
                break
            spoken[work.key] = signals(work, self.run.options.own_words)
        silent = [work.key for work in works if heard and not work.primary_text]
        parted = self._cohort()
        order = standings(parted)
        return Picture(
            works=works,
            figures=figures(self.creator, parted, self.before.works if self.before else ()),
            standings=order,
            sample=sample(order, spoken, silent),
            aggregates=aggregates(parted, order, spoken),
            signals=spoken,
            changes=self._changes(works),
        )

    def _with_words(self, work: Work) -> Work:
        wanted = self._to_hear(work)
        words = self.run.words_of(work, wanted)
        if work.work_modality == "video" and wanted:
            reason = None if words.transcript is not None else words.reason
            if words.pending or (reason is not None and reason not in NO_FAULT):
                self.pending = self.pending or words.pending
                self._lack("primary_text", reason or "asr_pending", work)
        return work.with_words(words.transcript, words.reason)

    def warm(self) -> None:
        """Read one work while words are waited for: dictionary and word lists are there then for all."""
        for work in islice(self.works.values(), self.run.options.words):
            signals(work, self.run.options.own_words)

    def leaves(self, name: str) -> bool:
        """Whether time has been up for so long that ``name`` is left to the next run, which is said."""
        if self.run.late:
            self.pending = True
            self._lack(name, self.run.stopped or "deadline")
        return self.run.late

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


def is_walk(name: str) -> bool:
    """Whether a recorded walk of a creator's works is one of the list itself, and not of what single works lack."""
    return name.partition(":")[0] == LIST and name.count(":") < 2


def _thin(work: Work, media: Media) -> bool:
    """Whether a work's own answer would tell more than its list entry: text that was cut, or where its video is."""
    silent = work.work_modality == "video" and work.transcript is None and not media.streams and not media.subtitles
    return _is_cut(work) or silent


def _is_cut(work: Work) -> bool:
    return not work.partial.keys().isdisjoint(("caption_raw", "image_urls"))
