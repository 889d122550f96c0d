"""One question to a model at an OpenAI-compatible server: asked once, answered once, journaled like any paid call.

A question is a submission: it is charged whether its answer arrives or not. So its intent is in the ledger before a
byte leaves, an answer stands for the same question for ever, and one that may have been accepted is not sent again in
the same run. Sends text alone: the model has no tools, and nothing that it says is acted upon here.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tikomni import redact
from tikomni.catalog import Route
from tikomni.dispatch.dispatcher import LOOK_SECONDS, SUBMISSION_GRACE_SECONDS, Dispatcher
from tikomni.dispatch.http import LOOPBACK, Failure
from tikomni.dispatch.ledger import Scope, fingerprint
from tikomni.dispatch.ledger.calls import UNKNOWN, Calls
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.dispatch.outcomes import POLICY, Outcome, Verdict, of_failure, of_reply, served
from tikomni.dispatch.shelf import MODEL
from tikomni.dispatch.terms import check_model
from tikomni.envelope import tokens
from tikomni.errors import InputError, RefusedError, TikomniError, UpstreamError
from tikomni.settings import PREFIX, Settings, check_key

# How an answer may be asked for, from the strictest: a server that refuses one is asked in the next.
FORMS = ("json_schema", "json_object", "plain")
# How its longest is named: newer models of the first such server know the second alone.
LIMITS = ("max_tokens", "max_completion_tokens")
# What an answer may be long, in tokens: the least of what the providers' models write at once.
MOST_TOKENS = 8000
MOST_BYTES = 4 * 1024 * 1024
# To hang up on a model is to pay for nothing: with less time than this left nothing is asked.
LEAST_SECONDS = 20.0
MILLION = 1_000_000

ROUTE = Route.from_row(
    {
        "id": MODEL,
        "method": "POST",
        "path": "/chat/completions",
        "provider": "llm",
        "tag": "llm",
        "summary": "ask a model",
        "summary_zh": "询问模型",
        "object": "analysis",
        "effect": "generate",
        "response": "json",
        "in_catalogue": False,
        "tikhub": False,
    }
)
# A server that says in JSON that it failed has charged nothing; what says these may stand in front of one that works.
_GATEWAY = (408, 502, 504)
_FORM_WORDS = ("response_format", "json_schema", "json_object", "structured output", "json mode")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is asked. ``form``: the strictest that it is known to take; ``price``: USD for a million tokens read and
    written, ``None`` where nobody here knows it."""

    provider: str
    base_url: str
    model: str
    form: str
    price: tuple[float, float] | None
    key: str | None = field(default=None, repr=False)

    @property
    def scope(self) -> Scope:
        return Scope.of(self.base_url, self.key or "")

    def name(self, messages: Sequence[Mapping[str, str]], about: Mapping[str, Any]) -> str:
        """One name for a question: equal words about the same to an equal model at the same account."""
        asked = {"model": self.model, "messages": list(messages), "about": dict(about), "most": MOST_TOKENS}
        return fingerprint(self.scope, ROUTE.id, asked)

    def usd(self, read: int, written: int) -> float | None:
        return None if self.price is None else (read * self.price[0] + written * self.price[1]) / MILLION


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said, as text. ``whole``: it was not cut at its longest."""

    text: str
    whole: bool


def endpoint(settings: Settings) -> Endpoint:
    """Whom the settings name.

    Raises:
        InputError: ``config``, naming what is lacking; ``missing_key``, ``placeholder_key``.
    """
    presets = _presets()
    name = settings.llm_provider
    if name is not None and name not in presets:
        raise InputError("config", f"{PREFIX}LLM_PROVIDER={name!r}: expected one of {', '.join(presets)}.")
    if name is None and settings.llm_base_url is None:
        raise InputError(
            "config",
            "--analyst needs a model, and none is set.",
            hint=f"Set {PREFIX}LLM_PROVIDER ({', '.join(presets)}), or {PREFIX}LLM_BASE_URL and {PREFIX}LLM_MODEL.",
        )
    preset = presets.get(name, {"form": FORMS[0]})
    base_url = (settings.llm_base_url or preset["base_url"]).rstrip("/")
    model = settings.llm_model or preset.get("model")
    if not model:
        raise InputError("config", f"{PREFIX}LLM_MODEL is not set, and {name or base_url} has no model by default.")
    variable, key = PREFIX + "LLM_API_KEY", settings.llm_api_key
    # A provider's own key goes to its own address alone.
    if not key and settings.llm_base_url is None and (key := settings.foreign_keys.get(preset.get("key"))):
        variable = preset["key"]
        redact.register([key])
    if key or urlsplit(base_url).hostname not in LOOPBACK:
        key = check_key(key, variable)
    known = None if settings.llm_base_url else preset.get("usd_per_mtok")
    price = _price(settings.llm_usd_per_mtok) or (known and (float(known[0]), float(known[1])))
    return Endpoint(name or "custom", base_url, model, preset["form"], price, key)


def stored(calls: Calls, name: str, max_age: float = float("inf")) -> Said | None:
    """The answer to the question of this name that was paid for, in the last ``max_age`` seconds, if there is one."""
    found = calls.stored(name, max_age)
    return None if found is None else _said(found.body)


class Model:
    """The model of one run, asked through the run's dispatcher: its connections, ledger, budget and deadline.

    Args:
        fresh: stored answers do not count.
    """

    def __init__(self, endpoint: Endpoint, dispatcher: Dispatcher, *, fresh: bool = False) -> None:
        self.endpoint = endpoint
        self._dispatcher = dispatcher
        self._settings = dispatcher.settings
        self._calls = dispatcher.ledger.calls
        self._fresh = fresh
        self._form: str | None = None
        self._limit = LIMITS[0]
        self._fatal: TikomniError | None = None
        self._failures = 0

    async def ask(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any], about: Mapping[str, Any]
    ) -> Said:
        """Ask, or answer from the ledger.

        Args:
            schema: what the answer has to follow.
            about: what the ledger writes down of the question: whom it speaks of, and which of several it is.

        Raises:
            InputError: ``rejected_key``; nothing more is asked in this run.
            RefusedError: ``budget``; also where an answer was lost twice, or once with ``--no-resubmit``.
            UpstreamError: no answer came.
            DeadlinePassed: no time is left to ask.
        """
        name, since = self.endpoint.name(messages, about), time.time()
        if not self._fresh and (said := self._stored(name)):
            return said
        tries, repeats = 0, self._lost(name)
        while True:
            form = self._form_in_use()
            body = self._body(messages, schema, form)
            most = self.endpoint.usd(tokens(json.dumps(body, ensure_ascii=False)), MOST_TOKENS)
            self._check(most)
            timeout = self._timeout()
            inputs = json.dumps({**about, "model": self.endpoint.model, "form": form}, ensure_ascii=False)
            run_id = self._dispatcher.terms.run_id
            call_id = self._calls.begin_alone(
                self.endpoint.scope, name, ROUTE.id, inputs, since, run_id=run_id, repeats=repeats
            )
            if call_id is None:  # another process is asking the same: its answer serves us too
                await asyncio.sleep(LOOK_SECONDS)
                if said := self._stored(name, time.time() - since + 1):
                    return said
                repeats = self._lost(name)
                continue
            self._dispatcher.tally.repeated += repeats is not None
            repeats = None
            verdict = await self._send(body, timeout, most)
            self._book(call_id, verdict, most)
            if verdict.outcome is Outcome.OK:
                self._failures = 0
                return _said(verdict.body)
            if self._adapts(verdict, form):
                continue
            pause = verdict.retry_after or self._settings.timeout_retry_backoff_ms / 1000 * 2**tries
            if not self._may_try_again(verdict, tries, pause):
                raise self._failed(verdict)
            tries += 1
            await asyncio.sleep(pause)

    def _stored(self, name: str, max_age: float = float("inf")) -> Said | None:
        said = stored(self._calls, name, max_age)
        self._dispatcher.tally.cached += said is not None
        return said

    def _lost(self, name: str) -> int | None:
        """The row of the same question whose answer was lost, where it may be sent once more; both may be charged.

        Raises:
            RefusedError: ``budget``, where it may not.
        """
        rows = self._calls.in_doubt(name)
        if not rows:
            return None
        told = "The model was asked this before, and its answer was lost"
        if not self._fresh and (len(rows) > 1 or not self._dispatcher.terms.resubmit):
            why = " twice; it is not asked again." if len(rows) > 1 else "; --no-resubmit leaves it so."
            hint = "npx tikomni-skills card write --task DIR --analyst openai-compatible --fresh asks it once more."
            raise RefusedError("budget", f"{told}{why}", hint=hint)
        self._dispatcher.terms.tell(f"{told}; it is asked once more, and both may be charged.")
        return rows[-1]

    def _form_in_use(self) -> str:
        """The strictest form that this server took last, or is known to take."""
        if self._form is None:
            answered = [] if self._fresh else self._calls.answered(self.endpoint.scope, ROUTE.id)
            forms = [row.get("form") for row in answered if row.get("model") == self.endpoint.model]
            self._form = next((form for form in forms if form in FORMS), self.endpoint.form)
        return self._form

    def _adapts(self, verdict: Verdict, form: str) -> bool:
        """Whether the server refused no more than how it was asked, in so many words, and takes it another way."""
        if verdict.outcome is not Outcome.INVALID:
            return False
        said = verdict.message.lower()
        if self._limit != LIMITS[1] and LIMITS[1] in said:
            self._limit = LIMITS[1]
            return True
        if form != FORMS[-1] and any(word in said for word in _FORM_WORDS):
            self._form = FORMS[FORMS.index(form) + 1]
            return True
        return False

    def _body(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any], form: str) -> dict[str, Any]:
        body = {"model": self.endpoint.model, "messages": list(messages), self._limit: MOST_TOKENS}
        if form == "json_schema":
            body["response_format"] = {"type": form, "json_schema": {"name": "answer", "schema": _plain(schema)}}
        elif form == "json_object":
            body["response_format"] = {"type": form}
        return body

    def _check(self, most: float | None) -> None:
        """Whether a question that may cost ``most`` USD may be sent."""
        if self._fatal is not None:
            raise self._fatal
        per_hour = self._settings.asr_usd_per_hour
        check_model(self._dispatcher.terms.budget, self._settings.llm_max_cost, self._dispatcher.tally, most, per_hour)

    def _timeout(self) -> float:
        """Seconds that this question may take.

        Raises:
            DeadlinePassed: too few are left.
        """
        left = self._dispatcher.deadline.remaining()
        if left is None:
            return self._settings.llm_timeout_sec
        if left < LEAST_SECONDS:
            raise DeadlinePassed
        return min(self._settings.llm_timeout_sec, left + SUBMISSION_GRACE_SECONDS)

    async def _send(self, body: Mapping[str, Any], timeout: float, most: float | None) -> Verdict:
        tally, key = self._dispatcher.tally, self.endpoint.key
        tally.calls += 1
        tally.reserved_usd += most or 0.0
        tally.model_usd += most or 0.0
        try:
            reply = await self._dispatcher.transport.send(
                ROUTE.method,
                self.endpoint.base_url + ROUTE.path,
                headers={"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})},
                json=body,
                timeout_s=timeout,
                most_bytes=MOST_BYTES,
            )
        except Failure as failure:
            return of_failure(failure)
        finally:
            tally.reserved_usd -= most or 0.0
            tally.model_usd -= most or 0.0
        return _judged(of_reply(ROUTE, reply, datetime.now(UTC)))

    def _book(self, call_id: int, verdict: Verdict, most: float | None) -> None:
        """Count what came back and write it down. What cannot be written was paid for all the same; it ends the run."""
        tally = self._dispatcher.tally
        read, written = _usage(verdict.body)
        # Where the server does not tell what it counted, the most that it can have cost.
        price = most if read is None or written is None else self.endpoint.usd(read, written)
        billed = served(verdict.status) and verdict.accepted and price != 0.0
        usd = (price or 0.0) if billed else 0.0
        tally.tokens_in += read or 0
        tally.tokens_out += written or 0
        tally.usd += usd
        tally.model_usd += usd
        tally.billed += billed
        if billed and price is None:
            tally.unpriced.add(ROUTE.provider)
        outcome = UNKNOWN if verdict.accepted and verdict.outcome is not Outcome.OK else verdict.outcome
        try:
            self._calls.finish(
                call_id,
                outcome=outcome,
                status=verdict.status,
                request_id=verdict.request_id,
                message=redact.secrets_in(verdict.message),
                billed=billed,
                price_usd=usd,
                body=verdict.body,
                tokens=(read, written),
            )
        except TikomniError as error:
            self._fatal = error
            self._dispatcher.terms.tell(f"The model answered, but the answer could not be kept: {error.message}")

    def _may_try_again(self, verdict: Verdict, tries: int, pause: float) -> bool:
        if verdict.accepted or POLICY[verdict.outcome].retries is not None or 300 <= (verdict.status or 0) < 400:
            return False
        left = self._dispatcher.deadline.remaining()
        return tries < self._settings.timeout_retry_max and (left is None or left > pause + LEAST_SECONDS)

    def _failed(self, verdict: Verdict) -> TikomniError:
        """The error for an answer that did not come; of some kinds nothing more is asked in this run."""
        outcome = Outcome.INVALID if verdict.outcome in (Outcome.EMPTY, Outcome.GONE) else verdict.outcome
        code = POLICY[outcome].error
        who = f"{self.endpoint.model} at {self.endpoint.base_url}"
        said = redact.text(verdict.message)[:200] or outcome
        details = {"model": self.endpoint.model, "status": verdict.status}
        hint = "Check TIKOMNI_LLM_API_KEY, and the address that it belongs to." if code == "rejected_key" else None
        if verdict.accepted:
            hint = "The same command asks once more; both may be charged. A longer --deadline, or 0, may help."
        kind = InputError if code == "rejected_key" else UpstreamError
        error = kind(code, f"{who}: {said}.", hint=hint, details=details)
        self._failures += 1
        if verdict.outcome in (Outcome.AUTH, Outcome.QUOTA) or self._failures >= self._settings.stop_after_failures:
            self._fatal = error
        return error


def _judged(verdict: Verdict) -> Verdict:
    """``verdict`` with what is particular to a model's server: what it refused in so many words, it did not charge."""
    body, status = verdict.body, verdict.status or 0
    if verdict.outcome is Outcome.OK and _message_of(body) is None:
        told = isinstance(body, dict) and "error" in body
        message = verdict.message if told else "the answer holds no message"
        return replace(verdict, outcome=Outcome.UPSTREAM, message=message, accepted=not told, body=None)
    if status >= 400 and isinstance(body, dict) and status not in _GATEWAY:
        return replace(verdict, accepted=False, body=None)
    return verdict if verdict.outcome is Outcome.OK else replace(verdict, body=None)


def _message_of(body: Any) -> Mapping[str, Any] | None:
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    return message if isinstance(message, dict) else None


def _said(body: Any) -> Said:
    content = (_message_of(body) or {}).get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    whole = body["choices"][0].get("finish_reason") != "length"
    return Said(content if isinstance(content, str) else "", whole)


def _usage(body: Any) -> tuple[int | None, int | None]:
    """Tokens read and written, as the server counts; ``None`` where it does not say."""
    usage = body.get("usage") if isinstance(body, dict) else None
    counts = [usage.get(name) if isinstance(usage, dict) else None for name in ("prompt_tokens", "completion_tokens")]
    read, written = (n if isinstance(n, int) and not isinstance(n, bool) and n >= 0 else None for n in counts)
    return read, written


def _plain(schema: Any) -> Any:
    """``schema`` without members of our own (``x-…``), which strict servers refuse."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _plain(value) for name, value in schema.items() if not name.startswith("x-")}


def _price(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        read, written = (float(part) for part in text.split(","))
    except ValueError:
        read = written = -1.0
    if not (0 <= read < MILLION and 0 <= written < MILLION):
        raise InputError("config", f"{PREFIX}LLM_USD_PER_MTOK={text!r}: expected two numbers, such as 0.5,1.5.")
    return read, written


@cache
def _presets() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("llm.json").read_text(encoding="utf-8"))
