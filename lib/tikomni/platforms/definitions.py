"""What a platform looks like, read from its YAML file into frozen dataclasses, once per process.

``platform.schema.json`` says what such a file may hold. This module knows no platform and reads no answers. YAML and
JMESPath are imported when the first file is read, not before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a fact may stand: a path from the item, and how its value becomes the fact."""

    convert: Converter
    path: Path


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask. ``send`` holds alternatives: the first whose values are known is sent, never two at once.

    ``serves`` names the media kinds that the route is for (none: any). ``unless``: known ids that make it
    pointless. ``first_when``: values of known ids that put it first.
    """

    route: str
    send: Sequence[Mapping[str, Any]]
    serves: Collection[str] = ()
    unless: Sequence[str] = ()
    first_when: Mapping[str, Collection[str]] = field(default_factory=dict)


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
    """What a work is: the first kind whose ``when`` finds true. ``page`` is its canonical address, where the kind has
    one of its own."""

    media_kind: MediaKind
    work_modality: Modality
    page: str | None = None
    when: Path | None = None


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
    when: Path | None = None


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
    ``page``: the canonical address, where the kind has none of its own. ``open_page``: the address that opens for a
    person, where that is another one. ``hidden``: the object is there, but shows nothing of itself (a private account).
    ``resolve``: routes that find its id, tried where the object's own routes cannot be asked.
    """

    items: tuple[Path, ...]
    fields: Mapping[str, tuple[Candidate, ...]]
    routes: tuple[Route, ...] = ()
    native_ids: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)
    own: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)
    accept: Sequence[Sequence[str]] = ()
    unpublished: Collection[str] = ()
    gone_answer: tuple[Gone, ...] = ()
    gone_item: tuple[Gone, ...] = ()
    notes: tuple[Path, ...] = ()
    kinds: tuple[Kind, ...] = ()
    streams: tuple[Streams, ...] = ()
    not_video: re.Pattern[str] | None = None
    watermarked: re.Pattern[str] | None = None
    rare_codecs: Collection[str] = ()
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
    entry: tuple[Path, ...] = (Path("@"),)
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
    accept: Sequence[Sequence[str]] = ()
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
    """Facts of works that cost a call of their own, and so are fetched only when asked for."""

    routes: tuple[EnrichRoute, ...]
    fields: Mapping[str, tuple[Candidate, ...]]


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything particular to one platform."""

    platform: str
    name: str
    name_zh: str
    language: str
    objects: Mapping[str, Object]
    referer: str | None = None
    lists: Mapping[str, List] = field(default_factory=dict)
    enrich: Mapping[str, Enrich] = field(default_factory=dict)


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
    members = {name: value for name, value in raw.items() if name != "links"}
    return _made(Definition, members, objects=_members(_object), lists=_members(_list), enrich=_members(_enrich))


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


def _rows(make: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What makes something of each member of a list."""
    return lambda rows: tuple(map(make, rows))


def _members(make: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """The same for each member of an object."""
    return lambda members: {name: make(member) for name, member in members.items()}


def _made(kind: Any, raw: Mapping[str, Any], **converters: Callable[[Any], Any]) -> Any:
    """A ``kind`` of the members in ``raw``, which have the names of its fields; what ``raw`` lacks has its default."""
    return kind(**{name: converters[name](value) if name in converters else value for name, value in raw.items()})


def _pairs(pairs: list[dict[str, str]]) -> tuple[Candidate, ...]:
    return tuple(Candidate(named(converter), Path(path)) for pair in pairs for converter, path in pair.items())


_paths = _rows(Path)
_candidates = _members(_pairs)


def _asking(raw: Mapping[str, Any]) -> dict[str, Any]:
    """``raw`` with what it says of a route as its member ``ask``."""
    route = {name: value for name, value in raw.items() if name in _OF_ROUTE}
    return {name: value for name, value in raw.items() if name not in _OF_ROUTE} | {"ask": Route(**route)}


_OF_ROUTE = {one.name for one in fields(Route)}


def _gone(raw: Mapping[str, Any]) -> Gone:
    values = {"equals" if name == "is" else name: value for name, value in raw.items()}
    return _made(Gone, values, path=Path, matches=re.compile, retry_with=tuple)


def _object(raw: Mapping[str, Any]) -> Object:
    gone = {f"gone_{name}": rows for name, rows in raw.get("gone", {}).items()}
    return _made(
        Object,
        {name: value for name, value in raw.items() if name != "gone"} | gone,
        routes=_rows(lambda route: Route(**route)),
        items=_paths,
        fields=_candidates,
        native_ids=_candidates,
        own=_candidates,
        gone_answer=_rows(_gone),
        gone_item=_rows(_gone),
        notes=_paths,
        kinds=_rows(lambda kind: _made(Kind, kind, when=Path)),
        streams=_rows(_streams),
        not_video=re.compile,
        watermarked=re.compile,
        subtitles=_rows(_subtitles),
        hidden=_rows(_gone),
        resolve=_rows(_resolve),
    )


def _streams(raw: Mapping[str, Any]) -> Streams:
    return _made(Streams, raw, entries=Path, url=Path, height=Path, bitrate=Path, size=Path, codec=Path)


def _subtitles(raw: Mapping[str, Any]) -> Subtitles:
    return _made(Subtitles, raw, entries=Path, url=Path, tag=Path, language=Path)


def _resolve(raw: Mapping[str, Any]) -> Resolve:
    return _made(Resolve, _asking(raw), items=_paths, ids=_candidates, equals=_candidates)


def _list(raw: Mapping[str, Any]) -> List:
    return _made(
        List,
        raw,
        routes=_rows(_list_route),
        drop=_rows(_gone),
        choices=_members(lambda choice: Choice(**choice)),
        resolve=_rows(_resolve),
    )


def _list_route(raw: Mapping[str, Any]) -> ListRoute:
    return _made(
        ListRoute,
        _asking(raw),
        items=_paths,
        page=_rows(lambda page: _made(PageField, page, next=Path)),
        entry=_paths,
        more=Path,
        size=lambda size: (size["send"], size["most"]),
        partial=_rows(lambda partial: _made(Partial, partial, when=Path)),
    )


def _enrich(raw: Mapping[str, Any]) -> Enrich:
    return _made(Enrich, raw, routes=_rows(_enrich_route), fields=_candidates)


def _enrich_route(raw: Mapping[str, Any]) -> EnrichRoute:
    return _made(EnrichRoute, _asking(raw), items=_paths, id=_pairs)
