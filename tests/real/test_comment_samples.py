"""Recorded comments, replayed and read by the command line, where they are at hand; none is part of the project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tikomni.analysis.comments import wordless
from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import Sandbox

SAMPLES = Path(os.environ.get("TIKOMNI_SAMPLES") or Path(__file__).resolve().parents[3] / "shared" / "samples")
EXPECTED = SAMPLES / "expected.jsonl"
WORKS = [json.loads(line) for line in EXPECTED.read_text("utf-8").splitlines()] if EXPECTED.is_file() else []

pytestmark = pytest.mark.skipif(not WORKS, reason="no recorded answers at hand")

ROWS = [
    # file, the route that it is an answer of, where its entries stand, own id, text, likes, replies, names of people
    ("douyin/tikhub-web-fetch_video_comments-ideasseek-1.json", "douyin.web.fetch_video_comments", ("comments",),
     "cid", "text", "digg_count", "reply_comment_total", ("nickname", "unique_id", "sec_uid", "uid")),
    ("xiaohongshu/tikhub-web-get_note_comments-ideasseek-1.json", "xiaohongshu.web.get_note_comments",
     ("data", "comments"), "id", "content", "like_count", "sub_comment_count", ("nickname", "userid", "red_id")),
]  # fmt: skip


def envelope(data: Any) -> dict[str, Any]:
    return {"code": 200, "request_id": "x", "time": "2001-01-01 00:00:00", "params": {}, "data": data}


def one_work(platform: str, work_id: str) -> tuple[str, dict[str, Any]]:
    """A recorded work of the platform in the answer of its first route, under the id that the comments belong to."""
    row = next(r for r in WORKS if r["expect"]["platform"] == platform and "share_url" not in r["shape"])
    text = (SAMPLES / row["file"]).read_text("utf-8").replace(row["expect"]["platform_work_id"], work_id)
    data = json.loads(text)
    if row["wrap"] == "as is":
        return row["shape"], data
    for name in reversed(row["wrap"].split(".")[1:]):
        data = {name: data}
    return row["shape"], envelope(data)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_recorded_comments_become_rows_without_names_and_a_task(row, machine, tmp_path):
    file, route, where, own_id, text, likes, replies, who = row
    body = json.loads((SAMPLES / file).read_text("utf-8"))
    entries = body["data"]
    for name in where:
        entries = entries[name]
    work_id = str(entries[0].get("aweme_id") or entries[0]["note_id"])
    folder = tmp_path / "replay"
    folder.mkdir()
    shape, work = one_work(route.partition(".")[0], work_id)
    (folder / f"{shape}.json").write_text(json.dumps(work), encoding="utf-8")
    (folder / f"{route}.json").write_text(json.dumps(body), encoding="utf-8")
    with Sandbox(replay=folder, rate=None) as upstream:
        platform = route.partition(".")[0]
        words = ["work", work_id, "--platform", platform, "--no-transcript", "--comments", str(len(entries))]
        ran = machine.run(*words, TIKOMNI_BASE_URL=upstream.base_url)
    document = ran.document
    assert document["ok"] and tokens(ran.stdout) <= TOKEN_BUDGET, document
    told = document["result"]["comments"]
    assert told["read"] == len(entries) and "comments" not in {m["field"] for m in document["result"]["missing"]}
    spoken = [entry for entry in entries if wordless(entry[text]) is None]
    found = [json.loads(line) for line in Path(told["paths"]["jsonl"]).read_text("utf-8").splitlines()]
    assert [(r["comment_id"], r["like_count"], r["reply_count"]) for r in found] == [
        (e[own_id], e[likes], e[replies]) for e in spoken
    ]
    assert [r["text"] for r in found if "@" not in r["text"]] == [e[text] for e in spoken if "@" not in e[text]]
    assert all(r["published_at"] and r["author_hash"] and r["is_author"] is False for r in found)
    names = {str(e["user"][name]) for e in entries for name in who if len(str(e["user"].get(name) or "")) > 3}
    for path in (p for p in machine.cwd.rglob("*") if p.is_file() and p.suffix in (".jsonl", ".csv", ".md", ".json")):
        assert not [name for name in names if name in path.read_text("utf-8")], path
    (task,) = [task for task in document["result"]["tasks"] if task["kind"] == "work.comments"]
    parts = "".join(p.read_text("utf-8") for p in sorted(Path(task["path"], "input").glob("*.md")))
    assert all(f"C{n:03} | " in parts for n in range(1, len(spoken) + 1))
