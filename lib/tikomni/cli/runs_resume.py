"""Run an unfinished command again in its folder: it goes on where it stopped, and pays for nothing twice."""

from __future__ import annotations

import argparse
import os

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.looks import open_ledger
from tikomni.cli.runs_list import MOST, unfinished, without_fresh
from tikomni.cli.runs_show import named
from tikomni.errors import InputError
from tikomni.redact import MASK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN_ID", nargs="?", help="or how it starts (default: the newest unfinished)")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.cli import find, start

    with open_ledger(context.settings(args)) as ledger:
        rows = unfinished(ledger.runs.list(0.0, MOST)) if ledger else []
        if args.run_id is None and not rows:
            raise InputError("usage", "No run is unfinished.", hint="npx tikomni-skills runs list shows what there is.")
        row = named(ledger, args.run_id) if args.run_id is not None else rows[0]
    if row.status == "running":
        raise InputError("usage", f"{row.run_id} is still running.", hint="Wait for it, or stop it.")
    if not row.argv:
        raise InputError("usage", f"What {row.run_id} asked for was purged.")
    words = without_fresh(row.argv)
    if any(MASK in word or word.rpartition("=")[2] == "-" for word in words):
        hint = f"Give the same command again, in {row.folder}."
        raise InputError("usage", f"{row.run_id} was given what is not kept (a header, standard input).", hint=hint)
    try:
        os.chdir(row.folder)
    except OSError as error:
        raise InputError("storage", f"{row.folder}, where {row.run_id} ran: {error.strerror}.") from None
    command = find(words)
    if command is None or command.module == "runs_resume":
        raise InputError("usage", f"{row.run_id} is no command of this version.")
    context.argv = words
    return start(command, context)
