"""Whose profile it is: no call where the link says, one where it must be asked, none further where nobody knows."""

from __future__ import annotations

import pytest

from tikomni.errors import UpstreamError
from tikomni.pipelines.identity import profile_of
from tikomni.platforms import read_links
from tikomni.sandbox import links


def target(text: str, platform: str | None = None):
    (found,) = read_links(text, platform, "creator")
    return found


@pytest.mark.parametrize("name", ["repair", "dy_60", "kitchen", "xhs_60"])
def test_who_is_named_by_id_is_asked_for_once(place, name: str) -> None:
    for text in (links[name].url, links[name].id, f"看看 {links[name].url} 更多作品"):
        given = target(text, links[name].platform)
        ids, _ = place.run(lambda dispatcher, given=given: profile_of(given, dispatcher, further=0))
        assert ids["creator_id"] == links[name].id
    assert len(place.asked) == 1


PROFILES = {"douyin": "douyin.app.v3.handler_user_profile", "xiaohongshu": "xiaohongshu.app_v2.get_user_info"}
BY_HANDLE, BY_NUMBER = "douyin.web.handler_user_profile_v2", "douyin.web.fetch_user_profile_by_short_id"


@pytest.mark.parametrize(
    ("text", "platform", "name", "asked"),
    [
        ("qunxiang_60", "douyin", "dy_60", [BY_HANDLE]),
        ("抖音号：QUNXIANG_60", None, "dy_60", [BY_HANDLE]),
        ("80231746", "douyin", "cats", [BY_HANDLE, BY_NUMBER]),
        ("xiaoman_kitchen", "xiaohongshu", "kitchen", ["xiaohongshu.app_v2.search_users", PROFILES["xiaohongshu"]]),
        ("小红书号: 2650418837", None, "balcony", ["xiaohongshu.app_v2.search_users", PROFILES["xiaohongshu"]]),
        ("", "douyin", "repair", ["douyin.web.get_sec_user_id", PROFILES["douyin"]]),
        ("", "xiaohongshu", "kitchen", [PROFILES["xiaohongshu"]]),
    ],
)  # fmt: skip
def test_handles_and_short_links_are_asked_for(place, text: str, platform: str, name: str, asked: list[str]) -> None:
    given = target(text or links[name].text, platform)
    ids, _ = place.run(lambda dispatcher: profile_of(given, dispatcher, further=0))
    assert ids["creator_id"] == links[name].id and place.asked == asked


def test_an_answer_that_resolves_is_the_profile_as_well(place) -> None:
    ids, reading = place.run(lambda dispatcher: profile_of(target("qunxiang_60", "douyin"), dispatcher))
    assert reading.creator.works_count == 60 and ids["creator_id"] == links["dy_60"].id
    ids, reading = place.run(lambda dispatcher: profile_of(target(links["kitchen"].text), dispatcher))
    assert reading.creator.author_handle == "xiaoman_kitchen"
    assert place.asked == ["douyin.web.handler_user_profile_v2", "xiaohongshu.app_v2.get_user_info"]


@pytest.mark.parametrize(
    ("text", "platform", "calls"),
    [("nobody_at_all", "douyin", 2), ("nobody_at_all", "xiaohongshu", 2), ("https://v.douyin.com/Unknown1/", None, 1)],
)
def test_nobody_is_nobody_and_nothing_further_is_asked(place, text: str, platform: str | None, calls: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        place.run(lambda dispatcher: profile_of(target(text, platform), dispatcher))
    assert caught.value.code in ("not_found", "gone") and len(place.asked) <= calls
    assert not any("post" in route or "notes" in route for route in place.asked)


@pytest.mark.parametrize("name", ["dy_closed", "xhs_closed"])
def test_a_closed_account_is_gone(place, name: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        place.run(lambda dispatcher: profile_of(target(links[name].url), dispatcher))
    assert caught.value.code == "gone" and len(place.asked) == 1


def test_a_private_account_tells_who_it_is_and_no_more(place) -> None:
    _, reading = place.run(lambda dispatcher: profile_of(target(links["locked"].url), dispatcher))
    assert reading.hidden == "private" and reading.creator.author_name
    assert reading.creator.fans_count is None and reading.creator.missing["fans_count"] == "private"


def test_another_route_knows_where_the_first_fails(place, sandbox) -> None:
    sandbox.faults.add("douyin.app.v3.handler_user_profile", "status", times=None, status=503)
    _, reading = place.run(lambda dispatcher: profile_of(target(links["repair"].url), dispatcher))
    assert reading.creator.fans_count == 268413
    assert place.asked[-1] == "douyin.web.handler_user_profile"
