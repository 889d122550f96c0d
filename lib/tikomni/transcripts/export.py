"""Words as a file that people and players open: SRT, WebVTT, plain text, JSON. Makes texts; writes nothing."""

from __future__ import annotations

import json
from typing import Literal

from tikomni.facts import Transcript

Format = Literal["srt", "vtt", "txt", "json"]
FORMATS: tuple[Format, ...] = ("srt", "vtt", "txt", "json")


def exported(transcript: Transcript, form: Format) -> str:
    """``transcript`` in this form. Only sentences with both times stand in a subtitle file: none are made up."""
    if form == "txt":
        return transcript.clean + "\n"
    if form == "json":
        return json.dumps(transcript.as_dict(), ensure_ascii=False, indent=2) + "\n"
    import pysubs2

    file = pysubs2.SSAFile()
    for segment in transcript.segments:
        if segment.start_ms is not None and segment.end_ms is not None:
            event = pysubs2.SSAEvent(start=segment.start_ms, end=segment.end_ms)
            event.plaintext = segment.text
            file.append(event)
    return file.to_string(form)


def fits(transcript: Transcript, form: Format) -> bool:
    """Whether all of ``transcript`` can be told in this form."""
    timed = (s.start_ms is not None and s.end_ms is not None for s in transcript.segments)
    return form in ("txt", "json") or (bool(transcript.segments) and all(timed))
