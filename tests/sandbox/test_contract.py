"""What the sandbox refuses, and that it takes every documented call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tikomni import catalog
from tikomni.sandbox import mapped
from tikomni.sandbox.checks import MOST_BODY_BYTES

ONE = "douyin/app/v3/fetch_one_video"
POSTS = "douyin/app/v3/fetch_user_post_videos"
SEARCH = "douyin/search/fetch_general_search_v1"


def problems(reply) -> list[tuple[str, str]]:
    assert reply.status == 422, reply.body
    return [(".".join(map(str, row["loc"])), row["type"]) for row in reply.json["detail"]]


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic c2FuZGJveA==", "Bearer "])
def test_without_its_key_nothing_is_answered(sandbox, client, header):
    client.key = None
    client.headers = {"Authorization": header} if header else {}
    reply = client.get(ONE, aweme_id="1")
    assert reply.status == 401
    assert reply.json["detail"]["code"] == 401 and reply.json["detail"]["message"]
    assert reply.headers["www-authenticate"] == "Bearer"
    assert not sandbox.bill.billed_calls


def test_health_needs_no_key_and_costs_nothing(sandbox, client):
    client.key = None
    assert client.get("health/check").json == {"status": "ok"}
    assert sandbox.bill.as_dict() == type(sandbox.bill)().as_dict()


def test_an_unknown_path_is_404(client):
    reply = client.get("douyin/app/v3/no_such_route")
    assert (reply.status, reply.json) == (404, {"detail": "Not Found"})


def test_a_wrong_method_is_405_and_names_the_right_one(client):
    reply = client.post(ONE)
    assert (reply.status, reply.headers["allow"]) == (405, "GET")
    assert client.get("/api/u2/v1/tasks/some").headers["allow"] == "POST"


def test_query_inputs(client):
    assert problems(client.get(ONE)) == [("query.aweme_id", "missing")]
    assert problems(client.get(ONE, aweme_id="1", hd="1")) == [("query.hd", "extra_forbidden")]
    assert problems(client.get(ONE, aweme_id=["1", "2"])) == [("query.aweme_id", "too_many")]
    assert problems(client.get(POSTS, sec_user_id="x", max_cursor="1.5")) == [("query.max_cursor", "int_parsing")]
    assert problems(client.get(POSTS, sec_user_id="x", count="21")) == [("query.count", "value_error")]
    assert problems(client.get("douyin/web/fetch_one_video", aweme_id="1", need_anchor_info="maybe")) == [
        ("query.need_anchor_info", "bool_parsing")
    ]
    too_many = ",".join("123")
    assert problems(client.get("douyin/app/v3/fetch_video_statistics", aweme_ids=too_many)) == [
        ("query.aweme_ids", "too_long")
    ]


@pytest.mark.parametrize("text", ["true", "False", "1", "0"])
def test_booleans_are_read_as_a_server_reads_them(client, text):
    assert client.get("douyin/web/fetch_one_video", aweme_id="1", need_anchor_info=text).status == 200


def test_bodies(client):
    assert problems(client.post(SEARCH)) == [("body", "missing")]
    assert problems(client.post(SEARCH, {})) == [("body", "missing")]
    assert problems(client.post(SEARCH, {"keyword": "猫", "colour": 1})) == [("body", "extra_forbidden")]
    assert problems(client.post(SEARCH, {"keyword": 7})) == [("body.keyword", "type_error")]
    assert problems(client.post(SEARCH, ["猫"])) == [("body", "type_error")]
    assert problems(client.post("douyin/app/v3/fetch_multi_video", ["1", 2])) == [("body.1", "type_error")]
    assert problems(client.post("/api/u2/v1/services/audio/asr/transcription", {"input": {"file_urls": []}})) == [
        ("body.input.file_urls", "value_error")
    ]


def test_bodies_that_cannot_be_read(client):
    address = "/api/u1/v1/" + SEARCH
    assert (
        problems(client.send("POST", address, b'{"keyword"', Content_Type="application/json"))[0][1] == "json_invalid"
    )
    assert problems(client.send("POST", address, b'{"keyword": NaN}', Content_Type="application/json"))[0][1] == (
        "json_invalid"
    )
    assert problems(client.send("POST", address, b"keyword=x", Content_Type="text/plain")) == [("body", "content_type")]


def test_a_body_where_none_is_taken_is_refused(client):
    assert problems(client.send("POST", "/api/u2/v1/tasks/some", b"{}", Content_Type="application/json")) == [
        ("body", "extra_forbidden")
    ]
    assert problems(client.send("GET", f"/api/u1/v1/{ONE}?aweme_id=1", b"{}")) == [("body", "extra_forbidden")]


def form(name: str) -> bytes:
    """A multipart body of one file."""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\nContent-Type: image/png'
    return f"{head}\r\n\r\nx\r\n--b--\r\n".encode()


def test_files(sandbox, client):
    address, kind = "/api/u1/v1/sora2/upload_image", "multipart/form-data; boundary=b"
    assert client.send("POST", address, form("file"), Content_Type=kind).status == 200
    assert sandbox.requests[-1].inputs == {"file": "a.png"}
    assert problems(client.send("POST", address, form("picture"), Content_Type=kind)) == [
        ("body.picture", "extra_forbidden"),
        ("body.file", "missing"),
    ]
    assert problems(client.send("POST", address, b"--b--", Content_Type=kind)) == [("body.file", "missing")]
    assert problems(client.send("POST", address, b"{}", Content_Type="application/json")) == [("body", "content_type")]


def test_a_huge_body_is_413(client):
    client.headers = {"Content-Length": str(MOST_BODY_BYTES + 1), "Content-Type": "application/json"}
    assert client.send("POST", "/api/u1/v1/" + SEARCH, b"{}").status == 413


def test_either_or(client):
    route = next(route for route in catalog.all_routes() if route.any_of and route.method == "GET")
    reply = client.get(route.path, **{item.name: _value(item.schema) for item in route.inputs if item.required})
    assert reply.status == 400
    assert all(name in reply.json["detail"]["message"] for names in route.any_of for name in names)
    assert client.get("xiaohongshu/app_v2/get_image_note_detail").status == 400


def test_every_documented_route_can_be_called(sandbox, client):
    refused = []
    for route in catalog.all_routes():
        if route.provider != "tikomni" or "{" in route.path:
            continue
        status = _call(client, route).status
        if status != 200 and not (status == 400 and mapped.answers(route.id)):
            refused.append((route.id, status))
    assert not refused
    assert len(sandbox.requests) > 1000
    assert sandbox.bill.usd > 1


def _call(client, route: catalog.Route):
    wanted = {item.name for item in route.inputs if item.required} | set(route.any_of[0] if route.any_of else ())
    query = {item.name: _value(item.schema) for item in route.inputs if item.where == "query" and item.name in wanted}
    if route.body is None:
        return client.get(route.path, **query) if route.method == "GET" else client.post(route.path, None, **query)
    if route.body.content_type != "application/json":
        name = next(item.name for item in route.inputs if item.where == "body")
        return client.send("POST", route.path, form(name), Content_Type=f"{route.body.content_type}; boundary=b")
    body: Any = _value(route.body.schema)
    if isinstance(body, dict):
        body |= {
            item.name: _value(item.schema) for item in route.inputs if item.where == "body" and item.name in wanted
        }
    if route.id == "u2.services.audio.asr.transcription":
        body = {"input": {"file_urls": ["http://somewhere.invalid/a.mp4"]}}
    if route.id == "u3.uploads":
        body["content_type"] = "video/mp4"
    return client.post(route.path, body, **query)


def _value(schema: dict[str, Any]) -> Any:
    """The plainest value that the schema takes."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: _value(schema["properties"][name]) for name in schema.get("required", ())}
        case "array":
            return [_value(schema.get("items", {}))] * max(schema.get("minItems", 1), 1)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return "x" * max(schema.get("minLength", 1), 1)


def test_the_envelope(sandbox, client):
    reply = client.get(ONE, aweme_id="1")
    body = reply.json
    assert list(body) == [
        "code", "request_id", "message", "message_zh", "support", "time", "time_stamp", "time_zone", "docs",
        "cache_message", "cache_message_zh", "cache_url", "router", "params", "data",
    ]  # fmt: skip
    assert (body["code"], body["time_zone"], body["params"]) == (200, "America/Los_Angeles", {"aweme_id": "1"})
    assert body["message"] == "Request successful. This request will incur a charge."
    assert body["router"] == "/api/u1/v1/" + ONE


def test_the_cached_answer_is_free_and_the_same(sandbox, client):
    first = client.get(ONE, aweme_id="1")
    client.key = None
    assert client.get(first.json["cache_url"]).body == first.body
    assert client.get(first.json["cache_url"].partition("?")[0]).status == 404
    assert sandbox.bill.billed_calls == 1


def test_a_posted_body_is_echoed(client):
    assert client.post(SEARCH, {"keyword": "猫"}).json["params"] == {"keyword": "猫"}


def test_json_routes_have_no_envelope(client):
    body = client.get("tikhub/downloader/version").json
    assert "cache_url" not in body and json.dumps(body)
