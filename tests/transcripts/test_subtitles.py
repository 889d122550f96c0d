"""Subtitle files: order of languages, formats, and files that are no words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tikomni.facts import Subtitle
from tikomni.transcripts.subtitles import Unusable, ordered, read

SRT = """1
00:00:00,500 --> 00:00:02,000
先把锅烧热，再倒油

2
00:00:02,000 --> 00:00:04,000
先把锅烧热，再倒油

3
00:00:04,000 --> 00:00:06,500
12
"""


def test_srt_keeps_times_repeated_sentences_and_numbers_that_were_said():
    segments = read(SRT.encode())
    assert [(s.start_ms, s.end_ms, s.text) for s in segments] == [
        (500, 2000, "先把锅烧热，再倒油"),
        (2000, 4000, "先把锅烧热，再倒油"),
        (4000, 6500, "12"),
    ]


def test_webvtt_and_ass():
    vtt = """WEBVTT

00:00.500 --> 00:02.000
<v 店主>这台收音机是一九六二年的，声音还很好

00:02.000 --> 00:04.000
我们慢慢修
"""
    assert read(vtt.encode())[1].text == "我们慢慢修"
    ass = r"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,{\i1}这一句话足够长，可以当作一条字幕，慢慢来读了
"""
    assert read(ass.encode())[0].text == "这一句话足够长，可以当作一条字幕，慢慢来读了"


TTML = """<?xml version="1.0" encoding="utf-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"><body><div>
<p begin="00:00:00.500" end="00:00:02.000">We take the old radio apart</p>
<p begin="00:00:02.000" end="00:00:04.000">and mend it slowly</p>
</div></body></tt>
"""


@pytest.mark.parametrize(
    "text",
    [
        TTML,
        '{"body": [{"from": 0.5, "to": 2, "content": "We take the old radio apart"},'
        ' {"from": 2.0, "to": 4.0, "content": "and mend it slowly"}]}',
        '{"events": [{"tStartMs": 500, "dDurationMs": 1500, "segs": [{"utf8": "We take the "},'
        ' {"utf8": "old radio apart"}]},'
        ' {"tStartMs": 1900, "segs": [{"utf8": "\\n"}]},'
        ' {"tStartMs": 2000, "dDurationMs": 2000, "segs": [{"utf8": "and mend it slowly"}]}]}',
        '[{"start": 0.5, "end": 2, "text": "We take the old radio apart"},'
        ' {"start": 2, "dur": "2.0", "text": "and mend it slowly"}]',
        '{"segments": [{"start_ms": 500, "end_ms": 2000, "text": "We take the old radio apart"},'
        ' {"start_ms": 2000, "end_ms": 4000, "text": "and mend it slowly"}]}',
    ],
)
def test_ttml_and_the_usual_json_forms(text):
    assert [(s.start_ms, s.end_ms, s.text) for s in read(text.encode())] == [
        (500, 2000, "We take the old radio apart"),
        (2000, 4000, "and mend it slowly"),
    ]


def test_a_wanted_language_comes_before_all_others():
    tags = ["source", "zh-CN", "en-US", "en"]
    found = ordered([Subtitle("https://x/" + t, t) for t in tags], "en")
    assert [s.tag for s in found] == ["en-US", "en", "source", "zh-CN"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "subtitle_empty"),
        ("<html><body>404</body></html>", "subtitle_unreadable"),
        ("1\n00:00:01,000 --> 00:00:02,000\n短\n", "subtitle_too_short"),
        ("1\n00:00:01,000 --> 00:00:02,000\n00:00:01 --> 00:00:02 00:00:02\n", "subtitle_timeline_only"),
        (
            "".join(f"{i}\n00:00:0{i},000 --> 00:00:0{i},900\n[音乐播放中]\n\n" for i in range(1, 8)),
            "subtitle_noise_repeated",
        ),
        ("1\n00:00:01,000 --> 00:00:02,000\n" + "\u2580\u2591\u2592" * 12 + "\n", "subtitle_garbled"),
    ],
)
def test_files_that_hold_no_words_say_why(text, reason):
    with pytest.raises(Unusable, match=reason):
        read(text.encode())


def test_the_clips_own_language_comes_first_then_chinese():
    tags = ["en-US", "zh-TW", "zh-CN", "source", "fr"]
    found = ordered([Subtitle("https://x/" + t, t, None if t == "source" else t) for t in tags])
    assert [s.tag for s in found] == ["source", "zh-CN", "zh-TW", "en-US", "fr"]


@given(st.binary(max_size=400))
def test_arbitrary_bytes_end_in_words_or_a_reason(data):
    try:
        assert read(data)
    except Unusable as reason:
        assert str(reason).startswith("subtitle_")
