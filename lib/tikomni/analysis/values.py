"""What a figure is, and the few numbers that all figures are made of. Knows no works."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tikomni.facts import Document

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figure(Document, Generic[T]):
    """A value and what it rests on.

    ``value`` is ``None`` where it cannot be had, and then ``reason`` says why; ``n`` is how many works it rests on,
    ``since`` and ``until`` the days (display zone) on which the first and the last of them were published.
    ``approximate``: a count that it rests on is rounded or a least value.
    """

    value: T | None
    n: int
    since: str | None = None
    until: str | None = None
    reason: str | None = None
    approximate: bool = False


def percentile(values: Sequence[float], p: float) -> float:
    """The value below which ``p`` per cent of ``values`` lie, by linear interpolation.

    Sorted upwards as x₀ … xₙ₋₁, it stands at position ``p/100 · (n-1)``. Source: Hyndman and Fan 1996, definition 7,
    which is ``statistics.quantiles(method="inclusive")``. Percentiles rise with ``p``; one between two values
    is rounded to six decimals.

    >>> percentile([10, 40, 20, 30], 50)
    25.0
    >>> percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90)
    9.1
    >>> percentile([7], 90)
    7.0

    Raises:
        ValueError: no values, or ``p`` outside 0 … 100.
    """
    if not values or not 0 <= p <= 100:
        raise ValueError("percentile of nothing, or outside 0 to 100")
    ordered = sorted(values)
    position = p * (len(ordered) - 1) / 100
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    # Between equal values nothing is computed, so that nothing is rounded.
    step = ordered[above] - ordered[below]
    return round(ordered[below] + step * (position - below), 6) if step else float(ordered[below])


def median(values: Sequence[float]) -> float:
    """The middle of ``values``, or halfway between the two middle ones.

    >>> median([3, 1, 2])
    2.0
    >>> median([4, 1, 2, 3])
    2.5
    """
    return percentile(values, 50)


def share(part: float, whole: float) -> float:
    """``part ÷ whole`` to six significant digits.

    >>> share(1, 3)
    0.333333
    >>> share(2, 3_000_000)
    6.66667e-07
    """
    return float(f"{part / whole:.6g}")
