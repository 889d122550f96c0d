"""The numbers and dates that a text tells, in digits, in Chinese and in English words. Pure; judges nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import takewhile
from math import prod
from pathlib import Path
from typing import Any

from tikomni.storage.names import printable
from tikomni.storage.yaml_file import read_yaml

# A digit behind a letter belongs to a name (C4D, H265), unless it is as long as a count.
_NAME_DIGITS = 1000
# Whole thousands and the like are rounded up from no less than this part of them.
NEARLY = 0.85
# Every text of an answer may be held against every sentence of a sample: they are read once.
MOST_KEPT = 16_384
MOST_PARTS = 4
_DIGITS = re.compile(
    r"(?<![\d.])(\d{1,3}(?:,\d{3})+(?!\d)|\d+)(\.\d+)?"
    r"\s*[多余来几]?(百万|[十百千]?[万亿]|[十百千倍%‰×]"
    r"|(?:thousand|million|billion|percent|per cent|bn|mn)(?![a-z])|[kwmx](?![a-z0-9]))?"
    r"(?:(?<=[万千])(?:\s?(\d)\s?([千百])|(\d)(?![\d.万亿])))?",
    re.IGNORECASE,
)
_SMALL = {word: n for n, word in enumerate("one two three four five six seven eight nine".split(), 1)}
_HAN_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_HAN = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+")
_HAN_FIGURE = re.compile(
    r"(?<![几数])([一二两三四五六七八九十][零〇一二两三四五六七八九十百千万亿]+)(?:([多余来几]+)([万亿])?)?"
)
_PERCENT = re.compile(r"百分之\s*(\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百]+)")
_TENTHS = re.compile(r"([一二两三四五六七八九]|(?<![\d.])\d(?:\.\d)?)\s*成")
# 过万, 上千万, 百万粉丝: a power of ten that is passed, with nothing before it.
_PASSED = re.compile(r"(十[几多来余]|[几数上过破超近达逾]?)([十百千]?[万亿])(?![能一物事分般圣里])")
_DATES = (
    re.compile(
        r"(?<!\d)(?P<y>(?:19|20)\d\d)\s*[-./年]\s*(?P<m>\d{1,2})\s*(?:[-./月]\s*(?P<d>\d{1,2})(?!\d)\s*[日号]?|月)"
    ),
    re.compile(r"(?<!\d)(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]?"),
)
_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS)
_ENGLISH_DATE = re.compile(
    rf"(?<![a-z])(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<m>{_MONTH})\.?(?![a-z])"
    r"(?:\s+(?P<d2>\d{1,2})(?!\d)(?:st|nd|rd|th)?)?(?:,?\s+(?P<y>(?:19|20)\d\d))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as a text writes it. It stands for facts from ``low`` to below ``high``: rounded, or cut to as many
    digits as are written; both are ``value`` for a number to be exact."""

    shown: str
    value: float
    low: float
    high: float
    unit: str = ""

    def tells(self, fact: float) -> bool:
        return abs(fact - self.value) <= 1e-9 * max(1.0, abs(fact)) or self.low <= fact < self.high


@dataclass(frozen=True, slots=True)
class Date:
    """A date as a text writes it; what it leaves out is ``None``."""

    shown: str
    year: int | None
    month: int
    day: int | None

    def tells(self, fact: Date) -> bool:
        pairs = ((self.year, fact.year), (self.month, fact.month), (self.day, fact.day))
        return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)


def plain(text: str) -> str:
    """``text`` as numbers are read from it: one width, nothing unseen; a Chinese comma parts clauses, not thousands."""
    return unicodedata.normalize("NFKC", re.sub(r"(?<=[0-9])，(?=[0-9])", "、", printable(text)))


def written_numbers(text: str) -> Iterator[Number]:
    """The numbers that the plain ``text`` claims, in whatever way it writes them."""
    for idiom in wording()["idioms"]:
        text = text.replace(idiom, "＿" * len(idiom))
    for pattern, read in _READERS:
        for match in pattern.finditer(text):
            if number := read(match, text):
                yield number
                text = text[: match.start()] + "＿" * len(match[0]) + text[match.end() :]
    yield from _english(text)


@lru_cache(MOST_KEPT)
def spoken_numbers(text: str) -> frozenset[float]:
    """Every value that a number in the plain ``text`` may be read as, with its unit and without."""
    found = {number.value for number in written_numbers(text)}
    found |= {float(digits.replace(",", "")) for digits in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}
    found |= {_han(match) for match in _HAN.findall(text)}
    return frozenset(found | {float(n) for word, n in _SMALL.items() if re.search(rf"(?i)\b{word}\b", text)})


def spoken_shares(text: str) -> set[float]:
    """What one of the few numbers of the plain ``text`` is of another.

    >>> spoken_shares("十台里有六台")
    {0.6}
    """
    found = spoken_numbers(text)
    return {a / b for a in found for b in found if 0 < a < b} if len(found) <= MOST_PARTS else set()


@lru_cache(MOST_KEPT)
def dates(text: str) -> tuple[Date, ...]:
    """The dates in the plain ``text``.

    >>> dates("2026-02-08")
    (Date(shown='2026-02-08', year=2026, month=2, day=8),)
    """
    return tuple(_dates(text))


def _dates(text: str) -> Iterator[Date]:
    for pattern in _DATES:
        for match in pattern.finditer(text):
            part = match.groupdict()
            yield Date(match[0], _int(part.get("y")), int(part["m"]), _int(part["d"]))
        text = pattern.sub("＿", text)
    for match in _ENGLISH_DATE.finditer(text):
        day = _int(match["d1"] or match["d2"])
        if (day or match["y"]) and match["m"] != "may":
            month = next(n for n, name in enumerate(_MONTHS, 1) if name[:3].lower() == match["m"][:3].lower())
            yield Date(match[0], _int(match["y"]), month, day)


# --- one way of writing each


def _digits(match: re.Match[str], text: str) -> Number | None:
    data = wording()
    whole, decimals, unit = match[1].replace(",", ""), match[2] or "", (match[3] or "").lower()
    worth = float(data["units"].get(unit, 1))
    value = float(whole + decimals) * worth
    step = worth * 10.0 ** -max(len(decimals) - 1, 0) if unit or decimals else 0.0
    if tail := match[4] or match[6]:  # 1万2千, 1万2
        step = _PLACES[match[5]] if match[5] else worth / 10
        value += int(tail) * step
    if match.start() and re.match("[A-Za-z]", text[match.start() - 1]) and value < _NAME_DIGITS:
        return None
    if not decimals and _about(match, text):
        step = max(step, worth * 10.0 ** (len(whole) - len(whole.rstrip("0"))))
    return _rounded(match[0].strip(), round(value, 9), step, unit)


def _han_figure(match: re.Match[str], text: str) -> Number | None:
    figure, more, unit = match.groups()
    if _PLACES.keys().isdisjoint(figure):  # 七七八八, 二〇二六
        return None
    worth = float(_PLACES[unit]) if unit else 1.0
    value, last = _han(figure) * worth, _last_place(figure) * worth
    # Below a thousand Chinese figures are as exact as digits are.
    step = last if last >= 1000 or more or (last > 1 and _about(match, text)) else 0.0
    if pair := re.search(r"([一二三四五六七八])([二三四五六七八九])[十百千万亿]", figure):  # 七八百, 三四千
        low = _han(figure.replace(pair[2], "", 1)) * worth
        return Number(match[0], value, low, value + last)
    return _rounded(match[0], value, step, figure[-1] if last >= 10_000 else "") if value >= 10 else None


def _percent(match: re.Match[str], text: str) -> Number:
    value = float(match[1]) if match[1][0].isdigit() and match[1].isascii() else _han(match[1])
    step = 10.0 ** -len(match[1].partition(".")[2]) if match[1].isascii() else 1.0
    return _rounded(match[0], value / 100, step / 100, "%")


def _tenths(match: re.Match[str], text: str) -> Number | None:
    after = text[match.end() :]
    if any(after.startswith(word) for word in wording()["after_tenths"]):
        return None
    value = _han(match[1]) if match[1] in _HAN_DIGITS else float(match[1])
    return _rounded(match[0], value / 10, 0.1 if "." not in match[1] else 0.01, "%")


def _passed(match: re.Match[str], text: str) -> Number | None:
    after = text[match.end() :].lstrip(" 个次的+级量")
    counted = any(after.startswith(word) for word in wording()["counted"])
    if not (counted or match[1]) or text[: match.start()].endswith(("＿", "一")):
        return None
    value = float(prod(_PLACES[c] for c in match[2]))
    if match[1].startswith("十"):
        return Number(match[0], value * 10, value * 10, value * 20, match[2][-1])
    low, high = (NEARLY * value, value) if match[1] == "近" else (value, value * 10)
    return Number(match[0], value, low, high, match[2][-1])


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], Number | None]], ...] = (
    (_PERCENT, _percent),
    (_TENTHS, _tenths),
    (_DIGITS, _digits),
    (_HAN_FIGURE, _han_figure),
    (_PASSED, _passed),
)


def _english(text: str) -> Iterator[Number]:
    """Ten and more in English words: ``twelve thousand``, ``half a million``, ``ninety percent``."""
    values = _SMALL | wording()["english"]
    for match in _english_run().finditer(text):
        total = current = 0.0
        scale = 1
        for word in re.findall(r"[a-z]+", match[0].lower()):
            value = 0.5 if word == "half" else 1 if word == "a" and not current else values.get(word, 0)
            if value < 100:
                current, scale = current + value, 1
            else:
                current, scale = (current or 1.0) * value, value
                if value >= 1000:
                    total, current = total + current, 0.0
        value, shown = total + current, match[0]
        scale = scale // 10 if shown.lower().startswith("half") else scale
        if percent := re.match(r"\s*per\s?cent", text[match.end() :], re.IGNORECASE):
            yield _rounded(shown + percent[0], value / 100, 0.01, "%")
        elif value >= 10:
            yield _rounded(shown, value, scale if scale >= 1000 or _about(match, text) else 0.0, "")


@cache
def _english_run() -> re.Pattern[str]:
    names = "|".join(sorted((*_SMALL, *wording()["english"]), key=len, reverse=True))
    first = rf"half\s+a|a(?=\s+[mb]illion)|(?!hundred|thousand)(?:{names})"
    return re.compile(rf"(?<![a-z])(?:{first})(?:[\s-]+(?:and\s+|a\s+)?(?:{names}))*(?![a-z])", re.IGNORECASE)


# --- values


def _rounded(shown: str, value: float, step: float, unit: str) -> Number:
    low = value - step / 2
    return Number(shown, value, max(low, NEARLY * value) if step >= 1 else low, value + step, unit)


def _about(match: re.Match[str], text: str) -> bool:
    around = text[max(0, match.start() - 10) : match.start()].lower() + " " + text[match.start() : match.end() + 3]
    return any(word in around for word in wording()["about"])


def _han(text: str) -> float:
    """三十五 → 35, 一万二千 → 12000, 一万二 → 12000, 二〇二五 → 2025."""
    if all(c in _HAN_DIGITS for c in text):
        return float("".join(str(_HAN_DIGITS[c]) for c in text))
    total = section = digit = 0
    for c in text:
        if c in _HAN_DIGITS:
            digit = _HAN_DIGITS[c]
        elif c in "十百千":
            section += (digit or 1) * _PLACES[c]
            digit = 0
        else:
            total = (total + section + digit) * _PLACES[c]
            section = digit = 0
    return float(total + section + digit * _last_place(text))


def _last_place(text: str) -> int:
    """What the last digit of Chinese figures is worth: 1000 in 三千 and in 一万二, 1 in 二十五 and 三百零五."""
    if text[-1] in _PLACES:
        return prod(_PLACES[c] for c in takewhile(_PLACES.get, reversed(text)))
    return _PLACES[text[-2]] // 10 if text[-1] in _HAN_DIGITS and text[-2:-1] in tuple("百千万亿") else 1


def _int(text: str | None) -> int | None:
    return int(text) if text else None


@cache
def wording() -> dict[str, Any]:
    """Words that the check reads numbers and claims by."""
    return read_yaml(Path(__file__).with_name("evidence.yaml"))
