"""How facts, figures and reasons are put into words on cards. Pure; what strangers wrote comes out neutralised."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni.analysis.rules import COUNTS
from tikomni.cards.markdown import inline, url
from tikomni.facts import Creator, Work
from tikomni.settings import Settings

if TYPE_CHECKING:
    import jinja2

    from tikomni.analysis.changes import Delta
    from tikomni.analysis.rules import Rules
    from tikomni.analysis.values import Figure

UNKNOWN = "—"


def reason(code: str, words: Mapping[str, Any]) -> str:
    """Why something is unknown; a code that nobody has worded is shown as it is spelled."""
    if few := re.fullmatch(r"fewer_than_(\d+)", code):
        return words["fewer_than"].format(n=few[1])
    return words["reasons"].get(code) or inline(code.replace("_", " "))


def field(name: str, words: Mapping[str, Any]) -> str:
    return words["fields"].get(name) or inline(name.replace("_", " "))


def count(of: Work | Creator, name: str) -> str:
    """A count as it is known: exact, ``≈`` where it is rounded, ``+`` where it is at least so high."""
    value, how = getattr(of, name), of.approximate.get(name)
    if value is None:
        return UNKNOWN
    return f"{'≈' if how == 'rounded' else ''}{value:,}{'+' if how == 'at_least' else ''}"


def whole(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def between(delta: Delta) -> str:
    """The counts that a difference lies between."""
    return f"{whole(delta.before)} → {whole(delta.after)}"


def difference(delta: Delta) -> str:
    """The difference with its sign; empty where it is unknown."""
    return "" if delta.value is None else f"{'≈' if delta.approximate else ''}{delta.value:+,}"


def link(work: Work) -> str | None:
    """The way to the original."""
    return url(work.open_url) or url(work.source_url)


def figure(found: Figure[float], form: str) -> str:
    """The value of a figure as ``count``, ``ratio``, ``percent`` or ``multiple``."""
    if found.value is None:
        return UNKNOWN
    return ("≈" if found.approximate else "") + number(found.value, form)


def number(value: float, form: str = "count") -> str:
    if form == "percent":
        return f"{value * 100:.1f}%"
    if form == "multiple":
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
    if form == "ratio" and value < 100:
        return f"{float(f'{value:.3g}'):.10f}".rstrip("0").rstrip(".")
    return f"{value:,.1f}".removesuffix(".0") if value < 1000 else f"{value:,.0f}"


def span(found: Figure[Any], words: Mapping[str, Any]) -> str:
    """The days between which the works of a figure were published."""
    days = [day for day in dict.fromkeys((found.since, found.until)) if day]
    return words["to"].join(days) or UNKNOWN


def duration(milliseconds: int) -> str:
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def moment(iso: str | None, settings: Settings) -> str | None:
    if not iso:
        return None
    return f"{datetime.fromisoformat(iso).astimezone(settings.zone):%Y-%m-%d %H:%M} {settings.display_zone}"


def routes(field_sources: Mapping[str, str], words: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each route, and the facts that it told; facts derived from others come last."""
    by_route: dict[str, list[str]] = {}
    for name, source in field_sources.items():
        by_route.setdefault(route(source), []).append(field(name, words))
    derived = by_route.pop("derived", [])
    rows = [(inline(asked), words["comma"].join(names)) for asked, names in by_route.items()]
    return rows + ([(words["derived"], words["comma"].join(derived))] if derived else [])


def route(source: str) -> str:
    """The route of a field's source, or ``derived``; the path after it is left to the document."""
    return re.split(r"[:\s]", source, maxsplit=1)[0]


def method(rules: Rules, words: Mapping[str, Any], without: Collection[str] = ()) -> list[str]:
    """How the figures were made, with the numbers of ``rules``; the notes called ``without`` are left out."""
    numbers = {name: f"{rules.weights.get(name, 0):g}" for name in COUNTS}
    numbers |= {"hours": f"{rules.immature_hours:g}", "least": str(rules.min_works)}
    left = {*without, *(() if rules.ces_weights else ("ces",))}
    return [note.format(**numbers) for name, note in words["method_notes"].items() if name not in left]


@cache
def template(name: str) -> jinja2.Template:
    """The template of a card or a page. What is put into a page is text; for a card, values come neutralised."""
    import jinja2

    html = name.endswith(".html.j2")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not html,
    )
    return environment.get_template(name)
