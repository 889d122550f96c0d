"""One reading after another: what the earlier one knew and the later one lacks, and no count that grows old unseen."""

from __future__ import annotations

from dataclasses import replace

from tikomni.facts import Work
from tikomni.pipelines.renewal import read_at, renewed

FIRST = Work(
    "douyin", "1", title="灯", digg_count=5, play_count=900, snapshot_at="2026-03-02T08:00:00+08:00",
    field_sources={"play_count": "some.route:play_count"},
)  # fmt: skip


def read(day: int, hour: int = 7) -> Work:
    return replace(
        FIRST, title=None, play_count=None, field_sources={}, snapshot_at=f"2026-03-0{day}T{hour:02}:00:00+08:00"
    )


def test_what_a_later_reading_lacks_is_taken_over_with_when_it_was_read():
    again = renewed(read(3), FIRST)
    assert (again.title, again.play_count, read_at(again, "play_count")) == ("灯", 900, FIRST.snapshot_at)
    assert again.field_sources["play_count"].startswith("some.route:play_count")
    assert read_at(again, "digg_count") == again.snapshot_at


def test_a_count_that_is_taken_over_day_after_day_ends_after_one():
    day_after = renewed(read(4, 6), renewed(read(3), FIRST))
    assert (day_after.title, day_after.play_count) == ("灯", None)


def test_another_work_tells_nothing():
    assert renewed(read(3), replace(FIRST, platform_work_id="2")).title is None and renewed(read(3), None) == read(3)
