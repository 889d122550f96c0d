"""What commands share that let a model write analyses: flags, what is asked of whom, what became of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tikomni.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from tikomni.pipelines.analyst import Analysis, Asked
    from tikomni.settings import Settings

ANALYSTS = ("openai-compatible",)
# What is asked for where --analyze does not say: the analyses that a card is made for.
MAIN = {"work": ("work.breakdown",), "creator": ("creator.author_analysis", "creator.sample_explanations")}


def add_analyst_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--analyst", choices=ANALYSTS, help="have the model that TIKOMNI_LLM_… names write analyses")


def add_analyst_arguments(parser: argparse.ArgumentParser, of: str) -> None:
    """Arguments of commands that leave tasks about ``of``: ``work`` or ``creator``."""
    add_analyst_argument(parser)
    parser.add_argument("--analyze", metavar="KINDS", help=f"which analyses it writes (default {','.join(MAIN[of])})")


def asked(args: argparse.Namespace, settings: Settings, of: str) -> Asked | None:
    """Who shall write which analyses; ``None`` where nobody was named.

    ``--fresh`` asks for facts anew: an analysis of the same facts was paid for, and stands.

    Raises:
        InputError: ``usage``; ``config``, ``missing_key`` or ``placeholder_key``, where no model can be asked.
    """
    if args.analyst is None:
        if args.analyze is not None:
            raise InputError("usage", "--analyze says what --analyst shall write: give both.")
        return None

    from tikomni.analysis.tasks.registry import kinds
    from tikomni.dispatch.llm import endpoint
    from tikomni.pipelines.analyst import Asked

    known = [kind.name for kind in kinds().values() if kind.of == of]
    named = [part.strip() for part in args.analyze.split(",")] if args.analyze is not None else MAIN[of]
    if unknown := [name for name in named if name not in known]:
        raise InputError("usage", f"--analyze: no {', '.join(unknown)!r}; there are {', '.join(known)}.")
    return Asked(endpoint(settings), tuple(named))


def rows(analyses: Iterable[Analysis]) -> list[dict[str, Any]]:
    """``result.analyses[]``."""
    return [
        {
            "kind": one.kind,
            "status": "pending" if one.pending and one.handed_in is None else one.status,
            "answers": one.answers,
            "path": str(one.folder),
            "error": one.error and one.error.code,
        }
        for one in analyses
    ]


def missing(analyses: Iterable[Analysis]) -> list[dict[str, Any]]:
    """``result.missing[]``: analyses that were asked for and are not whole."""
    return [
        {
            "item": one.folder.parent.name,
            "field": one.kind,
            "reason": one.error.code if one.error else "deadline" if one.pending else "not_whole",
        }
        for one in analyses
        if not one.whole
    ]


def unanswered(tasks: Iterable[tuple[str, Path]], analyses: Iterable[Analysis]) -> list[tuple[str, Path]]:
    """The tasks whose answer is still awaited."""
    done = {one.folder for one in analyses if one.whole}
    return [(kind, folder) for kind, folder in tasks if folder not in done]


def plan(asked: Asked | None) -> dict[str, Any]:
    """What a dry run tells of the model, before there are tasks: ``{}`` where none is asked."""
    if asked is None:
        return {}

    from tikomni.analysis.tasks.question import WORKS_AT_ONCE
    from tikomni.analysis.tasks.registry import kinds
    from tikomni.dispatch.llm import MOST_TOKENS
    from tikomni.pipelines.analyst import ROUNDS

    questions = [
        {
            "kind": name,
            "tokens_in_at_most": kinds()[name].tokens,
            "tokens_out_at_most": MOST_TOKENS,
            "works_per_question": WORKS_AT_ONCE if kinds()[name].each_work else None,
            "usd_at_most": asked.endpoint.usd(kinds()[name].tokens, MOST_TOKENS),
        }
        for name in asked.kinds
    ]
    return {"analyst": who(asked) | {"questions": questions, "rounds_at_most": ROUNDS}}


def who(asked: Asked) -> dict[str, Any]:
    return {name: getattr(asked.endpoint, name) for name in ("provider", "base_url", "model")}
