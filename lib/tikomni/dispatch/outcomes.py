"""What an answer means: one outcome class for each reply, and what each class allows. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from typing import Any

from tikomni.catalog import Route
from tikomni.dispatch.http import Failure, Reply, TooLarge


class Outcome(StrEnum):
    """The classes that policy is written for; a status code alone decides nothing."""

    OK = "ok"
    EMPTY = "empty"
    GONE = "gone"
    INVALID = "invalid"
    AUTH = "auth"
    QUOTA = "quota"
    THROTTLED = "throttled"
    UPSTREAM = "upstream"
    NETWORK = "network"
    TIMEOUT_BEFORE_SEND = "timeout_before_send"
    TIMEOUT_AFTER_SEND = "timeout_after_send"


@dataclass(frozen=True, slots=True)
class Policy:
    """``retries``: how often a read may be asked again within a run, ``None`` as often as the setting allows.
    ``error``: the code that a user sees when nothing better came."""

    retries: int | None
    error: str


POLICY: dict[Outcome, Policy] = {
    Outcome.OK: Policy(0, "internal"),
    Outcome.EMPTY: Policy(0, "not_found"),
    Outcome.GONE: Policy(0, "gone"),
    Outcome.INVALID: Policy(0, "rejected_input"),
    Outcome.AUTH: Policy(0, "rejected_key"),
    Outcome.QUOTA: Policy(0, "quota"),
    Outcome.THROTTLED: Policy(None, "throttled"),
    Outcome.UPSTREAM: Policy(None, "upstream"),
    Outcome.NETWORK: Policy(None, "network"),
    Outcome.TIMEOUT_BEFORE_SEND: Policy(None, "timeout"),
    Outcome.TIMEOUT_AFTER_SEND: Policy(1, "timeout"),
}

# A reply that was probably charged, but was lost on its way or cannot be read, is asked for once more and not again.
UNREADABLE_RETRIES = 1
# How often a whole run may ask again: so many times, and for this share of its calls.
RETRIES_AT_LEAST = 10
RETRIES_SHARE = 0.2
RETRY_AFTER_MOST = 60.0

_NUMBER = re.compile("-?[0-9]{1,9}")
# Half of a character beyond the first plane: whole ones are written so, too.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_STATUS = {
    400: Outcome.INVALID,
    401: Outcome.AUTH,
    402: Outcome.QUOTA,
    403: Outcome.AUTH,
    404: Outcome.EMPTY,
    405: Outcome.INVALID,
    408: Outcome.UPSTREAM,
    410: Outcome.GONE,
    413: Outcome.INVALID,
    415: Outcome.INVALID,
    422: Outcome.INVALID,
    429: Outcome.THROTTLED,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The meaning of one reply.

    Attributes:
        body: the parsed JSON, ``None`` where there is none.
        message: what the upstream said, or what was wrong.
        accepted: the upstream may have done, and charged, what was asked.
        readable: the reply was JSON, or the file that the route is for.
        billed: whether it was charged, where the answer itself tells; ``None``: served answers are.
    """

    outcome: Outcome
    status: int | None = None
    body: Any = None
    message: str = ""
    request_id: str | None = None
    retry_after: float | None = None
    accepted: bool = False
    readable: bool = True
    billed: bool | None = None


def served(status: int | None) -> bool:
    """Whether a status is that of an answer, which is charged."""
    return status is not None and 200 <= status < 300


def of_failure(failure: Failure) -> Verdict:
    """What a request without a reply means."""
    if isinstance(failure, TooLarge):
        outcome = Outcome.UPSTREAM
    elif failure.timeout:
        outcome = Outcome.TIMEOUT_AFTER_SEND if failure.sent else Outcome.TIMEOUT_BEFORE_SEND
    else:
        outcome = Outcome.NETWORK
    return Verdict(outcome, message=str(failure), accepted=failure.sent, readable=False)


def of_reply(route: Route, reply: Reply, now: datetime) -> Verdict:
    """What ``reply`` to ``route`` means.

    A body with an error code, an empty body, HTML and cut JSON are failures whatever the status says.
    """
    facts: dict[str, Any] = {"status": reply.status, "retry_after": retry_after(reply.headers.get("retry-after"), now)}
    if 300 <= reply.status < 400:
        return Verdict(Outcome.UPSTREAM, message="the upstream redirects; keys follow no redirect", **facts)
    if reply.status == 200 and route.response != "envelope" and is_file(reply):
        return Verdict(Outcome.OK, body=file_body(route, reply), accepted=True, **facts)
    try:
        body = parsed(reply.body) if reply.body.strip() else None
        readable = body is not None
    except (ValueError, RecursionError):
        body, readable = None, False
    facts |= {"body": body, "request_id": _request_id(body)}
    message = _message(body) or f"HTTP {reply.status}"
    if reply.status >= 400:
        outcome = _STATUS.get(reply.status, Outcome.UPSTREAM if reply.status >= 500 else Outcome.INVALID)
        # What answers a 5xx may stand in front of a server that did the work.
        return Verdict(outcome, message=message, accepted=reply.status >= 500 or reply.status == 408, **facts)
    if not readable:
        what = "an empty body" if not reply.body.strip() else f"not JSON ({_look(reply)})"
        return Verdict(Outcome.UPSTREAM, message=f"the answer is {what}", accepted=True, readable=False, **facts)
    if route.provider == "insight":
        outcome = _of_insight(body, message)
        return Verdict(outcome, message=message, accepted=True, billed=outcome is Outcome.OK, **facts)
    return Verdict(_of_body(route, body), message=message, accepted=True, **facts)


def parsed(data: bytes) -> Any:
    """What servers write as JSON: numbers that it does not know (``NaN``, 1e999) are unknown; what is no character
    is U+FFFD.

    Raises:
        ValueError: it is not JSON.
        RecursionError: it is nested too deeply.
    """
    text = data.decode(json.detect_encoding(data), "replace")
    body = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
    if not _SURROGATE.search(data):
        return body
    text = json.dumps(body, ensure_ascii=False)
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return body if whole == text else json.loads(whole)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if isfinite(number) else None


def of_stored(route: Route, data: bytes) -> Any:
    """The body of a good answer that the upstream has kept, ``None`` where these bytes are not one."""
    try:
        body = parsed(data)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and _of_body(route, body) is Outcome.OK else None


# What Content Insight says instead of an answer, without charging for it (vendor's page on the point query).
_INSIGHT = (
    ("does not exist", Outcome.EMPTY),
    ("post is filtered", Outcome.GONE),
    ("only support post in", Outcome.INVALID),
)


def _of_insight(body: Any, message: str) -> Outcome:
    """Its two conventions: ``status`` 0 with data is an answer, whatever ``message`` says; else the message tells."""
    status = body.get("status") if isinstance(body, dict) else None
    if status == 0 and isinstance(body.get("data"), dict):
        return Outcome.OK
    return next((outcome for words, outcome in _INSIGHT if words in message.lower()), Outcome.UPSTREAM)


def is_file(reply: Reply) -> bool:
    """Whether a reply is a file to be kept as it is, rather than JSON or a page that tells of an error."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    return bool(kind) and not kind.endswith("json") and not kind.startswith("text/")


def file_body(route: Route, reply: Reply) -> dict[str, str]:
    """A file as a body that the ledger can keep: ``{file_name, content_type, base64}``, under the answer's own name."""
    import base64
    import mimetypes
    from email.message import Message
    from email.utils import collapse_rfc2231_value

    head = Message()
    head["content-disposition"] = reply.headers.get("content-disposition", "")
    kind = reply.headers["content-type"].partition(";")[0].strip().lower()
    # Where the name is sent twice, the encoded one comes last and is the whole one (RFC 6266).
    named = [value for key, value in head.get_params([], "content-disposition") if key.lower() == "filename"]
    name = collapse_rfc2231_value(named[-1]).strip() if named else ""
    name = name or route.id.rpartition(".")[2] + (mimetypes.guess_extension(kind) or ".bin")
    return {"file_name": name, "content_type": kind, "base64": base64.b64encode(reply.body).decode()}


def _of_body(route: Route, body: Any) -> Outcome:
    if not isinstance(body, dict) or route.response == "json":
        return Outcome.OK
    code = body.get("code")
    if isinstance(code, str) and _NUMBER.fullmatch(code.strip()):
        code = int(code)
    if isinstance(code, bool) or code not in (None, 0, 200, "", "success", "ok"):
        known = _STATUS.get(code) if isinstance(code, int) else None
        return known or Outcome.UPSTREAM
    data = body.get("data")
    if isinstance(data, dict) and data.get("success") is False and data.get("code") not in (None, 0, 200):
        return Outcome.UPSTREAM
    if "data" in body and data in (None, "", [], {}):
        return Outcome.EMPTY
    return Outcome.OK


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from a number or an HTTP date, at most ``RETRY_AFTER_MOST``; ``None`` where unreadable."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    return min(max(0.0, seconds), RETRY_AFTER_MOST) if seconds == seconds else None


def _request_id(body: Any) -> str | None:
    value = body.get("request_id") if isinstance(body, dict) else None
    return value if isinstance(value, str) else None


def _message(body: Any) -> str:
    """The upstream's own words for what happened, in any of its forms."""
    if not isinstance(body, dict):
        return ""
    detail = body.get("detail")
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        first = detail[0]
        loc = first.get("loc")
        where = ".".join(str(part) for part in loc) if isinstance(loc, list) else ""
        return f"{where}: {first.get('msg', '')}".strip(": ")
    if isinstance(detail, dict):
        body = detail
    elif isinstance(detail, str):
        return detail
    error = body.get("error")
    nested = body.get("data") if isinstance(body.get("data"), dict) else {}
    # The envelope of a failure of the platform says "Request successful"; the platform's own words are inside.
    told = (nested, body) if nested.get("success") is False else (body, nested)
    for source in (error if isinstance(error, dict) else {}, {"message": error}, *told):
        for name in ("message", "msg", "message_zh"):
            if isinstance(source.get(name), str) and source[name]:
                return source[name]
    return ""


def _look(reply: Reply) -> str:
    kind = reply.headers.get("content-type", "no content type").split(";")[0]
    return f"{kind}, {len(reply.body)} bytes"
