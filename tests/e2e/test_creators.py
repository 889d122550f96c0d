"""One creator in, the whole picture out: profile, works, words, figures, cards, tables, report; paid for once."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import links
from tikomni.sandbox.world import crowd, douyin

PROFILE = "douyin.app.v3.handler_user_profile"
POSTS = "douyin.app.v3.fetch_user_post_videos"
SUBMIT = "u2.services.audio.asr.transcription"
NOTES = "xiaohongshu.app_v2.get_user_posted_notes"


def rows(ran) -> list[dict]:
    path = Path(ran.document["result"]["run_path"]).with_name("works.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_profile_becomes_facts_figures_words_cards_and_a_report(run, sandbox):
    ran = run("creator", links["dy_20"].url)
    document = ran.document
    assert (ran.exit_status, document["status"]) == (0, "complete")
    result = document["result"]
    assert result["creator"]["platform_author_id"] == links["dy_20"].id
    assert result["collection"]["stop_reason"] == "no_more"
    works = rows(ran)
    assert len(works) == result["collection"]["fetched"] == result["figures"]["works"]
    spoken = [w for w in works if w["work_modality"] == "video" and w["transcript"]]
    assert spoken and all(w["primary_text_source"] == "transcript_clean" for w in spoken)
    paths = result["paths"]
    page = Path(paths["report"]).read_text("utf-8")
    assert "Content-Security-Policy" in page and result["creator"]["author_name"] in page
    assert len(list(Path(paths["work_cards"]).glob("*.md"))) == len(works)
    card = Path(paths["creator_card"]).read_text("utf-8")
    assert result["top"][0]["platform_work_id"] in card and "type: creator" in card
    assert len(result["top"]) == 5 and sandbox.bill.submissions == 1


def test_everything_that_a_profile_lists_is_asked_for_once(run, machine, sandbox, asked):
    first = run("creator", links["dy_20"].url)
    bill = sandbox.bill.as_dict()
    again = run("creator", links["dy_20"].url, cwd=machine.home)
    assert again.document["cost"].get("billed_calls", 0) == 0 and sandbox.bill.as_dict() == bill
    assert again.document["result"]["figures"] == first.document["result"]["figures"]
    assert asked().count(PROFILE) == asked().count(POSTS) == 1


@pytest.mark.parametrize("form", [f for f in ("url", "short", "text") if getattr(links["repair"], f)])
def test_a_profile_is_known_by_any_link(run, form):
    ran = run("creator", getattr(links["repair"], form), "--no-transcripts")
    assert ran.document["result"]["creator"]["platform_author_id"] == links["repair"].id


def test_a_handle_that_nobody_bears_costs_no_further_call(run, asked):
    ran = run("creator", "nobody_bears_this_handle", "--platform", "douyin")
    assert (ran.exit_status, ran.document["status"]) == (1, "failed")
    assert ran.document["error"]["code"] in ("not_found", "gone") and POSTS not in asked()


def test_without_words_the_result_is_whole_and_costs_no_speech(run, sandbox):
    ran = run("creator", links["dy_60"].url, "--no-transcripts")
    assert ran.document["status"] == "complete" and sandbox.bill.submissions == 0
    assert ran.document["result"]["figures"]["median_interactions"]["value"] > 0


def test_what_lists_cut_is_never_main_text_and_details_are_bounded(run, sandbox, asked):
    ran = run("creator", links["xhs_60"].url, "--detail", "none", "--no-transcripts")
    works = rows(ran)
    cut = [w for w in works if "caption_raw" in w["partial"]]
    assert cut and all(w["primary_text"] is None for w in cut)
    assert {route for route in asked() if "detail" in route} == set()
    run("creator", links["xhs_60"].url, "--no-transcripts")
    assert 0 < sum("detail" in route for route in asked()) <= 80


def test_another_window_of_what_is_stored_costs_nothing(run, asked):
    run("creator", links["dy_3"].url, "--no-transcripts")
    before = len(asked())
    for words in (["--works", "2"], ["--since", "900d", "--detail", "all"]):
        assert run("creator", links["dy_3"].url, "--no-transcripts", *words).document["status"] == "complete"
    assert len(asked()) == before


def test_a_note_is_asked_for_where_notes_of_its_kind_are(run, asked):
    ran = run("creator", links["xhs_60"].url, "--no-transcripts", "--detail", "all", "--works", "12")
    videos = sum(work["media_kind"] == "video" for work in rows(ran))
    routes = [route.rpartition(".")[2] for route in asked()]
    assert routes.count("get_video_note_detail") <= videos < 12 and routes.count("get_image_note_detail") > 0


@pytest.mark.parametrize(("words", "subtitled"), [([], 1), (["--detail", "none"], 0)])
def test_a_works_own_answer_may_spare_its_speech(run, sandbox, asked, words, subtitled):
    """Lists carry no subtitles. Where the answer is not to be asked for, the list's clip is heard."""
    works = rows(run("creator", links["kitchen"].url, *words))
    sources = [work["transcript"]["source"] for work in works if work["transcript"]]
    assert (sources.count("subtitles"), len(sources)) == (subtitled, 12)
    assert len(sandbox.bill.seconds_by_file) == 12 - subtitled
    assert any("video_note_detail" in route for route in asked()) == bool(subtitled)


def test_a_work_whose_speech_is_paid_for_is_not_asked_for_alone(run, sandbox, asked):
    sandbox.faults.add(SUBMIT, "asr", times=1, polls=10)
    late = run(
        "creator", links["kitchen"].url, "--detail", "none", "--deadline", "5", TIKOMNI_ASR_POLL_INTERVAL_SEC="2"
    )
    assert late.document["status"] == "partial" and sandbox.bill.submissions == 1
    again = run("creator", links["kitchen"].url)
    assert again.document["status"] == "complete" and sandbox.bill.submissions == 1
    assert not any("video_note_detail" in route for route in asked())


def test_counts_that_a_list_lacks_are_asked_for_when_all_details_are(run, sandbox):
    for route in (NOTES, "xiaohongshu.app.get_user_notes", "xiaohongshu.web_v2.fetch_home_notes_app"):
        sandbox.faults.add(route, "status", times=None, status=404)
    words = ("creator", links["xhs_20"].url, "--no-transcripts", "--works", "12")
    told = run(*words)
    assert not any(work["comment_count"] for work in rows(told))
    assert any("for 12 works" in warning and "12 calls" in warning for warning in told.document["warnings"])
    assert all(
        work["comment_count"] is not None and work["published_at"] for work in rows(run(*words, "--detail", "all"))
    )


def test_a_number_of_works_and_dates_bound_the_walk(run, asked):
    ran = run("creator", links["dy_200"].url, "--works", "30", "--no-transcripts")
    assert ran.document["result"]["collection"] == {
        "requested": 30, "fetched": 30, "stop_reason": "most", "pages": 2,
    }  # fmt: skip
    late = run("creator", links["dy_200"].url, "--works", "all", "--since", "30d", "--no-transcripts")
    found = rows(late)
    assert found and late.document["result"]["collection"]["stop_reason"] == "since"
    assert late.document["status"] == "complete" and asked().count(POSTS) < 12


def test_a_dry_run_asks_nothing_and_tells_each_choices_price(run, asked):
    ran = run("creator", links["xhs_60"].url, "--dry-run")
    [plan] = ran.document["result"]["plan"]
    assert asked() == [] and plan["detail_calls_at_most"] == {"none": 0, "sample": 80, "all": 200}
    [silent] = run("creator", links["xhs_60"].url, "--dry-run", "--no-transcripts").document["result"]["plan"]
    assert silent["detail_calls_at_most"]["sample"] == 60
    assert plan["usd_per_detail_call"] > 0 and plan["list_route"] == NOTES
    usd = plan["usd_at_most"]
    assert usd["none"] < usd["sample"] < usd["all"] == pytest.approx(0.001 * (1 + plan["list_calls_at_most"] + 200))


def test_a_dry_run_tells_what_is_billed_then(run):
    words = ("creator", links["dy_60"].url, "--works", "60", "--with", "plays", "--no-transcripts")
    [plan] = run(*words, "--dry-run").document["result"]["plan"]
    cost = run(*words).document["cost"]
    assert cost["billed_calls"] == plan["profile_calls"] + plan["list_calls_at_most"] + plan["plays_calls_at_most"]
    assert cost["estimated_usd"] == pytest.approx(plan["usd_at_most"]["none"])


def test_plays_are_bought_only_when_asked_for(run, asked, another_second):
    run("creator", links["dy_20"].url, "--no-transcripts")
    assert not any("statistics" in route for route in asked())
    ran = run("creator", links["dy_20"].url, "--no-transcripts", "--with", "plays")
    assert any("statistics" in route for route in asked())
    assert any(w["play_count"] for w in rows(ran))
    assert ran.document["result"]["figures"]["engagement_rate"]["value"] is not None
    paid = sum("statistics" in route for route in asked())
    another_second()
    crowd.advance(2)
    words = ("creator", links["dy_20"].url, "--no-transcripts", "--with", "plays")
    later = run(*words, TIKOMNI_SHELF_LISTS_SEC="0")
    assert sum(bool(w["play_count"]) for w in rows(later)) == 22
    assert sum("statistics" in route for route in asked()) == paid + 1  # for the two new ones


@pytest.mark.parametrize("name", ["dy_0", "dy_1", "dy_3", "xhs_0", "xhs_1", "xhs_3"])
def test_few_works_are_a_whole_result(run, name):
    ran = run("creator", links[name].url)
    assert ran.document["ok"] and ran.document["result"]["figures"]["works"] <= 3
    assert ran.document["result"]["figures"]["outlier_rate"]["value"] is None
    assert Path(ran.document["result"]["paths"]["report"]).is_file()


@pytest.mark.parametrize("name", ["dy_closed", "xhs_closed"])
def test_a_closed_account_is_a_failure_and_no_card(run, machine, name):
    ran = run("creator", links[name].url)
    assert (ran.exit_status, ran.document["error"]["code"]) == (1, "gone")
    assert not list((machine.cwd / "tikomni-output" / "cards").rglob("*.md"))


def test_a_rejected_key_is_a_failure_and_no_card(run, machine):
    ran = run("creator", links["dy_20"].url, TIKOMNI_API_KEY="sk-wrong-but-real-looking-1")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "rejected_key")
    assert not list(machine.cwd.rglob("*.md"))


def test_a_page_that_fails_keeps_what_came_before_and_the_next_run_goes_on(run, sandbox, asked):
    for route in (POSTS, "douyin.web.fetch_user_post_videos"):
        sandbox.faults.add(route, "status", times=None, skip=1 if route == POSTS else 0, status=500)
    first = run("creator", links["dy_60"].url, "--no-transcripts", TIKOMNI_TIMEOUT_RETRY_MAX="0")
    assert (first.exit_status, first.document["status"]) == (3, "partial")
    assert first.document["result"]["collection"]["fetched"] == 20
    assert first.document["result"]["missing"][0]["field"] == "works"
    sandbox.faults.reset()
    again = run("creator", links["dy_60"].url, "--no-transcripts")
    assert again.document["status"] == "complete" and again.document["result"]["collection"]["fetched"] == 60
    assert asked().count(PROFILE) == 1


def test_a_list_that_nobody_gives_is_told_with_the_reason(run, sandbox):
    for route in (POSTS, "douyin.web.fetch_user_post_videos"):
        sandbox.faults.add(route, "status", times=None, status=404)
    ran = run("creator", links["dy_3"].url, "--no-transcripts")
    assert (ran.exit_status, ran.document["status"]) == (3, "partial") and ran.document["warnings"]
    assert [row["field"] for row in ran.document["result"]["missing"]] == ["works"]
    assert ran.document["result"]["creator"]["works_count"] == 3


def test_a_list_without_the_works_that_the_profile_counts_is_no_whole_answer(run, monkeypatch, another_second):
    words = ("creator", links["dy_3"].url, "--no-transcripts")
    run(*words)
    another_second()
    monkeypatch.setattr(douyin, "posts", lambda *which: {"status_code": 0, "aweme_list": [], "has_more": 0})
    ran = run(*words, "--fresh")
    assert ran.document["status"] == "partial" and ran.document["result"]["changes"]["deleted_works"] is None
    assert [row["reason"] for row in ran.document["result"]["missing"]] == ["list_empty"]


def test_works_with_one_slow_clip_are_there_and_the_clip_follows(run, sandbox):
    sandbox.faults.add(SUBMIT, "asr", times=1, one_by_one=True, stuck=True)
    first = run("creator", links["dy_20"].url, "--deadline", "5")
    assert (first.exit_status, first.document["status"]) == (3, "partial")
    assert first.document["next"] and first.document["result"]["figures"]["works"] == 20
    assert sandbox.bill.submissions == 1


def test_two_creators_are_two_rows(run):
    ran = run("creator", links["dy_3"].url, links["xhs_3"].url, "--no-transcripts")
    assert [row["platform"] for row in ran.document["result"]["creators"]] == ["douyin", "xiaohongshu"]


def test_a_work_is_told_where_it_belongs(run, asked):
    ran = run("creator", links["dy_video"].url)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "other_kind") and asked() == []
    assert " work " in ran.document["next"][0]["command"] or "analyze_work.py" in ran.document["next"][0]["command"]


def test_tables_come_in_the_forms_that_were_asked_for(run):
    ran = run("creator", links["dy_20"].url, "--no-transcripts", "--export", "xlsx,csv,jsonl,feishu")
    found = ran.document["result"]["paths"]["exports"]
    assert set(found) == {"xlsx", "csv", "jsonl", "feishu"}
    assert Path(found["csv"]).read_bytes().startswith(b"\xef\xbb\xbf")
    assert all(Path(found[form]).stat().st_size for form in ("xlsx", "jsonl"))
    assert {path.name for path in Path(found["feishu"]).iterdir()} == {"fields.json", "records-001.json"}
    assert run("creator", links["dy_20"].url, "--export", "docx").exit_status == 2


@pytest.mark.parametrize("name", ["dy_60", "xhs_60"])
def test_a_later_run_pays_for_what_is_new_and_tells_what_changed(run, sandbox, name, another_second):
    first = run("creator", links[name].url)
    bill = sandbox.bill.as_dict()
    again = run("creator", links[name].url)
    assert again.document["cost"]["billed_calls"] == 0 and sandbox.bill.as_dict() == bill
    assert again.document["result"]["changes"] is None
    another_second()
    new = crowd.advance(10)
    later = run("creator", links[name].url, "--max-age", "0")
    changes = later.document["result"]["changes"]
    assert later.document["status"] == "complete" and changes["new_works_count"] == new == 10
    [kept] = json.loads(Path(later.document["result"]["run_path"]).read_text("utf-8"))["result"]["changes_of"].values()
    assert len(kept["new_works"]) == 10
    assert changes["since"] == first.document["result"]["creator"]["snapshot_at"]
    assert later.document["result"]["collection"]["stop_reason"] == "known"
    fetched = later.document["result"]["collection"]["fetched"]
    assert fetched == first.document["result"]["collection"]["fetched"] + 10
    paid = {r: n - bill["calls"].get(r, 0) for r, n in sandbox.bill.calls.items() if n > bill["calls"].get(r, 0)}
    lists = sum(n for route, n in paid.items() if "post" in route)
    details = sum(n for route, n in paid.items() if "detail" in route)
    assert lists <= 2 and details <= 10 and sum(paid.values()) == 1 + lists + details
    assert sandbox.bill.submissions <= bill["submissions"] + 1
    card = Path(later.document["result"]["paths"]["creator_card"]).read_text("utf-8")
    assert "有何变化" in card


def test_a_work_that_was_deleted_is_told_once_and_stays_out(run, monkeypatch, another_second):
    words, everything = ("creator", links["dy_20"].url, "--no-transcripts"), crowd.works_of
    crowd.advance(5)  # more than a page
    run(*words)
    another_second()
    monkeypatch.setattr(crowd, "works_of", lambda creator: (everything(creator) or [None])[:-1] or None)
    told = run(*words, "--fresh").document["result"]
    later = run(*words, "--max-age", "0").document["result"]
    assert (told["changes"]["deleted_works_count"], told["figures"]["works"]) == (1, 24)
    assert (later["collection"]["stop_reason"], later["figures"]["works"]) == ("known", 24)


def test_the_users_part_of_a_creators_card_is_never_touched(run):
    path = Path(run("creator", links["dy_3"].url, "--no-transcripts").document["result"]["paths"]["creator_card"])
    path.write_text(path.read_text("utf-8") + "\n我自己的判断：值得跟。\n", encoding="utf-8")
    again = run("creator", links["dy_3"].url, "--no-transcripts")
    assert again.document["result"]["paths"]["creator_card"] == str(path)
    assert path.read_text("utf-8").rstrip().endswith("我自己的判断：值得跟。")


def test_a_thousand_works_are_one_run_with_a_card_for_each(run, sandbox, asked):
    ran = run("creator", links["dy_1000"].url, "--works", "all", "--deadline", "110")
    result = ran.document["result"]
    assert (ran.exit_status, result["collection"]["fetched"], result["figures"]["works"]) == (0, 1000, 1000)
    assert len(rows(ran)) == len(list(Path(result["paths"]["work_cards"]).glob("*.md"))) == 1000
    page = Path(result["paths"]["report"])
    assert page.read_text("utf-8").count('<tr data-find="') == 1000 and page.stat().st_size < 5_000_000
    spoken = sum(bool(work["transcript"]) for work in rows(ran))
    assert asked().count(POSTS) == 50 and sandbox.bill.submissions == -(-spoken // 100)


@pytest.mark.parametrize("stage", ["works", "figures", "cards"])
def test_ctrl_c_gives_what_is_known_and_the_next_run_pays_nothing_twice(machine, run, sandbox, stage):
    sandbox.faults.add(SUBMIT, "asr", times=1, seconds=2)
    process = machine.start("creator", links["dy_60"].url, "--deadline", "0", "--progress", "jsonl")
    assert process.stderr is not None and process.stdout is not None
    next(line for line in process.stderr if f'"stage": "{stage}"' in line)
    process.send_signal(signal.SIGINT)
    document = json.loads(process.stdout.read())
    process.stderr.read()
    assert (process.wait(60), document["status"], document["error"]["code"]) == (130, "partial", "interrupted")
    last = machine.paste(document["next"][0]["command"])
    assert last.document["status"] == "complete" and last.document["result"]["figures"]["works"] == 60
    repeated = last.document["cost"].get("repeated_calls", 0)  # what was on its way when the run was broken off
    assert sandbox.bill.submissions == 1 and sum(sandbox.bill.calls.values()) == 4 + repeated and repeated <= 1


def test_whatever_people_call_themselves_the_answer_stays_short(run, machine, monkeypatch):
    hostile = "\u202e/../../\u2066" + "很长的名字\U0001f525" * 300
    person, made = crowd.PROFILES["dy_20"].creator, crowd.made
    own = {name: getattr(person, name) for name in ("nickname", "signature", "handle", "short_id")}

    def call(names: dict[str, str]) -> None:
        for name, text in names.items():
            object.__setattr__(person, name, text)

    monkeypatch.setattr(crowd, "made", lambda *which: replace(made(*which), caption=hostile * 6 + "\n# 标题" * 50))
    call(dict.fromkeys(own, hostile))
    try:
        ran = run("creator", links["dy_20"].url)
        several = run("creator", links["dy_20"].url, links["xhs_3"].url, "--no-transcripts")
    finally:
        call(own)
    for answer in (ran, several):
        assert answer.document["ok"] and tokens(answer.stdout) <= TOKEN_BUDGET
    paths = ran.document["result"]["paths"]
    cards = list((machine.cwd / "tikomni-output" / "cards").rglob("*.md"))
    assert len(cards) >= 21 and Path(paths["creator_card"]) in cards and Path(paths["report"]).is_file()
    assert not any(mark in path.name for path in cards for mark in "\u202e\u2066")
