"""Speech recognition as the upstream offers it: a job for up to a hundred addresses, polled until it is done.

Words come from the world's media, whether asked for by address or as an uploaded copy. How a job goes is a
``Script``, given for all jobs (``Asr.script``) or for one (an ``asr`` fault on the submit route), so that every
shape and mishap of the real service can be had on demand. Billing follows the work: seconds of the files that
succeed, once, whether anybody polls or not.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tikomni.sandbox.answers import ORIGIN, refuse
from tikomni.sandbox.bill import Bill
from tikomni.sandbox.world.media import Media

Json = dict[str, Any]
Find = Callable[[str], Media | None]

UNREACHABLE = ("FILE_DOWNLOAD_FAILED", "The audio file cannot be downloaded.")
SILENT = ("SUCCESS_WITH_NO_VALID_FRAGMENT", "No valid speech was found.")
_MESSAGES = dict((UNREACHABLE, SILENT))


@dataclass(frozen=True, slots=True)
class Script:
    """How a job goes.

    ``shape``: where the words are: behind each item's ``transcription_url``, in the answer's ``full_text`` or
    ``sentences``, or nowhere (``none``) though the job succeeded. ``polls`` and ``seconds`` pass before it is done.
    ``one_by_one``: each poll then finds one more item finished. ``links_last``: items that have succeeded get their
    ``transcription_url`` when all are done. ``stuck``: no item ever is, or all but the last when
    ``one_by_one``. ``fail`` maps an item's index to its error code. ``snapshot``: the ``task_status`` that is shown
    whatever is true. ``reverse``: items last first. ``file_urls``: items name their address. ``indexed``: items carry
    ``item_index``.
    """

    shape: Literal["transcription_url", "full_text", "sentences", "none"] = "transcription_url"
    polls: int = 0
    seconds: float = 0.0
    one_by_one: bool = False
    links_last: bool = False
    stuck: bool = False
    fail: Mapping[int, str] = field(default_factory=dict)
    snapshot: str | None = None
    reverse: bool = False
    file_urls: bool = False
    indexed: bool = True

    @classmethod
    def made_of(cls, base: Script, options: Mapping[str, Any]) -> Script:
        """``base`` with these options; JSON gives indexes as text, and a list of them means unreachable files."""
        unknown = options.keys() - {item.name for item in fields(cls)}
        if unknown:
            raise ValueError(f"A script has no {', '.join(sorted(unknown))}.")
        changes = dict(options)
        if isinstance(fail := changes.get("fail"), list | tuple | set):
            changes["fail"] = dict.fromkeys(fail, UNREACHABLE[0])
        changes["fail"] = {int(index): code for index, code in changes.get("fail", base.fail).items()}
        return replace(base, **changes)


@dataclass(slots=True)
class _Item:
    index: int
    file_url: str
    media: Media | None
    error: str | None

    @property
    def seconds(self) -> int:
        """Billed: whole seconds of a file that succeeded."""
        return 0 if self.error or self.media is None else math.ceil(self.media.seconds)

    def texts(self) -> list[str]:
        return [sentence.text for sentence in self.media.sentences] if self.media and not self.error else []


@dataclass(slots=True)
class _Job:
    task_id: str
    items: list[_Item]
    script: Script
    submitted: float
    polled: int = 0

    def most(self) -> int:
        """How many items will ever be finished."""
        return len(self.items) if not self.script.stuck else len(self.items) - 1 if self.script.one_by_one else 0

    def finished(self) -> list[_Item]:
        turns = self.polled - self.script.polls
        if turns < 1 or time.monotonic() - self.submitted < self.script.seconds:
            return []
        return self.items[: min(turns if self.script.one_by_one else len(self.items), self.most())]


class Asr:
    """All jobs of one sandbox. Called from the server's thread only; ``script`` may be set from any."""

    def __init__(self, bill: Bill, script: Script | None = None) -> None:
        self.script = script or Script()
        self._bill = bill
        self._jobs: dict[str, _Job] = {}

    def reset(self) -> None:
        self._jobs.clear()

    def submit(self, file_urls: list[str], find: Find, options: Mapping[str, Any], request_id: str) -> Json:
        """The answer to a submission: proxied as it is, without the upstream's envelope."""
        for address in file_urls:
            if urlsplit(address).scheme not in ("http", "https"):
                raise refuse(400, f"InvalidParameter: {address[:80]} is not an http(s) address.")
        script = Script.made_of(self.script, options)
        items = [_heard(n, address, find(address), script.fail.get(n)) for n, address in enumerate(file_urls)]
        job = _Job(str(uuid.uuid4()), items, script, time.monotonic())
        self._jobs[job.task_id] = job
        self._bill.submission([(item.file_url, item.seconds) for item in items[: job.most()]])
        return {
            "request_id": request_id,
            "output": {
                "task_id": job.task_id,
                "task_status": "PENDING",
                "submit_time": _now(),
                "scheduled_time": _now(),
                "task_metrics": {"TOTAL": len(items), "SUCCEEDED": 0, "FAILED": 0},
            },
        }

    def poll(self, task_id: str) -> Json:
        """The envelope's ``data`` for this job. Items and words are there when all is done."""
        job = self._jobs.get(task_id)
        if job is None:
            raise refuse(404, "Task not found")
        job.polled += 1
        finished = job.finished()
        failed = sum(item.error is not None for item in finished)
        pending = len(job.items) - len(finished)
        status = "PENDING" if pending else _outcome(len(finished) - failed, failed)
        return {
            "task_id": task_id,
            "task_status": job.script.snapshot or ("RUNNING" if pending else status),
            "platform_task_status": status,
            "is_fully_succeeded": status == "SUCCEEDED",
            "duration_sec": sum(item.seconds for item in finished),
            "input_count": len(job.items),
            "succeeded_count": len(finished) - failed,
            "failed_count": failed,
            "pending_count": pending,
            "task_metrics": {"TOTAL": len(job.items), "SUCCEEDED": len(finished) - failed, "FAILED": failed},
            "items": _items(job, len(finished)),
        } | (_words(job) if status == "SUCCEEDED" else {})

    def document(self, task_id: str, index: int) -> Json | None:
        """The file behind a ``transcription_url``."""
        job = self._jobs.get(task_id)
        if job is None or not 0 <= index < len(job.items) or job.items[index].error:
            return None
        return _document(job.items[index])


def _heard(index: int, address: str, media: Media | None, error: str | None) -> _Item:
    if error is None:
        if media is None or media.guarded or not media.audible:
            error = UNREACHABLE[0]
        elif not media.sentences:
            error = SILENT[0]
    return _Item(index, address, media, error)


def _outcome(succeeded: int, failed: int) -> str:
    return "SUCCEEDED" if not failed else "PARTIAL_SUCCEEDED" if succeeded else "FAILED"


def _items(job: _Job, finished: int) -> list[Json]:
    linked = not job.script.links_last or finished == len(job.items)
    rows = [_row(item, job, item.index < finished, linked) for item in job.items]
    return rows[::-1] if job.script.reverse else rows


def _row(item: _Item, job: _Job, finished: bool, linked: bool) -> Json:
    script = job.script
    row: Json = {"item_index": item.index} if script.indexed else {}
    row |= {"file_url": item.file_url} if script.file_urls else {}
    error = item.error if finished else None
    heard = finished and not error
    link = f"{ORIGIN}/transcriptions/{job.task_id}/{item.index}.json?Expires=0&sign=0"
    return row | {
        "task_status": "PENDING" if not finished else "FAILED" if error else "SUCCEEDED",
        "transcription_url": link if heard and linked and script.shape == "transcription_url" else None,
        "duration_sec": item.seconds if heard else None,
        "error_code": error,
        "error_message": _MESSAGES.get(error, "The file failed.") if error else None,
    }


def _words(job: _Job) -> Json:
    texts = [text for item in job.items for text in item.texts()]
    if job.script.shape == "full_text":
        return {"full_text": "".join(texts)}
    if job.script.shape == "sentences":
        return {"sentences": [{"sentence_id": n, "text": text} for n, text in enumerate(texts, 1)]}
    return {}


def _document(item: _Item) -> Json:
    """What the service keeps of one file: every sentence with its times, and every word again."""
    media = item.media
    assert media is not None
    sentences = media.sentences
    return {
        "file_url": item.file_url,
        "properties": {
            "audio_format": "aac",
            "channels": [0],
            "original_sampling_rate": 44100,
            "original_duration_in_milliseconds": round(media.seconds * 1000),
        },
        "transcripts": [
            {
                "channel_id": 0,
                "content_duration_in_milliseconds": sum(s.end_ms - s.begin_ms for s in sentences),
                "text": "".join(sentence.text for sentence in sentences),
                "sentences": [
                    {
                        "begin_time": sentence.begin_ms,
                        "end_time": sentence.end_ms,
                        "text": sentence.text,
                        "sentence_id": n,
                        "words": _letters(sentence.text, sentence.begin_ms, sentence.end_ms),
                    }
                    for n, sentence in enumerate(sentences, 1)
                ],
            }
        ],
    }


def _letters(text: str, begin: int, end: int) -> list[Json]:
    said = [letter for letter in text if letter.isalnum()]
    step = (end - begin) / max(len(said), 1)
    words = [
        {"begin_time": round(begin + n * step), "end_time": round(begin + (n + 1) * step), "text": letter,
         "punctuation": ""}
        for n, letter in enumerate(said)
    ]  # fmt: skip
    if words and not text[-1].isalnum():
        words[-1]["punctuation"] = text[-1]
    return words


def _now() -> str:
    return datetime.now(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
