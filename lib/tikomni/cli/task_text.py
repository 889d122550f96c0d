"""Print a work of an analysis task whole, where its parts show only the beginning and the end."""

from __future__ import annotations

import argparse
from pathlib import Path

from tikomni.cli.base import Context, Outcome, add_common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="task folder, as result.tasks[].path names it")
    parser.add_argument("work", metavar="WORK", help="number of the work, such as W07")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.pipelines.benchmark import text_of

    context.settings(args)
    text = text_of(args.folder.expanduser().absolute(), args.work)
    # Asked for whole: the budget of stdout does not cut it.
    return Outcome(result={"work": args.work, "text": text}, plain=tuple(text.splitlines()), full=True)
