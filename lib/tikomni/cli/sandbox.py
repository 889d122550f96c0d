"""Run the upstream's stand-in on this machine until stopped: made-up works, real rules, a bill."""

from __future__ import annotations

import argparse
import threading

from tikomni.cli.base import Context, Outcome, add_common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    parser.add_argument("--replay", metavar="DIR", help="answer with a folder of recorded responses")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.sandbox import Sandbox

    with Sandbox(replay=args.replay).start(args.port) as sandbox:
        progress = context.progress(args)
        progress.note(f"TIKOMNI_BASE_URL={sandbox.base_url} TIKOMNI_API_KEY={sandbox.key}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            bill = sandbox.bill.as_dict()
    return Outcome(result={"bill": bill}, plain=(f"Would have been billed: {bill}",))
