"""Made-up profiles: works that differ in what a test says, at one moment in one zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from tikomni.analysis import cohort as room
from tikomni.analysis.rules import COUNTS, rules
from tikomni.facts import Work

NOW = datetime(2026, 6, 15, 4, tzinfo=UTC)  # noon in Shanghai
ZONE = ZoneInfo("Asia/Shanghai")


def work(number: int | str, total: int | None = 0, *, days: float | None = 40, **facts: object) -> Work:
    """A work of ``days`` ago whose interactions are ``total``, all of them likes; ``None``: no counts at all."""
    counts = dict.fromkeys(COUNTS, None if total is None else 0) | {"digg_count": total}
    published = None if days is None else (NOW - timedelta(days=days)).isoformat()
    made: dict = {"platform": "xiaohongshu", "media_kind": "video", "published_at": published, **counts, **facts}
    return Work(platform_work_id=str(number), **made)


def cohort(works: object, platform: str = "xiaohongshu", **settings: object) -> room.Cohort:
    return room.cohort(works, rules(platform, **settings), NOW, ZONE)  # type: ignore[arg-type]


def plain(totals: object, **facts: object) -> room.Cohort:
    """Works of 40 days ago with these interactions, numbered from 1."""
    return cohort([work(n, total, **facts) for n, total in enumerate(totals, 1)])  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    return SimpleNamespace(now=NOW, zone=ZONE, work=work, cohort=cohort, plain=plain)
