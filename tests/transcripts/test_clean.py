"""Cleaning arranges; it neither adds nor drops a word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tikomni.transcripts.clean import clean

spoken = st.text(alphabet="甲乙丙丁阿里巴巴。！？，… abc.\n\r\t”", max_size=400)


@given(spoken)
def test_cleaning_is_idempotent(raw):
    assert clean(clean(raw)) == clean(raw)


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
