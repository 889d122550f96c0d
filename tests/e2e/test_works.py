"""The main job, from pasted text to card, as a user meets it: real processes against an upstream on this machine."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from tikomni.cards.document import validate
from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import SAMPLES, links

SUBMIT = "u2.services.audio.asr.transcription"
DETAIL = "douyin.app.v3.fetch_one_video"


@pytest.fixture(autouse=True)
def looks_often(machine):
    """A finished job is seen at once."""
    machine.variables["TIKOMNI_ASR_POLL_INTERVAL_SEC"] = "0.1"


def work(name: str) -> str:
    return links[name].url


def front_matter(card: str) -> dict:
    return yaml.safe_load(Path(card).read_text(encoding="utf-8").split("---\n")[1])


def test_a_spoken_video_becomes_facts_words_document_and_card(run, sandbox):
    ran = run("work", links["dy_video"].text)
    document = ran.document
    assert (ran.exit_status, document["ok"], document["status"]) == (0, True, "complete")
    found = document["result"]["work"]
    assert found["platform_work_id"] == links["dy_video"].id
    assert found["media_kind"] == "video" and found["duration_ms"] == 42180 and found["play_count"] is None
    assert found["transcript"]["source"] == "asr" and found["primary_text_source"] == "transcript_clean"
    assert document["cost"]["asr_seconds"] == sandbox.bill.asr_seconds == 43
    assert document["cost"]["unpriced"] == ["asr"] and document["cost"]["estimated_usd"] is None
    stored = json.loads(Path(document["result"]["card"]["json_path"]).read_text(encoding="utf-8"))
    validate(stored)
    assert stored["transcript"]["raw"].count("\n") + 1 == len(stored["transcript"]["segments"])
    facts = front_matter(document["result"]["card"]["path"])
    assert facts["platform_work_id"] == links["dy_video"].id and facts["play_count"] is None
    assert tokens(ran.stdout) <= TOKEN_BUDGET


def test_the_same_command_from_another_folder_pays_nothing(run, sandbox, tmp_path, asked):
    first = run("work", work("dy_video")).document
    bill = sandbox.bill.as_dict()
    other = tmp_path / "elsewhere"
    other.mkdir()
    second = run("work", work("dy_video"), cwd=other).document
    assert sandbox.bill.as_dict() == bill
    assert (second["cost"]["calls"], second["cost"]["cached_calls"], second["status"]) == (0, 1, "complete")
    assert second["result"]["work"]["primary_text"] == first["result"]["work"]["primary_text"]
    assert second["result"]["card"]["path"].startswith(str(other))
    assert asked().count(SUBMIT) == 1


def test_what_is_known_is_not_lost_to_a_run_that_asks_for_less(run):
    words = run("work", work("dy_video")).document["result"]["work"]["primary_text"]
    again = run("work", work("dy_video"), "--no-transcript").document["result"]["work"]
    assert again["primary_text"] == words


def test_facts_from_the_ledger_carry_the_time_at_which_they_were_true(run, tmp_path):
    state = tmp_path / "state"
    first = run("work", work("dy_pictures"), TIKOMNI_STATE_DIR=str(state)).document["result"]["work"]
    with sqlite3.connect(state / "ledger.sqlite3") as ledger:
        ledger.execute("UPDATE calls SET done_at = done_at - 3600")
    again = run("work", work("dy_pictures"), TIKOMNI_STATE_DIR=str(state)).document["result"]["work"]
    earlier, later = (datetime.fromisoformat(w["snapshot_at"]) for w in (again, first))
    assert 3599 <= (later - earlier).total_seconds() <= 3601


def test_fresh_asks_for_the_facts_anew_and_never_pays_for_the_same_words_twice(run, sandbox, asked):
    run("work", work("dy_video"))
    again = run("work", work("dy_video"), "--fresh").document
    assert again["status"] == "complete" and again["cost"]["billed_calls"] == 1
    assert asked().count(DETAIL) == 2 and sandbox.bill.submissions == 1


def test_another_account_or_upstream_shares_no_answer(run, sandbox, machine, monkeypatch):
    run("work", work("dy_pictures"))
    monkeypatch.setattr(sandbox, "keys", (*sandbox.keys, "another-key-77aa55"))
    other = run("work", work("dy_pictures"), TIKOMNI_API_KEY="another-key-77aa55").document
    assert other["cost"]["billed_calls"] == 1


def test_a_text_mode_or_picture_post_is_no_video_and_its_music_no_words(run, asked, sandbox):
    for name in ("dy_pictures", "dy_live_photos", "dy_article", "dy_text_mode"):
        found = run("work", work(name)).document["result"]["work"]
        assert found["media_kind"] != "video" and found["video_download_url"] is None, name
        assert found["transcript"] is None and found["primary_text_source"] == "caption_raw", name
    assert SUBMIT not in asked()


def test_pictures_are_stored_once_and_shown_in_the_card(run, sandbox):
    document = run("work", work("dy_pictures"), "--images", "2").document
    card = Path(document["result"]["card"]["path"])
    root = next(p for p in card.parents if p.name == "cards")
    stored = sorted(p.name for p in (root / "_assets").rglob("*.*"))
    assert len([n for n in stored if n.startswith("0")]) == 2
    cover = front_matter(str(card))["cover"].strip("[]")
    assert (root / cover).is_file()
    fetched = sum(1 for s in sandbox.requests if s.route == "sandbox.media")
    run("work", work("dy_pictures"), "--images", "2")
    assert sum(1 for s in sandbox.requests if s.route == "sandbox.media") == fetched


def test_subtitles_of_the_platform_come_before_speech_recognition(run, asked):
    found = run("work", links["xhs_subtitled"].text).document["result"]["work"]
    assert found["transcript"]["source"] == "subtitles" and found["transcript"]["cost_seconds"] is None
    assert SUBMIT not in asked()


def test_several_works_in_one_pasted_text_make_one_speech_job(run, sandbox):
    text = "\n".join(["看看这几个：", work("dy_video"), links["xhs_video"].text, work("dy_pictures"), work("dy_video")])
    document = run("work", "--from", "-", stdin=text).document
    assert document["status"] == "complete"
    assert [row["platform"] for row in document["result"]["works"]] == ["douyin", "xiaohongshu", "douyin"]
    assert sandbox.bill.submissions == 1 and len(sandbox.bill.seconds_by_file) == 2


def test_inputs_of_a_file(run, tmp_path):
    file = tmp_path / "links.txt"
    file.write_text(f"{links['dy_pictures'].id}\n{work('xhs_pictures')}\n", encoding="utf-8")
    assert len(run("work", "--from", str(file)).document["result"]["works"]) == 2


@pytest.mark.parametrize("name", ["dy_deleted", "dy_private", "dy_partly_visible", "xhs_deleted"])
def test_works_that_are_gone_say_so(run, name):
    ran = run("work", work(name))
    assert (ran.exit_status, ran.document["error"]["code"]) == (1, "gone")
    again = run("work", work(name)).document
    assert (again["error"]["code"], again["cost"]["calls"]) == ("gone", 0)


def test_an_empty_app_answer_goes_on_to_the_web_route_and_is_not_asked_for_again(run, asked):
    for _ in range(2):
        assert run("work", work("dy_app_empty"), "--no-transcript").document["status"] == "complete"
        assert asked() == [DETAIL, "douyin.web.fetch_one_video"]


def test_a_failing_route_costs_nothing_once_another_has_answered(run, sandbox):
    sandbox.faults.add(DETAIL, "broken")
    assert run("work", work("dy_video"), "--no-transcript").document["status"] == "complete"
    bill = sandbox.bill.as_dict()
    again = run("work", work("dy_video"), "--no-transcript").document
    assert (again["status"], again["cost"]["calls"]) == ("complete", 0) and sandbox.bill.as_dict() == bill


def test_a_short_clip_is_told_as_what_it_is(run):
    ran = run("work", work("dy_clip"))
    assert (ran.exit_status, ran.document["status"]) == (3, "incomplete")
    assert ran.document["result"]["work"]["duration_ms"] == 9500
    reasons = {row["field"]: row["reason"] for row in ran.document["result"]["missing"]}
    assert reasons == {"primary_text": "duration_too_short"}


def test_dates_are_the_display_zones_whatever_the_host_says(run):
    both = (work("dy_before_midnight"), work("dy_after_midnight"))
    for zone in ("America/Los_Angeles", "Pacific/Kiritimati"):
        rows = run("work", *both, "--no-transcript", TZ=zone).document["result"]["works"]
        documents = [json.loads(Path(row["json_path"]).read_text("utf-8")) for row in rows]
        assert [d["published_date"] for d in documents] == ["2026-09-30", "2026-10-01"]


def test_counts_as_text_are_marked(run):
    found = run("work", work("dy_text_counts"), "--no-transcript").document["result"]["work"]
    assert found["digg_count"] == 100_000 and found["approximate"]["digg_count"] == "at_least"


def test_facts_without_words_are_complete_when_words_were_not_asked_for(run, asked):
    document = run("work", work("dy_video"), "--no-transcript", "--no-card").document
    assert document["status"] == "complete" and document["result"]["card"]["path"] is None
    assert asked() == [DETAIL]


def test_a_dry_run_sends_nothing_and_tells_the_price(run, asked):
    document = run("work", work("dy_video"), "--dry-run", TIKOMNI_API_KEY=None).document
    assert document["result"]["usd_at_least"] == 0.001 and document["result"]["plan"][0]["routes"][0] == DETAIL
    assert asked() == []


@pytest.mark.parametrize("name", ["repair", "kitchen"])
def test_a_profile_costs_nothing_and_gets_the_command_that_reads_it(run, asked, name):
    ran = run("work", links[name].url)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "other_kind")
    assert asked() == []
    command = ran.document["next"][0]["command"]
    assert "analyze_creator.py" in command and links[name].url in command


def test_a_link_of_another_platform_gets_its_route(run, asked):
    ran = run("work", "https://www.tiktok.com/@someone/video/7300000000000000001")
    assert ran.exit_status == 2 and asked() == []
    assert "tiktok." in ran.document["next"][0]["command"]


@pytest.mark.parametrize("text", ["https://evil.example/video/7300000000000000001", "https://www.douyin.com@evil.example/video/1",
                                  "https://xhslink.com.evil.example/a/b", "没有链接的一句话"])  # fmt: skip
def test_foreign_hosts_and_plain_words_are_refused_before_any_call(run, asked, text):
    ran = run("work", text)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "unsupported_link")
    assert asked() == []


def test_one_bad_link_among_good_ones_keeps_the_good_ones(run):
    ran = run("work", work("dy_pictures"), work("dy_deleted"), links["repair"].url)
    assert (ran.exit_status, ran.document["status"]) == (3, "partial")
    assert [row["status"] for row in ran.document["result"]["works"]] == ["complete", "failed"]
    assert [(row["field"], row["reason"]) for row in ran.document["result"]["missing"]] == [
        ("work", "gone"),
        ("input", "other_kind"),
    ]
    assert ran.document["next"]


def test_two_links_of_one_work_are_one_work(run, asked):
    number = links["dy_pictures"].id
    document = run("work", work("dy_pictures"), f"https://www.douyin.com/jingxuan?modal_id={number}").document
    assert len(document["result"]["works"]) == 1 and asked() == [DETAIL]


def test_a_short_link_that_is_no_work_says_what_it_may_be(run):
    ran = run("work", links["dy_collection"].short)
    assert (ran.exit_status, ran.document["error"]["code"]) == (1, "not_found")
    assert "collection" in ran.document["error"]["hint"]


def test_cards_can_be_made_again_without_a_call_and_keep_the_users_words(run, asked, sandbox, tmp_path):
    document = run("work", work("xhs_pictures")).document
    card = Path(document["result"]["card"]["path"])
    with card.open("a", encoding="utf-8") as file:
        file.write("我的想法：值得再看。\n")
    sandbox.reset()
    again = run("render", links["xhs_pictures"].id, "--language", "en").document
    assert again["result"]["cards"] == [str(card)] and asked() == []
    text = card.read_text(encoding="utf-8")
    assert text.rstrip().endswith("我的想法：值得再看。") and "Xiaohongshu" in text


def test_strangers_words_are_marked_as_data(run):
    document = run("work", work("dy_injection"), "--no-transcript").document
    assert {"result.work.caption_raw", "result.work.author_name", "result.works[].title"} <= set(document["untrusted"])


def test_the_demo_runs_without_a_key(run, tmp_path, sandbox):
    ran = run("demo", TIKOMNI_API_KEY=None, TIKOMNI_BASE_URL=None)
    assert (ran.exit_status, ran.document["status"]) == (0, "complete")
    assert len(ran.document["result"]["cards"]) == len(SAMPLES) == 3
    assert all(Path(card).is_file() for card in ran.document["result"]["cards"])
