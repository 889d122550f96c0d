from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.analysis.aggregate import aggregates
from tikomni.analysis.buckets import BUCKETS, standings


def signals(keywords=(), style=(), **traits):
    one = {name: SimpleNamespace(label=traits.get(name)) for name in ("hook", "structure", "cta", "form")}
    many = {"style": style, "keywords": keywords}
    return SimpleNamespace(**one, **{k: tuple(SimpleNamespace(label=w) for w in v) for k, v in many.items()})


def over(works, found=None):
    return aggregates(works, standings(works), found)


def test_an_empty_profile_has_empty_aggregates(make):
    found = over(make.cohort([]))
    assert (found.works, found.ranked, found.modality, found.left_out) == (0, 0, None, {})
    assert (
        found.performance.p50.reason == "no_mature_works"
        and found.buckets["Top"].medians["digg_count"].reason == "no_mature_works"
    )


def test_percentiles_of_performance_stand_the_right_way_up(make):
    found = over(make.plain(range(1, 11))).performance
    values = [figure.value for figure in (found.least, found.p20, found.p50, found.p85, found.most)]
    assert values == sorted(values) and values[0] < values[1] < values[-1]
    assert found.p50.n == 10


def test_the_modality_is_that_of_most_works_not_of_the_best_one(make):
    works = [make.work(1, 10**6, work_modality="video")] + [make.work(n, 1) for n in range(2, 5)]
    assert over(make.cohort(works)).modality == "text"
    assert over(make.cohort(works[:2])).modality is None


def test_labels_are_counted_by_work_and_none_is_said(make):
    works = make.plain(range(12))
    found = {work.key: signals(hook="question" if n < 3 else None, keywords=("菜谱", "菜谱", "早餐"))
             for n, work in enumerate(works.mature)}  # fmt: skip
    result = over(works, found)
    hooks = result.traits["hook"]
    assert (hooks.n, hooks.none) == (12, 9)
    assert [(item.label, item.count, item.ratio) for item in hooks.items] == [("question", 3, 0.25)]
    assert [(item.label, item.count) for item in result.traits["keywords"].items] == [("早餐", 12), ("菜谱", 12)]


def test_works_without_signals_are_not_counted_as_none(make):
    works = make.plain(range(12))
    result = over(works, {works.mature[0].key: signals(hook="question")})
    assert (result.traits["hook"].n, result.traits["hook"].none) == (1, 0)
    assert result.traits["hook"].items[0].ratio is None


def test_every_bucket_is_compared(make):
    works = make.plain(range(200))
    found = {work.key: signals(cta="follow" if n >= 160 else "none_asked") for n, work in enumerate(works.mature)}
    result = over(works, found)
    assert tuple(result.buckets) == BUCKETS
    assert [result.buckets[name].n for name in BUCKETS] == [40, 60, 70, 30]
    assert result.buckets["Top"].traits["cta"].items[0].label == "follow"
    assert result.buckets["Strong"].traits["cta"].items[0].label == "none_asked"
    medians = [result.buckets[name].medians["interactions"].value for name in BUCKETS]
    assert medians == sorted(medians, reverse=True)


def test_a_count_that_a_bucket_lacks_is_null(make):
    profile = over(make.plain([5, 6, 7])).buckets["Top"]
    assert (profile.medians["digg_count"].value, profile.medians["digg_count"].n) == (6, 3)
    assert profile.medians["play_count"].reason == "counts_unknown"


def test_reasons_of_works_without_a_rank_are_counted(make):
    works = [make.work(1, 5, days=1), make.work(2, 5, days=None), make.work(3, None), make.work(4, 5)]
    found = over(make.cohort(works))
    assert (found.ranked, found.works) == (1, 4)
    assert found.left_out == {"immature": 1, "date_unknown": 1, "counts_unknown": 1}


@pytest.mark.parametrize("listed", [20])
def test_what_is_not_listed_is_said(make, listed):
    works = make.cohort([make.work(n, topics=tuple(f"topic {k:02}" for k in range(25))) for n in range(10)])
    found = over(works).topics
    assert (len(found.items), found.others) == (listed, 25 - listed)


@settings(deadline=None)
@given(st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=40))
def test_a_single_label_and_none_add_up_to_the_works(make, hooks):
    works = make.plain(range(len(hooks)))
    found = over(works, {w.key: signals(hook=h) for w, h in zip(works.mature, hooks, strict=True)}).traits["hook"]
    assert found.none + sum(item.count for item in found.items) == found.n == len(hooks)
