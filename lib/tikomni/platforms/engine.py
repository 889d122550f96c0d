"""One engine for every platform: which routes to ask, and what an answer says of a work.

Pure functions over JSON and a ``Definition``: no platform's name, no network, no files. Whatever an answer holds, it
gets a verdict; nothing in it makes this module raise.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from tikomni.facts import Media, Stream, Subtitle, Work
from tikomni.platforms.answers import (
    Verdict,
    choose,
    facts_in,
    filled,
    gone_by,
    layers_of,
    note_of,
    plain_values,
    refusal,
)
from tikomni.platforms.convert import first_url, number, text
from tikomni.platforms.definitions import Definition, Kind, Object, Path, Streams, fill, inputs

MOST_STREAMS = 100
# What the contract promises to give or to explain; ``missing`` names those that are not there.
WANTED = (
    "platform_author_id", "author_handle", "author_name", "title", "caption_raw", "published_at",
    "digg_count", "comment_count", "collect_count", "share_count", "play_count", "cover_image", "share_url",
)  # fmt: skip
WANTED_OF_KIND = {"video": ("duration_ms", "video_download_url"), "images": ("image_urls",), "mixed": ("image_urls",)}
# What another answer may add to a thin one.
FILLED = (
    *WANTED, "duration_ms", "video_download_url", "published_date", "image_urls", "topics", "pinned", "sponsored",
)  # fmt: skip
# Without these a work of the kind is thin, and another route may know more.
NEEDED_OF_KIND = {"video": "video_download_url", "images": "image_urls", "mixed": "image_urls"}

_HASHTAG = re.compile(r"[#＃][^#＃\[\]\n]{1,80}\[[^\[\]\n]{1,8}\][#＃]|[#＃][^\s#＃]+")
_SENTENCE_END = re.compile(r"[。\n]|(?<=[！？!?])|(?<=[.…])(?=\s)")


@dataclass(frozen=True, slots=True)
class Request:
    """One call that may bring the object; ``serves``: the media kinds that its route is for, none for any."""

    route: str
    inputs: dict[str, Any]
    serves: Collection[str] = ()

    def may_serve(self, media_kind: str) -> bool:
        return not self.serves or media_kind in self.serves


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answer says about the work that was asked for.

    ``ok``: a whole work. ``sparse``: its identity and text, but not what its media kind needs; ``reason`` names the
    field. ``empty``: not in this answer. ``gone``: the platform says that it cannot be seen; ``retry_with`` names
    routes that may have it nevertheless. ``failed``: the answer is an error inside an answer.
    ``note``: the platform's own words, for people.
    """

    verdict: Verdict
    work: Work | None = None
    media: Media = field(default_factory=Media)
    reason: str | None = None
    note: str | None = None
    retry_with: tuple[str, ...] = ()


def requests(definition: Definition, kind: str, ids: Mapping[str, str]) -> tuple[Request, ...]:
    """The calls that may bring an object, in the order to try them.

    Args:
        definition: the platform.
        kind: ``work`` or ``creator``.
        ids: what is known of it: ``Target.ids``, and its link as ``url``.
    """
    rule = definition.objects.get(kind)
    routes = [route for route in (rule.routes if rule else ()) if not any(ids.get(name) for name in route.unless)]
    routes.sort(key=lambda r: not any(ids.get(name) in values for name, values in r.first_when.items()))
    sent = ((route, inputs(route, ids)) for route in routes)
    return tuple(Request(route.route, send, route.serves) for route, send in sent if send is not None)


def read_work(
    definition: Definition, body: Any, route: str, *, wanted: Mapping[str, str], zone: ZoneInfo, now: datetime
) -> Reading:
    """Read one answer as the work that was asked for.

    Args:
        definition: the platform.
        body: the whole answer, envelope and all.
        route: the route that gave it; it stands in ``field_sources``.
        wanted: what was known when asking; ``work_id`` chooses among several items, ``xsec_token`` makes links open.
        zone: the display zone of dates.
        now: when the answer came.

    Returns:
        A reading; ``work.primary_text`` is left to whoever knows the words.
    """
    rule = definition.objects["work"]
    layers = layers_of(body)
    item, others = choose(rule, layers[-1], "platform_work_id", wanted.get("work_id"))
    if item is None:
        no = refusal(rule, layers)
        if no is not None and (no.verdict == "gone" or not others):
            return Reading(no.verdict, reason=no.reason, note=no.note, retry_with=no.retry_with)
        return Reading("empty", reason="another_work" if others else "no_item", note=note_of(rule, layers))
    if gone := gone_by(rule.gone_item, item):
        return Reading("gone", reason=gone.reason, note=note_of(rule, [item]), retry_with=gone.retry_with)
    work, media = work_in(definition, item, route, wanted, zone, now)
    if not tells_something(work):
        return Reading("empty", reason="no_facts", note=note_of(rule, layers))
    return _judged(rule, work, media)


def merge(base: Reading, other: Reading) -> Reading:
    """``base`` with what it lacks taken from ``other``, if both are readings of the same work.

    Nothing that ``base`` knows is changed.
    """
    if base.work is None:
        return other
    if other.work is None or other.work.key != base.work.key:
        return base
    mine, theirs = base.work, other.work
    alike = mine.work_modality == theirs.work_modality  # else one answer took the work for something that it is not
    opens = mine.open_url == mine.source_url and theirs.open_url != theirs.source_url
    work = replace(
        filled(mine, theirs, FILLED if alike else WANTED, ("approximate", "partial", "field_sources")),
        open_url=theirs.open_url if opens else mine.open_url,
    )
    media = base.media
    if alike:
        media = replace(
            media,
            streams=media.streams or other.media.streams,
            subtitles=media.subtitles or other.media.subtitles,
        )
    still = base.reason if base.reason and not getattr(work, base.reason, None) else None
    lacks = _lacks(work) or still
    return replace(base, work=work, media=media, verdict="sparse" if lacks else "ok", reason=lacks)


# --- facts


def work_in(
    definition: Definition, item: dict[str, Any], route: str, known: Mapping[str, str], zone: ZoneInfo, now: datetime
) -> tuple[Work, Media]:
    """The work that ``item`` is, which must hold its id, and where its media are; arguments as for ``read_work``."""
    rule = definition.objects["work"]
    kind = next(kind for kind in rule.kinds if kind.when is None or kind.when.find(item))
    facts = facts_in(rule.fields, item, route)
    values, sources = facts.values, facts.sources
    if kind.work_modality != "video":
        values.pop("duration_ms", None)
        sources.pop("duration_ms", None)
    if "title" not in values and (title := title_from(values.get("caption_raw"))):
        values["title"], sources["title"] = title, "derived:caption_raw"
    if "published_at" in values:
        published = datetime.fromtimestamp(values["published_at"], zone)
        values |= {"published_at": published.isoformat(), "published_date": published.date().isoformat()}
        sources["published_date"] = sources["published_at"]
    partial: dict[str, str] = {}
    media = Media(referer=definition.referer)
    if kind.work_modality == "video":
        streams, paths = _streams(rule, item)
        media = Media(streams, _subtitles(rule, item), definition.referer)
        if streams:
            values["video_download_url"] = streams[0].url
            sources["video_download_url"] = f"{route}:{paths[streams[0].url]}"
            if streams[0].watermark:
                partial["video_download_url"] = "watermarked"
    work = Work(
        platform=definition.platform,
        work_modality=kind.work_modality,
        media_kind=kind.media_kind,
        platform_native_ids=plain_values(rule.native_ids, item),
        approximate=facts.approximate,
        partial=partial,
        field_sources=sources,
        snapshot_at=now.astimezone(zone).isoformat(timespec="seconds"),
        **values,
        **_links(rule, kind, item, values["platform_work_id"], known),
    )
    return replace(work, missing=_missing(rule, work)), media


def _links(rule: Object, kind: Kind, item: Any, work_id: str, wanted: Mapping[str, str]) -> dict[str, str]:
    known = {**plain_values(rule.own, item), **{k: v for k, v in wanted.items() if v}, "work_id": work_id}
    quoted = {name: quote(value, safe="", errors="replace") for name, value in known.items() if isinstance(value, str)}
    source = fill(kind.page or rule.page, quoted)
    return {"source_url": source, "open_url": fill(rule.open_page, quoted) or source}


def tells_something(work: Work) -> bool:
    """Whether there is more to a work than its id."""
    return bool(work.title or work.caption_raw or work.author_name or work.platform_author_id)


def _missing(rule: Object, work: Work) -> dict[str, str]:
    names = (*WANTED, *WANTED_OF_KIND.get(work.media_kind, ()))
    return {
        name: "not_published" if name in rule.unpublished else "not_in_answer"
        for name in names
        if getattr(work, name) in (None, ())
    }


def _judged(rule: Object, work: Work, media: Media) -> Reading:
    lacks = _lacks(work)
    for group in rule.accept:
        lacks = lacks or (None if any(getattr(work, name) for name in group) else group[0])
    return Reading("sparse" if lacks else "ok", work, media, lacks)


def _lacks(work: Work) -> str | None:
    """The field that this work's kind cannot do without, if it is not there."""
    name = NEEDED_OF_KIND.get(work.media_kind)
    return name if name and not getattr(work, name) else None


def title_from(caption: str | None) -> str | None:
    """The first sentence of a caption without hashtags; ``None`` where nothing else is in it."""
    words = _HASHTAG.sub(" ", caption or "")
    sentences = (" ".join(part.split()) for part in _SENTENCE_END.split(words))
    return next((s for s in sentences if any(c.isalnum() or ord(c) > 0x2000 for c in s)), None)


# --- media


def _streams(rule: Object, item: Any) -> tuple[tuple[Stream, ...], dict[str, str]]:
    """Every way to fetch the video, best first: no watermark, high, playable, dense; and where each one stands."""
    found: dict[str, Stream] = {}
    paths: dict[str, str] = {}
    for where in rule.streams:
        entries = where.entries.find(item)
        for entry in (entries if isinstance(entries, list) else [entries])[:MOST_STREAMS]:
            stream = _stream(rule, where, entry)
            if stream and stream.url not in found:
                found[stream.url] = stream
                paths[stream.url] = where.entries.text
    best = sorted(
        found.values(),
        key=lambda s: (s.watermark, -(s.height or 0), s.codec in rule.rare_codecs, -(s.bitrate or 0)),
    )
    return tuple(best), paths


def _stream(rule: Object, where: Streams, entry: Any) -> Stream | None:
    url = first_url(where.url.find(entry))
    if not url or (rule.not_video and rule.not_video.search(url)):
        return None
    height, bitrate, size = (number(_at(path, entry)) for path in (where.height, where.bitrate, where.size))
    marked = where.watermark or bool(rule.watermarked and rule.watermarked.search(url))
    return Stream(url, height or None, bitrate or None, size or None, text(_at(where.codec, entry)), marked)


def _subtitles(rule: Object, item: Any) -> tuple[Subtitle, ...]:
    found: dict[str, Subtitle] = {}
    for where in rule.subtitles:
        for tag, entry in _tagged(where.entries.find(item), where.by_tag):
            url = first_url(where.url.find(entry))
            language = text(_at(where.language, entry))
            name = text(tag) or text(_at(where.tag, entry)) or language
            if url and name:
                found.setdefault(url, Subtitle(url, name, language))
    return tuple(found.values())


def _tagged(entries: Any, by_tag: bool) -> Iterator[tuple[str | None, Any]]:
    """Entries with their tags, from an object of lists or a plain list."""
    if by_tag and isinstance(entries, dict):
        for tag, inner in entries.items():
            for entry in inner if isinstance(inner, list) else [inner]:
                yield tag, entry
    elif isinstance(entries, list):
        for entry in entries:
            yield None, entry


def _at(path: Path | None, value: Any) -> Any:
    return path.find(value) if path else None
