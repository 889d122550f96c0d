from __future__ import annotations

from dataclasses import replace

import pytest

from tikomni.analysis.changes import Reading, changes, delta
from tikomni.facts import Creator

BEFORE, AFTER = "2026-06-01T04:00:00+00:00", "2026-06-15T04:00:00+00:00"


def readings(before, after, *, complete=(True, True), fans=((None, None), (None, None))):
    def reading(taken_at, works, whole, count, how):
        approximate = {"fans_count": how} if how else {}
        return Reading(taken_at, tuple(works), whole, Creator("douyin", "a", fans_count=count, approximate=approximate))

    return changes(reading(BEFORE, before, complete[0], *fans[0]), reading(AFTER, after, complete[1], *fans[1]))


def test_nothing_changed(make):
    works = [make.work(n, 10 * n) for n in range(5)]
    found = readings(works, works)
    assert (found.since, found.new_works, found.deleted_works, found.top_growers) == (BEFORE, (), (), ())


def test_new_and_deleted_works(make):
    kept, gone, new = make.work(1, 5), make.work(2, 5), make.work(3, 5, days=2)
    found = readings([kept, gone], [kept, new])
    assert (found.new_works, found.deleted_works) == ((new.key,), (gone.key,))


def test_a_walk_that_stopped_early_deletes_nothing(make):
    found = readings([make.work(1), make.work(2)], [make.work(1)], complete=(True, False))
    assert found.deleted_works is None


def test_an_old_work_that_the_first_walk_did_not_reach_is_no_news(make):
    old, undated, new = make.work(2, days=400), make.work(3, days=None), make.work(4, days=3)
    after = [make.work(1), old, undated, new]
    assert readings([make.work(1)], after, complete=(False, True)).new_works == (new.key,)
    assert set(readings([make.work(1)], after).new_works) == {old.key, undated.key, new.key}


def test_five_works_that_grew_most(make):
    before = [make.work(n, 100, title=f"work {n}") for n in range(9)]
    after = [replace(work, digg_count=100 + 10 * n) for n, work in enumerate(before)]
    found = readings(before, after).top_growers
    assert [g.interactions.value for g in found] == [80, 70, 60, 50, 40]
    assert (found[0].title, found[0].interactions.before) == ("work 8", 100)


def test_a_work_that_shrank_or_stood_still_did_not_grow(make):
    before = [make.work(1, 100), make.work(2, 100)]
    after = [replace(before[0], digg_count=90), before[1]]
    assert readings(before, after).top_growers == ()


@pytest.mark.parametrize(
    ("then", "now", "grew"),
    [
        ({}, {"digg_count": "rounded"}, [(1_000, True)]),
        ({"digg_count": "at_least"}, {}, [(1_000, True)]),
        ({}, {}, [(1_000, False)]),
        ({"digg_count": "rounded"}, {"digg_count": "rounded"}, []),
        ({"digg_count": "rounded"}, {"collect_count": "at_least"}, []),
    ],
)
def test_no_growth_from_two_approximate_counts(make, then, now, grew):
    work = make.work(1, 11_000, approximate=then)
    found = readings([work], [replace(work, digg_count=12_000, approximate=now)])
    assert [(g.interactions.value, g.interactions.approximate) for g in found.top_growers] == grew


def test_a_count_that_appears_is_not_growth(make):
    before = make.work(1, 100, share_count=None)
    assert readings([before], [replace(before, share_count=50)]).top_growers == ()


@pytest.mark.parametrize(
    ("then", "now", "value", "reason"),
    [
        ((100, None), (130, None), 30, None),
        ((130, None), (100, None), -30, None),
        ((11_000, "rounded"), (12_000, "rounded"), None, "both_approximate"),
        ((None, None), (100, None), None, "unknown"),
    ],
)
def test_fans(then, now, value, reason):
    found = readings([], [], fans=(then, now)).fans_delta
    assert (found.value, found.reason) == (value, reason)


def test_without_profiles_fans_are_unknown():
    found = changes(Reading(BEFORE, (), True), Reading(AFTER, (), True))
    assert found.fans_delta == delta(None, None)


def test_changes_are_a_plain_document(make):
    document = readings([make.work(1, 5)], [make.work(1, 9)]).as_dict()
    assert document["top_growers"][0]["interactions"]["value"] == 4
