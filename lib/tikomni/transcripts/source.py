"""What every source of words shares: what it is asked for, what it answers, and what it works with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.dispatch.downloads import Downloader
from tikomni.facts import Media, Stream, Transcript, Work
from tikomni.progress import Progress
from tikomni.storage.yaml_file import read_yaml

Release = Callable[[], None]
Detail = Callable[[Work], Awaitable[tuple[Work, Media]]]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one work, or why there are none. ``pending``: a later run may still get them, for free.

    ``tried`` are the sources that were asked before and why they brought nothing.
    """

    transcript: Transcript | None = None
    reason: str | None = None
    pending: bool = False
    tried: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Wanted:
    """One clip on its way through the sources.

    ``keys`` are the works whose words these are: several may share one clip. ``path`` is a file of the user's own.
    ``later`` will still bring the words of a speech job that is too slow to be waited for alone. ``detail`` brings the
    work's own answer: lists carry no subtitles.
    """

    work: Work
    media: Media
    keys: list[str]
    language: str | None = None
    path: Path | None = None
    detail: Detail | None = None
    tried: dict[str, str] = field(default_factory=dict)
    later: asyncio.Future[Words] | None = None
    tickets: dict[str, Release] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.keys[0]

    @property
    def seconds(self) -> float:
        return (self.work.duration_ms or 0) / 1000


@dataclass(slots=True)
class Means:
    """What the sources of one run work with. ``warnings`` are told to the user at its end."""

    dispatcher: Dispatcher
    downloader: Downloader
    progress: Progress
    warnings: list[str] = field(default_factory=list)

    def kept(self, key: str) -> Words | None:
        """The words that any earlier run has got for ``key``; they cost nothing more."""
        transcript = self.dispatcher.ledger.speech.words(self.dispatcher.scope, key)
        return None if transcript is None else Words(transcript, None if transcript.raw else "no_speech")

    def keep(self, key: str, transcript: Transcript) -> None:
        self.dispatcher.ledger.speech.keep_words(self.dispatcher.scope, key, transcript)

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


class Source:
    """One way to words. A run has one object of each kind, which is asked for many works at once.

    ``hears``: it works on the sound of the clip, so that works with one clip need it once.
    """

    name: str
    hears: bool = False

    def __init__(self, means: Means) -> None:
        self._means = means

    async def words(self, wanted: Wanted) -> Words | None:
        """The words, or why there are none; ``None`` where this source is not for ``wanted``.

        Raises:
            TikomniError: the source as a whole cannot be used. DeadlinePassed: no time is left.
        """
        raise NotImplementedError

    def expect(self) -> Release:
        """Somebody may still come and ask; what is returned says that this has been decided."""
        return _nobody

    def share(self, key: str, other: str) -> None:
        """``other`` has the same clip as ``key``."""

    def drop(self, key: str) -> None:
        """The words of ``key`` came from another source meanwhile."""

    async def close(self) -> None:
        """Leave what is under way to a later run."""


def _nobody() -> None:
    return None


def fail(waiting: asyncio.Future[Words], error: BaseException) -> None:
    """Whoever waits learns of ``error``; what ends the whole run ends the waiting."""
    if waiting.done():
        return
    if isinstance(error, Exception):
        waiting.set_exception(error)
    else:
        waiting.cancel()


def listenable(media: Media) -> list[Stream]:
    """The streams, the smallest first: speech needs no picture, and a small file is fetched sooner."""
    return sorted(media.streams, key=lambda s: (s.size or 1 << 60, s.bitrate or 1 << 60, s.height or 1 << 30))


@cache
def data() -> Mapping[str, Any]:
    """``sources.yaml``: what the sources know of platforms and services."""
    return read_yaml(Path(__file__).with_name("sources.yaml"))
