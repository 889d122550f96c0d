"""Where the words of a video come from: sources in order, the cheapest true one first.

A caption never poses as words. What any source has brought is kept and never paid for again. Works that cannot have
any are told why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.errors import InputError, RefusedError, TikomniError
from tikomni.facts import Media, Work
from tikomni.settings import PREFIX, Settings
from tikomni.transcripts.asr import Asr
from tikomni.transcripts.heard import Local
from tikomni.transcripts.insight import Insight
from tikomni.transcripts.local import LocalEngine, LocalSettings
from tikomni.transcripts.relay import Relay
from tikomni.transcripts.source import Detail, Means, Source, Wanted, Words
from tikomni.transcripts.subtitles import Subtitles
from tikomni.transcripts.task import NO_SPEECH

NAMES = ("subtitles", "insight", "asr", "relay", "local")
OPEN_AT_ONCE = 16
# What an hour of speech costs about where the user has not said it. It decides which way is tried first and is never
# shown as a cost.
USUAL_USD_PER_HOUR = 0.36


def names(listed: str) -> tuple[str, ...]:
    """The sources in ``listed``, in its order.

    Raises:
        InputError: ``config``, for a source that there is not, or none at all.
    """
    found = tuple(dict.fromkeys(part.strip() for part in listed.replace("|", ",").split(",") if part.strip()))
    unknown = [name for name in found if name not in NAMES]
    if unknown or not found:
        raise InputError(
            "config", f"{PREFIX}TRANSCRIPT_SOURCES={listed!r}: expected some of {', '.join(NAMES)}, in any order."
        )
    return found


def made(means: Means, chosen: Sequence[str]) -> list[Source]:
    """One object for each of the ``chosen`` sources."""
    settings = means.dispatcher.settings
    by_default = tuple(chosen) == NAMES
    makers: dict[str, Callable[[], Source]] = {
        "subtitles": lambda: Subtitles(means),
        "insight": lambda: Insight(means),
        "asr": lambda: Asr(means, rescued="relay" in chosen),
        "relay": lambda: Relay(means),
        "local": lambda: Local(means, _engine(settings), chosen=not by_default),
    }
    return [makers[name]() for name in chosen]


def _engine(settings: Settings) -> LocalEngine:
    return LocalEngine(LocalSettings.of(settings.local_asr_model_dir, settings.asr_max_sec))


class Chain:
    """The words of one run. Works may be added while more are being found; a job leaves when a hundred clips wait, or
    when ``done`` says that no more will come. Use as an async context manager.

        async with Chain(means) as chain:
            chain.add(work, media)
            found = await chain.done()

    Args:
        language: what is preferred where there are several.

    Attributes:
        found: words by ``Work.key``, as far as they are there.
    """

    def __init__(self, means: Means, *, language: str | None = None) -> None:
        self.found: dict[str, Words] = {}
        self._means = means
        self._settings = means.dispatcher.settings
        self._language = language
        self._sources = made(means, names(self._settings.transcript_sources))
        self._collecting = [source.expect() for source in self._sources]
        self._walks: dict[str, asyncio.Task[None]] = {}
        self._clips: dict[str, tuple[Wanted, asyncio.Future[Words]]] = {}
        self._gate = asyncio.Semaphore(OPEN_AT_ONCE)

    async def __aenter__(self) -> Chain:
        return self

    async def __aexit__(self, *_: object) -> None:
        for walk in self._walks.values():
            walk.cancel()
        await asyncio.gather(*self._walks.values(), return_exceptions=True)
        for source in self._sources:
            await source.close()

    def add(self, work: Work, media: Media, path: Path | None = None, *, detail: Detail | None = None) -> None:
        """Begin to look for the words of ``work``; ``path`` is a file of the user's own.

        ``detail`` brings the work's own answer, which may hold subtitles; it is asked before anything is listened to.
        """
        if work.key in self._walks or work.key in self.found:
            return
        if work.work_modality != "video":
            self.found[work.key] = Words(reason="not_video")
        elif kept := self._means.kept(work.key):
            self.found[work.key] = kept
        else:
            wanted = Wanted(work, media, [work.key], self._language, path, detail)
            wanted.tickets = {source.name: source.expect() for source in self._sources}
            self._walks[work.key] = asyncio.create_task(self._walk(wanted))

    async def done(self) -> dict[str, Words]:
        """No more will be added; the words of all."""
        for leave in self._collecting:
            leave()
        while self._walks:  # each leaves when its words are there
            await asyncio.gather(*self._walks.values())
        self._clips.clear()
        return self.found

    async def _walk(self, wanted: Wanted) -> None:
        key = wanted.key
        try:
            words = await self._through(wanted)
        except DeadlinePassed:
            words = Words(reason="deadline", pending=True)
        finally:
            for leave in wanted.tickets.values():
                leave()
        self.found[key] = replace(words, tried=dict(wanted.tried))
        del self._walks[key]
        self._means.progress.stage("words", len(self.found), len(self.found) + len(self._walks))

    async def _through(self, wanted: Wanted) -> Words:
        """Ask the sources in order. From the first that listens on, works with one clip go together."""
        async with self._gate:
            await _look_closer(wanted)
            sources = list(self._sources)
            last = Words(reason="no_words")
            while sources and not sources[0].hears:
                words = await self._ask(sources.pop(0), wanted)
                if words is not None and _final(words):
                    return words
                last = words or last
        if not sources:
            return last
        if closed := gate(wanted.work, wanted.media, self._settings) if wanted.path is None else None:
            return Words(reason=closed)
        clip = str(wanted.path or min(stream.url for stream in wanted.media.streams))
        if clip in self._clips:
            return await self._join(wanted, *self._clips[clip])
        result: asyncio.Future[Words] = asyncio.get_running_loop().create_future()
        self._clips[clip] = (wanted, result)
        try:
            words = await self._listen(wanted, sources, last)
        except BaseException:
            result.cancel()
            raise
        result.set_result(words)
        return words

    async def _join(self, wanted: Wanted, first: Wanted, result: asyncio.Future[Words]) -> Words:
        """The words of a clip that is heard for another work already."""
        first.keys.append(wanted.key)
        for source in self._sources:
            source.share(first.key, wanted.key)
        for leave in wanted.tickets.values():
            leave()
        words = await asyncio.shield(result)
        if words.transcript is not None and self._means.kept(wanted.key) is None:
            self._means.keep(wanted.key, words.transcript)
        return words

    async def _listen(self, wanted: Wanted, sources: Sequence[Source], last: Words) -> Words:
        for source in sources:
            if wanted.later is not None and source.name != "relay":
                continue  # its words are on their way, and paid for
            words = await self._first(self._ask(source, wanted), wanted)
            if words is None:
                continue
            if wanted.later is None and (_final(words) or words.pending):
                return words
            if wanted.later is not None and words.transcript is not None:
                for other in sources:
                    if other.name != words.transcript.source:
                        other.drop(wanted.key)
                return words
            last = words
        return await asyncio.shield(wanted.later) if wanted.later is not None else last

    async def _first(self, asked: Awaitable[Words | None], wanted: Wanted) -> Words | None:
        """What ``asked`` brings, unless the words of a slow job come before it."""
        if wanted.later is None:
            return await asked
        task = asyncio.ensure_future(asked)
        try:
            await asyncio.wait({task, wanted.later}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and wanted.later.result().transcript is None:
                await asyncio.wait({task})
            return task.result() if task.done() else wanted.later.result()
        finally:
            task.cancel()

    async def _ask(self, source: Source, wanted: Wanted) -> Words | None:
        try:
            words = await source.words(wanted)
        except TikomniError as error:  # an account that is empty, say: that must not cost what else there is
            self._means.warn(f"{error.message} {error.hint()}")
            words = Words(reason=error.code, pending=source.hears and error.code != "budget")
        if words is not None and words.transcript is None and words.reason:
            wanted.tried[source.name] = words.reason
        return words


async def _look_closer(wanted: Wanted) -> None:
    """Get the work's own answer. Where it cannot be had, what the list says must do."""
    if wanted.detail is None:
        return
    try:
        wanted.work, media = await wanted.detail(wanted.work)
        wanted.media = replace(media, streams=media.streams or wanted.media.streams)
    except RefusedError:
        pass  # beyond the budget
    except TikomniError as error:
        wanted.tried["detail"] = error.code


def detail_pays(work: Work, media: Media, detail_usd: float, settings: Settings) -> bool:
    """Whether a call for a clip that a list told of costs less than its speech, and may spare it."""
    per_hour = USUAL_USD_PER_HOUR if settings.asr_usd_per_hour is None else settings.asr_usd_per_hour
    if media.subtitles or gate(work, media, settings) or names(settings.transcript_sources)[0] != "subtitles":
        return False
    return detail_usd < (work.duration_ms or 0) / 3_600_000 * per_hour


def _final(words: Words) -> bool:
    return words.transcript is not None or words.reason == NO_SPEECH


def gate(work: Work, media: Media, settings: Settings) -> str | None:
    """Why ``work`` is not sent to speech recognition; ``None`` where it is."""
    if work.work_modality != "video":
        return "not_video"
    if work.duration_ms is None:
        return "duration_missing" if media.streams else "video_download_url_missing"
    if work.duration_ms <= settings.asr_min_sec * 1000:
        return "duration_too_short"
    if work.duration_ms > settings.asr_max_sec * 1000:
        return "duration_too_long"
    return None if media.streams else "video_download_url_missing"
