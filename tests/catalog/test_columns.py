"""Tables as text: what is written is what is read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tikomni.catalog.columns import Columns, gaps, numbers, written


def test_a_row_is_read_back_without_its_empty_cells() -> None:
    tables = {"one": {"name": ['"猫"', '"b"'], "more": ["", "[1]"]}, "other": {"text": ["plain"]}}
    read = Columns(written(tables, {"said": "beside"}))
    assert read.row("one", 0) == {"name": "猫"}
    assert read.row("one", 1) == {"name": "b", "more": [1]}
    assert read.column("one", "name") == ["猫", "b"]
    assert read.cells("other", "text") == [b"plain"]
    assert read.beside["said"] == "beside"


@given(st.sets(st.integers(0, 1535)))
def test_numbers_come_back_from_their_gaps(found: set[int]) -> None:
    assert numbers(gaps(sorted(found))) == sorted(found)
