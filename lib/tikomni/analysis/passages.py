"""Where in a work some words stand: the sentence, and when it is said. Pure; invents no time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from unicodedata import normalize

from tikomni.facts import Segment, Work
from tikomni.library.entries import fold
from tikomni.transcripts.clean import sentences


@dataclass(frozen=True, slots=True)
class Passage:
    """``text`` as it stands in the work; ``start_ms`` where it is spoken and its source has times."""

    text: str
    start_ms: int | None = None


def passage(work: Work, words: Sequence[str]) -> Passage | None:
    """The sentence of ``work`` that holds most of ``words``: of what is said before of what is written.

    >>> passage(Work("douyin", "1", title="晨跑 Day 1", caption_raw="跑完喝水。明天见。"), ["明天"])
    Passage(text='明天见。', start_ms=None)
    """
    wanted = [folded for word in words if (folded := fold(word))]
    best, most = None, 0
    for found in (*_spoken(work, wanted), *_written(work)):
        held = sum(word in fold(found.text) for word in wanted)
        if held > most:
            best, most = found, held
    return best


def clip(text: str, words: Sequence[str], most: int) -> str:
    """At most ``most`` characters of ``text``, the first of ``words`` that stands in it among them.

    >>> clip("昨天去了市场，今天做一锅番茄牛腩", ["番茄"], 8)
    '…做一锅番茄牛腩'
    """
    if len(text) <= most:
        return text
    at, length = min((place for word in words if (place := _place(text, word))), default=(0, 0))
    start = max(0, min(at - max(most - length, 0) // 2, len(text) - most + 1))
    start = 0 if at + length < most else start
    room = most - bool(start)
    end = start + room if start + room >= len(text) else start + room - 1
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _place(text: str, word: str) -> tuple[int, int] | None:
    """Where ``word`` begins in ``text`` and how long it is there, whatever its case and width."""
    spelled = [(folded, at) for at, char in enumerate(text) for folded in normalize("NFKC", char).casefold()]
    found = "".join(folded for folded, _ in spelled).find(fold(word))
    if found < 0 or not fold(word):
        return None
    first, last = spelled[found][1], spelled[min(found + len(fold(word)), len(spelled)) - 1][1]
    return first, last - first + 1


def _spoken(work: Work, words: Sequence[str]) -> Iterator[Passage]:
    segments = work.transcript.segments if work.transcript else ()
    yield from (Passage(segment.text, segment.start_ms) for segment in segments)
    # A source may cut a sentence, or a word, in two.
    for joint in ("", " ") if segments else ():
        for word in words:
            if across := _across(segments, word, joint):
                yield across
    if work.transcript:
        yield from map(Passage, sentences(work.transcript.clean or work.transcript.raw))


def _across(segments: Sequence[Segment], word: str, joint: str) -> Passage | None:
    texts = [fold(segment.text) for segment in segments]
    at = joint.join(texts).find(word)
    if at < 0:
        return None
    starts = list(accumulate((len(text) + len(joint) for text in texts), initial=0))
    first, last = bisect_right(starts, at) - 1, bisect_right(starts, at + len(word) - 1) - 1
    return Passage(joint.join(segment.text for segment in segments[first : last + 1]), segments[first].start_ms)


def _written(work: Work) -> Iterator[Passage]:
    if work.title:
        yield Passage(work.title)
    yield from map(Passage, sentences(work.caption_raw or ""))
    yield from (Passage(f"#{topic}") for topic in work.topics)
