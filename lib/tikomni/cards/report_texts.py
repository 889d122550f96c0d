"""The words of works in a report, folded: each sentence of the sample can be led to. Pure; nothing here is escaped."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from tikomni.analysis.tasks.material import numbered
from tikomni.cards import report_values as values
from tikomni.cards import wording
from tikomni.cards.markdown import one_line
from tikomni.facts import Work

if TYPE_CHECKING:
    from tikomni.cards.report import ReportWork

TEXTS = 300  # more make a page that is slow to open


@dataclass(frozen=True, slots=True)
class Sentence:
    """``anchor``: the id that footnotes lead to, if any; ``gap``: what parts it from the next."""

    text: str
    anchor: str = ""
    gap: str = ""


def transcripts(works: Sequence[ReportWork], words: Mapping[str, Any]) -> dict[str, Any]:
    """Notes and texts: what is spoken, and what is written in the posts of the sample."""
    spoken = [row for row in works if row.work.transcript]
    silent = [row.work for row in works if row.work.work_modality == "video" and not row.work.transcript]
    reasons = Counter(wording.reason(work.missing.get("transcript", "not_requested"), words) for work in silent)
    told = words["comma"].join(f"{reason} {n}" for reason, n in reasons.most_common())
    written = [row for row in works if row.sampled and row.work.primary_text and not row.work.transcript]
    lede = words["transcripts_lede"].format(n=f"{len(spoken):,}") if spoken else words["no_transcripts"]
    if written:
        lede += words["texts_lede"].format(n=f"{len(written):,}")
    kept = {row.work.key for row in [*(r for r in spoken if r.sampled), *written]}
    kept |= {row.work.key for row in spoken[: max(0, TEXTS - len(kept))]}
    if len(kept) < len(spoken) + len(written):
        lede += words["transcripts_most"].format(shown=len(kept))
    shown = [row for row in works if row.work.key in kept]
    return {
        "notes": [lede, *([words["without_words"].format(n=len(silent), reasons=told)] if silent else [])],
        "texts": [_text(row, f"w{n}", words) for n, row in enumerate(shown, 1)],
    }


def sentences(text: Mapping[str, Any]) -> Iterator[Sentence]:
    """All that stands in one of the texts."""
    for group in (*text["paragraphs"], *(listed for _, listed in text["others"])):
        yield from group


def _text(row: ReportWork, anchor: str, words: Mapping[str, Any]) -> dict[str, Any]:
    work, spoken = row.work, row.work.transcript
    source = words["transcript_sources"].get(spoken.source) or one_line(spoken.source) if spoken else words["text"]
    main = work.primary_text or (spoken.clean if spoken else "")
    parts = _sentences(work, anchor) if row.sampled and work.primary_text else {}
    plain = [[Sentence(paragraph)] for paragraph in values.paragraphs(main)]
    return {
        "anchor": anchor,
        "key": work.key,
        "title": values.title(work, words),
        "notes": [work.published_date or "", source, words["characters"].format(n=f"{len(main):,}")],
        "paragraphs": list(_grouped(parts["main"], main)) if parts else plain,
        "others": [(words[name], parts[name]) for name in ("title_text", "caption") if parts.get(name)],
    }


def _sentences(work: Work, anchor: str) -> dict[str, list[Sentence]]:
    """The numbered sentences that an analysis may cite: of the main text, of a title and a caption beside it."""
    found: dict[str, list[Sentence]] = {"main": [], "title_text": [], "caption": []}
    for name, text in numbered(work, anchor).items():
        of = {"t": "title_text", "c": "caption"}.get(name.partition(".")[2][:1], "main")
        found[of].append(Sentence(text, name, " " if text[-1:].isascii() else ""))
    return found


def _grouped(sentences: Sequence[Sentence], text: str) -> Iterator[list[Sentence]]:
    """Sentences in the paragraphs of ``text``, which may be spelled otherwise: by how far each one ends in it."""
    ends = _shares([len(part) for part in values.paragraphs(text)])
    groups: dict[int, list[Sentence]] = {}
    for sentence, end in zip(sentences, _shares([len(s.text) for s in sentences]), strict=True):
        groups.setdefault(bisect_left(ends, round(end - 0.005, 3)), []).append(sentence)
    yield from groups.values()


def _shares(lengths: Sequence[int]) -> list[float]:
    whole = sum(lengths) or 1
    return [at / whole for at in accumulate(lengths)]
