"""Who is asked: TikOmni, TikHub with a key of its own, and Content Insight with an account of its own."""

from __future__ import annotations

import asyncio
import time

import pytest

from tikomni import catalog
from tikomni.dispatch.http import Transport
from tikomni.dispatch.providers import Providers
from tikomni.sandbox import links
from tikomni.settings_load import load

DETAIL = "douyin.app.v3.fetch_one_video"
LACKED = "douyin.web.fetch_home_feed"
SPEECH = "u2.services.audio.asr.transcription"
QUERY = "insight.item.query_by_id"
WORK = links["dy_pictures"].id


def code(ran) -> tuple[int, str]:
    return ran.exit_status, ran.document["error"]["code"]


# --- TikHub


@pytest.fixture
def tikhub(machine, sandbox):
    """A user who has a key of TikHub alone."""
    machine.variables |= {"TIKOMNI_TIKHUB_API_KEY": sandbox.key, "TIKOMNI_TIKHUB_BASE_URL": sandbox.base_url}
    machine.variables |= {"TIKOMNI_API_KEY": None, "TIKOMNI_BASE_URL": "http://127.0.0.1:9"}
    return machine


def test_a_route_that_tikhub_has(tikhub, run, sandbox):
    ran = run("route", "call", DETAIL, f"aweme_id={WORK}")
    assert (ran.exit_status, ran.document["result"]["provider"]) == (0, "tikhub")
    assert [seen.path for seen in sandbox.requests] == ["/api/v1/douyin/app/v3/fetch_one_video"]
    assert sandbox.bill.billed_calls == 1
    again = run("route", "call", DETAIL, f"aweme_id={WORK}").document
    assert (again["cost"]["calls"], again["result"]["provider"]) == (0, "tikhub")


def test_a_work_by_tikhub(tikhub, run, sandbox):
    ran = run("work", links["dy_pictures"].url)
    assert (ran.exit_status, ran.document["status"]) == (0, "complete")
    assert {seen.path.startswith("/api/v1/") for seen in sandbox.requests if seen.route == DETAIL} == {True}
    assert ran.document["result"]["work"]["platform_work_id"] == WORK


def test_a_spoken_work_by_tikhub_keeps_its_facts_and_says_who_could_transcribe(tikhub, run, sandbox):
    ran = run("work", links["dy_video"].url)
    assert (ran.exit_status, ran.document["status"]) == (3, "incomplete")
    assert ran.document["result"]["work"]["title"] and sandbox.bill.submissions == 0
    [warning] = [text for text in ran.document["warnings"] if SPEECH in text]
    assert "TikHub" in warning and "TIKOMNI_API_KEY" in warning


@pytest.mark.parametrize(
    ("route", "inputs"),
    [
        (LACKED, []),
        (SPEECH, ["--params-json", '{"input": {"file_urls": ["https://example.com/a.mp4"]}}', "--allow", "generate"]),
        ("u2.tasks", ["task_id=1"]),
    ],
)
def test_a_route_that_tikhub_lacks_is_refused_by_name(tikhub, run, sandbox, route, inputs):
    ran = run("route", "call", route, *inputs)
    assert code(ran) == (2, "unknown_route")
    error = ran.document["error"]
    assert "TikHub" in error["message"] and route in error["message"] and "TIKOMNI_API_KEY" in error["hint"]
    assert not sandbox.requests


def test_with_both_keys_tikomni_is_asked(run, sandbox):
    variables = {"TIKOMNI_TIKHUB_API_KEY": "other-key-of-tikhub-1", "TIKOMNI_TIKHUB_BASE_URL": "http://127.0.0.1:9"}
    ran = run("route", "call", DETAIL, f"aweme_id={WORK}", **variables)
    assert ran.document["result"]["provider"] == "tikomni"
    assert [(seen.path, seen.key) for seen in sandbox.requests] == [
        ("/api/u1/v1/douyin/app/v3/fetch_one_video", sandbox.key)
    ]
    assert run("route", "call", LACKED, **variables).exit_status == 0


def test_one_providers_answers_are_not_anothers(machine, run, sandbox):
    run("route", "call", DETAIL, f"aweme_id={WORK}")
    tikhub = {"TIKOMNI_API_KEY": None, "TIKOMNI_TIKHUB_API_KEY": sandbox.key}
    other = run("route", "call", DETAIL, f"aweme_id={WORK}", **tikhub, TIKOMNI_TIKHUB_BASE_URL=sandbox.base_url + "/")
    assert other.document["result"]["provider"] == "tikhub"


def test_the_auth_check_by_tikhub(tikhub, run, sandbox):
    assert run("auth").document["result"]["base_url"] == sandbox.base_url
    assert run("auth", "--billed").document["result"]["key"] == "accepted"
    assert code(run("auth", "--billed", TIKOMNI_TIKHUB_API_KEY="sk-wrong-but-real-looking-1")) == (2, "rejected_key")


def test_without_any_key(run, sandbox):
    assert code(run("route", "call", DETAIL, f"aweme_id={WORK}", TIKOMNI_API_KEY=None)) == (2, "missing_key")


# --- Content Insight


@pytest.fixture
def insight(machine, sandbox):
    """A user who has an account of Content Insight alone."""
    machine.variables |= {
        "TIKOMNI_API_KEY": None,
        "TIKOMNI_INSIGHT_BIZ_NAME": sandbox.insight.name,
        "TIKOMNI_INSIGHT_BIZ_SECRET": sandbox.insight.secret,
        "TIKOMNI_INSIGHT_BASE_URL": sandbox.base_url,
    }
    return machine


def query(run, origin_id: str, *words: str, **variables):
    return run("route", "call", QUERY, f"origin_id={origin_id}", *words, **variables)


def test_a_work_by_insight_is_asked_with_a_token_and_paid_for_once(insight, run, sandbox):
    ran = query(run, links["dy_video"].id, "--select", "data.feature.asr")
    assert (ran.exit_status, ran.document["result"]["provider"]) == (0, "insight")
    assert "空调不制冷" in ran.document["result"]["selection"]
    assert ran.document["cost"] | {"asr_seconds": 0} == {
        "calls": 1, "billed_calls": 1, "cached_calls": 0, "asr_seconds": 0, "estimated_usd": None,
        "unpriced": ["insight"],
    }  # fmt: skip
    # The stand-in refuses a query that carries the secret.
    assert [seen.route for seen in sandbox.requests] == ["sandbox.oauth", QUERY]
    again = query(run, links["dy_video"].id)
    assert (again.document["cost"]["calls"], again.document["cost"]["cached_calls"]) == (0, 1)
    assert len(sandbox.requests) == 2 and sandbox.bill.billed_calls == 1


@pytest.mark.parametrize(
    ("origin_id", "expected"),
    [
        ("7000000000000000000", "not_found"),
        (links["dy_deleted"].id, "gone"),
        (links["dy_old"].id, "rejected_input"),
    ],
)
def test_the_refusals_of_insight_are_told_apart_and_free(insight, run, sandbox, origin_id, expected):
    ran = query(run, origin_id)
    assert code(ran) == (1, expected)
    assert ran.document["cost"]["billed_calls"] == 0 and ran.document["cost"]["estimated_usd"] == 0
    assert sandbox.bill.billed_calls == 0


def test_a_wrong_secret(insight, run, sandbox):
    ran = query(run, links["dy_video"].id, TIKOMNI_INSIGHT_BIZ_SECRET="wrong-but-real-looking-1")
    assert code(ran) == (2, "rejected_key") and "Insight" in ran.document["error"]["message"]
    assert [seen.route for seen in sandbox.requests] == ["sandbox.oauth"]


@pytest.mark.parametrize("lacking", ["TIKOMNI_INSIGHT_BIZ_NAME", "TIKOMNI_INSIGHT_BIZ_SECRET"])
def test_without_an_account_of_insight(insight, run, sandbox, lacking):
    ran = query(run, links["dy_video"].id, **{lacking: None})
    assert code(ran) == (2, "missing_key") and lacking in ran.document["error"]["message"]
    assert lacking in ran.document["error"]["hint"]
    assert not sandbox.requests


def test_neither_secret_nor_token_is_written(insight, run, sandbox):
    query(run, links["dy_video"].id)
    [token] = sandbox.insight._tokens
    for root in (insight.home, insight.cwd):
        for path in (p for p in root.rglob("*") if p.is_file()):
            data = path.read_bytes()
            assert token.encode() not in data and sandbox.insight.secret.encode() not in data, path


def test_a_token_that_was_ended_early_is_renewed_once(insight, run, sandbox):
    sandbox.faults.add(QUERY, "status", status=401, times=1)
    assert query(run, links["dy_video"].id).exit_status == 0
    assert [seen.route for seen in sandbox.requests].count("sandbox.oauth") == 2
    sandbox.faults.add(QUERY, "status", status=401, times=None)
    assert code(query(run, links["dy_repair_01"].id)) == (2, "rejected_key")
    assert len(sandbox.requests) == 4 + 4


@pytest.fixture
def provider(sandbox):
    """Content Insight as a run meets it, without the process around it."""
    environ = {
        "TIKOMNI_INSIGHT_BIZ_NAME": sandbox.insight.name,
        "TIKOMNI_INSIGHT_BIZ_SECRET": sandbox.insight.secret,
        "TIKOMNI_INSIGHT_BASE_URL": sandbox.base_url,
    }
    return Providers(load(environ=environ)).of(catalog.get(QUERY))


def test_a_token_is_asked_for_once_by_many_and_again_before_it_ends(provider, sandbox, monkeypatch):
    async def several(transport: Transport) -> set[str]:
        asked = await asyncio.gather(*(provider.headers(transport) for _ in range(5)))
        assert all("X-Insight-Biz-Secret" not in headers for headers in asked)
        return {headers["X-Insight-Access-Token"] for headers in asked}

    async def live() -> None:
        started, monotonic = time.time(), time.monotonic
        async with Transport("test", "en", 5) as transport:
            first = await several(transport)
            assert len(first) == 1 and len(sandbox.requests) == 1
            for passed, tokens in ((5000, first), (5500, None)):
                monkeypatch.setattr(time, "monotonic", lambda passed=passed: monotonic() + passed)
                monkeypatch.setattr(sandbox.insight, "now", lambda passed=passed: started + passed)
                later = await several(transport)
                assert len(later) == 1 and (later == first) == (tokens == first)
            assert len(sandbox.requests) == 2

    asyncio.run(live())
