"""Source 4: a copy of the clip where the ASR service can fetch it. For clips that the platform guards, and own files.

A session is journaled before it is asked for, and what was uploaded is used for as long as its link lives. The speech
job itself is ``asr``'s; nothing here is billed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tikomni.dispatch.dispatcher import Allow, Answer
from tikomni.dispatch.downloads import DownloadFailed
from tikomni.dispatch.ledger import Upload
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.storage import names
from tikomni.transcripts.asr import SLOW, Jobs, NoAddress, SpeechService
from tikomni.transcripts.files import CREATE, File, Unusable, media_file
from tikomni.transcripts.source import Means, Wanted, Words, data

COMPLETE = "u3.uploads.complete"
ALLOW = Allow(routes=frozenset({CREATE, COMPLETE}))
AT_ONCE = 4
SESSION_SECONDS = 600.0
FILE_SECONDS = 86_400.0
# A link must live long enough for the service to come and fetch it.
LEAST_LIFE_SECONDS = 300.0
TRIES = 3
AGAIN_SECONDS = 0.25


class Relay(SpeechService):
    """Uploads what the service could not fetch, or was silent about for too long, and has it transcribed."""

    name = "relay"

    def __init__(self, means: Means) -> None:
        super().__init__(means, Jobs(means, "relay"))
        self._uploads = means.dispatcher.ledger.uploads
        self._scope = means.dispatcher.scope
        self._provider = means.dispatcher.settings.upload_provider
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def words(self, wanted: Wanted) -> Words | None:
        first = wanted.tried.get("asr")
        if first is not None and not rescues(first):
            return None
        if first is None and wanted.path is None and not wanted.media.streams:
            return None

        async def address() -> str:
            async with self._gate:
                url = await self._public_url(wanted)
            if first is not None:
                self._tell(wanted, first)
            return url

        return await self.jobs.words(wanted, address)

    def _tell(self, wanted: Wanted, first: str) -> None:
        how = "was silent for too long" if first == SLOW else "could not fetch it"
        self._means.warn(
            f"{wanted.key}: the speech service {how}; a copy was uploaded and sent. The first job may still be charged."
        )
        self._means.dispatcher.tally.asr_seconds_in_doubt += wanted.seconds

    async def _public_url(self, wanted: Wanted) -> str:
        """A link to the clip that the service can fetch: one that lives, else a new one.

        Raises:
            NoAddress: there is none, and why.
        """
        upload = await self._newest(wanted.key)
        if upload is not None and upload.public_url:
            return upload.public_url
        if upload is not None and (url := await self._complete(upload, tries=1)):
            return url  # a run that was stopped had sent the file already
        try:
            async with media_file(wanted, self._means) as file:
                fits = upload and (upload.size_bytes, upload.content_type) == (file.size, file.content_type)
                for session in (upload,) * bool(fits) + (None, None):
                    session = session or await self._create(wanted.key, file)
                    if await self._put(session, file) and (url := await self._complete(session)):
                        return url
                    self._uploads.settle(session.id, "failed")
        except Unusable as unusable:
            raise NoAddress(f"relay_{unusable}") from None
        raise NoAddress("relay_failed")

    async def _newest(self, key: str) -> Upload | None:
        while not self._means.dispatcher.deadline.passed:
            upload = self._uploads.newest(self._scope, key, self._provider)
            if upload is None or upload.state == "open":
                return upload
            if upload.state == "done":
                return upload if upload.expires_at - time.time() > LEAST_LIFE_SECONDS else None
            if upload.lost:
                may_resubmit = self._means.dispatcher.terms.resubmit
                if not may_resubmit or self._uploads.was_lost(self._scope, key, self._provider):
                    raise NoAddress("relay_unknown")
                self._uploads.settle(upload.id, "lost")
                return None
            await asyncio.sleep(AGAIN_SECONDS)  # another process is at it
        raise DeadlinePassed

    async def _create(self, key: str, file: File) -> Upload:
        name = names.identifier(key) + file.suffix
        row: int | None = None

        def begin() -> None:
            nonlocal row
            if row is None:
                row = self._uploads.begin(self._scope, key, self._provider, name, file.content_type, file.size)
            if row is None:
                raise NoAddress("relay_pending")

        inputs = {
            "provider": self._provider,
            "file_name": name,
            "content_type": file.content_type,
            "size_bytes": file.size,
        }
        try:
            answer = await self._call(CREATE, inputs, begin)
        except DeadlinePassed:
            if row is not None:
                self._uploads.settle(row, "refused")
            raise
        assert row is not None
        session = _data(answer)
        upload_id, url = session.get("upload_id"), session.get("upload_url")
        if not answer.ok or not isinstance(upload_id, str) or not isinstance(url, str):
            self._uploads.settle(row, "lost" if answer.accepted else "refused")
            self._means.warn(f"No upload session for {key}: {answer.message or answer.outcome}.")
            raise NoAddress("relay_refused")
        kept = {"upload_url": url, "upload_headers": session.get("upload_headers") or {}}
        expires = _moment(session.get("upload_expires_at"), SESSION_SECONDS)
        self._uploads.settle(row, "open", upload_id=upload_id, session=kept, expires_at=expires)
        return Upload(row, "open", file.content_type, file.size, upload_id, kept, None, expires)

    async def _put(self, upload: Upload, file: File) -> bool:
        """Send the file; ``False`` where the session takes it no more. Once sent, sending again changes nothing."""
        headers = {str(k): str(v) for k, v in upload.session["upload_headers"].items()}
        for attempt in range(TRIES):
            limit = self._means.dispatcher.deadline.within(600.0)
            if limit <= 0:
                raise DeadlinePassed
            try:
                await self._means.downloader.put(upload.session["upload_url"], file.path, headers, limit)
            except DownloadFailed as failure:
                if failure.reason in ("network", "timeout", "http_408", "http_429", "http_500", "http_502", "http_503"):
                    await asyncio.sleep(AGAIN_SECONDS * 2**attempt)
                    continue
                # 403: it was sent before and its answer lost, or the session has expired; completing it tells.
                return failure.reason == "http_403" and bool(attempt)
            return True
        return True

    async def _complete(self, upload: Upload, tries: int = TRIES) -> str | None:
        for attempt in range(tries):
            answer = await self._call(COMPLETE, {"upload_id": upload.upload_id})
            url = _data(answer).get("file_url")
            if answer.ok and isinstance(url, str):
                expires = _moment(_data(answer).get("file_expires_at"), FILE_SECONDS)
                self._uploads.settle(upload.id, "done", public_url=url, expires_at=expires)
                return url
            if not answer.accepted:
                return None
            await asyncio.sleep(AGAIN_SECONDS * 2**attempt)
        return None

    async def _call(self, route: str, inputs: Mapping[str, Any], on_send: Callable[[], None] | None = None) -> Answer:
        return await self._means.dispatcher.call(route, inputs, allow=ALLOW, max_age=0, on_send=on_send)


def rescues(reason: str) -> bool:
    """Whether a copy may help where the service answered ``reason``."""
    return reason == SLOW or reason.removeprefix("asr_") in data()["unfetchable"]


def _data(answer: Answer) -> Mapping[str, Any]:
    body = answer.body if isinstance(answer.body, dict) else {}
    return body["data"] if isinstance(body.get("data"), dict) else body


def _moment(value: Any, seconds: float) -> float:
    """An ISO moment as unix seconds; ``seconds`` from now where it cannot be read."""
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return time.time() + seconds
