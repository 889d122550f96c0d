from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tikomni.platforms import Target
from tikomni.platforms import read_links as read

ID = "7400000000000000001"
ID2 = "7400000000000000002"
NOTE = "66aa00000000000000000001"
NOTE2 = "66aa00000000000000000002"
USER = "5f00000000000000000000aa"
SEC = "MS4wLjABAAAA" + "made_up-" * 6


def only(text: str, platform: str | None = None) -> Target:
    (target,) = read(text, platform)
    return target


def brief(text: str) -> list[tuple[str | None, str]]:
    return [(t.platform, t.kind) for t in read(text)]


# --- share texts


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "7.43 复制打开抖音，看看【厨房猫的作品】炖牛腩 https://v.douyin.com/iRNBho5m/ h@b.Nj 10/02 nqr:/ ",
            "iRNBho5m",
        ),
        ("https://v.douyin.com/abc_1-d/复制此链接，打开抖音", "abc_1-d"),
        ("看这个v.douyin.com/xyzw", "xyzw"),
        ("（https://v.douyin.com/xyzw/）。", "xyzw"),
        ("🍅https://v.douyin.com/xyzw/🍅好吃", "xyzw"),
        ("链接：https：／／ｖ．ｄｏｕｙｉｎ．ｃｏｍ／ｘｙｚｗ／", "xyzw"),
        ('<a href="https://v.douyin.com/xyzw/">', "xyzw"),
        ("[炖牛腩](https://v.douyin.com/xyzw/)", "xyzw"),
        ("HTTPS://V.DOUYIN.COM/xyzw/!!", "xyzw"),
        ("\u200bv.douyin.com/xyzw\u200b", "xyzw"),
        ("https://v.douyin.com:443/xyzw", "xyzw"),
        ("https://v.douyin.com./xyzw", "xyzw"),
    ],
)
def test_a_short_link_is_found_in_any_prose(text: str, code: str) -> None:
    target = only(text)
    assert (target.platform, target.kind, target.ids["code"]) == ("douyin", "short", code)
    assert target.ids["short_url"] == target.url
    assert target.url is not None and target.url.lower().startswith("https://v.douyin.com")


@pytest.mark.parametrize("path", ["a/AbC123", "m/AbC123", "o/AbC123", "AbC123"])
@pytest.mark.parametrize("scheme", ["http://", "https://", ""])
def test_short_links_of_xiaohongshu(scheme: str, path: str) -> None:
    target = only(f"12 厨师发布了一篇笔记 😆 {scheme}xhslink.com/{path}，复制本条信息")
    assert (target.platform, target.kind, target.ids["code"]) == ("xiaohongshu", "short", "AbC123")
    assert target.url == f"{scheme or 'https://'}xhslink.com/{path}"


def test_a_text_may_hold_many_links_and_keeps_their_order() -> None:
    text = f"""
    1. https://www.xiaohongshu.com/explore/{NOTE}?xsec_token=a
    2. https://v.douyin.com/aaaa/ 3. https://www.douyin.com/video/{ID}
    again: https://v.douyin.com/aaaa/?x=1 and https://www.iesdouyin.com/share/video/{ID}/?region=CN
    """
    assert [(t.platform, t.kind) for t in read(text)] == [
        ("xiaohongshu", "work"),
        ("douyin", "short"),
        ("douyin", "work"),
    ]


@pytest.mark.parametrize("between", [" ", "\n", ",", "，", ";", "、", "", "/"])
def test_links_may_touch(between: str) -> None:
    text = f"https://v.douyin.com/aaaa{between}https://v.douyin.com/bbbb"
    if between == "":
        text = "https://v.douyin.com/aaaa/https://v.douyin.com/bbbb/"
    assert [t.ids["code"] for t in read(text)] == ["aaaa", "bbbb"]


# --- pages


@pytest.mark.parametrize(
    "address",
    [
        f"https://www.douyin.com/video/{ID}",
        f"www.douyin.com/video/{ID}?previous_page=app_code_link",
        f"https://www.douyin.com/note/{ID}",
        f"https://www.douyin.com/article/{ID}",
        f"https://m.douyin.com/share/video/{ID}/",
        f"https://www.iesdouyin.com/share/note/{ID}/?region=CN&amp;mid=1",
        f"iesdouyin.com/share/slides/{ID}",
        f"https://www.douyin.com/?modal_id={ID}",
        f"https://www.douyin.com/jingxuan?a=b&modal_id={ID}",
        f"https://www.douyin.com/user/{SEC}?from_tab_name=main&modal_id={ID}&vid=1",
        f"https://www.douyin.com/user/self?modal_id={ID}&amp;x=2",
        f"https://www.douyin.com/video/{ID2}?modal_id={ID}",
        f"https://www.douyin.com/search/x?modal_id={ID}",
        f"https://www.douyin.com/search/家常菜?aid=1&modal_id={ID}&type=general",
        f"https://www.douyin.com/discover?keyword=家常菜&modal_id={ID}",
        f"https://www.douyin.com/user/{SEC}?vid={ID}",
        f"https://www.iesdouyin.com/share/x?aweme_id={ID}",
        f"https://www.douyin.com/discover?item_id={ID}",
    ],
)
def test_addresses_of_a_douyin_work(address: str) -> None:
    target = only(address)
    assert (target.platform, target.kind, target.ids["work_id"]) == ("douyin", "work", ID)
    assert "&amp;" not in (target.url or "")


def test_where_an_account_is_wanted_it_counts_before_the_work_that_is_open_over_it() -> None:
    address = f"https://www.douyin.com/user/{SEC}?from_tab_name=main&modal_id={ID}&vid={ID}"
    assert [(t.kind, t.ids) for t in read(address, None, "creator")] == [("creator", {"creator_id": SEC})]
    assert [t.kind for t in read(f"https://www.douyin.com/?modal_id={ID}", None, "creator")] == ["work"]


def test_what_a_douyin_address_says_of_the_kind_is_kept() -> None:
    assert only(f"https://www.douyin.com/article/{ID}").ids["note_type"] == "article"
    assert only(f"https://www.iesdouyin.com/share/slides/{ID}").ids["note_type"] == "note"
    assert "note_type" not in only(f"https://www.douyin.com/?modal_id={ID}").ids


@pytest.mark.parametrize(
    ("address", "kind", "ids"),
    [
        (f"https://www.douyin.com/user/{SEC}", "creator", {"creator_id": SEC}),
        (f"https://www.iesdouyin.com/share/user/{SEC}?from=1", "creator", {"creator_id": SEC}),
        (f"https://www.iesdouyin.com/share/user/61000000001?sec_uid={SEC}", "creator", {"creator_id": SEC}),
        ("https://www.iesdouyin.com/share/user/61000000001", "creator", {"uid": "61000000001"}),
        (f"https://www.douyin.com/collection/{ID}", "collection", {"place": ID}),
        (f"https://www.iesdouyin.com/share/mix/detail/{ID}/", "collection", {"place": ID}),
        ("https://live.douyin.com/839204716355?x=1", "live", {"place": "839204716355"}),
        (f"https://www.douyin.com/music/{ID}", "music", {"place": ID}),
        ("https://www.douyin.com/hashtag/1600000000000000", "topic", {"topic_id": "1600000000000000"}),
        ("https://www.iesdouyin.com/share/challenge/1600000000000000", "topic", {"topic_id": "1600000000000000"}),
        ("https://www.douyin.com/search/%E7%8C%AB?type=video", "search", {}),
        ("https://www.douyin.com/", "other", {}),
        ("https://www.douyin.com/video/123", "other", {}),
    ],
)
def test_other_douyin_pages_are_named(address: str, kind: str, ids: dict[str, str]) -> None:
    target = only(address)
    assert (target.platform, target.kind, target.ids) == ("douyin", kind, ids)
    assert target.reason == ("unsupported_page" if kind == "other" else None)


@pytest.mark.parametrize("host", ["https://www.xiaohongshu.com", "www.rednote.com", "https://edith.xiaohongshu.com"])
@pytest.mark.parametrize("path", ["explore/", "discovery/item/", "search_result/", f"user/profile/{USER}/"])
def test_addresses_of_a_note(host: str, path: str) -> None:
    target = only(f"{host}/{path}{NOTE}?xsec_token=ABc-d%3D&amp;xsec_source=pc_share&type=normal")
    assert (target.platform, target.kind, target.ids["work_id"]) == ("xiaohongshu", "work", NOTE)
    assert target.ids["xsec_token"] == "ABc-d="
    assert target.ids["xsec_source"] == "pc_share"
    assert target.ids["note_type"] == "normal"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (f"https://www.xiaohongshu.com/user/profile/{USER}?xsec_token=a", "creator"),
        (f"https://www.xiaohongshu.com/anything?note_id={NOTE}", "work"),
        ("https://www.xiaohongshu.com/search_result?keyword=x", "search"),
        (f"https://www.xiaohongshu.com/page/topics/{NOTE}", "topic"),
        (f"https://www.xiaohongshu.com/board/{NOTE}", "collection"),
        ("https://www.xiaohongshu.com/explore", "other"),
        ("https://www.xiaohongshu.com/explore/zz", "other"),
    ],
)
def test_other_xiaohongshu_pages_are_named(address: str, kind: str) -> None:
    target = only(address)
    assert (target.platform, target.kind) == ("xiaohongshu", kind)


def test_a_token_keeps_its_plus_sign() -> None:
    assert only(f"https://www.xiaohongshu.com/explore/{NOTE}?xsec_token=AB+c/d=").ids["xsec_token"] == "AB+c/d="


# --- bare ids


@pytest.mark.parametrize(
    ("text", "platform", "expected"),
    [
        (ID, None, ("douyin", "work", {"work_id": ID})),
        (f"作品ID：{ID}。", None, ("douyin", "work", {"work_id": ID})),
        ("７４００００００００００００００００１", None, ("douyin", "work", {"work_id": ID})),
        (NOTE, None, ("xiaohongshu", "work", {"work_id": NOTE})),
        (SEC, None, ("douyin", "creator", {"creator_id": SEC})),
        ("123456789012345", "douyin", ("douyin", "work", {"work_id": "123456789012345"})),
        (NOTE, "xiaohongshu", ("xiaohongshu", "work", {"work_id": NOTE})),
    ],
)
def test_an_id_alone(text: str, platform: str | None, expected: tuple[str, str, dict[str, str]]) -> None:
    target = only(text, platform)
    assert (target.platform, target.kind, target.ids) == expected
    assert target.url is None


@pytest.mark.parametrize("between", [" ", "\n", ",", "，", ", ", ";", "\t", "、"])
def test_several_ids(between: str) -> None:
    assert [t.ids["work_id"] for t in read(between.join([ID, NOTE, ID2, ID]))] == [ID, NOTE, ID2]


@pytest.mark.parametrize(
    ("text", "platform", "reason"),
    [
        ("123456789012345", None, "no_link"),  # 15 to 18 digits may be many things
        (NOTE, "douyin", "invalid_id"),
        (ID, "xiaohongshu", "invalid_id"),
        (NOTE.upper(), "xiaohongshu", "invalid_id"),
        (ID + "00", "douyin", "invalid_id"),
        ("今天吃什么", None, "no_link"),
        ("今天吃什么", "douyin", "no_link"),
        ("a" * 24 + "xyz", None, "no_link"),
        (f"x{ID}", None, "no_link"),
        (f"{ID}.mp4", None, "no_link"),
    ],
)
def test_a_text_that_names_nothing_says_why(text: str, platform: str | None, reason: str) -> None:
    target = only(text, platform)
    assert (target.kind, target.reason, target.platform) == ("other", reason, platform)


def test_a_blank_text_names_nothing() -> None:
    assert read("") == read(" \n\u3000") == ()


# --- whose host it is


@pytest.mark.parametrize(
    "text",
    [
        f"https://www.douyin.com@evil.com/video/{ID}",
        f"https://www.douyin.com:pw@evil.com/video/{ID}",
        f"https://douyin.com.evil.cn/video/{ID}",
        "https://xhslink.com.evil.com/a/abcdef",
        f"https://notdouyin.com/video/{ID}",
        f"https://www-douyin.com/video/{ID}",
        f"https://evil.com/?u=douyin.com/video/{ID}",
        f"https://evil.com/?u=https://www.douyin.com/video/{ID}",
        f"https://evil.com/?u=https%3A%2F%2Fwww.douyin.com%2Fvideo%2F{ID}",
        f"https://evil.com/https://www.douyin.com/video/{ID}",
        f"https://evil.com#www.douyin.com/video/{ID}",
        f"https://evil.com\\@www.douyin.com/video/{ID}",
        f"https://evil.com/%2e%2e/www.douyin.com/video/{ID}",
        f"evil.com/?u=douyin.com/video/{ID}",
        f"evil.com/www.douyin.com/video/{ID}",
        f"https://www%2Edouyin.com/video/{ID}",
        f"https://抖音douyin.com/video/{ID}",
        f"https://www.dоuyin.com/video/{ID}",  # a Cyrillic o
        f"https://www.douyın.com/video/{ID}",
        f"https://www.dou\u200byin.com/video/{ID}",
        f"https://xhslin\u212a.com/a/abcdef{ID}",  # the sign for Kelvin becomes a k in lower case
        f"https://evil.com/{'a' * 5000}/https://www.douyin.com/video/{ID}",
    ],
)
def test_a_look_alike_is_foreign(text: str) -> None:
    assert brief(text) == [(None, "other")]
    assert only(text).reason == "foreign_host"


@pytest.mark.parametrize("before", ["d", "x-", "@", "/", "e\u200b", "д", "%2F", "="])
def test_a_link_without_scheme_starts_where_a_word_does(before: str) -> None:
    assert only(f"{before}douyin.com/video/{ID}").platform is None


def test_a_nested_link_of_a_known_host_is_not_followed() -> None:
    target = only(f"https://www.douyin.com/?to=https://evil.com/x&modal_id={ID}")
    assert target.ids["work_id"] == ID
    assert only("https://www.douyin.com/go?url=https%3A%2F%2Fevil.com").kind == "other"


def test_words_behind_a_link_are_no_part_of_it() -> None:
    assert only("https://v.douyin.com/xyzw/好看吗?好看").ids["short_url"] == "https://v.douyin.com/xyzw/"
    assert only(f"https://www.douyin.com/video/{ID}看看?").ids["work_id"] == ID


def test_a_word_that_looks_like_an_address_does_not_disturb() -> None:
    assert brief("用node.js/react写的 https://v.douyin.com/xyzw/") == [("douyin", "short")]


# --- elsewhere

LONG = "7400000000000000009"
ELSEWHERE = [
    ("https://www.tiktok.com/@a.b/video/{LONG}?x=1", "tiktok.app.v3.fetch_one_video", {"aweme_id": LONG}),
    ("https://vm.tiktok.com/ZMabcdef/", "tiktok.app.v3.fetch_one_video_by_share_url", "share_url"),
    ("https://www.tiktok.com/@a.b?lang=en", "tiktok.web.fetch_user_profile", {"uniqueId": "a.b"}),
    ("https://www.bilibili.com/video/BV1xx411c7mD/?p=1", "bilibili.web.fetch_one_video", {"bv_id": "BV1xx411c7mD"}),
    ("https://space.bilibili.com/12345", "bilibili.web.fetch_user_profile", {"uid": "12345"}),
    ("https://b23.tv/aBcDeFg", "bilibili.web.fetch_one_video_v3", "url"),
    ("https://youtu.be/abcdefghi_-?t=3", "youtube.web_v2.get_video_info", {"video_id": "abcdefghi_-"}),
    ("https://m.youtube.com/watch?v=abcdefghi_-", "youtube.web_v2.get_video_info", {"video_id": "abcdefghi_-"}),
    ("https://www.youtube.com/@somebody", "youtube.web_v2.get_channel_id", "channel_url"),
    ("https://www.instagram.com/reel/Abc_d-1/", "instagram.v1.fetch_post_by_url", "post_url"),
    ("https://www.instagram.com/some.body/", "instagram.v2.fetch_user_info", {"username": "some.body"}),
    ("https://www.kuaishou.com/short-video/3xabcdef", "kuaishou.app.fetch_one_video", {"photo_id": "3xabcdef"}),
    ("https://v.kuaishou.com/abCDef", "kuaishou.app.fetch_one_video_by_url", "share_text"),
    ("https://weibo.com/1234567890/Abcdefghi", "weibo.web_v2.fetch_post_detail", {"id": "Abcdefghi"}),
    ("https://weibo.com/u/1234567890", "weibo.web_v2.fetch_user_info", {"uid": "1234567890"}),
    ("https://x.com/some_body/status/12345678", "twitter.web.fetch_tweet_detail", {"tweet_id": "12345678"}),
    ("https://twitter.com/some_body", "twitter.web.fetch_user_profile", {"screen_name": "some_body"}),
    ("https://www.threads.net/@a.b/post/DAbc12", "threads.web.fetch_post_detail_v2", {"post_id": "DAbc12"}),
    ("https://old.reddit.com/r/cats/comments/1abcde/t/", "reddit.app.fetch_post_details", {"post_id": "t3_1abcde"}),
    ("https://zhuanlan.zhihu.com/p/123456", "zhihu.web.fetch_column_article_detail", {"article_id": "123456"}),
    ("https://www.zhihu.com/people/some-body", "zhihu.web.fetch_user_info", {"user_url_token": "some-body"}),
    ("https://www.toutiao.com/article/{LONG}/", "toutiao.app.get_article_info", {"group_id": LONG}),
    ("https://www.ixigua.com/{LONG}", "xigua.app.v2.fetch_one_video_v2", {"item_id": LONG}),
    ("https://mp.weixin.qq.com/s/Abc-d", "wechat_mp.web.fetch_mp_article_detail_json", "url"),
    ("https://www.linkedin.com/in/some-body/", "linkedin.web.get_user_profile", {"username": "some-body"}),
    ("https://www.lemon8-app.com/@a/{LONG}", "lemon8.app.fetch_post_detail", {"item_id": LONG}),
    ("https://h5.pipix.com/item/{LONG}", "pipixia.app.fetch_post_detail", {"cell_id": LONG}),
]


@pytest.mark.parametrize(("address", "route", "inputs"), ELSEWHERE)
def test_links_elsewhere_say_which_route_answers(address: str, route: str, inputs: str | dict[str, str]) -> None:
    """An input given by its name alone is the link itself."""
    address = address.replace("{LONG}", LONG)
    target = only(address)
    assert target.kind == ("creator" if "user" in route or "channel" in route else "work")
    assert target.elsewhere is not None
    assert target.platform == target.elsewhere.platform
    assert target.elsewhere.route == route
    assert target.elsewhere.inputs == ({inputs: address} if isinstance(inputs, str) else inputs)


def test_a_page_elsewhere_that_no_route_answers_is_still_named() -> None:
    target = only("https://www.zhihu.com/question/123456/answer/7891011")
    assert target.elsewhere is not None
    assert (target.kind, target.elsewhere.name, target.elsewhere.route) == ("work", "Zhihu", None)
    assert only("https://www.zhihu.com/").elsewhere is not None


# --- whatever is pasted

PIECES = (
    *("https://", "http://", "www.", "douyin.com", "v.douyin.com/", "xhslink.com", "/", "?", "#", "@", ":", "&amp;"),
    *(
        "/video/",
        ID,
        NOTE,
        "modal_id=",
        "=",
        "&",
        " ",
        "。",
        "看",
        ".",
        "evil.com",
        "\u200b",
        "😀",
        "．",
        "a",
        "-",
        "\ud800",
    ),
)


@given(
    st.text() | st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.sampled_from([None, "douyin", "xiaohongshu"]),
)
@example("https://[::1]/x", None)
@example("http://:80/", None)
@example("%ff" * 10, None)
def test_no_text_makes_it_raise(text: str, platform: str | None) -> None:
    for target in read(text, platform):
        assert target.kind == "other" or target.platform
        assert target.kind != "other" or target.reason or target.elsewhere


HOST = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z0-9]{1,8}){0,3}\.[a-z]{2,5}", fullmatch=True)


@given(
    HOST.filter(lambda h: not h.endswith(("douyin.com", "xiaohongshu.com", "rednote.com", "xhslink.com"))),
    st.text(st.sampled_from("abc/?&=#.-_~:@!$()*+;%0"), max_size=30),
    st.sampled_from([f"www.douyin.com/video/{ID}", f"https://www.douyin.com/video/{ID}", "xhslink.com/a/abcdef", ID]),
)
def test_what_follows_a_foreign_host_is_its_own_business(host: str, path: str, tail: str) -> None:
    targets = read(f"https://{host}/{path.rstrip(';')}{tail}")
    assert all(t.platform not in ("douyin", "xiaohongshu") for t in targets)


JUNK = (
    *("https://a,", "a.", "a", "https://v.douyin.com/a/", "https://", "7", "v.douyin.com/?", "a-", "@", "看", "&amp;"),
    *(
        "https://e.com/?https://",
        "a" * 159 + " ",
        "https://www.douyin.com/video/",
        "\u200b",
        "...",
        "%",
        "//",
        "x.y/z ",
    ),
)


@pytest.mark.parametrize("junk", JUNK)
def test_long_junk_takes_no_long_time(junk: str) -> None:
    text = (junk * (200_000 // len(junk) + 1))[:200_000]
    read("warm up https://v.douyin.com/xyzw/")
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 3  # a tenth of it as a rule; a quadratic reading takes minutes


# --- handles


@pytest.mark.parametrize(
    ("text", "platform", "ids"),
    [
        ("kitchen.cat", "douyin", {"handle": "kitchen.cat"}),
        ("@kitchen_cat", "douyin", {"handle": "kitchen_cat"}),
        ("80231746", "douyin", {"handle": "80231746", "short_id": "80231746"}),
        ("950027001", "xiaohongshu", {"handle": "950027001"}),
        ("厨房猫 抖音号：kitchen.cat 粉丝 1.2万", None, {"handle": "kitchen.cat"}),
        ("小红书号: chef9", None, {"handle": "chef9"}),
        (NOTE, "xiaohongshu", {"creator_id": NOTE}),
    ],
)
def test_a_creator_s_handle_or_id_where_a_creator_is_meant(
    text: str, platform: str | None, ids: dict[str, str]
) -> None:
    (target,) = read(text, platform, "creator")
    assert (target.kind, target.ids) == ("creator", ids)


def test_handles_in_a_row_are_several_people() -> None:
    assert [t.ids["handle"] for t in read("cat_one, cat_two\ncat_one", "douyin", "creator")] == ["cat_one", "cat_two"]


@pytest.mark.parametrize(
    ("text", "platform"),
    [("kitchen.cat", None), ("厨房猫", "douyin"), ("a whole sentence, no.", "bilibili"), ("x", "douyin")],
)
def test_what_is_no_handle(text: str, platform: str | None) -> None:
    (target,) = read(text, platform, "creator")
    assert target.kind == "other"


def test_a_handle_is_nothing_where_a_work_is_meant() -> None:
    assert read("kitchen.cat", "douyin")[0].kind == "other"
    assert read(NOTE, "xiaohongshu")[0].kind == "work"


def test_a_link_beside_a_handle_is_what_counts() -> None:
    (target,) = read(f"抖音号：kitchen.cat https://www.douyin.com/video/{ID}", None, "creator")
    assert target.kind == "work"
