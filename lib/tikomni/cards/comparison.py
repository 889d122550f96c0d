"""Creators side by side, for readers: a Markdown note, a page in the style of the report, a spreadsheet.

Pure: the same ``Data`` gives the same texts. No figure is made here; what strangers wrote is neutralised.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tikomni import redact
from tikomni.analysis.buckets import Standing
from tikomni.analysis.comparison import HIT_RATE, Comparison, Row, Shared, Side
from tikomni.analysis.values import Figure
from tikomni.cards import benchmark, report, report_analysis, report_works, wording
from tikomni.cards import report_values as values
from tikomni.cards.accepted import Accepted
from tikomni.cards.labels import labels
from tikomni.cards.markdown import cell, inline, one_line, url

NAME_CHARS, BEST = 40, 5
HOURS = 4  # to a column of the note's rhythm


@dataclass(frozen=True, slots=True)
class Data:
    """A comparison and how it is told. ``accepted``: analyses of it; ``waiting``: folders of tasks about it."""

    of: Comparison
    language: str
    zone: ZoneInfo
    generated_at: datetime
    accepted: Sequence[Accepted] = ()
    waiting: Sequence[str] = ()


def title(data: Data) -> str:
    words = labels(data.language, "report", "comparison")
    return words["title"].format(names=words["versus"].join(_name(side) for side in data.of.sides))


# --- Markdown


def markdown(data: Data) -> str:
    """The note; an accepted analysis stands at its end, as on a creator's card."""
    words, sides = labels(data.language, "report", "comparison"), data.of.sides
    lines = [f"# {inline(title(data))}", "", _window(data, words), ""]
    for side in sides:
        link = url(side.creator.profile_url)
        opened = f" · [{words['profile_link']}]({link})" if link else ""
        facts = " · ".join(map(inline, values.account(side.creator, words)))
        lines.append(f"- **{side.letter} {inline(_name(side))}** · {facts} · {_about(side, words)}{opened}")
    lines += ["", f"## {words['key_figures']}", "", _lede(data, words), ""]
    lines += _table(
        [words["figure"], *(f"{side.letter} {cell(_name(side))}" for side in sides)],
        [[_label(row, words), *_figure_cells(row, words)] for row in data.of.rows],
    )
    for heading, lede, none, rows in (
        (words["topics"], words["topics_lede"], words["no_topics"], data.of.topics),
        (words["keywords"], _keywords_lede(data, words), words["no_keywords"], data.of.keywords),
    ):
        lines += ["", f"## {heading}", "", lede if rows else none]
        if rows:
            heads = [words["label"], *(side.letter for side in sides)]
            lines += ["", *_table(heads, [[cell(row.label), *(str(n or "") for n in row.counts)] for row in rows])]
    lines += ["", f"## {words['rhythm']}", "", words["rhythm_by"].format(zone=data.zone.key), ""]
    heads = [words["hours"], *(f"{start}–{start + HOURS}" for start in range(0, 24, HOURS))]
    lines += _table(heads, [[f"{s.letter} {cell(_name(s))}", *(str(n or "") for n in _hours(s))] for s in sides])
    lines += ["", f"## {words['best']}"]
    for side in sides:
        lines += ["", f"### {side.letter} {inline(_name(side))}", ""]
        lines += [_work_line(standing, words) for standing in side.standings[:BEST]] or [words["none"]]
    if data.accepted or data.waiting:
        made = benchmark.section(data.accepted, data.waiting, data.language, lambda key, name: None)
        lines += ["", made]
    lines += ["", f"## {words['method']}", "", *(f"- {note}" for note in _notes(data, words))]
    return "\n".join(lines) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _figure_cells(row: Row, words: Mapping[str, Any]) -> Iterator[str]:
    for position, (figure, ratio) in enumerate(zip(row.figures, row.ratios, strict=True)):
        told = wording.figure(figure, row.form)
        if figure.value is None and figure.reason:
            told += f"{words['open']}{wording.reason(figure.reason, words)}{words['close']}"
        yield f"{told}{words['open']}{_times(ratio)}{words['close']}" if position and ratio is not None else told


def _work_line(standing: Standing, words: Mapping[str, Any]) -> str:
    link = wording.link(standing.work)
    opened = f" · [{words['open_original']}]({link})" if link else ""
    return f"- {inline(values.title(standing.work, words))} · {_about_work(standing, words)}{opened}"


# --- page


def page(data: Data) -> str:
    """The page as text; like the report it loads nothing, and it runs nothing at all."""
    words, sides = labels(data.language, "report", "comparison"), data.of.sides
    style = "".join((report.HERE / name).read_text("utf-8") for name in ("report.css", "comparison.css"))
    analysis = ""
    if data.accepted or data.waiting:
        analysis = report_analysis.section(data.accepted, data.waiting, data.language, {}, {})
    return wording.template("comparison.html.j2").render(
        words=words,
        policy=report.policy(style, ()),
        style=style,
        page_title=title(data),
        window=_window(data, words),
        lede=_lede(data, words),
        sides=[_shown(side, data, words) for side in sides],
        rows=[{"label": _label(row, words), "cells": list(_cells(row, words))} for row in data.of.rows],
        topics=_listed(data.of.topics),
        keywords=_listed(data.of.keywords),
        keywords_lede=_keywords_lede(data, words),
        rhythm_lede=words["rhythm_by"].format(zone=data.zone.key) + words["rhythm_colours"],
        analysis=analysis,
        notes=_notes(data, words),
        made=words["made"].format(moment=values.moment(data.generated_at, data.zone)),
    )


def _shown(side: Side, data: Data, words: Mapping[str, Any]) -> dict[str, Any]:
    read = side.creator.snapshot_at
    heat = report_works.heat(side.figures.rhythm, data.zone, words)
    return {
        "letter": side.letter,
        "name": _name(side),
        "link": url(side.creator.profile_url),
        "facts": values.account(side.creator, words),
        "about": _about(side, words),
        "read": words["read"].format(moment=values.moment(read, data.zone)) if read else "",
        "heat": heat,
        "often": words["most_often"].format(**heat["busiest"]) if heat["busiest"] else "",
        "best": [
            {
                "title": values.title(standing.work, words, 80),
                "link": wording.link(standing.work),
                "about": _about_work(standing, words),
            }
            for standing in side.standings[:BEST]
        ],
    }


def _cells(row: Row, words: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    highest = max((figure.value or 0 for figure in row.figures), default=0)
    for position, (figure, ratio) in enumerate(zip(row.figures, row.ratios, strict=True)):
        yield {
            "value": values.figure(figure, row.form, words),
            "times": _times(ratio) if position else "",
            "width": round(100 * figure.value / highest, 1) if figure.value is not None and highest else None,
            "note": _note(figure, row, words),
        }


def _note(figure: Figure[float], row: Row, words: Mapping[str, Any]) -> str:
    if figure.value is None:
        return wording.reason(figure.reason or "unknown", words)
    if row.name in ("fans_count", "works_count", "works", "works_per_week"):
        return ""
    return words["based_on"].format(n=f"{figure.n:,}")


def _listed(rows: Sequence[Shared]) -> list[dict[str, Any]]:
    return [{"label": one_line(row.label, 40), "counts": row.counts} for row in rows]


# --- spreadsheet


def spreadsheet(data: Data) -> bytes:
    """Sheets of figures, shared labels, rhythm and works; numbers are numbers, no text is a formula or a link."""
    import xlsxwriter

    words, sides, out = labels(data.language, "report", "comparison"), data.of.sides, io.BytesIO()
    names = [f"{side.letter} {_name(side)}" for side in sides]
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"created": data.generated_at.astimezone(UTC).replace(tzinfo=None)})
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    forms = {
        form: book.add_format({"num_format": pattern})
        for form, pattern in (("count", "#,##0.##"), ("ratio", "0.0000"), ("percent", "0.0%"), ("times", '"×"0.00'))
    }

    def sheet(number: int, heads: Sequence[str], widths: Sequence[int]) -> Any:
        made = book.add_worksheet(words["sheets"][number])
        for x, (head, width) in enumerate(zip(heads, widths, strict=True)):
            made.set_column(x, x, width)
            made.write_string(0, x, head, bold)
        made.freeze_panes(1, 1)
        return made

    heads = [words["figure"], *names, *(words["ratio"].format(name=name) for name in names[1:])]
    heads += [*(words["works_of"].format(name=name) for name in names), words["reason"]]
    found = sheet(0, heads, [28, *[16] * (len(heads) - 2), 40])
    for y, row in enumerate(data.of.rows, 1):
        found.write_string(y, 0, _label(row, words))
        for x, figure in enumerate(row.figures, 1):
            if figure.value is not None:
                found.write_number(y, x, figure.value, forms[row.form])
            found.write_number(y, 2 * len(sides) - 1 + x, figure.n)
        for x, ratio in enumerate(row.ratios[1:], len(sides) + 1):
            if ratio is not None:
                found.write_number(y, x, ratio, forms["times"])
        reasons = (
            f"{side.letter}{words['colon']}{wording.reason(figure.reason, words)}"
            for side, figure in zip(sides, row.figures, strict=True)
            if figure.value is None and figure.reason
        )
        found.write_string(y, len(heads) - 1, words["comma"].join(reasons))
    found = sheet(1, [words["label"], *names], [28, *[16] * len(names)])
    for y, row in enumerate((*data.of.topics, *data.of.keywords), 1):
        found.write_string(y, 0, one_line(row.label, 100))
        for x, n in enumerate(row.counts, 1):
            found.write_number(y, x, n)
    found = sheet(2, [words["weekday"], words["hours"], *names], [10, 8, *[16] * len(names)])
    for y in range(7 * 24):
        found.write_string(y + 1, 0, words["weekdays"][y // 24])
        found.write_number(y + 1, 1, y % 24)
        for x, side in enumerate(sides, 2):
            grid = side.figures.rhythm.hours.value
            found.write_number(y + 1, x, grid[y // 24][y % 24] if grid else 0)
    columns = words["columns"]
    heads = [words["creator"], *(columns[n] for n in ("title", "published", "digg_count", "interactions", "multiple"))]
    found = sheet(3, [*heads, words["link"]], [20, 44, 12, 12, 12, 10, 40])
    listed = ((side, standing) for side in sides for standing in side.standings)
    for y, (side, standing) in enumerate(listed, 1):
        work = standing.work
        shown = redact.secrets_in(values.title(work, words))
        for x, text in enumerate((f"{side.letter} {_name(side)}", shown, work.published_date or "")):
            found.write_string(y, x, text)
        for x, number in enumerate((work.digg_count, standing.interactions, standing.multiple.value), 3):
            if number is not None:
                found.write_number(y, x, number, forms["count"])
        found.write_string(y, 6, wording.link(work) or "")
    book.close()
    return out.getvalue()


# --- what all of them say


def _name(side: Side) -> str:
    return one_line(side.name, NAME_CHARS)


def _about(side: Side, words: Mapping[str, Any]) -> str:
    fans = values.short(side.creator, "fans_count", words)
    return words["facts"].format(fans=fans, n=f"{len(side.cohort.counted):,}")


def _about_work(standing: Standing, words: Mapping[str, Any]) -> str:
    total = standing.interactions
    reach = "" if total is None else words["interactions_n"].format(n=values.compact(total, words))
    marks = [words[mark] for mark in ("pinned", "sponsored") if getattr(standing.work, mark)]
    times = values.multiple(standing.multiple.value)
    return " · ".join(part for part in (reach, times, standing.work.published_date or "", *marks) if part)


def _window(data: Data, words: Mapping[str, Any]) -> str:
    window = data.of.window
    since, until = (f"{at.astimezone(data.zone):%Y-%m-%d %H:%M}" for at in (window.since, window.until))
    return words["window"].format(since=since, until=until, zone=data.zone.key, days=wording.number(window.days))


def _lede(data: Data, words: Mapping[str, Any]) -> str:
    return words["figures_lede"].format(first=f"{data.of.sides[0].letter} {inline(_name(data.of.sides[0]))}")


def _keywords_lede(data: Data, words: Mapping[str, Any]) -> str:
    counts = (f"{side.letter} {n:,}" for side, n in zip(data.of.sides, data.of.of_words, strict=True))
    return words["keywords_lede"].format(counts=words["comma"].join(counts))


def _notes(data: Data, words: Mapping[str, Any]) -> list[str]:
    differ = len({side.creator.platform for side in data.of.sides}) > 1
    return [*([words["platforms_differ"]] if differ else []), *words["notes"], words["source_note"]]


def _label(row: Row, words: Mapping[str, Any]) -> str:
    if row.name.startswith(HIT_RATE):
        return words["names"]["hit_rate"].format(threshold=f"{int(row.name.removeprefix(HIT_RATE)):,}")
    return words["names"].get(row.name) or words["figures"].get(row.name) or row.name


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"×{wording.number(ratio, 'ratio')}"


def _hours(side: Side) -> list[int]:
    grid = side.figures.rhythm.hours.value or ()
    return [sum(sum(day[start : start + HOURS]) for day in grid) for start in range(0, 24, HOURS)]
