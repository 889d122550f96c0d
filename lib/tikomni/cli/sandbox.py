"""Run the upstream's stand-in on this machine until stopped: made-up works, real rules, a bill."""

from __future__ import annotations

import argparse
import threading

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.errors import TikomniError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    parser.add_argument("--replay", metavar="DIR", help="answer with a folder of recorded responses")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    try:
        from tikomni.sandbox import Sandbox
    except ImportError as error:
        raise TikomniError(
            "no_environment",
            f"The sandbox is not here, or lacks packages ({error.name}).",
            hint="Run it from the package: npx tikomni-skills sandbox",
        ) from None

    with Sandbox(replay=args.replay).start(args.port) as sandbox:
        progress = context.progress(args)
        progress.note(f"TIKOMNI_BASE_URL={sandbox.base_url} TIKOMNI_API_KEY={sandbox.key}")
        model = {"BASE_URL": f"{sandbox.base_url}/v1", "MODEL": "sandbox-model", "API_KEY": sandbox.llm.key}
        progress.note(" ".join(f"TIKOMNI_LLM_{name}={value}" for name, value in model.items()))
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            bill = sandbox.bill.as_dict()
    return Outcome(result={"bill": bill}, plain=(f"Would have been billed: {bill}",))
