from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tikomni.platforms import convert

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**30, 10**4000, -1, "1e400"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.just("url_list"), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "expected", "approximation"),
    [
        (0, 0, None),
        (2907, 2907, None),
        ("2907", 2907, None),
        (12.0, 12, None),
        ("1,234", 1234, None),
        ("1,234,567", 1234567, None),
        ("1.2万", 12000, "rounded"),
        ("1.2 万", 12000, "rounded"),
        ("3万", 30000, "rounded"),
        ("10w+", 100000, "at_least"),
        ("10万+", 100000, "at_least"),
        ("1k+", 1000, "at_least"),
        ("100+", 100, "at_least"),
        ("2.3亿", 230000000, "rounded"),
        ("1.05W", 10500, "rounded"),
        ("１２３", 123, None),
        ("１．２万", 12000, "rounded"),
    ],
)
def test_counts_are_exact_or_say_how_they_are_not(value: Any, expected: int, approximation: str | None) -> None:
    assert convert.count(value) == (expected, approximation)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "赞",
        "-5",
        -1,
        True,
        False,
        1.5,
        "1.5",
        "1,23",
        "1e3",
        float("nan"),
        float("inf"),
        "9" * 30,
        "9" * 5000,
        "99999999亿",
        10**30,
        [],
        {},
        [1],
        "12人",
    ],
)
def test_what_is_no_count_is_none(value: Any) -> None:
    assert convert.count(value) is None


def test_zero_means_unknown_only_where_the_definition_says_so() -> None:
    assert convert.count(0) == (0, None)
    assert convert.count_seen(0) is None
    assert convert.count_seen("0") is None
    assert convert.count_seen(7) == (7, None)


@pytest.mark.parametrize(
    ("value", "expected"), [("", None), ("0", None), (0, None), ("  ", None), ("a.b", "a.b"), (123, "123")]
)
def test_an_id_is_never_empty_or_zero(value: Any, expected: str | None) -> None:
    assert convert.identifier(value) == expected


def test_a_time_fits_one_unit_only() -> None:
    seconds, milliseconds = 1767196800, 1767196800000
    assert convert.unix_s(seconds) == convert.unix_ms(milliseconds) == seconds
    assert convert.unix_s(str(seconds)) == seconds
    assert convert.unix_s(milliseconds) is None
    assert convert.unix_ms(seconds) is None
    assert convert.unix_s(0) is None


@pytest.mark.parametrize(
    ("converter", "value", "expected"),
    [
        (convert.duration_ms, 9500, 9500),
        (convert.duration_ms, "94000", 94000),
        (convert.duration_ms, 0, None),
        (convert.duration_ms, -1, None),
        (convert.duration_ms, 10**12, None),
        (convert.duration_s, 167, 167000),
        (convert.duration_s, 9.5, 9500),
        (convert.duration_s, "9.5", 9500),
        (convert.duration_s, 0, None),
        (convert.duration_s, True, None),
        (convert.duration_s, float("inf"), None),
    ],
)
def test_the_unit_of_a_duration_is_the_converters(
    converter: convert.Converter, value: Any, expected: int | None
) -> None:
    assert converter(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "https://a.example/1",
        ["", None, "https://a.example/1", "https://a.example/2"],
        {"uri": "x", "url_list": ["https://a.example/1"]},
        {"url": "https://a.example/1"},
        [{"url_list": ["ftp://a.example", "https://a.example/1"]}],
    ],
)
def test_an_address_may_be_a_text_a_list_or_an_object(value: Any) -> None:
    assert convert.first_url(value) == "https://a.example/1"


@pytest.mark.parametrize(
    "value", ["file:///etc/passwd", "//a.example/1", "javascript:x", "https://", "a b", {"uri": "x"}, 5, "http://[::1"]
)
def test_only_http_addresses_count(value: Any) -> None:
    assert convert.first_url(value) is None


def test_a_page_address_loses_what_names_the_viewer() -> None:
    assert convert.page_url("https://a.example/v/1/?share_sign=2&did=3#x") == "https://a.example/v/1/"
    assert convert.page_url("https://a.example/?v=1") is None
    assert convert.query_value("https://a.example/v/1/?xsec_token=AB%3D&x=1", "xsec_token") == "AB="
    assert convert.query_value("https://a.example/?t=a+b", "t") == "a+b"


def test_tags_come_as_objects_or_texts() -> None:
    value = [
        {"hashtag_name": "#猫"},
        {"name": "变妆[话题]#"},
        "狗",
        {"name": ""},
        {"x": 1},
        5,
        None,
        {"cha_name": "猫"},
    ]
    assert convert.tags(value) == ("猫", "变妆", "狗")
    assert convert.tags([]) is None
    assert convert.tags("猫") is None


def test_an_article_is_plain_html_or_json() -> None:
    assert convert.article("一段话") == "一段话"
    assert convert.article("<p>一</p><p>二 &amp; 三</p>") == "一\n二 & 三"
    assert convert.article('{"markdown": "# 题\\n正文", "head_poster_list": []}') == "# 题\n正文"
    assert convert.article('{"other": 1}') is None
    assert convert.article("{broken") is None


def test_an_author_s_text_is_kept_and_always_writable() -> None:
    assert convert.raw_text(" 一行 \n二行 ") == " 一行 \n二行 "
    assert convert.raw_text("  \n") is None
    assert convert.raw_text("a\ud83d\0b") == "a?b"


@given(ANYTHING, st.sampled_from([*sorted(convert.CONVERTERS), "query:t"]))
def test_no_value_makes_a_converter_raise(value: Any, name: str) -> None:
    found = convert.named(name)(value)
    assert found is None or isinstance(found, str | int | tuple)
