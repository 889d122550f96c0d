from __future__ import annotations

import pytest

from tikomni.analysis.cohort import order


def ids(works):
    return [work.platform_work_id for work in works]


def test_works_are_parted_by_what_they_may_be_used_for(make):
    found = make.cohort(
        [make.work(1, days=3), make.work(2, days=2.99), make.work(3, days=None), make.work(4, days=-1)],
    )
    assert (ids(found.mature), ids(found.immature), ids(found.undated)) == (["1"], ["2", "4"], ["3"])
    assert found.ignored == ()


def test_what_counts_is_the_age_at_which_counts_were_read(make):
    read = make.work(1, days=30, snapshot_at="2026-05-18T04:00:00+00:00")  # two days after it was published
    assert ids(make.cohort([read]).immature) == ["1"]


def test_flagged_works_are_left_out_only_when_asked(make):
    works = [make.work(1, pinned=True), make.work(2, sponsored=True), make.work(3, pinned=None, sponsored=False)]
    assert ids(make.cohort(works).mature) == ["1", "2", "3"]
    asked = make.cohort(works, ignore="pinned,sponsored")
    assert (ids(asked.mature), ids(asked.ignored)) == (["3"], ["1", "2"])


def test_the_hours_until_a_work_is_mature_are_a_setting(make):
    assert ids(make.cohort([make.work(1, days=2)], immature_hours=24).mature) == ["1"]


def test_ties_are_broken_by_number_not_by_text(make):
    works = [make.work(n, 5) for n in ("10", "9", "2", "abc", "ab")]
    assert ids(sorted(works, key=order)) == ["2", "9", "10", "ab", "abc"]


def test_default_order_is_interactions_then_newest(make):
    works = [make.work(1, 5, days=9), make.work(2, 7, days=9), make.work(3, 5, days=8)]
    assert ids(sorted(works, key=order)) == ["2", "3", "1"]


def test_a_missing_count_is_not_zero_and_never_ranks_among_known_ones(make):
    nothing = make.work(3, 0)
    hidden = make.work(1, 900, share_count=None)
    assert ids(sorted([hidden, make.work(2, 10), nothing], key=order)) == ["2", "3", "1"]


def test_days_of_a_figure_are_those_of_the_display_zone(make):
    works = [make.work(1, 1, published_at="2026-05-01T16:30:00+00:00"), make.work(2, 2, days=None)]
    figure = make.cohort(works).figure(1.0, works)
    assert (figure.since, figure.until, figure.n) == ("2026-05-02", "2026-05-02", 2)


@pytest.mark.parametrize("how", ["rounded", "at_least"])
def test_a_figure_of_inexact_counts_is_marked(make, how):
    works = [make.work(1, 1), make.work(2, 12_000, approximate={"digg_count": how})]
    found = make.cohort(works)
    assert found.figure(1.0, works, ["interactions"]).approximate
    assert found.figure(1.0, works, ["digg_count"]).approximate
    assert not found.figure(1.0, works, ["share_count"]).approximate
