"""What a work's words signal, by rule: its hook, structure, calls to action, style, form and keywords.

The rules are word lists (``words/<language>.yaml``), matched on whole words. Every answer carries what it matched;
where no rule fits there is none. Nothing is inferred, nothing is asked; the same words give the same signals.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from sys import intern
from typing import Any

from tikomni.facts import Document, Work
from tikomni.storage.yaml_file import read_yaml
from tikomni.transcripts.clean import sentences
from tikomni.transcripts.segment import language_of, words

TRAITS = ("hook", "structure", "cta", "form", "style", "keywords")
LANGUAGES = ("en", "zh")
# The calls that ask for money or lead to where it is asked for: what a claim about selling must rest on.
COMMERCIAL = frozenset({"buy", "private_message", "lead_magnet", "link_in_bio"})
HOOK_MS = 5000
HOOK_SENTENCES = 2
# A text without punctuation is one sentence; about ten seconds of it is an opening.
HOOK_WORDS = 60
# How many likely phrases stand for a sure one.
LEAST_LIKELY = 2
KEYWORDS = 20
# More than two hours of speech. Of a longer text the beginning and the end are read.
HEAD_CHARS, TAIL_CHARS = 80_000, 20_000

_REMOVED = re.compile(
    r"https?://[!-~]+"
    r"|(?<![a-z0-9.-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|cn|net|org|io|co|me|app|ly|tv|link|top|shop|xyz)\b(?:/[!-~]*)?"
    r"|(?<![a-z0-9])[#＃](?!\d+\b)[^\s#＃，。！？、；：,!?;]+[#＃]?"
    r"|\[[^\[\]\n]{1,20}\]"
    r"|[@＠][\w.·-]{1,40}"
    r"|[\u200d\u20e3\u2190-\u2bff\ufe0e\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f]+",
    re.IGNORECASE,
)
_PAUSE = re.compile(r"[?]|[,.;:!\n、。「」『』《》()\"“”—~]")
_NOTATION = re.compile(r"(……|…|\||\?|N)")
_CHOICE = re.compile(r"\(([^()]*)\)")
_NUMERAL = "0-9零一二两三四五六七八九十百千万亿几半"
_NUMBER = {
    "zh": f"[{_NUMERAL}]+(?: [{_NUMERAL}]+)*",
    "en": r"(?:\d\w*|(?:{0})(?: (?:{0}))*)".format(
        "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
        "|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion"
    ),
}
_AMOUNT = re.compile(
    rf"第?[{_NUMERAL}]{{2,}}.{{0,2}}|第?[{_NUMERAL}](?:分钟|秒钟?|小时|个月?|[天年月周斤块元次条种步招遍岁倍成折瓶家位名点])"
)


@dataclass(frozen=True, slots=True)
class Signal(Document):
    """One answer of a rule.

    ``rule`` says what was read: ``first_5000_ms``, ``first_sentences``, ``main_text``, ``caption``, ``media_kind``, or
    ``frequency`` (keywords). ``words``: what was matched there, as it is written. ``label`` is ``None`` where the rule
    does not answer.
    """

    label: str | None
    rule: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signals(Document):
    """The signals of one work; what a label means is told in the word lists. ``cta`` begins with commercial calls.

    ``keywords``: at most 20, the most frequent words first.
    """

    hook: Signal
    structure: Signal
    cta: tuple[Signal, ...]
    style: tuple[Signal, ...]
    form: Signal
    keywords: tuple[Signal, ...]

    @property
    def commercial(self) -> tuple[Signal, ...]:
        """The calls to action that a claim about selling can rest on."""
        return tuple(call for call in self.cta if call.label in COMMERCIAL)


def signals(work: Work, own: tuple[str, ...] = ()) -> Signals:
    """Read one work.

    The main text gives structure, style and form; it and a whole caption give calls to action; title, caption and main
    text give keywords. A work in a language without word lists has keywords and the form of its medium alone.

    Args:
        own: words of the user's that the segmenter keeps whole (``transcripts.segment.own_words``).
    """
    main = plain(work.primary_text or "")
    caption = plain("" if "caption_raw" in work.partial else work.caption_raw or "")
    language = _language(work, main or caption)
    text, lists = _Words(main, language, own), _lists(language)
    rule, opening = _opening(work, own)
    hook = _best(lists["hook"], _Words(opening, language, own))
    calls = {call.label: call for call in _all(lists["cta"], text, "main_text", lists["negations"])}
    if caption != main:
        written = _all(lists["cta"], _Words(caption, language, own), "caption", lists["negations"])
        calls = {call.label: call for call in written} | calls
    return Signals(
        hook=Signal(hook[0], rule, hook[1]),
        structure=_structure(lists["structure"], text),
        cta=tuple(calls[label] for label in lists["cta"] if label in calls),
        style=tuple(_all(lists["style"], text, "main_text")),
        form=_form(work, lists["form"], text),
        keywords=keywords(dict.fromkeys((plain(work.title or ""), caption, main)), language, own),
    )


def keywords(texts: Iterable[str], language: str | None, own: tuple[str, ...] = ()) -> tuple[Signal, ...]:
    """The words that ``texts`` of one work use most: score = occurrences × (0 for a stop word, 1 for any other).

    A word has two Chinese characters or three letters; numbers and amounts are none. Equal scores stand in the order
    in which they first occur. How many works use a word is counted by who compares works.
    """
    stop = _lists(language)["stopwords"]
    forms: dict[str, list[str]] = {}
    for text in texts:
        for token in words(_cut(text), language or "", own):
            form = intern(token.text.removesuffix("'s"))  # thousands of works use the same words
            label = intern(form.casefold())
            long = len(label) >= (3 if label.isascii() else 2)
            if long and label not in stop and not label[0].isdigit() and not _AMOUNT.fullmatch(label):
                forms.setdefault(label, []).append(form)
    ranked = sorted(forms.items(), key=lambda item: -len(item[1]))[:KEYWORDS]
    return tuple(Signal(label, "frequency", tuple(dict.fromkeys(found))) for label, found in ranked)


def labels(signals: Signals | None, trait: str) -> tuple[str, ...]:
    """The different labels of one of ``TRAITS``, in the order found; none where there are no signals."""
    answer = getattr(signals, trait) if signals is not None else ()
    answers = answer if isinstance(answer, Sequence) else (answer,)
    return tuple(dict.fromkeys(one.label for one in answers if one.label))


def plain(text: str) -> str:
    """``text`` without links, hashtags, sticker codes, @names and emoji, in one width."""
    return unicodedata.normalize("NFKC", _REMOVED.sub(" ", text)).replace("’", "'")


def _language(work: Work, text: str) -> str | None:
    told = work.transcript.language if work.transcript else None
    return told.lower().replace("_", "-").split("-")[0] if told else language_of(_cut(text))


def _opening(work: Work, own: tuple[str, ...]) -> tuple[str, str]:
    """What is said before five seconds, to the word; without times the first two sentences. Never the title."""
    segments = work.transcript.segments if work.transcript else ()
    if any(segment.start_ms is not None for segment in segments):
        parts = []
        for segment in segments:
            start, end = segment.start_ms, segment.end_ms
            if start is None or start >= HOOK_MS:
                continue
            text = plain(segment.text)
            if end is not None and end > HOOK_MS:
                text = _until(text, len(text) * (HOOK_MS - start) / (end - start), own)
            parts.append(text)
        return "first_5000_ms", "\n".join(parts)
    text = "\n".join(sentences(plain((work.primary_text or "")[:HEAD_CHARS]))[:HOOK_SENTENCES])
    tokens = words(text, language_of(text) or "", own)
    return "first_sentences", text if len(tokens) <= HOOK_WORDS else text[: tokens[HOOK_WORDS - 1].end]


def _until(text: str, chars: float, own: tuple[str, ...]) -> str:
    """``text`` up to the end of the word, with the mark that follows it, in which the share of ``chars`` lies."""
    text = text[: 2 * HEAD_CHARS]
    for token in words(text, language_of(text) or "", own):
        if token.end >= chars:
            return text[: token.end + 1]
    return text


def _cut(text: str) -> str:
    whole = len(text) <= HEAD_CHARS + TAIL_CHARS
    return text if whole else f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


class _Words:
    """A text as phrases are matched on it: words between single spaces, ``|`` for a pause, ``?`` for a question."""

    def __init__(self, text: str, language: str | None, own: tuple[str, ...]) -> None:
        text = _cut(text)
        parts, last = [" |"], 0
        for token in (*words(text, language or "", own), None):
            start = token.start if token else len(text)
            marks = _PAUSE.findall(text, last, start)
            if marks or not token:
                parts.append("?" if "?" in marks else "|")
            if token:
                parts.append(token.text)
                last = token.end
        self.spaced = " ".join(parts) + " "
        self.joint = "" if language == "zh" else " "

    @cached_property
    def searched(self) -> str:
        """What a phrase's pieces are looked up in first: almost none of the phrases stands in a text."""
        return self.spaced.lower() if self.joint else self.spaced.lower().replace(" ", "")

    def shown(self, match: re.Match[str]) -> str:
        return re.sub(r" ?\| ?", " ", match[0]).strip().replace(" ?", "?").replace(" ", self.joint)


@dataclass(frozen=True, slots=True)
class _Phrase:
    pieces: tuple[str, ...]
    pattern: str

    @property
    def regex(self) -> re.Pattern[str]:
        return _compiled(self.pattern)


class _Phrases:
    """Phrases in their order. Thousands are looked for in every text: each piece is looked up once for all that share
    it."""

    def __init__(self, phrases: Iterable[_Phrase]) -> None:
        self._phrases = tuple(phrases)
        self._by_piece: dict[str, list[int]] = {}
        for n, phrase in enumerate(self._phrases):
            self._by_piece.setdefault(max(phrase.pieces, key=len, default=""), []).append(n)

    def possible(self, text: _Words) -> Iterator[_Phrase]:
        """Those whose pieces all stand in ``text``."""
        searched = text.searched
        numbers = sorted(n for piece, shared in self._by_piece.items() if piece in searched for n in shared)
        phrases = (self._phrases[n] for n in numbers)
        return (phrase for phrase in phrases if all(piece in searched for piece in phrase.pieces))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _found(phrases: _Phrases, text: _Words, negations: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """What the phrases match, each once; not what directly follows a negation."""
    found = {}
    for phrase in phrases.possible(text):
        for match in phrase.regex.finditer(text.spaced):
            before = text.spaced[text.spaced.rfind(" ", 0, match.start() - 1) + 1 : match.start() - 1]
            if before.lower() not in negations:
                found[text.shown(match)] = None
                break
    return tuple(found)


def _best(rules: dict[str, Any], text: _Words) -> tuple[str | None, tuple[str, ...]]:
    """The label with most sure phrases, then with most likely ones; of equals the first.

    One sure phrase is enough. A likely one says too little by itself: any text may hold a question mark.
    """
    best, winner = (0, LEAST_LIKELY - 1), (None, ())
    for label, rule in rules.items():
        sure, likely = _found(rule["sure"], text), _found(rule["likely"], text)
        if (len(sure), len(likely)) > best:
            best, winner = (len(sure), len(likely)), (label, tuple(dict.fromkeys((*sure, *likely))))
    return winner


def _all(rules: dict[str, Any], text: _Words, read: str, negations: frozenset[str] = frozenset()) -> list[Signal]:
    answers = ((label, _found(phrases, text, negations)) for label, phrases in rules.items())
    return [Signal(label, read, found) for label, found in answers if found]


def _structure(rules: dict[str, Any], text: _Words) -> Signal:
    """The first label one of whose ways occurs: a phrase of each part, the parts in their order."""
    for label, ways in rules.items():
        for way in ways:
            position, matched = 0, []
            for part in way:
                matches = (phrase.regex.search(text.spaced, position) for phrase in part.possible(text))
                first = min(filter(None, matches), key=lambda m: m.end(), default=None)
                if first is None:
                    break
                position = first.end()
                matched.append(text.shown(first))
            else:
                return Signal(label, "main_text", tuple(matched))
    return Signal(None, "main_text")


def _form(work: Work, rules: dict[str, Any], text: _Words) -> Signal:
    if work.work_modality == "text":
        return Signal("text" if work.media_kind == "none" else "pictures", "media_kind")
    return max(_all(rules, text, "main_text"), key=lambda form: len(form.words), default=Signal(None, "main_text"))


def prepare() -> None:
    """Load what Chinese is read with, which takes a fifth of a second, before it is needed."""
    words("", "zh")
    _lists("zh")


@cache
def _lists(language: str | None) -> dict[str, Any]:
    """The lists of a language as they are matched; empty for a language that has none."""
    if language not in LANGUAGES:
        return defaultdict(dict)
    data = read_yaml(Path(__file__).with_name("words") / f"{language}.yaml")
    single_words = {name: frozenset(data.pop(name).split()) for name in ("negations", "stopwords")}
    return _read(data, language) | single_words


def _read(value: Any, language: str) -> Any:
    """``value`` with each text as the phrases that it lists."""
    if isinstance(value, dict):
        return {name: _read(one, language) for name, one in value.items()}
    if isinstance(value, list):
        return [_read(one, language) for one in value]
    entries = filter(None, map(str.strip, re.split(r"[,\n]", value)))
    return _Phrases(dict.fromkeys(_phrase(p, language) for entry in entries for p in _choices(entry)))


def _choices(entry: str) -> Iterator[str]:
    """``(a/b) c`` → ``a c``, ``b c``."""
    parts = _CHOICE.split(entry)
    return map("".join, product(*(p.split("/") if i % 2 else (p,) for i, p in enumerate(parts))))


def _phrase(text: str, language: str) -> _Phrase:
    joint, number = (" ?", _NUMBER["zh"]) if language == "zh" else (" ", _NUMBER["en"])
    if language == "zh" and text.isalnum() and "N" not in text:  # most of them
        return _Phrase((text.lower(),), f"(?<= ){joint.join(text)}(?= )")
    marks = {"|": "[|?]", "?": r"\?", "N": number}
    gaps = {"…": "(?:[^ |?]+ ){0,8}?", "……": "(?:[^ ?]+ ){0,16}?"}
    pattern, pieces, glue = "", [], ""
    parts = [part for part in _NOTATION.split(text.strip(" …")) if part.strip()]
    for part, following in zip(parts, [*parts[1:], "|"], strict=True):
        units = list(part.strip()) if language == "zh" else part.split()
        if part in gaps:
            pattern += f" {gaps[part]}"
            glue = ""
        elif part in marks:
            pattern += (" " if glue and part != "N" else glue) + marks[part]
            if part == "N" and (following in gaps or following in marks):
                pattern += "[^ |?]*"  # 三 is found in 三个, too
            glue = joint if part == "N" else " "
        elif units:
            pattern += glue + joint.join(map(re.escape, units))
            pieces.append(("" if language == "zh" else " ").join(units).lower())
            glue = joint
    return _Phrase(tuple(pieces), f"(?<= ){pattern}(?= )")
