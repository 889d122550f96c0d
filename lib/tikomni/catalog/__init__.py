"""The route catalogue: which routes exist, looked up by id or by address.

Reads the compiled file beside it, of which it takes apart only the cells that were asked for. It must not import
anything outside the standard library, send anything, or know a platform.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tikomni.catalog.columns import Columns
from tikomni.catalog.model import DEFAULT_PRICE_USD, Body, Input, Paging, Route
from tikomni.errors import InputError

__all__ = [
    "DEFAULT_PRICE_USD",
    "Body",
    "Input",
    "Paging",
    "Route",
    "all_routes",
    "get",
    "ids",
    "match",
    "tags",
    "usual_path",
]

_HERE = Path(__file__).parent
ROUTES = _HERE / "routes.txt"
SOURCE = _HERE / "openapi"
"""What people edit, in a checkout; a package lacks it."""


def usual_path(route_id: str) -> str:
    """The path that a route has if nothing else is told."""
    return "/api/u1/v1/" + route_id.replace(".", "/")


@cache
def _compiled() -> Columns:
    return Columns(ROUTES.read_bytes())


@cache
def _numbers() -> dict[str, int]:
    """Id → number, by id."""
    return {route_id: number for number, route_id in enumerate(_compiled().column("routes", "id"))}


@cache
def _paths() -> dict[str, str]:
    """``METHOD /path`` → id, by path."""
    methods = _compiled().column("routes", "method")
    told = _compiled().cells("routes", "path")
    found = sorted(
        (json.loads(path) if path else usual_path(route_id), method, route_id)
        for route_id, method, path in zip(_numbers(), methods, told, strict=True)
    )
    return {f"{method} {path}": route_id for path, method, route_id in found}


def _row(number: int) -> dict[str, Any]:
    """A route as the source tells it (``compile.rows``)."""
    compiled = _compiled()
    row = compiled.row("routes", number)
    row.setdefault("path", usual_path(row["id"]))
    row["inputs"] = [compiled.row("inputs", one) for one in row.get("inputs", ())]
    row["limits"] = [compiled.row("limits", one)["text"] for one in row.get("limits", ())]
    return row


@cache
def _load(route_id: str) -> Route:
    return Route.from_row(_row(_numbers()[route_id]))


def tags() -> list[dict[str, str]]:
    """What there is of each tag beside its routes: ``name``, ``title``, ``title_zh``, ``about``; by name."""
    compiled = _compiled()
    return [compiled.row("tags", number) for number in range(len(compiled.cells("tags", "name")))]


def get(route_id: str) -> Route:
    """The route of this id; ``unknown_route`` with ``details.near`` where there is none."""
    if route_id in _numbers():
        return _load(route_id)
    asked = re.sub(r"^api\.u\d\.v\d\.", "", route_id.strip("/ ").replace("/", "."))
    near = _near(asked, ids())
    raise InputError("unknown_route", f"No route is called {route_id!r}.", details={"near": near})


def match(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route that answers this address, and the values of its path parameters, url-decoded.

    A path that exists under another method is an error whose ``details.methods`` names the right ones.
    """
    method = method.upper()
    found = _answering(path)
    if method in found:
        route_id, values = found[method]
        return _load(route_id), values
    if found:
        methods = sorted(found)
        raise InputError(
            "unknown_route",
            f"{path} answers {' and '.join(methods)}, not {method}.",
            details={"methods": methods, "near": sorted({route_id for route_id, _ in found.values()})},
        )
    known = [key.partition(" ")[2] for key in _paths()]
    raise InputError("unknown_route", f"No route has the path {path}.", details={"near": _near(path, known)})


def ids() -> tuple[str, ...]:
    """Every route id, sorted."""
    return tuple(_numbers())


def all_routes() -> Iterator[Route]:
    """Every route, sorted by id."""
    for number in _numbers().values():
        yield Route.from_row(_row(number))


def _answering(path: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Method → (id, path values) of the routes that have this path."""
    from urllib.parse import unquote  # not at the top: most lookups are by id and start faster without it

    found = {}
    for key, route_id in _paths().items():
        method, _, known = key.partition(" ")
        if known == path:
            found[method] = (route_id, {})
        elif "{" in known and (hit := _template(known).fullmatch(path)):
            found[method] = (route_id, {name: unquote(value) for name, value in hit.groupdict().items()})
    return found


@cache
def _template(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


def _near(asked: str, known: Iterable[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(asked, known, n=5, cutoff=0.6)
