"""Recorded answers of the real upstream, replayed and read by the real command line, where a folder of them is at hand.

The folder stands beside the repository (or at TIKOMNI_SAMPLES); nothing of it is kept here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tikomni.sandbox import Sandbox

SAMPLES = Path(os.environ.get("TIKOMNI_SAMPLES") or Path(__file__).resolve().parents[3] / "shared" / "samples")
EXPECTED = SAMPLES / "expected.jsonl"
ROWS = [json.loads(line) for line in EXPECTED.read_text("utf-8").splitlines()] if EXPECTED.is_file() else []

pytestmark = pytest.mark.skipif(not ROWS, reason="no recorded answers at hand")

DOUYIN, XIAOHONGSHU = "douyin", "xiaohongshu"


def bodies(row: dict) -> list[dict]:
    """The sample inside the upstream's envelope; in each way that its ``wrap`` can be meant."""
    sample = json.loads((SAMPLES / row["file"]).read_text("utf-8"))
    if row["wrap"] == "as is":
        return [sample]
    places = [sample]
    if isinstance(sample, dict) and isinstance(sample.get("data"), list):
        places.append(sample["data"])
    found = []
    for inner in places:
        data = inner
        for name in reversed(row["wrap"].split(".")[1:]):
            data = {name: data}
        envelope = {"code": 200, "request_id": "x", "time": "2001-01-01 00:00:00", "params": {"note_id": "0" * 24}}
        found.append({**envelope, "data": data})
    return found


def asked_with(row: dict, body: dict) -> list[str]:
    """The input of the command: the work's id, or the link that the recorded call was made with."""
    if "share_url" in row["shape"]:
        return [body["params"]["share_url"].strip()]
    return [row["expect"]["platform_work_id"], "--platform", row["expect"]["platform"]]


@pytest.mark.parametrize("row", ROWS, ids=[r["file"] for r in ROWS])
def test_a_recorded_work_is_read_as_what_it_is(row, machine, tmp_path):
    for number, body in enumerate(bodies(row)):
        folder = tmp_path / f"replay-{number}"
        folder.mkdir()
        (folder / f"{row['shape']}.json").write_text(json.dumps(body), encoding="utf-8")
        with Sandbox(replay=folder, rate=None) as upstream:
            ran = machine.run(
                "work", *asked_with(row, body), "--no-transcript", "--full", TIKOMNI_BASE_URL=upstream.base_url
            )
        document = ran.document
        assert document["ok"], document
        work = document["result"]["work"]
        found = {name: work[name] for name in row["expect"]}
        assert found == row["expect"]
        also = row["also"]
        if "topics" in also:
            assert work["topics"] == also["topics"]
        if "video_url_found" in also:
            assert bool(work["video_download_url"]) is also["video_url_found"]
        if also.get("image_count"):
            assert len(work["image_urls"]) == also["image_count"]
        if also.get("type") == "normal":
            assert work["media_kind"] in ("images", "mixed") and len(work["image_urls"]) == also["images"]
        if also.get("duration_s"):
            assert work["duration_ms"] // 1000 == also["duration_s"]
        assert work["play_count"] is None and work["missing"]["play_count"]
        card = Path(document["result"]["card"]["path"]).read_text("utf-8")
        assert work["platform_work_id"] in card


@pytest.mark.parametrize("row", [r for r in ROWS if r["also"].get("subtitles")], ids=lambda r: r["file"])
def test_recorded_subtitles_are_found_in_the_right_order(row):
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from tikomni.platforms import definition, read_work
    from tikomni.transcripts.subtitles import ordered

    zone = ZoneInfo("Asia/Shanghai")
    reading = read_work(
        definition(row["expect"]["platform"]), bodies(row)[0], row["shape"], zone=zone, now=datetime.now(zone),
        wanted={"work_id": row["expect"]["platform_work_id"]},
    )  # fmt: skip
    tags = [s.tag for s in ordered(reading.media.subtitles)]
    assert sorted(tags) == sorted(row["also"]["subtitles"]) and tags[0] == "source"
