"""From links to works: facts, words, documents, cards. The order of steps and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path

from tikomni import redact
from tikomni.analysis import signals
from tikomni.cards import assets
from tikomni.cards.assets import Asset
from tikomni.cards.document import write_document
from tikomni.cards.paths import CardIndex, Kind, homes
from tikomni.cards.render import render_work
from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Answer, Dispatcher
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.dispatch.outcomes import Outcome
from tikomni.dispatch.terms import Terms
from tikomni.envelope import Status
from tikomni.errors import TikomniError, UpstreamError
from tikomni.facts import Media, Missing, Transcript, Work
from tikomni.pipelines.analyst import Asked, of_run
from tikomni.pipelines.benchmark import work_tasks
from tikomni.pipelines.comments import Comments, Wanted
from tikomni.pipelines.identity import OUTCOMES, tells, unreachable
from tikomni.pipelines.session import Ended, Run, Session, each, opened
from tikomni.platforms import Reading, Target, definition, merge, read_work, requests
from tikomni.progress import Progress
from tikomni.settings import Settings

Pictures = tuple[tuple[Asset, ...], tuple[Missing, ...]]

AT_ONCE = 8
# How many further routes may be asked for what a good but thin answer lacks (a video without its stream).
FURTHER_ROUTES = 2
# What a work must have to be complete, beside its main text (``status`` in the envelope).
REQUIRED = (
    ("platform_author_id",),
    ("author_name", "author_handle"),
    ("title", "caption_raw"),
    ("published_at",),
    ("source_url",),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for. ``given``: words that were had already, for the only work."""

    words: bool = True
    given: Transcript | None = None
    cards: bool = True
    images: int = 9
    terms: Terms = field(default_factory=Terms)
    card_type: Kind = "work"
    analyst: Asked | None = None
    comments: Wanted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Ended):
    """One work and what became of it."""

    work: Work | None = None
    card: Path | None = None
    document: Path | None = None
    comments: Comments | None = None


@dataclass(slots=True)
class Facts:
    """A work as the platform tells it, before its words."""

    target: Target
    work: Work | None = None
    media: Media = field(default_factory=Media)
    error: TikomniError | None = None
    pending: bool = False

    @property
    def name(self) -> str:
        return self.work.key if self.work else redact.text((self.target.url or self.target.text)[:120])


async def analyze(
    targets: Sequence[Target], options: Options, settings: Settings, deadline: Deadline, progress: Progress
) -> Run[Done]:
    """Facts, words, documents and cards of ``targets``, which all name works.

    A stop by the user, the deadline or a failing input keeps what the others brought.

    Raises:
        TikomniError: nothing could be done at all: roots, key, account.
    """
    roots = homes(settings) if options.cards else ()
    async with opened(Session, settings, deadline, options.terms, progress, roots=roots) as run:
        facts = [Facts(t, pending=True) for t in targets]
        pictures: dict[str, asyncio.Task[Pictures]] = {}
        talks: dict[str, Comments] = {}
        talking: list[asyncio.Task[None]] = []
        warm = asyncio.create_task(asyncio.to_thread(_warm))

        def go_on(work: Work, media: Media) -> None:
            """Pictures, words and comments of a work, while the facts of others are still asked for."""
            if options.cards:
                planned = assets.plan(work, options.images)
                pictures[work.key] = asyncio.create_task(
                    assets.store(settings, work, planned, run.fetch, media.referer)
                )
            if options.given is not None:
                run.means.keep(work.key, options.given)
            if options.words:
                run.chain.add(work, media)
            if options.comments is not None and work.key not in talks:
                talks[work.key] = Comments(work, options.comments, run)
                talking.append(asyncio.create_task(talks[work.key].gather()))

        async def steps() -> None:
            await gather_facts(facts, run, go_on)
            await run.chain.done()

        async def talked() -> None:
            for task in talking if run.interrupted else ():
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=run.interrupted)

        await run.go(steps())
        await run.go(talked())
        await asyncio.wait({warm})
        finish = Finish(options, run, pictures, talks, CardIndex(settings))
        done = [await finish.one(fact) for fact in facts]
        progress.stage("cards", len(done), len(done))
        analyses = await of_run(options.analyst, done, run)
        return Run(tuple(done), run.dispatcher.cost(), run.warnings, run.interrupted, analyses)


async def gather_facts(facts: Sequence[Facts], run: Session, go_on: Callable[[Work, Media], None]) -> None:
    """Fill in ``facts``, several at once; ``go_on`` is called with each work as soon as it is known."""
    finished = 0

    async def one(fact: Facts) -> None:
        nonlocal finished
        try:
            fact.work, fact.media = await facts_of(fact.target, run.dispatcher)
        except DeadlinePassed:
            return
        except TikomniError as error:
            fact.error = error
        fact.pending = False
        if fact.work is not None:
            go_on(fact.work, fact.media)
        run.step("facts", fact.name, "failed" if fact.error else "done", fact.error and fact.error.code)
        finished += 1
        run.progress.stage("facts", finished, len(facts))

    run.progress.stage("facts", 0, len(facts))
    await each(one, facts, AT_ONCE)


async def facts_of(target: Target, dispatcher: Dispatcher, media_kind: str | None = None) -> tuple[Work, Media]:
    """Walk the platform's routes for one work until an answer is good enough.

    Args:
        media_kind: what a list said that the work is; routes for it are asked first.

    Raises:
        UpstreamError: ``gone``, ``not_found`` or the last failure, when no route knows the work.
    """
    known, zone = definition(target.platform), dispatcher.settings.zone
    best: Reading | None = None
    last: Answer | None = None
    gone: Reading | None = None
    further = FURTHER_ROUTES
    asked = requests(known, "work", target.known)
    if media_kind is not None:
        asked = tuple(sorted(asked, key=lambda request: not request.may_serve(media_kind)))
    ended = {request.route: dispatcher.known(request.route, request.inputs) for request in asked}
    # What has answered already comes first: it is free, and those before it had nothing.
    for request in sorted(asked, key=lambda request: ended[request.route] != Outcome.OK):
        if best is not None and (further == 0 or not request.may_serve(best.work.media_kind)):
            continue
        if gone is not None and request.route not in gone.retry_with:
            continue
        if (best is not None or gone is not None) and ended[request.route] == Outcome.EMPTY:
            continue
        further -= best is not None
        last = answer = await dispatcher.call(request.route, request.inputs)
        if unreachable(answer):
            break
        if not tells(answer):
            continue
        reading = read_work(
            known,
            answer.body,
            request.route,
            wanted=target.ids,
            zone=zone,
            now=datetime.fromtimestamp(answer.at, zone),
        )
        if reading.verdict in OUTCOMES:
            dispatcher.judge(answer, OUTCOMES[reading.verdict])
            if reading.verdict == "gone":
                gone = reading
            continue
        best = merge(best, reading) if best is not None else reading
        gone = None
        if best.verdict == "ok":
            break
    if best is not None and best.work is not None:
        return best.work, best.media
    raise _no_facts(target, gone, last)


def _no_facts(target: Target, gone: Reading | None, last: Answer | None) -> TikomniError:
    name = target.ids.get("work_id") or target.url or target.text
    details = {"input": target.text[:200], "platform": target.platform, "route": last.route.id if last else None}
    if gone is not None:
        return UpstreamError(
            "gone", f"{target.platform} {name}: {gone.reason}.", details=details | {"reason": gone.reason}
        )
    if last is not None and last.outcome not in (Outcome.OK, Outcome.EMPTY, Outcome.INVALID):
        return last.error()
    hint = None
    if target.kind == "short":
        hint = "A short link may lead to a profile, a collection or a live room: open it and give the page's own link."
    said = f" ({last.message})" if last is not None and last.message and not last.ok else ""
    return UpstreamError(
        "not_found", f"{target.platform} {name}: no route returned this work{said}.", hint=hint, details=details
    )


@dataclass(frozen=True, slots=True)
class Finish:
    """Stores what is known of one input and says how complete it is."""

    options: Options
    run: Session
    pictures: dict[str, asyncio.Task[Pictures]]
    talks: dict[str, Comments]
    index: CardIndex

    async def one(self, fact: Facts) -> Done:
        try:
            return await self._store(fact)
        except TikomniError as error:  # a full disk, say: what was paid for is in the ledger, and is told as paid
            return Done(target=fact.target, status="failed", error=error)

    async def _store(self, fact: Facts) -> Done:
        run, settings = self.run, self.run.settings
        if fact.work is None:
            error = run.unanswered(fact.target, fact.error, fact.pending)
            status = "partial" if fact.pending else "failed"
            return Done(target=fact.target, status=status, error=error, pending=fact.pending)
        spoken = fact.work.work_modality == "video"
        words = run.words_of(fact.work, self.options.words)
        work = fact.work.with_words(words.transcript, words.reason)
        run.step("words", work.key, "pending" if words.pending else "done", words.reason)
        run.library.keep(work)
        document = write_document(run.tree, work, run.now)
        card, absent, stored = None, (), ()
        if self.options.cards:
            stored, absent = await self._pictures(work)
        seen = [str(settings.cards / asset.path) for asset in stored if not asset.is_cover]
        waiting = work_tasks(work, settings, seen)
        talk = self.talks.get(work.key)
        if talk is not None:
            talk.work = work
            talk.write()
            waiting += talk.write_task()
        if self.options.cards:
            warnings, kind = run.means.warnings, self.options.card_type
            card = render_work(settings, work, stored, warnings, kind, index=self.index)
        asked = self.options.words or not spoken
        missing = (*_missing(work, asked), *(talk.missing if talk else ()), *dict.fromkeys(absent))
        pending = words.pending or (talk is not None and talk.pending)
        status = "partial" if talk and talk.missing else _status(work, asked, pending)
        run.step("documents", work.key, status)
        return Done(
            target=fact.target,
            status=status,
            missing=missing,
            pending=pending,
            tasks=waiting,
            work=work,
            card=card,
            document=document,
            comments=talk,
        )

    async def _pictures(self, work: Work) -> Pictures:
        """The pictures of ``work``, as far as they are there when time is up."""
        task = self.pictures.get(work.key)
        if task is None:
            return (), ()
        _, waiting = await asyncio.wait({task}, timeout=0 if self.run.interrupted else self.run.deadline.remaining())
        if waiting:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            there = assets.stored(self.run.settings, assets.plan(work, self.options.images))
            return there, (Missing(work.key, "cover_image", "deadline"),)
        return task.result()


def _missing(work: Work, asked: bool) -> list[Missing]:
    rows = [Missing(work.key, names[0], work.missing.get(names[0], "not_in_answer")) for names in _lacking(work)]
    if work.primary_text is None and asked:
        rows.append(Missing(work.key, "primary_text", work.analysis_exclusion_reason or "unknown"))
    return rows


def _lacking(work: Work) -> list[tuple[str, ...]]:
    return [names for names in REQUIRED if not any(getattr(work, n) for n in names)]


def _status(work: Work, asked: bool, pending: bool) -> Status:
    """``asked``: the main text was wanted, which speech is not with ``words=False``."""
    if pending or _lacking(work):
        return "partial"
    return "incomplete" if work.primary_text is None and asked else "complete"


def _warm() -> None:
    """Load what only the end of a run needs, while its first answers are under way."""
    for name in ("jsonschema", "jinja2", "pysubs2"):
        import_module(name)
    signals.prepare()
