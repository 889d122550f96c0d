"""Each fault against each pipeline, and ``kill -9``: nothing paid twice, nothing lost, the next run finishes."""

from __future__ import annotations

import random

import pytest
from trials import HEAD, PIPELINES, deadlines, faults, kills, run_all

KILLS = 10


def held(trials) -> None:
    broken = [trial.row() for trial in run_all(trials) if trial.broken]
    assert not broken, "\n".join((HEAD, *broken))


@pytest.mark.parametrize("number", range(len(PIPELINES)), ids=list(PIPELINES))
def test_whatever_goes_wrong_every_promise_is_kept(number):
    """A quarter of the faults each, another for the next pipeline; ``benchmarks/trials.py`` has the whole table."""
    held(faults(list(PIPELINES.values())[number], every_route=False)[number % 4 :: 4])


def test_killed_at_any_point_the_next_run_brings_the_same_for_the_same_price():
    chance, pipelines = random.Random(), list(PIPELINES.values())
    shares = [KILLS // len(pipelines) + (n < KILLS % len(pipelines)) for n in range(len(pipelines))]
    held([trial for pipeline, share in zip(pipelines, shares, strict=True) for trial in kills(pipeline, share, chance)])


def test_deadlines_change_neither_result_nor_bill():
    held(deadlines(PIPELINES["works"], 2, random.Random(), most=12.0))
