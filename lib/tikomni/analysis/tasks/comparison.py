"""Creators side by side as material: the figures of each by its letter, and of each a few works with sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tikomni.analysis.buckets import Standing
from tikomni.analysis.tasks.material import Material, Source, one_line, source

if TYPE_CHECKING:
    from tikomni.analysis.comparison import Comparison, Side
    from tikomni.analysis.tasks.registry import Kind

COMPARISON = "comparison"
# Of each creator: the works with most interactions that have words, and the weakest.
BEST, WORST = 4, 1
NAME_CHARS = 20


def of_comparison(kind: Kind, made: Comparison, subject_id: str, language: str) -> Material:
    """``kind`` asked of ``made``; works are numbered through all creators."""
    names = " · ".join(map(_name, made.sides))
    subject = {"type": COMPARISON, "platform": COMPARISON, "id": subject_id, "name": names}
    picked = [(one, standing) for one in made.sides for standing in _picked(one)]
    works = tuple(_source(one, standing, number) for number, (one, standing) in enumerate(picked, 1))
    return Material(kind.name, kind.version, language, subject, dict(_figures(made)), works)


def _picked(one: Side) -> list[Standing]:
    spoken = [s for s in one.standings if s.work.primary_text and s.interactions is not None]
    return [*spoken[:BEST], *spoken[BEST:][-WORST:]]


def _source(one: Side, standing: Standing, number: int) -> Source:
    figures: dict[str, Any] = {"interactions": standing.interactions, "multiple": standing.multiple.value}
    known = {name: value for name, value in figures.items() if value is not None}
    return source(standing.work, number, None, known, (_name(one),), one.signals.get(standing.work.key))


def _name(one: Side) -> str:
    return f"{one.letter} {one_line(one.name)[:NAME_CHARS]}"


def _figures(made: Comparison) -> Iterator[tuple[str, float]]:
    """``A.median_interactions``, and of the others ``B.median_interactions_ratio``; what is unknown is left out."""
    for row in made.rows:
        for one, figure, ratio in zip(made.sides, row.figures, row.ratios, strict=True):
            if figure.value is not None:
                short = float(f"{figure.value:.6g}")
                yield f"{one.letter}.{row.name}", int(short) if short.is_integer() else short
            if ratio is not None and one is not made.sides[0]:
                yield f"{one.letter}.{row.name}_ratio", float(f"{ratio:.3g}")
