"""Every fault, over a real socket."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from tikomni.sandbox.faults import KINDS, Faults

ROUTE, PATH = "douyin.app.v3.fetch_one_video", "douyin/app/v3/fetch_one_video"


def call(client):
    return client.get(PATH, aweme_id="1")


@pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504])
def test_statuses(sandbox, client, status):
    sandbox.faults.add(ROUTE, "status", status=status)
    reply = call(client)
    assert reply.status == status
    assert reply.json["detail"]["code"] == status
    assert not sandbox.bill.billed_calls
    assert call(client).status == 200


def test_retry_after_in_seconds_and_as_a_date(sandbox, client):
    sandbox.faults.add(ROUTE, "status", status=429, retry_after=7)
    assert call(client).headers["retry-after"] == "7"
    sandbox.faults.add(ROUTE, "status", status=503, retry_after=60, date=True)
    wait = parsedate_to_datetime(call(client).headers["retry-after"]) - datetime.now(UTC)
    assert 50 < wait.total_seconds() <= 60


@pytest.mark.parametrize(("kind", "billed"), [("close_before", 0), ("close_after", 1)])
def test_connections_that_close_without_an_answer(sandbox, client, kind, billed):
    sandbox.faults.add(ROUTE, kind)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        call(client)
    assert sandbox.bill.billed_calls == billed
    assert sandbox.requests[-1].status == 0


def test_a_lost_submission_is_billed(sandbox, client):
    sandbox.faults.add("u2.services.audio.asr.transcription", "close_after")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        client.submit(f"{sandbox.base_url}/media/dy_video/video-540.mp4")
    assert (sandbox.bill.submissions, sandbox.bill.asr_seconds) == (1, 43)


def test_a_body_that_breaks_off(sandbox, client):
    sandbox.faults.add(ROUTE, "broken")
    with pytest.raises(http.client.IncompleteRead):
        call(client)


def test_json_that_stops_in_the_middle(sandbox, client):
    sandbox.faults.add(ROUTE, "cut")
    reply = call(client)
    assert reply.status == 200 and int(reply.headers["content-length"]) == len(reply.body)
    with pytest.raises(ValueError):
        json.loads(reply.body)
    assert sandbox.bill.billed_calls == 1


def test_slow_headers_and_a_dripping_body(sandbox, client):
    whole = call(client).json["data"]
    for kind in ("slow_headers", "drip"):
        sandbox.faults.add(ROUTE, kind, seconds=0.2)
        begun = time.monotonic()
        assert call(client).json["data"] == whole
        assert time.monotonic() - begun >= 0.15


def test_slow_headers_outlast_a_short_timeout(sandbox, client):
    sandbox.faults.add(ROUTE, "slow_headers", seconds=5)
    client.timeout = 0.1
    with pytest.raises(TimeoutError):
        call(client)


@pytest.mark.parametrize("status", [200, 502])
def test_a_gateways_page(sandbox, client, status):
    sandbox.faults.add(ROUTE, "html", status=status)
    reply = call(client)
    assert reply.status == status and reply.headers["content-type"].startswith("text/html")
    assert not sandbox.bill.billed_calls


def test_a_wrong_content_type(sandbox, client):
    sandbox.faults.add(ROUTE, "content_type", type="text/plain")
    reply = call(client)
    assert reply.headers["content-type"] == "text/plain" and reply.json["code"] == 200


def test_a_gzip_bomb(sandbox, client):
    sandbox.faults.add(ROUTE, "gzip_bomb", megabytes=8)
    reply = call(client)
    assert reply.headers["content-encoding"] == "gzip"
    assert len(reply.body) < 64_000
    assert len(gzip.decompress(reply.body)) == 8 * 1_048_576


def test_an_error_inside_a_success_is_billed(sandbox, client):
    sandbox.faults.add(ROUTE, "error_code", code=500, message="服务异常")
    body = call(client).json
    assert (body["code"], body["message"], body["data"]) == (500, "服务异常", None)
    sandbox.faults.add(ROUTE, "error_code", code=-1, inner=True)
    body = call(client).json
    assert (body["code"], body["data"]["code"], body["data"]["success"]) == (200, -1, False)
    assert sandbox.bill.billed_calls == 2


def test_an_empty_body_is_billed(sandbox, client):
    sandbox.faults.add(ROUTE, "empty")
    reply = call(client)
    assert (reply.status, reply.body) == (200, b"")
    assert sandbox.bill.billed_calls == 1


def test_a_redirect_to_another_host(sandbox, client):
    sandbox.faults.add(ROUTE, "redirect")
    reply = call(client)
    assert reply.status == 302
    assert (
        reply.headers["location"] == f"{sandbox.base_url.replace('127.0.0.1', 'localhost')}/api/u1/v1/{PATH}?aweme_id=1"
    )
    sandbox.faults.add(ROUTE, "redirect", to="https://elsewhere.invalid/", status=307)
    assert call(client).headers["location"] == "https://elsewhere.invalid/"


def test_faults_befall_media_too(sandbox, client):
    sandbox.faults.add("sandbox.media", "status", status=403)
    assert client.get("/media/dy_video/cover.jpg").status == 403
    assert client.get("/media/dy_video/cover.jpg").status == 200


def test_a_fault_waits_for_its_route_and_is_used_up(sandbox, client):
    sandbox.faults.add(ROUTE, "status", times=2, skip=1, status=500)
    assert client.get("douyin/web/fetch_one_video", aweme_id="1").status == 200
    assert [call(client).status for _ in range(4)] == [200, 500, 500, 200]


def test_a_fault_without_end():
    faults = Faults()
    faults.add("*", "empty", times=None)
    assert all(faults.take("any") for _ in range(5))
    faults.reset()
    assert faults.take("any") is None


def test_a_wrong_key_uses_up_no_fault(sandbox, client):
    sandbox.faults.add(ROUTE, "status", status=500)
    client.key = "wrong"
    assert call(client).status == 401
    client.key = sandbox.key
    assert call(client).status == 500


def test_unknown_kinds_are_an_error():
    assert len(KINDS) == 15
    with pytest.raises(ValueError, match="close_before"):
        Faults().add("*", "explode")
    with pytest.raises(ValueError, match="shap"):
        Faults().add("*", "asr", shap="none")
