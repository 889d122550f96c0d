"""Tables as text, a column after the other: what is alike stands together and packs small, and a reader takes apart
only the columns and cells that it needs.

The first line is JSON: what the writer wants to say beside the tables, and how many bytes each column has. A cell is a
line; how it is written inside is the writer's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_SHORT = 40  # gaps below are one digit; two digits reach 24 · 64


def written(tables: Mapping[str, Mapping[str, Sequence[str]]], beside: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of ``tables``: name → column → cells, none of which holds a line break."""
    columns = {
        table: {name: "".join(f"{cell}\n" for cell in cells).encode() for name, cells in columns.items()}
        for table, columns in tables.items()
    }
    head = {"tables": {t: {name: len(text) for name, text in parts.items()} for t, parts in columns.items()}}
    first = json.dumps({**head, **(beside or {})}, ensure_ascii=False, separators=(",", ":"))
    return b"".join([first.encode(), b"\n", *(text for parts in columns.values() for text in parts.values())])


class Columns:
    """What ``written`` wrote. ``beside`` is the first line."""

    def __init__(self, data: bytes) -> None:
        head, _, self._data = data.partition(b"\n")
        self.beside: dict[str, Any] = json.loads(head)
        self._places: dict[str, dict[str, tuple[int, int]]] = {}
        at = 0
        for table, columns in self.beside["tables"].items():
            for name, length in columns.items():
                self._places.setdefault(table, {})[name] = (at, at + length)
                at += length
        self.cells = cache(self._cells)

    def text(self, table: str, column: str) -> bytes:
        """The lines of a column."""
        start, end = self._places[table][column]
        return self._data[start:end]

    def _cells(self, table: str, column: str) -> list[bytes]:
        return self.text(table, column).split(b"\n")[:-1]

    def row(self, table: str, number: int) -> dict[str, Any]:
        """One row of a table whose cells are JSON; without the empty ones."""
        cells = ((name, self.cells(table, name)[number]) for name in self._places[table])
        return {name: json.loads(cell) for name, cell in cells if cell}

    def column(self, table: str, column: str) -> list[Any]:
        """One column of a table whose cells are JSON, none of them empty."""
        return json.loads(b"[%s]" % self.text(table, column)[:-1].replace(b"\n", b","))


def gaps(numbers: Iterable[int]) -> str:
    """Ascending numbers below 1,536 as their distances, a digit or two for each."""
    told, least = "", 0
    for number in numbers:
        gap, least = number - least, number + 1
        more, rest = divmod(gap, len(_DIGITS))
        told += _DIGITS[gap] if gap < _SHORT else _DIGITS[_SHORT + more] + _DIGITS[rest]
    return told


def numbers(text: str) -> list[int]:
    """What ``gaps`` was given."""
    found, least, digits = [], 0, iter(map(_VALUES.__getitem__, text))
    for digit in digits:
        gap = digit if digit < _SHORT else (digit - _SHORT) * len(_DIGITS) + next(digits)
        found.append(least + gap)
        least += gap + 1
    return found
