"""The numbers that a text tells, in digits, in Chinese and in English words. Pure; judges nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)\s*(百万|[万亿千倍%‰×]|[kKwWmMxX](?![a-zA-Z]))?")
_HAN_NUMBER = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+")
_HAN_FIGURE = re.compile(r"[一二两三四五六七八九十][零〇一二两三四五六七八九十百千]*[万亿]")
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as a text writes it. ``step``: what one unit of its last digit is worth, 0 for a number to be exact."""

    shown: str
    value: float
    step: float
    unit: str

    def tells(self, fact: float) -> bool:
        """Whether it is ``fact``, rounded or cut to as many digits as are written."""
        return fact == self.value or abs(fact - self.value) <= self.step / 2 or 0 < fact - self.value < self.step


def written_numbers(text: str) -> Iterator[Number]:
    """The numbers that ``text`` claims: digits, and Chinese figures of ten thousand and more."""
    yield from digits(text)
    yield from _han_figures(text)


def spoken_numbers(text: str) -> set[float]:
    """Every value that a number in ``text`` may be read as, with its unit and without."""
    found = {number.value for units in (True, False) for number in digits(text, units)}
    return found | {_han(match) for match in _HAN_NUMBER.findall(text)} | _english(text)


def digits(text: str, units: bool = True) -> Iterator[Number]:
    """The numbers that ``text`` writes with digits; without ``units`` those alone."""
    data = wording()
    for match in _NUMBER.finditer(unicodedata.normalize("NFKC", text)):
        digits, unit = match[1].replace(",", ""), (match[2] or "").lower() if units else ""
        worth = float(data["units"].get(unit, 1))
        decimals = len(digits.partition(".")[2])
        step = worth * 10**-decimals if unit or decimals else 0.0
        around = text[max(0, match.start() - 10) : match.start()].lower() + " " + text[match.end() : match.end() + 3]
        if any(word in around for word in data["about"]):
            zeros = 0 if decimals else len(digits) - len(digits.rstrip("0"))
            step = max(step, worth * 10**zeros)
        yield Number(match[0].strip(), round(float(digits) * worth, 9), step, unit)


def _han_figures(text: str) -> Iterator[Number]:
    for match in _HAN_FIGURE.findall(text):
        yield Number(match, _han(match), 10_000.0 if match.endswith("万") else 1e8, match[-1])


def _han(text: str) -> float:
    """三十五 → 35, 一万二千 → 12000, 二〇二五 → 2025."""
    if all(c in _DIGITS for c in text):
        return float("".join(str(_DIGITS[c]) for c in text))
    total = section = digit = 0
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in "十百千":
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[c]
            digit = 0
        else:
            total = (total + section + digit) * 10_000 if c == "万" else (total + section + digit) * 100_000_000
            section = digit = 0
    return float(total + section + digit)


def _english(text: str) -> set[float]:
    data = wording()["english"]
    found, before = set(), 0.0
    for word in re.findall(r"[a-z]+", text.lower()):
        value = data.get(word)
        small = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}
        if value is None and word in small:
            found.add(before + small[word])
            before = float(small[word])
        elif value is not None and value >= 100:
            before = (before or 1.0) * value
            found.add(before)
        elif value is not None:
            before = before + value if before >= 100 else float(value)
            found |= {before, float(value)}
        elif word != "and":
            before = 0.0
    return found


@cache
def wording() -> dict[str, Any]:
    """Words that the check reads numbers and claims by."""
    import yaml

    return yaml.safe_load(Path(__file__).with_name("evidence.yaml").read_text(encoding="utf-8"))
