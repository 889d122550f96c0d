"""Subtitle files: order of languages, formats, and files that are no words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tikomni.facts import Subtitle
from tikomni.transcripts.cues import Unusable, read
from tikomni.transcripts.subtitles import ordered

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


def told(text: str) -> list[tuple[int | None, int | None, str]]:
    return [(s.start_ms, s.end_ms, s.text) for s in read(text.encode())]


SAID = [(500, 2000, "We take the old radio apart"), (2000, 4000, "and mend it slowly")]


def test_names_notes_and_styles_of_webvtt_are_no_words():
    assert (
        told("""WEBVTT
Kind: captions

STYLE
::cue { color: red }

NOTE nobody says this

first
00:00.500 --> 00:02.000 align:start
<c.yellow>We take the old</c> radio apart

second
00:02.000 --> 00:04.000
and mend it slowly

NOTE nor this
""")
        == SAID
    )
    said = told(
        "WEBVTT\n\n00:00.500 --> 00:02.000\nTom &amp; Ann were born in\n1984\n\n00:02.000 --> 00:04.000\nor later\n"
    )
    assert [text for _, _, text in said] == ["Tom & Ann were born in 1984", "or later"]


def test_a_line_that_rolls_up_was_said_once_and_what_is_said_twice_stays():
    lines = ["We take the old radio apart", "and mend it", "and mend it", "slowly"]
    shown = ["00:00.000 --> 00:01.990\n \nWe take the old radio apart"]
    for second, (above, line) in enumerate(pairwise(lines), 2):
        shown.append(f"00:0{second - 1}.990 --> 00:0{second}.000\n{above}\n ")
        shown.append(f"00:0{second}.000 --> 00:0{second}.990\n{above}\n{line}")
    assert [text for _, _, text in told("WEBVTT\n\n" + "\n\n".join(shown))] == lines
    twice = "1\n00:00:01,000 --> 00:00:02,000\nand mend it\n\n2\n00:00:02,000 --> 00:00:03,000\nand mend it\nslowly\n"
    assert [text for _, _, text in told(twice)] == ["and mend it", "and mend it slowly"]


def test_drawings_are_no_words_and_sentences_stand_in_the_order_of_speech():
    assert (
        told(r"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:02.00,0:00:04.00,Default,,0,0,0,,and mend it slowly
Comment: 0,0:00:00.00,0:00:04.00,Default,,0,0,0,,the translator's remark
Dialogue: 1,0:00:00.00,0:00:04.00,Default,,0,0,0,,{\p1}m 0 0 l 100 0 100 100{\p0}
Dialogue: 0,0:00:00.50,0:00:02.00,Default,,0,0,0,,{\an8}We take the old\Nradio apart
""")
        == SAID
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marks_and_line_ends_of_any_editor(encoding, end):
    assert [s.text for s in read(SRT.replace("\n", end).encode(encoding))] == [s.text for s in read(SRT.encode())]


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
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:p="http://www.w3.org/ns/ttml#parameter" p:tickRate="1000"><body>'
        '<div begin="500t"><p begin="0t" end="1500t">We take the old<br/>radio apart</p>'
        '<p begin="1.5s" dur="2s">and <span>mend it slowly</span></p></div></body></tt>',
        '<tt xmlns="http://www.w3.org/2006/10/ttaf1" xmlns:p="http://www.w3.org/2006/10/ttaf1#parameter"'
        ' p:frameRate="20"><body><div><p begin="00:00:00:10" end="00:00:02">We take the old radio apart</p>'
        '<p begin="2000ms" end="00:00:04.0">and mend it slowly</p></div></body></tt>',
        '<?xml version="1.0" encoding="utf-8" ?><transcript><text start="0.5" dur="1.5">We take the old radio apart'
        '</text><text start="2" dur="2">and mend it slowly</text></transcript>',
        '<timedtext format="3"><body><p t="500" d="1500"><s>We take the old</s><s t="700"> radio apart</s></p>'
        '<p t="1900" d="100" a="1">\n</p><p t="2000" d="2000">and mend it slowly</p></body></timedtext>',
        '{"code": 0, "data": {"body": [{"from": 0.5, "to": 2, "content": "We take the old radio apart"},'
        ' {"from": 2.0, "to": 4.0, "content": "and mend it slowly"}]}}',
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
def test_xml_and_the_usual_json_forms(text):
    assert told(text) == SAID


def test_sentences_without_times_are_kept_in_order():
    assert told('["We take the old radio apart", "and mend it"]') == [
        (None, None, "We take the old radio apart"),
        (None, None, "and mend it"),
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
        ("<!DOCTYPE tt [<!ENTITY a 'ha'>]><tt><p begin='1s' end='2s'>&a;</p></tt>", "subtitle_unreadable"),
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


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda t: f"WEBVTT\n\n{t}".encode("utf-8", "replace")))
def test_arbitrary_bytes_end_in_words_or_a_reason(data):
    try:
        assert read(data)
    except Unusable as reason:
        assert str(reason).startswith("subtitle_")
