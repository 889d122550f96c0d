"""The one JSON document that a command prints, kept small enough for an agent to read.

Builds and shortens plain objects; prints nothing and decides no exit status by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tikomni.errors import EXIT_COMPLETE, EXIT_PARTIAL, EXIT_UPSTREAM, TikomniError

Status = Literal["complete", "partial", "incomplete", "failed"]

TOKEN_BUDGET = 1500
TEXT_LIMIT = 500
LIST_LIMIT = 10
# The rows that were asked for, and the tasks that wait, are cut last.
ROWS_OF, ROWS = ("works", "items", "creators", "tasks"), 20
# Limits of texts, lists and rows, from the first try to the last; whether paths, links and commands stay whole.
STEPS = (
    (TEXT_LIMIT, LIST_LIMIT, ROWS, True),
    *((300, 6, ROWS, True), (160, 4, ROWS, True), (100, 3, 10, True), (60, 2, 10, True)),
    *((40, 1, 6, True), (40, 1, 3, True), (40, 1, 1, True), (40, 1, 1, False)),
)

# Members of fact documents whose text was written by strangers. An agent must read it as data.
UNTRUSTED = frozenset(
    "author_handle author_name caption_raw clean data ip_location name outline primary_text raw selection signature"
    " text title topics verified_reason".split()
)
# Left to the file whose path is given: long, and of use to programs rather than to a reader.
LEFT_OUT = frozenset({"segments", "field_sources"})

# Where scripts begin of which one character is about one token: CJK, kana, hangul, full-width forms, emoji.
_WIDE_FROM = "\u2e80"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run asked of the upstream. ``asr_seconds`` were transcribed on our account, billed or about to be.

    ``asr_seconds_in_doubt`` were sent another way as well: the first job for them may still be charged.
    ``tokens_in`` and ``tokens_out`` are what a model read and wrote, as its server counts.
    """

    calls: int = 0
    billed_calls: int = 0
    cached_calls: int = 0
    repeated_calls: int = 0
    asr_seconds: float = 0
    asr_seconds_in_doubt: float = 0
    estimated_usd: float | None = 0.0
    unpriced: tuple[str, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0

    def as_dict(self) -> dict[str, Any]:
        seconds = int(self.asr_seconds) if self.asr_seconds == int(self.asr_seconds) else round(self.asr_seconds, 1)
        usd = None if self.estimated_usd is None else round(self.estimated_usd, 6)
        document: dict[str, Any] = {
            "calls": self.calls,
            "billed_calls": self.billed_calls,
            "cached_calls": self.cached_calls,
            "asr_seconds": seconds,
            "estimated_usd": usd,
            "unpriced": list(self.unpriced),
        }
        if self.asr_seconds_in_doubt:
            document["asr_seconds_in_doubt"] = round(self.asr_seconds_in_doubt, 1)
        if self.repeated_calls:
            document["repeated_calls"] = self.repeated_calls
        if self.tokens_in or self.tokens_out:
            document |= {"tokens_in": self.tokens_in, "tokens_out": self.tokens_out}
        return document


@dataclass(frozen=True, slots=True)
class Next:
    """A command that goes on from here, absolute and ready to paste."""

    command: str
    why: str
    wait_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"command": self.command, "why": self.why} | ({"wait_s": self.wait_s} if self.wait_s else {})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command hands to the printer.

    ``plain`` are the lines for a person at a terminal, for the commands that a person types.
    """

    result: Mapping[str, Any] = field(default_factory=dict)
    status: Status = "complete"
    run_id: str | None = None
    warnings: tuple[str, ...] = ()
    cost: Cost | None = None
    next: tuple[Next, ...] = ()
    error: TikomniError | None = None
    plain: tuple[str, ...] | None = None
    full: bool = False

    @property
    def exit_status(self) -> int:
        if self.error is not None and (self.status == "failed" or self.error.code == "interrupted"):
            return self.error.exit_status
        return {"complete": EXIT_COMPLETE, "failed": EXIT_UPSTREAM}.get(self.status, EXIT_PARTIAL)


def failure(error: TikomniError, **members: Any) -> Outcome:
    """The outcome of a command that could not do what it was asked."""
    commands = (Next(error.next_command, error.hint()),) if error.next_command else ()
    return Outcome(status="failed", error=error, next=commands, **members)


def envelope(command: str, outcome: Outcome, language: str = "en") -> dict[str, Any]:
    """The document for stdout: within the token budget unless ``outcome.full``; empty members left out."""
    head: dict[str, Any] = {"ok": outcome.status != "failed", "command": command, "status": outcome.status}
    if outcome.run_id:
        head["run_id"] = outcome.run_id
    tail: dict[str, Any] = {}
    if outcome.warnings:
        tail["warnings"] = list(outcome.warnings)
    if outcome.cost and (outcome.cost.calls or outcome.cost.cached_calls or outcome.cost.asr_seconds):
        tail["cost"] = outcome.cost.as_dict()
    if outcome.next:
        tail["next"] = [n.as_dict() for n in outcome.next]
    if outcome.error is not None:
        tail["error"] = outcome.error.as_dict(language)
    result = json.loads(json.dumps(outcome.result, default=list)) if outcome.result else {}
    if not outcome.full:
        budget = TOKEN_BUDGET - tokens(json.dumps(head | tail, ensure_ascii=False)) - 20
        result = fit(result, budget)
        tail = _fit_tail(tail, TOKEN_BUDGET - tokens(json.dumps(head | {"result": result}, ensure_ascii=False)))
    if result:
        head["result"] = result
    if untrusted := untrusted_paths(result):
        tail["untrusted"] = untrusted
    order = ("warnings", "untrusted", "cost", "next", "error")
    return head | {name: tail[name] for name in order if name in tail}


def tokens(text: str) -> int:
    """Estimated tokens of ``text``: one for each CJK character, one for each four others (design, Contracts)."""
    wide = sum(map(_WIDE_FROM.__le__, text))
    return wide + -(-(len(text) - wide) // 4)


def fit(result: Any, budget: int) -> Any:
    """``result`` shortened step by step until it, and where strangers' words stand in it, fit ``budget`` tokens.

    Texts are cut first (``<name>_chars`` says how long they were), then lists (``<name>_count``), the rows that were
    asked for last; scalars stay. Paths, links and commands are cut where nothing else is left.
    """
    shortened = result
    for limits in STEPS:
        shortened = shorten(result, *limits)
        told = [shortened, untrusted_paths(shortened)]
        if tokens(json.dumps(told, ensure_ascii=False)) <= budget:
            break
    return shortened


def shorten(node: Any, text_limit: int, list_limit: int, rows: int = ROWS, whole: bool = True) -> Any:
    """A copy of ``node`` whose texts and lists are within the limits; see ``fit``."""
    limits = text_limit, list_limit, rows, whole

    def too_long(name: str, text: str) -> bool:
        return len(text) > text_limit and not (whole and _keeps_whole(name, text))

    if isinstance(node, dict):
        short: dict[str, Any] = {}
        for name, value in node.items():
            if name in LEFT_OUT:
                continue
            if isinstance(value, str) and too_long(name, value):
                short[name] = value[:text_limit] + "…"
                short[f"{name}_chars"] = len(value)
            elif isinstance(value, list) and len(value) > (most := rows if name in ROWS_OF else list_limit):
                if name in ROWS_OF or text_limit < TEXT_LIMIT:
                    short[name] = [shorten(v, *limits) for v in value[:most]]
                short[f"{name}_count"] = len(value)
            else:
                short[name] = value if isinstance(value, str) else shorten(value, *limits)
        return short
    if isinstance(node, list):
        return [shorten(v, *limits) for v in node]
    return node[:text_limit] + "…" if isinstance(node, str) and too_long("", node) else node


def _keeps_whole(name: str, value: str) -> bool:
    """Paths, links and commands are of no use when cut."""
    names = ("path", "_url", "_to", "card", "command", "hand_in")
    return name.endswith(names) or value.startswith(("http://", "https://", "/"))


def _fit_tail(tail: dict[str, Any], budget: int) -> dict[str, Any]:
    """Long warnings and error details give way last; commands never do."""
    if tokens(json.dumps(tail, ensure_ascii=False)) <= budget:
        return tail
    tail = dict(tail)
    if len(tail.get("warnings", ())) > 5:
        tail["warnings"] = [*tail["warnings"][:5], f"… and {len(tail['warnings']) - 5} more, in the run's document."]
    if "error" in tail:
        tail["error"] = tail["error"] | {
            "message": tail["error"]["message"][:400],
            "details": shorten(tail["error"]["details"], 120, 4),
        }
    return tail


def untrusted_paths(result: Any) -> list[str]:
    """Where in the result strangers' words stand; list positions are folded into ``[]``."""

    def walk(value: Any, at: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, child in value.items():
                if name not in UNTRUSTED:
                    yield from walk(child, f"{at}.{name}")
                elif child:
                    yield f"{at}.{name}"
        elif isinstance(value, list):
            for child in value:
                yield from walk(child, at + "[]")

    return list(dict.fromkeys(walk(result, "result")))


def dump(document: Mapping[str, Any], pretty: bool) -> str:
    """One JSON document; lone surrogates of odd input become escapes, so that it can always be written."""
    text = json.dumps(
        document, ensure_ascii=False, indent=2 if pretty else None, separators=None if pretty else (",", ":")
    )
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
