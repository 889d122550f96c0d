"""The document on stdout: small, marked, and never cut into something that reads as whole."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tikomni.envelope import TOKEN_BUDGET, Cost, Next, Outcome, dump, envelope, failure, tokens
from tikomni.errors import CODES, InputError, Interrupted

texts = st.text(max_size=3000)
documents = st.recursive(
    st.none() | st.integers() | st.booleans() | texts,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(min_size=1, max_size=20), inner, max_size=12),
    max_leaves=60,
)


def printed(outcome):
    return json.loads(dump(envelope("work", outcome), pretty=False))


def test_tokens_count_chinese_by_character_and_the_rest_by_four():
    assert tokens("你好吗") == 3
    assert tokens("abcdefgh") == 2
    assert tokens("你a") == 2


def test_a_long_chinese_work_fits_the_budget_and_says_what_was_cut():
    words = "这是一段很长的口播文稿。" * 400
    work = {
        "title": "标题",
        "caption_raw": words,
        "primary_text": words,
        "digg_count": 0,
        "play_count": None,
        "transcript": {"raw": words, "clean": words, "segments": [{"text": "甲"}] * 900},
        "image_urls": [f"https://example.com/{i}" for i in range(40)],
        "field_sources": {"a": "b"},
    }
    document = printed(Outcome(result={"work": work}))
    assert tokens(json.dumps(document, ensure_ascii=False)) <= TOKEN_BUDGET
    shown = document["result"]["work"]
    assert shown["caption_raw"].endswith("…") and shown["caption_raw_chars"] == len(words)
    assert "segments" not in shown["transcript"] and "field_sources" not in shown
    assert shown["image_urls_count"] == 40
    assert (shown["digg_count"], shown["play_count"]) == (0, None)
    assert {"result.work.caption_raw", "result.work.title", "result.work.transcript.raw"} <= set(document["untrusted"])


def test_full_prints_everything():
    document = printed(Outcome(result={"work": {"caption_raw": "长" * 5000, "segments": [1]}}, full=True))
    assert len(document["result"]["work"]["caption_raw"]) == 5000
    assert document["result"]["work"]["segments"] == [1]


@given(st.dictionaries(st.sampled_from(["work", "works", "data", "selection", "title"]), documents, max_size=4))
def test_whatever_the_result_the_document_is_json_and_members_keep_their_types(result):
    document = printed(Outcome(result=result))
    assert document["ok"] is True and document["status"] == "complete"


def test_unknown_is_null_and_none_is_an_empty_list_inside_a_result():
    document = printed(Outcome(result={"work": {"title": None, "topics": []}, "missing": []}))
    assert document["result"] == {"work": {"title": None, "topics": []}, "missing": []}


def test_empty_members_of_the_envelope_are_left_out():
    assert printed(Outcome()) == {"ok": True, "command": "work", "status": "complete"}


def test_failures_carry_a_code_a_hint_and_the_command_that_mends_it():
    error = InputError("other_kind", "That is a profile.", next_command="python3 x.py")
    document = printed(failure(error))
    assert document["ok"] is False and document["status"] == "failed"
    assert document["error"]["code"] == "other_kind" and document["error"]["hint"]
    assert document["next"][0]["command"] == "python3 x.py"


def test_every_code_has_hints_in_both_languages_and_a_documented_exit_status():
    for code, spec in CODES.items():
        assert spec.hint and spec.hint_zh, code
        assert spec.exit_status in (1, 2, 4, 130), code


def test_exit_statuses():
    assert Outcome().exit_status == 0
    assert Outcome(status="partial").exit_status == Outcome(status="incomplete").exit_status == 3
    assert failure(InputError("usage", "x")).exit_status == 2
    assert Outcome(status="partial", error=Interrupted()).exit_status == 130


def test_costs_without_a_price_say_so():
    cost = Cost(calls=3, billed_calls=2, asr_seconds=41.0, estimated_usd=None, unpriced=("asr",))
    assert printed(Outcome(cost=cost))["cost"] == {
        "calls": 3,
        "billed_calls": 2,
        "cached_calls": 0,
        "asr_seconds": 41,
        "estimated_usd": None,
        "unpriced": ["asr"],
    }


def test_next_keeps_its_command_whole():
    command = "python3 /somewhere/analyze_work.py " + "x" * 900
    document = printed(Outcome(result={"text": "长" * 9000}, next=(Next(command, "goes on", 20),)))
    assert document["next"] == [{"command": command, "why": "goes on", "wait_s": 20}]


def test_lone_surrogates_can_be_printed():
    assert json.loads(dump({"a": "x\ud800"}, pretty=False).encode("utf-8"))["a"].startswith("x")


def test_texts_of_lists_are_cut_too_but_for_paths_and_commands():
    path = "/a" * 600
    result = {"texts": ["x" * 9000, path], "command": "y" * 600, "rows": [{"tags": ["z" * 9000]}]}
    shown = envelope("work", Outcome(result=result))["result"]
    assert len(shown["texts"][0]) < 1000 and (shown["texts"][1], shown["command"]) == (path, "y" * 600)
    assert tokens(json.dumps(shown)) <= TOKEN_BUDGET


def test_links_that_alone_would_flood_the_agent_are_cut_and_say_so():
    link = "https://cdn.example/" + "x" * 8000
    shown = envelope("work", Outcome(result={"work": {"cover_image": link, "play_url": link, "title": "t"}}))
    assert tokens(json.dumps(shown, ensure_ascii=False)) <= TOKEN_BUDGET
    assert shown["result"]["work"]["play_url_chars"] == len(link)
    one = envelope("work", Outcome(result={"work": {"cover_image": link[:3000], "title": "t" * 9000}}))
    assert one["result"]["work"]["cover_image"] == link[:3000]
