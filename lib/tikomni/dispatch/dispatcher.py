"""One route call, from checked inputs to a journaled answer: policy, rate, retries, ledger. Knows no platform."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tikomni import catalog, redact
from tikomni.catalog import Route
from tikomni.catalog.check import MISSING, Prepared, prepare
from tikomni.deadline import Deadline
from tikomni.dispatch import cookies
from tikomni.dispatch.http import Failure, Transport
from tikomni.dispatch.ledger import Ledger, Scope, fingerprint
from tikomni.dispatch.limiter import DeadlinePassed, Limiter
from tikomni.dispatch.outcomes import POLICY, UNREADABLE_RETRIES, Outcome, Verdict, of_failure, of_reply
from tikomni.dispatch.providers import Provider, Providers
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


@dataclass(frozen=True, slots=True)
class Allow:
    """What a caller may do: routes of these effects, and these routes whatever their effect."""

    effects: frozenset[str] = frozenset({"read"})
    routes: frozenset[str] = frozenset()

    def permits(self, route: Route) -> bool:
        return route.effect != "inflate" and (route.effect in self.effects or route.id in self.routes)


READ = Allow()


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
    at: float = field(default_factory=time.time)
    provider: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def empty(self) -> bool:
        """Served as usual, with no data for these inputs; every other way of finding nothing is a failure."""
        return self.outcome is Outcome.EMPTY and self.status == 200 and self.route.response == "envelope"

    def error(self) -> TikomniError:
        """This answer as the failure of a command."""
        code = POLICY[self.outcome].error
        kind = InputError if code == "rejected_key" else UpstreamError
        details = {"route": self.route.id, "status": self.status, "request_id": self.request_id}
        return kind(code, f"{self.route.id}: {self.message or self.outcome}", details=details)


@dataclass(slots=True)
class Tally:
    """Counts while a run goes on; ``Dispatcher.cost`` makes the report of it."""

    calls: int = 0
    billed: int = 0
    cached: int = 0
    usd: float = 0.0
    asr_seconds: float = 0.0
    unpriced: set[str] = field(default_factory=set)


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


class Dispatcher:
    """Calls routes for one run. Use as an async context manager.

    Args:
        settings: the keys in it are looked at when a route needs them.
        deadline: beyond it nothing new is asked; ``DeadlinePassed`` says so.
        fresh: stored answers do not count.
        max_calls: requests that this run may send.
    """

    def __init__(
        self, settings: Settings, deadline: Deadline, *, fresh: bool = False, max_calls: int | None = None
    ) -> None:
        self.settings = settings
        self.deadline = deadline
        self.fresh = fresh
        self.ledger = Ledger(settings.state / "ledger.sqlite3")
        self.transport = Transport(settings.user_agent, settings.http_accept_language, settings.timeout_ms / 1000)
        self.tally = Tally()
        self._max_calls = max_calls
        self._providers = Providers(settings)
        self._limiters: dict[str, Limiter] = {}
        self._fatal: dict[str, TikomniError] = {}
        self._under_way: dict[str, asyncio.Lock] = {}
        self._asked: set[str] = set()  # asked by this run itself: fresh enough even with --fresh

    async def __aenter__(self) -> Dispatcher:
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.transport.__aexit__(*details)
        for limiter in self._limiters.values():
            limiter.close()
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
            asr_seconds=tally.asr_seconds,
            estimated_usd=usd,
            unpriced=tuple(sorted(unpriced)),
        )

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
            max_age: seconds for which a stored answer counts; 0 for polls.
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
        age = self.settings.max_age_sec if max_age is None else max_age
        if call.route.price == 0:
            age = 0  # states of jobs and servers cost nothing and change
        lock = self._under_way.setdefault(call.name, asyncio.Lock())
        async with lock:  # two askers of one run share one answer
            if call.repeatable and age > 0 and (not self.fresh or call.name in self._asked):
                stored = self.ledger.calls.stored(call.name, age)
                if stored is not None:
                    self.tally.cached += 1
                    return Answer(
                        call.route,
                        Outcome(stored.outcome),
                        stored.body,
                        status=stored.status,
                        request_id=stored.request_id,
                        cached=True,
                        call_id=stored.call_id,
                        at=stored.done_at,
                        provider=call.provider.id,
                    )
            answer = await self._ask(call)
            self._asked.add(call.name)
            return answer

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
        if route.input(cookies.INPUT) is not None:
            cookie = inputs.get(cookies.INPUT) or cookies.find(route, self.settings.cookies)
            if cookie:
                inputs = {**inputs, cookies.INPUT: cookie}
            elif any(i.name == cookies.INPUT and i.required for i in route.inputs):
                raise cookies.needed(route)
        prepared = prepare(route, inputs, body)
        provider = self._providers.of(route)
        shown = dict(prepared.inputs)
        if cookies.INPUT in shown:
            shown[cookies.INPUT] = cookies.digest(shown[cookies.INPUT])
        name = fingerprint(provider.scope, route.id, shown)
        return _Call(route, provider, prepared, shown, name, headers, on_send)

    async def _ask(self, call: _Call) -> Answer:
        """Send until the answer is final, as often as policy and settings allow; each try has its own row."""
        scope = call.provider.scope
        limiter = self._limiter(call.provider)
        inputs = json.dumps(call.shown, ensure_ascii=False)
        tries = 0
        renewed = False
        while True:
            if call.provider.id in self._fatal:
                raise self._fatal[call.provider.id]
            if self._max_calls is not None and self.tally.calls >= self._max_calls:
                raise RefusedError("budget", f"{self._max_calls} calls were allowed (--max-calls), and all are made.")
            identity = await call.provider.headers(self.transport)
            await limiter.acquire(self.deadline)
            call.on_send()
            call_id = self.ledger.calls.begin(scope, call.name, call.route.id, inputs)
            verdict = await self._send(call, identity)
            self._book(call_id, call.route, verdict)
            answer = _answer(call, verdict, call_id)
            if verdict.outcome is Outcome.AUTH and not renewed and call.provider.disown(identity):
                renewed = True  # its token ended early; the key itself may well be good
                continue
            if verdict.outcome in (Outcome.QUOTA, Outcome.AUTH) and verdict.status != 403:
                self._fatal[call.provider.id] = answer.error()
                raise self._fatal[call.provider.id]
            if verdict.outcome is Outcome.THROTTLED:
                limiter.pause(verdict.retry_after or self._backoff(tries))
            if not self._again(verdict, tries, call.repeatable):
                return answer
            tries += 1
            pause = self._backoff(tries)
            left = self.deadline.remaining()
            if left is not None and left <= pause:
                return answer
            if verdict.outcome is not Outcome.THROTTLED:
                await asyncio.sleep(pause)

    def _limiter(self, provider: Provider) -> Limiter:
        key = provider.scope.id
        if key not in self._limiters:
            rate = provider.rate or self.settings.global_qps
            self._limiters[key] = Limiter(self.settings.state / "limiter.sqlite3", key, rate)
        return self._limiters[key]

    async def _send(self, call: _Call, identity: Mapping[str, str]) -> Verdict:
        url = call.provider.url(call.prepared.path)
        if call.prepared.query:
            url += "?" + urlencode(call.prepared.query)
        kept = {name.lower() for name in identity} | {"host"}
        own = {name: value for name, value in call.headers.items() if name.lower() not in kept}
        timeout = self.settings.timeout_ms / 1000
        left = self.deadline.remaining()
        if left is not None:
            if left <= 0:
                raise DeadlinePassed
            # To hang up on a submission is not to know whether it was accepted: it may outlast the deadline a little.
            timeout = min(timeout, left + (0 if call.repeatable else SUBMISSION_GRACE_SECONDS))
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
        body = redact.within(verdict.body) if cookies.INPUT in call.shown else verdict.body
        return replace(verdict, body=body, message=redact.secrets_in(verdict.message)[:MESSAGE_MOST])

    def _book(self, call_id: int, route: Route, verdict: Verdict) -> None:
        served = verdict.status is not None and 200 <= verdict.status < 300
        billed = served and route.price > 0 if verdict.billed is None else verdict.billed
        price = route.price if billed and route.provider == "tikomni" else 0.0
        if billed:
            self.tally.billed += 1
            self.tally.usd += price
            if not price:
                self.tally.unpriced.add(route.provider)  # by contract with the user; nothing here knows it
        self.ledger.calls.finish(
            call_id,
            outcome=verdict.outcome,
            status=verdict.status,
            request_id=verdict.request_id,
            message=verdict.message,
            billed=billed,
            price_usd=price,
            body=verdict.body,
        )

    def _again(self, verdict: Verdict, tries: int, repeatable: bool) -> bool:
        if not repeatable and verdict.accepted:
            return False  # a submission that may have been accepted is never sent twice
        allowed = POLICY[verdict.outcome].retries
        most = self.settings.timeout_retry_max if allowed is None else min(allowed, self.settings.timeout_retry_max)
        if verdict.status is not None and 200 <= verdict.status < 300:
            # Served, so probably charged: an unreadable one is asked for once more, an error in the body not at all.
            most = 0 if verdict.readable else min(most, UNREADABLE_RETRIES)
        if verdict.status is not None and 300 <= verdict.status < 400:
            most = 0
        return tries < most

    def _backoff(self, tries: int) -> float:
        base = self.settings.timeout_retry_backoff_ms / 1000 * 2 ** max(0, tries - 1)
        return min(BACKOFF_MOST, base) * random.uniform(0.75, 1.25)

    def judge(self, answer: Answer, outcome: Outcome) -> Answer:
        """Correct an answer's outcome by what its reader found, in the ledger too."""
        if answer.call_id is not None and answer.outcome is not outcome:
            self.ledger.calls.judge(answer.call_id, outcome)
        return replace(answer, outcome=outcome)


def refusal(route: Route) -> RefusedError:
    """The error for a route whose effect was not allowed."""
    never = route.effect == "inflate"
    return RefusedError(
        "effect_refused",
        f"{route.id} would {EFFECTS.get(route.effect, route.effect)}: {route.summary}.",
        details={"route": route.id, "effect": route.effect},
        hint="Such a route is never called." if never else f"Add --allow {route.effect} if that is wanted.",
    )


def _answer(call: _Call, verdict: Verdict, call_id: int) -> Answer:
    return Answer(
        call.route,
        verdict.outcome,
        verdict.body,
        verdict.message,
        verdict.status,
        verdict.request_id,
        accepted=verdict.accepted,
        call_id=call_id,
        provider=call.provider.id,
    )
