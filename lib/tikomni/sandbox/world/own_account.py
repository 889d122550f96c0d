"""What the owner of one account of the world sees beyond what everyone sees: plays, rates, viewers, live sessions.

No real answers are known: the shapes are made up after the catalogue's words and the names of Douyin's creator
centre. The facts are ``own_account.yaml`` and the works themselves; everything else follows from them, so that a
total is the sum of its parts. Shares and rates are parts of 1, ``percent`` is of 100. Checks no cookie, knows no HTTP.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate, pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tikomni.sandbox.world import Work, load, read

Json = dict[str, Any]
Inputs = Mapping[str, Any]

COOKIE = (
    "sessionid=5e0c1fd2a98b47c3b6d7e4f1a0928374; passport_csrf_token=9b1d07c4e2f35a68; "
    'ttwid="1%7CmadeUpDeviceOfNobody_7Xq%7C1795305600"; sid_guard=5e0c1fd2a98b47c3b6d7e4f1a0928374%7C1795305600'
)
"""What a browser of the account's owner would send. Nobody's: the account is made up."""

ZONE = ZoneInfo("Asia/Shanghai")
LONGEST_SPAN = timedelta(days=90)
WEEK = 7
CURVE_POINTS = 60
TREND_DAYS = 30
REVIEWED = "审核通过"
METRIC_TYPES = ("play_count", "like_count", "comment_count", "share_count")
PARTS = ("like_count", "comment_count", "share_count", "favorite_count")
"""What counts as an interaction."""


@dataclass(frozen=True, slots=True)
class Own:
    """A work of the account with what only its owner sees."""

    work: Work
    metrics: Json
    vertical: str
    genre: int

    @property
    def day(self) -> date:
        return self.work.published.astimezone(ZONE).date()

    def retention(self, second: float) -> float:
        """The part of the viewers who still watch; between the known points it decays evenly."""
        left = 1.0
        for (begin, high), (end, low) in pairwise(_known(self.work, self.metrics)):
            if second > begin:
                left = high * (low / high) ** ((min(second, end) - begin) / (end - begin))
        return left

    def until(self, day: date) -> float:
        """The part of today's figures that was there at the end of ``day``."""
        left = read("own_account")["decay"]
        age, now = (max((at - self.day).days + 1, 0) for at in (day, read("own_account")["today"]))
        return (1 - left ** min(age, now)) / (1 - left**now)

    def on(self, day: date, *names: str) -> int:
        """What ``day`` added to these counts together."""
        total = sum(self.metrics[name] for name in names)
        return round(total * self.until(day)) - round(total * self.until(day - timedelta(days=1)))


# --- the account. A maker takes checked inputs; ValueError: the account has no answer for them, with the reason


def diagnosis(inputs: Inputs) -> Json:
    days = [read("own_account")["today"] - timedelta(days=back) for back in range(WEEK, 0, -1)]
    daily: dict[str, Callable[[date], int | float]] = {
        "Interact": lambda day: sum(own.on(day, *PARTS) for own in _all()),
        "NewFans": lambda day: sum(own.on(day, "new_fans_count") for own in _all()),
        "PlayCnt": lambda day: sum(own.on(day, "play_count") for own in _all()),
        "PlayFinishRatio": lambda day: _finished((own, own.on(day, "play_count")) for own in _all()),
        "PublishActivation": lambda day: sum(own.day == day for own in _all()),
    }
    blocks = {}
    for name, told in read("own_account")["diagnosis"].items():
        trend = [{"date": f"{day:%Y%m%d}", "value": daily[name](day)} for day in days]
        value = sum(point["value"] for point in trend)
        if name == "PlayFinishRatio":
            value = _finished((own, sum(own.on(day, "play_count") for day in days)) for own in _all())
        blocks[name] = {"value": value, **told, "trend": trend}
    return {"start_date": f"{days[0]:%Y%m%d}", "end_date": f"{days[-1]:%Y%m%d}", "diagnosis": blocks}


def verticals(inputs: Inputs) -> Json:
    return {"verticals": _grouped(_posted(inputs), _sum)["verticals"]}


def overview(inputs: Inputs) -> Json:
    """Totals, by format, by vertical and by the day of publishing; each of the three adds up to ``total``."""
    posts = _posted(inputs)
    days = sorted({own.day for own in posts})
    return {
        "total": _sum(posts),
        **_grouped(posts, _sum),
        "trend": [{"date": f"{day:%Y%m%d}", **_sum([own for own in posts if own.day == day])} for day in days],
    }


def performance(inputs: Inputs) -> Json:
    kind = inputs.get("metric_type", 1)
    if not 1 <= kind <= len(METRIC_TYPES):
        raise ValueError("metric_type 只支持 1-4")

    def told(group: Sequence[Own]) -> Json:
        value = sum(own.metrics[METRIC_TYPES[kind - 1]] for own in group)
        mean = value / len(group)
        return {
            "item_count": len(group),
            "value": value,
            "average": round(mean, 1),
            "similar_author": round(mean * read("own_account")["peer"], 1),
        }

    return {"metric_type": kind, "metric": METRIC_TYPES[kind - 1], **_grouped(_posted(inputs), told)}


def lives(inputs: Inputs) -> Json:
    first, last = _span(inputs, "%Y-%m-%d")
    held = [row for row in read("own_account")["lives"] if first <= row["begin"].astimezone(ZONE).date() <= last]
    series = [
        {
            "roomID": row["room_id"],
            "title": row["title"],
            "startTime": int(row["begin"].timestamp()),
            "endTime": int(row["begin"].timestamp()) + row["minutes"] * 60,
            "playStatus": 4,
            **row["figures"],
        }
        for row in held[: max(inputs.get("limit", 400), 0)]
    ]
    return {"data": {"series": series, "total": len(held)}}


# --- lists of works


def listed(inputs: Inputs) -> Json:
    """A page of the works of a window. The cursor counts works."""
    posts = _ordered(_between(inputs["start_time"], inputs["end_time"]), inputs.get("order_by", 1))
    if not inputs.get("need_long_article", True):
        posts = [own for own in posts if own.genre != 8]
    start, count = inputs.get("cursor", 0), inputs.get("count", 10)
    if start < 0 or count < 1:
        raise ValueError("cursor 或 count 不正确")
    blocks = _names(inputs.get("fields") or "metrics,review,visibility")
    end = min(start + count, len(posts))
    return {
        "items": [_item(own) | _blocks(own, blocks) for own in posts[start:end]],
        "total": len(posts),
        "cursor": end,
        "has_more": end < len(posts),
    }


def exported(inputs: Inputs) -> tuple[str, list[list[Any]]]:
    """The spreadsheet of a window: the name that it is sent under, and its rows, headed."""
    posts = _between(inputs["min_cursor"], inputs["max_cursor"])
    genres = inputs.get("type_filters") or list(read("own_account")["genres"])
    if not inputs.get("need_long_article", True):
        genres = [code for code in genres if code != 8]
    columns = read("own_account")["export"]
    rows = [list(map(_cells(own).__getitem__, columns.values())) for own in posts if own.genre in genres]
    first, last = (_moment(inputs[name]) for name in ("min_cursor", "max_cursor"))
    return f"作品列表_{first:%Y-%m-%d %H:%M}~{last:%Y-%m-%d %H:%M}.xlsx", [list(columns), *rows]


def _cells(own: Own) -> Json:
    published = own.work.published.astimezone(ZONE)
    return _item(own) | own.metrics | {"published": f"{published:%Y-%m-%d %H:%M:%S}", "review": REVIEWED}


def overviews(inputs: Inputs) -> Json:
    """Blocks of works by id; ids of others' works are left out."""
    wanted = _names(inputs["ids"])
    blocks = _names(inputs.get("fields") or ",".join(BLOCKS))
    return {"items": [{"item_id": own.work.id} | _blocks(own, blocks) for own in _all() if own.work.id in wanted]}


# --- one work


def sources(inputs: Inputs) -> Json:
    own = _mine(inputs)
    return {"item_id": own.work.id, "source": _shares(own.metrics["play_count"], read("own_account")["sources"])}


def search_words(inputs: Inputs) -> Json:
    own = _mine(inputs)
    plays = next(row["count"] for row in sources(inputs)["source"] if row["key"] == "search")
    about = (*own.work.topics, own.work.title)[0]
    tails = read("own_account")["search_tails"]
    rows = _shares(plays, {about + tail: share for tail, share in tails.items()})
    return {"item_id": own.work.id, "search_words": [{"word": row.pop("key"), **row} for row in rows]}


def watch_trend(inputs: Inputs) -> Json:
    """A curve along the film, a point for each second or few; none for what is not played."""
    own, kind = _mine(inputs), inputs.get("analysis_type", 1)
    if kind not in (1, 2, 7):
        raise ValueError("analysis_type 只支持 1、2、7")
    step = max(1, math.ceil(own.work.seconds / CURVE_POINTS))
    seconds = range(0, int(own.work.seconds) + 1, step) if own.work.seconds else range(0)
    kept = [own.retention(second) for second in seconds]
    values: list[float] = [round(value, 4) for value in kept]
    if kind == 2:
        values = list(_split(own.metrics["like_count"], kept))
    elif kind == 7:
        values = [round(kept_now - own.retention(at + step), 4) for at, kept_now in zip(seconds, kept, strict=True)]
    peer = read("own_account")["peer"]
    others = [value ** (1 / peer) if kind == 1 else value * peer for value in values]  # all watch the first moment
    points = [
        {"key": _clock(at), "value": value, "similar_author": round(other, 4)}
        for at, value, other in zip(seconds, values, others, strict=True)
    ]
    return {"item_id": own.work.id, "analysis_type": kind, "trend": points}


def portrait(inputs: Inputs) -> Json:
    groups = {
        group: [{"key": str(key), "percent": round(share * 100, 2), "tgi": tgi} for key, (share, tgi) in keys.items()]
        for group, keys in read("own_account")["portrait"].items()
    }
    return {"item_id": _mine(inputs).work.id, "portrait": groups}


def audience(inputs: Inputs) -> Json:
    own = _mine(inputs)
    told = read("own_account")
    words = [{"word": word, "percent": round(share * 100, 2)} for word, share in told["interests"].items()]
    fans = _shares(own.metrics["play_count"], told["fan_list"])
    return {"item_id": own.work.id, "fan_list": fans, "interest_words": words}


def danmaku(inputs: Inputs) -> Json:
    own, told = _mine(inputs), read("own_account")["danmaku"]
    total = round(own.metrics["comment_count"] * told["of_comments"]) if own.work.seconds else 0
    seconds = [sentence.begin_ms // 1000 for sentence in own.work.sentences()] if total else []
    counts = _split(total, [own.retention(second) for second in seconds])
    feelings = ("positive", "neutral", "negative")
    words = own.work.topics if total else ()
    return {
        "item_id": own.work.id,
        "total": total,
        "trend": [{"key": _clock(at), "count": n} for at, n in zip(seconds, counts, strict=True)],
        "hot_words": [{"word": word, "count": total // (n + 4)} for n, word in enumerate(words)],
        "sentiment": dict(zip(feelings, _split(total, [told[name] for name in feelings]), strict=True)),
    }


VIEWS: dict[str, Callable[[Inputs], Json]] = {
    "diagnosis": diagnosis,
    "verticals": verticals,
    "overview": overview,
    "performance": performance,
    "lives": lives,
    "listed": listed,
    "overviews": overviews,
    "sources": sources,
    "search_words": search_words,
    "watch_trend": watch_trend,
    "portrait": portrait,
    "audience": audience,
    "danmaku": danmaku,
}


# --- the works with their figures


@cache
def _all() -> tuple[Own, ...]:
    """Every work that the account's profile shows, newest first."""
    world, told = load(), read("own_account")
    works = sorted(world.works_of(world.creators[told["account"]]), key=lambda work: work.published, reverse=True)
    return tuple(
        Own(work, _metrics(work), told["verticals"].get(work.name, told["vertical"]), _format(work)) for work in works
    )


def plays(work: Work) -> int | None:
    """How often a work of the account was played, which anyone can ask of the statistics routes; None for others'."""
    return _figures(work)["play_count"] if work.author.name == read("own_account")["account"] else None


def _figures(work: Work) -> Json:
    """What nobody else sees; a work that is not played has no rates."""
    luck = Random(work.name)
    plays = round(work.counts["digg"] * luck.uniform(20, 45))
    bounced = luck.uniform(0.18, 0.33)
    after_5s = (1 - bounced) * luck.uniform(0.65, 0.85)
    finished = after_5s * luck.uniform(0.3, 0.6)
    rates = {"completion_rate": finished, "completion_rate_5s": after_5s, "bounce_rate_2s": bounced}
    return {
        "play_count": plays,
        **{name: round(rate, 4) if work.seconds else None for name, rate in rates.items()},
        "cover_click_rate": round(luck.uniform(0.03, 0.11), 4),
        "homepage_visit_count": round(plays * luck.uniform(0.005, 0.015)),
        "new_fans_count": round(plays * luck.uniform(0.002, 0.005)),
    }


def _metrics(work: Work) -> Json:
    figures, counts = _figures(work), work.counts
    shown = {
        "like_count": counts["digg"],
        "comment_count": counts["comment"],
        "share_count": counts["share"],
        "favorite_count": counts["collect"],
    }
    return figures | shown | {"avg_view_second": _watched(_known(work, figures))}


def _known(work: Work, figures: Json) -> list[tuple[float, float]]:
    """Seconds of the film and who still watches then, where the rates say so."""
    if not work.seconds:
        return []
    still = (1.0, 1 - figures["bounce_rate_2s"], figures["completion_rate_5s"], figures["completion_rate"])
    return list(zip((0.0, 2.0, 5.0, work.seconds), still, strict=True))


def _watched(known: list[tuple[float, float]]) -> float | None:
    """How long a viewer watches on average: the area below the curve of retention."""
    if not known:
        return None
    parts = ((high - low) * (end - begin) / math.log(high / low) for (begin, high), (end, low) in pairwise(known))
    return round(sum(parts), 1)


def _format(work: Work) -> int:
    """The code of a work's format, as the inputs ``genres`` and ``type_filters`` count them."""
    if work.kind == "article":
        return 8
    return 5 if work.kind != "video" else 1 + sum(work.seconds >= edge for edge in (60, 180, 300))


def _item(own: Own) -> Json:
    work = own.work
    return {
        "item_id": work.id,
        "title": work.title or work.caption.partition("#")[0].strip(),
        "description": work.caption,
        "create_time": work.timestamp,
        "duration": work.milliseconds,
        **_genre(own.genre),
        "vertical": own.vertical,
        "share_url": f"https://www.iesdouyin.com/share/video/{work.id}/",
    }


def _play_info(own: Own) -> Json:
    """The rates, and the plays of each day since publishing."""
    last = min(read("own_account")["today"], own.day + timedelta(days=TREND_DAYS - 1))
    days = [own.day + timedelta(days=n) for n in range((last - own.day).days + 1)]
    rates = ("avg_view_second", "completion_rate", "completion_rate_5s", "bounce_rate_2s")
    return {name: own.metrics[name] for name in rates} | {
        "trend": [{"date": f"{day:%Y%m%d}", "play_count": own.on(day, "play_count")} for day in days]
    }


BLOCKS: dict[str, Callable[[Own], Json]] = {
    "metrics": lambda own: dict(own.metrics),
    "review": lambda own: {"status": 1, "status_text": REVIEWED, "reason": ""},
    "play_info": _play_info,
    "dou_plus": lambda own: {"has_order": False, "order_count": 0, "play_count": 0},
    "integrated_incentive": lambda own: {"joined": False, "income": 0},
    "incentive_life": lambda own: {"stage": 0},
    "content_analysis": lambda own: {"vertical": own.vertical, "topics": list(own.work.topics)},
}
_LISTED = BLOCKS | {"visibility": lambda own: {"private_status": 0, "text": "公开", "is_top": own.work.pinned}}


def _blocks(own: Own, wanted: Iterable[str]) -> Json:
    return {name: _LISTED[name](own) for name in wanted if name in _LISTED}


# --- choosing and adding up


def _mine(inputs: Inputs) -> Own:
    for own in _all():
        if own.work.id == inputs["item_id"].strip():
            return own
    raise ValueError("作品不存在，或不属于当前登录账号")


def _posted(inputs: Inputs) -> list[Own]:
    """The works published within a span of days, of the formats and verticals that are asked for."""
    first, last = _span(inputs, "%Y%m%d")
    genres = inputs.get("genres") or list(read("own_account")["genres"])
    wanted = inputs.get("primary_verticals")
    return [
        own for own in _all()
        if first <= own.day <= last and own.genre in genres and (wanted is None or own.vertical in wanted)
    ]  # fmt: skip


def _span(inputs: Inputs, form: str) -> tuple[date, date]:
    first, last = (datetime.strptime(inputs[name], form).date() for name in ("start_date", "end_date"))
    if not timedelta() <= last - first <= LONGEST_SPAN:
        raise ValueError("时间跨度不能超过 90 天")
    return first, last


def _between(first: int, last: int) -> list[Own]:
    begin, end = _moment(first), _moment(last)
    return [own for own in _all() if begin <= own.work.published <= end]


def _moment(milliseconds: int) -> datetime:
    if not 0 <= milliseconds < 1 << 42:
        raise ValueError("时间应为毫秒时间戳")
    return datetime.fromtimestamp(milliseconds / 1000, ZONE)


def _ordered(posts: Sequence[Own], code: int) -> list[Own]:
    """By the sort order ``code``: odd ones descend, even ones ascend; what has no such figure comes last."""
    order = read("own_account")["order"]
    if not 1 <= code <= 2 * len(order):
        raise ValueError("order_by 不正确")
    name, sign = order[(code - 1) // 2], -1 if code % 2 else 1

    def place(own: Own) -> tuple[bool, float]:
        value = own.work.timestamp if name == "create_time" else own.metrics[name]
        return value is None, sign * (value or 0)

    return sorted(posts, key=place)


def _grouped(posts: Sequence[Own], told: Callable[[Sequence[Own]], Json]) -> Json:
    """What is told of the works of each format, and of each vertical."""
    genres = [code for code in read("own_account")["genres"] if any(own.genre == code for own in posts)]
    verticals = dict.fromkeys(own.vertical for own in posts)
    return {
        "genres": [_genre(code) | told([own for own in posts if own.genre == code]) for code in genres],
        "verticals": [{"name": name} | told([own for own in posts if own.vertical == name]) for name in verticals],
    }


def _genre(code: int) -> Json:
    return {"genre": code, "genre_name": read("own_account")["genres"][code]}


def _sum(posts: Sequence[Own]) -> Json:
    names = ("play_count", *PARTS, "homepage_visit_count", "new_fans_count")
    totals = {name: sum(own.metrics[name] for own in posts) for name in names}
    mean = _finished((own, own.metrics["play_count"]) for own in posts)
    return {"item_count": len(posts), **totals, "completion_rate": mean}


def _finished(plays: Iterable[tuple[Own, int]]) -> float:
    """The part of these plays that went to the end."""
    played = [(own.metrics["completion_rate"], n) for own, n in plays if own.metrics["completion_rate"] is not None]
    total = sum(n for _, n in played)
    return round(sum(rate * n for rate, n in played) / total, 4) if total else 0.0


def _shares(total: int, shares: Mapping[Any, float]) -> list[Json]:
    """``total`` by key; keys that get nothing are left out."""
    counts = _split(total, list(shares.values()))
    return [
        {"key": str(key), "count": n, "percent": round(n * 100 / total, 2)}
        for key, n in zip(shares, counts, strict=True) if n
    ]  # fmt: skip


def _split(total: int, shares: Sequence[float]) -> list[int]:
    """``total`` in whole parts as large as ``shares``; they add up to it."""
    whole = sum(shares) or 1
    return [b - a for a, b in pairwise(round(total * part / whole) for part in accumulate(shares, initial=0.0))]


def _clock(second: int) -> str:
    return f"{second // 60:02}:{second % 60:02}"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
