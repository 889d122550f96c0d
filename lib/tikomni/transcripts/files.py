"""Media files on this machine for a while: fetched from the platform, their sound taken out where ffmpeg is there.

A file is written piece by piece and gone afterwards. ffmpeg gets local files only, no network and none of our
settings.
"""

from __future__ import annotations

import asyncio
import mimetypes
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tikomni import catalog
from tikomni.dispatch.downloads import DownloadFailed
from tikomni.transcripts.source import Means, Wanted, listenable
from tikomni.transcripts.workers import clean_environment

CREATE = "u3.uploads"
MOST_BYTES = 512 * 1024 * 1024
STREAMS_TRIED = 2
EXTRACTION_SECONDS = 120.0
_SUFFIXES = {
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/webm": ".weba",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-m4v": ".m4v",
}


@dataclass(frozen=True, slots=True)
class File:
    """A media file that may be uploaded: of an allowed type, neither empty nor too large."""

    path: Path
    content_type: str
    size: int

    @property
    def suffix(self) -> str:
        return _SUFFIXES.get(self.content_type) or self.path.suffix


class Unusable(Exception):
    """No file could be had; the text is the reason's code."""


def allowed_types() -> frozenset[str]:
    """The content types of the upload route's contract."""
    field = catalog.get(CREATE).input("content_type")
    return frozenset(field.values or ()) if field else frozenset()


@asynccontextmanager
async def media_file(wanted: Wanted, means: Means) -> AsyncIterator[File]:
    """The sound of ``wanted`` as a file, else the whole of it.

    Raises:
        Unusable: ``file_missing``, ``file_empty``, ``file_too_large``, ``file_type``, ``media_<download reason>``,
            ``video_download_url_missing``.
    """
    with tempfile.TemporaryDirectory(prefix="tikomni-") as folder:
        whole = _own(wanted.path) if wanted.path is not None else await _fetched(wanted, means, Path(folder))
        limit = means.dispatcher.deadline.within(EXTRACTION_SECONDS)
        yield await _sound(whole, Path(folder) / "sound.m4a", limit) or whole


def _own(path: Path) -> File:
    kind = _type(mimetypes.guess_type(path.name)[0], path)
    try:
        return _checked(path, kind)
    except OSError:
        raise Unusable("file_missing") from None


async def _fetched(wanted: Wanted, means: Means, folder: Path) -> File:
    reason = "video_download_url_missing"
    for stream in listenable(wanted.media)[:STREAMS_TRIED]:
        path = folder / "media"
        limit = means.dispatcher.deadline.within(600.0)
        try:
            kind = await means.downloader.save(
                stream.url, path, most_bytes=MOST_BYTES, referer=wanted.media.referer, timeout_s=max(limit, 0.1)
            )
            return _checked(path, _type(kind, Path(urlsplit(stream.url).path)))
        except DownloadFailed as failure:
            reason = f"media_{failure.reason}"
        except Unusable as unusable:
            reason = str(unusable)
    raise Unusable(reason)


def _type(told: str | None, path: Path) -> str:
    """What a file is: as told, or by its name where a server says nothing of use."""
    if told in allowed_types():
        return str(told)
    by_suffix = {suffix: kind for kind, suffix in reversed(_SUFFIXES.items())}
    known = by_suffix.get(path.suffix.lower())
    if known in allowed_types() and told in (None, "", "application/octet-stream", "binary/octet-stream", known):
        return str(known)
    raise Unusable("file_type")


def _checked(path: Path, kind: str) -> File:
    size = path.stat().st_size
    if size == 0:
        raise Unusable("file_empty")
    if size > MOST_BYTES:
        raise Unusable("file_too_large")
    return File(path, kind, size)


async def _sound(whole: File, target: Path, limit: float) -> File | None:
    """The sound of ``whole``; ``None`` where there is no ffmpeg, it fails, or the result is no smaller."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None or limit <= 0:
        return None
    command = [
        *(ffmpeg, "-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file", "-i", f"file:{whole.path}"),
        *("-vn", "-ac", "1", "-ar", "16000", "-b:a", "48k", str(target)),
    ]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=clean_environment(),
        )
    except OSError:
        return None
    try:
        status = await asyncio.wait_for(process.wait(), limit)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        sound = _checked(target, "audio/mp4") if status == 0 else None
    except (OSError, Unusable):
        return None
    return sound if sound and sound.size < whole.size else None
