"""What an analysis may rest on: the numbered sentences of works, their figures, and which works count as evidence.

Pure. The same facts give the same numbers and the same hashes. Partial captions and links that carry a token are
never part of it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from hashlib import sha256
from typing import Any, Self

from tikomni.analysis.rules import ALL_COUNTS
from tikomni.analysis.signals import Signals, signals
from tikomni.facts import Work
from tikomni.storage.names import printable
from tikomni.transcripts.clean import sentences

# A sentence is what a footnote quotes: long ones are cut at a pause. A line is the number and the sentence.
SENTENCE_CHARS = 200
# How the index calls what every work has; a claim may say either.
SHORT = {
    "digg_count": "like",
    "comment_count": "comment",
    "collect_count": "collect",
    "share_count": "share",
    "play_count": "play",
    "published_date": "date",
    "duration_s": "seconds",
}
REFERENCE = re.compile(r"W0*(\d+)(?:\.([tc]?)0*(\d+))?", re.IGNORECASE)
COMMENT = re.compile(r"C0*(\d+)", re.IGNORECASE)
# Material may be made of comments in place of works: then each is a source with one sentence, of its own name.
COMMENTS = "comments"

_TOKEN = re.compile(r"[?&]?xsec_token=[^&\s]*", re.IGNORECASE)
# A full stop that ends a sentence: after a word of two letters or more, before one that begins with no small letter.
_STOP = re.compile(r"(?<=[^\W_]{2}\.)\s+(?=[^\Wa-z_]|[\"“‘(])")
_PAUSE = re.compile(r"[，,、；;：:\s](?!.*[，,、；;：:\s])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """One work as evidence.

    ``ref``: ``W07``. ``excluded``: why nothing may rest on it (``not_sampled``, or why it has no words). ``sentences``:
    id → text, in order; ``W07.t1`` is of the title, ``W07.12`` of the main text, ``W07.c3`` of a video's caption.
    Of a comment ``C012`` is both. ``commercial``: the calls to buy or to get in touch that the rules found, label → the
    words that they matched.
    """

    ref: str
    key: str
    title: str
    url: str | None
    figures: Mapping[str, Any]
    sentences: Mapping[str, str]
    commercial: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: str | None = None
    traits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Material:
    """Everything that a task shows, for programs: ``input.json``."""

    kind: str
    version: int
    language: str
    subject: Mapping[str, str]
    figures: Mapping[str, Any]
    works: tuple[Source, ...]
    pictures: tuple[str, ...] = ()

    @property
    def of_comments(self) -> bool:
        """Whether it is made of comments in place of works."""
        return self.subject["type"] == COMMENTS

    @cached_property
    def by_ref(self) -> Mapping[str, Source]:
        return {work.ref: work for work in self.works}

    @cached_property
    def sampled(self) -> tuple[Source, ...]:
        """The works that claims may rest on."""
        return tuple(work for work in self.works if work.excluded is None)

    @cached_property
    def confidence(self) -> str:
        """What a sample of this size allows: ``low`` below 5 works or 30 comments, ``high`` from 15 or 100 on, else
        ``mid``."""
        low, high = (30, 100) if self.of_comments else (5, 15)
        return "low" if len(self.sampled) < low else "mid" if len(self.sampled) < high else "high"

    @property
    def sample(self) -> dict[str, Any]:
        """How much claims may rest on: ``works`` or ``comments``, and ``confidence``."""
        return {COMMENTS if self.of_comments else "works": len(self.sampled), "confidence": self.confidence}

    @cached_property
    def words_hash(self) -> str:
        return _digest([list(work.sentences.items()) for work in self.sampled])

    @cached_property
    def input_hash(self) -> str:
        """Changes with anything that a claim can be checked against."""
        figures = [[work.key, dict(work.figures), sorted(work.commercial)] for work in self.sampled]
        return _digest([self.words_hash, self.version, dict(self.figures), figures])

    def as_text(self) -> str:
        """``input.json``; written work by work, because of thousands each copy takes much memory."""
        told = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "works"}
        told |= {"input_hash": self.input_hash, "words_hash": self.words_hash}
        works = ", ".join(json.dumps(asdict(work), ensure_ascii=False) for work in self.works)
        return f'{json.dumps(told, ensure_ascii=False)[:-1]}, "works": [{works}]}}\n'

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError or TypeError where ``data`` is no material."""
        works = tuple(
            Source(
                **{
                    **work,
                    "traits": tuple(work["traits"]),
                    "commercial": {k: tuple(v) for k, v in work["commercial"].items()},
                }
            )
            for work in data["works"]
        )
        names = ("kind", "version", "language", "subject", "figures")
        return cls(**{name: data[name] for name in names}, works=works, pictures=tuple(data["pictures"]))


def source(
    work: Work,
    number: int,
    excluded: str | None = None,
    figures: Mapping[str, Any] | None = None,
    traits: Iterable[str] = (),
    found: Signals | None = None,
) -> Source:
    """``work`` as evidence number ``number``; ``figures`` beside its counts, date and length; ``found``: its signals,
    where they are known already."""
    ref = f"W{number:02}"
    counts = {name: getattr(work, name) for name in ALL_COUNTS}
    length = None if work.duration_ms is None else round(work.duration_ms / 1000)
    found = found or signals(work)
    return Source(
        ref=ref,
        key=work.key,
        title=one_line(work.title or work.caption_raw or ""),
        url=work.source_url and _TOKEN.sub("", work.source_url),
        figures={**counts, "published_date": work.published_date, "duration_s": length, **(figures or {})},
        sentences=numbered(work, ref),
        commercial={call.label or "": call.words for call in found.commercial},
        excluded=excluded or (None if work.primary_text else work.analysis_exclusion_reason or "no_words"),
        traits=tuple(traits),
    )


def numbered(work: Work, ref: str) -> dict[str, str]:
    """The sentences of ``work`` by their ids, which begin with ``ref``."""
    main = list(_spoken(work))
    lines = {f"{ref}.{n:02}": text for n, text in enumerate(main, 1)}
    title = one_line(work.title or "")
    said = re.sub(r"\s+", "", "".join(main))
    own = title and not work.field_sources.get("title", "").startswith("derived")
    titles = {f"{ref}.t{n}": text for n, text in enumerate(_cut(title), 1)} if own and title not in said else {}
    if work.work_modality != "video" or "caption_raw" in work.partial or not work.caption_raw:
        return titles | lines
    texts = [piece for text in _sentences(work.caption_raw) for piece in _cut(text)]
    return titles | lines | {f"{ref}.c{n}": text for n, text in enumerate(texts, 1)}


def _spoken(work: Work) -> Iterable[str]:
    """The main text as its source cuts it, else at its punctuation."""
    if not work.primary_text:
        return
    segments = [s.text for s in work.transcript.segments] if work.transcript else []
    for text in map(one_line, segments) if segments else _sentences(work.primary_text):
        yield from _cut(text)


def _sentences(text: str) -> Iterable[str]:
    for line in sentences(printable(_TOKEN.sub("", text))):
        yield from _STOP.split(one_line(line))


def one_line(text: str) -> str:
    """``text`` as a line of material: printable, without tokens of links."""
    return re.sub(r"\s+", " ", printable(_TOKEN.sub("", text))).strip()


def spelled(text: Any) -> str:
    """The id of a sentence, a work or a comment as it is spelled here; empty where it is none."""
    bare = unicodedata.normalize("NFKC", str(text)).strip(" \t\n[]()“”「」『』【】\"'`。.,;:")
    if said := COMMENT.fullmatch(bare):
        return f"C{int(said[1]):03}"
    if not (found := REFERENCE.fullmatch(bare)):
        return ""
    work, part, number = found.groups()
    if number is None:
        return f"W{int(work):02}"
    return f"W{int(work):02}.{part.lower()}{int(number)}" if part else f"W{int(work):02}.{int(number):02}"


def _cut(text: str) -> Iterable[str]:
    """``text`` in pieces of at most ``SENTENCE_CHARS``, each ending at a pause where there is one."""
    while len(text) > SENTENCE_CHARS:
        pause = _PAUSE.search(text[:SENTENCE_CHARS])
        end = pause.end() if pause and pause.end() > SENTENCE_CHARS // 4 else SENTENCE_CHARS
        yield text[:end].strip()
        text = text[end:].strip()
    if text:
        yield text


def _digest(value: Any) -> str:
    return sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:16]
