"""The world's Xiaohongshu notes and people in the shapes that the app and the web routes give them.

Shapes follow real answers, their traps included: other people's notes behind a video note, a ``video`` note without
a video on the picture route, counts as text and times in milliseconds on the web, codec keys that come empty or
under new names. Says nothing about which route gives which shape.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from typing import Any, Literal

from tikomni.sandbox.world import Creator, Work, crowd, load
from tikomni.sandbox.world.discussion import Part, Said

Json = dict[str, Any]
Shape = Literal["app", "old", "web"]

TOKEN = "ABsandbox0token1for2open3links4="
_GONE = (-510001, "笔记已被删除")
_UNKNOWN = (-510000, "笔记不存在")
_CAPTION_IN_LISTS, _CAPTION_IN_SEARCHES = 100, 58
_SEARCHED = (
    "id", "title", "type", "liked_count", "collected_count", "comments_count", "shared_count", "images_list",
)  # fmt: skip
SEARCH_ID = "2sandboxsearch0id"


def inner(data: Any) -> Json:
    """The app's own envelope, inside the upstream's."""
    return {"code": 0, "success": True, "msg": "成功", "data": data, "debug_id": "0"}


def failure(work: Work | None) -> Json | None:
    """What every route says instead of a note that is gone or never was; None for a note that is there."""
    if work and work.state == "public":
        return None
    code, message = _GONE if work else _UNKNOWN
    return {"code": code, "success": False, "msg": message, "data": {}}


def video_note(work: Work, others: list[Work], origin: str) -> Json:
    """The video route: the note, then notes of other people that it recommends."""
    return inner([note(each, origin, with_video=each.kind == "video") for each in (work, *others)])


def image_note(work: Work, origin: str, *, with_video: bool = False) -> Json:
    """The picture route: one level deeper, and without the film where the note is one."""
    return inner(note_list(work, origin, with_video=with_video))


def note_list(work: Work, origin: str, *, with_video: bool) -> list[Json]:
    entry = note(work, origin, with_video=with_video)
    return [{"model_type": "note", "user": entry["user"], "comment_list": [], "track_id": "", "note_list": [entry]}]


def note(work: Work, origin: str, *, with_video: bool) -> Json:
    """One note as the app has it."""
    counts = work.counts
    item: Json = {
        "id": work.id,
        "title": work.title,
        "desc": _tagged(work),
        "type": "video" if work.kind == "video" else "normal",
        "model_type": "note",
        "time": work.timestamp,
        "last_update_time": work.timestamp + 60,
        "ip_location": work.author.ip,
        "user": _user(work.author, origin),
        "liked_count": counts.get("liked", 0),
        "collected_count": counts.get("collected", 0),
        "comments_count": counts.get("comments", 0),
        "shared_count": counts.get("shared", 0),
        "view_count": 0,
        "pre_view_count": -1,
        "hash_tag": [{"id": _hex(name), "name": name, "type": "topic", "link": ""} for name in work.topics],
        "topics": [{"id": _hex(name), "name": name, "discuss_num": 0} for name in work.topics[:1]],
        "images_list": [_picture(work, n, origin) for n in range(1, (work.images or 1) + 1)],
        "share_info": {
            "link": f"https://www.xiaohongshu.com/discovery/item/{work.id}?app_platform=ios&xsec_source=app_share"
            f"&type={'video' if work.kind == 'video' else 'normal'}&xsec_token={TOKEN}",
            "title": work.title,
            "content": work.caption,
            "image": f"{origin}/media/{work.name}/cover.jpg",
            "wechat_share_desc": f"@{work.author.nickname}的笔记",
        },
        "interaction_info": {"nice_count": 3, "share_count": counts.get("shared", 0), "niced": False},
        "liked": False,
        "collected": False,
        "sticky": work.pinned,
        "ats": [],
        "foot_tags": [],
        "has_related_goods": False,
        "cooperate_binds": [],
        "function_switch": [{"type": "video_download", "enable": False, "reason": "作者已关闭下载权限"}],
        "media_save_config": {"disable_save": False, "disable_watermark": False, "disable_weibo_cover": False},
        "text_language_code": "zh-Hans",
        "widgets_context": json.dumps({"author_id": work.author.id, "video": work.kind == "video"}),
        "privacy": {"type": 0, "show_tips": False, "nick_names": ""},
    }
    if with_video and work.kind == "video":
        item["video_info_v2"] = _video_info(work, origin, ("h265", "h266", "h264", "av1"))
        item["native_voice_info"] = {
            "sound_id": "1146000000000000001",
            "url": f"{origin}/media/{work.name}/sound.m4a",
            "use_count": 1,
        }
    return item


def feed(work: Work, origin: str) -> Json:
    """A web route: ``items`` of ``note_card``."""
    return {
        "cursor_score": "",
        "current_time": work.timestamp * 1000 + 86_400_000,
        "items": [{"id": work.id, "model_type": "note", "note_card": note_card(work, origin), "ignore": False}],
    }


def note_card(work: Work, origin: str) -> Json:
    """One note as the web has it: strings for counts, milliseconds for times, new names for codecs."""
    counts = work.web_counts or {name: str(value) for name, value in work.counts.items()}
    here = f"{origin}/media/{work.name}"
    card: Json = {
        "note_id": work.id,
        "type": "video" if work.kind == "video" else "normal",
        "title": work.title,
        "desc": _tagged(work),
        "time": work.timestamp * 1000,
        "last_update_time": work.timestamp * 1000 + 60_000,
        "ip_location": work.author.ip,
        "user": {
            "user_id": work.author.id,
            "nickname": work.author.nickname,
            "avatar": f"{origin}/media/avatar/{work.author.name}.jpg",
            "xsec_token": TOKEN,
        },
        "interact_info": {
            "liked_count": counts.get("liked", "0"),
            "collected_count": counts.get("collected", "0"),
            "comment_count": counts.get("comments", "0"),
            "share_count": counts.get("shared", "0"),
            "liked": False,
            "collected": False,
            "followed": False,
            "relation": "none",
            "nice_count": "",
        },
        "tag_list": [{"id": topic_id(name), "name": name, "type": "topic"} for name in work.topics],
        "at_user_list": [],
        "share_info": {"un_share": False},
        "xsec_token": TOKEN,
        "image_list": [
            {
                "file_id": f"1040g2sg{_hex(f'{work.name}{n}')}",
                "width": 1440,
                "height": 1920,
                "url": "",
                "url_pre": f"{here}/{n}.webp?imageView2/2/w/640",
                "url_default": f"{here}/{n}.webp",
                "trace_id": "",
                "live_photo": work.kind == "live_photos",
                "stream": _live_streams(work, n, origin, ("EF4", "EF5", "EF6", "EF7")),
                "info_list": [{"image_scene": "WB_DFT", "url": f"{here}/{n}.webp"}],
            }
            for n in range(1, (work.images or 1) + 1)
        ],
    }
    if work.kind == "video":
        card["video"] = _video_info(work, origin, ("EF4", "EF6", "EF5", "EF7"))
    return card


def profile(creator: Creator | None, origin: str) -> Json:
    if creator is None or creator.canceled:
        return {
            "code": -10002,
            "success": False,
            "msg": "用户不存在" if creator is None else "该账号已注销",
            "data": {},
        }
    counts = {**creator.counts, "works": len(load().works_of(creator))}
    picture = f"{origin}/media/avatar/{creator.name}.jpg"
    return inner(
        {
            "userid": creator.id,
            "red_id": creator.handle,
            "nickname": creator.nickname,
            "desc": creator.signature,
            "ip_location": creator.ip,
            "location": "",
            "gender": creator.gender,
            "fans": counts["fans"],
            "follows": counts["following"],
            "liked": counts["liked"],
            "collected": counts["collected"],
            "ndiscovery": counts["works"],
            "note_num_stat": {key: counts[of] for key, of in _STAT.items()},
            "interactions": [
                {"type": "follows", "name": "关注", "count": counts["following"], "is_private": True},
                {"type": "fans", "name": "粉丝", "count": counts["fans"], "is_private": False},
                {"type": "interaction", "name": "获赞与收藏", "count": counts["liked"] + counts["collected"]},
            ],
            "images": picture,
            "imageb": picture,
            "red_official_verified": bool(creator.verified),
            "red_official_verify_type": int(bool(creator.verified)),
            "red_official_verify_content": creator.verified,
            "share_link": f"https://www.xiaohongshu.com/user/profile/{creator.id}",
            "share_info": {"title": creator.nickname, "content": creator.signature},
            "tags": [{"icon": "", "tag_type": "info"}],
            "level": {"number": 0, "image": "", "image_link": ""},
            "tab_public": {"collection": False, "seed": True},
            "result": {"code": 0, "success": True, "message": "success"},
        }
    )


_STAT = {"posted": "works", "liked": "liked", "collected": "collected"}


def posted(works: Sequence[Work], cursor: str, size: int, shape: Shape, origin: str) -> Json:
    """A page of a profile. The cursor is the id of the last note shown; captions are cut.

    ``old``: likes alone, no times, and nobody says whether there is more. ``web``: titles and likes, and the cursor
    beside the notes. Profiles with many notes hold what is none: an advertisement, a live room, a note that was on
    the page before.
    """
    place = crowd.place_of(works, cursor) if cursor else None
    start = 0 if place is None else place + 1
    page = works[start : start + size]
    rows = [posted_card(work, origin) if shape == "web" else _listed(work, origin, shape) for work in page]
    more = start + len(page) < len(works)
    if isinstance(works, crowd.Works) and len(works) >= 20 and rows:
        other = _listed(load().works["xhs_other_too"], origin, "app") | {"model_type": "ads", "is_ads": True}
        rows.insert(1, other if start else {"model_type": "live", "type": "live", "id": "", "live": {"room_id": "1"}})
        if start % 3 == 0 and start and shape != "web":
            rows.insert(0, _listed(works[start - 1], origin, shape))
    if shape == "old":
        return inner({"notes": rows, "tags": []})
    if shape == "web":
        return inner({"notes": rows, "cursor": page[-1].id if page else "", "has_more": more})
    return inner({"notes": rows, "has_more": more, "tags": []})


def posted_card(work: Work, origin: str) -> Json:
    likes = work.web_counts.get("liked") or work.counts.get("liked", 0)
    cover = f"{origin}/media/{work.name}/cover.webp"
    return {
        "note_id": work.id,
        "display_title": work.title,
        "type": "video" if work.kind == "video" else "normal",
        "cover": {"width": 1080, "height": 1440, "url_pre": cover, "url_default": cover, "info_list": []},
        "user": {"user_id": work.author.id, "nickname": work.author.nickname, "avatar": ""},
        "interact_info": {"liked": False, "liked_count": _shown(likes), "sticky": work.pinned},
        "xsec_token": TOKEN,
    }


def _shown(count: int | str) -> str:
    """A count as the website shows it."""
    return f"{count / 10000:.1f}万" if isinstance(count, int) and count >= 10_000 else str(count)


def snippet(work: Work, origin: str) -> Json:
    """A note as searches and topics tell it: its caption cut, and nothing of its film but that there is one."""
    told = note(work, origin, with_video=True)
    user = {"userid": work.author.id, "red_id": work.author.handle, "nickname": work.author.nickname}
    told = {name: told[name] for name in _SEARCHED} | {"user": user, "timestamp": work.timestamp}
    return told | {"desc": _tagged(work)[:_CAPTION_IN_SEARCHES], "xsec_token": TOKEN}


def found(people: list[Creator], origin: str) -> Json:
    """People who were searched for."""
    rows = [
        {
            "id": person.id,
            "name": person.nickname,
            "red_id": person.handle,
            "image": f"{origin}/media/avatar/{person.name}.jpg",
            "sub_title": f"小红书号：{person.handle}",
            "red_official_verified": bool(person.verified),
        }
        for person in people
    ]
    return inner({"users": rows, "search_id": SEARCH_ID, "has_more": False})


def comment_id(work: Work, seed: str) -> str:
    return _hex(f"{work.name} comment {seed}")


def comments(work: Work, part: Part, size: int) -> Json:
    """A page of comments. ``cursor`` is the last one's id and goes with ``index``, which counts pages."""
    return inner(
        {
            "comments": [_said(work, row) for row in part.rows],
            "comment_count": part.total,
            "comment_count_l1": part.total,
            "cursor": comment_id(work, str(part.after - 1)) if part.after else "",
            "index": -(-part.after // size),
            "has_more": part.more,
            "user_id": work.author.id,
        }
    )


def replies(work: Work, comment: Said, part: Part, size: int) -> Json:
    """A page of replies. ``cursor`` is the text of an object that holds both inputs of the next page."""
    following = {"cursor": comment_id(work, f"{comment.place} {part.after - 1}"), "index": part.after // size + 1}
    rows = [_said(work, row) for row in part.rows]
    return inner({"comments": rows, "cursor": json.dumps(following), "has_more": part.more, "user_id": work.author.id})


def _said(work: Work, row: Said) -> Json:
    own = row.kind in ("author", "pinned")
    said: Json = {
        "id": comment_id(work, row.seed),
        "note_id": work.id,
        "content": row.text,
        "time": work.timestamp + 1800 * (row.place + 1),
        "like_count": row.liked,
        "liked": False,
        "ip_location": row.ip,
        "sub_comment_count": row.replies,
        "sub_comments": [],
        "status": 0,
        "at_users": [],
        "show_tags": ["is_author"] if own else [],
        "comment_type": 1 if row.kind == "sticker" else 0,
        "user": {
            "userid": work.author.id if own else _hex(row.who, 24),
            "nickname": work.author.nickname if own else row.who,
            "red_id": "",
            "images": "",
        },
    }
    if row.below is not None:
        said["target_comment"] = {"id": comment_id(work, str(row.below)), "user": {"nickname": "", "userid": ""}}
    return said


def _listed(work: Work, origin: str, shape: Shape) -> Json:
    counts = {"likes": "liked", "collected_count": "collected", "comments_count": "comments", "share_count": "shared"}
    item: Json = {
        "id": work.id,
        "cursor": work.id,
        "title": work.title,
        "display_title": work.title or work.caption[:20],
        "desc": _tagged(work)[:_CAPTION_IN_LISTS],
        "type": "video" if work.kind == "video" else "normal",
        **{name: work.counts.get(of, 0) for name, of in counts.items() if of not in work.unlisted},
        "view_count": 0,
        "create_time": work.timestamp,
        "last_update_time": 0,
        "sticky": work.pinned,
        "inlikes": False,
        "is_goods_note": False,
        "user": {
            "userid": work.author.id,
            "nickname": work.author.nickname,
            "images": f"{origin}/media/avatar/{work.author.name}.jpg",
        },
        "images_list": [_picture(work, 1, origin)],
        "level": 4,
        "widgets_context": "{}",
    }
    if work.kind == "video":
        item["video_info_v2"] = _video_info(work, origin, ("av1", "h264", "h265"))
    untold = ("collected_count", "comments_count", "share_count", "create_time") if shape == "old" else ()
    return {name: value for name, value in item.items() if name not in untold}


def _user(creator: Creator, origin: str) -> Json:
    return {
        "id": creator.id,
        "userid": creator.id,
        "red_id": creator.handle,
        "nickname": creator.nickname,
        "name": creator.nickname,
        "image": f"{origin}/media/avatar/{creator.name}.jpg",
        "followed": False,
        "fstatus": "none",
        "level": {"image": ""},
        "red_official_verified": bool(creator.verified),
        "red_official_verify_type": 0,
    }


def _picture(work: Work, n: int, origin: str) -> Json:
    """One picture; the cover of a film has no large size."""
    stem = f"{origin}/media/{work.name}/{'cover' if work.kind == 'video' else n}"
    picture: Json = {
        "fileid": f"1040g2sg{_hex(f'{work.name}{n}')}",
        "trace_id": f"1040g2sg{_hex(f'{work.name}{n}')}",
        "index": n - 1,
        "width": 1440,
        "height": 1920,
        "url": f"{stem}.webp?imageView2/2/w/1440",
        "url_size_large": "" if work.kind == "video" else f"{stem}.jpg",
        "original": f"{stem}.png",
        "latitude": 0,
        "longitude": 0,
        "scale_to_large": 4,
    }
    if work.kind != "video":
        picture["url_multi_level"] = {size: f"{stem}.webp?s={size}" for size in ("high", "low", "medium")}
    if work.kind == "live_photos":
        streams = _live_streams(work, n, origin, ("h265", "h264", "h266", "av1"))
        picture["live_photo_file_id"] = f"livephoto/{n}"
        picture["live_photo"] = {"media": {"stream": streams, "video": {"duration": 3}, "video_id": "1"}}
    return picture


def _live_streams(work: Work, n: int, origin: str, codecs: tuple[str, ...]) -> Json:
    if work.kind != "live_photos":
        return {}
    stream = _stream(f"{origin}/media/{work.name}/live-{n}", codecs[0], 2021, 66)
    return {codec: [stream] if codec == codecs[0] else [] for codec in codecs}


def _video_info(work: Work, origin: str, codecs: tuple[str, ...]) -> Json:
    """The film. Of ``codecs``, those that stand for H.264 and H.265 have streams; the others come empty."""
    here = f"{origin}/media/{work.name}"
    names = {"h264": "video-720", "EF4": "video-720", "h265": "video-720-h265", "EF5": "video-720-h265"}
    streams: Json = {
        codec: [_stream(f"{here}/{names[codec]}", codec, work.milliseconds, 258 if "264" in codec else 178)]
        if codec in names
        else []
        for codec in codecs
    }
    return {
        "capa": {"duration": int(work.seconds), "frame_ts": 0, "is_upload": False, "is_user_select": False},
        "consumer": {"can_super_resolution": False},
        "image": {
            "first_frame": f"{here}/frame.jpg",
            "thumbnail": f"{here}/cover.webp",
            "thumbnail_dim": f"{here}/cover.webp?dim=1",
        },
        "media": {
            "user_level": 0,
            "video_id": _hex(work.name, 18),
            "video": {
                "duration": round(work.seconds + 0.49),
                "md5": _hex(work.name, 32),
                "width": 1080,
                "height": 1920,
                "biz_name": 110,
                "stream_types": [258, 178],
                "subtitles": _subtitles(work, here),
                "opaque1": {
                    "hasHumanVoice": "false" if work.no_voice else "true",
                    "audioClsInfo": json.dumps({"speech_ratio": 0.02 if work.no_voice else 0.91}),
                    "isSupportSubtitle": "true" if work.subtitles else "false",
                    "videoLanguage": '["zh-CN"]',
                },
            },
            "stream": streams,
        },
    }


def _subtitles(work: Work, here: str) -> Json:
    def track(name: str) -> Json:
        language = "zh-CN" if name == "source" else name
        return {"language": language, "url": f"{here}/{name}.srt", "type": 0, "format": 0}

    return {name: [track(name)] for name in work.subtitles}


def _stream(stem: str, codec: str, duration: int, kind: int) -> Json:
    return {
        "stream_type": kind,
        "stream_desc": f"X_{codec}",
        "master_url": f"{stem}.mp4",
        "backup_urls": [f"{stem}.mp4?bak=1", f"{stem}.mp4?bak=2"],
        "video_codec": {"h264": "h264", "h265": "hevc"}.get(codec, codec),
        "audio_codec": "aac",
        "format": "mp4",
        "width": 720,
        "height": 1280,
        "duration": duration,
        "video_duration": duration - 1,
        "audio_duration": duration - 1,
        "size": duration * 2,
        "fps": 30,
        "weight": 62,
        "default_stream": 0,
        "quality_type": "HD",
        "avg_bitrate": 679811,
        "rotate": 0,
        "hdr_type": 0,
    }


def topic_id(name: str) -> str:
    return _hex(name)


def _tagged(work: Work) -> str:
    """The caption as the platform stores it: each topic marked as one, as in ``#name[话题]#``."""
    return re.sub(r"#([^#\s\[]+)(?=\s|$)", r"#\1[话题]#", work.caption)


def _hex(seed: str, digits: int = 24) -> str:
    """A hexadecimal id that is always the same for the same seed."""
    return "".join(f"{zlib.crc32(f'{seed}{n}'.encode()):08x}" for n in range(5))[:digits].ljust(digits, "0")
