"""Words as files: what was read comes out again, and no time is made up."""

from __future__ import annotations

import pytest

from tikomni.facts import Segment, Transcript
from tikomni.transcripts.export import exported, fits
from tikomni.transcripts.subtitles import read

TIMED = (Segment(0, 1500, "先把后盖打开，看一看里面"), Segment(1500, 4000, "{不是标签} <也不是> 再量一量电压"))


def transcript(*segments: Segment) -> Transcript:
    raw = "\n".join(s.text for s in segments)
    return Transcript("asr", "zh", raw, raw, segments)


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_a_subtitle_file_is_read_back_with_its_times(form):
    segments = read(exported(transcript(*TIMED), form).encode())
    assert [(s.start_ms, s.end_ms) for s in segments] == [(0, 1500), (1500, 4000)]
    assert segments[0].text == TIMED[0].text


def test_words_without_times_fit_no_subtitle_file():
    untimed = transcript(TIMED[0], Segment(None, None, "后来说的"))
    assert [fits(untimed, form) for form in ("srt", "vtt", "txt", "json")] == [False, False, True, True]
    assert not fits(transcript(), "srt")
