"""What figures are made with: weights, thresholds, minima. Data lives in ``rules.yaml``; this finds and checks it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tikomni.errors import InputError
from tikomni.settings import Settings
from tikomni.storage.yaml_file import read_yaml

# The counts that interactions are made of, in the order in which weights are written.
COUNTS = ("digg_count", "comment_count", "collect_count", "share_count")
ALL_COUNTS = (*COUNTS, "play_count")
FLAGS = ("pinned", "sponsored")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The members of ``rules.yaml``, which says what each is for. Units are in the names; thresholds are likes."""

    weights: Mapping[str, float]
    immature_hours: float
    min_works: int
    outlier_multiple: float
    hit_thresholds: tuple[int, ...]
    hit_days: tuple[int, ...]
    recent_days: int
    ignore: tuple[str, ...]
    total_likes: tuple[str, ...]
    ces_weights: Mapping[str, float]
    duration_classes: Mapping[str, int | None]
    age_classes_days: tuple[int, ...]

    @property
    def too_few(self) -> str:
        """The reason of a figure that rests on too few works."""
        return f"fewer_than_{self.min_works}"


def rules(
    platform: str,
    *,
    weights: str | None = None,
    immature_hours: float | None = None,
    hit_thresholds: str | None = None,
    ignore: str | None = None,
) -> Rules:
    """The rules of a platform, with what the user set in place of the defaults.

    Args:
        weights: four numbers, for a like, a comment, a collect and a share: ``"0.15,0.20,0.35,0.30"``.
        hit_thresholds: likes, rising: ``"100,1000,10000"``.
        ignore: works to leave out: ``"pinned,sponsored"``.

    Raises:
        InputError: ``config``, naming the setting, its value and what is expected.
    """
    table = _table()
    own = {**table["default"], **table.get(platform, {})}
    if weights:
        own["weights"] = dict(zip(COUNTS, _weights(weights), strict=True))
    if immature_hours is not None:
        own["immature_hours"] = immature_hours
    if hit_thresholds:
        own["hit_thresholds"] = _thresholds(hit_thresholds)
    if ignore is not None:
        own["ignore"] = _flags(ignore)
    return Rules(**{name: tuple(value) if isinstance(value, list) else value for name, value in own.items()})


def rules_of(platform: str, settings: Settings) -> Rules:
    """The rules that a platform's figures are made with, by the settings in use."""
    return rules(
        platform,
        weights=settings.score_weights,
        immature_hours=settings.immature_hours,
        hit_thresholds=settings.hit_thresholds,
        ignore=settings.ignore_works,
    )


def _weights(text: str) -> tuple[float, ...]:
    wanted = "four numbers, not all 0, for a like, a comment, a collect and a share"
    numbers = _parts("SCORE_WEIGHTS", text, float, wanted)
    if len(numbers) != len(COUNTS) or not all(0 <= n < math.inf for n in numbers) or not any(numbers):
        raise _refused("SCORE_WEIGHTS", text, wanted)
    return numbers


def _thresholds(text: str) -> tuple[int, ...]:
    wanted = "whole numbers of likes above 0, rising"
    numbers = _parts("HIT_THRESHOLDS", text, int, wanted)
    if list(numbers) != sorted(set(numbers)) or numbers[0] < 1:
        raise _refused("HIT_THRESHOLDS", text, wanted)
    return numbers


def _flags(text: str) -> tuple[str, ...]:
    wanted = f"some of {', '.join(FLAGS)}"
    flags = tuple(part.strip() for part in text.split(",") if part.strip())
    if not set(flags) <= set(FLAGS):
        raise _refused("IGNORE_WORKS", text, wanted)
    return flags


def _parts(name: str, text: str, number: Callable[[str], Any], wanted: str) -> tuple[Any, ...]:
    try:
        return tuple(number(part) for part in text.split(","))
    except ValueError:
        raise _refused(name, text, wanted) from None


def _refused(name: str, text: str, wanted: str) -> InputError:
    return InputError("config", f"TIKOMNI_{name}={text!r}: expected {wanted}, separated by commas.")


@cache
def _table() -> dict[str, Any]:
    return read_yaml(Path(__file__).with_name("rules.yaml"))
