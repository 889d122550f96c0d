"""Import a newer OpenAPI document of the upstream into the catalogue's YAML source, and compile it.

Facts (inputs, types, defaults) are taken over; our words stay; new routes are marked as not reviewed, vanished ones as
removed. Without a document the one that the upstream publishes is read. Needs a checkout of the project.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Next, Outcome, add_common, join, run_async
from tikomni.errors import InputError, UpstreamError
from tikomni.storage.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tikomni.catalog.sync import Plan
    from tikomni.settings import Settings

SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "document", metavar="OPENAPI", nargs="?", help="a JSON file or an https address (default BASE_URL/openapi.json)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and write nothing")
    parser.add_argument("--base-url", metavar="URL", help="upstream address")
    parser.add_argument("--timeout-ms", type=int, metavar="MS", help="longest wait for the document")
    parser.add_argument("--deadline", dest="deadline_sec", type=float, metavar="SECONDS", help="longest run")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from datetime import UTC, datetime

    from tikomni.catalog import SOURCE

    settings = context.settings(args)
    files = sorted(SOURCE.glob("*.yaml"))
    if not files:
        raise InputError(
            "config",
            f"The catalogue's YAML source is not here ({SOURCE}): a package holds compiled routes only.",
            hint="Run it in a checkout of the project.",
        )
    from tikomni.catalog import compile, search, sync, upstream  # a package lacks them, too

    document = upstream.read(_document(args.document, settings, context))
    plan = sync.plan({file.name: read_yaml(file) for file in files}, document, f"{datetime.now(UTC):%Y-%m-%d}")
    if not args.dry_run:
        _write(plan, SOURCE)
        compile.main([])
        search.main([])
    return Outcome(
        result=_report(plan, args),
        warnings=_some(plan.skipped, args.full),
        next=_next(plan) if plan.files and not args.dry_run else (),
    )


def _document(named: str | None, settings: Settings, context: Context) -> bytes:
    """The bytes of the document: from a file, or from an address, which gets no key."""
    from tikomni.catalog.upstream import MOST_BYTES

    named = named or settings.base_url.rstrip("/") + "/openapi.json"
    if "://" in named:
        return run_async(_fetch(named, settings, context, MOST_BYTES))
    path = Path(named).expanduser()
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)  # one more than is taken: its reader refuses it
    except (OSError, ValueError) as error:
        raise InputError("invalid_input", f"{named[:200]}: {getattr(error, 'strerror', None) or error}.") from None


async def _fetch(address: str, settings: Settings, context: Context, most_bytes: int) -> bytes:
    from tikomni.dispatch.downloads import Downloader, DownloadFailed
    from tikomni.dispatch.http import Transport

    timeout_s = context.deadline.within(settings.timeout_ms / 1000)
    async with Transport(settings.user_agent, settings.http_accept_language, timeout_s) as transport:
        try:
            downloader = Downloader(transport, settings.base_url)
            return await downloader.fetch(address, most_bytes=most_bytes, timeout_s=timeout_s)
        except DownloadFailed as failure:
            kind = InputError if failure.reason in ("refused_address", "too_large") else UpstreamError
            code = "invalid_input" if kind is InputError else "download"
            hint = "Give the file or the address of an OpenAPI document."
            raise kind(code, f"{address[:200]}: {failure.message}.", hint=hint) from None


def _write(plan: Plan, folder: Path) -> None:
    from tikomni.storage.atomic import write_text

    for name, text in plan.files.items():
        write_text(folder / name, text)


def _report(plan: Plan, args: argparse.Namespace) -> dict[str, Any]:
    lists: dict[str, Sequence[Any]] = {
        "added": plan.added,
        "removed": plan.removed,
        "changed": [{"route": change.route, "what": list(change.what)} for change in plan.changed],
        "files": tuple(plan.files),
    }
    report: dict[str, Any] = {"dry_run": True} if args.dry_run else {}
    for name, rows in lists.items():
        report[name] = list(rows if args.full else rows[:SHOWN])
        if len(report[name]) < len(rows):
            report[f"{name}_count"] = len(rows)
    return report | {"unchanged": plan.unchanged}


def _some(lines: tuple[str, ...], full: bool) -> tuple[str, ...]:
    return lines if full or len(lines) <= SHOWN else (*lines[:SHOWN], f"… and {len(lines) - SHOWN} more (--full).")


def _next(plan: Plan) -> tuple[Next, ...]:
    import sys

    from tikomni.cli.base import ROOT

    script = f"import sys; sys.path.insert(0, {str(ROOT / 'lib')!r}); from tikomni.docs import main; main([])"
    why = "write the reference pages anew" + ("; then review the new routes' words and effects" if plan.added else "")
    return (Next(join([sys.executable, "-c", script]), why),)
