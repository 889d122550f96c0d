"""Show one run: its command, its steps, what it asked and what that cost."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tikomni.cli.base import Context, Next, Outcome, add_common, join, paste
from tikomni.cli.cost import line, spent, total
from tikomni.cli.looks import moment, open_ledger
from tikomni.cli.runs_list import MOST, summary, unfinished
from tikomni.errors import InputError

if TYPE_CHECKING:
    from tikomni.dispatch.ledger import Ledger, RunRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN_ID", help="or how it starts")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    settings = context.settings(args)
    with open_ledger(settings) as ledger:
        row = named(ledger, args.run_id)
        goes_on = row.run_id in {other.run_id for other in unfinished(ledger.runs.list(0.0, MOST))} if ledger else False
    mine = [entry for entry in spent(settings, row.started_at) if entry.run_id == row.run_id]
    routes = {entry.route for entry in mine}
    by_route = [{"route": route} | total([e for e in mine if e.route == route], settings) for route in sorted(routes)]
    steps = [
        {
            "step": step.step,
            "item": step.item,
            "state": step.state,
            "detail": step.detail,
            "changed_at": moment(step.changed_at, settings.zone),
        }
        for step in row.steps
    ]
    result = {
        **summary(row, goes_on, settings),
        "ended_at": moment(row.ended_at, settings.zone),
        "argv": list(row.argv),
        "document_path": row.document,
        "cost": dict(row.cost),
        "by_route": by_route,
        "steps": steps,
    }
    plain = [
        f"{row.run_id}  {row.status}",
        f"  tikomni-skills {join(row.argv)}" if row.argv else "  (its words were purged)",
        f"  in {row.folder}",
        f"  {result['started_at']} – {result['ended_at'] or '…'}",
        *([f"  {row.document}"] if row.document else []),
        *(f"  {entry['route']:<48} {line(entry)}" for entry in by_route),
        *(f"  {step['step']:<10} {step['item']}  {step['state']}  {step['detail'] or ''}".rstrip() for step in steps),
    ]
    again = (Next(paste(["runs", "resume"], [row.run_id], context.skill_dir), "goes on"),) if goes_on else ()
    return Outcome(result=result, next=again, plain=tuple(plain))


def named(ledger: Ledger | None, start: str) -> RunRow:
    """The run whose id is ``start`` or begins so.

    Raises:
        InputError: ``usage``, where none does, or several do.
    """
    found = ledger.reports.run_ids(start) if ledger is not None and start else ()
    if start in found:
        found = (start,)
    hint = "npx tikomni-skills runs list shows them."
    if not found:
        raise InputError("usage", f"There is no run {start!r}.", hint=hint)
    if len(found) > 1:
        raise InputError("usage", f"{len(found)} runs start with {start!r}.", hint=hint, details={"runs": found[:5]})
    assert ledger is not None
    row = ledger.runs.show(found[0])
    assert row is not None
    return row
