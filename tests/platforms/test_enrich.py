"""What costs a call of its own: few calls, and nothing told that was not."""

from __future__ import annotations

import pytest

from tikomni import catalog
from tikomni.facts import Work
from tikomni.platforms import definition, enriched, enrichment, read_enrichment

MANY, TWO = "douyin.app.v3.fetch_multi_video_statistics", "douyin.app.v3.fetch_video_statistics"


def works(count: int, platform: str = "douyin") -> list[Work]:
    missing = {"play_count": "not_published", "title": "not_in_answer"}
    return [Work(platform, f"74{n:017d}", missing=missing) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "routes"),
    [(0, []), (1, [TWO]), (4, [TWO] * 2), (11, [MANY]), (50, [MANY]), (53, [MANY, TWO, TWO]), (100, [MANY] * 2)],
)
def test_fifty_a_call_and_the_rest_where_it_is_cheaper(count: int, routes: list[str]) -> None:
    asked = enrichment(definition("douyin"), "play_count", works(count))
    assert [request.route for request in asked] == routes
    ids = [work_id for request in asked for work_id in request.inputs["aweme_ids"].split(",")]
    assert ids == [work.platform_work_id for work in works(count)]
    assert all(len(r.inputs["aweme_ids"].split(",")) <= catalog.get(r.route).input("aweme_ids").maximum for r in asked)


def test_plays_go_to_the_works_they_are_of(made) -> None:
    one, two, three = works(3)
    rows = [{"aweme_id": one.platform_work_id, "play_count": 5120}, {"aweme_id": two.platform_work_id, "play_count": 0}]
    found = read_enrichment(definition("douyin"), "play_count", made.envelope({"statistics_list": rows}), MANY)
    known = enriched(one, found)
    assert known.play_count == 5120 and known.missing == {"title": "not_in_answer"}
    assert known.field_sources["play_count"] == f"{MANY}:play_count"
    assert enriched(two, found) is two and enriched(three, found) is three, "0 is what is sent for unknown"


def test_reads_of_notes_where_they_are_told(made) -> None:
    (note,) = works(1, "xiaohongshu")
    (asked,) = enrichment(definition("xiaohongshu"), "play_count", [note])
    body = made.inner({"noteId": note.platform_work_id, "readNum": "1.2万"})
    known = enriched(note, read_enrichment(definition("xiaohongshu"), "play_count", body, asked.route))
    assert (known.play_count, known.approximate) == (12000, {"play_count": "rounded"})
    assert read_enrichment(definition("xiaohongshu"), "play_count", made.inner({"readNum": 0}), asked.route) == {}


def test_what_a_platform_does_not_sell_is_not_asked_for() -> None:
    assert enrichment(definition("xiaohongshu"), "downloads", works(3)) == ()
