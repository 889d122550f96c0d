"""Reads subtitle files: bytes in any of the usual forms → sentences with times, or why the file holds no words. Pure.

``pysubs2`` reads SRT, WebVTT and ASS. Read here: JSON, TTML, which it knows in part, and YouTube's XML.
"""

from __future__ import annotations

import codecs
import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tikomni.facts import Segment
from tikomni.transcripts.task import number

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LEAST_CHARS = 20
MOST_ODD_SHARE = 0.35
# Between two lines, rolling captions hold the upper one for a moment.
HELD_MS = 50

_TIMES = re.compile(r"^[\s\d:.,\->]+$")
_ODD = re.compile(r"[^\w\s.,!?;:'\"…~%&@#()\[\]<>/+=*$¥\u2e80-\u9fff\u3000-\u303f\uff00-\uffef-]")


_Cue = tuple[int, int, list[str]]


class Unusable(ValueError):
    """The file holds no usable words; the text is the reason's code."""


def read(data: bytes) -> tuple[Segment, ...]:
    """The sentences of a subtitle file, in the order in which they are said.

    Repeated sentences are kept, lines that only roll up are not; times are milliseconds.

    Raises:
        Unusable: ``subtitle_unreadable``, ``subtitle_empty``, ``subtitle_too_short``, ``subtitle_garbled``,
            ``subtitle_timeline_only``, ``subtitle_noise_repeated``.
    """
    text = _decoded(data).strip()
    if not text:
        raise Unusable("subtitle_empty")
    segments = _reader(text)(text)
    if all(segment.start_ms is not None for segment in segments):  # files list them as they like
        segments = tuple(sorted(segments, key=lambda segment: segment.start_ms or 0))
    _check([s.text for s in segments])
    return segments


def _reader(text: str) -> Callable[[str], tuple[Segment, ...]]:
    if text.startswith("WEBVTT"):
        return _from_webvtt
    return {"[": _from_json, "{": _from_json, "<": _from_xml}.get(text[0], _from_file)


def _decoded(data: bytes) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16" if wide else "utf-8-sig", "replace").replace("\x00", "")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _from_file(text: str) -> tuple[Segment, ...]:
    import pysubs2

    try:
        events = pysubs2.SSAFile.from_string(text).events
        spoken = [event for event in events if not event.is_comment and not event.is_drawing]
    except Exception:  # the library's parsers raise what they meet: ValueError, IndexError, its own
        raise Unusable("subtitle_unreadable") from None
    shown = ([" ".join(line.split()) for line in event.plaintext.split("\n") if line.strip()] for event in spoken)
    cues = [(event.start, event.end, lines) for event, lines in zip(spoken, shown, strict=True) if lines]
    return tuple(Segment(start, end, " ".join(lines)) for start, end, lines in _unrolled(cues) if lines)


def _unrolled(cues: list[_Cue]) -> list[_Cue]:
    """Where captions roll, as most of them do or none, a line is shown again above the next one: it was said once."""
    rolled = [False] + [
        lines[0] == before[-1] and (len(lines) > 1 or end - start <= HELD_MS)
        for (_, _, before), (start, end, lines) in pairwise(cues)
    ]
    if sum(rolled) * 2 <= len(cues):
        return cues
    return [(start, end, lines[again:]) for (start, end, lines), again in zip(cues, rolled, strict=True)]


def _from_webvtt(text: str) -> tuple[Segment, ...]:
    """Without names of cues, notes and styles, which the library takes for words."""
    blocks = (block.partition("-->") for block in re.split(r"\n{2,}", text))
    cues = (f"{before.rpartition(chr(10))[2]}-->{after}" for before, arrow, after in blocks if arrow)
    numbered = "\n\n".join(f"{number}\n{cue}" for number, cue in enumerate(cues, 1))
    return tuple(
        Segment(cue.start_ms, cue.end_ms, " ".join(html.unescape(cue.text).split()))
        for cue in _from_file(f"WEBVTT\n\n{numbered}")
    )


# --- XML: by the root's name, which elements are cues, where their times stand, and the unit of a bare number

_XML = {
    "tt": ("p", "begin", "dur", None),
    "transcript": ("text", "start", "dur", 1000.0),
    "timedtext": ("p", "t", "d", 1.0),
}
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:\.\d{1,9})?)(?::(\d{1,4}))?", re.ASCII)
_OFFSET = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)(h|m|s|ms|f|t)?", re.ASCII)
_FRAMES_A_SECOND = 30.0  # TTML's default


def _from_xml(text: str) -> tuple[Segment, ...]:
    """TTML of any version, and YouTube's two forms."""
    from xml.etree import ElementTree

    try:
        if "<!ENTITY" in text:
            raise Unusable("subtitle_unreadable")
        root = ElementTree.fromstring(text)
        kind = _local(root.tag)
        if kind not in _XML:
            raise Unusable("subtitle_unreadable")
        return tuple(_cues_in(root, kind, _units(root, _XML[kind][3]), 0.0))
    except (ElementTree.ParseError, RecursionError):
        raise Unusable("subtitle_unreadable") from None


def _cues_in(node: Element, kind: str, units: Mapping[str, float], base: float) -> Iterator[Segment]:
    """The cues below ``node``, whose own times count from ``base``, milliseconds."""
    name, begin, length, _ = _XML[kind]
    start = _time(node.get(begin), units)
    if _local(node.tag) == name:
        last, took = _time(node.get("end"), units), _time(node.get(length), units)
        end = last if last is not None else None if took is None else (start or 0.0) + took
        for part in node.iter():
            if _local(part.tag) == "br":
                part.text = "\n"
        words = "".join(node.itertext())
        words = " ".join((words if kind == "tt" else html.unescape(words)).split())
        if words:
            yield Segment(*(None if moment is None else round(base + moment) for moment in (start, end)), words)
        return
    for child in node:
        yield from _cues_in(child, kind, units, base + (start or 0.0))


def _units(root: Element, bare: float | None) -> dict[str, float]:
    """Milliseconds of each unit; frames and ticks as the file defines them."""
    told = {_local(name): value for name, value in root.attrib.items()}
    frames = _positive(told.get("frameRate")) or _FRAMES_A_SECOND
    ticks = _positive(told.get("tickRate")) or (frames if "frameRate" in told else 1.0)
    units = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0, "f": 1000 / frames, "t": 1000 / ticks}
    return units if bare is None else {**units, "": bare}


def _time(value: str | None, units: Mapping[str, float]) -> float | None:
    value = (value or "").strip()
    if clock := _CLOCK.fullmatch(value):
        hours, minutes, seconds, frames = (float(part or 0) for part in clock.groups())
        return hours * units["h"] + minutes * units["m"] + seconds * units["s"] + frames * units["f"]
    offset = _OFFSET.fullmatch(value)
    unit = units.get(offset[2] or "") if offset else None
    return None if offset is None or unit is None else float(offset[1]) * unit


def _positive(value: str | None) -> float | None:
    found = re.fullmatch(r"\d{1,12}", value or "", re.ASCII)
    return (float(found[0]) or None) if found else None


def _local(name: str) -> str:
    return name.rpartition("}")[2]


# --- JSON


def _from_json(text: str) -> tuple[Segment, ...]:
    """Lists of cues under any of the usual names; seconds, or milliseconds where the name says so."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _from_file(text)  # an ASS file begins with a bracket too
    rows = _rows(document)
    if rows is None:
        raise Unusable("subtitle_unreadable")
    cues = (_cue(row if isinstance(row, dict) else {"text": row}) for row in rows)
    return tuple(cue for cue in cues if cue.text)


_LISTS = ("body", "events", "segments", "subtitles", "sentences", "utterances", "data", "result")
_MOST_LAYERS = 3
_MILLISECONDS = (("tStartMs", None), ("start_ms", "end_ms"), ("start_time", "end_time"), ("begin_time", "end_time"))
_SECONDS = (("from", "to"), ("start", "end"))


def _rows(document: Any) -> list[Any] | None:
    """The list of cues, at most so many layers of objects deep."""
    for _ in range(_MOST_LAYERS):
        if not isinstance(document, dict):
            break
        inner = [document[name] for name in _LISTS if isinstance(document.get(name), list | dict)]
        document = next((value for value in inner if isinstance(value, list)), inner[0] if inner else None)
    return document if isinstance(document, list) else None


def _cue(row: Mapping[str, Any]) -> Segment:
    pieces = row.get("segs")
    if isinstance(pieces, list):
        text = "".join(p["utf8"] for p in pieces if isinstance(p, dict) and isinstance(p.get("utf8"), str))
    else:
        text = next((row[n] for n in ("content", "text", "sentence", "line") if isinstance(row.get(n), str)), "")
    start = end = None
    for scale, names in ((1, _MILLISECONDS), (1000, _SECONDS)):
        for first, last in names:
            if start is None and (start := _moment(row.get(first), scale)) is not None:
                end = _moment(row.get(last), scale) if last else None
    if end is None and start is not None:
        # YouTube's two forms give a length instead: dDurationMs, and dur in seconds.
        length = _moment(row.get("dDurationMs"), 1)
        length = length if length is not None else _moment(row.get("duration", row.get("dur")), 1000)
        end = start + length if length is not None else None
    return Segment(start, end, " ".join(text.split()))


def _moment(value: Any, scale: int) -> int | None:
    found = number(value)
    return round(found * scale) if found is not None and found * scale < 10**9 else None


# --- whether there are words in it


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
    most = max(Counter(lines).values())
    if most >= 4 and most * 2 > len(lines):
        raise Unusable("subtitle_noise_repeated")
