"""What searches, topics and charts of the world bring: works of many people, and much that is none.

As awkward as real ones: advertisements, live rooms, people and suggested queries among the hits, works that were on
the page before, captions that are cut, paging values that belong together. Who goes on without them all gets the first
page again. Says nothing about which route gives which shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from tikomni.sandbox.world import Work, crowd, douyin, load, xiaohongshu

Json = dict[str, Any]

PAGE, CHART_PAGE, MOST_HITS = 20, 10, 150
_PEOPLE = {"douyin": ("dy_3", "dy_20", "dy_60", "dy_200"), "xiaohongshu": ("xhs_3", "xhs_20", "xhs_60", "xhs_200")}
_COUNTS = {"likes": ("digg", "liked"), "comments": ("comment", "comments"), "collects": ("collect", "collected")}
CHARTS = (1001, 1002, 1003, 1004, 1005)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a search or a topic was asked for. ``sort``: a word of ``_COUNTS``, ``newest``, or "" for relevance."""

    sort: str = ""
    days: int = 0
    kind: str = ""


def matching(platform: str, words: str, wish: Wish = Wish()) -> Sequence[Work]:
    """Public works whose title or caption holds ``words``; by relevance, people take turns."""
    people = load()
    works = [w for w in people.works.values() if w.platform == platform and w.state == "public"]
    profiles = [crowd.works_of(people.creators[name]) or () for name in _PEOPLE[platform]]
    works += sorted((work for profile in profiles for work in profile), key=lambda work: (work.id[-6:], work.id))
    found = [work for work in works if words in work.title or words in work.caption]
    return _wished([work for work in found if work.kind in _KINDS.get(wish.kind, (work.kind,))], wish)


def under(platform: str, topic_id: str, wish: Wish = Wish()) -> Sequence[Work]:
    """The works that bear a topic."""
    names = [name for name in topics(platform) if topic_number(platform, name) == topic_id]
    return [work for name in names for work in matching(platform, name, wish) if name in work.topics]


@cache
def topics(platform: str) -> Sequence[str]:
    """Every topic, in one order."""
    return sorted({name for work in matching(platform, "") for name in work.topics})


def topic_number(platform: str, name: str) -> str:
    return douyin.topic_id(name) if platform == "douyin" else xiaohongshu.topic_id(name)


_KINDS = {"video": ("video",), "images": ("pictures", "live_photos")}


def _wished(works: list[Work], wish: Wish) -> Sequence[Work]:
    if wish.days:
        since = datetime.now().astimezone() - timedelta(days=wish.days)
        works = [work for work in works if work.published >= since]
    if wish.sort == "newest":
        works = sorted(works, key=lambda work: work.published, reverse=True)
    elif wish.sort:
        names = _COUNTS[wish.sort]
        works = sorted(works, key=lambda work: -max(_number(work.counts.get(name, 0)) for name in names))
    return works[:MOST_HITS]


def _number(count: int | str) -> float:
    if isinstance(count, int):
        return count
    digits = float(re.sub(r"[^\d.]", "", count) or 0)
    return digits * 10_000 if re.search("[万w]", count) else digits * 1000 if "k" in count else digits


def _page(works: Sequence[Work], start: int, size: int, entry: Callable[[Work], Json]) -> tuple[list[Json], int]:
    """The entries from ``start`` on, the last one of the page before again; and where the next page starts."""
    page = works[start : start + size]
    again = [works[start - 1]] if start and page else []
    return [entry(work) for work in (*again, *page)], start + len(page)


# --- Douyin


def douyin_search(works: Sequence[Work], start: int, search_id: str, shape: str) -> Json:
    """A page of a search. ``shape``: ``cards`` or ``business`` (everything one level further down)."""
    cards, after = _page(works, start, PAGE, lambda work: {"type": 1, "aweme_info": douyin.aweme(work, "app")})
    if cards:
        host = douyin.aweme(load().works["dy_clip"], "app")
        room = host | {"aweme_id": f"{start:019}", "aweme_type": 101, "cell_room": {"rawdata": "{}"}}
        sold = douyin.aweme(load().works["dy_before_midnight"], "app") | {"is_ads": True}
        person = {"user_info": {"uid": "1", "nickname": "路人", "sec_uid": ""}}
        odd = [
            {"type": 16, "aweme_info": None},
            {"type": 1, "aweme_info": sold},
            {"type": 1, "aweme_info": room},
            {"type": 4, "aweme_info": None, "user_list": [person]},
            {"type": 75, "aweme_info": None, "guide_search_words": [{"word": "接着搜", "id": "1"}]},
        ]
        for place, card in enumerate(odd, 1):
            cards.insert(place * 3, card)
    more = int(after < len(works))
    told: Json = {"status_code": 0, "log_pb": {"impr_id": search_id}, "extra": {"logid": search_id}}
    if shape == "business":
        told |= {"business_data": [{"card_id": "", "data": card} for card in cards]}
        told["business_config"] = {
            "has_more": more,
            "backtrace": backtrace(search_id, after),
            "next_page": {"cursor": after, "search_id": search_id},
        }
        return told
    return told | {"data": cards, "cursor": after, "has_more": more, "backtrace": backtrace(search_id, after)}


def backtrace(search_id: str, cursor: int) -> str:
    """What goes with a cursor: of one search and one page."""
    return f"{search_id[-6:]}-{cursor}"


def douyin_topic(works: Sequence[Work], cursor: int, size: int) -> Json:
    """A page of a topic's works."""
    page, after = _page(works, cursor, size, lambda work: douyin.aweme(work, "app", listed=True))
    if page:
        sold = douyin.aweme(load().works["dy_before_midnight"], "app", listed=True) | {"is_ads": True}
        page.insert(1, sold)
    return {"status_code": 0, "aweme_list": page, "cursor": after, "has_more": int(after < len(works))}


def douyin_topics(words: str) -> Json:
    """Topics whose name holds ``words``, those of another name first."""
    named = [name for name in topics("douyin") if words in name]
    rows = [name for name in named if name != words] + [name for name in named if name == words]
    found = [{"challenge_info": {"cid": douyin.topic_id(name), "cha_name": name}} for name in rows]
    return {"status_code": 0, "challenge_list": found, "cursor": len(found), "has_more": 0}


def douyin_chart(board: int, page: int, size: int) -> Json:
    """A page of a board: names of its own, nobody's id, and no word about a further page but an empty one."""
    liked = matching("douyin", "", Wish("likes", kind="video"))
    ranked = [work for n, work in enumerate(liked) if n % len(CHARTS) == board - CHARTS[0]]
    rows = [
        {
            "item_id": work.id,
            "item_title": work.caption,
            "item_cover_url": f"{work.media}/cover.jpg",
            "item_duration": work.milliseconds,
            "nick_name": work.author.nickname,
            "avatar_url": f"{work.author.avatar}.jpg",
            "publish_time": work.timestamp,
            "like_cnt": int(_number(work.counts.get("digg", 0))),
            "play_cnt": 0,
            "score": 100 - n,
        }
        for n, work in enumerate(ranked[(page - 1) * size : page * size])
    ]
    return {"code": 0, "page": {"page": page, "page_size": size, "total": len(ranked)}, "objs": rows}


# --- Xiaohongshu


def xhs_search(works: Sequence[Work], page: int, search_id: str, shape: str) -> Json:
    """A page of a search: notes with snippets of their captions. ``shape``: whose names stand around them."""
    entry = _card if shape == "card" else _snippet
    items, after = _page(works, (page - 1) * PAGE, PAGE, lambda work: entry(work))
    if items:
        odd = [
            {"model_type": "ads", "ads_info": {"id": "1"}},
            {"model_type": "live", "live": {"room_id": "1"}},
            {"model_type": "rec_query", "id": "q", "rec_query": {"title": "大家都在搜", "queries": [{"id": "1"}]}},
            {"model_type": "users", "users": [{"userid": "1", "nickname": "路人"}]},
        ]
        for place, item in enumerate(odd, 1):
            items.insert(place * 3, item)
    told: Json = {"items": items, "has_more": after < len(works)}
    if shape == "app":
        told |= {"search_id": search_id, "search_session_id": f"{search_id}s", "next_page": page + 1}
    elif shape == "old":
        told |= {"searchId": search_id, "sessionId": f"{search_id}s"}
    return xiaohongshu.inner(told)


def _snippet(work: Work) -> Json:
    return {"model_type": "note", "note": xiaohongshu.snippet(work)}


def _card(work: Work) -> Json:
    told = xiaohongshu.posted_card(work)
    return {"model_type": "note", "id": work.id, "xsec_token": told["xsec_token"], "note_card": told}


def xhs_topic(works: Sequence[Work], start: int, session: str) -> Json:
    """A page of a topic's notes; five values go on to the next page together, three of them on the last note."""
    page = works[start : start + PAGE]
    items = [xiaohongshu.snippet(w) | {"create_time": w.timestamp, "cursor_score": f"s{w.id}"} for w in page]
    more = start + len(page) < len(works)
    told = {"items": items, "has_more": more, "session_id": session, "first_load_time": f"1{session}"}
    return xiaohongshu.inner(told)
