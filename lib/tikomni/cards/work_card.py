"""The Markdown card of a work: front matter, facts, pictures, words, sources, and a place for the user's own.

Pure: the same work, pictures and old card give the same bytes. Every text that strangers wrote goes through
``cards.markdown``; nothing here is an analysis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni.cards import front_matter, kept
from tikomni.cards.assets import Asset
from tikomni.cards.labels import labels, language, note_headings
from tikomni.cards.markdown import inline, quote, url
from tikomni.facts import Work
from tikomni.settings import Settings

if TYPE_CHECKING:
    import jinja2

TITLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Text:
    """A section of words."""

    heading: str
    body: str


def render(settings: Settings, work: Work, assets: Sequence[Asset] = (), old: kept.Card | None = None) -> bytes:
    """The card as bytes; what is the user's in ``old`` is kept, their words byte for byte."""
    words = labels(language(settings, work.platform))
    generated = _generated(settings, work, assets, old, words) + kept.MARKER
    theirs = _new_notes(words)
    if old is not None:
        found, clear = old.words(note_headings())
        theirs = found if clear else theirs + b"\n" + found
    return generated.encode("utf-8", "replace") + theirs


def _generated(
    settings: Settings, work: Work, assets: Sequence[Asset], old: kept.Card | None, words: Mapping[str, Any]
) -> str:
    cover = next((a for a in assets if a.is_cover), None)
    pictures = [a for a in assets if not a.is_cover]
    face = cover or next(iter(pictures), None)
    tags = front_matter.tags(settings.card_tags, *(old.values("tags") if old else ()))
    front = front_matter.dump(front_matter.members(work, tags, face.path if face else None))
    return _template().render(
        label=words,
        front=front + (old.others(front_matter.NAMES) if old else ""),
        title=inline(work.title or work.caption_raw or "", TITLE_CHARS)
        or f"{words['untitled']} {inline(work.platform_work_id)}",
        cover=cover.path if cover and not pictures else None,
        facts=_facts(settings, work, words),
        figures=[(words["fields"][n], _figure(work, n)) for n in front_matter.COUNTS],
        pictures=[a.path for a in pictures],
        pictures_note=_pictures_note(work, len(pictures), words),
        texts=_texts(work, words),
        missing=_missing(work, cover, words),
        sources=_sources(settings, work, words),
    )


def _new_notes(words: Mapping[str, Any]) -> bytes:
    return f"\n## {words['notes']}\n\n".encode()


def _facts(settings: Settings, work: Work, words: Mapping[str, Any]) -> list[tuple[str, str]]:
    name, handle = inline(work.author_name or ""), inline(work.author_handle or "")
    author = f"{name}{words['open']}{handle}{words['close']}" if name and handle else name or handle
    form = [words["media"][work.media_kind], words["modality"][work.work_modality]]
    form += [_duration(work.duration_ms)] if work.duration_ms is not None else []
    form += [words[mark] for mark in ("pinned", "sponsored") if getattr(work, mark)]
    link = url(work.open_url) or url(work.source_url)
    rows = (
        ("platform", words["platforms"].get(work.platform) or inline(work.platform)),
        ("author", author),
        ("published", _moment(work.published_at, settings) or inline(work.published_date or "")),
        ("form", " · ".join(form)),
        ("original", f"[{words['open_original']}]({link})" if link else ""),
        ("topics", words["comma"].join(inline(topic) for topic in work.topics)),
    )
    return [(words[name], value or "—") for name, value in rows if value or name in ("author", "published")]


def _figure(work: Work, name: str) -> str:
    count = getattr(work, name)
    if count is None:
        return "—"
    how = work.approximate.get(name)
    return f"{'≈' if how == 'rounded' else ''}{count:,}{'+' if how == 'at_least' else ''}"


def _pictures_note(work: Work, stored: int, words: Mapping[str, Any]) -> str:
    total = len(work.image_urls)
    return words["pictures_stored"].format(total=total, stored=stored) if stored < total else ""


def _texts(work: Work, words: Mapping[str, Any]) -> list[Text]:
    cut = work.partial.get("caption_raw")
    note = words["cut"].format(reason=_reason(cut, words)) if cut else ""
    caption = Text(words["caption"] + note, quote(work.caption_raw or ""))
    if work.primary_text:
        spoken = work.primary_text_source == "transcript_clean"
        main = Text(words["transcript" if spoken else "text"], quote(work.primary_text))
    else:
        reason = _reason(work.analysis_exclusion_reason or "not_in_answer", words)
        heading = words["transcript" if work.work_modality == "video" else "text"]
        main = Text(heading, words["no_main_text"].format(reason=reason))
    same = _folded(work.caption_raw) == _folded(work.primary_text)
    return [main] if same or not caption.body else [main, caption]


def _missing(work: Work, cover: Asset | None, words: Mapping[str, Any]) -> list[str]:
    gaps = {field: _reason(reason, words) for field, reason in work.missing.items()}
    if "transcript" in gaps:
        gaps.pop("primary_text", None)  # said once
    for field, reason in work.partial.items():
        gaps[field] = words["incomplete_field"].format(reason=_reason(reason, words))
    if work.cover_image and cover is None and work.cover_image not in work.image_urls:
        gaps.setdefault("cover_image", words["cover_not_stored"])
    return [f"{_field(field, words)}{words['colon']}{reason}" for field, reason in gaps.items()]


def _sources(settings: Settings, work: Work, words: Mapping[str, Any]) -> list[tuple[str, str]]:
    by_route: dict[str, list[str]] = {}
    for field, source in work.field_sources.items():
        route = re.split(r"[:\s]", source, maxsplit=1)[0]  # the path after it is left to the work document
        by_route.setdefault(route, []).append(_field(field, words))
    derived = by_route.pop("derived", [])
    rows = [(inline(route), words["comma"].join(fields)) for route, fields in by_route.items()]
    rows += [(words["derived"], words["comma"].join(derived))] if derived else []
    if spoken := work.transcript:
        details = [inline(spoken.origin)] if spoken.origin else []
        details += [f"{words['language']} {inline(spoken.language)}"] if spoken.language else []
        where = words["comma"].join(details)
        source = words["transcript_sources"].get(spoken.source) or inline(spoken.source)
        where = f"{words['open']}{where}{words['close']}" if where else ""
        rows.append((words["words_from"], source + where))
    if moment := _moment(work.snapshot_at, settings):
        rows.append((words["snapshot"], moment))
    return [*rows, (words["work_id"], inline(work.platform_work_id))]


def _reason(code: str, words: Mapping[str, Any]) -> str:
    return words["reasons"].get(code) or inline(code.replace("_", " "))


def _field(name: str, words: Mapping[str, Any]) -> str:
    return words["fields"].get(name) or inline(name.replace("_", " "))


def _duration(milliseconds: int) -> str:
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _moment(iso: str | None, settings: Settings) -> str | None:
    if not iso:
        return None
    return f"{datetime.fromisoformat(iso).astimezone(settings.zone):%Y-%m-%d %H:%M} {settings.display_zone}"


def _folded(text: str | None) -> str:
    return re.sub(r"\s+", "", text or "")


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("work.md.j2")
