"""The Volcano Engine stand-in: a token, and one work by its Douyin id.

Answered queries are billed each time; the three refusals are not. A token lives two hours, and one asked for in its
last half hour is a new one beside the old. The world stands still, so ninety days are counted from a fixed day.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tikomni.sandbox.bill import Bill
from tikomni.sandbox.world import Work

Json = dict[str, Any]

ROUTE = "insight.item.query_by_id"
LIFE_S = 7200
RENEW_S = 1800
_REFUSALS = {"absent": "origin_id does not exists", "filtered": "post is filtered"}
_OLD = "only support post in 90 days"
_SINCE = datetime(2026, 8, 24, tzinfo=ZoneInfo("Asia/Shanghai"))
"""Ninety days before the day at which the world stands still."""
_PLACE = {f"{part}{tail}": "" for part in ("region", "province", "city", "district", "town") for tail in ("", "_code")}


class Insight:
    """One account. ``now`` can be moved by tests to let a token age."""

    def __init__(self, bill: Bill) -> None:
        self.name, self.secret = "sandbox-biz", "sandbox-secret"
        self.now = time.time
        self._bill = bill
        self._tokens: dict[str, float] = {}

    def reset(self) -> None:
        self._tokens.clear()

    def token(self, headers: Mapping[str, str]) -> Json:
        if (headers.get("x-insight-biz-name"), headers.get("x-insight-biz-secret")) != (self.name, self.secret):
            return _error(10002, "biz name or secret is wrong")
        now = self.now()
        for token, ends in self._tokens.items():
            if ends - now > RENEW_S:
                return _ok({"access_token": token, "expire": int(ends - now)})
        token = uuid.uuid4().hex
        self._tokens[token] = now + LIFE_S
        return _ok({"access_token": token, "expire": LIFE_S})

    def allows(self, headers: Mapping[str, str]) -> bool:
        """Name and living token, and no secret, which has no business here."""
        ends = self._tokens.get(headers.get("x-insight-access-token", ""), 0.0)
        named = headers.get("x-insight-biz-name") == self.name and "x-insight-biz-secret" not in headers
        return named and ends > self.now()

    def query(self, work: Work | None) -> Json:
        state = work.insight if work and work.state == "public" else "filtered" if work else "absent"
        if work is None or state in _REFUSALS:
            return _error(40004, _REFUSALS[state])
        if state == "old" or work.published < _SINCE:
            return _error(40006, _OLD)
        self._bill.query(ROUTE)
        return _ok(_document(work))


def _ok(data: Json) -> Json:
    return {"status": 0, "data": data, "message": "succeed"}


def _error(status: int, message: str) -> Json:
    return {"status": status, "data": None, "message": message}


def refused() -> Json:
    return _error(10003, "access token is invalid or expired")


def _document(work: Work) -> Json:
    at = datetime.fromtimestamp(work.timestamp, ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "origin_id": work.id,
        "post_id": f"1{work.id}"[:20],
        "post_type": 10,
        "status": 1,
        "title": work.caption,
        "url": f"https://www.douyin.com/share/video/{work.id}",
        "domain": "www.douyin.com",
        "main_domain": "douyin.com",
        "is_ad": 0,
        "update_category": "algorithm_update",
        "publish_time": at,
        "create_time": at,
        "first_public_time": at,
        "push_ready_time": at,
        "consume_time": at,
        "update_time": at,
        "video_info": {
            "duration": work.seconds,
            "cover_info": {
                "online_url": f"{work.media}/cover.jpg",
                "cover_ocr": work.title,
                "cover_ocr_details": [],
            },
        },
        "feature": {
            "asr": "".join(work.words),
            "ocr": work.title,
            "ocr_high": "",
            "ocr_details": [],
            "sentiment": 2,
            "is_sensitive": False,
            "event_id": "",
            "event_name": "",
            "label_tags": None,
            "tags": ["owls_snapshot"],
            "risk_scene": {},
            "match_count": 1,
            "match_id": "",
            "kg_entity_link": [],
        },
        "based_location": {"public_location": _PLACE | {"location": ""}},
        "poi": {"poi_location": _PLACE | {"location": ""}},
        "anchor": {"filter_status": False},
    }
