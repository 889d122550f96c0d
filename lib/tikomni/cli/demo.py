"""See the main job run without a key: a stand-in for the upstream starts in this process, three works are analysed."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tikomni.cli.base import Context, Outcome, add_common, add_output_arguments, run_async
from tikomni.errors import TikomniError
from tikomni.install.words import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_output_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni import redact
    from tikomni.pipelines import works as pipeline
    from tikomni.platforms import read_links

    try:
        from tikomni.sandbox import SAMPLES, Sandbox
    except ImportError as error:
        raise TikomniError(
            "no_environment",
            f"The demo needs the sandbox's packages ({error.name}).",
            hint="Prepare them once: npx tikomni-skills env --extra sandbox",
        ) from None

    targets = [target for text in SAMPLES.values() for target in read_links(text)]
    # Its ledger is thrown away: made-up works have no place in a user's own.
    with tempfile.TemporaryDirectory(prefix="tikomni-demo-") as state, Sandbox().start() as sandbox:
        settings = replace(
            context.settings(args), base_url=sandbox.base_url, api_key=sandbox.key, state_dir=Path(state)
        )
        redact.register([sandbox.key])
        options = pipeline.Options(images=settings.images)
        with closing(context.progress(args)) as progress:
            brought = run_async(pipeline.analyze(targets, options, settings, context.deadline, progress))
        bill = sandbox.bill.as_dict()
    written = [(done.work, done.card) for done in brought.done if done.work is not None and done.card is not None]
    result = {
        "cards": [str(card) for _, card in written],
        "json": [str(done.document) for done in brought.done if done.document is not None],
        "would_have_been_billed": bill,
    }
    plain = [say("demo_done", context.language), ""] if written else []
    for work, card in written:
        words = work.transcript.source if work.transcript else "caption"
        told = say("demo_words", context.language, source=words)
        plain += [f"  {work.platform} · {work.media_kind} · {work.title} ({told})", f"    {card}"]
    plain += ["", say("demo_next", context.language, folder=settings.output_root)]
    return Outcome(
        result=result,
        status=brought.status,
        warnings=brought.warnings,
        cost=brought.cost,
        error=brought.error,
        plain=tuple(plain),
    )
