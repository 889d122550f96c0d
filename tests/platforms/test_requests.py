from __future__ import annotations

from tikomni import catalog
from tikomni.platforms import definition, read_links, requests
from tikomni.platforms.engine import Request

ID = "7400000000000000001"
NOTE = "66aa00000000000000000001"
DOUYIN = definition("douyin")
XIAOHONGSHU = definition("xiaohongshu")


def asked(found: tuple[Request, ...]) -> list[tuple[str, dict[str, object]]]:
    return [(r.route.partition(".")[2], r.inputs) for r in found]


def test_a_douyin_work_by_id() -> None:
    by_id = {"aweme_id": ID}
    assert asked(requests(DOUYIN, "work", {"work_id": ID, "url": f"https://www.douyin.com/video/{ID}"})) == [
        ("app.v3.fetch_one_video", by_id),
        ("web.fetch_one_video", by_id),
        ("app.v3.fetch_one_video_v3", by_id),
        ("web.fetch_one_video_v2", by_id),
    ]


def test_an_article_is_asked_first_where_articles_are_known() -> None:
    (target,) = read_links(f"https://www.douyin.com/article/{ID}")
    routes = [r.route for r in requests(DOUYIN, "work", target.known)]
    assert routes[0] == "douyin.app.v3.fetch_one_video_v3"
    assert len(routes) == len(set(routes)) == 4


def test_a_douyin_work_by_link() -> None:
    (target,) = read_links("v.douyin.com/abcd/ 复制")
    by_link = {"share_url": "https://v.douyin.com/abcd/"}
    assert asked(requests(DOUYIN, "work", target.known)) == [
        ("app.v3.fetch_one_video_by_share_url", by_link),
        ("web.fetch_one_video_by_share_url", by_link),
    ]


def test_a_note_by_id_asks_for_a_video_first() -> None:
    by_id = {"note_id": NOTE}
    assert asked(requests(XIAOHONGSHU, "work", {"work_id": NOTE, "xsec_token": "t="})) == [
        ("app_v2.get_video_note_detail", by_id),
        ("app_v2.get_image_note_detail", by_id),
        ("app.get_note_info", by_id),
        ("web_v2.fetch_feed_notes_v2", by_id),
        ("web_v3.fetch_note_detail", {"note_id": NOTE, "xsec_token": "t="}),
        ("web.get_note_info_v7", by_id),
    ]


def test_a_note_whose_link_says_pictures_asks_for_pictures_first() -> None:
    (target,) = read_links(f"https://www.xiaohongshu.com/explore/{NOTE}?type=normal&xsec_token=t")
    routes = [r.route for r in requests(XIAOHONGSHU, "work", target.known)]
    assert routes[:2] == ["xiaohongshu.app_v2.get_image_note_detail", "xiaohongshu.app_v2.get_video_note_detail"]


def test_a_note_by_short_link_sends_the_link_or_the_id_but_never_both() -> None:
    (target,) = read_links("http://xhslink.com/o/AbCdEf")
    share = {"share_text": "http://xhslink.com/o/AbCdEf"}
    assert asked(requests(XIAOHONGSHU, "work", target.known)) == [
        ("app_v2.get_video_note_detail", share),
        ("app_v2.get_image_note_detail", share),
        ("app.get_note_info", share),
        ("web_v2.fetch_feed_notes_v3", {"short_url": "http://xhslink.com/o/AbCdEf"}),
        ("web.get_note_info_v7", share),
    ]
    both = requests(XIAOHONGSHU, "work", target.known | {"work_id": NOTE})
    assert all(not {"note_id", "share_text"} <= set(r.inputs) for r in both)


def test_only_inputs_of_the_contract_are_sent() -> None:
    known = {
        "work_id": NOTE,
        "creator_id": NOTE,
        "xsec_token": "t",
        "short_url": "s",
        "url": "u",
        "code": "c",
        "uid": "1",
    }
    for platform in (DOUYIN, XIAOHONGSHU):
        for kind in ("work", "creator"):
            for request in requests(platform, kind, known):
                assert set(request.inputs) <= {item.name for item in catalog.get(request.route).inputs}


def test_a_route_says_which_kinds_it_serves() -> None:
    video, pictures, any_kind, *_ = requests(XIAOHONGSHU, "work", {"work_id": NOTE})
    assert video.may_serve("video") and not video.may_serve("images")
    assert pictures.may_serve("mixed") and not pictures.may_serve("video")
    assert any_kind.may_serve("video") and any_kind.may_serve("images")


def test_creators_are_asked_for_by_what_is_known() -> None:
    assert asked(requests(DOUYIN, "creator", {"uid": "61000000001"})) == [
        ("web.fetch_user_profile_by_uid", {"uid": "61000000001"})
    ]
    first, *_ = requests(DOUYIN, "creator", {"creator_id": "MS4wLjABx", "uid": "61000000001"})
    assert first == Request("douyin.app.v3.handler_user_profile", {"sec_user_id": "MS4wLjABx"})
    assert asked(requests(XIAOHONGSHU, "creator", {"short_url": "https://xhslink.com/m/abcd"})) == [
        ("app_v2.get_user_info", {"share_text": "https://xhslink.com/m/abcd"}),
        ("web.get_user_info_v2", {"share_text": "https://xhslink.com/m/abcd"}),
    ]


def test_nothing_known_is_nothing_asked() -> None:
    assert (
        requests(DOUYIN, "work", {})
        == requests(XIAOHONGSHU, "work", {})
        == requests(DOUYIN, "comment", {"a": "b"})
        == ()
    )
