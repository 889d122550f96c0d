"""Reads the ASR service's answers: job states, items and transcript documents, in every documented shape. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tikomni.facts import Segment

NO_SPEECH = "no_speech"
FILES_MOST = 100
TERMINAL = frozenset({"SUCCEEDED", "PARTIAL_SUCCEEDED", "FAILED", "CANCELED", "CANCELLED"})
_DONE = frozenset({"SUCCEEDED", "SUCCESS"})
# What the service says of a clip in which nobody speaks.
_REASONS = {"success_with_no_valid_fragment": NO_SPEECH}
_FAILED = frozenset({"FAILED", "CANCELED", "CANCELLED", "ERROR"})
# The service itself tries a failed file another way.
_TRIED_AGAIN = frozenset({"queued", "processing", "submitted"})


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a job. ``seconds`` is what it is billed for; ``text`` stands only where the answer carries words.

    ``shown`` is what the service says of its state, to see whether that changes. ``heard``: it succeeded, so that it
    is paid for, though its words may still be to come.
    """

    state: Literal["pending", "done", "failed"]
    url: str | None = None
    seconds: float | None = None
    reason: str | None = None
    text: str | None = None
    segments: tuple[Segment, ...] = ()
    shown: str = ""

    @property
    def heard(self) -> bool:
        return self.state == "done" or self.shown in _DONE


@dataclass(frozen=True, slots=True)
class Task:
    """A job at one moment. ``finished``: nothing will change any more. Items by their place in the submission."""

    finished: bool
    items: dict[int, Item]


def task_id(body: Any) -> str | None:
    """The id in a submission's answer."""
    for node in (_part(body, "output"), _part(_part(body, "data"), "output"), _part(body, "data"), body):
        value = node.get("task_id") if isinstance(node, dict) else None
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return None


def files_of(body: Any) -> list[str]:
    """The addresses of a job's files, as far as a query tells them; empty text for those that it does not."""
    data = _part(body, "data") or _part(body, "output") or {}
    rows = _rows(data)
    count = max(int(number(data.get("input_count")) or 0), len(rows), 1)
    urls = [""] * min(count, FILES_MOST)
    for row in rows:
        index, url = _index(row), row.get("file_url")
        if isinstance(url, str) and index is not None and index < len(urls):
            urls[index] = url
    return urls


def read_task(body: Any, file_urls: Sequence[str]) -> Task:
    """What a query says about a job of ``file_urls``.

    Items are matched by ``file_url``, else by ``item_index``, else, where none has either, by their order. The job is
    finished when nothing is pending *and* ``platform_task_status`` is terminal; the snapshot ``task_status`` decides
    nothing. ``full_text`` and ``sentences`` speak for the whole job, so they count only where it has one file.
    """
    data = _part(body, "data") or _part(body, "output") or {}
    status = str(data.get("platform_task_status") or "").upper()
    pending = number(data.get("pending_count"))
    finished = status in TERMINAL and pending == 0
    items: dict[int, Item] = {}
    rows = _rows(data)
    placed = [_places(row, file_urls) for row in rows]
    if not any(placed) and len(rows) == len(file_urls):
        placed = [[place] for place in range(len(rows))]  # nothing names them: they stand in the submission's order
    for row, places in zip(rows, placed, strict=True):
        for place in places:
            items[place] = _item(row, finished)
    if len(file_urls) == 1:
        items = _whole_job(data, items.get(0), status, finished) or items
    if finished:
        for place in range(len(file_urls)):
            item = items.get(place)
            if item is None or item.state == "pending":
                reason = "asr_failed" if status == "FAILED" else "asr_no_words_in_answer"
                items[place] = Item("failed", reason=reason)
    return Task(finished, items)


def _places(row: dict[str, Any], file_urls: Sequence[str]) -> list[int]:
    url = row.get("file_url")
    if isinstance(url, str) and url in file_urls:
        return [i for i, known in enumerate(file_urls) if known == url]
    index = _index(row)
    return [index] if index is not None and index < len(file_urls) else []


def _rows(data: dict[str, Any]) -> list[dict[str, Any]]:
    rows = data.get("items") if isinstance(data.get("items"), list) else data.get("results")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _index(row: dict[str, Any]) -> int | None:
    index = row.get("item_index")
    if isinstance(index, str) and re.fullmatch(r"[0-9]{1,9}", index.strip()):
        index = int(index)
    return index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else None


def _item(row: dict[str, Any], finished: bool) -> Item:
    status = str(row.get("task_status") or row.get("subtask_status") or row.get("status") or "").upper()
    seconds = number(row.get("duration_sec"))
    url = row.get("transcription_url")
    url = url if isinstance(url, str) and url.strip() else None
    if status in _FAILED and (finished or str(row.get("fallback_state")) not in _TRIED_AGAIN):
        code = row.get("error_code") or row.get("code")
        reason = _REASONS.get(_code(code), f"asr_{_code(code)}") if code else "asr_failed"
        return Item("failed", seconds=seconds, reason=reason)
    if (status in _DONE and (url or finished)) or (url and not status and finished):
        return Item("done", url=url, seconds=seconds)
    return Item("pending", shown=status)


def _whole_job(data: dict[str, Any], item: Item | None, status: str, finished: bool) -> dict[int, Item] | None:
    """The only item of a one-file job, with the job's own text where the item has no document."""
    if not finished or (item is not None and (item.state == "failed" or item.url)):
        return None
    if status not in ("SUCCEEDED", "PARTIAL_SUCCEEDED") and (item is None or item.state != "done"):
        return None
    segments = _sentences(data.get("sentences"))
    text = data.get("full_text")
    text = text.strip() if isinstance(text, str) and text.strip() else "\n".join(s.text for s in segments)
    seconds = item.seconds if item and item.seconds is not None else number(data.get("duration_sec"))
    if text or (data.get("full_text") is not None or data.get("sentences") is not None):
        return {0: Item("done", seconds=seconds, text=text, segments=segments)}
    return None


def read_document(document: Any) -> tuple[str, tuple[Segment, ...], float | None]:
    """Text, sentences and billable seconds of the document behind a ``transcription_url``.

    Channels are joined in order. One level is read: sentences where there are any, else the text; words never.

    Raises:
        ValueError: the document has none of the known shapes.
    """
    if not isinstance(document, dict):
        raise ValueError("not an object")
    channels = document.get("transcripts")
    if isinstance(channels, list):
        rows = [c for c in channels if isinstance(c, dict)]
        rows.sort(key=lambda c: number(c.get("channel_id")) or 0)
        # A channel without sentences tells no times: its text is one sentence without them.
        segments = tuple(s for c in rows for s in _sentences(c.get("sentences")) or _sentences([c]))
        lengths = [n for c in rows if (n := number(c.get("content_duration_in_milliseconds")))]
        return "\n".join(s.text for s in segments), segments, max(lengths) / 1000 if lengths else None
    for name in ("full_text", "text"):
        if isinstance(document.get(name), str):
            return document[name].strip(), _sentences(document.get("sentences")), None
    if isinstance(document.get("sentences"), list):
        segments = _sentences(document["sentences"])
        return "\n".join(s.text for s in segments), segments, None
    raise ValueError("neither transcripts nor full_text nor sentences")


def _sentences(rows: Any) -> tuple[Segment, ...]:
    found = []
    for row in rows if isinstance(rows, list) else []:
        text = row.get("text") if isinstance(row, dict) else row
        if isinstance(text, str) and text.strip():
            start, end = (number(row.get(k)) if isinstance(row, dict) else None for k in ("begin_time", "end_time"))
            found.append(
                Segment(None if start is None else int(start), None if end is None else int(end), text.strip())
            )
    return tuple(found)


def _part(node: Any, name: str) -> Any:
    value = node.get(name) if isinstance(node, dict) else None
    return value if isinstance(value, dict) else None


def number(value: Any) -> float | None:
    """A number that is not negative, or the text of one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found < 1e12 else None


def _code(code: Any) -> str:
    text = "".join(c if c.isalnum() else "_" for c in str(code)[:60].lower())
    return text.strip("_") or "failed"
