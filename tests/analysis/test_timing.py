from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.analysis.timing import durations, rhythm, trend


def test_the_rhythm_is_that_of_the_display_zone(make):
    late_sunday = "2026-03-01T17:30:00+00:00"  # 01:30 on Monday in Shanghai
    found = rhythm(make.cohort([make.work(1, published_at=late_sunday), make.work(2, days=None)]))
    assert found.hours.value[0][1] == 1 and sum(map(sum, found.hours.value)) == 1
    assert (found.unknown, found.hours.since) == (1, "2026-03-02")


@settings(deadline=None)
@given(st.lists(st.floats(0, 3000), min_size=1, max_size=60))
def test_every_dated_work_is_in_the_rhythm(make, days):
    found = rhythm(make.cohort([make.work(n, days=day) for n, day in enumerate(days)]))
    assert sum(map(sum, found.hours.value)) == len(days) == found.hours.n
    assert [len(row) for row in found.hours.value] == [24] * 7


def test_durations_fall_into_classes_at_their_bounds(make):
    lengths = [29_999, 30_000, 119_999, 120_000, 9_000_000, None, 0]
    works = [make.work(n, 10 * n, duration_ms=length) for n, length in enumerate(lengths)]
    found = durations(make.cohort([*works, make.work(99, media_kind="images")]))
    assert [(c.name, c.below_ms, c.count) for c in found.classes] == [
        ("short", 30_000, 1), ("medium", 120_000, 2), ("long", None, 2),
    ]  # fmt: skip
    assert (found.n, found.unknown) == (5, 2)
    assert [c.interactions.value for c in found.classes] == [0, 15, 35]
    assert {c.ratio for c in found.classes} == {None}


def test_ten_videos_have_ratios_by_length(make):
    works = [make.work(n, duration_ms=20_000 if n < 3 else 60_000, days=1) for n in range(10)]
    found = durations(make.cohort(works))
    assert [c.ratio for c in found.classes] == [0.3, 0.7, 0]
    assert found.classes[0].interactions.reason == "no_mature_works" and found.classes[2].interactions.n == 0


def by_age(found):
    return {part.from_days: part for part in found}


def test_the_newer_half_of_an_age_is_set_against_the_older_half(make):
    newer = [make.work(n, 450, days=8 + n / 10) for n in range(10)]
    older = [make.work(100 + n, 300, days=12 + n / 10) for n in range(10)]
    found = by_age(trend(make.cohort([*older, *newer])))[7]
    assert (found.ratio.value, found.ratio.n, found.newer_median, found.older_median) == (1.5, 20, 450, 300)
    assert found.newer_age_days < found.older_age_days


def test_more_time_is_no_trend(make):
    """Older works have more likes, and works of one age have as many as ever: nothing rose or fell."""
    ages = [(3, 7), (7, 14), (14, 30), (30, 60), (60, 120)]
    works = [
        make.work(100 * first + n, 100 * first, days=first + (last - first) * n / 25)
        for first, last in ages
        for n in range(25)
    ]
    found = by_age(trend(make.cohort(works)))
    assert [found[first].ratio.value for first, _ in ages] == [1.0] * 5
    assert {found[first].ratio.n for first, _ in ages} == {24}


def test_earlier_readings_compare_works_at_the_same_age(make):
    """Twenty works of the past year, each read when it was five days old: the newer ten did twice as well."""
    now = [make.work(n, 9_000, days=20 * n) for n in range(1, 21)]
    then = [
        replace(w, digg_count=200 if n <= 10 else 100, snapshot_at=(make.now - timedelta(days=20 * n - 5)).isoformat())
        for n, w in enumerate(now, 1)
    ]
    assert by_age(trend(make.cohort(now)))[3].ratio.reason == "fewer_than_10"
    found = by_age(trend(make.cohort(now), then))[3]
    assert (found.ratio.value, found.newer_age_days, found.older_age_days) == (2.0, 5.0, 5.0)


def test_a_work_counts_once_in_an_age(make):
    works = [make.work(n, 100, days=10) for n in range(20)]
    again = [replace(w, snapshot_at=(make.now - timedelta(days=1)).isoformat(), digg_count=50) for w in works]
    found = by_age(trend(make.cohort(works), again))[7]
    assert (found.ratio.n, found.newer_median) == (20, 50)


@pytest.mark.parametrize(
    ("count", "total", "reason"), [(19, 5, "fewer_than_10"), (20, 0, "median_zero"), (20, None, "fewer_than_10")]
)
def test_no_trend_without_two_sound_halves(make, count, total, reason):
    works = make.cohort([make.work(n, total, days=40 + n) for n in range(count)])
    assert by_age(trend(works))[30].ratio.reason == reason
