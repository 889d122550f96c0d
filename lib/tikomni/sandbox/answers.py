"""What the sandbox says: an answer, the envelope around it, and how it travels.

Pure values. The delivery fields of an ``Answer`` describe a bad line (late, in drops, broken off) as data, so that
``faults`` can bend any answer without knowing a socket. Nothing here sends, bills or knows a route's meaning.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

ORIGIN = "http://sandbox.invalid"
"""Stands in an answer for the sandbox's own address, until it is sent."""
ZONE = "America/Los_Angeles"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. ``headers`` are lower-case; a content length is added where none is given.

    ``wait_s`` passes before the headers; the body goes out in ``pieces`` with ``pause_s`` before each but the
    first; ``cut_at`` bytes of it are sent before the connection drops (-1: not even the headers; None: all of it).
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    pieces: int = 1
    pause_s: float = 0.0
    cut_at: int | None = None


class Refusal(Exception):
    """The request goes no further. Carries the answer that says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    """``value`` as a JSON answer. Header names are written with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, {"content-type": "application/json"} | named)


def refuse(status: int, message: str, params: Mapping[str, Any] | None = None, **headers: str) -> Refusal:
    """A refusal worded as the upstream words its own: the code again, and a message, below ``detail``.

    ``params`` tells back what was asked, secrets and all, as the upstream does where a platform refused it.
    """
    detail = {"code": status, "message": message, "support": SUPPORT}
    if params is not None:
        detail["params"] = dict(params)
    return Refusal(as_json({"detail": detail}, status, **headers))


def not_allowed(*methods: str) -> Refusal:
    """A path that answers to other methods."""
    return Refusal(as_json({"detail": "Method Not Allowed"}, 405, allow=", ".join(methods)))


SUPPORT = "support@sandbox.invalid"
MESSAGE = ("Request successful. This request will incur a charge.", "请求成功，本次请求将被计费。")
CACHE_MESSAGE = (
    "This request will be cached. You can access the cached result directly using the URL below, valid for 24 "
    "hours. Accessing the cache will not incur additional charges.",
    "本次请求将被缓存，你可以使用下面的 URL 直接访问缓存结果，有效期为 24 小时，访问缓存不会产生额外费用。",
)


def new_id() -> str:
    return str(uuid.uuid4())


def envelope(data: Any, request_id: str, router: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The upstream's wrapping of ``data``; ``params`` echoes what was asked."""
    now = datetime.now(ZoneInfo(ZONE))
    return {
        "code": 200,
        "request_id": request_id,
        "message": MESSAGE[0],
        "message_zh": MESSAGE[1],
        "support": SUPPORT,
        "time": now.strftime("%Y-%m-%d %H:%M:%S"),
        "time_stamp": int(now.timestamp()),
        "time_zone": ZONE,
        "docs": f"{ORIGIN}/docs#{router}",
        "cache_message": CACHE_MESSAGE[0],
        "cache_message_zh": CACHE_MESSAGE[1],
        "cache_url": f"{ORIGIN}/cache/{request_id}?sign={request_id[:8]}",
        "router": router,
        "params": dict(params),
        "data": data,
    }
