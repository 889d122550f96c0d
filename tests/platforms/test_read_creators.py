"""Profiles as routes mix them up: each trap of earlier readers is a test."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tikomni.platforms import CreatorReading, definition, merge_creators, read_creator
from tikomni.platforms.people import read_ids, resolvers

PROFILE, NOTES = "douyin.app.v3.handler_user_profile", "xiaohongshu.app_v2.get_user_info"
SEC = "MS4wLjABAAAAmadeupmadeupmadeupmadeup"
USER = "5f00000000000000000000aa"


@pytest.fixture(scope="module")
def read(made):
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    def one(body: Any, route: str = PROFILE, **wanted: str) -> CreatorReading:
        platform = definition(route.partition(".")[0])
        return read_creator(platform, body, route, wanted, ZoneInfo("Asia/Shanghai"), datetime(2026, 5, 1, tzinfo=UTC))

    return one


def user(**changes: Any) -> dict[str, Any]:
    base = {
        "uid": "60000000001", "sec_uid": SEC, "unique_id": "kitchen.cat", "short_id": "0", "nickname": "厨房猫",
        "signature": "每周两更\n别催", "avatar_larger": {"uri": "x", "url_list": ["https://img.example/a.webp"]},
        "follower_count": 18450, "following_count": 30, "total_favorited": 99999, "favoriting_count": 77,
        "aweme_count": 712, "ip_location": "IP属地：浙江", "custom_verify": "", "enterprise_verify_reason": "",
        "verification_type": 0, "secret": 0, "user_canceled": False,
    }  # fmt: skip
    return {name: value for name, value in (base | changes).items() if value is not None}


def note_taker(**changes: Any) -> dict[str, Any]:
    base = {
        "userid": USER, "red_id": "chef9", "nickname": "小厨", "desc": "一人食", "imageb": "https://img.example/b.jpg",
        "fans": 6231, "follows": 34, "liked": 91362, "collected": 40277, "ndiscovery": 50,
        "note_num_stat": {"posted": 57}, "ip_location": "湖北", "red_official_verified": False,
        "red_official_verify_type": 0, "red_official_verify_content": "",
    }  # fmt: skip
    return {name: value for name, value in (base | changes).items() if value is not None}


def test_a_whole_profile(read, made) -> None:
    reading = read(made.envelope({"status_code": 0, "user": user()}))
    creator = reading.creator
    assert (reading.verdict, reading.hidden) == ("ok", None)
    assert (creator.platform_author_id, creator.author_handle, creator.author_name) == (SEC, "kitchen.cat", "厨房猫")
    assert (creator.fans_count, creator.following_count, creator.works_count) == (18450, 30, 712)
    assert creator.liked_count == 99999, "not what the person liked"
    assert creator.collected_count is None and creator.missing == {"collected_count": "not_published"}
    assert (creator.ip_location, creator.signature) == ("浙江", "每周两更\n别催")
    assert creator.avatar_url == "https://img.example/a.webp"
    assert creator.profile_url == f"https://www.douyin.com/user/{SEC}"
    assert creator.platform_native_ids == {"uid": "60000000001", "sec_uid": SEC, "unique_id": "kitchen.cat"}
    assert creator.field_sources["fans_count"] == f"{PROFILE}:follower_count"
    assert creator.snapshot_at == "2026-05-01T08:00:00+08:00"


def test_what_the_upstream_tells_back_of_the_request_is_nobody_s(read, made) -> None:
    body = {"code": 200, "params": {"sec_user_id": SEC, "nickname": "猜错了"}, "user": None, "data": {"user": None}}
    assert read(body).verdict == "empty"


@pytest.mark.parametrize(
    ("unique", "short", "handle"),
    [("a.b", "9041", "a.b"), ("", "9041", "9041"), ("0", "9041", "9041"), ("", "0", None)],
)
def test_a_handle_is_neither_empty_nor_0(read, made, unique: str, short: str, handle: str | None) -> None:
    creator = read(made.envelope({"user": user(unique_id=unique, short_id=short)})).creator
    assert creator.author_handle == handle
    assert ("author_handle" in creator.missing) is (handle is None)


@pytest.mark.parametrize(
    ("changes", "verified", "reason"),
    [
        ({"custom_verify": "美食博主"}, True, "美食博主"),
        ({"enterprise_verify_reason": "店铺"}, True, "店铺"),
        ({"verification_type": 1}, False, None),
        ({"verification_type": -1}, False, None),
        ({"custom_verify": None, "enterprise_verify_reason": None}, None, None),
    ],
)
def test_verified_is_who_has_a_reason(read, made, changes, verified, reason) -> None:
    creator = read(made.envelope({"user": user(**changes)})).creator
    assert (creator.verified, creator.verified_reason) == (verified, reason)


@pytest.mark.parametrize(
    ("changes", "verified"),
    [
        ({}, False),
        ({"red_official_verified": True}, True),
        ({"red_official_verify_type": 2}, True),
        ({"red_official_verify_content": "官方账号"}, True),
        ({"red_official_verified": None, "red_official_verify_type": None, "red_official_verify_content": None}, None),
    ],
)
def test_note_takers_are_verified_by_any_sign_of_it(read, made, changes, verified) -> None:
    assert read(made.inner(note_taker(**changes)), NOTES).creator.verified is verified


@pytest.mark.parametrize(
    ("told", "count", "approximation"),
    [("1.2万", 12000, "rounded"), ("10w+", 100000, "at_least"), ("1,234", 1234, None), ("182", 182, None)],
)
def test_counts_as_pages_show_them(read, made, told: str, count: int, approximation: str | None) -> None:
    creator = read(made.inner(note_taker(fans=told)), NOTES).creator
    assert creator.fans_count == count and creator.approximate.get("fans_count") == approximation


@pytest.mark.parametrize("told", ["很多", "", None, -1, True, 1.5, {}, []])
def test_what_is_no_count_is_not_zero(read, made, told: Any) -> None:
    reading = read(made.inner(note_taker(fans=told)), NOTES)
    assert reading.creator.fans_count is None and reading.creator.missing["fans_count"] == "not_in_answer"
    assert (reading.verdict, reading.reason) == ("sparse", "fans_count")


def test_likes_and_collects_that_come_as_one_number_are_neither(read, made) -> None:
    rows = [
        {"type": "follows", "count": "34"}, {"type": "fans", "count": "1.2万"}, {"type": "interaction", "count": "9"},
    ]  # fmt: skip
    state = {"basicInfo": {"nickname": "小厨", "redId": "chef9", "desc": "x", "ipLocation": ""}, "interactions": rows}
    reading = read(made.inner(state), NOTES, creator_id=USER)
    creator = reading.creator
    assert (creator.fans_count, creator.following_count, creator.author_handle) == (12000, 34, "chef9")
    assert (creator.liked_count, creator.collected_count, creator.ip_location) == (None, None, None)
    assert creator.platform_author_id == USER and (reading.verdict, reading.reason) == ("sparse", "works_count")
    assert read(made.inner(state), NOTES).reason == "no_id"


def test_a_private_account_s_zeros_are_unknown(read, made) -> None:
    hidden = user(secret=1, follower_count=0, aweme_count=0, total_favorited=0, following_count=0, ip_location=None)
    reading = read(made.envelope({"user": hidden}))
    assert (reading.verdict, reading.hidden) == ("ok", "private")
    assert reading.creator.works_count is None and reading.creator.missing["works_count"] == "private"
    assert reading.creator.author_name == "厨房猫"


def test_closed_and_unknown_accounts_are_gone(read, made) -> None:
    assert read(made.envelope({"user": user(user_canceled=True)})).reason == "closed"
    said = {"status_code": 2065, "status_msg": "用户不存在", "user": None}
    assert (read(made.envelope(said)).verdict, read(made.envelope(said)).note) == ("gone", "用户不存在")
    inner = {"code": -10002, "success": False, "msg": "该账号已注销", "data": {}}
    assert read(made.envelope(inner), NOTES).verdict == "gone"
    broken = {"code": -1, "success": False, "msg": "服务异常", "data": {}}
    assert read(made.envelope(broken), NOTES).verdict == "failed"


def test_another_person_s_profile_is_not_taken(read, made) -> None:
    assert read(made.envelope({"user": user()}), creator_id="MS4wLjABAAAAsomebodyelse").reason == "another_creator"
    assert read(made.envelope({"user": user()}), handle="somebody").reason == "another_creator"
    assert read(made.envelope({"user": user()}), handle="KITCHEN.CAT").verdict == "ok"


def test_two_thin_profiles_make_a_whole_one(read, made) -> None:
    thin = read(made.inner(note_taker(note_num_stat=None, ndiscovery=None, fans="1.2万")), NOTES)
    more = read(made.inner(note_taker(fans=12034)), "xiaohongshu.app.get_user_info")
    both = merge_creators(thin, more, definition("xiaohongshu"))
    assert (thin.reason, both.verdict, both.creator.works_count) == ("works_count", "ok", 57)
    assert both.creator.fans_count == 12000 and both.creator.approximate == {"fans_count": "rounded"}
    assert both.creator.field_sources["works_count"].startswith("xiaohongshu.app.get_user_info:")
    assert "works_count" not in both.creator.missing
    other = read(made.inner(note_taker(userid="5f00000000000000000000bb")), NOTES)
    assert merge_creators(thin, other, definition("xiaohongshu")) is thin


def test_resolvers_take_only_the_account_that_was_meant() -> None:
    known = {"handle": "Chef9"}
    request, row = resolvers(definition("xiaohongshu"), known)[0]
    assert (request.route, request.inputs) == ("xiaohongshu.app_v2.search_users", {"keyword": "Chef9"})
    users = [{"id": "5f00000000000000000000bb", "red_id": "chef99"}, {"id": USER, "red_id": "chef9"}]
    assert read_ids(row, {"data": {"code": 0, "data": {"users": users}}}, known) == {"creator_id": USER}
    assert read_ids(row, {"data": {"code": 0, "data": {"users": users[:1]}}}, known) == {}
    assert read_ids(row, {"data": {"users": [{"id": USER}]}}, known) == {}
    (_, bare), *_ = resolvers(definition("douyin"), {"short_url": "https://v.douyin.com/abcd/"})
    assert read_ids(bare, {"code": 200, "data": SEC}, {}) == {"creator_id": SEC}
    assert read_ids(bare, {"code": 200, "data": None}, {}) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "user", "nickname", "sec_uid", "userid", "fans", "custom_verify", "secret"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(body=JSON, route=st.sampled_from([PROFILE, NOTES]))
def test_whatever_an_answer_holds_it_gets_a_verdict(body: Any, route: str) -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    platform = definition(route.partition(".")[0])
    reading = read_creator(platform, body, route, {}, ZoneInfo("UTC"), datetime(2026, 5, 1, tzinfo=UTC))
    assert (reading.creator is None) == (reading.verdict in ("empty", "gone", "failed"))
