"""How long the answer of each route of the catalogue stands for a new one."""

from __future__ import annotations

import pytest

from tikomni import catalog
from tikomni.catalog import DEFAULT_PRICE_USD
from tikomni.dispatch import shelf
from tikomni.settings import Settings

ROUTES = {route.id: route for route in catalog.all_routes()}


def test_every_object_of_the_catalogue_has_a_shelf():
    assert {route.object for route in ROUTES.values()} <= shelf.OBJECTS.keys()
    assert {shelf.group(route) for route in ROUTES.values()} == {"facts", "lists", "rankings", "text", None}


@pytest.mark.parametrize(
    ("route", "group"),
    [
        ("douyin.app.v3.fetch_one_video", "facts"),
        ("douyin.app.v3.handler_user_profile", "facts"),
        ("douyin.app.v3.fetch_user_post_videos", "lists"),
        ("douyin.app.v3.fetch_video_comments", "lists"),
        ("douyin.app.v3.fetch_hot_search_list", "rankings"),
        ("bilibili.app.fetch_home_feed", "rankings"),
        ("youtube.web.get_video_subtitles", "text"),
        ("u2.tasks", None),
        ("health.check", None),
        ("tikhub.user.calculate_price", None),
        ("temp_mail.v1.get_emails_inbox", None),
        ("sora2.get_task_detail", None),
    ],
)
def test_what_a_route_tells_says_how_long_it_holds(route, group):
    assert shelf.group(ROUTES[route]) == group


def test_what_does_more_than_read_is_never_answered_from_what_is_stored():
    assert {shelf.group(r) for r in ROUTES.values() if r.effect not in ("read", "account_read")} == {None}


def test_what_costs_nothing_is_asked_each_time():
    free = [r for r in ROUTES.values() if r.price == 0]
    assert free and all(shelf.group(r) is None for r in free) and DEFAULT_PRICE_USD > 0


def test_one_age_overrides_them_all_but_text():
    own, one = Settings(), Settings(max_age_sec=5)
    assert [own.shelf_life(g) for g in ("facts", "lists", "rankings")] == [86_400, 21_600, 600]
    assert [one.shelf_life(g) for g in ("facts", "lists", "rankings")] == [5, 5, 5]
    assert own.shelf_life("text") == one.shelf_life("text") == float("inf")
