"""Searches that were really answered, replayed and collected by the real command line, where they are at hand.

What they must read as is taken from the same files by plain paths, so that no fact of theirs stands here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import jmespath
import pytest

from tikomni.sandbox import Sandbox

SAMPLES = Path(os.environ.get("TIKOMNI_SAMPLES") or Path(__file__).resolve().parents[3] / "shared" / "samples")

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no recorded answers at hand")

SEARCHES = [
    ("douyin", "tikhub-search_general_v1-envelope-ideasseek-1.json", "douyin.search.fetch_general_search_v1",
     "data.data[].aweme_info"),
    ("douyin", "search_video_v4-justoneapi-1.json", "douyin.search.fetch_video_search_v2",
     "data.business_data[].data.aweme_info"),
    ("xiaohongshu", "search_note_v2-justoneapi-1.json", "xiaohongshu.app_v2.search_notes", "data.items[].note"),
    ("xiaohongshu", "search_note_v3-justoneapi-1.json", "xiaohongshu.app_v2.search_notes", "data.items[].note"),
    ("xiaohongshu", "tikhub-web-search_notes-envelope-ideasseek-1.json", "xiaohongshu.web.search_notes",
     "data.data.items[].note"),
]  # fmt: skip
LIKES = "statistics.digg_count || liked_count"


@pytest.mark.parametrize(("platform", "file", "route", "where"), SEARCHES, ids=lambda value: value)
def test_a_recorded_search_is_collected_as_what_it_is(machine, tmp_path, platform, file, route, where):
    body = json.loads((SAMPLES / platform / file).read_text("utf-8"))
    entries = jmespath.search(where, body)
    folder = tmp_path / "replay"
    folder.mkdir()
    (folder / f"{route}.json").write_text(json.dumps(body), encoding="utf-8")
    words = ("collect", "search", "x", "--platform", platform, "--max", str(len(entries)), "--export", "csv")
    with Sandbox(replay=folder, rate=None) as upstream:
        ran = machine.run(*words, TIKOMNI_BASE_URL=upstream.base_url, TIKOMNI_TIMEOUT_RETRY_MAX="0")
    document = ran.document
    assert (ran.exit_status, document["status"]) == (0, "complete"), document
    result = document["result"]
    assert (result["read"], result["stop_reason"] in ("most", "no_more", "no_cursor")) == (len(entries), True)
    rows = [json.loads(line) for line in Path(result["paths"]["works"]).read_text("utf-8").splitlines()]
    ids = [entry.get("aweme_id") or entry.get("id") for entry in entries]
    assert [row["platform_work_id"] for row in rows] == ids
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert not result["dropped"] and not result["left_out"]
    page = Path(result["paths"]["page"]).read_text("utf-8")
    for row, entry in zip(rows, entries, strict=True):
        assert row["digg_count"] == jmespath.search(LIKES, entry)
        assert row["published_at"] and row["title"] and row["cover_image"]
        assert row["platform_author_id"] and row["source_url"] in page
        # A snippet is never taken for the whole text.
        whole = row["work_modality"] == "text" and "caption_raw" not in row["partial"]
        assert row["primary_text"] == (entry["desc"] if whole else None)
