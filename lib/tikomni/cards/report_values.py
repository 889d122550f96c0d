"""How a report spells titles, counts and moments; shorter than a card does. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tikomni.cards import wording
from tikomni.cards.markdown import one_line
from tikomni.facts import Creator, Work
from tikomni.storage.names import printable

if TYPE_CHECKING:
    from tikomni.analysis.values import Figure

TITLE_CHARS = 120


def title(work: Work, words: Mapping[str, Any], most: int = TITLE_CHARS) -> str:
    text = one_line(work.title or work.caption_raw or "", most)
    return text or f"{words['untitled']} {one_line(work.platform_work_id, 40)}"


def account(creator: Creator, words: Mapping[str, Any]) -> list[str]:
    """The platform of a creator, and the handle if there is one."""
    platform = words["platforms"].get(creator.platform) or one_line(creator.platform)
    return [platform, *([f"@{one_line(creator.author_handle, 60)}"] if creator.author_handle else [])]


def paragraphs(text: str | None, most: int | None = None) -> list[str]:
    seen = printable(text or "")
    cut = seen if most is None or len(seen) <= most else seen[: most - 1] + "…"
    return [line.strip() for line in cut.split("\n") if line.strip()]


def compact(value: float, words: Mapping[str, Any]) -> str:
    """Three digits and a unit: ``1.2万``, ``12.3k``."""
    for least, size, unit in words["units"]:
        if value >= least:
            scaled = value / size
            return f"{scaled:,.0f}{unit}" if scaled >= 100 else f"{scaled:.1f}".removesuffix(".0") + unit
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}".removesuffix(".0")


def short(of: Work | Creator, name: str, words: Mapping[str, Any]) -> str:
    """A count as ``wording.count`` marks it, in few digits."""
    value, how = getattr(of, name), of.approximate.get(name)
    if value is None:
        return wording.UNKNOWN
    return f"{'≈' if how == 'rounded' else ''}{compact(value, words)}{'+' if how == 'at_least' else ''}"


def figure(found: Figure[float], form: str, words: Mapping[str, Any]) -> str:
    """A figure as ``wording.figure`` tells it, a count in few digits."""
    if found.value is None or form != "count":
        return wording.figure(found, form)
    return ("≈" if found.approximate else "") + compact(found.value, words)


def multiple(value: float | None) -> str:
    return "" if value is None else f"×{value:.0f}" if value >= 10 else f"×{value:.1f}"


def clock(iso: str | None, zone: ZoneInfo) -> datetime:
    """The wall clock of the display zone, told as if it were UTC."""
    return datetime.fromisoformat(iso or "").astimezone(zone).replace(tzinfo=ZoneInfo("UTC"))


def moment(moment: str | datetime, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"
