"""Call one route of the catalogue, by its id or by METHOD PATH; further pages on request. A large answer is saved."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import (
    Context,
    Next,
    Outcome,
    add_call_arguments,
    add_common,
    new_run_id,
    paced,
    paste,
    run_async,
)
from tikomni.envelope import tokens
from tikomni.errors import InputError

if TYPE_CHECKING:
    from tikomni.catalog import Route
    from tikomni.dispatch.dispatcher import Answer
    from tikomni.dispatch.terms import Terms
    from tikomni.envelope import Cost
    from tikomni.pipelines.pages import Walk
    from tikomni.settings import Settings

INLINE_BYTES, INLINE_TOKENS = 4096, 1100
"""How large a result may be to be printed whole, beside what the envelope holds."""
OUTLINE_DEPTH = 4
# What `all` means: enough for any list that a person reads, and a bound on what it may cost.
MOST_PAGES = 50
EFFECTS = ("write", "account_read", "generate")
# What a walk that goes on takes along. ``--fresh`` would pay for a page again, ``--save`` write over what is there.
KEPT = (
    *("pages", "max-items", "max-calls", "max-cost", "select", "format", "headers-json"),
    *("output-root", "base-url", "api-key-env", "config", "env-file", "timeout-ms"),
)
ROW_FILES = {".csv": "csv", ".jsonl": "jsonl"}
"""Endings of ``--save`` that say what ``--format`` would."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOT_TO_THE_END = {
    "page_repeated": "The upstream sent the same page again: there may be more that it does not hand out.",
    "cursor_repeated": "The upstream names the page that it just sent as the next one: there may be more.",
    "cursor_unknown": "The upstream says that there is more, but not how to ask for it.",
}
"""What a list says that can be followed no further."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("route", metavar="ROUTE", help="route id, or a method followed by a catalogued path")
    parser.add_argument("values", metavar="NAME=VALUE", nargs="*", help="inputs by the contract's names")
    parser.add_argument("--params-json", metavar="JSON", help="inputs as an object; @FILE or - reads them")
    parser.add_argument("--body-json", metavar="JSON", help="a whole body; @FILE or - reads it")
    parser.add_argument("--headers-json", metavar="JSON", help="further headers; never Authorization or Host")
    parser.add_argument("--pages", default="1", metavar="N|all", help="pages to ask for (default 1; all: at most 50)")
    parser.add_argument("--max-items", type=int, metavar="N", help="stop when this many entries are there")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="leave out so many entries of the first page")
    parser.add_argument("--select", metavar="JMESPATH", help="what to print of the answer, from its top")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the answer, or the entries, to this file")
    parser.add_argument("--format", choices=("json", "jsonl", "csv"), help="form of the file that holds the entries")
    parser.add_argument("--inline-bytes", type=int, default=INLINE_BYTES, metavar="N", help="save what is larger")
    parser.add_argument("--allow", action="append", choices=EFFECTS, default=[], help="an effect that is wanted")
    parser.add_argument("--dry-run", action="store_true", help="check everything, show the request, send nothing")
    parser.add_argument("--output-root", metavar="DIR", help="where large answers are saved")
    add_call_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.catalog.check import MISSING

    settings = context.settings(args)
    route, inputs = _route(args)
    body = MISSING if args.body_json is None else _json("--body-json", args.body_json)
    headers = {str(k): str(v) for k, v in _object("--headers-json", args.headers_json).items()}
    if _gives_cookie(route, inputs, body, headers):
        raise InputError(
            "invalid_input",
            f"{route.id}: a cookie is never given on the command line.",
            hint=f"Put it into a file of mode 600 and set {_cookie_variable(route)} to its path.",
        )
    if _has_members(route) and isinstance(body, dict) and not inputs.keys() & body.keys():
        inputs, body = inputs | body, MISSING  # by name, so that a page can go on from them
    if args.save is not None:
        args.format = args.format or ROW_FILES.get(args.save.suffix.lower())
    select = _expression(args.select)
    pages = _pages(args.pages)
    if args.skip < 0 or (args.max_items is not None and args.max_items < 1):
        raise InputError("usage", "--max-items and --skip: expected a number of entries.")
    if args.dry_run:
        return _dry_run(route, inputs, body, pages, settings)
    _check_places(args.save, settings)
    terms = context.terms(args, settings)
    brought, cost = run_async(_ask(route, inputs, body, headers, pages, settings, context, args, terms))
    first = brought.answers[0]
    if not first.ok and not first.empty:
        return Outcome(status="failed", error=first.error(), cost=cost)
    result = {"route": route.id, "provider": first.provider, **_shown(brought, select, args, settings, context)}
    warnings = ["The upstream answered, but has no data for these inputs."] if first.empty else []
    if args.format and not brought.items and not first.empty:
        warnings.append("No list of entries was found in the answer; without --format it is printed or saved as it is.")
    if brought.stop_reason in NOT_TO_THE_END:
        warnings.append(NOT_TO_THE_END[brought.stop_reason])
    if brought.trouble:
        warnings.append(f"Page {len(brought.answers) + 1}: {brought.trouble}")
    if not route.in_catalogue:
        instead = f"; use {route.replaced_by}" if route.replaced_by else ""
        warnings.append(f"{route.id} has left the upstream's catalogue{instead}.")
    enough = brought.at_end or brought.stop_reason in ("pages", "max_items") or len(brought.answers) >= pages
    commands = () if brought.go_on is None else (_go_on(route, brought, args, context),)
    return Outcome(
        result=result,
        status="complete" if enough else "partial",
        cost=cost,
        warnings=tuple(warnings),
        next=commands,
        full=_is_small(result),
    )


def _is_small(node: Any) -> bool:
    """Whether ``node`` can be printed whole: nothing of it is cut then."""
    return tokens(json.dumps(node, ensure_ascii=False)) <= INLINE_TOKENS


def _route(args: argparse.Namespace) -> tuple[Route, dict[str, Any]]:
    """The route that was named, and the inputs that were given for it."""
    from tikomni import catalog

    values = list(args.values)
    if args.route.upper() in METHODS and values:
        from urllib.parse import parse_qsl, urlsplit

        parts = urlsplit(values.pop(0))
        route, found = catalog.match(args.route, parts.path)
        inputs: dict[str, Any] = {**found, **dict(parse_qsl(parts.query, keep_blank_values=True))}
    else:
        route, inputs = catalog.get(args.route), {}
    return route, inputs | _object("--params-json", args.params_json) | _pairs(values)


def _has_members(route: Route) -> bool:
    """Whether the body's members are inputs by name."""
    return route.body is not None and route.body.schema.get("type") == "object"


def _dry_run(route: Route, inputs: dict[str, Any], body: Any, pages: int, settings: Settings) -> Outcome:
    """The request as it would go out, from contract and settings alone."""
    from tikomni.catalog.check import MISSING, prepare
    from tikomni.dispatch import cookies

    cookie = cookies.input_of(route)
    prepared = prepare(route, {**inputs, cookie: "…"} if cookie else inputs, body)
    request: dict[str, Any] = {
        "method": route.method,
        "path": prepared.path,
        "query": [list(pair) for pair in prepared.query],
    }
    if prepared.json is not MISSING:
        request["body"] = prepared.json
    result = {
        "dry_run": True,
        "route": route.id,
        "effect": route.effect,
        "calls_at_most": pages,
        "usd_at_most": round(route.price * pages, 6),
        "seconds_at_rate": paced(pages, settings),
        "request": request,
    }
    return Outcome(result=result, full=_is_small(result))


def _check_places(save: Path | None, settings: Settings) -> None:
    """What may have to be written can be written: an answer is paid for before its size is known."""
    from tikomni.storage.tree import Tree, check_folder

    check_folder(Tree(settings).runs, "TIKOMNI_OUTPUT_ROOT")
    if save is not None:
        path = save.expanduser().absolute()
        if path.is_dir():
            raise InputError("storage", f"{path} (--save): is a folder.")
        check_folder(path.parent, "--save")


async def _ask(
    route: Route,
    inputs: dict[str, Any],
    body: Any,
    headers: dict[str, str],
    pages: int,
    settings: Settings,
    context: Context,
    args: argparse.Namespace,
    terms: Terms,
) -> tuple[Walk, Cost]:
    from tikomni.dispatch.dispatcher import Allow, Dispatcher
    from tikomni.dispatch.limiter import DeadlinePassed
    from tikomni.errors import UpstreamError
    from tikomni.pipelines.pages import walk

    allow = Allow(frozenset({"read", *args.allow}))
    async with Dispatcher(settings, context.deadline, terms) as dispatcher:
        try:
            brought = await walk(
                dispatcher,
                route,
                inputs,
                body=body,
                pages=pages,
                max_items=args.max_items,
                skip=args.skip,
                allow=allow,
                headers=headers,
            )
        except DeadlinePassed:
            raise UpstreamError("timeout", f"{route.id}: the deadline came before the call could be made.") from None
        return brought, dispatcher.cost()


def _shown(
    brought: Walk, select: Any, args: argparse.Namespace, settings: Settings, context: Context
) -> dict[str, Any]:
    """``data``, or where it was saved and what it looks like; and how far the list goes."""
    from tikomni.storage.tree import Tree

    first = brought.answers[0]
    folder = Tree(settings).run_dir(context.run_id or new_run_id(settings))
    if isinstance(first.body, dict) and "base64" in first.body and "file_name" in first.body:
        return _file(first, folder, args)
    several = len(brought.answers) > 1 or args.format is not None or args.max_items is not None or args.skip > 0
    whole = brought.items if several else first.body
    shown: dict[str, Any] = {}
    if select is not None:
        found = [_selected(select, answer.body, args.select) for answer in brought.answers]
        shown["selection"] = found if len(found) > 1 else found[0]
    large = len(json.dumps(whole, ensure_ascii=False).encode()) > args.inline_bytes
    if large or several or args.save is not None or not (args.full or _is_small(whole)):
        from tikomni.storage.atomic import write_json
        from tikomni.storage.tables import write_rows

        form = args.format or "json"
        path = args.save.expanduser().absolute() if args.save else folder / f"{'items' if several else 'answer'}.{form}"
        if several:
            write_rows(path, brought.items, form)
        else:
            write_json(path, first.body)
        shown = {"saved_to": str(path), "bytes": path.stat().st_size, "outline": outline(whole), **shown}
    elif select is None:
        enveloped = isinstance(first.body, dict) and first.route.response == "envelope" and "data" in first.body
        shown["data"] = first.body["data"] if enveloped else first.body
    elif shown["selection"] in (None, [], {}):
        shown["outline"] = outline(first.body)  # what could have been selected
    if first.route.paging is not None or args.max_items is not None:
        shown |= {"pages": len(brought.answers), "items": len(brought.items), "stop_reason": brought.stop_reason}
    return shown


def _file(answer: Answer, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """A file that the route is for, saved under its own name."""
    import base64

    from tikomni.storage.atomic import write_bytes
    from tikomni.storage.names import slug

    name = answer.body["file_name"]
    stem, dot, ending = name.rpartition(".")
    safe = f"{slug(stem or name, 120, 'file')}{dot}{slug(ending, 10, 'bin')}" if dot else slug(name, 120, "file")
    path = args.save.expanduser().absolute() if args.save else folder / safe
    data = base64.b64decode(answer.body["base64"])
    write_bytes(path, data)
    return {"saved_to": str(path), "bytes": len(data), "content_type": answer.body["content_type"]}


def _go_on(route: Route, brought: Walk, args: argparse.Namespace, context: Context) -> Next:
    """The command that asks for what comes after."""
    assert brought.go_on is not None
    simple = all(isinstance(v, str | int | float) for v in brought.go_on.values())
    if simple:
        inputs = [f"{name}={value}" for name, value in brought.go_on.items()]
    else:
        inputs = ["--params-json", json.dumps(brought.go_on, ensure_ascii=False)]
    kept = []
    for flag in KEPT:
        value = getattr(args, flag.replace("-", "_"))
        if value is not None and value != "-":
            kept.append(f"--{flag}={value.expanduser().absolute() if isinstance(value, Path) else value}")
    kept += [] if args.deadline_sec is None else [f"--deadline={args.deadline_sec:g}"]
    kept += [f"--skip={brought.skip}"] if brought.skip else []
    kept += [f"--allow={effect}" for effect in args.allow]
    why = f"goes on behind entry {len(brought.items)} ({brought.stop_reason})"
    return Next(paste(["route", "call"], [route.id, *inputs, *kept], context.skill_dir), why)


def outline(node: Any, depth: int = OUTLINE_DEPTH) -> Any:
    """The shape of ``node``: keys, types, lengths; of a list its first entry stands for all."""
    if isinstance(node, dict):
        if depth == 0:
            return f"object of {len(node)}"
        return {str(k)[:60]: outline(v, depth - 1) for k, v in list(node.items())[:40]}
    if isinstance(node, list):
        if not node:
            return "list of 0"
        return [f"list of {len(node)}", outline(node[0], depth - 1)] if depth else f"list of {len(node)}"
    if isinstance(node, str):
        return f"text of {len(node)}"
    return "null" if node is None else {bool: "flag", int: "integer", float: "number"}.get(type(node), "value")


def _pages(text: str) -> int:
    if text == "all":
        return MOST_PAGES
    if re.fullmatch("0*[1-9][0-9]{0,8}", text):
        return int(text)
    raise InputError("usage", f"--pages {text}: expected a number or `all`.")


def _gives_cookie(route: Route, inputs: dict[str, Any], body: Any, headers: dict[str, str]) -> bool:
    from tikomni.catalog.check import MISSING
    from tikomni.dispatch.cookies import WHOLE_BODY, input_of

    given = {*inputs, *(body if isinstance(body, dict) else ()), *map(str.lower, headers)}
    is_body = input_of(route) == WHOLE_BODY and (body is not MISSING or WHOLE_BODY in given)
    return is_body or "cookie" in given


def _cookie_variable(route: Route) -> str:
    from tikomni.dispatch.cookies import names

    return names(route)[1]


def _pairs(values: list[str]) -> dict[str, str]:
    pairs = {}
    for pair in values:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise InputError("usage", f"Expected NAME=VALUE, not {pair[:80]!r}.")
        if name.strip() in pairs:
            raise InputError("usage", f"{name.strip()} is given twice; a list is given as JSON.")
        pairs[name.strip()] = value
    return pairs


def _json(flag: str, text: str) -> Any:
    """The JSON of a flag, of a file (``@path``) or of standard input (``-``)."""
    try:
        if text == "-":
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        elif text.startswith("@"):
            text = Path(text[1:]).expanduser().read_text(encoding="utf-8-sig")
        return json.loads(text)
    except OSError as error:
        raise InputError("invalid_input", f"{flag} {text[:80]}: {error.strerror or error}.") from None
    except (ValueError, RecursionError) as error:
        raise InputError("invalid_input", f"{flag}: not JSON ({error}).") from None


def _object(flag: str, text: str | None) -> dict[str, Any]:
    value = {} if text is None else _json(flag, text)
    if not isinstance(value, dict):
        raise InputError("invalid_input", f"{flag}: expected a JSON object.")
    return value


def _selected(select: Any, body: Any, text: str) -> Any:
    from jmespath.exceptions import JMESPathError, JMESPathTypeError

    try:
        return select.search(body)
    except JMESPathError as error:
        told = str(error).splitlines()[0]
        if isinstance(error, JMESPathTypeError):  # whose own words hold the value, a stranger's maybe
            told = f"{error.function_name}() cannot take {error.actual_type}"
        hint = "Correct the expression; the answer is kept, and the same call costs nothing."
        raise InputError("invalid_input", f"--select {text!r}: {told}.", hint=hint) from None


def _expression(text: str | None) -> Any:
    if text is None:
        return None
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(text)
    except JMESPathError as error:
        raise InputError("invalid_input", f"--select {text!r}: {str(error).splitlines()[0]}.") from None
