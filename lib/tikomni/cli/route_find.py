"""Find the routes that answer a question: Chinese, English or both, with links and ids as they were pasted."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.errors import InputError

if TYPE_CHECKING:
    from tikomni.catalog import Route

SUMMARY_CHARS = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="WORDS", nargs="+", help="what is wanted, in plain words")
    parser.add_argument("--platform", metavar="NAME", help="platform, by name or nickname")
    parser.add_argument("--have", action="append", default=[], metavar="NAME=VALUE", help="an input that is in hand")
    parser.add_argument("--limit", type=int, default=8, metavar="N", help="routes at most (default 8)")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni import catalog
    from tikomni.catalog.find import find

    context.language = args.language or context.language
    if args.limit < 1:
        raise InputError("usage", f"--limit {args.limit}: expected 1 or more.")
    found = find(" ".join(args.words), _have(args.have), args.platform, args.limit)
    result: dict[str, Any] = {"routes": [_line(catalog.get(route)) for route in found.routes]}
    if found.platforms:
        result["platforms"] = list(found.platforms)
    if found.nearest:
        result["nearest"] = list(found.nearest)
    return Outcome(result=result, full=True)


def _line(route: Route) -> str:
    """One route in a line: id, what it is for, what it needs, and what is unlike most routes."""
    needs = ",".join(item.name for item in route.inputs if item.required)
    if not needs and route.any_of:
        needs = "|".join("+".join(names) for names in route.any_of)
    summary = route.summary if len(route.summary) <= SUMMARY_CHARS else route.summary[: SUMMARY_CHARS - 1] + "…"
    parts = [route.id, summary]
    parts += [f"({needs})"] if needs else []
    parts += [f"[{route.effect}]"] if route.effect != "read" else []
    parts += [f"{route.price:g} USD"] if route.price_usd else []
    parts += ["[removed]"] if not route.in_catalogue else []
    parts += ["[unreviewed]"] if not route.reviewed else []
    return " ".join(parts)


def _have(pairs: list[str]) -> dict[str, Any]:
    """``name=value`` pairs; a value may be a JSON list."""
    have: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise InputError("usage", f"--have {pair[:80]!r}: expected NAME=VALUE.")
        if value.startswith("["):
            try:
                have[name.strip()] = json.loads(value)
                continue
            except ValueError:
                raise InputError("usage", f"--have {pair[:80]!r}: not a JSON list.") from None
        have[name.strip()] = value
    return have
