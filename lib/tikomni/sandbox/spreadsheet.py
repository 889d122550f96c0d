"""A small workbook: rows as an ``.xlsx`` file. Knows nothing of what they mean."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """The bytes of a file that holds ``rows``: numbers as numbers, the rest as text, None as nothing."""
    from xlsxwriter import Workbook

    file = io.BytesIO()
    with Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": datetime(1980, 1, 1)})  # the same rows make the same bytes
        sheet = book.add_worksheet()
        for n, row in enumerate(rows):
            sheet.write_row(n, 0, row)
    return file.getvalue()
