"""What the next page is asked for by, whatever an answer holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tikomni.catalog import Route, all_routes
from tikomni.pipelines.pages import entries_at, following_page, place_of

PAGED = [route for route in all_routes() if route.paging]
NAMES = [
    "data",
    "cursor",
    "has_more",
    "max_cursor",
    "next_cursor",
    "page",
    "page_info",
    "items",
    "notes",
    "extra",
    "logid",
]
LEAVES = st.none() | st.booleans() | st.integers(-2, 9) | st.floats(allow_nan=False) | st.text(max_size=3)
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)


@given(route=st.sampled_from(PAGED), data=BODIES)
def test_any_answer_is_read_and_only_what_travels_changes(route: Route, data: Any) -> None:
    body, asked = {"code": 200, "data": data}, {"keyword": "a"}
    entries = entries_at(place_of(body), body)
    following, why = following_page(route, body, asked, len(entries))
    assert (following is None) == bool(why)
    if following is not None:
        assert following["keyword"] == "a" and following != asked
        assert set(following) - {"keyword"} <= set(route.paging.send)
        assert not any(isinstance(value, dict | list) for value in following.values())


def test_no_answer_to_go_on_from_is_an_end() -> None:
    for route in PAGED:
        for data in (None, {}, [], ""):
            following, why = following_page(route, {"code": 200, "data": data}, {}, 0)
            assert following is None and why in ("no_cursor", "empty_page"), route.id


def test_the_list_is_the_longest_one_nearest_to_the_top() -> None:
    body = {
        "data": {"data": {"tabs": [{}], "notes": [{"id": 1, "images": [{}, {}, {}]}, {"id": 2}], "words": ["a"] * 9}}
    }
    assert place_of(body) == ("notes",) and [row["id"] for row in entries_at(("notes",), body)] == [1, 2]
    assert place_of({"data": [{"id": 1}]}) == () and len(entries_at((), {"data": [{"id": 1}]})) == 1
    for nothing in (None, "text", [], {"data": None}, {"data": {"notes": None}}, {"data": {"notes": "text"}}):
        assert place_of(nothing) is None and entries_at(None, nothing) == [] and entries_at(("notes",), nothing) == []
