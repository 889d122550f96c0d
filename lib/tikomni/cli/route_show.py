"""Show the contract of one route, and the command that calls it."""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common, paste


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("route", metavar="ROUTE", help="route id, or a method followed by a catalogued path")
    parser.add_argument("path", metavar="PATH", nargs="?", help="the path, where ROUTE is a method")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni import catalog
    from tikomni.catalog.reference import contract

    route = catalog.match(args.route, args.path)[0] if args.path else catalog.get(args.route)
    values = [f"{item.name}=…" for item in route.inputs if item.required and item.name != "cookie"]
    allow = [] if route.effect == "read" else ["--allow", route.effect]
    command = paste(["route", "call"], [route.id, *values, *allow], context.skill_dir)
    result = {"route": route.id, "contract": contract(route), "command": command}
    return Outcome(result=result, full=True)  # a contract is of no use when cut, and the longest has 1,200 tokens
