"""Source 1: the platforms' own subtitles: which language first, how they are read, when they are not worth reading.

They come with a work's answer, by link, or from routes of their own (``captions`` in ``sources.yaml``).
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from tikomni.dispatch.downloads import TEXT_BYTES, DownloadFailed
from tikomni.facts import Segment, Subtitle, Transcript
from tikomni.platforms.definitions import fill
from tikomni.transcripts.clean import clean
from tikomni.transcripts.cues import Unusable, read
from tikomni.transcripts.source import Source, Wanted, Words, data

# What the clip says in its own language first, then Chinese, then whatever there is.
_ORDER = (
    re.compile(r"^(source|origin(al)?)$", re.I),
    re.compile(r"^zh([-_](cn|hans|sg).*)?$", re.I),
    re.compile(r"^zh", re.I),
)


class Subtitles(Source):
    """The first track, in the order of languages, that holds words."""

    name = "subtitles"

    async def words(self, wanted: Wanted) -> Words | None:
        reason = "no_subtitles"
        async for track, content in self._tracks(wanted):
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

    async def _tracks(self, wanted: Wanted) -> AsyncIterator[tuple[Subtitle, bytes | None]]:
        """The tracks in order, those of the work's own answer first; with their content where a route gives that."""
        for track in ordered(wanted.media.subtitles, wanted.language):
            yield track, None
        for way in data()["captions"].get(wanted.work.platform, ()):
            async for found in self._listed(wanted, way):
                yield found

    async def _listed(self, wanted: Wanted, way: Mapping[str, Any]) -> AsyncIterator[tuple[Subtitle, bytes | None]]:
        """The tracks that a platform's routes list."""
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
            text = _first(answer, way["text"]["paths"], (str, list))
            yield track, (text if isinstance(text, str) else json.dumps(text or [])).encode()

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
