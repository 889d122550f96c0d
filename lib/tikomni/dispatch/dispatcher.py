"""One route call, from checked inputs to a journaled answer: policy, rate, retries, ledger. Knows no platform."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tikomni import catalog, redact
from tikomni.catalog import Route
from tikomni.catalog.check import MISSING, Prepared, prepare
from tikomni.deadline import Deadline
from tikomni.dispatch import cookies, shelf
from tikomni.dispatch.downloads import Downloader, DownloadFailed
from tikomni.dispatch.http import Failure, Transport
from tikomni.dispatch.leases import Leases
from tikomni.dispatch.ledger import Ledger, Scope, Stored, fingerprint
from tikomni.dispatch.limiter import DeadlinePassed, Limiter
from tikomni.dispatch.outcomes import (
    POLICY,
    RETRIES_AT_LEAST,
    RETRIES_SHARE,
    UNREADABLE_RETRIES,
    Outcome,
    Verdict,
    of_failure,
    of_reply,
    of_stored,
    served,
)
from tikomni.dispatch.providers import Provider, Providers
from tikomni.dispatch.terms import Tally, Terms, check_call, check_speech
from tikomni.envelope import Cost
from tikomni.errors import InputError, RefusedError, TikomniError, UpstreamError
from tikomni.settings import Settings

EFFECTS = {
    "write": "change something outside",
    "account_read": "read your own account",
    "generate": "start a job that is billed by what it makes",
    "inflate": "inflate somebody's figures",
}
BACKOFF_MOST = 5.0
MESSAGE_MOST = 300
SUBMISSION_GRACE_SECONDS = 4.0
READ_GRACE_SECONDS = 2.0
# How often somebody who waits for another's answer looks for it.
LOOK_SECONDS = 0.05
CACHED_BYTES = 64 * 1024 * 1024
# Names and values of headers (RFC 9110, 5.1 and 5.5).
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD = re.compile(r"([!-~]([ -~\t]*[!-~])?)?")


@dataclass(frozen=True, slots=True)
class Allow:
    """What a caller may do: routes of these effects, and these routes whatever their effect."""

    effects: frozenset[str] = frozenset({"read"})
    routes: frozenset[str] = frozenset()

    def permits(self, route: Route) -> bool:
        return route.effect != "inflate" and (route.effect in self.effects or route.id in self.routes)


READ = Allow()

# Outcomes that tell of the upstream, or of the way to it, rather than of what was asked.
TROUBLE = frozenset(
    {
        *(Outcome.AUTH, Outcome.THROTTLED, Outcome.UPSTREAM, Outcome.NETWORK),
        *(Outcome.TIMEOUT_BEFORE_SEND, Outcome.TIMEOUT_AFTER_SEND),
    }
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call brought. ``body`` is the whole parsed answer; ``cached``: it was paid for before, ``at`` that time.

    ``accepted`` tells of a failure whether the upstream may have done what was asked; ``provider`` is who was asked.
    """

    route: Route
    outcome: Outcome
    body: Any = None
    message: str = ""
    status: int | None = None
    request_id: str | None = None
    cached: bool = False
    accepted: bool = False
    call_id: int | None = None
    at: float = 0.0
    provider: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def empty(self) -> bool:
        """Served as usual, with no data for these inputs; every other way of finding nothing is a failure."""
        return self.outcome is Outcome.EMPTY and self.status == 200 and self.route.response == "envelope"

    def error(self, message: str | None = None, **details: Any) -> TikomniError:
        """This answer as the failure of a command, in words of its own or in these."""
        code = POLICY[self.outcome].error
        kind = InputError if code == "rejected_key" else UpstreamError
        details |= {"route": self.route.id, "status": self.status, "request_id": self.request_id}
        return kind(code, message or f"{self.route.id}: {self.message or self.outcome}", details=details)


@dataclass(frozen=True, slots=True)
class _Call:
    """One checked call on its way. ``shown`` are its inputs as they may be written down."""

    route: Route
    provider: Provider
    prepared: Prepared
    shown: Mapping[str, Any]
    name: str
    headers: Mapping[str, str]
    on_send: Callable[[], None]

    @property
    def repeatable(self) -> bool:
        """Whether to ask twice changes nothing; a submission may be accepted twice."""
        return self.route.effect in ("read", "account_read")

    @property
    def price(self) -> float | None:
        """USD for this call; ``None`` where it is by contract with the user, and nothing here knows it."""
        return self.route.price if self.route.provider == "tikomni" else None


class Dispatcher:
    """Calls routes for one run. Use as an async context manager.

    Args:
        settings: the keys in it are looked at when a route needs them.
        deadline: beyond it nothing new is asked; ``DeadlinePassed`` says so.
        terms: what the run may spend, and what it asks anew.
    """

    def __init__(self, settings: Settings, deadline: Deadline, terms: Terms | None = None) -> None:
        self.settings = settings
        self.deadline = deadline
        self.terms = terms or Terms()
        self.ledger = Ledger(settings.state / "ledger.sqlite3", self.terms.tell)
        self.transport = Transport(settings.user_agent, settings.http_accept_language, settings.timeout_ms / 1000)
        self.tally = Tally()
        self._shared = settings.state / "limiter.sqlite3"
        self._leases = Leases(self._shared, self.terms.tell)
        self._providers = Providers(settings)
        self._limiters: dict[str, Limiter] = {}
        self._fatal: dict[str, TikomniError] = {}
        self._unkept: TikomniError | None = None
        self._in_a_row: dict[tuple[str, Outcome], tuple[int, Answer]] = {}
        self._under_way: dict[str, asyncio.Lock] = {}
        self._asked: set[str] = set()  # asked by this run itself: fresh enough even with --fresh

    async def __aenter__(self) -> Dispatcher:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.transport.__aexit__(*details)
        for limiter in self._limiters.values():
            limiter.close()
        self._leases.close()
        self.ledger.close()

    @property
    def scope(self) -> Scope:
        """Whose answers the common routes' are."""
        return self._providers.main().scope

    def cost(self) -> Cost:
        """What this run asked for so far."""
        tally, per_hour = self.tally, self.settings.asr_usd_per_hour
        unpriced = {*tally.unpriced, *(("asr",) if tally.asr_seconds and per_hour is None else ())}
        usd = None if unpriced else tally.usd + tally.asr_seconds / 3600 * (per_hour or 0.0)
        return Cost(
            calls=tally.calls,
            billed_calls=tally.billed,
            cached_calls=tally.cached,
            repeated_calls=tally.repeated,
            asr_seconds=tally.asr_seconds,
            asr_seconds_in_doubt=tally.asr_seconds_in_doubt,
            estimated_usd=usd,
            tokens_in=tally.tokens_in,
            tokens_out=tally.tokens_out,
            unpriced=tuple(sorted(unpriced)),
        )

    def reserve_speech(self, seconds: float) -> None:
        """Count ``seconds`` of speech against the budget, right before they are sent.

        Raises:
            RefusedError: ``budget``; nothing was reserved.
        """
        check_speech(self.terms.budget, self.tally, seconds, self.settings.asr_usd_per_hour)
        self.tally.reserved_seconds += seconds

    async def call(
        self,
        route_id: str,
        inputs: Mapping[str, Any],
        *,
        body: Any = MISSING,
        allow: Allow = READ,
        headers: Mapping[str, str] | None = None,
        max_age: float | None = None,
        on_send: Callable[[], None] | None = None,
    ) -> Answer:
        """Ask ``route_id``, or answer from the ledger.

        Args:
            inputs: values by the contract's names, any form that the contract's types can be read from; a cookie is
                found by itself (``cookies``).
            body: a whole body, for contracts whose body is no object.
            max_age: seconds for which a stored answer counts, by default the route's shelf life (``shelf``); 0 for
                polls, infinite for text that does not change.
            on_send: called right before each time that bytes leave; what it raises stops the call.

        Returns:
            an answer of any outcome but a rejected key or an empty account.

        Raises:
            InputError: ``unknown_route``, ``invalid_input``, ``missing_key``, ``rejected_key``, …: nothing more is sent
                to this provider in this run.
            RefusedError: ``effect_refused``, ``budget``.
            UpstreamError: ``quota``.
            DeadlinePassed: no time is left to ask.
        """
        call = self._prepare(catalog.get(route_id), inputs, body, allow, headers or {}, on_send or (lambda: None))
        age = self._shelf_life(call.route) if max_age is None else max_age
        if not call.repeatable or age <= 0 or call.route.price == 0:  # states of jobs and servers cost nothing
            return await self._ask(call)
        since = time.time()
        lock = self._under_way.setdefault(call.name, asyncio.Lock())
        async with lock, self._lease(call):  # two askers share one answer
            # With --fresh, what another run got while this one waited for it is fresh enough.
            anew = self.terms.fresh and call.name not in self._asked
            answer = await self._from_ledger(call, time.time() - since if anew else age)
            if answer is None:
                answer = await self._ask(call)
                self._asked.add(call.name)
            return answer

    def known(self, route_id: str, inputs: Mapping[str, Any]) -> str | None:
        """How the same read ended within its shelf life, as the ledger names it: an ``Outcome``, ``lost``, ….

        ``None`` where it was not asked, with ``--fresh``, and for what cannot be called.
        """
        if self.terms.fresh:
            return None
        try:
            call = self._prepare(catalog.get(route_id), inputs, MISSING, READ, {}, lambda: None)
        except TikomniError:
            return None
        return self.ledger.calls.outcome(call.name, self._shelf_life(call.route)) if call.repeatable else None

    def _shelf_life(self, route: Route) -> float:
        """Seconds for which a stored answer of ``route`` stands for a new one; 0: not at all."""
        group = shelf.group(route)
        return 0.0 if group is None else self.settings.shelf_life(group)

    @asynccontextmanager
    async def _lease(self, call: _Call) -> AsyncIterator[None]:
        """Be the only one on this machine who asks for this; wait while another does.

        Raises:
            DeadlinePassed: it took the other too long.
        """
        while not self._leases.take(call.name):
            if self.deadline.passed:
                raise DeadlinePassed
            await asyncio.sleep(self.deadline.within(LOOK_SECONDS))
        try:
            yield
        finally:
            self._leases.release(call.name)

    async def _from_ledger(self, call: _Call, max_age: float) -> Answer | None:
        """The stored answer, if there is one that still counts."""
        stored = self.ledger.calls.stored(call.name, max_age)
        if stored is None:
            return None
        body = stored.body if stored.body is not None else await self._read_again(call, stored)
        if body is None:
            return None
        self.tally.cached += 1
        return Answer(
            call.route,
            Outcome(stored.outcome),
            body,
            status=stored.status,
            request_id=stored.request_id,
            cached=True,
            call_id=stored.call_id,
            at=stored.done_at,
            provider=call.provider.id,
        )

    async def _read_again(self, call: _Call, stored: Stored) -> Any:
        """The body of a stored answer, where the upstream keeps it for free; ``None`` where it does not any more."""
        downloader = Downloader(self.transport, call.provider.base_url)
        seconds = self.deadline.within(self.settings.timeout_ms / 1000)
        try:
            data = await downloader.fetch(stored.cache_url or "", most_bytes=CACHED_BYTES, timeout_s=seconds)
        except DownloadFailed:
            return None
        body = of_stored(call.route, data)
        if body is None:
            return None
        if cookies.input_of(call.route) in call.shown:
            body = redact.within(body)
        self.ledger.calls.refill(stored.call_id, body)
        return body

    def _prepare(
        self,
        route: Route,
        inputs: Mapping[str, Any],
        body: Any,
        allow: Allow,
        headers: Mapping[str, str],
        on_send: Callable[[], None],
    ) -> _Call:
        """Everything that can be wrong before a byte leaves."""
        if not allow.permits(route):
            raise refusal(route)
        secret = cookies.input_of(route)
        if secret is not None and (secret != cookies.WHOLE_BODY or body is MISSING):
            cookie = inputs.get(secret) or cookies.find(route, self.settings.cookies)
            if cookie:
                inputs = {**inputs, secret: cookie}
            elif cookies.is_needed(route):
                raise cookies.needed(route)
        prepared = prepare(route, inputs, body)
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name) or not _FIELD.fullmatch(value):
                raise InputError("invalid_input", f"{name[:80]!r} is no header that can be sent; nothing was.")
        provider = self._providers.of(route)
        shown = dict(prepared.inputs)
        if secret in shown:
            shown[secret] = cookies.digest(shown[secret])
        name = fingerprint(provider.scope, route.id, shown)
        return _Call(route, provider, prepared, shown, name, headers, on_send)

    async def _ask(self, call: _Call) -> Answer:
        """Send until the answer is final, as often as policy and settings allow; each try has its own row."""
        limiter = self._limiter(call.provider)
        inputs = json.dumps(call.shown, ensure_ascii=False)
        repeats = self.ledger.calls.lost(call.name)
        tries = 0
        renewed = False
        while True:
            self._check(call)
            identity = await call.provider.headers(self.transport)
            if call.repeatable:
                self._leases.take(call.name)  # renewed: each try may take its time
            self.transport.prepare(call.provider.base_url)
            await limiter.acquire(self.deadline)
            self._check(call)  # others may have spent the rest meanwhile
            timeout = self._timeout(call)
            call.on_send()
            call_id = self.ledger.calls.begin(
                call.provider.scope, call.name, call.route.id, inputs, run_id=self.terms.run_id, repeats=repeats
            )
            limiter.left()
            self.tally.repeated += repeats is not None
            self.tally.reserved_usd += call.price or 0.0
            try:
                verdict = await self._send(call, identity, timeout)
            finally:
                self.tally.reserved_usd -= call.price or 0.0
            answer = _answer(call, verdict, call_id, self._book(call_id, call, verdict))
            if verdict.outcome is Outcome.AUTH and not renewed and call.provider.disown(identity):
                renewed = True  # its token ended early; the key itself may well be good
                continue
            if verdict.outcome in (Outcome.QUOTA, Outcome.AUTH) and verdict.status != 403:
                self._fatal[call.provider.id] = answer.error()
                raise self._fatal[call.provider.id]
            if verdict.outcome is Outcome.THROTTLED:
                limiter.pause(verdict.retry_after or self._backoff(tries))
            if not self._again(verdict, tries, call.repeatable):
                return self._counted(answer)
            pause = self._backoff(tries + 1)
            left = self.deadline.remaining()
            if left is not None and left <= pause:
                return self._counted(answer)
            tries += 1
            self.tally.retries += 1
            repeats = call_id if verdict.accepted else None
            if verdict.outcome is not Outcome.THROTTLED:
                await asyncio.sleep(pause)

    def _check(self, call: _Call) -> None:
        """Whether this call may be sent: by what went before, and by the budget."""
        if self._unkept is not None:
            raise self._unkept
        for (provider, outcome), (count, last) in self._in_a_row.items():
            if count >= self.settings.stop_after_failures:
                said = f"{count} calls in a row failed ({outcome}: {last.message}); nothing more was sent."
                self._fatal.setdefault(provider, last.error(said, stopped=True))
        if call.provider.id in self._fatal:
            raise self._fatal[call.provider.id]
        check_call(self.terms.budget, self.tally, call.price, self.settings.asr_usd_per_hour, call.route.id)

    def _counted(self, answer: Answer) -> Answer:
        """``answer``, counted among the failures of its kind in a row; any other one ends the row."""
        key = (answer.provider, answer.outcome)
        if answer.outcome in TROUBLE:
            self._in_a_row[key] = (self._in_a_row.get(key, (0, answer))[0] + 1, answer)
        else:
            self._in_a_row = {k: row for k, row in self._in_a_row.items() if k[0] != answer.provider}
        return answer

    def _limiter(self, provider: Provider) -> Limiter:
        key = provider.scope.id
        if key not in self._limiters:
            rate = provider.rate or self.settings.global_qps
            self._limiters[key] = Limiter(self._shared, key, rate, self.terms.tell)
        return self._limiters[key]

    def _timeout(self, call: _Call) -> float:
        """Seconds that this call may take.

        Raises:
            DeadlinePassed: none are left.
        """
        timeout, left = self.settings.timeout_ms / 1000, self.deadline.remaining()
        if left is None:
            return timeout
        if left <= 0:
            raise DeadlinePassed
        # To hang up is to pay for an answer that nobody reads, and not to know what became of a submission: both may
        # outlast the deadline a little.
        grace = SUBMISSION_GRACE_SECONDS if not call.repeatable else READ_GRACE_SECONDS if call.route.price else 0.0
        return min(timeout, left + grace)

    async def _send(self, call: _Call, identity: Mapping[str, str], timeout: float) -> Verdict:
        url = call.provider.url(call.prepared.path)
        if call.prepared.query:
            url += "?" + urlencode(call.prepared.query)
        kept = {name.lower() for name in identity} | {"host"}
        own = {name: value for name, value in call.headers.items() if name.lower() not in kept}
        self.tally.calls += 1
        try:
            reply = await self.transport.send(
                call.route.method,
                url,
                headers={"Accept": "application/json", **own, **identity},
                timeout_s=timeout,
                json=None if call.prepared.json is MISSING else call.prepared.json,
                files={n: (Path(p).name, Path(p).read_bytes()) for n, p in call.prepared.files.items()} or None,
            )
        except Failure as failure:
            return of_failure(failure)
        verdict = of_reply(call.route, reply, datetime.now(UTC))
        # Before anything of it is cut: half of a secret is one, too. Only a cookie is known to be told back.
        body = redact.within(verdict.body) if cookies.input_of(call.route) in call.shown else verdict.body
        return replace(verdict, body=body, message=redact.secrets_in(verdict.message)[:MESSAGE_MOST])

    def _book(self, call_id: int, call: _Call, verdict: Verdict) -> float:
        """Count what came back, write it down and say when it came. What cannot be written was paid for all the same.

        Then the answer still goes to who asked for it, and nothing more is sent.
        """
        billed = served(verdict.status) and call.route.price > 0 if verdict.billed is None else verdict.billed
        price = (call.price or 0.0) if billed else 0.0
        if billed:
            self.tally.billed += 1
            self.tally.usd += price
            if call.price is None:
                self.tally.unpriced.add(call.route.provider)
        try:
            return self.ledger.calls.finish(
                call_id,
                outcome=verdict.outcome,
                status=verdict.status,
                request_id=verdict.request_id,
                message=verdict.message,
                billed=billed,
                price_usd=price,
                body=verdict.body,
            )
        except TikomniError as error:
            self._unkept = error
            self.terms.tell(f"{call.route.id} was answered, but the answer could not be kept: {error.message}")
            return time.time()

    def _again(self, verdict: Verdict, tries: int, repeatable: bool) -> bool:
        if not repeatable and verdict.accepted:
            return False  # a submission that may have been accepted is never sent twice
        allowed = POLICY[verdict.outcome].retries
        most = self.settings.timeout_retry_max if allowed is None else min(allowed, self.settings.timeout_retry_max)
        if verdict.accepted and not verdict.readable:
            most = min(most, UNREADABLE_RETRIES)  # probably charged: asked for once more
        elif served(verdict.status):
            most = 0  # charged, and an answer
        if verdict.status is not None and 300 <= verdict.status < 400:
            most = 0
        return tries < most and self.tally.retries < RETRIES_AT_LEAST + RETRIES_SHARE * self.tally.calls

    def _backoff(self, tries: int) -> float:
        base = self.settings.timeout_retry_backoff_ms / 1000 * 2 ** max(0, tries - 1)
        return min(BACKOFF_MOST, base) * random.uniform(0.75, 1.25)

    def judge(self, answer: Answer, outcome: Outcome) -> Answer:
        """Correct an answer's outcome by what its reader found, in the ledger too.

        An error in a served answer may well be what the platform says of a work that is gone: no trouble then.
        """
        if answer.call_id is not None and answer.outcome is not outcome and self._unkept is None:
            self.ledger.calls.judge(answer.call_id, outcome)
        judged = replace(answer, outcome=outcome)
        return self._counted(judged) if served(answer.status) and outcome not in TROUBLE else judged


def refusal(route: Route) -> RefusedError:
    """The error for a route whose effect was not allowed."""
    never = route.effect == "inflate"
    return RefusedError(
        "effect_refused",
        f"{route.id} would {EFFECTS.get(route.effect, route.effect)}: {route.summary}.",
        details={"route": route.id, "effect": route.effect},
        hint="Such a route is never called." if never else f"Add --allow {route.effect} if that is wanted.",
    )


def _answer(call: _Call, verdict: Verdict, call_id: int, at: float) -> Answer:
    return Answer(
        call.route,
        verdict.outcome,
        verdict.body,
        verdict.message,
        verdict.status,
        verdict.request_id,
        accepted=verdict.accepted,
        call_id=call_id,
        at=at,
        provider=call.provider.id,
    )
