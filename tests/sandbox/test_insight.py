"""The Volcano Engine stand-in."""

from __future__ import annotations

import time

import pytest

from tikomni.sandbox import links
from tikomni.sandbox.world import load

QUERY = "/openapi/item/query_by_id"


@pytest.fixture
def insight(sandbox, client):
    """The client with a living token; the stand-in's clock."""
    client.key = None
    client.headers = {"X-Insight-Biz-Name": sandbox.insight.name, "X-Insight-Biz-Secret": sandbox.insight.secret}
    token = client.get("/oauth/access_token").data["access_token"]
    client.headers = {"X-Insight-Biz-Name": sandbox.insight.name, "X-Insight-Access-Token": token}
    yield sandbox.insight
    sandbox.insight.now = time.time


def test_a_token_lives_two_hours_and_is_renewed_in_its_last_half(sandbox, client):
    client.headers = {"X-Insight-Biz-Name": sandbox.insight.name, "X-Insight-Biz-Secret": sandbox.insight.secret}
    first = client.get("/oauth/access_token").json
    assert (first["status"], first["message"], first["data"]["expire"]) == (0, "succeed", 7200)
    assert client.get("/oauth/access_token").data["access_token"] == first["data"]["access_token"]
    begun = time.time()
    try:
        sandbox.insight.now = lambda: begun + 5500
        second = client.get("/oauth/access_token").data["access_token"]
        assert second != first["data"]["access_token"]
        for token, later, status in ((first["data"]["access_token"], 6000, 200), (second, 6000, 200),
                                     (first["data"]["access_token"], 7300, 401), (second, 7300, 200)):  # fmt: skip
            sandbox.insight.now = lambda later=later: begun + later
            client.headers = {"X-Insight-Biz-Name": sandbox.insight.name, "X-Insight-Access-Token": token}
            assert client.get(QUERY, origin_id="1").status == status
    finally:
        sandbox.insight.now = time.time


def test_a_wrong_secret_gets_no_token(sandbox, client):
    client.headers = {"X-Insight-Biz-Name": sandbox.insight.name, "X-Insight-Biz-Secret": "wrong"}
    body = client.get("/oauth/access_token").json
    assert body["status"] != 0 and body["data"] is None


def test_an_answered_query_is_billed_each_time(insight, sandbox, client):
    for _ in range(2):
        body = client.get(QUERY, origin_id=links["dy_video"].id).json
    assert (body["status"], body["data"]["origin_id"]) == (0, links["dy_video"].id)
    assert body["data"]["feature"]["asr"] == "".join(load().works["dy_video"].words)
    assert body["data"]["publish_time"] == "2026-10-16 18:20:05"
    assert sandbox.bill.calls == {"insight.item.query_by_id": 2} and sandbox.bill.usd == 0


@pytest.mark.parametrize(
    ("origin_id", "message"),
    [
        ("7000000000000000000", "origin_id does not exists"),
        (links["dy_deleted"].id, "post is filtered"),
        (links["dy_old"].id, "only support post in 90 days"),
        (links["dy_text_counts"].id, "only support post in 90 days"),
    ],
)
def test_the_three_refusals_are_free(insight, sandbox, client, origin_id, message):
    body = client.get(QUERY, origin_id=origin_id).json
    assert body["status"] != 0 and body["message"] == message
    assert not sandbox.bill.billed_calls


def test_the_secret_does_not_go_with_a_query(insight, client):
    client.headers["X-Insight-Biz-Secret"] = insight.secret
    assert client.get(QUERY, origin_id="1").status == 401
    client.headers = {}
    assert client.get(QUERY, origin_id="1").status == 401


def test_the_contract_holds(insight, client):
    assert client.get(QUERY).status == 422
    assert client.post(QUERY).status == 405
