"""Subtitle files of the platforms: which language first, how they are read, and when they are not worth reading."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tikomni.facts import Segment, Subtitle

LEAST_CHARS = 20
MOST_ODD_SHARE = 0.35

# What the clip says in its own language first, then Chinese, then whatever there is.
_ORDER = (
    re.compile(r"^(source|origin(al)?)$", re.I),
    re.compile(r"^zh([-_](cn|hans|sg).*)?$", re.I),
    re.compile(r"^zh", re.I),
)
_TIMES = re.compile(r"^[\s\d:.,\->]+$")
_ODD = re.compile(r"[^\w\s.,!?;:'\"…~%&@#()\[\]<>/+=*$¥\u2e80-\u9fff\u3000-\u303f\uff00-\uffef-]")


class Unusable(ValueError):
    """The file holds no usable words; the text is the reason's code."""


def ordered(subtitles: Sequence[Subtitle]) -> list[Subtitle]:
    """``subtitles`` in the order they are to be tried."""

    def rank(subtitle: Subtitle) -> int:
        names = (subtitle.tag, subtitle.language or "")
        places = [i for i, pattern in enumerate(_ORDER) for name in names[: 1 if i == 0 else 2] if pattern.match(name)]
        return min(places, default=len(_ORDER))

    return sorted(subtitles, key=rank)


def read(data: bytes) -> tuple[Segment, ...]:
    """The sentences of a subtitle file (SRT, WebVTT, ASS, TTML and what else ``pysubs2`` reads), in order.

    Repeated sentences are kept, times are milliseconds.

    Raises:
        Unusable: ``subtitle_unreadable``, ``subtitle_empty``, ``subtitle_too_short``, ``subtitle_garbled``,
            ``subtitle_timeline_only``, ``subtitle_noise_repeated``.
    """
    import pysubs2

    text = data.decode("utf-8-sig", "replace").replace("\x00", "")
    if not text.strip():
        raise Unusable("subtitle_empty")
    try:
        events = pysubs2.SSAFile.from_string(text).events
    except Exception:  # the library's parsers raise what they meet: ValueError, IndexError, its own
        raise Unusable("subtitle_unreadable") from None
    segments = tuple(
        Segment(event.start, event.end, line)
        for event in events
        if not event.is_comment and (line := " ".join(event.plaintext.split()))
    )
    _check([s.text for s in segments])
    return segments


def _check(lines: Sequence[str]) -> None:
    text = "".join(lines)
    if not text:
        raise Unusable("subtitle_empty")
    if all(_TIMES.match(line) for line in lines):
        raise Unusable("subtitle_timeline_only")
    if len(text) < LEAST_CHARS:
        raise Unusable("subtitle_too_short")
    if len(_ODD.findall(text)) / len(text) > MOST_ODD_SHARE:
        raise Unusable("subtitle_garbled")
    most = max(lines.count(line) for line in set(lines))
    if most >= 4 and most * 2 > len(lines):
        raise Unusable("subtitle_noise_repeated")
