"""Prepare the Python environment that all skills share; --extra adds a set of packages to it."""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.install import environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    environment.add_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    context.language = args.language or context.language
    prepared = environment.prepare(args.extra, say=context.progress(args).note)
    return Outcome(result=environment.result(prepared, args.extra), plain=(f"Ready: {prepared.python}",))
