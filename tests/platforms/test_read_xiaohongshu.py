from __future__ import annotations

from typing import Any

import pytest

from tikomni.platforms import merge

VIDEO = "xiaohongshu.app_v2.get_video_note_detail"
PICTURES = "xiaohongshu.app_v2.get_image_note_detail"
WEB = "xiaohongshu.web_v2.fetch_feed_notes_v2"


def picture(n: int, **more: Any) -> dict[str, Any]:
    return {"url_size_large": f"https://img.example/{n}.jpg", "original": f"https://img.example/{n}.png", **more}


@pytest.fixture
def video(read: Any, made: Any) -> Any:
    return lambda *notes, **more: read(made.inner(list(notes)), route=VIDEO, **more)


@pytest.fixture
def pictures(read: Any, made: Any) -> Any:
    return lambda *notes, **more: read(made.inner([{"note_list": list(notes)}]), route=PICTURES, **more)


@pytest.fixture
def web(read: Any, made: Any) -> Any:
    def one(*cards: Any, **more: Any) -> Any:
        items = [{"id": card.get("note_id"), "model_type": "note", "note_card": card} for card in cards]
        return read(made.inner({"items": items}), route=WEB, **more)

    return one


def test_a_video_note_of_the_app_has_every_fact(video: Any, made: Any) -> None:
    reading = video(made.note())
    found = reading.work
    assert reading.verdict == "ok"
    assert found.key == f"xiaohongshu:{made.NOTE}"
    assert (found.media_kind, found.work_modality, found.duration_ms) == ("video", "video", 167000)
    assert (found.platform_author_id, found.author_handle, found.author_name) == (
        "5f00000000000000000000aa",
        "chef9",
        "小厨",
    )
    assert found.platform_native_ids == {"red_id": "chef9", "user_id": "5f00000000000000000000aa"}
    assert (found.title, found.caption_raw) == ("十分钟葱油拌面", "葱要炸到焦黄\n#快手菜[话题]# #葱油拌面[话题]#")
    assert (found.digg_count, found.comment_count, found.collect_count, found.share_count) == (71204, 311, 42118, 3157)
    assert found.published_at == "2026-01-01T00:00:00+08:00"
    assert found.topics == ("快手菜", "葱油拌面")
    assert found.cover_image == "https://img.example/cover-o.webp"
    assert found.pinned is False and found.sponsored is None
    assert found.missing == {"play_count": "not_published"}


def test_streams_stand_under_keys_that_change_and_may_be_empty(video: Any, web: Any, made: Any) -> None:
    app, site = video(made.note()), web(made.note_card())
    assert app.work.video_download_url == "http://vod.example/hevc.mp4"
    assert [(s.height, s.codec) for s in app.media.streams] == [(1920, "hevc"), (1280, "h264")]
    assert site.work.video_download_url == "http://vod.example/ef5.mp4"
    assert len(site.media.streams) == 3
    item = made.note()
    item["video_info_v2"]["media"]["stream"] = {
        "h264": [made.stream("x", format="dash"), made.stream("", master_url="")]
    }
    assert video(item).work.video_download_url == "http://backup.example/.mp4"


def test_subtitles_come_with_the_platform_s_tags(video: Any, made: Any) -> None:
    subtitles = video(made.note()).media.subtitles
    assert [(s.tag, s.language, s.url) for s in subtitles] == [
        ("zh-CN", "zh-CN", "https://sub.example/zh.srt"),
        ("source", "zh-CN", "https://sub.example/source.srt"),
    ]


def test_the_website_s_texts_and_milliseconds(web: Any, made: Any) -> None:
    reading = web(made.note_card())
    found = reading.work
    assert reading.verdict == "ok"
    assert (found.digg_count, found.collect_count, found.comment_count, found.share_count) == (
        12000,
        100000,
        1234,
        None,
    )
    assert found.approximate == {"digg_count": "rounded", "collect_count": "at_least"}
    assert found.published_at == "2026-01-01T00:00:00+08:00"
    assert found.duration_ms == 30000
    assert found.topics == ("翻跳",)
    assert found.title == "向国庆出发！"
    assert found.author_handle is None
    assert found.missing["author_handle"] == found.missing["share_count"] == "not_in_answer"


@pytest.mark.parametrize(("seconds", "expected"), [(9.5, 9500), (9, 9000), (1, 1000), ("12.25", 12250)])
def test_a_short_clip_in_seconds_stays_short(video: Any, made: Any, seconds: Any, expected: int) -> None:
    item = made.note()
    item["video_info_v2"]["media"]["video"]["duration"] = seconds
    assert video(item).work.duration_ms == expected


def test_a_stream_s_duration_is_in_milliseconds(video: Any, made: Any) -> None:
    item = made.note()
    item["video_info_v2"]["media"]["video"] = None
    item["video_info_v2"]["capa"] = None
    assert video(item).work.duration_ms == 166207


def test_other_people_s_notes_are_left_alone(video: Any, made: Any) -> None:
    other = made.note(id=made.OTHER_NOTE, title="别人的")
    assert video(other, made.note()).work.title == "十分钟葱油拌面"
    assert video(made.note(), other, work_id=None).work.title == "十分钟葱油拌面"
    reading = video(other)
    assert (reading.verdict, reading.reason) == ("empty", "another_work")


def test_a_normal_note_is_pictures(pictures: Any, made: Any) -> None:
    voice = made.note()["native_voice_info"]
    item = made.note(type="normal", video_info_v2=None, images_list=[picture(1), picture(2)], native_voice_info=voice)
    reading = pictures(item)
    assert (reading.verdict, reading.work.media_kind, reading.work.work_modality) == ("ok", "images", "text")
    assert reading.work.image_urls == ("https://img.example/1.jpg", "https://img.example/2.jpg")
    assert reading.media.streams == ()
    assert reading.work.duration_ms is reading.work.video_download_url is None
    assert reading.work.source_url == f"https://www.xiaohongshu.com/explore/{made.NOTE}"


def test_a_note_of_type_video_without_a_video_is_a_thin_video(pictures: Any, made: Any) -> None:
    reading = pictures(made.note(video_info_v2=None))
    assert (reading.verdict, reading.reason) == ("sparse", "video_download_url")
    assert (reading.work.media_kind, reading.work.work_modality) == ("video", "video")
    assert reading.media.streams == ()


def test_a_thin_video_is_filled_by_the_video_route(pictures: Any, video: Any, made: Any) -> None:
    both = merge(pictures(made.note(video_info_v2=None)), video(made.note(liked_count=1)))
    assert both.verdict == "ok"
    assert both.work.digg_count == 71204
    assert both.work.video_download_url == "http://vod.example/hevc.mp4"
    assert both.work.field_sources["video_download_url"].startswith(f"{VIDEO}:")
    assert both.work.field_sources["title"].startswith(f"{PICTURES}:")
    assert both.work.missing == {"play_count": "not_published"}
    assert len(both.media.subtitles) == 2


def test_pictures_take_no_film_from_an_answer_that_saw_one(pictures: Any, video: Any, made: Any) -> None:
    thin = pictures(made.note(type="normal", video_info_v2=None, images_list=[], liked_count=None))
    both = merge(thin, video(made.note()))
    assert both.verdict == "sparse"
    assert both.work.digg_count == 71204
    assert both.work.video_download_url is both.work.duration_ms is None
    assert both.media.streams == ()


@pytest.mark.parametrize("place", ["app", "web"])
def test_live_photos_are_mixed(pictures: Any, web: Any, made: Any, place: str) -> None:
    streams = {"h265": [made.stream("live")], "h264": []}
    if place == "app":
        images = [picture(1, live_photo={"media": {"stream": streams}}), picture(2)]
        reading = pictures(made.note(type="normal", video_info_v2=None, images_list=images))
    else:
        images = [
            {"url_default": f"https://img.example/{n}.jpg", "live_photo": n == 1, "stream": streams if n == 1 else {}}
            for n in (1, 2)
        ]
        reading = web(made.note_card(type="normal", video=None, image_list=images))
    assert (reading.verdict, reading.work.media_kind, reading.work.work_modality) == ("ok", "mixed", "text")
    assert reading.work.image_urls == ("https://img.example/1.jpg", "https://img.example/2.jpg")
    assert reading.media.streams == ()


def test_pictures_without_pictures_are_thin(video: Any, made: Any) -> None:
    reading = video(made.note(type="normal", video_info_v2=None, images_list=[]))
    assert (reading.verdict, reading.reason) == ("sparse", "image_urls")


def test_a_link_opens_where_a_token_is_known(video: Any, web: Any, made: Any) -> None:
    base = f"https://www.xiaohongshu.com/explore/{made.NOTE}"
    assert video(made.note()).work.open_url == f"{base}?xsec_token=ABtoken%3D&xsec_source=pc_share"
    asked = video(made.note(), xsec_token="mine=")
    assert asked.work.open_url == f"{base}?xsec_token=mine%3D&xsec_source=pc_share"
    assert asked.work.source_url == base
    # The author's token is not the note's.
    assert web(made.note_card()).work.open_url == base
    assert "xsec_token" not in str(asked.work.platform_native_ids)
    assert merge(web(made.note_card()), video(made.note())).work.open_url.endswith("pc_share")


def test_a_share_link_says_nothing_of_who_shared(video: Any, made: Any) -> None:
    assert video(made.note()).work.share_url == f"https://www.xiaohongshu.com/discovery/item/{made.NOTE}"


def test_a_caption_of_topics_only_gives_no_title(video: Any, made: Any) -> None:
    assert video(made.note(title="", desc="#快手菜[话题]# #葱油 拌面[话题]#")).work.title is None
    assert video(made.note(title="", desc="好吃[笑哭R]再来 #快手菜[话题]#")).work.title == "好吃[笑哭R]再来"


@pytest.mark.parametrize("shape", ["list", "note_list", "items", "note", "flat"])
def test_a_note_is_found_wherever_its_routes_put_it(read: Any, made: Any, shape: str) -> None:
    item = made.note()
    data = {
        "list": [item],
        "note_list": {"note_list": [item]},
        "items": {"items": [{"id": made.NOTE, "note": item}]},
        "note": {"note": item},
        "flat": item,
    }[shape]
    assert read(made.inner(data), route=VIDEO).verdict == "ok"


def test_a_card_without_an_id_has_the_one_beside_it(read: Any, made: Any) -> None:
    card = made.note_card(note_id=None)
    body = made.inner({"items": [{"id": made.NOTE, "xsec_token": "T", "note_card": card}]})
    found = read(body, route=WEB).work
    assert found.platform_work_id == made.NOTE
    assert found.open_url.endswith("?xsec_token=T&xsec_source=pc_share")


def test_an_error_inside_an_answer_is_a_failure(read: Any, made: Any) -> None:
    body = made.envelope({"code": -1, "success": False, "msg": "服务异常", "data": {}})
    reading = read(body, route=VIDEO)
    assert (reading.verdict, reading.reason, reading.note) == ("failed", "code_-1", "服务异常")
    body = made.envelope({"code": 0, "success": False, "msg": "", "data": None})
    assert read(body, route=VIDEO).reason == "not_successful"
    assert read(made.inner([]), route=VIDEO).reason == "no_item"


@pytest.mark.parametrize(
    ("said", "reason"), [("笔记已被删除", "deleted"), ("该内容已被作者删除", "deleted"), ("仅自己可见", "private")]
)
def test_a_note_that_the_platform_calls_gone_is_gone(read: Any, made: Any, said: str, reason: str) -> None:
    body = made.envelope({"code": -510001, "success": False, "msg": said, "data": {}})
    reading = read(body, route=VIDEO)
    assert (reading.verdict, reading.reason, reading.note) == ("gone", reason, said)


def test_an_unknown_note_is_no_gone_one(read: Any, made: Any) -> None:
    body = made.envelope({"code": -510000, "success": False, "msg": "笔记不存在", "data": {}})
    assert read(body, route=VIDEO).verdict == "failed"
