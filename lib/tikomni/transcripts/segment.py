"""Cuts a text into words: one way for whoever counts, matches or removes words. Judges no word.

Chinese is cut by rjieba's dictionary with the words of ``domain.txt`` and the user's own. Words that are in none of
them fall into single characters: guessing new ones (jieba's HMM) joins what does not belong together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from tikomni.errors import InputError

if TYPE_CHECKING:
    from rjieba import Jieba

_RUN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_KANA = re.compile("[\u3041-\u30ff]")
_LATIN = re.compile("[A-Za-z]+")
OWN_WORDS_BYTES = 1 << 20
# That of a rather common word: 智能体 must win against 智能 and 体会 in 智能体会.
OWN_FREQUENCY = 1000

# Words may be cut in one thread while another one begins.
_MAKING = Lock()
_segmenters: dict[tuple[str, ...], Jieba] = {}


@dataclass(frozen=True, slots=True)
class Token:
    """One word as it stands in the text: ``text == source[start:end]``. Punctuation and spaces are in no token."""

    text: str
    start: int
    end: int


def words(text: str, language: str, own: tuple[str, ...] = ()) -> list[Token]:
    """The words of ``text`` in order.

    Args:
        language: ``zh`` (``zh-CN``, …) cuts runs of Chinese by dictionary; any other only at what is no letter.
        own: words of the user's that must stay whole.
    """
    return list(_words(text, _segmenter(own) if language.lower().startswith("zh") else None))


def language_of(text: str) -> str | None:
    """``zh`` or ``en`` by the letters that prevail, ``None`` for a script that has no rules here (kana tells Japanese).

    A Chinese character counts as much as a Latin word.
    """
    han, latin, kana = (len(found.findall(text)) for found in (_HAN, _LATIN, _KANA))
    if kana > han // 4:
        return None
    return ("zh" if 2 * han >= latin else "en") if han + latin else None


def own_words(path: Path) -> tuple[str, ...]:
    """The user's words from a UTF-8 file, one a line; empty lines and lines that begin with ``#`` are left out.

    Raises:
        InputError: the file cannot be read, is no UTF-8 or is larger than 1 MiB.
    """
    try:
        with path.open("rb") as file:
            data = file.read(OWN_WORDS_BYTES + 1)
        if len(data) > OWN_WORDS_BYTES:
            raise ValueError("it is larger than 1 MiB")
        return _lines(data.decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError("config", f"The list of words {path} cannot be read: {error}") from error


def _lines(text: str) -> tuple[str, ...]:
    lines = (line.strip() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def _words(text: str, segmenter: Jieba | None) -> Iterator[Token]:
    for run in _RUN.finditer(text):
        start = run.start()
        whole = segmenter is None or not _HAN.search(run[0])
        for piece in (run[0],) if whole else segmenter.cut(run[0], False):
            yield Token(piece, start, start + len(piece))
            start += len(piece)


def _segmenter(own: tuple[str, ...]) -> Jieba:
    with _MAKING:
        if own not in _segmenters:
            _segmenters[own] = _made(own)
        return _segmenters[own]


def _made(own: tuple[str, ...]) -> Jieba:
    import rjieba

    # It makes one when it is imported; a second dictionary would take as much memory again.
    segmenter = rjieba.Jieba() if own else rjieba._DEFAULT_JIEBA
    for word in (*_lines(Path(__file__).with_name("domain.txt").read_text("utf-8")), *own):
        segmenter.add_word(word, max(OWN_FREQUENCY, segmenter.suggest_freq(word)), None)
    return segmenter
