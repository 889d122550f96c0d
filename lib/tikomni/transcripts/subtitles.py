"""Source 1: the platforms' own subtitles: which language first, how they are read, when they are not worth reading.

They come with a work's answer, by link, or from routes of their own (``captions`` in ``sources.yaml``).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from tikomni.dispatch.downloads import TEXT_BYTES, DownloadFailed
from tikomni.facts import Segment, Subtitle, Transcript
from tikomni.platforms.definitions import fill
from tikomni.transcripts.clean import clean
from tikomni.transcripts.source import Means, Source, Wanted, Words, data

LEAST_CHARS = 20
MOST_ODD_SHARE = 0.35

# What the clip says in its own language first, then Chinese, then whatever there is.
_ORDER = (
    re.compile(r"^(source|origin(al)?)$", re.I),
    re.compile(r"^zh([-_](cn|hans|sg).*)?$", re.I),
    re.compile(r"^zh", re.I),
)
_TIMES = re.compile(r"^[\s\d:.,\->]+$")
_ODD = re.compile(r"[^\w\s.,!?;:'\"…~%&@#()\[\]<>/+=*$¥\u2e80-\u9fff\u3000-\u303f\uff00-\uffef-]")


class Unusable(ValueError):
    """The file holds no usable words; the text is the reason's code."""


class Subtitles(Source):
    """The first track, in the order of languages, that holds words."""

    name = "subtitles"

    def __init__(self, means: Means) -> None:
        self._means = means

    async def words(self, wanted: Wanted) -> Words | None:
        reason = "no_subtitles"
        for track in ordered(wanted.media.subtitles, wanted.language):
            try:
                return self._kept(wanted, track, read(await self._file(wanted, track.url)))
            except (DownloadFailed, Unusable) as error:
                reason = self._told(track, error)
        for way in data()["captions"].get(wanted.work.platform, ()):
            async for track, content in self._tracks(wanted, way):
                try:
                    if content is None:
                        content = await self._file(wanted, track.url)
                    return self._kept(wanted, track, read(content))
                except (DownloadFailed, Unusable) as error:
                    reason = self._told(track, error)
        return Words(reason=reason)

    async def _file(self, wanted: Wanted, url: str) -> bytes:
        url = f"https:{url}" if url.startswith("//") else url
        return await self._means.downloader.fetch(url, most_bytes=TEXT_BYTES, referer=wanted.media.referer)

    def _told(self, track: Subtitle, error: DownloadFailed | Unusable) -> str:
        reason = f"subtitle_{error.reason}" if isinstance(error, DownloadFailed) else str(error)
        self._means.warn(f"Subtitle {track.tag} was not usable: {reason.removeprefix('subtitle_')}.")
        return reason

    def _kept(self, wanted: Wanted, track: Subtitle, segments: tuple[Segment, ...]) -> Words:
        raw = "\n".join(s.text for s in segments)
        language = track.language or (None if _ORDER[0].match(track.tag) else track.tag)
        transcript = Transcript("subtitles", language, raw, clean(raw), segments, origin=track.tag)
        self._means.keep(wanted.key, transcript)
        return Words(transcript)

    async def _tracks(self, wanted: Wanted, way: Mapping[str, Any]) -> AsyncIterator[tuple[Subtitle, bytes | None]]:
        """The tracks that a platform's routes list, in order; with their content where a route gives that."""
        known = {"work_id": wanted.work.platform_work_id, **wanted.work.platform_native_ids}
        if "ids" in way:
            known |= await self._ids(way, known)
        rule = way["tracks"]
        body = await self._ask(rule, known)
        entries = _first(body, rule["entries"], list) or []
        tracks = [track for entry in entries if (track := _track(entry, rule)) is not None]
        for track in ordered(tracks, wanted.language):
            if "text" not in way:
                if track.url:
                    yield track, None
                continue
            answer = await self._ask(way["text"], known | {"language": track.language or track.tag})
            text = _first(answer, way["text"]["paths"], str)
            yield track, (text or "").encode()

    async def _ids(self, way: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
        for rule in way["ids"]:
            if None in (filled := [fill(t, known) for t in rule["inputs"].values()]):
                continue
            body = await self._ask({**rule, "inputs": dict(zip(rule["inputs"], filled, strict=True))}, known)
            found = {name: _first(body, paths, (str, int)) for name, paths in way["read"].items()}
            if all(found.values()):
                return {name: str(value) for name, value in found.items()}
        return {}

    async def _ask(self, rule: Mapping[str, Any], known: Mapping[str, str]) -> Any:
        """The body of a route's answer; ``None`` where it cannot be asked or has none."""
        inputs = {name: fill(template, known) for name, template in rule["inputs"].items()}
        if None in inputs.values():
            return None
        answer = await self._means.dispatcher.call(rule["route"], inputs)
        return answer.body if answer.ok else None


def _track(entry: Any, rule: Mapping[str, Any]) -> Subtitle | None:
    if isinstance(entry, str):
        return Subtitle("", entry, entry)
    language = _first(entry, rule["language"], str)
    return Subtitle(_first(entry, rule["url"], str) or "", language, language) if language else None


def _first(node: Any, paths: Iterable[str], kind: Any) -> Any:
    """What the first of ``paths`` leads to that is of this kind and not empty."""
    import jmespath

    values = (jmespath.search(path, node) for path in paths) if node is not None else ()
    return next((v for v in values if isinstance(v, kind) and v and not isinstance(v, bool)), None)


def ordered(subtitles: Sequence[Subtitle], language: str | None = None) -> list[Subtitle]:
    """``subtitles`` in the order they are to be tried: the wanted ``language`` first, where one is wanted."""
    wanted = (re.compile(rf"^{re.escape(language)}([-_].*)?$", re.I),) if language else ()
    order = (*wanted, *_ORDER)

    def rank(subtitle: Subtitle) -> int:
        # "source" is a tag; a language may stand in either.
        places = [
            i
            for i, pattern in enumerate(order)
            for name in ((subtitle.tag,) if pattern is _ORDER[0] else (subtitle.tag, subtitle.language or ""))
            if pattern.match(name)
        ]
        return min(places, default=len(order))

    return sorted(subtitles, key=rank)


def read(data: bytes) -> tuple[Segment, ...]:
    """The sentences of a subtitle file (JSON, SRT, WebVTT, ASS, TTML and what else ``pysubs2`` reads), in order.

    Repeated sentences are kept, times are milliseconds.

    Raises:
        Unusable: ``subtitle_unreadable``, ``subtitle_empty``, ``subtitle_too_short``, ``subtitle_garbled``,
            ``subtitle_timeline_only``, ``subtitle_noise_repeated``.
    """
    text = data.decode("utf-8-sig", "replace").replace("\x00", "")
    if not text.strip():
        raise Unusable("subtitle_empty")
    segments = _from_json(text) if text.lstrip()[0] in "[{" else _from_file(text)
    _check([s.text for s in segments])
    return segments


def _from_file(text: str) -> tuple[Segment, ...]:
    import pysubs2

    try:
        events = pysubs2.SSAFile.from_string(text).events
    except Exception:  # the library's parsers raise what they meet: ValueError, IndexError, its own
        raise Unusable("subtitle_unreadable") from None
    return tuple(
        Segment(event.start, event.end, line)
        for event in events
        if not event.is_comment and (line := " ".join(event.plaintext.split()))
    )


def _from_json(text: str) -> tuple[Segment, ...]:
    """Lists of cues under any of the usual names; seconds, or milliseconds where the name says so."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _from_file(text)  # an ASS file begins with a bracket too
    rows = document
    for name in _LISTS:
        if isinstance(document, dict) and isinstance(document.get(name), list):
            rows = document[name]
            break
    if not isinstance(rows, list):
        raise Unusable("subtitle_unreadable")
    cues = (_cue(row) for row in rows if isinstance(row, dict))
    return tuple(cue for cue in cues if cue.text)


_LISTS = ("body", "events", "segments", "subtitles", "sentences", "utterances", "data", "result")
_MILLISECONDS = (("tStartMs", None), ("start_ms", "end_ms"), ("start_time", "end_time"), ("begin_time", "end_time"))
_SECONDS = (("from", "to"), ("start", "end"))


def _cue(row: Mapping[str, Any]) -> Segment:
    pieces = row.get("segs")
    if isinstance(pieces, list):
        text = "".join(p["utf8"] for p in pieces if isinstance(p, dict) and isinstance(p.get("utf8"), str))
    else:
        text = next((row[n] for n in ("content", "text", "sentence", "line") if isinstance(row.get(n), str)), "")
    start = end = None
    for scale, names in ((1, _MILLISECONDS), (1000, _SECONDS)):
        for first, last in names:
            if start is None and (start := _moment(row.get(first), scale)) is not None:
                end = _moment(row.get(last), scale) if last else None
    if end is None and start is not None:
        # YouTube's two forms give a length instead: dDurationMs, and dur in seconds.
        length = _moment(row.get("dDurationMs"), 1)
        length = length if length is not None else _moment(row.get("duration", row.get("dur")), 1000)
        end = start + length if length is not None else None
    return Segment(start, end, " ".join(text.split()))


def _moment(value: Any, scale: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        moment = round(float(value) * scale)
    except (ValueError, OverflowError):
        return None
    return moment if 0 <= moment < 10**9 else None


def _check(lines: Sequence[str]) -> None:
    text = "".join(lines)
    if not text:
        raise Unusable("subtitle_empty")
    if all(_TIMES.match(line) for line in lines):
        raise Unusable("subtitle_timeline_only")
    if len(text) < LEAST_CHARS:
        raise Unusable("subtitle_too_short")
    if len(_ODD.findall(text)) / len(text) > MOST_ODD_SHARE:
        raise Unusable("subtitle_garbled")
    most = max(Counter(lines).values())
    if most >= 4 and most * 2 > len(lines):
        raise Unusable("subtitle_noise_repeated")
