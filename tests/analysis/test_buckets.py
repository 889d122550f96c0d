from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.analysis.buckets import BUCKETS, bucket, lacking, ranked, recency_score, standings
from tikomni.analysis.rules import rules

RULES = rules("xiaohongshu")


def by_id(found):
    return {standing.work.platform_work_id: standing for standing in found}


def ids(found):
    return [standing.work.platform_work_id for standing in found]


def test_the_score_is_the_documented_one(make):
    work = make.work(1, digg_count=1_000, comment_count=100, collect_count=200, share_count=50)
    assert recency_score(work, 30, RULES) == round((150 + 20 + 70 + 15) / math.log(32), 4) == 73.5774


def test_a_count_that_weighs_nothing_is_not_needed(make):
    likes_only = make.work(1, 100, comment_count=None, collect_count=None, share_count=None)
    assert recency_score(likes_only, 0, RULES) is None
    assert lacking(likes_only, RULES) == ("comment_count", "collect_count", "share_count")
    own = rules("xiaohongshu", weights="1,0,0,0")
    assert recency_score(likes_only, 0, own) == round(100 / math.log(2), 4)
    assert lacking(make.work(1, 5, days=None), own) == ("published_at",)


@pytest.mark.parametrize(
    ("n", "sizes"),
    [
        (1, [1, 0, 0, 0]), (3, [3, 0, 0, 0]), (5, [4, 1, 0, 0]), (8, [4, 4, 0, 0]), (10, [4, 4, 2, 0]),
        (11, [4, 4, 2, 1]), (12, [4, 4, 2, 2]), (15, [4, 4, 5, 2]), (19, [4, 4, 9, 2]), (20, [4, 6, 7, 3]),
        (40, [8, 12, 14, 6]), (60, [12, 18, 21, 9]), (200, [40, 60, 70, 30]),
    ],
)  # fmt: skip
def test_bucket_sizes(n, sizes):
    counted = Counter(bucket(rank, n) for rank in range(1, n + 1))
    assert [counted[name] for name in BUCKETS] == sizes


@settings(deadline=None)
@given(st.integers(1, 3000))
def test_buckets_follow_the_ranks(n):
    found = [BUCKETS.index(bucket(rank, n)) for rank in range(1, n + 1)]
    assert found == sorted(found) and found[0] == 0


def test_the_newer_of_two_equal_works_ranks_first(make):
    found = by_id(standings(make.cohort([make.work(1, 100, days=200), make.work(2, 100, days=20)])))
    assert (found["2"].rank, found["1"].rank) == (1, 2)
    assert (found["2"].recent_rank, found["1"].recent_rank) == (1, None)


def test_people_see_works_by_interactions_whatever_their_rank(make):
    found = standings(make.cohort([make.work(1, 300, days=2000), make.work(2, 290, days=4), make.work(3, 5, days=1)]))
    assert ids(found) == ["1", "2", "3"]
    assert ids(ranked(found)) == ["2", "1"]


def test_works_without_a_date_are_left_out_not_favoured(make):
    found = by_id(standings(make.cohort([make.work(1, 10**6, days=None), make.work(2, 1)])))
    assert (found["1"].rank, found["1"].score, found["1"].reason) == (None, None, "date_unknown")
    assert (found["2"].rank, found["2"].bucket) == (1, "Top")


def test_works_that_cannot_be_ranked_say_why_and_are_still_there(make):
    works = [
        make.work(1, 50, days=1), make.work(2, None), make.work(3, 50, share_count=None), make.work(4, 5, pinned=True),
    ]  # fmt: skip
    found = by_id(standings(make.cohort(works, ignore="pinned")))
    assert {key: s.reason for key, s in found.items()} == {
        "1": "immature", "2": "counts_unknown", "3": "counts_unknown", "4": "pinned",
    }  # fmt: skip
    assert {s.bucket for s in found.values()} == {None}
    assert (found["1"].interactions, found["1"].days_ago, found["1"].multiple.reason) == (50, 1, "immature")


def test_ties_are_ranked_by_number(make):
    works = [make.work(n, 7) for n in ("10", "9", "2")]
    assert ids(ranked(standings(make.cohort(works)))) == ["2", "9", "10"]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.none() | st.integers(0, 50), st.none() | st.integers(0, 400)), max_size=60),
    st.randoms(),
)
def test_ranks_are_complete_rising_and_the_same_in_any_order(make, specs, random):
    works = [make.work(n, total, days=days) for n, (total, days) in enumerate(specs)]
    found = standings(make.cohort(works))
    assert standings(make.cohort(random.sample(works, len(works)))) == found
    order = ranked(found)
    assert [s.rank for s in order] == list(range(1, len(order) + 1))
    assert [s.score for s in order] == sorted((s.score for s in order), reverse=True)
    recent = [s for s in order if s.days_ago <= 30]
    assert [s.recent_rank for s in recent] == list(range(1, len(recent) + 1))
    assert len(found) == len(works) and all((s.rank is None) == (s.reason is not None) for s in found)
