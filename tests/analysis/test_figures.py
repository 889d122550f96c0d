from __future__ import annotations

import statistics
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.analysis.figures import (
    Figures,
    baselines,
    ces_without_follows,
    engagement_rate,
    figures,
    hit_rate,
    interaction_per_fan,
    likes_per_fan,
    multiple,
    outlier_rate,
    per_like,
    spread,
)
from tikomni.analysis.values import Figure
from tikomni.facts import Creator

COUNT = st.none() | st.integers(0, 10**7)
SPEC = st.fixed_dictionaries(
    {
        "digg_count": COUNT,
        "comment_count": COUNT,
        "collect_count": COUNT,
        "share_count": COUNT,
        "play_count": st.none() | st.integers(1, 10**9),
        "days": st.none() | st.floats(-2, 2000),
        "media_kind": st.sampled_from(["video", "images", "mixed", "none"]),
        "pinned": st.none() | st.booleans(),
        "duration_ms": st.none() | st.integers(0, 10**7),
    }
)


def creator(**facts):
    return Creator("xiaohongshu", "a-creator", **facts)


def every_figure(found: Figures):
    """All ``Figure`` objects anywhere inside."""
    pending, met = [found], []
    while pending:
        one = pending.pop()
        if isinstance(one, Figure):
            met.append(one)
        elif isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, tuple):
            pending += one
        elif hasattr(one, "__dataclass_fields__"):
            pending += [getattr(one, f.name) for f in fields(one)]
    return met


# --- any profile


@settings(deadline=None)
@given(st.lists(SPEC, max_size=45), st.none() | st.integers(0, 10**8), st.sampled_from(["xiaohongshu", "douyin", "x"]))
def test_any_profile_has_figures_that_say_what_they_rest_on(make, specs, fans, platform):
    works = make.cohort([make.work(n, **spec) for n, spec in enumerate(specs)], platform, ignore="pinned")
    found = figures(creator(fans_count=fans, snapshot_at="2026-06-15T04:00:00+00:00"), works)
    for figure in every_figure(found):
        assert (figure.value is None) == (figure.reason is not None)
        assert 0 <= figure.n <= len(specs)
        assert not figure.n or figure.since <= figure.until
    rates = [found.outlier_rate, *(hit.rate for hit in found.hit_rates)]
    assert all(0 <= rate.value <= 1 and rate.n >= 10 for rate in rates if rate.value is not None)
    assert found.as_dict()["mature"] == found.mature


@settings(deadline=None)
@given(st.lists(SPEC, max_size=60))
def test_medians_are_those_of_the_mature_works_that_have_the_count(make, specs):
    works = make.cohort([make.work(n, **spec) for n, spec in enumerate(specs)])
    likes = [s["digg_count"] for s in specs if s["digg_count"] is not None and s["days"] is not None and s["days"] >= 3]
    found = spread(works, "digg_count").median
    assert found.n == len(likes)
    assert found.value == (pytest.approx(statistics.median(likes)) if likes else None)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30_000), min_size=10, max_size=60), st.randoms())
def test_figures_do_not_depend_on_the_order_of_works(make, totals, random):
    works = [make.work(n, total) for n, total in enumerate(totals)]
    shuffled = random.sample(works, len(works))
    person = creator(fans_count=500)
    assert figures(person, make.cohort(works)) == figures(person, make.cohort(shuffled))


# --- few and none


def test_no_works_give_no_figures_and_reasons(make):
    found = figures(None, make.cohort([]))
    assert {f.value for f in every_figure(found)} == {None}
    assert found.counts["interactions"].median.reason == "no_mature_works"
    assert found.hit_rates[0].rate.reason == "fewer_than_10" and found.rhythm.hours.reason == "dates_unknown"


def test_one_work_has_a_median_but_no_rates(make):
    found = figures(creator(fans_count=100), make.plain([70]))
    assert (found.counts["interactions"].median.value, found.counts["interactions"].p90.value) == (70, 70)
    assert found.counts["interactions"].median.n == 1
    assert found.interaction_per_fan.reason == found.outlier_rate.reason == found.collect_per_like.reason
    assert found.outlier_rate.reason == "fewer_than_10"


# --- hit rate


def test_hit_rate_is_inclusive_and_per_window(make):
    works = [make.work(n, 1_000 if n < 4 else 999, days=20 if n < 10 else 60) for n in range(20)]
    works += [make.work(90, 5_000, days=1), make.work(91, 5_000, days=None)]
    found = make.cohort(works)
    assert hit_rate(found, 1_000).value == 0.2
    assert (hit_rate(found, 1_000, 30).value, hit_rate(found, 1_000, 30).n) == (0.4, 10)
    assert hit_rate(found, 1_000, 90).n == 20


def test_a_window_with_few_works_has_no_rate(make):
    works = [make.work(n, 1_000, days=20 if n < 9 else 60) for n in range(30)]
    assert hit_rate(make.cohort(works), 100, 30).reason == "fewer_than_10"


def test_works_without_likes_are_outside_the_hit_rate(make):
    works = [make.work(n, 200) for n in range(10)] + [make.work(n, None) for n in range(10, 30)]
    assert (hit_rate(make.cohort(works), 100).value, hit_rate(make.cohort(works), 100).n) == (1.0, 10)
    assert hit_rate(make.cohort(works[10:]), 100).reason == "likes_unknown"


def test_a_least_value_below_the_threshold_tells_nothing(make):
    least = {"approximate": {"digg_count": "at_least"}}
    works = [make.work(n, 5_000) for n in range(10)] + [make.work(99, 1_000, **least)]
    assert hit_rate(make.cohort(works), 10_000).reason == "likes_at_least"
    sure = hit_rate(make.cohort(works), 1_000)
    assert (sure.value, sure.approximate) == (1.0, True)


# --- multiples and outliers


def test_a_multiple_is_of_the_median_of_the_media_kind_once_it_has_ten(make):
    videos = [make.work(n, 300) for n in range(10)]
    pictures = [make.work(100 + n, 30, media_kind="images") for n in range(10)]
    works = make.cohort([*videos, *pictures, make.work(200, 660, media_kind="mixed")])
    medians = baselines(works)
    assert {kind: figure.value for kind, figure in medians.items()} == {"all": 300, "images": 30, "video": 300}
    assert multiple(make.work(1, 60, media_kind="images"), works, medians).value == 2.0
    other = multiple(make.work(1, 660, media_kind="mixed"), works, medians)
    assert (other.value, other.n) == (2.2, 21)


def test_nine_works_of_a_kind_are_measured_against_all(make):
    works = make.cohort(
        [make.work(n, 100) for n in range(11)] + [make.work(n, 10, media_kind="images") for n in range(11, 20)]
    )
    assert set(baselines(works)) == {"all", "video"}


@pytest.mark.parametrize(
    ("totals", "own", "reason"),
    [([5] * 9, 5, "fewer_than_10"), ([0] * 10, 5, "median_zero"), ([5] * 10, None, "counts_unknown")],
)
def test_no_multiple_without_a_sound_median(make, totals, own, reason):
    works = make.plain(totals)
    figure = multiple(make.work(1, own), works, baselines(works))
    assert (figure.value, figure.reason) == (None, reason)


def test_outliers_are_above_three_times_the_median(make):
    works = make.plain([100] * 17 + [300, 301, 900])
    assert outlier_rate(works).value == 0.1


@pytest.mark.parametrize(
    ("totals", "reason"),
    [([7] * 9, "fewer_than_10"), ([0] * 12, "median_zero"), ([None] * 12, "counts_unknown"), ([], "fewer_than_10")],
)
def test_no_outlier_rate_without_multiples(make, totals, reason):
    assert outlier_rate(make.plain(totals)).reason == reason


def test_an_immature_hit_moves_nothing(make):
    works = [make.work(n, 100) for n in range(10)]
    young = make.work(99, 10**6, days=1)
    before, after = (figures(creator(fans_count=10), make.cohort(part)) for part in (works, [*works, young]))
    assert after.immature == 1
    assert (after.counts, after.hit_rates, after.outlier_rate) == (before.counts, before.hit_rates, before.outlier_rate)


# --- fans


def test_interactions_per_fan(make):
    figure = interaction_per_fan(creator(fans_count=20_000), make.plain([300] * 12))
    assert (figure.value, figure.n, figure.approximate) == (0.015, 12, False)
    rough = creator(fans_count=20_000, approximate={"fans_count": "rounded"})
    assert interaction_per_fan(rough, make.plain([300] * 12)).approximate


@pytest.mark.parametrize(("fans", "reason"), [(None, "fans_unknown"), (0, "no_fans")])
def test_nothing_is_divided_by_unknown_or_no_fans(make, fans, reason):
    works = make.plain([300] * 12)
    person = creator(fans_count=fans, liked_count=10, collected_count=10, works_count=50)
    assert interaction_per_fan(person, works).reason == likes_per_fan(person, works).reason == reason


def test_likes_per_fan_adds_collects_where_the_platform_shows_one_number(make):
    person = creator(fans_count=20_000, liked_count=50_000, collected_count=30_000, works_count=80,
                     snapshot_at="2026-06-14T20:00:00+00:00")  # fmt: skip
    noted, filmed = (likes_per_fan(person, make.cohort([], platform)) for platform in ("xiaohongshu", "douyin"))
    assert (noted.value, filmed.value) == (4.0, 2.5)
    assert (noted.n, noted.until) == (80, "2026-06-15")


def test_likes_per_fan_invents_no_collects(make):
    person = creator(fans_count=20_000, liked_count=50_000, works_count=80)
    assert likes_per_fan(person, make.cohort([])).reason == "likes_unknown"
    assert likes_per_fan(creator(fans_count=9, liked_count=9, works_count=9), make.cohort([], "douyin")).value is None


# --- plays, folk formula, ratios


def test_engagement_rate_rests_on_works_with_plays_alone(make):
    works = [make.work(n, 300, play_count=10_000) for n in range(10)] + [make.work(n, 9_999) for n in range(10, 20)]
    figure = engagement_rate(make.cohort(works))
    assert (figure.value, figure.n) == (0.03, 10)


@pytest.mark.parametrize(("known", "reason"), [(0, "plays_unknown"), (9, "fewer_than_10")])
def test_no_engagement_rate_without_plays(make, known, reason):
    works = make.cohort([make.work(n, 300, play_count=1_000 if n < known else None) for n in range(20)])
    assert engagement_rate(works).reason == reason


def test_the_folk_formula_is_one_platforms_alone(make):
    one = {"digg_count": 100, "collect_count": 50, "comment_count": 10, "share_count": 5}
    works = [make.work(n, **one) for n in range(10)]
    assert ces_without_follows(make.cohort(works)).value == 210
    assert ces_without_follows(make.cohort(works, "douyin")).reason == "not_of_this_platform"


def test_ratios_are_of_totals_over_works_with_both(make):
    works = [make.work(n, 100, collect_count=40) for n in range(10)]
    works += [make.work(50, 10**6, collect_count=None), make.work(51, None, collect_count=10**6)]
    figure = per_like(make.cohort(works), "collect_count")
    assert (figure.value, figure.n) == (0.4, 10)
    assert per_like(make.plain([0] * 12), "share_count").reason == "digg_count_zero"
