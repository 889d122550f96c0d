"""Words of a text: whole, in order, and where they stand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.errors import InputError
from tikomni.transcripts.segment import language_of, own_words, words


def cut(text: str, language: str = "zh", own: tuple[str, ...] = ()) -> list[str]:
    return [token.text for token in words(text, language, own)]


def test_chinese_is_cut_by_dictionary_and_the_trades_own_words():
    assert cut("大模型和智能体，对标、涨粉、私域、平替") == "大模型 和 智能体 对标 涨粉 私域 平替".split()
    assert cut("比较一下，比如未来") == "比较 一下 比如 未来".split()


def test_english_is_cut_at_what_is_no_letter():
    assert cut("Don't stop: it's 5-minute rice!", "en") == ["Don't", "stop", "it's", "5", "minute", "rice"]
    assert cut("用ChatGPT写文案") == ["用", "ChatGPT", "写", "文案"]


def test_own_words_do_not_leak_into_other_calls():
    assert "冰糖葫芦岛" in cut("冰糖葫芦岛", own=("冰糖葫芦岛",))
    assert "冰糖葫芦岛" not in cut("冰糖葫芦岛")


def test_own_words_are_read_from_a_file(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("\ufeff# mine\n冰糖葫芦岛\n\n 豆汁儿 \n冰糖葫芦岛\n", "utf-8")
    assert own_words(file) == ("冰糖葫芦岛", "豆汁儿")
    file.write_bytes(b"\xff\xfe\x00")
    for bad in (file, tmp_path / "none.txt", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            own_words(bad)


@pytest.mark.parametrize(
    ("text", "language"),
    [("今天用Python写脚本", "zh"), ("My 茶 shop is open today", "en"), ("おいしいラーメン", None), ("123 👍", None)],
)
def test_the_language_is_that_of_most_letters(text, language):
    assert language_of(text) == language


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters()), st.sampled_from(["zh", "en", "zh-CN", "ja", ""]))
def test_tokens_stand_where_they_say_and_lose_no_letter(text, language):
    tokens = words(text, language)
    assert all(text[t.start : t.end] == t.text != "" for t in tokens)
    assert all(a.end <= b.start for a, b in pairwise(tokens))
    covered = {i for t in tokens for i in range(t.start, t.end)}
    assert all(i in covered for i, c in enumerate(text) if c.isalnum())
