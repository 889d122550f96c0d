"""The Markdown card of a work: front matter, facts, pictures, words, sources, and a place for the user's own.

Pure: the same work, pictures and old card give the same bytes. Every text that strangers wrote goes through
``cards.markdown``; nothing here is an analysis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tikomni.cards import front_matter, kept, standing, wording
from tikomni.cards.assets import Asset
from tikomni.cards.labels import labels, language, note_headings
from tikomni.cards.markdown import inline, quote
from tikomni.cards.standing import WorkFigures
from tikomni.facts import Work
from tikomni.settings import Settings

TITLE_CHARS = 200
_AUTHOR = "author"
# Every name that this tool writes onto the card of a work, whatever run made it.
OURS = front_matter.NAMES | standing.NAMES | {_AUTHOR}
_LINK = re.compile(r"\[\[[^\[\]|\n]+\|[^\[\]|\n]*\]\]")


def render(
    settings: Settings,
    work: Work,
    assets: Sequence[Asset] = (),
    old: kept.Card | None = None,
    figures: WorkFigures | None = None,
    author: str | None = None,
    asked: bool = False,
) -> bytes:
    """The card as bytes; what is the user's in ``old`` is kept, their words byte for byte.

    Args:
        figures: without them those that an earlier run over the creator left in ``old`` stay.
        author: wikilink to the creator's card; likewise.
        asked: there is an analysis to show, or a task for one; else only works with words have a place for them.
    """
    words = labels(language(settings, work.platform))
    generated = _generated(settings, work, assets, old, figures, author, asked, words)
    return kept.join(generated, old, words["notes"], note_headings())


def _generated(
    settings: Settings,
    work: Work,
    assets: Sequence[Asset],
    old: kept.Card | None,
    figures: WorkFigures | None,
    author: str | None,
    asked: bool,
    words: Mapping[str, Any],
) -> str:
    cover = next((a for a in assets if a.is_cover), None)
    pictures = [a for a in assets if not a.is_cover]
    face = cover or next(iter(pictures), None)
    tags = front_matter.tags(settings.card_tags, *(old.values("tags") if old else ()))
    members = front_matter.members(work, tags, face.path if face else None)
    ours, left = front_matter.NAMES | {_AUTHOR}, set()  # left: what an earlier run over the creator wrote
    if author:
        members[_AUTHOR] = front_matter.Quoted(author)
    elif old:
        author = old.value(_AUTHOR)
        left.add(_AUTHOR)
    if figures:
        found = standing.members(figures)
        members, figured = members | found, standing.spelled(found)
        ours |= standing.NAMES
    else:
        figured = standing.of_card(old)
        left |= figured.keys()
    return wording.template("work.md.j2").render(
        label=words,
        front=front_matter.dump(members) + (old.only(left) + old.others(ours | left) if old else ""),
        title=inline(work.title or work.caption_raw or "", TITLE_CHARS)
        or f"{words['untitled']} {inline(work.platform_work_id)}",
        cover=cover.path if cover and not pictures else None,
        facts=_facts(settings, work, author, words),
        figures=[(words["fields"][n], wording.count(work, n)) for n in front_matter.COUNTS],
        standing=standing.section(figured, settings, words),
        pictures=[a.path for a in pictures],
        pictures_note=_pictures_note(work, len(pictures), words),
        analysis=asked or work.analysis_eligibility == "eligible",
        texts=_texts(work, words),
        missing=_missing(work, cover, words),
        sources=_sources(settings, work, words),
    )


def _facts(settings: Settings, work: Work, card: str | None, words: Mapping[str, Any]) -> list[tuple[str, str]]:
    name, handle = inline(work.author_name or ""), inline(work.author_handle or "")
    author = f"{name}{words['open']}{handle}{words['close']}" if name and handle else name or handle
    form = [words["media"][work.media_kind], words["modality"][work.work_modality]]
    form += [wording.duration(work.duration_ms)] if work.duration_ms is not None else []
    form += [words[mark] for mark in ("pinned", "sponsored") if getattr(work, mark)]
    link = wording.link(work)
    rows = (
        ("platform", words["platforms"].get(work.platform) or inline(work.platform)),
        ("author", author),
        ("author_card", card if card and _LINK.fullmatch(card) else ""),
        ("published", wording.moment(work.published_at, settings) or inline(work.published_date or "")),
        ("form", " · ".join(form)),
        ("original", f"[{words['open_original']}]({link})" if link else ""),
        ("topics", words["comma"].join(inline(topic) for topic in work.topics)),
    )
    return [(words[name], value or "—") for name, value in rows if value or name in ("author", "published")]


def _pictures_note(work: Work, stored: int, words: Mapping[str, Any]) -> str:
    total = len(work.image_urls)
    return words["pictures_stored"].format(total=total, stored=stored) if stored < total else ""


def _texts(work: Work, words: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Sections of words, as headings and bodies."""
    cut = work.partial.get("caption_raw")
    note = words["cut"].format(reason=wording.reason(cut, words)) if cut else ""
    caption = quote(work.caption_raw or "")
    if work.primary_text:
        spoken = work.primary_text_source == "transcript_clean"
        main = words["transcript" if spoken else "text"], quote(work.primary_text)
    else:
        reason = wording.reason(work.analysis_exclusion_reason or "not_in_answer", words)
        heading = words["transcript" if work.work_modality == "video" else "text"]
        main = heading, words["no_main_text"].format(reason=reason)
    same = _folded(work.caption_raw) == _folded(work.primary_text)
    return [main] if same or not caption else [main, (words["caption"] + note, caption)]


def _missing(work: Work, cover: Asset | None, words: Mapping[str, Any]) -> list[str]:
    gaps = {name: wording.reason(code, words) for name, code in work.missing.items()}
    if "transcript" in gaps:
        gaps.pop("primary_text", None)  # said once
    for name, code in work.partial.items():
        gaps[name] = words["incomplete_field"].format(reason=wording.reason(code, words))
    if work.cover_image and cover is None and work.cover_image not in work.image_urls:
        gaps.setdefault("cover_image", words["cover_not_stored"])
    return [f"{wording.field(name, words)}{words['colon']}{told}" for name, told in gaps.items()]


def _sources(settings: Settings, work: Work, words: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = wording.routes(work.field_sources, words)
    if spoken := work.transcript:
        details = [inline(name) for name in (spoken.model, spoken.task, spoken.origin) if name]
        details += [f"{words['language']} {inline(spoken.language)}"] if spoken.language else []
        where = words["comma"].join(details)
        source = words["transcript_sources"].get(spoken.source) or inline(spoken.source)
        where = f"{words['open']}{where}{words['close']}" if where else ""
        rows.append((words["words_from"], source + where))
    if read := wording.moment(work.snapshot_at, settings):
        rows.append((words["snapshot"], read))
    return [*rows, (words["work_id"], inline(work.platform_work_id))]


def _folded(text: str | None) -> str:
    return re.sub(r"\s+", "", text or "")
