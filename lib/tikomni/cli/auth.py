"""Check that the key and the way to the upstream work; without --billed this costs nothing."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from tikomni.cli.base import Context, Outcome, add_call_arguments, add_common, run_async

if TYPE_CHECKING:
    from tikomni.dispatch.dispatcher import Answer
    from tikomni.dispatch.terms import Terms
    from tikomni.envelope import Cost
    from tikomni.settings import Settings

FREE_ROUTE = "health.check"
BILLED_ROUTE = "douyin.app.v3.fetch_hot_search_list"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--path", metavar="PATH", help="a catalogued GET path to ask instead; may be billed")
    parser.add_argument(
        "--billed", action="store_true", help=f"ask {BILLED_ROUTE}, which proves the key for one call's price"
    )
    add_call_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni import catalog

    settings = context.settings(args)
    settings.require_key()
    route = catalog.get(BILLED_ROUTE if args.billed else FREE_ROUTE)
    inputs: dict[str, str] = {}
    if args.path:
        from urllib.parse import parse_qsl, urlsplit

        parts = urlsplit(args.path)
        route, inputs = catalog.match("GET", parts.path)
        inputs = inputs | dict(parse_qsl(parts.query))
    terms = replace(context.terms(args, settings), fresh=True)
    answer, cost = run_async(_ask(route.id, inputs, settings, context, terms))
    if not answer.ok and not answer.empty:
        return Outcome(status="failed", error=answer.error(), cost=cost)
    proven = route.id != FREE_ROUTE
    result = {
        "key": "accepted" if proven else "not_refused",
        "route": route.id,
        "base_url": settings.origin,
        "status": answer.status,
        "proves": "The upstream accepted the key for a call that it charges."
        if proven
        else "The upstream is reachable and did not refuse the key; only a billed call (--billed) proves more.",
    }
    return Outcome(result=result, cost=cost)


async def _ask(
    route: str, inputs: dict[str, str], settings: Settings, context: Context, terms: Terms
) -> tuple[Answer, Cost]:
    from tikomni.dispatch.dispatcher import Dispatcher

    async with Dispatcher(settings, context.deadline, terms) as dispatcher:
        answer = await dispatcher.call(route, inputs)
        return answer, dispatcher.cost()
