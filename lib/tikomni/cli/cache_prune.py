"""Drop old answers. What was paid stays on record, and counts over time, transcripts and texts stay whole."""

from __future__ import annotations

import argparse
import time

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.cache_stats import DEFAULT_AGE, KEPT, file_bytes, freed, group_of, read
from tikomni.cli.looks import open_ledger, seconds, size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--older-than", default=DEFAULT_AGE, metavar="AGE", help=f"as 30d, 12h (default {DEFAULT_AGE})")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and drop nothing")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    settings = context.settings(args)
    before = time.time() - seconds(args.older_than, "--older-than")
    prunable = [shelf for shelf in read(settings, before) if group_of(shelf) != KEPT and shelf.old_answers]
    was = file_bytes(settings)
    warnings = ()
    if prunable and not args.dry_run:
        with open_ledger(settings) as ledger:
            assert ledger is not None
            ledger.reports.prune(before, [shelf.route for shelf in prunable])
            if not ledger.reports.compact():
                warnings = ("The ledger is in use: its file becomes smaller with the next prune.",)
    result = {
        "dry_run": args.dry_run,
        "older_than": args.older_than,
        **freed(prunable),
        "file_bytes_before": was,
        "file_bytes": file_bytes(settings),
    }
    verb = "would go" if args.dry_run else "dropped"
    plain = (f"{result['answers']} answers {verb}, {size(result['bytes'])}; what they cost stays on record.",)
    return Outcome(result=result, warnings=warnings, plain=plain)
