"""Starting, stopping, throttling, and the handle for other processes."""

from __future__ import annotations

import time

import pytest

from tikomni import sandbox as room
from tikomni.sandbox import SAMPLES, Sandbox, links

ONE = "douyin/app/v3/fetch_one_video"


def test_starting_and_stopping_are_quick():
    begun = time.monotonic()
    sandbox = Sandbox().start()
    sandbox.stop()
    assert time.monotonic() - begun < 0.5


def test_a_stopped_sandbox_no_longer_listens(client):
    with Sandbox() as other:
        client.base_url, client.key = other.base_url, other.key
        assert client.get("health/check").status == 200
    with pytest.raises(OSError):
        client.get("health/check")


def test_stopping_does_not_wait_for_a_slow_answer(client):
    with Sandbox() as other:
        other.faults.add("health.check", "slow_headers", seconds=60)
        client.base_url, client.timeout = other.base_url, 0.3
        with pytest.raises(TimeoutError):
            client.get("health/check")
        begun = time.monotonic()
    assert time.monotonic() - begun < 1


def test_a_taken_port_is_an_error(sandbox):
    port = int(sandbox.base_url.rpartition(":")[2])
    with pytest.raises(OSError):
        Sandbox().start(port)


def test_the_rate_is_held_for_each_key(sandbox, client):
    sandbox.rate = 3
    replies = [client.get(ONE, aweme_id="1") for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    assert replies[-1].headers["retry-after"] == "1"
    assert replies[-1].json["detail"]["code"] == 429
    assert sandbox.bill.billed_calls == 3
    assert client.get("health/check").status == 200


def test_latency(sandbox, client):
    sandbox.latency_s = 0.05
    begun = time.monotonic()
    client.get(ONE, aweme_id="1")
    assert time.monotonic() - begun >= 0.05


def test_several_keys(sandbox, client, monkeypatch):
    monkeypatch.setattr(sandbox, "keys", ("one", "two"))
    for client.key, status in (("one", 200), ("two", 200), ("three", 401)):
        assert client.get(ONE, aweme_id="1").status == status
    assert [seen.key for seen in sandbox.requests] == ["one", "two", "three"]


def test_requests_are_kept_with_what_became_of_them(sandbox, client):
    client.get(ONE, aweme_id="1")
    client.get(ONE)
    client.get("/nowhere")
    seen = [(each.route, each.status, dict(each.inputs)) for each in sandbox.requests]
    one = "douyin.app.v3.fetch_one_video"
    assert seen == [(one, 200, {"aweme_id": "1"}), (one, 422, {}), ("", 404, {})]


def test_tikhubs_prefix_is_answered_for_what_tikhub_has(sandbox, client):
    assert client.get(f"/api/v1/{ONE}", aweme_id=links["dy_video"].id).data["aweme_detail"]
    assert (sandbox.requests[-1].path, sandbox.requests[-1].route) == (
        f"/api/v1/{ONE}",
        "douyin.app.v3.fetch_one_video",
    )
    assert sandbox.bill.billed_calls == 1
    assert client.post(f"/api/v1/{ONE}").status == 405
    assert client.get("/api/v1/douyin/web/fetch_home_feed").status == 404
    assert client.post("/api/v1/services/audio/asr/transcription", {}).status == 404
    sandbox.faults.add("douyin.app.v3.fetch_one_video", "status", status=503)
    assert client.get(f"/api/v1/{ONE}", aweme_id="1").status == 503
    client.key = "wrong"
    assert client.get(f"/api/v1/{ONE}", aweme_id="1").status == 401


def test_the_handle_for_other_processes(sandbox, client):
    client.key = None
    assert client.post("/sandbox/faults", {"route": "*", "kind": "status", "status": 503}).json == {"added": True}
    assert client.get("health/check").status == 503
    client.key = sandbox.key
    client.get(ONE, aweme_id="1")
    assert client.get("/sandbox/bill").json == sandbox.bill.as_dict()
    assert client.get("/sandbox/bill").json["calls"] == {"douyin.app.v3.fetch_one_video": 1}
    assert client.post("/sandbox/reset").json == {"reset": True}
    assert client.get("/sandbox/bill").json["billed_calls"] == 0
    assert client.post("/sandbox/faults", {"route": "*", "kind": "no such"}).status == 400
    assert client.get("/sandbox/elsewhere").status == 404


def test_the_public_names():
    assert room.__all__ == ["COOKIE", "KEY", "SAMPLES", "Link", "Sandbox", "Script", "Seen", "links"]
    assert list(SAMPLES) == ["douyin_video", "douyin_pictures", "xiaohongshu_video"]
    assert links["dy_video"].short in SAMPLES["douyin_video"]
    assert links["xhs_subtitled"].short in SAMPLES["xiaohongshu_video"]
    assert "\n" not in "".join(SAMPLES.values())
