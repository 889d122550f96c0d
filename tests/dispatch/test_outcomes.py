"""What each kind of reply means, whatever its status says."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tikomni import catalog
from tikomni.dispatch.http import Failure, Reply
from tikomni.dispatch.outcomes import RETRY_AFTER_MOST, of_failure, of_reply, retry_after

NOW = datetime(2026, 5, 4, 10, 0, 0, tzinfo=UTC)
ROUTE = "douyin.app.v3.fetch_one_video"


def verdict(status=200, body=None, raw=None, headers=None):
    data = raw if raw is not None else json.dumps(body).encode()
    return of_reply(catalog.get(ROUTE), Reply(status, headers or {"content-type": "application/json"}, data), NOW)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"code": 200, "data": {"aweme_detail": {"aweme_id": "1"}}}, "ok"),
        (200, {"code": "200", "data": [1]}, "ok"),
        (200, {"code": 200, "data": None}, "empty"),
        (200, {"code": 200, "data": {}}, "empty"),
        (200, {"code": 500, "message": "boom"}, "upstream"),
        (200, {"code": 402, "message": "no credit"}, "quota"),
        (200, {"code": 401}, "auth"),
        (200, {"code": 1101, "data": None}, "upstream"),
        (200, {"code": 200, "data": {"code": -1, "success": False, "msg": "服务异常"}}, "upstream"),
        (400, {"detail": "bad"}, "invalid"),
        (401, {"detail": {"message": "bad token"}}, "auth"),
        (402, {"detail": "pay"}, "quota"),
        (403, {}, "auth"),
        (404, {"detail": "Not Found"}, "empty"),
        (410, {}, "gone"),
        (408, {}, "upstream"),
        (409, {}, "invalid"),
        (422, {"detail": [{"loc": ["query", "aweme_id"], "msg": "field required"}]}, "invalid"),
        (429, {}, "throttled"),
        (500, {}, "upstream"),
        (504, {}, "upstream"),
        (302, {}, "upstream"),
    ],
)
def test_classes(status, body, outcome):
    assert verdict(status, body).outcome == outcome


@pytest.mark.parametrize(
    "raw", [b"", b"  ", b"<html>nginx</html>", b'{"code": 200, "data": {"a', b"null", b"[" * 100_000]
)
def test_a_served_answer_that_cannot_be_read_is_a_failure_and_was_probably_charged(raw):
    found = verdict(200, raw=raw)
    assert (found.outcome, found.readable, found.accepted) == ("upstream", False, True)


def test_numbers_that_json_does_not_know_are_unknown():
    assert verdict(raw=b'{"code": 200, "data": {"a": NaN, "b": [-Infinity, 1]}}').body["data"] == {
        "a": None,
        "b": [None, 1],
    }


def test_numbers_beyond_all_bounds_are_unknown():
    assert verdict(raw=b'{"code": 200, "data": [1e999, -1e999, 1.5, 1e3]}').body["data"] == [None, None, 1.5, 1000.0]


def test_what_is_no_character_costs_no_answer():
    said = verdict(
        raw=b'{"code": 200, "data": {"a": "\\ud83dx \\ud83d\\ude00", "b": "\xff", "c": "\xed\xa0\xbd"}}'
    ).body["data"]
    assert said["a"] == "\ufffdx 😀" and set(said["b"] + said["c"]) == {"\ufffd"}
    assert verdict(500, raw=b'{"detail": "\\udc00"}').message == "\ufffd"


def test_the_upstreams_words_reach_the_message():
    assert (
        verdict(422, {"detail": [{"loc": ["query", "aweme_id"], "msg": "field required"}]}).message
        == "query.aweme_id: field required"
    )
    assert verdict(401, {"detail": {"code": 401, "message": "Invalid API key"}}).message == "Invalid API key"
    inside = {"code": 1, "success": False, "msg": "服务异常"}
    assert verdict(200, {"code": 200, "message": "Request successful.", "data": inside}).message == "服务异常"


@pytest.mark.parametrize(
    ("status", "accepted"),
    [(400, False), (401, False), (422, False), (429, False), (500, True), (504, True), (408, True)],
)
def test_a_refusal_was_not_accepted_but_a_broken_gateway_may_hide_an_acceptance(status, accepted):
    assert verdict(status, {}).accepted is accepted


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Mon, 04 May 2026 10:00:09 GMT", 9.0),
        ("Mon, 04 May 2026 09:00:00 GMT", 0.0),
        ("86400", RETRY_AFTER_MOST),
        ("soon", None),
        ("", None),
        (None, None),
        ("nan", None),
        ("-5", 0.0),
    ],
)
def test_retry_after_in_both_forms_and_capped(value, seconds):
    assert retry_after(value, NOW) == seconds


def test_requests_without_a_reply():
    assert of_failure(Failure("x", timeout=True, sent=False)).outcome == "timeout_before_send"
    assert of_failure(Failure("x", timeout=True, sent=True)).outcome == "timeout_after_send"
    assert of_failure(Failure("x")).outcome == "network"
    assert of_failure(Failure("x", sent=True)).accepted is True


DOWNLOAD = "douyin.creator_v2.fetch_item_list_download"
ARCHIVE = "application/zip"  # a kind whose ending every machine knows


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=\"works.xlsx\"; filename*=UTF-8''%E4%BD%9C%E5%93%81.xlsx", "作品.xlsx"),
        ("attachment; filename*=utf-8''%E4%BD%9C%E5%93%81.xlsx; filename=works.xlsx", "作品.xlsx"),
        ("attachment; filename=works.xlsx", "works.xlsx"),
        ("attachment", "fetch_item_list_download.zip"),
        ("", "fetch_item_list_download.zip"),
    ],
)
def test_a_file_keeps_the_name_that_it_is_sent_under(disposition, name):
    headers = {"content-type": ARCHIVE, "content-disposition": disposition}
    found = of_reply(catalog.get(DOWNLOAD), Reply(200, headers, b"PK"), NOW)
    assert (found.outcome, found.body["file_name"], found.body["content_type"]) == ("ok", name, ARCHIVE)


def test_an_error_in_place_of_a_file_is_an_error():
    body = json.dumps({"code": 500, "message": "服务异常", "data": None}).encode()
    found = of_reply(catalog.get(DOWNLOAD), Reply(200, {"content-type": "application/json"}, body), NOW)
    assert (found.outcome, found.message) == ("upstream", "服务异常")
