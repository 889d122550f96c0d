"""Names of files and folders out of strangers' texts and users' patterns: safe and within their roots.

Pure text work, but for ``inside``, which follows symbolic links. Knows no setting: callers name theirs.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Mapping, Set
from pathlib import Path
from string import Formatter

from tikomni.errors import InputError

FILE_PLACEHOLDERS = frozenset("prefix platform card_type author_slug title_slug timestamp date identifier ext".split())
FOLDER_PLACEHOLDERS = frozenset("platform author_slug title_slug year year_month timestamp".split())
PART_BYTES = 200

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# Not of category C, and yet nothing that a reader sees: fillers, and selectors that can carry hidden text.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef]")
_EMOJI = "\u2190-\u2bff\U0001f000-\U0001faff"
_KEPT = re.compile(f"\n|(?<=[\ufe0f{_EMOJI}])\u200d(?=[{_EMOJI}])")

_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_HASHTAG = re.compile(r"#[^\s#]+#?")
_CODE = re.compile(r"\[[^\[\]]{1,20}\]")
_ILLEGAL = re.compile(r'[\\/:*?"<>|#^\[\]\s]+')
_ILLEGAL_IN_FOLDER = re.compile(r'[\\/:*?"<>|#^\[\]]+')
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)")
_SIMPLE_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def printable(text: str) -> str:
    """``text`` without what cannot be seen or reorders what can: controls, bidi marks, zero widths, fillers.

    Line ends become ``\\n``, tabs become spaces; the joiners inside emoji stay.
    """
    text = _UNSEEN.sub("", _LINE_ENDS.sub("\n", text).replace("\t", " "))
    kept = {match.start() for match in _KEPT.finditer(text)}
    return "".join(c for i, c in enumerate(text) if i in kept or unicodedata.category(c)[0] != "C")


def clip(text: str, most_bytes: int) -> str:
    """The longest start of ``text`` within ``most_bytes`` of UTF-8 that cuts no character from its marks."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= most_bytes:
        return text
    end = len(encoded[: max(0, most_bytes)].decode("utf-8", "ignore"))
    while end and _belong(text[end - 1], text[end]):
        end -= 1
    return text[:end]


def _belong(left: str, right: str) -> bool:
    """Whether two neighbours are parts of one visible character (combining marks, joined or toned emoji)."""
    return (
        "\u200d" in (left, right)
        or unicodedata.category(right).startswith("M")
        or "\U0001f3fb" <= right <= "\U0001f3ff"
    )


def slug(text: str | None, most_bytes: int, fallback: str) -> str:
    """A part of a file name that tells what ``text`` is about; ``fallback`` where nothing is left of it.

    Links, hashtags and ``[codes]`` go; hashtags and codes stay when there is nothing else.
    """
    plain = _LINK.sub(" ", printable(unicodedata.normalize("NFKC", text or "")))
    for wording in (_CODE.sub(" ", _HASHTAG.sub(" ", plain)), plain):
        cleaned = _tidy(wording)
        if cleaned := clip(cleaned, most_bytes).strip("._-"):
            return _unreserved(cleaned)
    return fallback


def identifier(value: str) -> str:
    """``value`` as the end of a file name. Distinct ids stay distinct: what is changed gets a digest."""
    if _SIMPLE_ID.fullmatch(value):
        return value
    digest = hashlib.sha256(value.encode("utf-8", "backslashreplace")).hexdigest()[:10]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", slug(value, 40, "")).strip("-")
    return f"{readable or 'input'}-{digest}"


def file_name(pattern: str, values: Mapping[str, str], must_end_with: str, *, setting: str) -> str:
    """``pattern`` filled in: it always ends in ``must_end_with`` (an id) and ``ext``; the rest is clipped.

    Raises:
        InputError: ``config``, naming ``setting``, for a placeholder that does not exist.
    """
    extension, end = values.get("ext", ""), identifier(must_end_with)
    start = pattern.removesuffix("{ext}").removesuffix(extension).removesuffix("{identifier}")
    stem = _tidy(printable(fill(start, {**values, "ext": ""}, FILE_PLACEHOLDERS, setting)))
    stem = clip(stem, PART_BYTES - len(f"-{end}{extension}".encode())).strip(" .-")
    return _unreserved(f"{stem}-{end}{extension}" if stem else f"{end}{extension}")


def parts(route: str, values: Mapping[str, str], *, setting: str) -> tuple[str, ...]:
    """The folders of a route such as ``notes|cards|{platform}-{author_slug}``, from the root down.

    Slashes separate too; empty parts, ``.``, ``..`` and a leading slash mean nothing. Values add no level.

    Raises:
        InputError: ``config``, naming ``setting``, for a placeholder that does not exist.
    """
    filled = (fill(part, values, FOLDER_PLACEHOLDERS, setting) for part in re.split(r"[|/\\]", route))
    cleaned = (clip(_ILLEGAL_IN_FOLDER.sub("-", printable(f)).replace("\n", " "), PART_BYTES) for f in filled)
    return tuple(_unreserved(part) for c in cleaned if (part := c.strip(" .-")))


def fill(pattern: str, values: Mapping[str, str], allowed: Set[str], setting: str) -> str:
    """``pattern`` with its ``{names}`` filled in: plain names only, no attributes, indexes or formats."""
    filled = []
    try:
        for literal, name, spec, conversion in Formatter().parse(pattern):
            filled.append(literal)
            if name is None:
                continue
            if name not in allowed or spec or conversion:
                raise ValueError(f"there is no placeholder {{{name}}}")
            filled.append(values.get(name, ""))
    except ValueError as error:
        known = ", ".join(f"{{{name}}}" for name in sorted(allowed))
        raise InputError("config", f"{setting}={pattern!r}: {error}; known are {known}.") from None
    return "".join(filled)


def inside(root: Path, *parts: str | os.PathLike[str], setting: str = "") -> Path:
    """``root`` joined with ``parts``, symbolic links followed.

    Raises:
        InputError: ``storage``, where that would lead outside ``root``.
    """
    try:
        base = os.path.realpath(root)
        target = os.path.realpath(os.path.join(base, *parts))
        within = os.path.commonpath((base, target)) == base
    except ValueError:  # a NUL character, or another drive
        within = False
    if not within:
        which = f" ({setting})" if setting else ""
        raise InputError("storage", f"{os.path.join(*parts)!r}{which} leads outside {root}; it is not used.")
    return Path(target)


def _tidy(text: str) -> str:
    return re.sub("-{2,}", "-", _ILLEGAL.sub("-", text)).strip(" .-")


def _unreserved(name: str) -> str:
    """Windows keeps names such as CON and NUL.txt for devices."""
    return f"_{name}" if _RESERVED.match(name) else name
