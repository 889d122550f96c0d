"""What a newer upstream document changes in the source: which routes came, which went, which are different.

Nothing is deleted and nothing is taken on trust: a route that has gone is marked as removed, a new one as not
reviewed, with words made from its path. It makes documents and texts; it must not read or write files, fetch anything,
or take a sentence from upstream.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tikomni.catalog import guesses, source
from tikomni.catalog.merge import described, merged
from tikomni.catalog.upstream import Operation, Upstream, schema_of
from tikomni.errors import InputError

PROVIDER = "tikomni"
NOT_REVIEWED = "Not reviewed yet"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A route and, in a few words each, what of it is different."""

    route: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync would do. ``files``: name → new text; ``skipped``: what could not be taken over, and why."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Change, ...]
    unchanged: int
    skipped: tuple[str, ...]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an operation stands in the source."""

    file: str
    path: str
    method: str


def plan(documents: Mapping[str, Document], upstream: Upstream, today: str) -> Plan:
    """What has to be written so that the source says what upstream declares.

    Args:
        documents: file name → source document; they stay as they are.
        today: the day that the listing counts from where upstream's version names none.

    Raises:
        InputError: ``invalid_input``, where the document is older than the catalogue, or has less than half of its
            routes.
    """
    work = _Work(documents, upstream.day or today)
    if upstream.day and upstream.day < (newest := max(one["info"]["version"] for one in work.documents.values())):
        raise InputError(
            "invalid_input",
            f"The OpenAPI document is of {upstream.day}, the catalogue of {newest}: "
            "it would take back what has come since.",
            hint="Give a newer document.",
        )
    kept, fresh = work.matched(upstream)
    unreadable = work.unreadable(upstream)
    known = sum(1 for _ in work.listed())
    if 2 * (len(kept) + len(unreadable)) < known:
        raise InputError(
            "invalid_input",
            f"The OpenAPI document has {len(kept)} of the catalogue's {known} routes: "
            "it is another API's, or a part of the upstream's.",
        )
    listed = unreadable | {work.update(place, operation) for place, operation in kept}
    listed |= set(filter(None, map(work.add, fresh)))
    work.relist(listed)
    work.forget_the_removed()
    return Plan(
        added=tuple(sorted(work.added)),
        removed=tuple(sorted(work.removed)),
        changed=tuple(Change(route, tuple(what)) for route, what in sorted(work.told.items())),
        unchanged=sum(work.at(place)["x-tikomni-id"] not in work.told for place in listed) - len(work.added),
        skipped=tuple(sorted([*(one.why for one in upstream.skipped), *work.refused])),
        files={name: source.text(work.documents[name]) for name in sorted(work.touched)},
    )


class _Work:
    """The documents while they are worked on, and what has been done to them."""

    def __init__(self, documents: Mapping[str, Document], day: str) -> None:
        self.documents = {n: deepcopy(d) for n, d in documents.items() if d["x-tikomni-provider"] == PROVIDER}
        self.day = day
        self.added: list[str] = []
        self.removed: list[str] = []
        self.told: dict[str, list[str]] = {}
        self.refused: list[str] = []
        self.touched: set[str] = set()
        self._others = documents.keys() - self.documents.keys()
        self._ids = {self.at(place)["x-tikomni-id"] for place in self._places()}

    def at(self, place: _Place) -> dict[str, Any]:
        return self.documents[place.file]["paths"][place.path][place.method]

    def _places(self, files: Iterable[str] | None = None) -> Iterator[_Place]:
        for file in self.documents if files is None else files:
            for path, item in self.documents[file]["paths"].items():
                for method in item:
                    yield _Place(file, path, method)

    def listed(self) -> Iterator[_Place]:
        """The routes that the source takes to be listed by upstream."""
        for place in self._places():
            if self.documents[place.file]["info"]["version"] in self.at(place)["x-tikomni-catalogues"]:
                yield place

    # --- which is which

    def matched(self, upstream: Upstream) -> tuple[list[tuple[_Place, Operation]], list[Operation]]:
        """Pairs of the same route, and upstream's operations that the source lacks.

        A path that has one method here and only the other one there is a route that has changed its method.
        """
        mine = {(place.path, place.method): place for place in self._places()}
        theirs = {(operation.path, operation.method): operation for operation in upstream.operations}
        pairs = [(mine.pop(key), theirs.pop(key)) for key in list(theirs) if key in mine]
        left = {place.path: place for place in mine.values()}
        moved = [(left[path], theirs.pop((path, method))) for path, method in list(theirs) if path in left]
        return pairs + moved, list(theirs.values())

    def unreadable(self, upstream: Upstream) -> set[_Place]:
        """Routes that upstream still lists, in a way that cannot be taken over."""
        listed = {(one.path, one.method) for one in upstream.skipped}
        return {place for place in self._places() if (place.path, place.method) in listed}

    # --- what changes

    def update(self, place: _Place, theirs: Operation) -> _Place:
        """Takes over upstream's facts; returns where the route stands now."""
        operation, told = merged(self.at(place), theirs)
        if not told and place.method == theirs.method:
            return place
        if problem := source.operation_problem(operation):
            self.refused.append(f"{operation['x-tikomni-id']}: left as it is, {problem}")
            return place
        item = self.documents[place.file]["paths"][place.path]
        if place.method != theirs.method:
            told.append(f"method: {place.method.upper()} → {theirs.method.upper()}")
            del item[place.method]
        item[theirs.method] = operation
        self._tell(operation, *told)
        self.touched.add(place.file)
        return _Place(place.file, place.path, theirs.method)

    def add(self, theirs: Operation) -> _Place | None:
        """Writes a new route down, unless the schema of the source has something against it."""
        facts = described(theirs)
        required = [one["name"] for one in theirs.inputs if one["required"]]
        required += schema_of(theirs.body).get("required", []) if theirs.body else []
        file = self._file(theirs)
        words = guesses.placeholders(theirs.path)
        operation = {
            "operationId": theirs.operation_id,
            "tags": [file.removesuffix(".yaml")],
            "summary": words["summary"],
            "description": f"required: {', '.join(required)}" if required else "no input is required",
            "x-tikomni-id": self._id(theirs),
            "x-tikomni-summary-zh": words["x-tikomni-summary-zh"],
            "x-tikomni-object": guesses.thing(theirs.path),
            "x-tikomni-effect": guesses.effect(theirs.method, theirs.path, required),
            **facts,
            "x-tikomni-response": theirs.response,
            "x-tikomni-keywords": words["x-tikomni-keywords"],
            "x-tikomni-catalogues": [self.day],
            "x-tikomni-tikhub": False,
            "x-tikomni-reviewed": False,
        }
        if problem := source.operation_problem(operation):
            self.refused.append(f"{theirs.method.upper()} {theirs.path}: {problem}")
            return None
        document = self.documents.setdefault(file, self._empty(file))
        document["paths"].setdefault(theirs.path, {})[theirs.method] = operation
        document["paths"] = dict(sorted(document["paths"].items()))
        self.added.append(operation["x-tikomni-id"])
        self._ids.add(operation["x-tikomni-id"])
        self.touched.add(file)
        return _Place(file, theirs.path, theirs.method)

    def relist(self, listed: set[_Place]) -> None:
        """Notes which routes this day's catalogue lists, in the files where that has changed."""
        before = list(self.listed())
        for file, document in self.documents.items():
            was = self._by_id(place for place in before if place.file == file)
            now = self._by_id(place for place in listed if place.file == file)
            if now.keys() == was.keys():
                continue
            self.touched.add(file)
            document["info"]["version"] = self.day
            for place in self._places([file]):
                days = [day for day in self.at(place)["x-tikomni-catalogues"] if day != self.day]
                self.at(place)["x-tikomni-catalogues"] = days + [self.day] * (place in listed)
            for route in was.keys() - now.keys():
                self.removed.append(route)
            for route in now.keys() - was.keys() - set(self.added):
                self.at(now[route]).pop("x-tikomni-replaced-by", None)
                self._tell(self.at(now[route]), "listed again")

    def forget_the_removed(self) -> None:
        """No route recommends one that has gone; what a removed route recommended stands in for it."""
        gone = set(self.removed)
        for place in list(self._places()):
            operation = self.at(place)
            if operation["x-tikomni-id"] in gone:
                operation["x-tikomni-replaced-by"] = operation.pop("x-tikomni-prefer", None)
            if operation.get("x-tikomni-prefer") in gone:
                del operation["x-tikomni-prefer"]
                self._tell(operation, "prefer: dropped with its route")
                self.touched.add(place.file)
            if operation.get("x-tikomni-replaced-by") in gone:
                operation["x-tikomni-replaced-by"] = None
                self.touched.add(place.file)

    def _by_id(self, places: Iterable[_Place]) -> dict[str, _Place]:
        return {self.at(place)["x-tikomni-id"]: place for place in places}

    def _tell(self, operation: Mapping[str, Any], *what: str) -> None:
        self.told.setdefault(operation["x-tikomni-id"], []).extend(what)

    # --- where a new route goes

    def _id(self, theirs: Operation) -> str:
        plain = guesses.route_id(theirs.path)
        return plain if plain not in self._ids else f"{plain}.{theirs.method}"

    def _file(self, theirs: Operation) -> str:
        """The file of upstream's tag; a name of our own making, whatever the tag is."""
        stem = _slug(theirs.tag) or _slug("-".join(guesses.words(theirs.path).all[:2])) or "other"
        # A lone word may be another provider's file, or a device of Windows.
        if f"{stem}.yaml" in self._others or (f"{stem}.yaml" not in self.documents and "-" not in stem):
            stem += "-api"
        return f"{stem}.yaml"

    def _empty(self, file: str) -> Document:
        name = file.removesuffix(".yaml")
        title = name.removesuffix("-api").replace("-", " ").capitalize()
        return {
            "openapi": "3.1.0",
            "info": {
                "title": title,
                "version": self.day,
                "description": NOT_REVIEWED,
                "x-tikomni-title-zh": title,
            },
            "x-tikomni-provider": PROVIDER,
            "tags": [{"name": name}],
            "paths": {},
        }


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-")
