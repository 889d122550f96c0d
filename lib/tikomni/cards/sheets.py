"""A sheet of typed cells as a spreadsheet. Nothing is guessed from a text: no numbers, no links, no formulas."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

_CELL_UNITS = 32_767  # of UTF-16, in a cell of Excel
_LINK_CHARS = 2_000
_FORMS = {
    "integer": "#,##0",
    "number": "0.00",
    "seconds": "0.0",
    "datetime": "yyyy-mm-dd hh:mm",
    "date": "yyyy-mm-dd",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column with the header of one language. ``type``: as ``tables.yaml`` says; ``width`` in characters."""

    name: str
    header: str
    type: str
    width: int


def spreadsheet(
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Any],
    value: Callable[[Any, Column], Any],
    *,
    frozen: int = 0,
    opening: str = "",
    created: datetime | None = None,
) -> bytes:
    """A workbook of one sheet, which can be filtered.

    Args:
        value: what stands in a cell: text, int, float, bool, datetime as the clock shows it, date, list, or ``None``.
        frozen: so many columns stay in sight, as the header does.
        opening: what a link reads as.
    """
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    if created:
        book.set_properties({"created": created.astimezone(UTC).replace(tzinfo=None)})
    sheet = book.add_worksheet(name)
    forms = {type_: book.add_format({"num_format": shown}) for type_, shown in _FORMS.items()}
    forms["link"] = book.get_default_url_format()
    bold, as_text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
    for x, column in enumerate(columns):
        sheet.set_column(x, x, column.width)
        sheet.write_string(0, x, column.header, bold)
        for y, row in enumerate(rows, 1):
            _write(sheet, y, x, value(row, column), forms.get(column.type, as_text), opening)
    sheet.freeze_panes(1, frozen)
    sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    book.close()
    return out.getvalue()


def _write(sheet: Any, y: int, x: int, cell: Any, form: Any, opening: str) -> None:
    match cell:
        case None:
            return
        case bool():
            sheet.write_boolean(y, x, cell)
        case int() | float():
            sheet.write_number(y, x, cell, form)
        case datetime():
            sheet.write_datetime(y, x, cell.replace(tzinfo=None), form)
        case date():
            sheet.write_datetime(y, x, cell, form)
        case list():
            sheet.write_string(y, x, _fitting(", ".join(cell)), form)
        case str() if form.hyperlink and len(cell) <= _LINK_CHARS:
            sheet.write_url(y, x, cell, form, opening)
        case _:
            sheet.write_string(y, x, _fitting(cell), form)


def _fitting(text: str) -> str:
    """``text``, cut and marked where Excel would call the file damaged."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * _CELL_UNITS:
        return text
    return units[: 2 * _CELL_UNITS - 2].decode("utf-16-le", "ignore") + "…"
