"""Converters: one value of a platform's answer → one fact, or ``None`` where it is not one.

Every converter takes any JSON value and never raises. Units are part of the name (``unix_ms``, ``duration_s``):
nothing is guessed from a number's size but whether it can be a time of this century at all.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

MOST_COUNT = 10**13
LONGEST_MS = 10 * 24 * 3600 * 1000
# 2005 to 2100. Seconds and milliseconds of that span never overlap, so a value fits one unit only.
EARLIEST_S, LATEST_S = 1_104_537_600, 4_102_444_800
LONGEST_URL = 8000
MOST_DIGITS = 40

_COUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,4}))?(万|亿|千|w|k|m|b)?(\+)?")
_UNITS = {"千": 10**3, "k": 10**3, "万": 10**4, "w": 10**4, "m": 10**6, "亿": 10**8, "b": 10**9}
_TAG_END = re.compile(r"\[[^\[\]]{1,10}\]#?$")
_MARKUP = re.compile(r"<[^<>]{0,2000}>")
_BLOCK_END = re.compile(r"<(?:br|/p|/div|/h[1-6]|/li)\b[^<>]{0,200}>", re.IGNORECASE)
_URL_KEYS = ("url_list", "urlList", "url", "master_url", "masterUrl", "url_default", "urlDefault")
_TAG_KEYS = ("hashtag_name", "cha_name", "name", "tag_name", "topic_name")
_ARTICLE_KEYS = ("markdown", "content", "text")


class Count(NamedTuple):
    """A count and how exact it is: ``None``, ``rounded`` or ``at_least``."""

    value: int
    approximation: str | None = None


Converter = Callable[[Any], Any]


def raw_text(value: Any) -> str | None:
    """The author's own words, kept as they are; characters that no file can hold are replaced."""
    if not isinstance(value, str) or not value.strip():
        return None
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8") or None


def text(value: Any) -> str | None:
    """A text without the white space around it."""
    kept = raw_text(value)
    return kept.strip() or None if kept else None


def labelled(value: Any) -> str | None:
    """What stands behind a label, as in ``IP属地：浙江``; the whole text where there is none."""
    kept = text(value)
    return text(re.split("[:：]", kept)[-1]) if kept else None


def identifier(value: Any) -> str | None:
    """An id as text; platforms send "" or "0" where there is none. Ids that a JSON reader turned into floats have lost
    digits and are refused."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**MOST_DIGITS:
        return str(value)
    kept = text(value)
    return kept if kept and kept != "0" and len(kept) <= 200 and not any(c.isspace() for c in kept) else None


def count(value: Any) -> Count | None:
    """A count: a number, its digits, or how a page shows it (``1.2万``, ``10w+``, ``1,234``)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value.is_integer() else None
    if isinstance(value, int):
        return Count(value) if 0 <= value < MOST_COUNT else None
    if not isinstance(value, str) or len(value) > MOST_DIGITS:
        return None
    shown = "".join(unicodedata.normalize("NFKC", value).split()).lower()
    match = _COUNT.fullmatch(shown)
    if not match:
        return None
    whole, fraction, unit, more = match.groups()
    if fraction and not unit:
        return None
    number = Decimal(f"{whole.replace(',', '')}.{fraction or 0}") * _UNITS.get(unit, 1)
    if number >= MOST_COUNT:
        return None
    return Count(int(number), "at_least" if more else "rounded" if unit else None)


def count_seen(value: Any) -> Count | None:
    """A count where the platform sends 0 for "I do not say"."""
    found = count(value)
    return found if found and found.value else None


def number(value: Any) -> int | None:
    """A whole number that is not negative: pixels, bits a second, bytes."""
    found = count(value)
    return found.value if found and not found.approximation else None


def unix_s(value: Any) -> int | None:
    """Seconds since 1970."""
    found = number(value)
    return found if found is not None and EARLIEST_S <= found < LATEST_S else None


def unix_ms(value: Any) -> int | None:
    """Milliseconds since 1970 → seconds."""
    found = number(value)
    return found // 1000 if found is not None and EARLIEST_S <= found // 1000 < LATEST_S else None


def duration_ms(value: Any) -> int | None:
    """Milliseconds; 0 means that there is no duration."""
    if isinstance(value, float) and math.isfinite(value):
        value = round(value)
    found = number(value)
    return found if found and found <= LONGEST_MS else None


def duration_s(value: Any) -> int | None:
    """Seconds, whole or not → milliseconds."""
    if isinstance(value, str) and len(value) <= MOST_DIGITS and re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return duration_ms(round(value * 1000)) if 0 < value <= LONGEST_MS else None


def first_url(value: Any) -> str | None:
    """The first http(s) address in a text, a list of mirrors, or an object that holds either."""
    return next(_urls_in(value, 4), None)


def _urls_in(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if is_url(value):
            yield value.strip()
    elif depth and isinstance(value, list):
        for item in value[:50]:
            yield from _urls_in(item, depth - 1)
    elif depth and isinstance(value, dict):
        for key in _URL_KEYS:
            yield from _urls_in(value.get(key), depth - 1)


def is_url(value: str) -> bool:
    value = value.strip()
    if not value.isprintable() or " " in value or len(value) > LONGEST_URL or not value.isascii():
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def urls(value: Any) -> tuple[str, ...] | None:
    """One address for each item of a list (each item may list mirrors), without repeats."""
    if not isinstance(value, list):
        return None
    return tuple(dict.fromkeys(url for item in value[:500] if (url := first_url(item)))) or None


def page_url(value: Any) -> str | None:
    """The address of a page without its query: what follows ``?`` names the viewer, not the page."""
    url = first_url(value)
    if not url:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.path.strip("/") else None


def query_value(value: Any, name: str) -> str | None:
    """The value of ``name`` in the query of an address."""
    url = first_url(value)
    return dict(query_pairs(urlsplit(url).query)).get(name) if url else None


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Names and values of a query; a plus sign stays what it is, since tokens contain it."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in pairs]


def tags(value: Any) -> tuple[str, ...] | None:
    """Hashtags, given as objects or texts: without ``#`` and ``[话题]``, each once."""
    if not isinstance(value, list):
        return None
    names = (tag(item) for item in value[:500])
    return tuple(dict.fromkeys(name for name in names if name)) or None


def tag(value: Any) -> str | None:
    """The name of one hashtag."""
    if isinstance(value, dict):
        value = next((value[k] for k in _TAG_KEYS if isinstance(value.get(k), str) and value[k].strip()), None)
    name = text(value)
    return _TAG_END.sub("", name.strip("#＃ ")).strip("#＃ ") or None if name and len(name) <= 200 else None


def flag(value: Any) -> bool | None:
    """Yes or no."""
    if isinstance(value, str):
        value = {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower())
    return bool(value) if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)) else None


def article(value: Any) -> str | None:
    """The words of a written article: plain, HTML, or a JSON text that holds one of them."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, dict):
        value = next((value[k] for k in _ARTICLE_KEYS if isinstance(value.get(k), str) and value[k].strip()), None)
    words = text(value)
    if words and "<" in words:
        words = text(unescape(_MARKUP.sub("", _BLOCK_END.sub("\n", words))))
    return words


CONVERTERS: dict[str, Converter] = {
    "id": identifier,
    **{one.__name__: one for one in (article, count, count_seen, duration_ms, duration_s, first_url, flag, labelled)},
    **{one.__name__: one for one in (number, page_url, raw_text, tags, text, unix_ms, unix_s, urls)},
}
"""Converters by the name that the YAML uses. ``query:<name>`` stands for ``query_value`` of that name."""


def named(name: str) -> Converter:
    """The converter of this name; ``KeyError`` where there is none."""
    base, _, argument = name.partition(":")
    if base == "query" and argument:
        return lambda value: query_value(value, argument)
    return CONVERTERS[name]
