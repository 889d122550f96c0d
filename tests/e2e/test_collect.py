"""Words in, works out: searches, topics and charts, chosen, sorted, kept, and paid for once."""

from __future__ import annotations

import csv
import io
import json
import shlex
import signal
import time
from pathlib import Path

import pytest

from tikomni.envelope import tokens
from tikomni.library.store import Library
from tikomni.sandbox import links, mapped
from tikomni.sandbox.world import hits

VIDEO, GENERAL = "douyin.search.fetch_video_search_v1", "douyin.search.fetch_general_search_v1"
BUSINESS = "douyin.search.fetch_video_search_v2"
NOTES, TOPIC_FEED = "xiaohongshu.app_v2.search_notes", "xiaohongshu.app_v2.get_topic_feed"
TOPICS, HASHTAG = "douyin.search.fetch_challenge_search_v1", "douyin.app.v3.fetch_hashtag_video_list"
CHART = "douyin.billboard.fetch_hot_total_video_list"
PROFILE = "douyin.app.v3.handler_user_profile"
WORD = "收纳"
DOUYIN, NOTE = ("--platform", "douyin"), ("--platform", "xiaohongshu")


def rows(ran) -> list[dict]:
    """Every hit of a run, in the order in which they are shown."""
    return [json.loads(line) for line in Path(ran.document["result"]["paths"]["works"]).read_text("utf-8").splitlines()]


def inputs(sandbox, route: str) -> list[dict]:
    return [dict(seen.inputs) for seen in sandbox.requests if seen.route == route]


# --- searches


@pytest.mark.parametrize(("platform", "words"), [("douyin", WORD), ("xiaohongshu", WORD)])
def test_a_search_brings_works_and_nothing_else(run, platform, words):
    ran = run("collect", "search", words, "--platform", platform)
    result = ran.document["result"]
    assert (ran.exit_status, ran.document["status"], result["stop_reason"]) == (0, "complete", "no_more")
    found = rows(ran)
    wanted = hits.matching(platform, words)
    assert [row["platform_work_id"] for row in found] == [work.id for work in wanted]
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
    assert result["hits"] == result["read"] == len(found) > hits.PAGE and result["pages"] == 2
    assert {"ad", "live", "user", "query", "duplicate"} <= set(result["dropped"])
    assert result["dropped"]["live"] == 2 and result["dropped"]["duplicate"] == 1
    assert all(row["author_name"] and row["digg_count"] is not None and row["source_url"] for row in found)


def test_what_travels_together_is_sent_together(run, sandbox):
    run("collect", "search", WORD, *DOUYIN)
    first, second = inputs(sandbox, VIDEO)
    assert not first.get("search_id") and second["cursor"] == hits.PAGE
    assert second["backtrace"] == hits.backtrace(second["search_id"], hits.PAGE)
    run("collect", "search", WORD, *NOTE)
    first, second = inputs(sandbox, NOTES)
    assert first["page"] == 1 and "search_id" not in first
    assert second["page"] == 2 and second["search_session_id"] == f"{second['search_id']}s"


def test_the_same_search_from_another_folder_costs_nothing(run, machine, sandbox):
    first = run("collect", "search", WORD, *DOUYIN)
    bill = sandbox.bill.as_dict()
    again = run("collect", "search", WORD, *DOUYIN, "--min-likes", "1000", cwd=machine.home)
    assert again.document["cost"]["billed_calls"] == 0 and sandbox.bill.as_dict() == bill
    liked = [row["platform_work_id"] for row in rows(first) if row["digg_count"] >= 1000]
    assert [row["platform_work_id"] for row in rows(again)] == liked
    assert again.document["result"]["left_out"] == {"few_likes": len(rows(first)) - len(liked)}


def test_hits_are_works_of_the_library_and_cut_captions_no_main_text(run, machine, sandbox, tmp_path):
    state = tmp_path / "state"
    ran = run("collect", "search", WORD, *NOTE, TIKOMNI_STATE_DIR=str(state))
    library = Library(state / "library.sqlite3", sandbox.base_url)
    try:
        kept = {work.platform_work_id: work for work in library.works()}
    finally:
        library.close()
    found = rows(ran)
    assert set(kept) == {row["platform_work_id"] for row in found}
    cut = [row for row in found if "caption_raw" in row["partial"]]
    assert cut and all(row["primary_text"] is None for row in cut)
    assert all("topics" in row["partial"] for row in found)


def test_what_is_known_of_a_work_is_not_lost_to_a_hit(run):
    title = run("work", links["xhs_subtitled"].url).document["result"]["work"]["title"]
    ran = run("collect", "search", title, *NOTE)
    [known] = [row for row in rows(ran) if row["platform_work_id"] == links["xhs_subtitled"].id]
    assert known["transcript"] and known["primary_text_source"] == "transcript_clean"
    assert known["topics"] and "caption_raw" not in known["partial"]


def test_the_platform_sorts_where_it_can(run, sandbox):
    ran = run("collect", "search", WORD, *NOTE, "--sort", "collects")
    counts = [row["collect_count"] for row in rows(ran) if not row["approximate"]]
    assert counts == sorted(counts, reverse=True) and not ran.document.get("warnings")
    assert ran.document["result"]["sorted"] == {"by": "collects", "here": False}
    assert {sent["sort_type"] for sent in inputs(sandbox, NOTES)} == {"collect_descending"}
    newest = run("collect", "search", WORD, *DOUYIN, "--sort", "newest")
    dates = [row["published_at"] for row in rows(newest)]
    assert dates == sorted(dates, reverse=True)
    assert {sent["sort_type"] for sent in inputs(sandbox, VIDEO)} == {"2"}


def test_what_a_platform_sorts_badly_is_put_in_order(run, monkeypatch):
    monkeypatch.setattr(mapped, "_XHS_SORTS", {})
    found = rows(run("collect", "search", WORD, *NOTE, "--sort", "likes"))
    counts = [row["digg_count"] for row in found]
    assert counts == sorted(counts, reverse=True) and [row["rank"] for row in found] != list(range(1, len(found) + 1))


def test_what_the_platform_cannot_sort_is_sorted_here_and_said(run, sandbox):
    ran = run("collect", "search", WORD, *DOUYIN, "--sort", "comments")
    counts = [row["comment_count"] for row in rows(ran)]
    assert counts == sorted(counts, reverse=True)
    assert [row["rank"] for row in rows(ran)] != sorted(row["rank"] for row in rows(ran))
    assert ran.document["result"]["sorted"] == {"by": "comments", "here": True}
    assert any("sorted here" in warning for warning in ran.document["warnings"])
    assert not any("sort_type" in sent for sent in inputs(sandbox, VIDEO))


def test_a_route_that_cannot_sort_leaves_it_to_the_program(run, sandbox):
    sandbox.faults.add(NOTES, "status", times=None, status=500)
    sandbox.faults.add("xiaohongshu.app.search_notes", "status", times=None, status=500)
    sandbox.faults.add("xiaohongshu.web_v3.fetch_search_notes", "status", times=None, status=500)
    ran = run("collect", "search", WORD, *NOTE, "--sort", "likes", "--kind", "video")
    assert ran.document["status"] == "complete" and {row["media_kind"] for row in rows(ran)} == {"video"}
    assert ran.document["result"]["left_out"]["other_kind"] > 0, "that route has no place for the form"


def test_dates_and_forms_are_asked_for_and_looked_at(run, sandbox):
    ran = run("collect", "search", WORD, *DOUYIN, "--since", "30d", "--kind", "video")
    [sent, *_] = inputs(sandbox, VIDEO)
    assert (sent["publish_time"], sent["content_type"]) == ("180", "1")
    found = rows(ran)
    assert found and {row["media_kind"] for row in found} == {"video"}
    since = ran.document["result"]["query"]["since"]
    assert all(row["published_at"] >= since for row in found) and ran.document["result"]["left_out"]["older"] > 0


def test_a_number_bounds_what_is_read_and_more_is_one_command_away(run, machine, sandbox):
    ran = run("collect", "search", WORD, *DOUYIN, "--max", "20", "--min-likes", "1000")
    result = ran.document["result"]
    assert (result["stop_reason"], result["read"], ran.document["status"]) == ("most", 20, "complete")
    assert sandbox.bill.billed_calls == 1
    more = machine.paste(ran.document["next"][0]["command"])
    assert more.document["result"]["read"] > 20 and more.document["cost"]["billed_calls"] == 1
    assert more.document["result"]["hits"] > result["hits"]


def test_everything_fits_an_agents_window(run):
    ran = run("collect", "search", "", "的", *NOTE, "--max", "150", "--max-fans", "99999999")
    assert tokens(ran.stdout) <= 1500 and ran.document["result"]["hits"] > 60
    assert len(ran.document["result"]["works"]) >= 10
    whole = json.loads(Path(ran.document["result"]["run_path"]).read_text("utf-8"))["result"]
    assert len(whole["works"]) == 20 and len(rows(ran)) == ran.document["result"]["hits"]


# --- topics and charts


def test_a_topic_is_found_by_its_name_its_link_or_its_id(run, asked):
    named = run("collect", "topic", f"#{WORD}", *DOUYIN)
    assert asked().count(TOPICS) == 1 and asked().count(HASHTAG) == named.document["result"]["pages"]
    number = hits.topic_number("douyin", WORD)
    found = [row["platform_work_id"] for row in rows(named)]
    assert found == [work.id for work in hits.under("douyin", number)]
    before = len(asked())
    linked = run("collect", "topic", f"https://www.douyin.com/hashtag/{number}")
    bare = run("collect", "topic", number, *DOUYIN)
    assert f"话题 #{number}" in Path(linked.document["result"]["paths"]["page"]).read_text("utf-8")
    assert [row["platform_work_id"] for row in rows(linked)] == [row["platform_work_id"] for row in rows(bare)] == found
    assert len(asked()) == before, "the pages are paid for"


def test_five_values_of_a_topics_page_travel_together(run, sandbox):
    number = hits.topic_number("xiaohongshu", WORD)
    ran = run("collect", "topic", f"https://www.xiaohongshu.com/page/topics/{number}?x=1", "--sort", "newest")
    assert ran.document["status"] == "complete" and ran.document["result"]["pages"] > 1
    found = [row["platform_work_id"] for row in rows(ran)]
    assert found == [w.id for w in hits.under("xiaohongshu", number, hits.Wish("newest"))]
    assert {sent["sort"] for sent in inputs(sandbox, TOPIC_FEED)} == {"time"}
    second = inputs(sandbox, TOPIC_FEED)[1]
    assert {"cursor_score", "last_note_id", "last_note_ct", "session_id", "first_load_time"} <= set(second)


def test_a_topic_of_another_name_is_not_taken_for_it(run, asked):
    near = WORD[:1]
    ran = run("collect", "topic", near, *DOUYIN)
    assert (ran.exit_status, ran.document["error"]["code"]) == (1, "not_found")
    assert WORD in ran.document["error"]["hint"] and HASHTAG not in asked()


def test_where_topics_have_no_names_the_search_is_offered(run, asked):
    ran = run("collect", "topic", WORD, *NOTE)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "usage") and asked() == []
    assert f"#{WORD}" in shlex.split(ran.document["next"][0]["command"])


def test_a_chart_keeps_its_ranks_and_claims_no_more_than_it_tells(run, sandbox):
    ran = run("collect", "chart", "low-fans", *DOUYIN, "--max", "15")
    found = rows(ran)
    assert [row["rank"] for row in found] == list(range(1, 16))
    assert {sent["sub_type"] for sent in inputs(sandbox, CHART)} == {1002}
    assert all(row["partial"]["caption_raw"] == "not_in_list" for row in found)
    assert all(row["comment_count"] is None and row["work_modality"] == "video" for row in found)
    assert run("collect", "chart", "low-fans", *DOUYIN, "--max", "15").document["cost"]["billed_calls"] == 0


def test_fans_of_nobody_are_unknown(run, asked):
    ran = run("collect", "chart", "hot", *DOUYIN, "--max", "10", "--max-fans", "1000")
    assert ran.document["result"]["left_out"] == {"fans_unknown": 10} and PROFILE not in asked()
    assert any("unknown" in warning for warning in ran.document["warnings"])


# --- authors with few fans


def test_small_accounts_with_big_works_cost_one_profile_for_each_author(run, sandbox, asked):
    plan = run("collect", "search", WORD, *DOUYIN, "--max-fans", "200000", "--dry-run").document["result"]
    assert asked() == [] and plan["usd_at_most"] > 0.06
    assert {row["for"]: row["route"] for row in plan["plan"]} == {"pages": VIDEO, "fans of authors": PROFILE}
    ran = run("collect", "search", WORD, *DOUYIN, "--max-fans", "200000")
    authors = {work.author.id: work.author.counts["fans"] for work in hits.matching("douyin", WORD)}
    assert sandbox.bill.calls[PROFILE] == len(authors) > 1
    found = rows(ran)
    assert {row["platform_author_id"] for row in found} == {who for who, fans in authors.items() if fans <= 200000}
    assert all(row["fans_count"] == authors[row["platform_author_id"]] for row in found)
    ratios = [row["likes_per_fan"] for row in found]
    assert ratios == sorted(ratios, reverse=True) and ratios[0] == pytest.approx(
        found[0]["digg_count"] / found[0]["fans_count"], abs=1e-4
    )
    assert ran.document["result"]["left_out"]["many_fans"] == len(hits.matching("douyin", WORD)) - len(found)
    fewer = run("collect", "search", WORD, *DOUYIN, "--max-fans", "40000")
    assert fewer.document["cost"]["billed_calls"] == 0 and len(rows(fewer)) < len(found)


def test_a_profile_that_fails_is_told_and_nothing_is_guessed(run, sandbox):
    sandbox.faults.add("*", "status", times=None, skip=3, status=500)
    ran = run("collect", "search", WORD, *DOUYIN, "--max-fans", "200000", TIKOMNI_TIMEOUT_RETRY_MAX="0")
    assert (ran.exit_status, ran.document["status"]) == (3, "partial")
    assert {row["field"] for row in ran.document["result"]["missing"]} == {"fans_count"} and ran.document["next"]
    assert ran.document["result"]["left_out"]["fans_unknown"] > 0
    sandbox.faults.reset()
    again = run("collect", "search", WORD, *DOUYIN, "--max-fans", "200000")
    assert again.document["status"] == "complete" and "fans_unknown" not in again.document["result"]["left_out"]


# --- what is written


def test_a_page_a_note_and_tables_say_the_same(run):
    ran = run("collect", "search", WORD, *DOUYIN, "--max-fans", "200000", "--export", "xlsx,csv,jsonl,feishu")
    paths, found = ran.document["result"]["paths"], rows(ran)
    assert set(paths["exports"]) == {"xlsx", "csv", "jsonl", "feishu"}
    table = list(csv.DictReader(io.StringIO(Path(paths["exports"]["csv"]).read_text("utf-8-sig"), newline="")))
    assert [int(row["名次"]) for row in table] == [row["rank"] for row in found]
    assert [int(row["作者粉丝"]) for row in table] == [row["fans_count"] for row in found]
    assert not {"分档", "样本", "中位数倍数"} & set(table[0])
    page, note = (Path(paths[name]).read_text("utf-8") for name in ("page", "markdown"))
    assert "Content-Security-Policy" in page and page.count('<img src="data:') == len(found)
    for row in found:
        assert row["author_name"] in page and row["author_name"] in note
        assert row["source_url"] in note
    assert f"搜索“{WORD}”" in page and "作者粉丝不多于" in page
    english = run("collect", "search", WORD, *DOUYIN, "--language", "en")
    assert "Likes" in Path(english.document["result"]["paths"]["page"]).read_text("utf-8")


def test_nothing_found_is_a_whole_answer(run, asked):
    ran = run("collect", "search", "没有人写过这些字", *DOUYIN)
    result = ran.document["result"]
    assert (ran.exit_status, ran.document["status"], result["hits"], result["works"]) == (0, "complete", 0, [])
    assert len(asked()) == 1 and ran.document["warnings"]
    assert Path(result["paths"]["page"]).is_file() and rows(ran) == []


# --- what goes wrong


def test_a_page_that_fails_keeps_what_came_and_the_next_run_goes_on(run, machine, sandbox):
    for route in (VIDEO, GENERAL, BUSINESS):
        sandbox.faults.add(route, "status", times=None, skip=int(route == VIDEO), status=500)
    first = run("collect", "search", WORD, *DOUYIN, TIKOMNI_TIMEOUT_RETRY_MAX="0")
    assert (first.exit_status, first.document["status"]) == (3, "partial")
    assert first.document["result"]["hits"] == hits.PAGE
    assert first.document["result"]["missing"][0]["field"] == "works"
    sandbox.faults.reset()
    again = machine.paste(first.document["next"][0]["command"])
    assert again.document["status"] == "complete" and again.document["cost"]["billed_calls"] == 1
    assert [row["platform_work_id"] for row in rows(again)] == [w.id for w in hits.matching("douyin", WORD)]


def test_another_route_goes_on_where_one_fails(run, sandbox):
    sandbox.faults.add(VIDEO, "status", times=None, skip=1, status=500)
    ran = run("collect", "search", WORD, *DOUYIN, TIKOMNI_TIMEOUT_RETRY_MAX="0")
    assert ran.document["status"] == "complete"
    assert {r["platform_work_id"] for r in rows(ran)} == {w.id for w in hits.matching("douyin", WORD)}
    assert [row["rank"] for row in rows(ran)] == list(range(1, len(rows(ran)) + 1))


def test_a_budget_keeps_what_it_paid_for(run, sandbox):
    ran = run("collect", "search", WORD, *DOUYIN, "--max-calls", "1")
    assert (ran.exit_status, ran.document["status"]) == (3, "partial")
    assert ran.document["result"]["hits"] == hits.PAGE and sandbox.bill.billed_calls == 1
    none = run("collect", "search", "跑步", *DOUYIN, "--max-calls", "0")
    assert (none.exit_status, none.document["error"]["code"]) == (4, "budget")


def test_no_time_left_is_a_result_that_goes_on(run, machine, sandbox):
    sandbox.faults.add(VIDEO, "slow_headers", times=1, skip=1, seconds=8)
    first = run("collect", "search", WORD, *DOUYIN, "--deadline", "3")
    assert (first.exit_status, first.document["status"]) == (3, "partial")
    assert first.document["result"]["missing"] and first.document["next"]
    sandbox.faults.reset()
    again = run("collect", "search", WORD, *DOUYIN)
    assert again.document["status"] == "complete" and len(rows(again)) > hits.PAGE


def test_stopped_by_hand_everything_that_came_is_kept(machine, sandbox, asked):
    sandbox.faults.add(VIDEO, "slow_headers", times=1, skip=1, seconds=20)
    process = machine.start("collect", "search", WORD, *DOUYIN, "--min-likes", "1000")
    until = time.monotonic() + 60
    while asked().count(VIDEO) < 2 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    document = json.loads(out)
    assert (process.returncode, document["error"]["code"]) == (130, "interrupted")
    assert document["result"]["read"] == hits.PAGE and document["result"]["left_out"]["few_likes"] > 0
    assert document["next"]


def test_a_rejected_key_is_a_failure(run, asked):
    ran = run("collect", "search", WORD, *DOUYIN, TIKOMNI_API_KEY="sk-wrong-but-real-looking-1")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "rejected_key") and "next" not in ran.document


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["search"], "no_input", "WORDS"),
        (["search", WORD], "usage", "--platform is missing"),
        (["search", WORD, "--platform", "tiktok"], "usage", "there are"),
        (["search", "长" * 101, *DOUYIN], "usage", "too many"),
        (["search", links["dy_video"].url], "other_kind", "work"),
        (["search", WORD, *DOUYIN, "--max", "0"], "usage", "--max 0"),
        (["search", WORD, *DOUYIN, "--min-likes", "-1"], "usage", "--min-likes"),
        (["search", WORD, *DOUYIN, "--since", "gestern"], "usage", "--since"),
        (["search", WORD, *DOUYIN, "--export", "docx"], "usage", "docx"),
        (["topic", "#", *DOUYIN], "no_input", "topic"),
        (["topic", "https://live.douyin.com/839204716355"], "other_kind", "live"),
        (["topic", "https://www.douyin.com/hashtag/1600000000000000", *NOTE], "usage", "link is of douyin"),
        (["chart", *DOUYIN], "usage", "low-fans"),
        (["chart", "unknown", *DOUYIN], "usage", "low-fans"),
        (["chart", "hot", *NOTE], "usage", "no charts"),
    ],
)  # fmt: skip
def test_wrong_words_are_told_before_anything_is_asked(run, asked, words, code, said):
    ran = run("collect", *words)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, code) and asked() == []
    assert said in ran.document["error"]["message"] + ran.document["error"]["hint"]
