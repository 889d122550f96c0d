"""The world's Douyin works and people in the shapes that the app and the web routes give them.

Shapes follow real answers, their traps included: a watermarked ``download_addr``, an MP3 in the ``play_addr`` of a
picture post, soundless ``dash`` streams among ``bit_rate`` on the web, zeros for what is not told. Says nothing
about which route gives which shape.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from tikomni.sandbox.world import Creator, Work, crowd, load, own_account
from tikomni.sandbox.world.discussion import Part, Said

Json = dict[str, Any]
Side = Literal["app", "web"]
Route = Literal["app", "app3", "web"]
"""The app's third version opens what the others call blocked, and articles."""

_TYPE = {"video": 0, "pictures": 68, "live_photos": 68, "text_mode": 68, "article": 163}
_MEDIA_TYPE = {"video": 4, "pictures": 2, "live_photos": 42, "text_mode": 2, "article": 2}
_REASON = {"deleted": 8, "blocked": 8, "private": 5, "partly_visible": 10}
_NOTICE = "因作品权限或已被删除，无法观看，去看看其他作品吧"


def detail(work: Work | None, route: Route) -> Json:
    """The ``data`` of a route that returns one work."""
    side: Side = "web" if route == "web" else "app"
    if work and _shown(work, route):
        return {"aweme_detail": aweme(work, side), "status_code": 0}
    reason = _REASON.get(work.state) if work else None
    filtered = [{"aweme_id": work.id, "reason": reason, "msg_type": 0}] if work and reason else []
    data: Json = {"aweme_detail": None, "filter_list": filtered, "status_code": 0}
    if side == "web":
        data["filter_detail"] = {
            "aweme_id": work.id if work else "",
            "detail_msg": _NOTICE,
            "filter_reason": "status_self_see" if reason == 5 else "core_dep",
            "icon": "",
            "notice": "抱歉，作品不见了",
        }
    return data


def _shown(work: Work, route: Route) -> bool:
    if work.state == "public":
        return work.kind != "article" or route != "app"
    return (work.state, route) in (("app_empty", "web"), ("blocked", "app3"))


def aweme(work: Work, side: Side, *, listed: bool = False) -> Json:
    """One work. Works of a list say less about their author, and whether they are pinned."""
    topics = _topics(work)
    share_url = (
        f"https://www.iesdouyin.com/share/{work.place}/{work.id}/?region=CN&mid={_number(work.name + 'm', 19)}"
        f"&titleType=title&from_aid=1128&share_sign=0"
    )
    item: Json = {
        "aweme_id": work.id,
        "desc": work.caption,
        "create_time": work.timestamp,
        "author": _author(work.author, listed),
        "music": _music(work),
        "cha_list": [{"cid": t["hashtag_id"], "cha_name": t["hashtag_name"], "desc": ""} for t in topics] or None,
        "video": _video(work, side),
        "share_url": share_url,
        "statistics": _statistics(work, work.unlisted if listed else ()),
        "status": _status(work),
        "text_extra": topics + _search_word(work, side),
        "is_top": int(work.pinned),
        "share_info": {"share_url": share_url, "share_title": work.caption},
        "duration": work.milliseconds,
        "aweme_type": _TYPE[work.kind] if work.aweme_type is None else work.aweme_type,
        "media_type": _MEDIA_TYPE[work.kind],
        "image_infos": None,
        "position": None,
        "author_user_id": int(work.author.uid),
        "region": "CN",
        "group_id": work.id,
        "is_ads": False,
        "is_story": 0,
        "long_video": None,
        "images": _images(work) or None,
        "is_live_photo": 1 if work.kind == "live_photos" else None,
        "is_new_text_mode": int(work.kind == "text_mode"),
        "image_list": None,
        "commerce_info": {"ad_type": 0, "is_ad": False},
        "video_tag": [{"tag_id": 2001, "tag_name": "生活", "level": 1}, {"tag_id": 0, "tag_name": "", "level": 0}],
        "preview_title": work.caption[:20],
        "item_title": work.title,
        "caption": work.caption if side == "web" else "",
        "mix_info": None,
        "anchors": None,
        "article_info": _article(work) if work.kind == "article" else None,
    }
    return {key: value for key, value in item.items() if value is not None or side == "web"}


def posts(works: Sequence[Work], cursor: int, count: int, side: Side) -> Json:
    """A page of a profile. The cursor is the time, in milliseconds, of the last unpinned work shown.

    Profiles with many works hold what is none: an advertisement, a live room, a deleted work, one that was on the
    page before.
    """
    pinned = [work for work in works[:count] if work.pinned] if not cursor else []
    start = crowd.first_before(works, cursor / 1000 if cursor else math.inf)
    shown = list(works[start : start + max(count - len(pinned), 1)])
    page = [aweme(work, side, listed=True) for work in pinned + shown]
    if isinstance(works, crowd.Works) and len(works) >= 20:
        _disturb(page, works, start, bool(cursor), side)
    more = start + len(shown) < len(works)
    return {
        "status_code": 0,
        "min_cursor": cursor or (_ms(shown[0]) if shown else 0),
        "max_cursor": _ms(shown[-1]) if shown else 0,
        "has_more": more if side == "web" else int(more),
        "aweme_list": page,
    }


def _disturb(page: list[Json], works: Sequence[Work], start: int, later: bool, side: Side) -> None:
    if not later:
        host = load().works["dy_clip"]
        room = aweme(host, side, listed=True) | {"aweme_id": _number("room", 19), "aweme_type": 101}
        page.insert(3, room | {"author": page[0]["author"], "cell_room": {"rawdata": "{}"}})
        return
    advertised = load().works["dy_before_midnight"]
    page.insert(1, aweme(advertised, side, listed=True) | {"is_ads": True})
    if start // 20 % 2:
        page.insert(0, aweme(works[start - 1], side, listed=True))
    else:
        gone = aweme(works[start], side, listed=True)
        number = _number(f"gone{start}", 19)
        page.insert(0, gone | {"aweme_id": number, "status": gone["status"] | {"is_delete": True}, "desc": ""})


def _ms(work: Work) -> int:
    return work.timestamp * 1000


def profile(creator: Creator | None) -> Json:
    """A person. A private account has no place and no counts; an unknown id gives no person at all."""
    if creator is None:
        return {"status_code": 2065, "status_msg": "用户不存在", "user": None}
    counts = creator.counts
    user: Json = _author(creator, listed=False) | {
        "aweme_count": len(load().works_of(creator)),
        "follower_count": counts["fans"],
        "mplatform_followers_count": counts["fans"],
        "following_count": counts["following"],
        "total_favorited": counts["liked"],
        "favoriting_count": 0,
        "max_follower_count": counts["fans"] + 409,
        "city": "",
        "country": "",
        "cover_url": [_pictures(f"{creator.avatar}-cover", 720, 720)],
        "live_status": 0,
        "mix_count": 0,
        "secret": int(creator.secret),
        "share_info": {"share_url": f"www.iesdouyin.com/share/user/{creator.id}?from_ssr=1"},
        "user_age": -1,
    }
    if creator.canceled:
        user |= {"nickname": "账号已注销", "signature": "", "user_canceled": True}
    elif not creator.secret:
        user["ip_location"] = f"IP属地：{creator.ip}"
    return {"status_code": 0, "status_msg": None, "user": user, "extra": {"logid": "0"}}


def found(people: list[Creator]) -> Json:
    """People who were searched for."""
    rows = [{"type": 4, "user_info": _author(person, listed=False)} for person in people]
    return {"status_code": 0, "user_list": rows, "cursor": len(rows), "has_more": 0, "extra": {"logid": "0"}}


def statistics(works: list[Work]) -> Json:
    """Plays, the one thing that a work itself does not tell."""
    rows = []
    for work in works:
        digg = work.counts.get("digg", 0)
        plays = own_account.plays(work) or (digg * 37 + 11 if isinstance(digg, int) else 4_180_000)
        rows.append(
            {
                "aweme_id": work.id,
                "digg_count": digg if isinstance(digg, int) else 104_500,
                "download_count": 21,
                "play_count": plays,
                "share_count": work.counts.get("share", 0),
            }
        )
    return {"status_code": 0, "statistics_list": rows}


def comments(work: Work, part: Part) -> Json:
    """A page of comments, or of replies; the cursor is an offset."""
    return {
        "status_code": 0,
        "comments": [_said(work, row) for row in part.rows],
        "cursor": part.after,
        "has_more": int(part.more),
        "total": part.total,
    }


def comment_id(work: Work, row: Said) -> str:
    place = row.place if row.below is None else 1000 * (row.below + 1) + row.place
    return str(int(work.id) + 7919 * (place + 1))


def _said(work: Work, row: Said) -> Json:
    own = row.kind in ("author", "pinned")
    root = replace(row, place=row.below, below=None) if row.below is not None else None
    return {
        "cid": comment_id(work, row),
        "text": row.text,
        "aweme_id": work.id,
        "create_time": work.timestamp + (60 if row.kind == "pinned" else 3600 * (row.place + 1)),
        "digg_count": row.liked,
        "status": 1,
        "user": {
            "uid": work.author.uid if own else _number(row.who, 16),
            "nickname": work.author.nickname if own else row.who,
            "sec_uid": work.author.id if own else f"MS4wLjABAAAA{_number(row.who, 43)}",
            "unique_id": work.author.handle if own else "",
        },
        "reply_id": comment_id(work, root) if root else "0",
        "reply_comment_total": row.replies,
        "ip_label": row.ip,
        "label_text": "作者" if own else "",
        "label_type": 1 if own else -1,
        "stick_position": int(row.kind == "pinned"),
        "text_extra": [],
        "image_list": [{"origin_url": {"uri": "sticker", "url_list": []}}] if row.kind == "sticker" else None,
        "level": 1 if row.below is None else 2,
    }


def _author(creator: Creator, listed: bool) -> Json:
    author: Json = {
        "uid": creator.uid,
        "sec_uid": creator.id,
        "nickname": creator.nickname,
        "avatar_thumb": _pictures(f"{creator.avatar}", 720, 720),
        "custom_verify": creator.verified,
        "enterprise_verify_reason": "",
    }
    if listed:
        return author
    return author | {
        "short_id": creator.short_id,
        "unique_id": creator.handle,
        "gender": creator.gender,
        "signature": creator.signature,
        "avatar_larger": _pictures(f"{creator.avatar}", 1080, 1080),
        "is_verified": True,
        "aweme_count": 0,
        "follower_count": 0,
        "following_count": 0,
        "favoriting_count": 0,
        "total_favorited": 0,
        "region": "CN",
        "location": "",
        "verification_type": 1 if creator.verified else 0,
        "school_name": "",
        "secret": 0,
        "room_id": 0,
        "user_canceled": False,
        "language": "zh-Hans",
    }


def _music(work: Work) -> Json:
    own = f"@{work.author.nickname}创作的原声"
    number = _number(work.name + "m", 19)
    sound = [f"{work.media}/music.mp3?ies={n}" for n in (1, 2)]
    return {
        "id": int(number) // 1000 * 1000,
        "mid": number,
        "title": work.music.get("title", own),
        "author": work.music.get("author", work.author.nickname),
        "album": "",
        "play_url": {"uri": sound[0], "url_list": sound, "width": 720, "height": 720},
        "duration": int(work.music.get("seconds", work.seconds)),
        "status": 1,
        "extra": "{}",
    }


def _video(work: Work, side: Side) -> Json:
    here = work.media
    video: Json = {
        "cover": _pictures(f"{here}/cover", 788, 1051),
        "origin_cover": _pictures(f"{here}/cover", 360, 640),
        "dynamic_cover": _pictures(f"{here}/cover", 720, 720),
        "height": 1920 if work.images else 1024,
        "width": 1440 if work.images else 576,
        "ratio": "540p",
        "duration": work.milliseconds,
        "is_h265": 0,
        "bit_rate": [],
        "bit_rate_audio": None,
        "meta": "{}",
    }
    if work.kind != "video":
        sound = f"{here}/music.mp3"
        play = {"uri": sound, "url_list": [sound, f"{sound}?ies=2"], "width": 720, "height": 720}
        return video | ({"play_addr": play} if work.music else {"play_addr": {"uri": "", "url_list": []}})
    h264, h265 = _stream(work, here, "video-540", 576, 1024), _stream(work, here, "video-720-h265", 720, 1280)
    return video | {
        "play_addr": h264,
        "play_addr_h264": h264,
        "play_addr_265": h265,
        "download_addr": _stream(work, here, "watermark-720", 720, 720),
        "bit_rate": _web_gears(work, here) if side == "web" else _app_gears(work, here),
        "bit_rate_audio": [_dash_sound(here)] if side == "web" else None,
        "format": "dash" if side == "web" else "mp4",
    }


def _stream(work: Work, here: str, file: str, width: int, height: int) -> Json:
    uri, size = f"v0d00fg10000{zlib.crc32(work.name.encode()):08x}ogsandbox0", int(work.seconds * 2048) + 64
    query = f"?a=1128&cr=3&dr=0&br={width}&bt={width}&mime_type=video_mp4&l=0"
    return {
        "uri": uri,
        "url_list": [f"{here}/{file}.mp4{query}&host={n}" for n in (3, 26, 9)],
        "width": width,
        "height": height,
        "data_size": size,
    }


def _gear(stream: Json, rate: int, h265: int, kind: str = "mp4") -> Json:
    return {
        "bit_rate": rate,
        "play_addr": stream,
        "is_h265": h265,
        "format": kind,
    }


def _app_gears(work: Work, here: str) -> list[Json]:
    return [
        _gear(_stream(work, here, "video-720-h266", 720, 1280), 464830, 2),
        _gear(_stream(work, here, "video-720-h265", 720, 1280), 408162, 1),
        _gear(_stream(work, here, "video-1080", 1080, 1920), 1630211, 0),
        _gear(_stream(work, here, "video-540", 576, 1024), 990524, 0),
    ]


def _web_gears(work: Work, here: str) -> list[Json]:
    return [
        _gear(_stream(work, here, "video-1080", 1080, 1920), 858484, 0),
        _gear(_stream(work, here, "dash-1080", 1080, 1920), 804170, 0, "dash"),
        _gear(_stream(work, here, "video-720", 720, 1280), 677593, 0),
        _gear(_stream(work, here, "dash-540", 576, 1024), 493510, 0, "dash"),
        _gear(_stream(work, here, "video-720-h265", 720, 1280), 403711, 1),
    ]


def _dash_sound(here: str) -> Json:
    sound = f"{here}/sound.m4a"
    return {
        "audio_meta": {
            "bitrate": 51211,
            "format": "dash",
            "media_type": "audio",
            "url_list": {"main_url": sound, "backup_url": f"{sound}?b=1", "fallback_url": f"{sound}?f=1"},
        },
    }


def _images(work: Work) -> list[Json]:
    here, images = work.media, []
    for n in range(1, work.images + 1):
        image: Json = {
            "uri": f"tos-cn-i-sandbox/{work.name}-{n}",
            "url_list": [f"{here}/{n}.webp?sc=image", f"{here}/{n}.jpg?sc=image"],
            "download_url_list": [f"{here}/{n}-water.webp?sc=image", f"{here}/{n}-water.jpg?sc=image"],
            "width": 1440,
            "height": 1920,
            "is_new_text_mode": int(work.kind == "text_mode"),
        }
        if work.kind == "live_photos" and n != 3:
            stream = _stream(work, here, f"live-{n}", 1080, 1440)
            image |= {"video": {"play_addr": stream, "duration": 2000}}
        images.append(image)
    return images


def _article(work: Work) -> Json:
    poster = {"url": f"{work.media}/cover.jpg", "uri": f"tos-cn-i-sandbox/{work.name}"}
    return {
        "article_id": _number(work.name + "a", 19),
        "article_title": work.title,
        "article_content": json.dumps({"markdown": work.article, "head_poster_list": [poster]}, ensure_ascii=False),
    }


def _statistics(work: Work, without: tuple[str, ...]) -> Json:
    if not work.counts:
        return {"aweme_id": work.id}
    counts = {f"{name}_count": value for name, value in work.counts.items() if name not in without}
    zeros = ("download", "play", "forward", "lose", "exposure", "live_watch", "whatsapp_share")
    return {"aweme_id": work.id, "digest": ""} | {f"{name}_count": 0 for name in zeros} | counts


def _status(work: Work) -> Json:
    return {
        "aweme_id": work.id,
        "is_delete": False,
        "is_private": False,
        "private_status": 0,
        "is_prohibited": False,
        "reviewed": 1,
        "self_see": False,
        "part_see": 0,
    }


def _topics(work: Work) -> list[Json]:
    topics, at = [], 0
    for name in work.topics:
        at = work.caption.index(f"#{name}", at)
        span = {"start": at, "end": at + len(name) + 1, "caption_start": 0, "caption_end": 0}
        topics.append({"type": 1, "hashtag_name": name, "hashtag_id": topic_id(name)} | span)
        at += len(name) + 1
    return topics


def topic_id(name: str) -> str:
    return _number(name, 16)


def _search_word(work: Work, side: Side) -> list[Json]:
    """The app marks a word to search for among the topics, which is none."""
    word = {"start": 0, "end": 0, "type": 5, "search_text": work.caption[:6]}
    return [word] if side == "app" and work.caption else []


def _pictures(stem: str, width: int, height: int) -> Json:
    urls = [f"{stem}.webp?from=1&s=1", f"{stem}.jpg?from=1&s=1"]
    return {"uri": stem.rpartition("/media/")[2], "url_list": urls, "width": width, "height": height}


def _number(seed: str, digits: int) -> str:
    """A number of this many digits that is always the same for the same seed."""
    number, round_ = "7", 0
    while len(number) < digits:
        round_ += 1
        number += str(zlib.crc32(f"{seed}{round_}".encode()))
    return number[:digits]
