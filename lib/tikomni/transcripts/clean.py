"""Makes readable paragraphs of a raw transcript. Adds no word, drops no word; what is clean stays as it is."""

from __future__ import annotations

import re

# A sentence ends with its punctuation and the quotes or brackets that close it.
_SENTENCE = re.compile(r"[^。！？!?；;…\n]*(?:[。！？!?；;…]+[”’」』）)\"']*|\n|$)|[^\n]+")
_ENDED = re.compile(r"[。！？!?；;…][”’」』）)\"']*$")
_WIDE_START = re.compile(r"^[\u2e80-\u9fff\uff00-\uffef]")
_MARK_START = re.compile(r"^[。！？!?；;…”’」』）)\"']")
_SPACES = re.compile(r"[^\S\n]+")

PARAGRAPH_CHARS = 120
PARAGRAPH_SENTENCES = 6


def clean(raw: str) -> str:
    """``raw`` in paragraphs, separated by blank lines.

    Sentences that end with punctuation run on within a paragraph; lines without any (subtitles often have none)
    stay lines. Repeated sentences are kept: people repeat themselves. ``clean(clean(x)) == clean(x)``.
    """
    paragraphs: list[str] = []
    current, count = "", 0
    for sentence in sentences(raw):
        current += _joint(current, sentence) + sentence
        count += 1
        if len(current) >= PARAGRAPH_CHARS or count >= PARAGRAPH_SENTENCES:
            paragraphs.append(current)
            current, count = "", 0
    if current:
        paragraphs.append(current)
    return "\n\n".join(paragraphs)


def sentences(raw: str) -> list[str]:
    """``raw`` cut after each sentence's punctuation and at each line's end; white space folded, empty ones dropped."""
    folded = _SPACES.sub(" ", raw.replace("\r\n", "\n").replace("\r", "\n"))
    return [piece for found in _SENTENCE.findall(folded) if (piece := found.strip())]


def _joint(before: str, after: str) -> str:
    if not before:
        return ""
    if not _ENDED.search(before):
        return "\n"
    # Punctuation that stood alone must not grow together with the sentence before it.
    return "" if _WIDE_START.match(after) and not _MARK_START.match(after) else " "
