"""List runs, newest first: what each was, how it ended, what it cost, and whether it can go on."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Next, Outcome, add_common, paste
from tikomni.cli.looks import moment, open_ledger, since, usd
from tikomni.errors import CODES, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tikomni.dispatch.ledger import RunRow
    from tikomni.settings import Settings

MOST = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="WHEN", help="7d, 12h, or a date as 2026-11-01")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many (default 20)")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    settings = context.settings(args)
    if args.limit < 1:
        raise InputError("usage", f"--limit {args.limit}: expected a number of runs.")
    with open_ledger(settings) as ledger:
        rows = ledger.runs.list(since(args.since, settings.zone), MOST) if ledger else ()
    open_ones = unfinished(rows)
    shown = [summary(row, row in open_ones, settings) for row in rows[: args.limit]]
    go_on = tuple(
        Next(paste(["runs", "resume"], [row.run_id], context.skill_dir), "goes on with the newest")
        for row in open_ones[:1]
    )
    plain = tuple(map(_line, shown)) or ("No runs yet.",)
    return Outcome(result={"count": len(rows), "items": shown}, next=go_on, plain=plain)


def _line(row: dict[str, Any]) -> str:
    parts = [row["run_id"], f"{row['status']:<12}", f"{row['command']:<12}", usd(row["usd"])]
    parts += [f"{row['asr_seconds']:g} s of speech"] if row["asr_seconds"] else []
    return "  ".join([*parts, *(["resumable"] if row["resumable"] else [])])


def resumable(row: RunRow) -> bool:
    """Whether the same command again would go on: it was cut short, or failed in a way that passes."""
    if not row.argv:  # purged
        return False
    return row.status in ("partial", "died") or (row.status in CODES and CODES[row.status].retryable)


def unfinished(rows: Sequence[RunRow]) -> list[RunRow]:
    """Of ``rows``, newest first, those that can go on and have not: a later run of the same command stands for them."""
    newest: dict[tuple[str, tuple[str, ...]], RunRow] = {}
    for row in rows:
        newest.setdefault((row.folder, without_fresh(row.argv)), row)
    return [row for row in newest.values() if resumable(row)]


def without_fresh(argv: Sequence[str]) -> tuple[str, ...]:
    """The command as it goes on: what was asked anew need not be asked anew again."""
    return tuple(word for word in argv if word != "--fresh")


def summary(row: RunRow, resumable: bool, settings: Settings) -> dict[str, Any]:
    """One line about a run; ``usd`` without speech, whose seconds stand beside it."""
    return {
        "run_id": row.run_id,
        "command": row.command,
        "status": row.status,
        "started_at": moment(row.started_at, settings.zone),
        "calls": row.calls,
        "billed_calls": row.billed,
        "usd": row.usd,
        "asr_seconds": row.asr_seconds,
        "resumable": resumable,
        "folder": row.folder,
    }
