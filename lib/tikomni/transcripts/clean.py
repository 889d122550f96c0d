"""Makes readable paragraphs of a raw transcript. Adds nothing, drops fillers only; what is clean stays as it is.

Which words are fillers: ``cleaning.yaml``.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tikomni.storage.yaml_file import read_yaml
from tikomni.transcripts.segment import Token, words

# A sentence ends with its punctuation and the quotes or brackets that close it.
_SENTENCE = re.compile(r"[^。！？!?；;…\n]*(?:[。！？!?；;…]+[”’」』）)\"']*|\n|$)|[^\n]+")
_ENDED = re.compile(r"[。！？!?；;…][”’」』）)\"']*$")
# A full stop ends a sentence where white space and a capital letter follow: not in 3.5, in names of sites, in "…".
_STOP = re.compile(r"""(?<![\s.])[.][”’)"']*(?=\s+[“‘("']*[A-Z])""")
_WIDE_START = re.compile(r"^[\u2e80-\u9fff\uff00-\uffef]")
_MARK_START = re.compile(r"^[。！？!?；;…”’」』）)\"']")
_SPACES = re.compile(r"[^\S\n]+")

PARAGRAPH_CHARS = 120
PARAGRAPH_SENTENCES = 6


_HAN = re.compile("[\u3400-\u9fff]")
_PAUSES = "，、,"
_ENDS = "。！？!?；;…\n"


def clean(raw: str) -> str:
    """``raw`` in paragraphs, separated by blank lines, without the words that only fill a pause.

    Sentences that end with punctuation run on within a paragraph; lines without any (subtitles often have none)
    stay lines. Repeated sentences are kept: people repeat themselves. ``clean(clean(x)) == clean(x)``.
    """
    text = _paragraphs(_without_fillers(raw))
    # What stood on both sides of a filler may be cut into other words now.
    while (again := _paragraphs(_without_fillers(text))) != text:
        text = again
    return text


def _without_fillers(text: str) -> str:
    if not _candidates().search(text):
        return text  # most texts have none, and the dictionary takes longer to load than all the rest
    tokens = words(text, "zh" if _HAN.search(text) else "en")
    kept, at = [], 0
    for index, token in enumerate(tokens):
        end = _end_of_filler(text, token, tokens[index + 1] if index + 1 < len(tokens) else None)
        if end is not None and token.start >= at:
            kept.append(text[at : token.start])
            at = end
    return "".join((*kept, text[at:]))


def _end_of_filler(text: str, token: Token, following: Token | None) -> int | None:
    """Where the text goes on without ``token``; ``None`` where it stays. A pause that was the filler's goes with it."""
    rules, word = _rules(), token.text.lower()
    if word in rules["stuttered"] and following is not None and following.text.lower() == word:
        between = text[token.end : following.start]
        if not between.strip(" "):
            return following.start
    if word not in rules["anywhere"] and word not in rules["between_pauses"]:
        return None
    before, after = text[: token.start].rstrip(" ")[-1:], text[token.end :].lstrip(" ")[:1]
    if before in ("", *_ENDS) and after in ("", *_ENDS):
        return None
    if before in ("", *_PAUSES, *_ENDS) and after and after in _PAUSES:
        return text.index(after, token.end) + 1
    return token.end if word in rules["anywhere"] else None


@cache
def _candidates() -> re.Pattern[str]:
    rules = _rules()
    single = "|".join(sorted(rules["anywhere"] | rules["between_pauses"]))
    double = "|".join(sorted(rules["stuttered"]))
    return re.compile(rf"{single}|({double}) *\1", re.I)


@cache
def _rules() -> dict[str, frozenset[str]]:
    raw = read_yaml(Path(__file__).with_name("cleaning.yaml"))
    return {name: frozenset(listed) for name, listed in raw.items()}


def _paragraphs(text: str) -> str:
    paragraphs: list[str] = []
    current, count = "", 0
    for sentence in sentences(text):
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
    return [piece for found in _SENTENCE.findall(folded) for part in _stops(found) if (piece := part.strip())]


def _stops(text: str) -> list[str]:
    """``text`` cut after each full stop that ends a sentence; those of abbreviations and initials do not."""
    ends = [m.end() for m in _STOP.finditer(text) if not _abbreviated(text, m.start())]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def _abbreviated(text: str, stop: int) -> bool:
    word = text[:stop].rpartition(" ")[2].lstrip("“‘(\"'").lower()
    return (len(word) == 1 and word.isalpha()) or word in _rules()["abbreviations"]


def _joint(before: str, after: str) -> str:
    if not before:
        return ""
    if not _ENDED.search(before):
        return " " if len(_stops(f"{before} {after}")) > len(_stops(before)) + len(_stops(after)) - 1 else "\n"
    # Punctuation that stood alone must not grow together with the sentence before it.
    return "" if _WIDE_START.match(after) and not _MARK_START.match(after) else " "
