"""What a platform looks like, read from its YAML file into frozen dataclasses, once per process.

``platform.schema.json`` says what such a file may hold. This module knows no platform and reads no answers. YAML and
JMESPath are imported when the first file is read, not before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path as File
from typing import Any

from tikomni.errors import InputError
from tikomni.facts import MediaKind, Modality
from tikomni.platforms.convert import Converter, named
from tikomni.storage.yaml_file import read_yaml

_HERE = File(__file__).parent
ELSEWHERE = "elsewhere"

_PLACE = re.compile(r"\{(\w+)(\?)?\}")


class Path:
    """A JMESPath expression, compiled when it is first used."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _compiled(self) -> Any:
        import jmespath

        return jmespath.compile(self.text)

    def find(self, value: Any) -> Any:
        """What the expression finds; ``None`` too where the value's types do not fit it."""
        from jmespath.exceptions import JMESPathError

        try:
            return self._compiled.search(value)
        except (JMESPathError, ArithmeticError, AttributeError, TypeError, ValueError):
            return None

    def __repr__(self) -> str:
        return f"Path({self.text!r})"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a fact may stand: a path from the item, and how its value becomes the fact."""

    converter: str
    convert: Converter
    path: Path


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask. ``send`` holds alternatives: the first whose values are known is sent, never two at once.

    ``serves`` names the media kinds that the route is for (none: any). ``unless``: known ids that make it
    pointless. ``first_when``: values of known ids that put it first.
    """

    route: str
    send: tuple[Mapping[str, Any], ...]
    serves: frozenset[str] = frozenset()
    unless: tuple[str, ...] = ()
    first_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gone:
    """How an answer or an entry says that something cannot be seen or is not wanted; which routes may have it still."""

    path: Path
    reason: str
    equals: Any = None
    matches: re.Pattern[str] | None = None
    retry_with: tuple[str, ...] = ()

    def applies(self, value: Any) -> bool:
        found = self.path.find(value)
        if self.matches is not None:
            return isinstance(found, str) and bool(self.matches.search(found[:500]))
        if not isinstance(found, bool | int | str):
            return False
        return _plain(found) == _plain(self.equals)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a work is: the first kind whose ``when`` finds true. ``page`` is its canonical address."""

    when: Path | None
    media_kind: MediaKind
    work_modality: Modality
    page: str


@dataclass(frozen=True, slots=True)
class Streams:
    """Where videos stand. Sub-paths are anchored at one entry of ``entries``."""

    entries: Path
    url: Path
    height: Path | None = None
    bitrate: Path | None = None
    size: Path | None = None
    codec: Path | None = None
    watermark: bool = False


@dataclass(frozen=True, slots=True)
class Subtitles:
    """Where subtitle files stand. ``entries`` is a list, or an object whose keys are the tags (``by_tag``)."""

    entries: Path
    url: Path
    tag: Path | None = None
    language: Path | None = None
    by_tag: bool = False


@dataclass(frozen=True, slots=True)
class Partial:
    """A field that an answer may hold only in part, and why."""

    field: str
    reason: str
    when: Path | None


@dataclass(frozen=True, slots=True)
class Resolve:
    """A route that tells an id: that of the first of ``items`` whose ``equals`` are as they are known."""

    ask: Route
    items: tuple[Path, ...]
    ids: Mapping[str, tuple[Candidate, ...]]
    equals: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Object:
    """One kind of object: how to ask for it, where it stands in an answer, which facts it holds.

    ``items``: paths from the payload to one item or a list of them, best first. ``accept``: groups of fields, of
    each of which one must be there. ``own``: facts for our own use that are not published (tokens). ``not_video``,
    ``watermarked``: addresses that are no video, or a marked one. ``rare_codecs``: those that few players know.
    ``page``: the canonical address where it does not hang on the kind. ``open_page``: the address that opens for a
    person, where that is another one. ``hidden``: the object is there, but shows nothing of itself (a private account).
    ``resolve``: routes that find its id, tried where the object's own routes cannot be asked.
    """

    routes: tuple[Route, ...]
    items: tuple[Path, ...]
    fields: Mapping[str, tuple[Candidate, ...]]
    native_ids: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)
    own: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)
    accept: tuple[tuple[str, ...], ...] = ()
    unpublished: frozenset[str] = frozenset()
    gone_answer: tuple[Gone, ...] = ()
    gone_item: tuple[Gone, ...] = ()
    notes: tuple[Path, ...] = ()
    kinds: tuple[Kind, ...] = ()
    streams: tuple[Streams, ...] = ()
    not_video: re.Pattern[str] | None = None
    watermarked: re.Pattern[str] | None = None
    rare_codecs: frozenset[str] = frozenset()
    subtitles: tuple[Subtitles, ...] = ()
    page: str | None = None
    open_page: str | None = None
    hidden: tuple[Gone, ...] = ()
    resolve: tuple[Resolve, ...] = ()


@dataclass(frozen=True, slots=True)
class PageField:
    """One value that goes from page to page: the input it is sent as, its first value, where the next one stands.

    ``step``: the value is counted on by so much where the answer does not tell it. ``keep``: where the answer does
    not tell it, the value that was sent goes on. ``means``: routes whose fields mean the same go on from each other.
    """

    send: str
    first: Any
    next: Path | None = None
    step: int | None = None
    keep: bool = False
    means: str | None = None


@dataclass(frozen=True, slots=True)
class ListRoute:
    """One way to walk a list. ``page`` travels as a whole: a page goes on only where all its values are there.

    Paths are anchored at the payload, ``layers`` levels of ``data`` below the answer's top; ``entry`` at one of
    ``items``: where in it the object stands. ``more`` is what the platform says about a further page; without it, a
    page goes on while the values differ from those before.
    """

    ask: Route
    items: tuple[Path, ...]
    page: tuple[PageField, ...]
    entry: tuple[Path, ...] = ()
    more: Path | None = None
    size: tuple[str, int] | None = None
    layers: int = 3
    partial: tuple[Partial, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a platform can do for a list by itself: our word for it, and the platform's, which is sent as ``{put}``."""

    put: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class List:
    """A list of objects of one kind.

    ``drop``: entries that are none of its objects, and what they are; asked of the entry as it came. ``newest_first``:
    dates fall from entry to entry, but for what is pinned. ``accept``: groups of fields; a route is good enough where
    an entry of its first page has one of each. ``choices``: what can be asked for by ``sort``, ``kind``, ``window``
    (days back) and ``chart`` (one of which must be chosen). ``resolve``: routes that tell an id that the list needs.
    """

    of: str
    routes: tuple[ListRoute, ...]
    drop: tuple[Gone, ...] = ()
    newest_first: bool = False
    accept: tuple[tuple[str, ...], ...] = ()
    choices: Mapping[str, Choice] = field(default_factory=dict)
    resolve: tuple[Resolve, ...] = ()


@dataclass(frozen=True, slots=True)
class EnrichRoute:
    """One way to ask for further facts of up to ``most`` objects a call; for less than ``least`` another is cheaper."""

    ask: Route
    items: tuple[Path, ...]
    id: tuple[Candidate, ...]
    most: int = 1
    least: int = 1


@dataclass(frozen=True, slots=True)
class Enrich:
    """Facts that cost a call of their own, and so are fetched only when asked for."""

    of: str
    routes: tuple[EnrichRoute, ...]
    fields: Mapping[str, tuple[Candidate, ...]]


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything particular to one platform."""

    platform: str
    name: str
    name_zh: str
    language: str
    referer: str | None
    objects: Mapping[str, Object]
    lists: Mapping[str, List]
    enrich: Mapping[str, Enrich]


def names() -> tuple[str, ...]:
    """The platforms that have a definition."""
    return tuple(sorted(f.stem for f in _HERE.glob("*.yaml") if f.stem != ELSEWHERE))


@cache
def definition(platform: str) -> Definition:
    """The definition of a platform.

    Raises:
        InputError: ``unsupported_link`` where there is none.
    """
    if platform not in names():
        raise InputError(
            "unsupported_link", f"{platform!r} is not a platform that is known here.", details={"known": names()}
        )
    raw = document(platform)
    return Definition(
        platform=raw["platform"],
        name=raw["name"],
        name_zh=raw["name_zh"],
        language=raw["language"],
        referer=raw.get("referer"),
        objects={name: _object(rule) for name, rule in raw["objects"].items()},
        lists={name: _list(rule) for name, rule in raw.get("lists", {}).items()},
        enrich={name: _enrich(rule) for name, rule in raw.get("enrich", {}).items()},
    )


@cache
def document(name: str) -> dict[str, Any]:
    """A YAML file of this room as it stands."""
    return read_yaml(_HERE / f"{name}.yaml")


def fill(template: Any, known: Mapping[str, str]) -> Any:
    """``template`` with its places (``{work_id}``) filled; ``None`` where a value is unknown.

    Anything but a text stands for itself.
    """
    if not isinstance(template, str):
        return template
    places = [name for name, _ in _PLACE.findall(template)]
    if not all(known.get(name) for name in places):
        return None
    return _PLACE.sub(lambda place: known[place[1]], template)


def inputs(route: Route, known: Mapping[str, str]) -> dict[str, Any] | None:
    """What to send to a route, from what is known; ``None`` where that is not enough.

    A place marked as optional (``{xsec_token?}``) leaves its input out where the value is unknown.
    """
    for alternative in route.send:
        filled = {name: fill(template, known) for name, template in alternative.items()}
        if all(value is not None or is_optional(alternative[name]) for name, value in filled.items()):
            return {name: value for name, value in filled.items() if value is not None}
    return None


def is_optional(template: Any) -> bool:
    return isinstance(template, str) and any(mark for _, mark in _PLACE.findall(template))


def _plain(value: Any) -> Any:
    """One form for ``true``/1/"1", since platforms mix them."""
    if isinstance(value, str):
        return int(value) if value.isdecimal() and len(value) < 20 else value.lower()
    return int(value) if isinstance(value, bool) else value


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _paths(texts: Any) -> tuple[Path, ...]:
    return tuple(Path(text) for text in texts or ())


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text) if text else None


def _candidates(rows: Mapping[str, list[dict[str, str]]] | None) -> dict[str, tuple[Candidate, ...]]:
    return {name: tuple(_pairs(pairs)) for name, pairs in (rows or {}).items()}


def _pairs(pairs: list[dict[str, str]]) -> Iterator[Candidate]:
    for pair in pairs:
        ((converter, path),) = pair.items()
        yield Candidate(converter, named(converter), Path(path))


def _route(raw: Mapping[str, Any]) -> Route:
    return Route(
        route=raw["route"],
        send=tuple(raw["send"]),
        serves=frozenset(raw.get("serves", ())),
        unless=tuple(raw.get("unless", ())),
        first_when={name: tuple(values) for name, values in raw.get("first_when", {}).items()},
    )


def _gone(rows: Any) -> tuple[Gone, ...]:
    return tuple(
        Gone(
            Path(row["path"]),
            row["reason"],
            row.get("is"),
            _pattern(row.get("matches")),
            tuple(row.get("retry_with", ())),
        )
        for row in rows or ()
    )


def _object(raw: Mapping[str, Any]) -> Object:
    gone = raw.get("gone", {})
    return Object(
        routes=tuple(map(_route, raw.get("routes", ()))),
        items=_paths(raw["items"]),
        fields=_candidates(raw["fields"]),
        native_ids=_candidates(raw.get("native_ids")),
        own=_candidates(raw.get("own")),
        accept=tuple(map(tuple, raw.get("accept", ()))),
        unpublished=frozenset(raw.get("unpublished", ())),
        gone_answer=_gone(gone.get("answer")),
        gone_item=_gone(gone.get("item")),
        notes=_paths(raw.get("notes")),
        kinds=tuple(
            Kind(_path(k.get("when")), k["media_kind"], k["work_modality"], k["page"]) for k in raw.get("kinds", ())
        ),
        streams=tuple(_streams(s) for s in raw.get("streams", ())),
        not_video=_pattern(raw.get("not_video")),
        watermarked=_pattern(raw.get("watermarked")),
        rare_codecs=frozenset(raw.get("rare_codecs", ())),
        subtitles=tuple(
            Subtitles(
                Path(s["entries"]),
                Path(s["url"]),
                _path(s.get("tag")),
                _path(s.get("language")),
                s.get("by_tag", False),
            )
            for s in raw.get("subtitles", ())
        ),
        page=raw.get("page"),
        open_page=raw.get("open_page"),
        hidden=_gone(raw.get("hidden")),
        resolve=tuple(map(_resolve, raw.get("resolve", ()))),
    )


def _resolve(raw: Mapping[str, Any]) -> Resolve:
    return Resolve(_route(raw), _paths(raw["items"]), _candidates(raw["ids"]), _candidates(raw.get("equals")))


def _streams(raw: Mapping[str, Any]) -> Streams:
    parts = {name: _path(raw.get(name)) for name in ("height", "bitrate", "size", "codec")}
    return Streams(Path(raw["entries"]), Path(raw["url"]), **parts, watermark=raw.get("watermark", False))


def _list(raw: Mapping[str, Any]) -> List:
    return List(
        raw["of"],
        tuple(map(_list_route, raw["routes"])),
        _gone(raw.get("drop")),
        raw.get("newest_first", False),
        tuple(map(tuple, raw.get("accept", ()))),
        {name: Choice(**choice) for name, choice in raw.get("choices", {}).items()},
        tuple(map(_resolve, raw.get("resolve", ()))),
    )


def _list_route(raw: Mapping[str, Any]) -> ListRoute:
    size = raw.get("size")
    return ListRoute(
        ask=_route(raw),
        items=_paths(raw["items"]),
        page=tuple(map(_page_field, raw["page"])),
        entry=_paths(raw.get("entry", ["@"])),
        more=_path(raw.get("more")),
        size=(size["send"], size["most"]) if size else None,
        layers=raw.get("layers", 3),
        partial=tuple(Partial(p["field"], p["reason"], _path(p.get("when"))) for p in raw.get("partial", ())),
    )


def _page_field(raw: Mapping[str, Any]) -> PageField:
    return PageField(
        raw["send"], raw["first"], _path(raw.get("next")), raw.get("step"), raw.get("keep", False), raw.get("means")
    )


def _enrich(raw: Mapping[str, Any]) -> Enrich:
    routes = (
        EnrichRoute(
            _route(row), _paths(row["items"]), tuple(_pairs(row["id"])), row.get("most", 1), row.get("least", 1)
        )
        for row in raw["routes"]
    )
    return Enrich(raw["of"], tuple(routes), _candidates(raw["fields"]))
