"""What the ledger's kept answers take up, by shelf, and what a prune would free."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Next, Outcome, add_common, paste
from tikomni.cli.looks import open_ledger, seconds, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tikomni.dispatch.ledger.reports import Shelf
    from tikomni.settings import Settings

DEFAULT_AGE = "30d"
KEPT = "text"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--older-than", default=DEFAULT_AGE, metavar="AGE", help=f"what a prune would take (default {DEFAULT_AGE})"
    )
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    settings = context.settings(args)
    shelves = read(settings, time.time() - seconds(args.older_than, "--older-than"))
    groups: dict[str, list[Shelf]] = {}
    for shelf in shelves:
        groups.setdefault(group_of(shelf), []).append(shelf)
    prunable = [shelf for shelf in shelves if group_of(shelf) != KEPT]
    result = {
        **_counted(shelves),
        "file_bytes": file_bytes(settings),
        "by_group": [{"group": name} | _counted(rows) for name, rows in sorted(groups.items())],
        "prune": freed(prunable) | {"older_than": args.older_than},
    }
    plain = [
        f"{result['answers']} answers, {size(result['bytes'])}; the ledger's file takes {size(result['file_bytes'])}",
        *(f"  {row['group']:<10} {row['answers']} answers, {size(row['bytes'])}" for row in result["by_group"]),
        f"cache prune --older-than {args.older_than} would free {size(result['prune']['bytes'])}",
    ]
    command = paste(["cache", "prune"], ["--older-than", args.older_than], context.skill_dir)
    go_on = (Next(command, f"frees {size(result['prune']['bytes'])}"),) if result["prune"]["answers"] else ()
    return Outcome(result=result, next=go_on, plain=tuple(plain))


def read(settings: Settings, before: float) -> tuple[Shelf, ...]:
    """The kept answers by route."""
    with open_ledger(settings) as ledger:
        return ledger.reports.shelves(before) if ledger else ()


def group_of(shelf: Shelf) -> str:
    """The group whose shelf life the answers of a route have; ``other`` for those that are never served again."""
    from tikomni import catalog
    from tikomni.dispatch import shelf as shelves
    from tikomni.errors import InputError

    if shelf.route == shelves.MODEL:
        return KEPT
    try:
        return shelves.group(catalog.get(shelf.route)) or "other"
    except (InputError, KeyError):
        return "other"


def file_bytes(settings: Settings) -> int:
    """What the ledger takes on the disk."""
    return sum(path.stat().st_size for path in settings.state.glob("ledger.sqlite3*") if path.is_file())


def freed(shelves: Iterable[Shelf]) -> dict[str, int]:
    """What leaves when the old answers of these do."""
    rows = list(shelves)
    return {"answers": sum(row.old_answers for row in rows), "bytes": sum(row.old_bytes for row in rows)}


def _counted(shelves: Sequence[Shelf]) -> dict[str, Any]:
    return {
        "rows": sum(shelf.rows for shelf in shelves),
        "answers": sum(shelf.answers for shelf in shelves),
        "bytes": sum(shelf.bytes for shelf in shelves),
    }
