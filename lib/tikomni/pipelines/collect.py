"""The works of a search, a topic or a chart: walked, kept, chosen, sorted, weighed against their authors' fans.

The order of steps, nothing else. What the platform can choose and sort by itself it is asked to; the rest is done
here, over what was collected, and is said.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tikomni.cards import collection
from tikomni.cards.collection import CollectionData, Hit
from tikomni.cards.labels import language
from tikomni.deadline import Deadline
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.dispatch.terms import Terms
from tikomni.envelope import Cost, Status
from tikomni.errors import TikomniError, UpstreamError
from tikomni.facts import Missing, Work
from tikomni.pipelines.identity import profile_of
from tikomni.pipelines.lists import WHOLE, Collected, collect
from tikomni.pipelines.publishing import covers_there, export, fetch_covers
from tikomni.pipelines.query import SORTS, Query, choices, unwanted
from tikomni.pipelines.renewal import renewed
from tikomni.pipelines.session import Session, each, opened
from tikomni.pipelines.subject import Cover
from tikomni.platforms import Definition, Page, Target, definition
from tikomni.platforms.answers import layers_of, plain_values
from tikomni.platforms.definitions import Resolve
from tikomni.platforms.lists import list_resolvers
from tikomni.platforms.people import read_ids
from tikomni.progress import Progress
from tikomni.settings import Settings
from tikomni.storage.atomic import write_text
from tikomni.storage.names import slug
from tikomni.storage.tables import write_rows

RANK, PER_FAN = "rank", "likes_per_fan"
PROFILES_AT_ONCE = 8
SIMILAR = 5
# What is missing for these reasons is missing another time, too.
FOR_GOOD = frozenset({"nothing_new", "cursor_repeated", "cursor_unknown", "gone", "not_found"})


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """Everything a run brought. ``dropped``: entries that are no works, or were there before, by kind; ``left_out``:
    works that the query does not want, by reason. ``pending``: a later run gets the rest without paying again.
    """

    query: Query
    status: Status
    hits: tuple[Hit, ...]
    collected: int
    pages: int
    stop_reason: str
    dropped: Mapping[str, int]
    left_out: Mapping[str, int]
    sort: str
    sorted_here: bool
    missing: tuple[Missing, ...]
    paths: Mapping[str, Any]
    cost: Cost
    warnings: tuple[str, ...]
    skipped: Mapping[str, str]
    error: TikomniError | None
    pending: bool
    interrupted: bool


async def find(
    query: Query,
    exports: Sequence[str],
    terms: Terms,
    settings: Settings,
    deadline: Deadline,
    progress: Progress,
) -> Found:
    """Collect what ``query`` looks for. A stop by the user, the deadline or a failing page keeps what came.

    Raises:
        TikomniError: nothing could be done at all: roots, key, account.
    """
    async with opened(Session, settings, deadline, terms, progress) as run:
        hunt = Hunt(query, run)
        await run.go(hunt.gather())
        return await _finish(hunt, exports)


@dataclass(eq=False)
class Hunt:
    """A query on the way through a run. ``read``: the works that were read from the list; ``ranks``: their places."""

    query: Query
    run: Session
    read: dict[str, Work] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    fans: dict[str, int] = field(default_factory=dict)
    covers: dict[str, asyncio.Task[Cover]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    missing: list[Missing] = field(default_factory=list)
    pages: int = 0
    walked: Collected | None = None
    sorts_itself: bool = False
    error: TikomniError | None = None

    @property
    def stop_reason(self) -> str:
        if self.walked is not None:
            return self.walked.stop_reason
        return self.run.stopped or (self.error.code if self.error else "")

    @property
    def works(self) -> dict[str, Work]:
        """The works that are wanted, as far as they tell it themselves."""
        return {key: work for key, work in self.read.items() if not unwanted(work, self.query)}

    async def gather(self) -> None:
        """The list, then the fans of those authors whose works are still wanted.

        Raises:
            DeadlinePassed: before all was asked.
        """
        try:
            await self._walk(await self._ids())
            fetch_covers(self)
            if self.query.max_fans is not None:
                await self._weigh()
        except TikomniError as error:
            self.error = error

    async def _ids(self) -> dict[str, str]:
        """What the list is asked with; a topic that is known by its name costs a call.

        Raises:
            UpstreamError: ``not_found``, with the names that come close, or why nobody could be asked.
        """
        query, dispatcher = self.query, self.run.dispatcher
        ids, near = dict(query.ids), []
        if query.what != "topic" or "topic_id" in ids:
            return ids
        known = definition(query.platform)
        for request, row in list_resolvers(known, query.list, ids):
            answer = await dispatcher.call(request.route, request.inputs)
            if not answer.ok and not answer.empty:
                raise answer.error()
            if told := read_ids(row, answer.body, ids):
                return ids | told
            near += _names(row, answer.body)
        hint = f"Topics that come close: {', '.join(near[:SIMILAR])}." if near else "Check the name, or give its link."
        raise UpstreamError("not_found", f"{known.name}: no topic is called {query.text!r}.", hint=hint)

    async def _walk(self, ids: Mapping[str, str]) -> None:
        query, run = self.query, self.run
        known = definition(query.platform)
        offered = known.lists[query.list].choices
        asked = {offered[n].put: offered[n].values[word] for n, word in choices(known, query, run.now).items()}

        def on_page(page: Page) -> None:
            self.pages += 1
            self.dropped.update(page.dropped)
            found = [item for item in page.items if isinstance(item, Work)]
            works = [renewed(work, run.library.work(work.platform, work.platform_work_id)) for work in found]
            run.library.keep_works(works)
            for work in works:
                self.ranks[work.key] = len(self.ranks) + 1
                if len(self.read) < query.most:
                    self.read[work.key] = work
            run.progress.stage("works", len(self.read), query.most)

        self.walked = await collect(
            known, query.list, {**ids, **asked}, run.dispatcher, most=query.most, on_page=on_page
        )
        self.dropped = Counter(self.walked.dropped)
        if query.sort and "sort" in offered and offered["sort"].put in asked:
            self.sorts_itself = _has_place(known, query.list, self.walked.route, offered["sort"].put)
        run.step("works", query.text, self.walked.stop_reason, f"{len(self.read)} works")
        if self.walked.stop_reason not in WHOLE:
            self._lack("works", self.walked.stop_reason, self.walked.trouble)

    async def _weigh(self) -> None:
        """One profile for each author of a work that is wanted."""
        authors = dict.fromkeys(w.platform_author_id for w in self.works.values() if w.platform_author_id)
        troubles = Counter[str]()

        async def one(author: str) -> None:
            target = Target(self.query.platform, "creator", {"creator_id": author})
            try:
                _, reading = await profile_of(target, self.run.dispatcher, further=0)
            except DeadlinePassed:
                troubles["deadline"] += 1
                return
            except TikomniError as error:
                troubles[error.code] += 1
                return
            if reading.creator is not None and reading.creator.fans_count is not None:
                self.fans[author] = reading.creator.fans_count
            self.run.progress.stage("fans", len(self.fans), len(authors))

        await each(one, authors, PROFILES_AT_ONCE)
        for reason, n in troubles.items():
            self._lack("fans_count", reason, f"The fans of {n} authors could not be asked for: {reason}.")
        self.run.step("fans", self.query.text, "partial" if troubles else "done", f"{len(self.fans)} authors")

    def _lack(self, name: str, reason: str, trouble: str = "") -> None:
        self.missing.append(Missing(f"{self.query.platform}:{self.query.what}", name, reason))
        if trouble:
            self.run.means.warn(trouble)

    # --- what it adds up to

    @property
    def sort(self) -> str:
        """What the rows are sorted by: who looks for works of small accounts wants those that stand out first."""
        return self.query.sort or (PER_FAN if self.query.max_fans is not None else RANK)

    @property
    def sorted_here(self) -> bool:
        return self.sort != RANK and not self.sorts_itself

    def left_out(self) -> Counter[str]:
        """How many of the works that were read the query does not want, by reason."""
        return Counter(why for work in self.read.values() if (why := self._why_not(work)))

    def hits(self, covers: Mapping[str, Cover]) -> tuple[Hit, ...]:
        """The works that are wanted, in the order of ``sort``; those without a value for it come last.

        What a platform calls sorted it sorts about: the rows are put in order whoever sorted them first.
        """
        found = []
        for key, work in self.read.items():
            if self._why_not(work):
                continue
            words = self.run.words_of(work, wanted=False)
            told = work.with_words(words.transcript, words.reason)
            fans = self.fans.get(work.platform_author_id or "")
            found.append(Hit(told, self.ranks[key], fans, covers.get(key, (None, None))[1]))
        if self.sort != RANK:
            found.sort(key=lambda hit: _key(hit, self.sort), reverse=True)
        return tuple(found)

    def _why_not(self, work: Work) -> str | None:
        if (why := unwanted(work, self.query)) or self.query.max_fans is None:
            return why
        fans = self.fans.get(work.platform_author_id or "")
        return "fans_unknown" if fans is None else "many_fans" if fans > self.query.max_fans else None


def _has_place(known: Definition, name: str, route: str | None, value: str) -> bool:
    """Whether a route of a list takes ``value`` along; what it has no place for, it was not asked."""
    sends = (send for listed in known.lists[name].routes if listed.ask.route == route for send in listed.ask.send)
    return any(f"{{{value}?}}" in send.values() for send in sends)


def _names(row: Resolve, body: Any) -> list[str]:
    """What the entries of a resolver's answer are called."""
    found = [path.find(layers_of(body)[-1]) for path in row.items]
    entries = [entry for part in found if isinstance(part, list) for entry in part]
    return [name for entry in entries for name in plain_values(row.equals, entry).values()]


def _key(hit: Hit, sort: str) -> tuple[bool, float]:
    value: Any = hit.likes_per_fan if sort == PER_FAN else getattr(hit.work, SORTS[sort])
    if isinstance(value, str):
        value = datetime.fromisoformat(value).timestamp()
    return value is not None, value or 0


async def _finish(hunt: Hunt, exports: Sequence[str]) -> Found:
    """Page, tables and rows of what was found, and how complete it is."""
    run, query, error = hunt.run, hunt.query, hunt.error
    if run.stopped and not hunt.missing:
        hunt._lack("works" if hunt.walked is None else "fans_count", run.stopped)
    hits = hunt.hits(await covers_there(hunt))
    paths: dict[str, Any] = {}
    try:
        if hunt.walked is not None or hits:
            paths = _write(hunt, hits, exports)
    except TikomniError as trouble:  # a full disk, say: what was paid for is in the ledger, and is told as paid
        error = error or trouble
    run.step("documents", query.text, "partial" if hunt.missing or error else "done")
    return Found(
        query=query,
        status="failed" if error and not hits else "partial" if error or hunt.missing else "complete",
        hits=hits,
        collected=len(hunt.read),
        pages=hunt.pages,
        stop_reason=hunt.stop_reason,
        dropped=dict(+hunt.dropped),
        left_out=dict(hunt.left_out()),
        sort=hunt.sort,
        sorted_here=hunt.sorted_here,
        missing=tuple(hunt.missing),
        paths=paths,
        cost=run.dispatcher.cost(),
        warnings=(*run.warnings, *_remarks(hunt)),
        skipped=hunt.walked.skipped if hunt.walked else {},
        error=error,
        pending=error is None and any(row.reason not in FOR_GOOD for row in hunt.missing),
        interrupted=run.interrupted,
    )


def _remarks(hunt: Hunt) -> list[str]:
    """What a reader must know of the rows."""
    query, name, n = hunt.query, definition(hunt.query.platform).name, len(hunt.read)
    said = []
    if query.sort and hunt.sorted_here and n:
        said.append(
            f"{name} does not sort this list by {query.sort}: the {n} works that were read, in its own order, were "
            "sorted here. Others may have more."
        )
    if hunt.walked is not None and not hunt.read and hunt.walked.complete:
        said.append(f"{name} has no works for {query.text!r}.")
    if unknown := hunt.left_out()["fans_unknown"]:
        said.append(f"Of {unknown} works the fans of the author are unknown; they are left out.")
    return said


def _write(hunt: Hunt, hits: tuple[Hit, ...], exports: Sequence[str]) -> dict[str, Any]:
    run, query, folder = hunt.run, hunt.query, hunt.run.folder
    stem = f"{query.platform}-{query.what}-{slug(query.text, 60, 'works')}"
    data = CollectionData(
        platform=query.platform,
        what=query.what,
        text=query.text,
        works=hits,
        choices={
            "since": query.since and f"{query.since.astimezone(run.settings.zone):%Y-%m-%d}",
            "kind": query.kind,
            "min_likes": query.min_likes,
            "max_fans": query.max_fans,
        },
        sort=hunt.sort,
        sorted_here=hunt.sorted_here,
        left_out=dict(+hunt.dropped) | dict(hunt.left_out()),
        generated_at=run.now,
        zone=run.settings.zone,
        language=language(run.settings, query.platform),
    )
    page, notes, rows = folder / f"{stem}.html", folder / f"{stem}.md", folder / "works.jsonl"
    write_text(page, collection.render(data))
    write_text(notes, collection.render_markdown(data))
    write_rows(rows, (_whole(hit) for hit in hits), "jsonl")
    return {
        "page": str(page),
        "markdown": str(notes),
        "works": str(rows),
        "exports": export(data, folder, stem, exports) if exports else {},
    }


def _whole(hit: Hit) -> dict[str, Any]:
    added = {"rank": hit.rank, "fans_count": hit.fans_count, "likes_per_fan": hit.likes_per_fan}
    return added | hit.work.as_dict()
