"""The route catalogue: which routes exist, looked up by id or by address.

Reads the compiled file beside it, of which it takes apart only the lines that were asked for. It must not import
anything outside the standard library, send anything, or know a platform.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

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
]

_HERE = Path(__file__).parent
ROUTES = _HERE / "routes.jsonl"
SOURCE = _HERE / "openapi"
"""What people edit, in a checkout; a package lacks it."""


@cache
def _lines() -> dict[str, bytes]:
    """Id → line. A line begins with id, method and path."""
    return {line.split(b'"', 4)[3].decode(): line for line in ROUTES.read_bytes().splitlines()}


@cache
def _paths() -> dict[str, str]:
    """``METHOD /path`` → id, by path."""
    heads = sorted((line.split(b'"', 12) for line in _lines().values()), key=lambda head: head[11])
    return {f"{head[7].decode()} {head[11].decode()}": head[3].decode() for head in heads}


@cache
def _load(route_id: str) -> Route:
    return Route.from_row(json.loads(_lines()[route_id]))


def get(route_id: str) -> Route:
    """The route of this id; ``unknown_route`` with ``details.near`` where there is none."""
    if route_id in _lines():
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
    return tuple(_lines())


def all_routes() -> Iterator[Route]:
    """Every route, sorted by id."""
    for line in ROUTES.read_bytes().splitlines():
        yield Route.from_row(json.loads(line))


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
