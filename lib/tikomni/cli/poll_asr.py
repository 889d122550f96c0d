"""Look at a speech job until it is done; its words can be put on the card of a work with --card."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from tikomni.cli.base import Context, Next, Outcome, add_call_arguments, add_common, paste, run_async
from tikomni.cli.transcribe import add_format, told
from tikomni.errors import InputError

if TYPE_CHECKING:
    from tikomni.pipelines.speech import Brought
    from tikomni.platforms import Target
    from tikomni.settings import Settings

MOST_COMMANDS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task_id", metavar="TASK_ID", help="the job's id, as a run or the service told it")
    parser.add_argument("--card", metavar="INPUT", help="link or id of the work whose words these are: make its card")
    parser.add_argument("--item", type=int, metavar="N", help="which file of the job, from 0, where it has several")
    parser.add_argument("--platform", metavar="NAME", help="whose id INPUT is: douyin, xiaohongshu")
    parser.add_argument("--card-root", metavar="DIR", help="root of cards (default <output root>/cards)")
    parser.add_argument(
        "--poll-interval-sec", dest="asr_poll_interval_sec", type=float, metavar="SECONDS", help="longest pause"
    )
    parser.add_argument("--max-polls", type=int, metavar="N", help="stop after about so many pauses of that length")
    add_format(parser)
    add_call_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    settings = context.settings(args)
    if args.max_polls is not None:
        if args.max_polls < 1:
            raise InputError("usage", f"--max-polls {args.max_polls}: expected at least 1.")
        limit = args.max_polls * settings.asr_poll_interval_sec
        context.deadline = replace(context.deadline, seconds=context.deadline.within(limit))
    return polled(args.task_id.strip(), args, context, settings)


def polled(task: str, args: argparse.Namespace, context: Context, settings: Settings) -> Outcome:
    """The job's words; put on a card where that was asked for, else with the command that does."""
    from tikomni.pipelines import speech

    settings.require_key()
    target = _target(args) if getattr(args, "card", None) else None
    terms = context.terms(args, settings)
    with closing(context.progress(args)) as progress:
        brought = run_async(speech.poll(task, args.format, settings, context.deadline, terms, progress))
        outcome = told(brought, args, context)
        if target is None or outcome.status == "partial":
            return replace(outcome, next=(*outcome.next, *_cards(task, brought, context)))
        from tikomni.pipelines import works

        given = speech.transcript_of(brought, args.item)
        options = works.Options(images=settings.images, given=given, terms=terms)
        ran = run_async(works.analyze([target], options, settings, context.deadline, progress))
    done = ran.done[0]
    paths = {"path": done.card and str(done.card), "json_path": done.document and str(done.document)}
    error = done.error if ran.status == "failed" else None
    return replace(
        outcome,
        result={**outcome.result, "card": paths},
        status=ran.status,
        warnings=(*outcome.warnings, *ran.warnings),
        cost=ran.cost,
        error=error,
    )


def _target(args: argparse.Namespace) -> Target:
    from tikomni.cli.targets import gather, is_work

    targets = gather([args.card], None, args.platform)
    if len(targets) != 1 or not is_work(targets[0]):
        raise InputError("usage", f"--card {args.card[:120]!r}: expected the link or id of one work.")
    return targets[0]


def _cards(task: str, brought: Brought, context: Context) -> tuple[Next, ...]:
    """How the words that are there get onto cards: known works by their own command, others by naming them."""
    from tikomni.platforms import names

    keys = [s.key.partition(":") for s in brought.spoken if s.key and s.words.transcript is not None]
    rows = [(platform, work) for platform, _, work in keys if platform in names()][:MOST_COMMANDS]
    commands = [
        Next(paste(["work"], [work, "--platform", platform], context.skill_dir), "makes the card of this work")
        for platform, work in rows
    ]
    if not keys and any(s.words.transcript is not None for s in brought.spoken):
        words = [task, "--card", "INPUT"]
        commands = [Next(paste(["poll-asr"], words, context.skill_dir), "puts the words on a card: name the work")]
    return tuple(commands)
