"""The model's stand-in takes what a strict server takes, and nothing else; what it answers is in its bill."""

from __future__ import annotations

import json
from typing import Any

import pytest

SCHEMA = {"type": "object", "required": ["why"], "properties": {"why": {"type": "string"}}}
ASKED: dict[str, Any] = {
    "model": "sandbox-model",
    "messages": [{"role": "system", "content": "Answer in JSON."}, {"role": "user", "content": "W01.01 | hello"}],
    "max_tokens": 100,
    "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}},
}


@pytest.fixture
def post(sandbox, client):
    def send(body: Any, key: str | None = sandbox.llm.key, kind: str = "application/json") -> Any:
        client.key = key
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.send("POST", "/v1/chat/completions", data, content_type=kind)

    return send


def test_a_good_request_is_answered_and_billed(post, sandbox):
    reply = post(ASKED)
    (choice,) = reply.json["choices"]
    assert reply.status == 200 and choice["finish_reason"] == "stop"
    assert json.loads(choice["message"]["content"]).keys() == {"why"}
    usage = reply.json["usage"]
    assert (sandbox.bill.tokens_in, sandbox.bill.tokens_out) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert sandbox.bill.answers == 1 and sandbox.bill.billed_calls == 0


def test_an_answer_is_cut_at_its_longest(post):
    (choice,) = post(ASKED | {"max_tokens": 2}).json["choices"]
    assert choice["finish_reason"] == "length" and len(choice["message"]["content"]) == 2


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"model": "another"}, 404),
        ({"messages": []}, 400),
        ({"messages": [{"role": "user", "content": ""}]}, 400),
        ({"messages": [{"role": "tool", "content": "x"}]}, 400),
        ({"messages": [{"role": "user", "content": "x", "name": "y"}]}, 400),
        ({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}, 400),
        ({"max_tokens": 0}, 400),
        ({"max_tokens": 100_000}, 400),
        ({"tools": [{"type": "function"}]}, 400),
        ({"response_format": {"type": "xml"}}, 400),
        ({"response_format": {"type": "json_schema"}}, 400),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a b", "schema": SCHEMA}}}, 400),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": 1}}}}, 400),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"x-mine": 1}}}}, 400),
        ({"response_format": {"type": "json_object"}, "messages": [{"role": "user", "content": "hello"}]}, 400),
    ],
)
def test_a_bad_request_is_refused_in_words_and_costs_nothing(post, sandbox, changed, status):
    reply = post(ASKED | changed)
    assert reply.status == status and reply.json["error"]["message"]
    assert sandbox.bill.answers == 0


def test_key_address_and_body_are_looked_at_first(post, client, sandbox):
    assert [post(ASKED, key).status for key in (None, "wrong", sandbox.key)] == [401, 401, 401]
    assert post(b"{", kind="application/json").status == 400 and post(ASKED, kind="text/plain").status == 415
    assert client.send("GET", "/v1/chat/completions").status == 405
    assert client.send("POST", "/v1/embeddings", b"{}", content_type="application/json").status == 404
    assert sandbox.bill.answers == 0


def test_a_manner_that_there_is_not_is_an_error(sandbox):
    with pytest.raises(ValueError, match="blank"):
        sandbox.faults.add("sandbox.v1", "llm", manner="moody")
