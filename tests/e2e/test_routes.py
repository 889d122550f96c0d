"""One route at a time: by id, by method and path, with checked inputs, and never beyond what was allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import links

DETAIL = "douyin.app.v3.fetch_one_video"
WORK = links["dy_pictures"].id


def test_a_large_answer_is_saved_and_outlined(run):
    ran = run("route", "call", DETAIL, f"aweme_id={WORK}", "--select", "data.aweme_detail.statistics.digg_count")
    result = ran.document["result"]
    saved = json.loads(Path(result["saved_to"]).read_text("utf-8"))
    assert result["selection"] == saved["data"]["aweme_detail"]["statistics"]["digg_count"]
    assert result["bytes"] == Path(result["saved_to"]).stat().st_size and "data" in result["outline"]
    assert tokens(ran.stdout) <= TOKEN_BUDGET


def test_inputs_may_stand_after_flags(run):
    ran = run("route", "call", DETAIL, "--progress", "none", "--dry-run", f"aweme_id={WORK}")
    assert ran.document["result"]["request"]["query"] == [["aweme_id", WORK]]


def test_by_method_and_path_is_the_same_call(run, sandbox):
    run("route", "call", DETAIL, f"aweme_id={WORK}")
    again = run(
        "route",
        "call",
        "GET",
        "/api/u1/v1/douyin/app/v3/fetch_one_video",
        "--params-json",
        json.dumps({"aweme_id": WORK}),
    )
    assert again.document["cost"]["calls"] == 0 and sandbox.bill.billed_calls == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["douyin.app.v3.fetch_one_vide", "aweme_id=1"], "unknown_route"),
        (["GET", "/api/u1/v1/account/info"], "unknown_route"),
        (["POST", "/api/u1/v1/douyin/app/v3/fetch_one_video", "aweme_id=1"], "unknown_route"),
        ([DETAIL], "invalid_input"),
        ([DETAIL, "aweme=1"], "invalid_input"),
        ([DETAIL, "aweme_id=1", "--select", "data.["], "invalid_input"),
        ([DETAIL, "--params-json", "{broken"], "invalid_input"),
        ([DETAIL, "aweme_id"], "usage"),
        ([DETAIL, "aweme_id=1", "aweme_id=2"], "usage"),
        ([DETAIL, "aweme_id=1", "--pages", "²"], "usage"),
    ],
)
def test_what_is_wrong_is_refused_before_sending(run, asked, words, code):
    ran = run("route", "call", *words)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, code)
    assert asked() == []


def test_a_selection_that_does_not_fit_the_answer_costs_no_second_call(run, sandbox):
    ran = run("route", "call", DETAIL, f"aweme_id={WORK}", "--select", "sum(data.aweme_detail.desc)")
    error = ran.document["error"]
    assert (ran.exit_status, error["code"]) == (2, "invalid_input") and "sum()" in error["message"]
    assert "袜子" not in ran.stdout  # what strangers wrote is no part of an error's message
    assert run("route", "call", DETAIL, f"aweme_id={WORK}", "--select", "data.aweme_detail.desc").exit_status == 0
    assert sandbox.bill.billed_calls == 1


def test_an_upstream_that_knows_no_such_thing_is_a_failure_and_no_data_is_an_answer(run, sandbox):
    sandbox.faults.add(DETAIL, "status", status=404, times=None)
    lost = run("route", "call", DETAIL, f"aweme_id={WORK}")
    assert (lost.exit_status, lost.document["error"]["code"]) == (1, "not_found")
    sandbox.faults.reset()
    sandbox.faults.add(DETAIL, "error_code", code=200)
    nothing = run("route", "call", DETAIL, f"aweme_id={WORK}").document
    assert nothing["status"] == "complete" and "no data" in nothing["warnings"][0]


def test_effects_beyond_reading_need_the_users_word(run, asked):
    upload = {"provider": "oss", "file_name": "a.mp4", "content_type": "video/mp4", "size_bytes": 1}
    refused = run("route", "call", "u3.uploads", "--params-json", json.dumps(upload))
    assert (refused.exit_status, refused.document["error"]["code"]) == (4, "effect_refused")
    inflating = run(
        "route", "call", "douyin.app.v3.add_video_play_count", "aweme_type=0", f"item_id={WORK}", "--allow", "write"
    )
    assert (inflating.exit_status, inflating.document["error"]["code"]) == (4, "effect_refused")
    assert asked() == []


def test_a_header_given_by_hand_never_replaces_the_key(run, sandbox):
    run(
        "route",
        "call",
        DETAIL,
        f"aweme_id={WORK}",
        "--headers-json",
        json.dumps({"authorization": "Bearer other", "host": "evil"}),
    )
    assert {seen.key for seen in sandbox.requests} == {sandbox.key}


def test_bodies_that_are_bare_arrays(run, sandbox):
    ran = run("route", "call", "douyin.app.v3.fetch_multi_video", "--body-json", json.dumps([WORK]))
    assert ran.document["ok"], ran.document
    assert sandbox.bill.billed_calls == 1


def test_the_auth_check_is_free_and_honest(run, sandbox):
    free = run("auth").document
    assert free["result"]["key"] == "not_refused" and "billed" in free["result"]["proves"]
    assert sandbox.bill.billed_calls == 0
    assert run("auth", "--billed").document["result"]["key"] == "accepted" and sandbox.bill.billed_calls == 1
    assert (
        run("auth", "--billed", TIKOMNI_API_KEY="sk-wrong-but-real-looking-1").document["error"]["code"]
        == "rejected_key"
    )
