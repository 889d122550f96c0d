"""Everything that can go wrong on the way to the upstream and back, on request.

    sandbox.faults.add("douyin.app.v3.fetch_one_video", "status", status=503, times=2)
    sandbox.faults.add("*", "close_after")

A fault waits for a route id (``*``: any), is used up after ``times`` (None: never) and changes one answer. Kinds of
the first table stand in for the work: nothing is done and nothing billed. Kinds of the second bend the answer of
work that was done and billed. ``asr`` hands its options to the speech service as the script of one job, ``llm`` to the
model (see ``llm``) for one answer.
This module decides; it sends nothing.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from http import HTTPStatus
from typing import Any

from tikomni.sandbox.answers import SUPPORT, Answer, as_json
from tikomni.sandbox.asr import Script
from tikomni.sandbox.llm import MANNERS


@dataclass(slots=True)
class Fault:
    """One thing that will go wrong. ``skip`` calls pass unharmed first."""

    route: str
    kind: str
    times: int | None = 1
    skip: int = 0
    options: dict[str, Any] = field(default_factory=dict)


class Faults:
    """Faults in the order they were added; the first that fits a call is used. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, route: str, kind: str, times: int | None = 1, skip: int = 0, **options: Any) -> None:
        """One more fault; ValueError for a kind that there is not, or an ``asr`` option that a script has not."""
        if kind not in KINDS:
            raise ValueError(f"No fault is called {kind!r}; there are {', '.join(sorted(KINDS))}.")
        if kind == "asr":
            Script.made_of(Script(), options)
        if kind == "llm" and options.get("manner", "well") not in MANNERS:
            raise ValueError(f"No manner is called {options['manner']!r}; there are {', '.join(MANNERS)}.")
        with self._lock:
            self._waiting.append(Fault(route, kind, times, skip, options))

    def reset(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, route: str) -> Fault | None:
        """The fault that befalls this call, if any; counts it as used."""
        with self._lock:
            for fault in self._waiting:
                if fault.route not in ("*", route):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                return fault
        return None


def instead(fault: Fault | None, address: str) -> Answer | None:
    """The answer that takes the place of the work at ``address``, or None where the work goes on."""
    if fault is None or fault.kind not in INSTEAD:
        return None
    return INSTEAD[fault.kind](fault.options, address)


def bend(fault: Fault | None, answer: Answer) -> Answer:
    """``answer`` as it arrives under this fault."""
    if fault is None or fault.kind not in BENT:
        return answer
    return BENT[fault.kind](fault.options, answer)


# --- instead of the work


def _status(options: Mapping[str, Any], address: str) -> Answer:
    """``status``; ``retry_after`` in seconds, sent as an HTTP date where ``date`` is true."""
    status = options.get("status", 500)
    headers = {}
    if (wait := options.get("retry_after")) is not None:
        when = datetime.now(UTC) + timedelta(seconds=wait)
        headers["retry_after"] = format_datetime(when, usegmt=True) if options.get("date") else str(wait)
    message = options.get("message", HTTPStatus(status).phrase)
    detail = {"code": status, "message": message, "support": SUPPORT}
    return as_json({"detail": detail}, status, **headers)


def _close_before(options: Mapping[str, Any], address: str) -> Answer:
    return Answer(cut_at=-1)


def _html(options: Mapping[str, Any], address: str) -> Answer:
    """A gateway's page, by default with status 200 as captive portals send it."""
    page = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
    return Answer(options.get("status", 200), page, {"content-type": "text/html; charset=utf-8"})


def _redirect(options: Mapping[str, Any], address: str) -> Answer:
    """To ``to``, by default to the same place under another host name, where a key that follows would be seen."""
    to = options.get("to", address.replace("127.0.0.1", "localhost", 1))
    return Answer(options.get("status", 302), b"", {"location": to})


# --- after the work


def _close_after(options: Mapping[str, Any], answer: Answer) -> Answer:
    return replace(answer, cut_at=-1)


def _broken(options: Mapping[str, Any], answer: Answer) -> Answer:
    """The connection drops after half of the body that was announced."""
    return replace(answer, cut_at=len(answer.body) // 2)


def _slow_headers(options: Mapping[str, Any], answer: Answer) -> Answer:
    return replace(answer, wait_s=options.get("seconds", 2.0))


def _drip(options: Mapping[str, Any], answer: Answer) -> Answer:
    """The body takes ``seconds``, in ``pieces``."""
    pieces = options.get("pieces", 10)
    return replace(answer, pieces=pieces, pause_s=options.get("seconds", 2.0) / pieces)


def _cut(options: Mapping[str, Any], answer: Answer) -> Answer:
    """A whole HTTP message whose JSON stops in the middle."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def _content_type(options: Mapping[str, Any], answer: Answer) -> Answer:
    kind = options.get("type", "text/plain")
    return replace(answer, headers={**answer.headers, "content-type": kind})


def _gzip_bomb(options: Mapping[str, Any], answer: Answer) -> Answer:
    headers = {**answer.headers, "content-encoding": "gzip"}
    return replace(answer, body=_bomb(options.get("megabytes", 64)), headers=headers)


@cache
def _bomb(megabytes: int) -> bytes:
    packer, block = zlib.compressobj(9, zlib.DEFLATED, 31), b" " * 1_048_576
    return b"".join([*(packer.compress(block) for _ in range(megabytes)), packer.flush()])


def _error_code(options: Mapping[str, Any], answer: Answer) -> Answer:
    """HTTP 200 with a failure inside, billed like a success. ``inner``: the platform's code, not the envelope's."""
    code = options.get("code", 500)
    message = options.get("message", "服务异常")
    body = json.loads(answer.body)
    if options.get("inner"):
        body["data"] = {"code": code, "success": False, "msg": message, "data": None}
    else:
        body |= {"code": code, "message": message, "message_zh": message, "data": None}
    return replace(answer, body=as_json(body).body)


def _empty(options: Mapping[str, Any], answer: Answer) -> Answer:
    return replace(answer, body=b"")


INSTEAD: dict[str, Callable[[Mapping[str, Any], str], Answer]] = {
    "status": _status,
    "close_before": _close_before,
    "html": _html,
    "redirect": _redirect,
}
BENT: dict[str, Callable[[Mapping[str, Any], Answer], Answer]] = {
    "close_after": _close_after,
    "broken": _broken,
    "slow_headers": _slow_headers,
    "drip": _drip,
    "cut": _cut,
    "content_type": _content_type,
    "gzip_bomb": _gzip_bomb,
    "error_code": _error_code,
    "empty": _empty,
}
KINDS = INSTEAD.keys() | BENT.keys() | {"asr", "llm"}
