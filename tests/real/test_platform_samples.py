"""Answers that were really given, where they are at hand: none of them is part of the project.

``../shared/samples/expected.jsonl`` says of each what it must read as.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tikomni.platforms import Reading, definition, read_work

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"
EXPECTED = SAMPLES / "expected.jsonl"

pytestmark = pytest.mark.skipif(not EXPECTED.is_file(), reason="no real answers at hand")


def _rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in EXPECTED.read_text("utf-8").splitlines()] if EXPECTED.is_file() else []


def _reading(row: dict[str, Any], work_id: str | None) -> Reading:
    body = json.loads((SAMPLES / row["file"]).read_text("utf-8"))
    if row["wrap"] != "as is":
        for name in reversed(row["wrap"].split(".")):
            body = {name: body}
        body = {
            "code": 200,
            "time": "1999-01-01 00:00:00",
            "params": {"note_id": "0" * 24, "aweme_id": "1" * 19},
            **body,
        }
    zone = ZoneInfo("Asia/Shanghai")
    wanted = {"work_id": work_id} if work_id else {}
    platform = definition(row["expect"]["platform"])
    return read_work(platform, body, row["shape"], wanted=wanted, zone=zone, now=datetime.now(UTC))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["file"])
@pytest.mark.parametrize("by_id", [True, False])
def test_a_real_answer_reads_as_expected(row: dict[str, Any], by_id: bool) -> None:
    reading = _reading(row, row["expect"]["platform_work_id"] if by_id else None)
    assert reading.verdict in ("ok", "sparse")
    work, also = reading.work, row["also"]
    assert work is not None
    assert {name: getattr(work, name) for name in row["expect"]} == row["expect"]
    assert list(work.topics) == also["topics"]
    assert len(work.image_urls) == also.get("image_count", also.get("images"))
    if "video_url_found" in also:
        assert bool(work.video_download_url) is also["video_url_found"]
        assert bool(reading.media.streams) is also["video_url_found"]
    if "subtitles" in also:
        assert sorted(s.tag for s in reading.media.subtitles) == sorted(also["subtitles"])
    if "duration_s" in also:
        assert work.duration_ms == (also["duration_s"] and also["duration_s"] * 1000)
    if "type" in also:
        assert work.work_modality == ("video" if also["type"] == "video" else "text")
    assert work.missing.get("play_count") == "not_published"


def test_a_thin_answer_is_told_from_a_whole_one() -> None:
    verdicts = {row["file"]: _reading(row, None).verdict for row in _rows()}
    thin = {row["file"] for row in _rows() if row["also"].get("type") == "video" and not row["also"]["video_url_found"]}
    assert thin
    assert {file for file, verdict in verdicts.items() if verdict == "sparse"} >= thin


def test_another_work_s_answer_is_not_taken() -> None:
    for row in _rows():
        assert _reading(row, "7" * 19 if row["expect"]["platform"] == "douyin" else "e" * 24).reason == "another_work"
