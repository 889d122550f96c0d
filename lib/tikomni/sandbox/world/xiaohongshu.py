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


def video_note(work: Work, others: list[Work]) -> Json:
    """The video route: the note, then notes of other people that it recommends."""
    return inner([note(each) for each in (work, *others)])


def note_list(work: Work, *, with_video: bool = True) -> list[Json]:
    """One level deeper; the picture route leaves out the film where the note is one."""
    entry = note(work, with_video=with_video)
    return [{"model_type": "note", "user": entry["user"], "comment_list": [], "track_id": "", "note_list": [entry]}]


def note(work: Work, *, with_video: bool = True) -> Json:
    """One note as the app has it."""
    counts = work.counts
    item: Json = {
        "id": work.id,
        "title": work.title,
        "desc": _tagged(work),
        "type": _type(work),
        "model_type": "note",
        "time": work.timestamp,
        "last_update_time": work.timestamp + 60,
        "ip_location": work.author.ip,
        "user": _user(work.author),
        "liked_count": counts.get("liked", 0),
        "collected_count": counts.get("collected", 0),
        "comments_count": counts.get("comments", 0),
        "shared_count": counts.get("shared", 0),
        "view_count": 0,
        "hash_tag": [{"id": topic_id(name), "name": name, "type": "topic", "link": ""} for name in work.topics],
        "topics": [{"id": topic_id(name), "name": name} for name in work.topics[:1]],
        "images_list": [_picture(work, n) for n in range(1, (work.images or 1) + 1)],
        "share_info": {
            "link": f"https://www.xiaohongshu.com/discovery/item/{work.id}?app_platform=ios&xsec_source=app_share"
            f"&type={_type(work)}&xsec_token={TOKEN}",
            "title": work.title,
            "content": work.caption,
            "image": f"{work.media}/cover.jpg",
        },
        "interaction_info": {"share_count": counts.get("shared", 0)},
        "liked": False,
        "collected": False,
        "sticky": work.pinned,
    }
    if with_video and work.kind == "video":
        item["video_info_v2"] = _video_info(work, ("h265", "h266", "h264", "av1"))
        item["native_voice_info"] = {"url": f"{work.media}/sound.m4a"}
    return item


def _type(work: Work) -> str:
    return "video" if work.kind == "video" else "normal"


def feed(work: Work) -> Json:
    """A web route: ``items`` of ``note_card``."""
    return {
        "cursor_score": "",
        "items": [{"id": work.id, "model_type": "note", "note_card": note_card(work), "ignore": False}],
    }


def note_card(work: Work) -> Json:
    """One note as the web has it: strings for counts, milliseconds for times, new names for codecs."""
    counts = work.web_counts or {name: str(value) for name, value in work.counts.items()}
    here = work.media
    card: Json = {
        "note_id": work.id,
        "type": _type(work),
        "title": work.title,
        "desc": _tagged(work),
        "time": work.timestamp * 1000,
        "last_update_time": work.timestamp * 1000 + 60_000,
        "ip_location": work.author.ip,
        "user": {
            "user_id": work.author.id,
            "nickname": work.author.nickname,
            "avatar": f"{work.author.avatar}.jpg",
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
        },
        "tag_list": [{"id": topic_id(name), "name": name, "type": "topic"} for name in work.topics],
        "xsec_token": TOKEN,
        "image_list": [
            {
                "width": 1440,
                "height": 1920,
                "url": "",
                "url_pre": f"{here}/{n}.webp?imageView2/2/w/640",
                "url_default": f"{here}/{n}.webp",
                "live_photo": work.kind == "live_photos",
                "stream": _live_streams(work, n, ("EF4", "EF5", "EF6", "EF7")),
                "info_list": [{"image_scene": "WB_DFT", "url": f"{here}/{n}.webp"}],
            }
            for n in range(1, (work.images or 1) + 1)
        ],
    }
    if work.kind == "video":
        card["video"] = _video_info(work, ("EF4", "EF6", "EF5", "EF7"))
    return card


def profile(creator: Creator | None) -> Json:
    if creator is None or creator.canceled:
        return {
            "code": -10002,
            "success": False,
            "msg": "用户不存在" if creator is None else "该账号已注销",
            "data": {},
        }
    counts = {**creator.counts, "works": len(load().works_of(creator))}
    picture = f"{creator.avatar}.jpg"
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
            "result": {"code": 0, "success": True, "message": "success"},
        }
    )


_STAT = {"posted": "works", "liked": "liked", "collected": "collected"}


def posted(works: Sequence[Work], cursor: str, size: int, shape: Shape) -> Json:
    """A page of a profile. The cursor is the id of the last note shown; captions are cut.

    ``old``: likes alone, no times, and nobody says whether there is more. ``web``: titles and likes, and the cursor
    beside the notes. Profiles with many notes hold what is none: an advertisement, a live room, a note that was on
    the page before.
    """
    place = crowd.place_of(works, cursor) if cursor else None
    start = 0 if place is None else place + 1
    page = works[start : start + size]
    rows = [posted_card(work) if shape == "web" else _listed(work, shape) for work in page]
    more = start + len(page) < len(works)
    if isinstance(works, crowd.Works) and len(works) >= 20 and rows:
        other = _listed(load().works["xhs_other_too"], "app") | {"model_type": "ads", "is_ads": True}
        rows.insert(1, other if start else {"model_type": "live", "type": "live", "id": "", "live": {"room_id": "1"}})
        if start % 3 == 0 and start and shape != "web":
            rows.insert(0, _listed(works[start - 1], shape))
    if shape == "old":
        return inner({"notes": rows, "tags": []})
    if shape == "web":
        return inner({"notes": rows, "cursor": page[-1].id if page else "", "has_more": more})
    return inner({"notes": rows, "has_more": more, "tags": []})


def posted_card(work: Work) -> Json:
    likes = work.web_counts.get("liked") or work.counts.get("liked", 0)
    cover = f"{work.media}/cover.webp"
    return {
        "note_id": work.id,
        "display_title": work.title,
        "type": _type(work),
        "cover": {"width": 1080, "height": 1440, "url_pre": cover, "url_default": cover, "info_list": []},
        "user": {"user_id": work.author.id, "nickname": work.author.nickname, "avatar": ""},
        "interact_info": {"liked": False, "liked_count": _shown(likes), "sticky": work.pinned},
        "xsec_token": TOKEN,
    }


def _shown(count: int | str) -> str:
    """A count as the website shows it."""
    return f"{count / 10000:.1f}万" if isinstance(count, int) and count >= 10_000 else str(count)


def snippet(work: Work) -> Json:
    """A note as searches and topics tell it: its caption cut, and nothing of its film but that there is one."""
    told = note(work)
    user = {"userid": work.author.id, "red_id": work.author.handle, "nickname": work.author.nickname}
    told = {name: told[name] for name in _SEARCHED} | {"user": user, "timestamp": work.timestamp}
    return told | {"desc": _tagged(work)[:_CAPTION_IN_SEARCHES], "xsec_token": TOKEN}


def found(people: list[Creator]) -> Json:
    """People who were searched for."""
    rows = [
        {
            "id": person.id,
            "name": person.nickname,
            "red_id": person.handle,
            "image": f"{person.avatar}.jpg",
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
        "status": 0,
        "show_tags": ["is_author"] if own else [],
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


def _listed(work: Work, shape: Shape) -> Json:
    counts = {"likes": "liked", "collected_count": "collected", "comments_count": "comments", "share_count": "shared"}
    item: Json = {
        "id": work.id,
        "cursor": work.id,
        "title": work.title,
        "display_title": work.title or work.caption[:20],
        "desc": _tagged(work)[:_CAPTION_IN_LISTS],
        "type": _type(work),
        **{name: work.counts.get(of, 0) for name, of in counts.items() if of not in work.unlisted},
        "view_count": 0,
        "create_time": work.timestamp,
        "last_update_time": 0,
        "sticky": work.pinned,
        "user": {
            "userid": work.author.id,
            "nickname": work.author.nickname,
            "images": f"{work.author.avatar}.jpg",
        },
        "images_list": [_picture(work, 1)],
        "level": 4,
    }
    if work.kind == "video":
        item["video_info_v2"] = _video_info(work, ("av1", "h264", "h265"), listed=True)
    untold = ("collected_count", "comments_count", "share_count", "create_time") if shape == "old" else ()
    return {name: value for name, value in item.items() if name not in untold}


def _user(creator: Creator) -> Json:
    return {
        "id": creator.id,
        "userid": creator.id,
        "red_id": creator.handle,
        "nickname": creator.nickname,
        "name": creator.nickname,
        "image": f"{creator.avatar}.jpg",
        "followed": False,
        "level": {"image": ""},
        "red_official_verified": bool(creator.verified),
        "red_official_verify_type": 0,
    }


def _picture(work: Work, n: int) -> Json:
    """One picture; the cover of a film has no large size."""
    stem = f"{work.media}/{'cover' if work.kind == 'video' else n}"
    picture: Json = {
        "index": n - 1,
        "width": 1440,
        "height": 1920,
        "url": f"{stem}.webp?imageView2/2/w/1440",
        "url_size_large": "" if work.kind == "video" else f"{stem}.jpg",
        "original": f"{stem}.png",
    }
    if work.kind != "video":
        picture["url_multi_level"] = {size: f"{stem}.webp?s={size}" for size in ("high", "low", "medium")}
    if work.kind == "live_photos":
        streams = _live_streams(work, n, ("h265", "h264", "h266", "av1"))
        picture["live_photo_file_id"] = f"livephoto/{n}"
        picture["live_photo"] = {"media": {"stream": streams, "video": {"duration": 3}, "video_id": "1"}}
    return picture


def _live_streams(work: Work, n: int, codecs: tuple[str, ...]) -> Json:
    if work.kind != "live_photos":
        return {}
    stream = _stream(f"{work.media}/live-{n}", codecs[0], 2021)
    return {codec: [stream] if codec == codecs[0] else [] for codec in codecs}


def _video_info(work: Work, codecs: tuple[str, ...], *, listed: bool = False) -> Json:
    """The film. Of ``codecs``, those that stand for H.264 and H.265 have streams; the others come empty. A list has no
    subtitles."""
    here = work.media
    names = {"h264": "video-720", "EF4": "video-720", "h265": "video-720-h265", "EF5": "video-720-h265"}
    streams: Json = {
        codec: [_stream(f"{here}/{names[codec]}", codec, work.milliseconds)] if codec in names else []
        for codec in codecs
    }
    return {
        "capa": {"duration": int(work.seconds)},
        "image": {
            "first_frame": f"{here}/frame.jpg",
            "thumbnail": f"{here}/cover.webp",
            "thumbnail_dim": f"{here}/cover.webp?dim=1",
        },
        "media": {
            "video_id": _hex(work.name, 18),
            "video": {
                "duration": round(work.seconds + 0.49),
                "md5": _hex(work.name, 32),
                "width": 1080,
                "height": 1920,
                **({} if listed else {"subtitles": _subtitles(work, here)}),
                "opaque1": {
                    "hasHumanVoice": "false" if work.no_voice else "true",
                    "audioClsInfo": json.dumps({"speech_ratio": 0.02 if work.no_voice else 0.91}),
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


def _stream(stem: str, codec: str, duration: int) -> Json:
    return {
        "master_url": f"{stem}.mp4",
        "backup_urls": [f"{stem}.mp4?bak=1", f"{stem}.mp4?bak=2"],
        "video_codec": {"h264": "h264", "h265": "hevc"}.get(codec, codec),
        "format": "mp4",
        "width": 720,
        "height": 1280,
        "duration": duration,
        "video_duration": duration - 1,
        "size": duration * 2,
        "weight": 62,
        "default_stream": 0,
        "avg_bitrate": 679811,
    }


def topic_id(name: str) -> str:
    return _hex(name)


def _tagged(work: Work) -> str:
    """The caption as the platform stores it: each topic marked as one, as in ``#name[话题]#``."""
    return re.sub(r"#([^#\s\[]+)(?=\s|$)", r"#\1[话题]#", work.caption)


def _hex(seed: str, digits: int = 24) -> str:
    """A hexadecimal id that is always the same for the same seed."""
    return "".join(f"{zlib.crc32(f'{seed}{n}'.encode()):08x}" for n in range(5))[:digits].ljust(digits, "0")
