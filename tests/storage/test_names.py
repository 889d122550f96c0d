"""Names are safe on every system, tell what a file is about, and never leave their root."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tikomni.errors import InputError
from tikomni.storage import names

FORBIDDEN = set('\\/:*?"<>|#^[]')
PATTERN = "{prefix}-{author_slug}-{title_slug}{ext}"


def name(pattern: str = PATTERN, work_id: str = "7301", **values: str) -> str:
    filled = {"prefix": "CBV", "author_slug": "作者", "title_slug": "标题", "ext": ".md"} | values
    return names.file_name(pattern, filled, work_id, setting="TIKOMNI_FILENAME_PATTERN_CARD")


def folders(route: str, **values: str) -> tuple[str, ...]:
    return names.parts(route, values, setting="TIKOMNI_CARD_ROUTE_WORK")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天吃什么 #美食 #探店", "今天吃什么"),
        ("早安[太阳]世界", "早安-世界"),
        ("a/b\\c:d*e?f", "a-b-c-d-e-f"),
        ("../../etc/passwd", "etc-passwd"),
        ("看这里 https://v.douyin.com/abc/ 快", "看这里-快"),
        ("ＡＢＣ：１２３", "ABC-123"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("零\u200b宽\ufeff字符\u0000", "零宽字符"),
        ("  ..名字.. ", "名字"),
        ("#只有话题 #还是话题", "只有话题-还是话题"),
        ("[doge]", "doge"),
        ("👨\u200d👩\u200d👧 一家人", "👨\u200d👩\u200d👧-一家人"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("COM1", "_COM1"),
        ("console", "console"),
        ("https://example.com/x", "fallback"),
        ("", "fallback"),
        (None, "fallback"),
        ("\u3164\u2800\u200b", "fallback"),
        ("///", "fallback"),
    ],
)
def test_a_slug_says_what_the_text_is_about(text: str | None, expected: str) -> None:
    assert names.slug(text, 100, "fallback") == expected


@given(st.text(max_size=300), st.integers(min_value=1, max_value=120))
def test_any_text_makes_a_name_that_every_system_accepts(text: str, most_bytes: int) -> None:
    made = names.slug(text, most_bytes, "x")
    assert made and not FORBIDDEN & set(made) and made not in (".", "..")
    assert len(made.encode()) <= most_bytes + 1  # one more for the mark before a reserved name
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c.isspace() for c in made)
    assert made[-1] not in " ."


def test_clipping_cuts_no_character_from_its_marks() -> None:
    assert names.clip("中文字", 7) == "中文"
    assert names.clip("ne\u0301", 3) == "n"
    assert names.clip("a👍🏽", 5) == "a"
    assert names.clip("a👨\u200d👩", 9) == "a"
    assert names.clip("abc", 3) == "abc"


def test_a_file_name_always_ends_in_the_id() -> None:
    assert name() == "CBV-作者-标题-7301.md"
    assert name("{title_slug}-{identifier}{ext}", identifier="7301") == "标题-7301.md"
    assert name("{date}", date="2024-01-02") == "2024-01-02-7301.md"
    assert name("{title_slug}", title_slug="") == "7301.md"
    assert name("{prefix}-{author_slug}-{title_slug}{ext}", author_slug="") == "CBV-标题-7301.md"


def test_a_long_title_is_clipped_and_the_id_stays() -> None:
    made = name(title_slug="长" * 400, work_id="7555500011122233344")
    assert made.endswith("长-7555500011122233344.md")
    assert len(made.encode()) <= 200


def test_two_ids_never_share_a_name() -> None:
    for first, second in (("1", "2"), ("a/b", "a-b"), ("a b", "a\u200bb"), ("../x", "x"), ("字", "母")):
        assert name(work_id=first) != name(work_id=second)


@pytest.mark.parametrize("hostile", ["../../x", "a/b", "a\0b", "x" * 5000, "con", "作品", "\u202e1", ""])
def test_a_hostile_id_makes_a_plain_name(hostile: str) -> None:
    made = name("{identifier}{ext}", work_id=hostile, identifier=hostile)
    assert not FORBIDDEN & set(made) and len(made.encode()) <= 200 and made.endswith(".md")
    assert names.identifier(names.identifier(hostile)) == names.identifier(hostile)


@pytest.mark.parametrize(
    "pattern",
    ["{title}", "{prefix.__class__}", "{prefix[0]}", "{prefix!r}", "{prefix:9}", "{0}", "{}", "{prefix", "}"],
)
def test_an_unknown_placeholder_names_its_setting(pattern: str) -> None:
    with pytest.raises(InputError, match="TIKOMNI_FILENAME_PATTERN_CARD") as caught:
        name(pattern)
    assert caught.value.code == "config"


def test_a_pattern_cannot_make_folders() -> None:
    assert name("../{platform}/{title_slug}{ext}", platform="douyin") == "douyin-标题-7301.md"


def test_routes() -> None:
    assert folders("内容 系统|对标|{platform}-{author_slug}", platform="douyin", author_slug="猫") == (
        "内容 系统", "对标", "douyin-猫",
    )  # fmt: skip
    assert folders("/etc/../x||.|..|C:\\y") == ("etc", "x", "C", "y")
    assert folders("a|{author_slug}|b", author_slug="../../z") == ("a", "z", "b")
    assert folders("{year}|{year_month}", year="2024", year_month="2024-05") == ("2024", "2024-05")
    with pytest.raises(InputError, match="TIKOMNI_CARD_ROUTE_WORK"):
        folders("{identifier}")


def test_nothing_leads_outside_a_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    assert names.inside(root, "in", "x.md") == root / "in" / "x.md"
    for parts in (("..", "x"), ("out", "x"), ("/etc/passwd",), ("in", "../../x"), ("a\0b",)):
        with pytest.raises(InputError) as caught:
            names.inside(root, *parts)
        assert caught.value.code == "storage"


def test_a_root_that_is_a_link_is_a_root(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "link").symlink_to("vault")
    assert names.inside(tmp_path / "link", "x") == Path(os.path.realpath(tmp_path)) / "vault" / "x"


def test_printable_keeps_lines_and_drops_what_cannot_be_seen() -> None:
    assert names.printable("a\r\nb\u2028c\td\u200b\u202e\x07") == "a\nb\nc d"
    assert names.printable("字\U000e0100 \U000e0041x") == "字 x"
    assert names.printable("❤️\u200d🔥") == "❤️\u200d🔥"
    assert names.printable("a\u200db") == "ab"
