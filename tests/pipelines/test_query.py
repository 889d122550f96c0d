"""What the platform is asked to choose by itself, and what is left out whatever it chose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tikomni.facts import Work
from tikomni.pipelines.query import Query, choices, unwanted
from tikomni.platforms import definition

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def query(platform: str, what: str = "search", **more) -> Query:
    return Query(platform, what, "x", {}, **more)


@pytest.mark.parametrize(
    ("days", "window"), [(0.5, "1"), (1, "1"), (2, "7"), (7, "7"), (30, "180"), (180, "180"), (400, None)]
)
@pytest.mark.parametrize("platform", ["douyin", "xiaohongshu"])
def test_the_shortest_window_that_reaches_back_is_asked_for(platform: str, days: float, window: str | None) -> None:
    asked = choices(definition(platform), query(platform, since=NOW - timedelta(days=days)), NOW)
    assert asked.get("window") == window


def test_a_platform_is_asked_only_for_what_it_can() -> None:
    wishes = {"sort": "comments", "kind": "video", "since": NOW - timedelta(days=7)}
    assert set(choices(definition("xiaohongshu"), query("xiaohongshu", **wishes), NOW)) == {"sort", "kind", "window"}
    assert set(choices(definition("douyin"), query("douyin", **wishes), NOW)) == {"kind", "window"}
    assert choices(definition("xiaohongshu"), query("xiaohongshu", "topic", **wishes), NOW) == {}
    assert choices(definition("douyin"), query("douyin", "topic", sort="likes"), NOW) == {"sort": "likes"}
    assert choices(definition("douyin"), query("douyin"), NOW) == {}


WORK = Work("douyin", "1", media_kind="video", digg_count=100, published_at="2026-10-30T12:00:00+00:00")


@pytest.mark.parametrize(
    ("wish", "change", "why"),
    [
        ({}, {"digg_count": None, "published_at": None}, None),
        ({"kind": "video"}, {}, None),
        ({"kind": "images"}, {}, "other_kind"),
        ({"kind": "images"}, {"media_kind": "mixed"}, None),
        ({"min_likes": 100}, {}, None),
        ({"min_likes": 101}, {}, "few_likes"),
        ({"min_likes": 0}, {"digg_count": None}, "likes_unknown"),
        ({"since": NOW - timedelta(days=2)}, {}, None),
        ({"since": NOW - timedelta(days=1)}, {}, "older"),
        ({"since": NOW - timedelta(days=1)}, {"published_at": None}, "undated"),
    ],
)
def test_works_that_do_not_fit_say_why(wish: dict, change: dict, why: str | None) -> None:
    assert unwanted(replace(WORK, **change), query("douyin", **wish)) == why
