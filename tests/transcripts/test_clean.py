"""Cleaning arranges and drops fillers; it adds nothing, and takes nothing out of the middle of a word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.transcripts.clean import clean

spoken = st.text(alphabet="甲乙丙丁阿里巴巴。！？，… abc.\n\r\t”", max_size=400)


full_of_fillers = st.lists(
    st.sampled_from(
        [*"嗯 啊 额 那个 这个 然后 就是 阿里巴巴 嗯嗯 一 二 好 um the well Um , ， 。 ！ … I a".split(), " ", "\n"]
    ),
    max_size=40,
).map("".join)


@settings(deadline=None)  # the first one loads the dictionary
@given(spoken | full_of_fillers)
def test_cleaning_is_idempotent(raw):
    assert clean(clean(raw)) == clean(raw)


@settings(deadline=None)
@given(full_of_fillers)
def test_nothing_is_added_and_the_order_stays(raw):
    letters = iter("".join(raw.split()))
    assert all(letter in letters for letter in "".join(clean(raw).split()))


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("嗯，我们去阿里巴巴看看。", "我们去阿里巴巴看看。"),
        ("这是金额，名额有限啊。", "这是金额，名额有限啊。"),
        ("啊，然后然后就好了。", "然后就好了。"),
        ("你说呢？嗯。好啊！", "你说呢？嗯。好啊！"),
        ("那个，把螺丝拧下来。那个人会修。", "把螺丝拧下来。那个人会修。"),
        ("Um, turn the the dial. A well is deep.", "turn the dial. A well is deep."),
        ("Uh, the umbrella hums.", "the umbrella hums."),
    ],
)
def test_fillers_go_as_whole_words_only(raw, cleaned):
    assert clean(raw) == cleaned


@given(spoken)
def test_no_character_is_lost_or_added(raw):
    assert "".join(clean(raw).split()) == "".join(raw.split())


def test_repeated_sentences_and_their_punctuation_stay():
    assert clean("真的好吃！真的好吃！你说呢？") == "真的好吃！真的好吃！你说呢？"


def test_long_speech_becomes_paragraphs():
    text = clean("今天我们来修一台老式收音机，先把后盖打开看一看里面的线路。" * 12)
    assert len(text.split("\n\n")) > 2


def test_lines_without_punctuation_stay_lines():
    assert clean("first line\nsecond line") == "first line\nsecond line"
    assert clean("One. Two!") == "One. Two!"
