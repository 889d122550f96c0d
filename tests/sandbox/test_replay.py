"""Recorded answers."""

from __future__ import annotations

import json

import pytest

from tikomni.errors import InputError
from tikomni.sandbox import Sandbox

ONE = "douyin/app/v3/fetch_one_video"


@pytest.fixture
def recorded(tmp_path, client):
    rows = [
        {"route": "douyin.web.fetch_one_video", "inputs": {"aweme_id": "1"}, "body": {"code": 200, "data": 1}},
        {"route": "douyin.web.fetch_one_video", "inputs": None, "status": 502, "file": "gateway.html"},
        {"route": "douyin.app.v3.fetch_user_post_videos", "inputs": {"max_cursor": 5}, "body": {"page": 2}},
        {"route": "douyin.app.v3.fetch_user_post_videos", "body": {"page": 1}},
    ]
    (tmp_path / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (tmp_path / "gateway.html").write_text("<h1>Bad Gateway</h1>", "utf-8")
    (tmp_path / "douyin.app.v3.fetch_one_video.json").write_text('{"code": 200,  "data": {"recorded": "是"}}', "utf-8")
    with Sandbox(replay=tmp_path, rate=None) as sandbox:
        client.base_url = sandbox.base_url
        yield sandbox


def test_a_recording_is_the_answer_byte_for_byte(recorded, client):
    assert client.get(ONE, aweme_id="any").body.decode() == '{"code": 200,  "data": {"recorded": "是"}}'
    assert recorded.bill.calls == {"douyin.app.v3.fetch_one_video": 1}


def test_the_most_particular_recording_wins(recorded, client):
    assert client.get("douyin/web/fetch_one_video", aweme_id="1").data == 1
    other = client.get("douyin/web/fetch_one_video", aweme_id="2")
    assert (other.status, other.headers["content-type"]) == (502, "text/html; charset=utf-8")
    posts = "douyin/app/v3/fetch_user_post_videos"
    assert client.get(posts, sec_user_id="x", max_cursor=5).json == {"page": 2}
    assert client.get(posts, sec_user_id="x").json == {"page": 1}
    assert recorded.bill.billed_calls == 3


def test_contract_and_key_are_checked_all_the_same(recorded, client):
    assert client.get(ONE).status == 422
    client.key = "wrong"
    assert client.get(ONE, aweme_id="1").status == 401


def test_what_was_not_recorded_is_404(recorded, client):
    reply = client.get("xiaohongshu/app_v2/get_user_info", user_id="x")
    assert reply.status == 404 and "No recording" in reply.json["detail"]["message"]
    assert client.submit("https://a.invalid/a.mp4").status == 404
    assert not recorded.bill.billed_calls


@pytest.mark.parametrize(
    "index", [None, "not json", '{"body": {}}', '{"route": "health.check", "file": "missing.json"}']
)
def test_a_folder_without_usable_recordings(tmp_path, index):
    if index:
        (tmp_path / "index.jsonl").write_text(index, "utf-8")
    with pytest.raises(InputError):
        Sandbox(replay=tmp_path)
