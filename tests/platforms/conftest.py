"""Made-up answers in the shapes of real ones. No id, name or number here belongs to anybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tikomni.platforms import Reading, definition, read_work

Json = dict[str, Any]
Read = Callable[..., Reading]

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)

AWEME = "7400000000000000001"
NOTE = "66aa00000000000000000001"
OTHER_NOTE = "66aa00000000000000000002"
DOUYIN_ROUTE = "douyin.app.v3.fetch_one_video"
NOTE_ROUTE = "xiaohongshu.app_v2.get_video_note_detail"


def envelope(data: Any) -> Json:
    """What the upstream puts around an answer; its own time and inputs must never become a work's."""
    return {
        "code": 200,
        "request_id": "r-1",
        "message": "Request successful.",
        "time": "1999-01-01 00:00:00",
        "time_stamp": 915148800,
        "params": {
            "aweme_id": "7400000000000000999",
            "note_id": "66aa00000000000000000999",
            "share_url": "https://x.cn/",
        },
        "data": data,
    }


def inner(data: Any) -> Json:
    return envelope({"code": 0, "success": True, "msg": "成功", "data": data})


def address(name: str, **more: Any) -> Json:
    return {"uri": f"v-{name}", "url_list": [f"https://cdn.example/{name}", f"https://mirror.example/{name}"], **more}


def aweme(**changes: Any) -> Json:
    """A video post of Douyin. A change to None takes the member away."""
    item: Json = {
        "aweme_id": AWEME,
        "desc": "番茄牛腩怎么炖？ #家常菜 #番茄",
        "caption": "",
        "item_title": "",
        "preview_title": "番茄牛腩怎么炖？ #家常菜",
        "create_time": 1767196800,
        "aweme_type": 0,
        "media_type": 4,
        "duration": 94000,
        "is_top": 0,
        "is_ads": False,
        "images": None,
        "author": {
            "uid": "60000000001",
            "sec_uid": "MS4wLjABAAAAmadeupmadeupmadeupmadeup",
            "short_id": "0",
            "unique_id": "kitchen.cat",
            "nickname": "厨房猫",
            "follower_count": 0,
        },
        "statistics": {
            "digg_count": 2907,
            "comment_count": 46,
            "collect_count": 711,
            "share_count": 0,
            "play_count": 0,
        },
        "status": {"is_delete": False, "is_prohibited": False, "private_status": 0, "part_see": 0, "self_see": False},
        "text_extra": [
            {"type": 1, "hashtag_name": "家常菜"},
            {"type": 1, "hashtag_name": "#番茄"},
            {"type": 1, "hashtag_name": "家常菜"},
            {"type": 5, "search_text": "牛腩"},
        ],
        "music": {"title": "@别人创作的原声", "play_url": address("song.mp3"), "duration": 31},
        "share_url": f"https://www.iesdouyin.com/share/video/{AWEME}/?region=CN&u_code=abc&did=1&iid=2&share_sign=zzz",
        "video": {
            "duration": 94000,
            "cover": address("cover.webp"),
            "play_addr": address("play.mp4", height=1024, data_size=5),
            "download_addr": address("marked.mp4", height=720),
            "bit_rate": [
                {"format": "dash", "bit_rate": 9000000, "is_h265": 0, "play_addr": address("dash.mp4", height=2160)},
                {"format": "mp4", "bit_rate": 500000, "is_h265": 1, "play_addr": address("low.mp4", height=1920)},
                {"format": "mp4", "bit_rate": 860000, "is_h265": 0, "play_addr": address("best.mp4", height=1920)},
            ],
        },
    }
    return {k: v for k, v in {**item, **changes}.items() if v is not None}


def pictures(**changes: Any) -> Json:
    """A picture post of Douyin: its music stands where a video's address does."""
    images = [
        {
            "url_list": [f"https://img.example/{n}.webp"],
            "download_url_list": [f"https://img.example/{n}-marked.webp"],
            "is_new_text_mode": 0,
        }
        for n in (1, 2, 3)
    ]
    video = {"duration": 19000, "cover": address("cover.webp"), "bit_rate": [], "play_addr": address("song.mp3")}
    return aweme(**{"aweme_type": 68, "media_type": 2, "duration": 0, "images": images, "video": video, **changes})


def stream(name: str, **more: Any) -> Json:
    return {
        "master_url": f"http://vod.example/{name}.mp4",
        "backup_urls": [f"http://backup.example/{name}.mp4"],
        "format": "mp4",
        "height": 1280,
        "avg_bitrate": 600000,
        "size": 1000,
        "video_codec": "h264",
        "duration": 166207,
        **more,
    }


def note(**changes: Any) -> Json:
    """A video note of Xiaohongshu as the app has it."""
    item: Json = {
        "id": NOTE,
        "type": "video",
        "title": "十分钟葱油拌面",
        "desc": "葱要炸到焦黄\n#快手菜[话题]# #葱油拌面[话题]#",
        "time": 1767196800,
        "user": {
            "userid": "5f00000000000000000000aa",
            "id": "5f00000000000000000000aa",
            "nickname": "小厨",
            "red_id": "chef9",
        },
        "liked_count": 71204,
        "comments_count": 311,
        "collected_count": 42118,
        "shared_count": 3157,
        "view_count": 0,
        "hash_tag": [{"name": "快手菜", "type": "topic"}, {"name": "葱油拌面[话题]#", "type": "topic"}],
        "topics": [{"name": "快手菜"}],
        "sticky": False,
        "images_list": [
            {
                "url_size_large": "",
                "original": "https://img.example/cover-o.webp",
                "url": "https://img.example/cover.webp",
            }
        ],
        "share_info": {
            "link": f"https://www.xiaohongshu.com/discovery/item/{NOTE}?app_platform=ios&xsec_token=ABtoken%3D&author_share=1"
        },
        "native_voice_info": {"url": "http://vod.example/audio/1/voice.wav", "duration": 46250},
        "video_info_v2": {
            "capa": {"duration": 166},
            "media": {
                "video": {
                    "duration": 167,
                    "subtitles": {
                        "zh-CN": [{"language": "zh-CN", "url": "https://sub.example/zh.srt"}],
                        "source": [{"language": "zh-CN", "url": "https://sub.example/source.srt"}],
                        "broken": [{"language": "en", "url": ""}],
                    },
                },
                "stream": {
                    "av1": [],
                    "h265": [stream("hevc", height=1920, avg_bitrate=1700000, video_codec="hevc")],
                    "h264": [stream("avc", avg_bitrate=1900000)],
                },
            },
        },
    }
    return {k: v for k, v in {**item, **changes}.items() if v is not None}


def note_card(**changes: Any) -> Json:
    """A video note as the website has it: counts are texts, times milliseconds, codecs have other names."""
    item: Json = {
        "note_id": NOTE,
        "type": "video",
        "title": "",
        "desc": "向国庆出发！太好玩了 #翻跳[话题]#",
        "time": 1767196800000,
        "user": {"user_id": "5f00000000000000000000aa", "nickname": "小厨", "xsec_token": "theauthors"},
        "interact_info": {
            "liked_count": "1.2万",
            "collected_count": "10w+",
            "comment_count": "1,234",
            "share_count": "",
        },
        "tag_list": [{"name": "翻跳", "type": "topic"}, {"name": "某地", "type": "location"}],
        "image_list": [
            {"url": "", "url_default": "http://img.example/d", "info_list": [], "stream": {}, "live_photo": False}
        ],
        "video": {
            "capa": {"duration": 29},
            "media": {
                "video": {"duration": 30},
                "stream": {
                    "EF6": [],
                    "EF4": [stream("ef4", height=1280)],
                    "EF5": [stream("ef5", height=3840), stream("ef5-small", height=1280)],
                    "EF7": [],
                },
            },
        },
    }
    return {k: v for k, v in {**item, **changes}.items() if v is not None}


@pytest.fixture(scope="session")
def read() -> Read:
    """Read an answer as the work with ``work_id`` (the builders' own by default, ``None``: any)."""

    def one(body: Any, *, route: str = DOUYIN_ROUTE, work_id: str | None = "", **wanted: str) -> Reading:
        platform = route.partition(".")[0]
        if work_id == "":
            work_id = AWEME if platform == "douyin" else NOTE
        ids = {"work_id": work_id} if work_id else {}
        return read_work(definition(platform), body, route, wanted=ids | wanted, zone=SHANGHAI, now=NOW)

    return one


class Made:
    """The builders of this file, for tests to use."""

    AWEME = AWEME
    NOTE = NOTE
    OTHER_NOTE = OTHER_NOTE
    DOUYIN_ROUTE = DOUYIN_ROUTE
    NOTE_ROUTE = NOTE_ROUTE
    envelope = staticmethod(envelope)
    inner = staticmethod(inner)
    address = staticmethod(address)
    aweme = staticmethod(aweme)
    pictures = staticmethod(pictures)
    stream = staticmethod(stream)
    note = staticmethod(note)
    note_card = staticmethod(note_card)


@pytest.fixture(scope="session")
def made() -> type[Made]:
    return Made
