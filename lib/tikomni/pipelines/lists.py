"""A list, page after page, along the routes that its platform defines; bounded, and honest about why it stopped.

One route is walked as long as it answers. Where a page cannot be had the next route goes on: from the same place if
both count alike, else from its start past what is known. Knows no platform, stores nothing but through the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tikomni import catalog
from tikomni.dispatch import cookies
from tikomni.dispatch.dispatcher import Answer, Dispatcher
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.errors import TikomniError, UpstreamError
from tikomni.facts import Work
from tikomni.pipelines.identity import OUTCOMES, tells, unreachable
from tikomni.pipelines.pages import ENDS
from tikomni.platforms import Definition, Page, read_list
from tikomni.platforms.definitions import ListRoute
from tikomni.platforms.lists import DUPLICATE, Entry, first_page, list_requests, meanings, page_request

# A walk that ended so holds everything that was asked for.
WHOLE = ENDS | {"most"}
# Platforms pin a few works above the newest; not every route marks them.
MOST_PINNED = 3
# Pages in a row that may bring nothing new before a list is taken to go in circles.
MOST_STALE = 3
# Trouble with one route's own inputs; every other error concerns the whole run.
OF_ONE_ROUTE = frozenset({"invalid_input", "config", "effect_refused"})

OnPage = Callable[[Page], None]


@dataclass(frozen=True, slots=True)
class Collected:
    """What a walk brought.

    ``stop_reason``: one of ``ENDS``, or ``most``, ``known``, ``since``, ``deadline``, ``nothing_new``,
    ``cursor_repeated``, ``cursor_unknown``, ``no_list``, ``page_failed_…``, or the code of the error that ended it.
    ``route``: the one that brought the last page; ``skipped``: routes that did not serve, and why. ``trouble``: what
    the last failure said.
    """

    items: tuple[Entry, ...]
    stop_reason: str
    pages: int
    route: str | None
    dropped: Mapping[str, int]
    skipped: Mapping[str, str]
    trouble: str

    @property
    def complete(self) -> bool:
        """Whether the list was walked to its own end."""
        return self.stop_reason in ENDS


async def collect(
    definition: Definition,
    list_name: str,
    known_ids: Mapping[str, str],
    dispatcher: Dispatcher,
    *,
    most: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    expected: int | None = None,
    stop_at_known: Callable[[Entry], bool] | None = None,
    on_page: OnPage | None = None,
    max_age: float | None = None,
) -> Collected:
    """Walk a list and keep what came, whatever ends the walk.

    Args:
        known_ids: what the list is asked with (``creator_id``; ``keyword``, ``sort_type``; ``work_id``, …).
        most: entries that are wanted; the rest of their page goes to ``on_page`` alone.
        since, until: works published before ``since``, at or after ``until``, or at an unknown time are left out
            (and counted in ``dropped`` as ``older``, ``newer``, ``undated``). Where a list is newest first, the walk
            ends behind ``since``; pinned works don't count for that.
        expected: how many entries there should be; with any, an empty first page is not believed at once.
        stop_at_known: entries that an earlier walk had; to be given only where that walk was complete.
        on_page: gets each page as it arrives, with the entries that no page before it had, in or out of the dates.
        max_age: seconds for which stored pages count, by default the routes' shelf life.

    Raises:
        TikomniError: nothing came at all: ``not_found`` where no route may be asked with what is known, ``gone``, a
            key, a budget, or what the last route said.
    """
    walk = _Walk(
        definition, list_name, known_ids, dispatcher, most, since, until, expected, stop_at_known, on_page, max_age
    )
    routes = list_requests(definition, list_name, known_ids)
    if not routes:
        raise UpstreamError("not_found", f"{definition.platform}: no route has {list_name} for what is known.")
    for route in routes:
        if _needs_cookie(route, dispatcher):
            walk.skipped[route.ask.route] = "needs_cookie"
        elif await walk.along(route):
            break
    if not walk.stop_reason and walk.spare is not None:
        await walk.along(walk.spare, take_anything=True)
    if not walk.stop_reason and walk.error is not None and not walk.pages:
        raise walk.error
    return walk.result()


def _needs_cookie(route: ListRoute, dispatcher: Dispatcher) -> bool:
    """Whether a route can be asked with a cookie only, which this user has not given."""
    contract = catalog.get(route.ask.route)
    return cookies.is_needed(contract) and not cookies.find(contract, dispatcher.settings.cookies)


@dataclass(slots=True)
class _Walk:
    """A walk on its way. ``means``: where the last page left off, for routes that count alike."""

    definition: Definition
    list_name: str
    known: Mapping[str, str]
    dispatcher: Dispatcher
    most: int | None
    since: datetime | None
    until: datetime | None
    expected: int | None
    stop_at_known: Callable[[Entry], bool] | None
    on_page: OnPage | None
    max_age: float | None
    kept: list[Entry] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    dropped: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    means: dict[str, Any] = field(default_factory=dict)
    pages: int = 0
    more: bool | None = None
    stale: int = 0
    route: str | None = None
    spare: ListRoute | None = None
    error: TikomniError | None = None
    stop_reason: str = ""
    trouble: str = ""
    failed: str = ""

    async def along(self, route: ListRoute, *, take_anything: bool = False) -> bool:
        """Walk one route. False: it does not serve, or no longer; another may go on."""
        values = first_page(route, self.means)
        asked: set[str] = set()
        allowed = self.pages + MOST_STALE  # a route that starts anew repeats as many pages as there were
        ended = False  # whether the list may be over without a word, by the page before
        start = self.pages
        while True:
            asked.add(repr(sorted(values.items())))
            request = page_request(route, self.known, values)
            try:
                # What was asked for a moment ago, and left for want of a better one, is not paid for again.
                age = None if take_anything and not self.pages else self.max_age
                answer = await self.dispatcher.call(request.route, request.inputs, max_age=age)
            except DeadlinePassed as passed:
                return self._stop("deadline", str(passed))
            except TikomniError as error:
                if error.code in OF_ONE_ROUTE:
                    return self._fail(route, error.code, error)
                if not self.pages:
                    raise
                return self._stop(error.code, error.message)
            if unreachable(answer):
                if not self.pages:
                    raise answer.error()
                return self._stop(f"page_failed_{answer.outcome}", answer.message)
            page = self._read(route, values, answer)
            if page is None:
                return self._fail(route, str(answer.outcome), answer.error())
            if page.verdict != "ok":
                self.dispatcher.judge(answer, OUTCOMES[page.verdict])
                if page.verdict == "gone":
                    gone = self._gone(page)
                    if not self.pages:
                        raise gone
                    return self._stop("gone", gone.message)
                if page.verdict == "empty" and self.pages and ended:
                    return self._stop("empty_page")
                failed = None if page.verdict == "empty" else answer.error()
                return self._fail(route, page.reason or page.verdict, failed)
            if not take_anything and not self.pages and (page.thin or (not page.items and self.expected)):
                self.spare = self.spare or route
                return self._fail(route, "thin" if page.thin else "empty", None)
            if start and start == self.pages and self.more and not page.items:
                return self._fail(route, "empty", None)  # the route before knew of more
            self._take(page, route.ask.route)
            if self._enough(page, allowed):
                return True
            if page.next is None:
                return self._stop(page.end)
            self.means = meanings(route, page.next)
            if repr(sorted(page.next.items())) in asked:
                return self._stop("cursor_repeated")
            if self.most is not None and len(self.kept) >= self.most:
                return self._stop("most")
            values, ended = page.next, page.more is None

    def _read(self, route: ListRoute, values: Mapping[str, Any], answer: Answer) -> Page | None:
        """The page in an answer, if it is one that may hold any."""
        if answer.body is None or not (tells(answer) or answer.empty):
            return None
        zone = self.dispatcher.settings.zone
        page = read_list(
            self.definition,
            self.list_name,
            answer.body,
            route.ask.route,
            known=self.known,
            sent=values,
            zone=zone,
            now=datetime.fromtimestamp(answer.at, zone),
        )
        # Of an answer that is an error only its words count: that it holds no list is no wonder.
        return page if answer.ok or answer.empty or page.verdict == "gone" else None

    def _take(self, page: Page, route: str) -> None:
        """Keep what is new on a page."""
        fresh = tuple(item for item in page.items if item.key not in self.seen)
        self.dropped.update(page.dropped)
        self.dropped[DUPLICATE] += len(page.items) - len(fresh)
        self.seen.update(item.key for item in fresh)
        self.pages, self.route, self.more = self.pages + 1, route, page.more
        self.stale = 0 if fresh else self.stale + 1
        if self.on_page is not None:
            self.on_page(replace(page, items=fresh))
        for item in fresh:
            why = self._out_of_dates(item)
            self.dropped[why] += bool(why)
            if not why:
                self.kept.append(item)

    def _out_of_dates(self, item: Entry) -> str:
        if (self.since is None and self.until is None) or not isinstance(item, Work):
            return ""
        if item.published_at is None:
            return "undated"
        published = datetime.fromisoformat(item.published_at)
        if self.since is not None and published < self.since:
            return "older"
        return "newer" if self.until is not None and published >= self.until else ""

    def _enough(self, page: Page, allowed: int) -> bool:
        """Whether the walk need not go on, whatever the list still holds."""
        newest_first = self.definition.lists[self.list_name].newest_first
        if self.most is not None and len(self.kept) > self.most:
            return self._stop("most")
        if self.stale > allowed:
            return self._stop("nothing_new")
        if page.next is None or not newest_first:
            return False
        if self.stop_at_known is not None and self._tail_is(page, self.stop_at_known):
            return self._stop("known")
        if self.since is not None and self._tail_is(page, lambda item: self._out_of_dates(item) == "older"):
            return self._stop("since")
        return False

    def _tail_is(self, page: Page, true_of: Callable[[Entry], bool]) -> bool:
        """Whether a page ends with entries of a kind, more than can be pinned ones that are not marked as such."""
        tail = [item for item in page.items if not getattr(item, "pinned", None)][-MOST_PINNED - 1 :]
        enough = len(tail) > MOST_PINNED or self.pages > 1
        return bool(tail) and enough and all(map(true_of, tail))

    def _fail(self, route: ListRoute, why: str, error: TikomniError | None) -> bool:
        """This route does not serve. What it says is the walk's own end where no other route goes on."""
        self.skipped[route.ask.route] = why
        self.failed = why
        self.error = error or self.error
        self.trouble = error.message if error else self.trouble
        return False

    def _stop(self, reason: str, trouble: str = "") -> bool:
        self.stop_reason, self.trouble = reason, trouble
        return True

    def _gone(self, page: Page) -> UpstreamError:
        said = f" ({page.note})" if page.note else ""
        message = f"{self.definition.platform} {self.list_name}: {page.reason}{said}."
        return UpstreamError("gone", message, details={"reason": page.reason})

    def result(self) -> Collected:
        reason = self.stop_reason or (f"page_failed_{self.failed}" if self.pages else "no_list")
        return Collected(
            tuple(self.kept if self.most is None else self.kept[: self.most]),
            reason,
            self.pages,
            self.route,
            +self.dropped,
            dict(self.skipped),
            self.trouble,
        )
