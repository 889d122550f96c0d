"""Hand in an analysis, or make cards of facts from any platform: answers are checked before they reach a card."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni.cli import analyst
from tikomni.cli.base import (
    Context,
    Next,
    Outcome,
    add_call_arguments,
    add_common,
    add_output_arguments,
    paste,
    read_text,
    run_async,
)
from tikomni.errors import InputError

if TYPE_CHECKING:
    from tikomni.pipelines.benchmark import HandedIn, Task
    from tikomni.settings import Settings

MOST_BYTES = 4 * 1024 * 1024
SHOWN = 8
TASKS_SHOWN = 6
CARDS_SHOWN = 3
MISSING_SHOWN = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", type=Path, metavar="DIR", help="task folder, as result.tasks[].path names it")
    parser.add_argument(
        "--analysis", metavar="FILE", help="the answer; -: standard input (default: answer.json in the task's folder)"
    )
    parser.add_argument("--model", metavar="NAME", help="who wrote it, as the card shall say")
    parser.add_argument("--partial", action="store_true", help="keep what holds while the rest is repaired")
    parser.add_argument("--facts", metavar="FILE", help="document of a work or creator, or a list of them; -: stdin")
    analyst.add_analyst_argument(parser)
    parser.add_argument("--dry-run", action="store_true", help="with --analyst: say what would be asked")
    add_output_arguments(parser)
    add_call_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    settings = context.settings(args)
    if bool(args.facts) == bool(args.task or args.analysis) or (args.analysis and not args.task):
        raise InputError("usage", "Give --task DIR, with --analysis FILE where it lies elsewhere, or --facts FILE.")
    if args.dry_run and args.analyst is None:
        raise InputError("usage", "--dry-run says what --analyst would ask: give both.")
    if args.analyst is None:
        return _facts(args, settings, context) if args.facts else _analysis(args, settings, context)
    if args.facts or args.analysis:
        raise InputError("usage", "--analyst writes the analysis of --task DIR: give neither --analysis nor --facts.")
    return _asked(args, settings, context)


def _facts(args: argparse.Namespace, settings: Settings, context: Context) -> Outcome:
    from tikomni.pipelines import benchmark

    warnings: list[str] = []
    made = benchmark.from_facts(read_text(args.facts, "--facts", MOST_BYTES), settings, warnings)
    rows = [one for card in made for one in card.tasks]
    result = {
        "count": len(made),
        "cards": [str(card.card) for card in made[:CARDS_SHOWN]],
        "tasks": task_rows(rows[:TASKS_SHOWN], context, settings),
        "tasks_count": len(rows),
    }
    return Outcome(result=result, warnings=tuple(warnings))


def _asked(args: argparse.Namespace, settings: Settings, context: Context) -> Outcome:
    """Have a model write the analysis."""
    from tikomni.dispatch.llm import endpoint
    from tikomni.pipelines import analyst as pipeline

    task, settings = _task(args, settings)
    asked = pipeline.Asked(endpoint(settings), (task.kind.name,))
    if args.dry_run:
        found = pipeline.plan(task, asked.endpoint, settings)
        plan = analyst.who(asked) | {"kind": task.kind.name} | asdict(found) | {"rounds_at_most": pipeline.ROUNDS}
        return Outcome(result={"dry_run": True, "plan": plan})
    terms = context.terms(args, settings)
    analysis, cost = run_async(pipeline.of_task(task.folder, asked.endpoint, settings, context.deadline, terms))
    told = (f"{analysis.error.message} {analysis.error.hint()}",) if analysis.error and analysis.handed_in else ()
    again = (context.go_on(),) if analysis.pending else ()
    if analysis.handed_in is not None and analysis.handed_in.accepted is not None:
        outcome = _handed_in(analysis.handed_in, task, settings, context)
        result = {**outcome.result, "model": asked.endpoint.model, "answers": analysis.answers}
        return replace(
            outcome, result=result, warnings=(*told, *outcome.warnings), next=(*again, *outcome.next), cost=cost
        )
    result = {"kind": task.kind.name, "missing": analyst.missing([analysis]), "answers": analysis.answers}
    return Outcome(result=result, status=analysis.status, error=analysis.error, next=again, cost=cost)


def _task(args: argparse.Namespace, settings: Settings) -> tuple[Task, Settings]:
    """The task, and the settings for it: its cards belong to its own tree, wherever the command is run."""
    from tikomni.pipelines.benchmark import task_of

    task = task_of(args.task.expanduser().absolute())
    return task, replace(settings, output_root=task.folder.parents[2])


def _analysis(args: argparse.Namespace, settings: Settings, context: Context) -> Outcome:
    from tikomni.analysis.tasks import ANSWER
    from tikomni.pipelines import benchmark

    task, settings = _task(args, settings)
    text = read_text(args.analysis or str(task.folder / ANSWER), "--analysis", MOST_BYTES)
    done = benchmark.hand_in(task, text, (args.model or "?").strip()[:60], args.partial, settings)
    again = hand_in_command(task.folder, context, settings, partial=True)
    if done.accepted is None:
        return Outcome(status="failed", error=_refused(done), next=(Next(again, _why(done)),))
    return _handed_in(done, task, settings, context)


def _handed_in(done: HandedIn, task: Task, settings: Settings, context: Context) -> Outcome:
    """What was accepted of an answer."""
    again = hand_in_command(task.folder, context, settings, partial=True)
    result: dict[str, Any] = {
        "kind": task.kind.name,
        "accepted": str(done.accepted),
        "card": {"path": str(done.cards[0]) if done.cards else None},
        "cards": [str(path) for path in done.cards[:CARDS_SHOWN]],
        "cards_count": len(done.cards),
        "report": str(done.report) if done.report else None,
        "missing": [
            {"item": task.kind.name, "field": name, "reason": "not_handed_in"} for name in done.missing[:MISSING_SHOWN]
        ],
        "missing_count": len(done.missing),
        "problems": [problem.as_dict() for problem in done.problems[:SHOWN]],
        "problems_count": len(done.problems),
    }
    warnings = () if done.cards else (
        "The answer is kept, but there is no card of it: run the analysis again, which costs nothing.",
    )  # fmt: skip
    whole = not done.missing and not done.problems
    return Outcome(
        result=result,
        status="complete" if whole else "partial",
        warnings=warnings,
        next=() if whole else (Next(again, _why(done)),),
    )


def task_rows(tasks: Sequence[tuple[str, Path]], context: Context, settings: Settings) -> list[dict[str, str]]:
    """``result.tasks[]``: ``{path, kind, hand_in}``."""
    return [
        {"path": str(path), "kind": kind, "hand_in": hand_in_command(path, context, settings, partial=False)}
        for kind, path in tasks
    ]


def hand_in_command(folder: Path, context: Context, settings: Settings, partial: bool) -> str:
    """The command that hands in the answer to the task in ``folder``."""
    words = ["--task", str(folder), "--model", "MODEL"]
    words += ["--card-root", str(settings.card_root)] if settings.card_root else []
    return paste(["card", "write"], [*words, *(["--partial"] if partial else [])], context.skill_dir)


def _refused(done: HandedIn) -> InputError:
    first = done.problems[0]
    return InputError(
        "invalid_input",
        f"The answer does not hold in {len(done.problems)} places; the first, {first.pointer or '/'}: expected "
        f"{first.rule}, found {first.found}.",
        hint="Correct these places and hand the answer in again; --partial keeps what holds.",
        details={
            "problems": [
                {name: value for name, value in problem.as_dict().items() if value is not None}
                for problem in done.problems[:SHOWN]
            ],
            "count": len(done.problems),
            "problems_path": str(done.problems_path),
        },
    )


def _why(done: HandedIn) -> str:
    if done.problems:
        return f"after correcting {len(done.problems)} places; what held before is kept"
    return f"hands in what is still missing: {', '.join(done.missing[:6])}"
