from __future__ import annotations

from typing import Any

import pytest

ROUTE = "douyin.app.v3.fetch_one_video"


@pytest.fixture
def work(read: Any, made: Any) -> Any:
    """The reading of one aweme, in the place where it stands."""
    return lambda item, **more: read(made.envelope({"aweme_detail": item, "status_code": 0}), **more)


def test_a_video_has_every_fact(work: Any, made: Any) -> None:
    reading = work(made.aweme())
    found = reading.work
    assert (reading.verdict, reading.reason) == ("ok", None)
    assert found.key == f"douyin:{made.AWEME}"
    assert (found.media_kind, found.work_modality) == ("video", "video")
    assert (found.platform_author_id, found.author_handle, found.author_name) == (
        "MS4wLjABAAAAmadeupmadeupmadeupmadeup",
        "kitchen.cat",
        "厨房猫",
    )
    assert found.platform_native_ids == {
        "uid": "60000000001",
        "sec_uid": "MS4wLjABAAAAmadeupmadeupmadeupmadeup",
        "unique_id": "kitchen.cat",
    }
    assert (found.digg_count, found.comment_count, found.collect_count, found.share_count) == (2907, 46, 711, 0)
    assert found.published_at == "2026-01-01T00:00:00+08:00"
    assert found.published_date == "2026-01-01"
    assert found.duration_ms == 94000
    assert found.topics == ("家常菜", "番茄")
    assert (found.pinned, found.sponsored) == (False, False)
    assert found.source_url == found.open_url == f"https://www.douyin.com/video/{made.AWEME}"
    assert found.share_url == f"https://www.iesdouyin.com/share/video/{made.AWEME}/"
    assert found.snapshot_at == "2026-05-01T12:00:00+08:00"
    assert found.primary_text is found.transcript is None
    assert found.field_sources["digg_count"] == f"{ROUTE}:statistics.digg_count"


def test_plays_of_zero_are_unknown_and_explained(work: Any, made: Any) -> None:
    found = work(made.aweme()).work
    assert found.play_count is None
    assert found.missing == {"play_count": "not_published"}
    counted = made.aweme(statistics={"digg_count": 3, "play_count": 104})
    assert work(counted).work.play_count == 104


def test_counts_that_are_not_there_are_not_zero(work: Any, made: Any) -> None:
    found = work(made.aweme(statistics={"digg_count": "1.2万", "comment_count": "10w+"})).work
    assert (found.digg_count, found.comment_count, found.share_count) == (12000, 100000, None)
    assert found.approximate == {"digg_count": "rounded", "comment_count": "at_least"}
    assert found.missing["share_count"] == found.missing["collect_count"] == "not_in_answer"


def test_numbers_that_come_as_text_are_numbers(work: Any, made: Any) -> None:
    def as_text(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: as_text(value) for name, value in node.items()}
        if isinstance(node, list):
            return [as_text(value) for value in node]
        return str(node) if type(node) is int else node

    plain, told = work(made.aweme()), work(as_text(made.aweme()))
    assert told.work == plain.work and told.media == plain.media
    bare = as_text({**made.aweme(), "aweme_type": 68, "media_type": 2, "video": None, "duration": 0})
    assert work(bare).work.media_kind == "images"
    assert work(as_text(made.aweme(is_new_text_mode=1))).work.media_kind == "none"


@pytest.mark.parametrize(
    ("author", "handle"),
    [
        ({"unique_id": "", "short_id": "9041"}, "9041"),
        ({"unique_id": "cat", "short_id": "9041"}, "cat"),
        ({"unique_id": "", "short_id": "0"}, None),
        ({"unique_id": None, "short_id": 0}, None),
        ({"short_id": 9041}, "9041"),
    ],
)
def test_a_handle_is_what_finds_the_account(work: Any, made: Any, author: dict[str, Any], handle: str | None) -> None:
    found = work(made.aweme(author=author | {"sec_uid": "MS4wx", "nickname": "厨房猫"})).work
    assert found.author_handle == handle
    assert ("author_handle" in found.missing) is (handle is None)


@pytest.mark.parametrize(
    ("changes", "title", "derived"),
    [
        ({"item_title": "炖牛腩"}, "炖牛腩", False),
        ({}, "番茄牛腩怎么炖？", True),
        ({"desc": "好坏一看便知。#猫 #好猫"}, "好坏一看便知", True),
        ({"desc": "#猫#好猫 第一行\n第二行"}, "第一行", True),
        ({"desc": "#只有话题 #没有别的"}, None, False),
        ({"desc": "🍅🍅 #番茄"}, "🍅🍅", True),
        ({"desc": ""}, None, False),
    ],
)
def test_a_title_is_the_work_s_own_and_never_the_song_s(
    work: Any, made: Any, changes: dict[str, Any], title: str | None, derived: bool
) -> None:
    found = work(made.aweme(**changes)).work
    assert found.title == title
    assert (found.field_sources.get("title") == "derived:caption_raw") is derived
    assert ("title" in found.missing) is (title is None)


@pytest.mark.parametrize(
    ("duration", "expected"), [(9500, 9500), (999, 999), (94000, 94000), (0, 12000), (None, 12000)]
)
def test_durations_are_milliseconds_however_small(work: Any, made: Any, duration: int | None, expected: int) -> None:
    item = made.aweme(duration=duration)
    item["video"]["duration"] = 12000
    assert work(item).work.duration_ms == expected


@pytest.mark.parametrize(
    ("seconds", "at", "date"),
    [
        (1767196799, "2025-12-31T23:59:59+08:00", "2025-12-31"),
        (1767196800, "2026-01-01T00:00:00+08:00", "2026-01-01"),
        ("1767196800", "2026-01-01T00:00:00+08:00", "2026-01-01"),
    ],
)
@pytest.mark.parametrize("host_zone", ["UTC", "America/Los_Angeles", "Asia/Tokyo"])
def test_a_date_is_that_of_the_display_zone(
    work: Any, made: Any, monkeypatch: pytest.MonkeyPatch, seconds: Any, at: str, date: str, host_zone: str
) -> None:
    import time

    monkeypatch.setenv("TZ", host_zone)
    if hasattr(time, "tzset"):
        time.tzset()
    try:
        found = work(made.aweme(create_time=seconds)).work
    finally:
        monkeypatch.undo()
        if hasattr(time, "tzset"):
            time.tzset()
    assert (found.published_at, found.published_date) == (at, date)


# --- media


def test_the_best_stream_is_clean_high_and_with_sound(work: Any, made: Any) -> None:
    reading = work(made.aweme())
    urls = [s.url for s in reading.media.streams]
    assert reading.work.video_download_url == urls[0] == "https://cdn.example/best.mp4"
    assert urls == [f"https://cdn.example/{name}.mp4" for name in ("best", "low", "play", "marked")]
    assert not any("dash" in url for url in urls)
    assert [s.watermark for s in reading.media.streams] == [False, False, False, True]
    assert (reading.media.streams[0].height, reading.media.streams[0].bitrate) == (1920, 860000)
    assert reading.media.referer == "https://www.douyin.com/"
    assert reading.work.partial == {}
    assert reading.work.field_sources["video_download_url"] == f"{ROUTE}:video.bit_rate[?format != 'dash']"


def test_a_codec_that_few_players_know_comes_after_its_equals(work: Any, made: Any) -> None:
    item = made.aweme()
    item["video"]["bit_rate"] = [
        {"bit_rate": 9, "is_h265": 2, "play_addr": made.address("h266.mp4", height=1280)},
        {"bit_rate": 1, "is_h265": 1, "play_addr": made.address("h265.mp4", height=1280)},
    ]
    assert work(item).work.video_download_url == "https://cdn.example/h265.mp4"


@pytest.mark.parametrize("where", ["download_addr", "play_addr"])
def test_a_watermarked_stream_is_used_where_there_is_no_other_and_said_so(work: Any, made: Any, where: str) -> None:
    name = "marked.mp4" if where == "download_addr" else "aweme/v1/playwm/?video_id=1"
    reading = work(made.aweme(video={where: made.address(name)}))
    assert reading.work.video_download_url == f"https://cdn.example/{name}"
    assert reading.work.partial == {"video_download_url": "watermarked"}
    assert reading.verdict == "ok"


def test_a_video_without_a_stream_is_thin(work: Any, made: Any) -> None:
    reading = work(made.aweme(video=None))
    assert (reading.verdict, reading.reason) == ("sparse", "video_download_url")
    assert reading.work.media_kind == "video"
    assert reading.work.missing["video_download_url"] == "not_in_answer"
    assert reading.work.duration_ms == 94000


def test_a_picture_post_is_not_a_video_and_its_music_no_stream(work: Any, made: Any) -> None:
    reading = work(made.pictures())
    assert (reading.verdict, reading.work.media_kind, reading.work.work_modality) == ("ok", "images", "text")
    assert reading.media.streams == ()
    assert reading.work.video_download_url is reading.work.duration_ms is None
    assert reading.work.image_urls == tuple(f"https://img.example/{n}.webp" for n in (1, 2, 3))
    assert reading.work.source_url == f"https://www.douyin.com/note/{made.AWEME}"
    assert set(reading.work.missing) == {"play_count"}


@pytest.mark.parametrize("aweme_type", [0, 4, 68, 150, 999])
def test_pictures_decide_not_the_numeric_type(work: Any, made: Any, aweme_type: int) -> None:
    assert work(made.pictures(aweme_type=aweme_type)).work.media_kind == "images"
    assert work(made.aweme(aweme_type=aweme_type)).work.media_kind == "video"


def test_music_in_the_place_of_a_video_is_never_one(work: Any, made: Any) -> None:
    """Whatever the post is taken for."""
    reading = work(made.aweme(video={"play_addr": made.address("ies-music/song.mp3"), "bit_rate": []}))
    assert reading.media.streams == ()
    assert reading.verdict == "sparse"


def test_pictures_without_pictures_are_thin(work: Any, made: Any) -> None:
    reading = work(made.pictures(images=[]))
    assert (reading.verdict, reading.reason, reading.work.media_kind) == ("sparse", "image_urls", "images")


def test_live_photos_are_mixed_and_their_clips_no_film(work: Any, made: Any) -> None:
    item = made.pictures(media_type=42)
    item["images"][1]["video"] = {"play_addr": made.address("live.mp4", height=1440), "duration": 2000}
    reading = work(item)
    assert (reading.verdict, reading.work.media_kind, reading.work.work_modality) == ("ok", "mixed", "text")
    assert len(reading.work.image_urls) == 3
    assert reading.media.streams == () and reading.work.video_download_url is None


def test_a_typed_post_has_no_media(work: Any, made: Any) -> None:
    reading = work(made.pictures(is_new_text_mode=1, desc="今天卖完最后一碗。#面馆日记"))
    assert (reading.verdict, reading.work.media_kind, reading.work.work_modality) == ("ok", "none", "text")
    assert reading.work.caption_raw == "今天卖完最后一碗。#面馆日记"
    assert reading.media.streams == () and reading.work.video_download_url is None


def test_an_article_s_words_are_its_caption(work: Any, made: Any) -> None:
    article = {"article_title": "五个原因", "article_content": '{"markdown": "# 五个原因\\n\\n先查门封条。"}'}
    item = made.aweme(aweme_type=163, media_type=2, article_info=article, video={"play_addr": made.address("song.mp3")})
    reading = work(item)
    assert (reading.verdict, reading.work.media_kind, reading.work.work_modality) == ("ok", "none", "text")
    assert (reading.work.title, reading.work.caption_raw) == ("五个原因", "# 五个原因\n\n先查门封条。")
    assert reading.work.source_url == f"https://www.douyin.com/article/{made.AWEME}"
    assert reading.media.streams == ()


def test_an_empty_article_member_makes_no_article(work: Any, made: Any) -> None:
    assert work(made.aweme(article_info={"article_title": ""})).work.media_kind == "video"


# --- which work, and why none


def test_the_envelope_s_own_members_are_never_the_work_s(read: Any, made: Any) -> None:
    body = made.envelope({"aweme_detail": None, "status_code": 0})
    assert read(body).verdict == "empty"
    bare = made.envelope({"aweme_detail": {"aweme_id": made.AWEME, "author": {"nickname": "x"}, "desc": "字"}})
    found = read(bare).work
    assert found.published_at is None and found.share_url is None
    assert found.missing["published_at"] == "not_in_answer"


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
def test_layers_of_data_are_taken_off(read: Any, made: Any, layers: int) -> None:
    body: Any = {"aweme_detail": made.aweme()}
    for _ in range(layers):
        body = {"code": 200, "data": body}
    assert read(body).verdict == "ok"


@pytest.mark.parametrize("member", ["aweme_details", "aweme_list", "item_list"])
def test_the_asked_item_is_chosen_among_several(read: Any, made: Any, member: str) -> None:
    other = made.aweme(aweme_id="7400000000000000002", desc="别的")
    body = made.envelope({member: [other, made.aweme()]})
    assert read(body).work.platform_work_id == made.AWEME
    assert read(body, work_id=None).work.platform_work_id == "7400000000000000002"
    reading = read(body, work_id="7400000000000000003")
    assert (reading.verdict, reading.reason, reading.work) == ("empty", "another_work", None)


@pytest.mark.parametrize(
    ("code", "reason", "retry"),
    [
        (5, "private", ()),
        (8, "deleted_or_blocked", ("douyin.app.v3.fetch_one_video_v3",)),
        (10, "partly_visible", ()),
        ("8", "deleted_or_blocked", ("douyin.app.v3.fetch_one_video_v3",)),
    ],
)
def test_a_filtered_work_is_gone_with_the_platform_s_reason(
    read: Any, made: Any, code: Any, reason: str, retry: tuple[str, ...]
) -> None:
    filtered = [{"aweme_id": made.AWEME, "reason": code, "detail_msg": "因作品权限或已被删除，无法观看"}]
    reading = read(made.envelope({"aweme_detail": None, "filter_list": filtered, "status_code": 0}))
    assert (reading.verdict, reading.reason, reading.retry_with) == ("gone", reason, retry)
    assert reading.note == "因作品权限或已被删除，无法观看"
    assert reading.work is None


def test_a_reason_that_nobody_knows_is_no_verdict(read: Any, made: Any) -> None:
    body = made.envelope({"aweme_detail": None, "filter_list": [{"reason": 77}], "status_code": 0})
    assert (read(body).verdict, read(body).reason) == ("empty", "no_item")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"is_delete": True}, "deleted"),
        ({"is_prohibited": 1}, "prohibited"),
        ({"private_status": 1}, "private"),
        ({"private_status": 2}, "friends_only"),
        ({"self_see": True}, "private"),
        ({"part_see": 1}, "partly_visible"),
    ],
)
def test_a_status_may_say_that_a_work_is_gone(work: Any, made: Any, status: dict[str, Any], reason: str) -> None:
    reading = work(made.aweme(status=status))
    assert (reading.verdict, reading.reason) == ("gone", reason)


def test_an_error_inside_an_answer_is_a_failure(read: Any, made: Any) -> None:
    reading = read(made.envelope({"aweme_detail": None, "status_code": 2154, "status_msg": "服务繁忙"}))
    assert (reading.verdict, reading.reason, reading.note) == ("failed", "status_code_2154", "服务繁忙")
    assert read(made.envelope(None)).verdict == read(made.envelope([])).verdict == "empty"
    assert read({"code": 400, "message": "bad"}).reason == "code_400"


def test_a_stub_is_no_work(work: Any, made: Any) -> None:
    assert work({"aweme_id": made.AWEME}).verdict == "empty"
    assert work(made.aweme(author=None)).reason == "platform_author_id"


# --- two answers


def test_a_thin_answer_is_filled_by_another_and_nothing_known_is_changed(work: Any, made: Any) -> None:
    from tikomni.platforms import merge

    thin = work(made.aweme(video=None, statistics={"digg_count": 5}))
    whole = work(made.aweme(statistics={"digg_count": 9, "share_count": "1.2万"}), route="douyin.web.fetch_one_video")
    both = merge(thin, whole)
    assert both.verdict == "ok" and both.reason is None
    assert both.work.digg_count == 5
    assert (both.work.share_count, both.work.approximate) == (12000, {"share_count": "rounded"})
    assert both.work.video_download_url == whole.work.video_download_url
    assert both.media.streams == whole.media.streams
    assert both.work.field_sources["digg_count"].startswith("douyin.app.v3.fetch_one_video:")
    assert both.work.field_sources["share_count"].startswith("douyin.web.fetch_one_video:")
    assert set(both.work.missing) == {"play_count", "comment_count", "collect_count"}
    assert merge(whole, thin).work.share_count == 12000


def test_only_answers_about_the_same_work_are_put_together(work: Any, made: Any) -> None:
    from tikomni.platforms import Reading, merge

    thin = work(made.aweme(video=None))
    other = work(made.aweme(aweme_id="7400000000000000002"), work_id=None)
    assert merge(thin, other) is thin
    assert merge(thin, Reading("empty")) is thin
    assert merge(Reading("empty"), thin) is thin
