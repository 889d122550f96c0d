"""Comments below works, through the command line: walked, nameless, kept once, read by an analysis that is checked."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import sqlite3
import stat
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import links

POST, NOTE = links["dy_text_mode"], links["xhs_pictures"]
COMMENTS, REPLIES = "douyin.app.v3.fetch_video_comments", "douyin.app.v3.fetch_video_comment_replies"
WEB = "douyin.web.fetch_video_comments"
COLUMNS = "comment_id text like_count reply_count published_at ip_location is_author parent_id author_hash".split()
WHO = ("夜班司机", "三斤橘子", "早八人")


@pytest.fixture
def state(machine, tmp_path) -> Path:
    machine.variables["TIKOMNI_STATE_DIR"] = str(tmp_path / "state")
    return tmp_path / "state"


def rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    lines = Path(result["comments"]["paths"]["jsonl"]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def table(result: dict[str, Any]) -> list[dict[str, str]]:
    with open(result["comments"]["paths"]["csv"], encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_hundred_comments_are_read_once_and_written_as_lines_and_a_table(run, asked, state):
    ran = run("work", POST.url, "--comments", "100")
    document = ran.document
    assert (ran.exit_status, document["status"]) == (0, "complete") and tokens(ran.stdout) <= TOKEN_BUDGET
    told = document["result"]["comments"]
    assert (told["read"], told["stop_reason"], told["replies"]) == (100, "most", None)
    assert asked().count(COMMENTS) == 6 and document["cost"]["billed_calls"] == 7  # one page lacks what was deleted
    found = rows(document["result"])
    assert len(found) == told["listed"] == 100 - sum(told["without_words"].values())
    assert told["without_words"] == {"emoji": 2, "sticker": 1}
    assert len({row["comment_id"] for row in found}) == len(found)  # pages overlap
    assert list(table(document["result"])[0]) == COLUMNS
    assert [row["text"] for row in found[:2]] == [
        "明天照常开门，地址在主页，认准红灯笼",
        "凌晨两点还开吗？下班只想吃一碗热的",
    ]
    assert found[0]["is_author"] is True and found[1]["is_author"] is False
    assert found[1] | {"like_count": 1820, "ip_location": "江苏", "reply_count": 6, "parent_id": None} == found[1]
    assert [row["like_count"] for row in told["top"]] == [1820, 1544, 990]
    assert "result.comments.top[].text" in document["untrusted"]
    again = run("work", POST.url, "--comments", "100").document
    assert (again["cost"]["calls"], again["result"]["comments"]["read"]) == (0, 100)
    assert rows(again["result"]) == found


def test_fewer_and_more_of_the_same_cost_only_what_is_new(run, asked, state):
    run("work", POST.url, "--comments", "40")
    before = len(asked())
    assert run("work", POST.url, "--comments", "15").document["cost"]["calls"] == 0
    document = run("work", POST.url, "--comments", "500").document
    told = document["result"]["comments"]
    assert (told["stop_reason"], told["read"]) == ("no_more", 133)
    assert len(asked()) - before == 7 - 3 and document["status"] == "complete"


def test_nobody_is_named_unless_that_is_wanted(run, state, machine):
    result = run("work", POST.url, "--comments", "30", "--replies").document["result"]
    hashes = {row["author_hash"] for row in rows(result)}
    assert all(re.fullmatch(r"u[0-9a-f]{12}", name) for name in hashes) and len(hashes) > 10
    assert not any("author_name" in row or "platform_author_id" in row for row in rows(result))
    written = [p for p in machine.cwd.rglob("*") if p.is_file() and p.suffix in (".jsonl", ".csv", ".md", ".json")]
    for path in written:
        told = path.read_text(encoding="utf-8")
        assert not any(who in told for who in WHO), path
        assert "@路边的树" not in told and "MS4wLjABAAAA7" not in told
    with sqlite3.connect(state / "library.sqlite3") as library:
        stored = [document for (document,) in library.execute("SELECT document FROM comments")]
    assert len(stored) > 30 and not any(who in text for text in stored for who in WHO)
    salt = state / "comments.salt"
    assert stat.S_IMODE(salt.stat().st_mode) == 0o600 and len(salt.read_bytes()) == 32
    named = run("work", POST.url, "--comments", "30", "--keep-users").document["result"]
    assert WHO[0] in {row["author_name"] for row in rows(named)} and "author_name" in table(named)[0]
    assert {row["author_hash"] for row in rows(named)} <= hashes


def test_the_same_person_has_one_pseudonym_in_every_folder_and_another_on_another_machine(run, state, tmp_path):
    first = rows(run("work", POST.url, "--comments", "20").document["result"])
    other = tmp_path / "elsewhere"
    other.mkdir()
    again = rows(run("work", POST.url, "--comments", "20", cwd=other).document["result"])
    assert [row["author_hash"] for row in again] == [row["author_hash"] for row in first]
    stranger = run("work", POST.url, "--comments", "20", TIKOMNI_STATE_DIR=str(tmp_path / "other-state"))
    assert {r["author_hash"] for r in rows(stranger.document["result"])}.isdisjoint(r["author_hash"] for r in first)


def test_replies_stand_below_their_comments_and_are_bounded(run, asked, state):
    document = run("work", POST.url, "--comments", "20", "--replies").document
    told = document["result"]["comments"]
    assert told["read"] == 20
    assert told["replies"] == {"read": 20, "of_comments": 1, "comments_left": 9, "stop_reason": "most"}
    assert asked().count(REPLIES) == 1
    found = rows(document["result"])
    first = found[0]["comment_id"]
    below = [row for row in found if row["parent_id"]]
    assert {row["parent_id"] for row in below} == {first} and found[1]["parent_id"] == first
    assert any(row["is_author"] for row in below)
    assert run("work", POST.url, "--comments", "20", "--replies").document["cost"]["calls"] == 0


def test_replies_of_a_note_go_on_with_a_cursor_that_is_a_text(run, asked, state):
    told = run("work", NOTE.url, "--comments", "30", "--replies").document["result"]["comments"]
    # 28 comments are there; the three that were answered most have 13, 3 and 2 replies.
    assert (told["read"], told["stop_reason"]) == (28, "no_more")
    assert told["replies"] == {"read": 18, "of_comments": 3, "comments_left": 1, "stop_reason": "most"}
    assert asked().count("xiaohongshu.app_v2.get_note_sub_comments") == 4


def test_a_page_that_fails_goes_on_along_another_route(run, asked, sandbox, state):
    sandbox.faults.add(COMMENTS, "error_code", times=None, skip=2, inner=True)
    document = run("work", POST.url, "--comments", "100").document
    told = document["result"]["comments"]
    assert (document["status"], told["read"], told["stop_reason"]) == ("complete", 100, "most")
    assert WEB in asked() and len({row["comment_id"] for row in rows(document["result"])}) == told["listed"]


def test_a_list_that_breaks_off_is_kept_told_and_gone_on_with(run, asked, sandbox, state):
    for route in (COMMENTS, WEB):
        sandbox.faults.add(route, "error_code", times=3, skip=2 if route == COMMENTS else 0, inner=True)
    ran = run("work", POST.url, "--comments", "100")
    document = ran.document
    assert (ran.exit_status, document["status"]) == (3, "partial")
    assert document["result"]["comments"]["read"] == 39 and len(rows(document["result"])) > 30
    (row,) = [row for row in document["result"]["missing"] if row["field"] == "comments"]
    assert row["reason"].startswith("page_failed_") and document["next"][0]["command"]
    sandbox.faults.reset()
    before = asked().count(COMMENTS)
    whole = run("work", POST.url, "--comments", "100").document
    assert whole["status"] == "complete" and whole["result"]["comments"]["read"] == 100
    assert asked().count(COMMENTS) - before == 4  # two pages were paid for


@pytest.mark.parametrize("route", [COMMENTS, REPLIES])
def test_trouble_with_comments_never_costs_the_facts(run, sandbox, state, route):
    for name in (route, WEB, "douyin.web.fetch_video_comment_replies"):
        sandbox.faults.add(name, "status", times=None, status=503)
    document = run("work", POST.url, "--comments", "20", "--replies").document
    assert document["status"] == "partial" and document["result"]["work"]["primary_text"]
    assert Path(document["result"]["card"]["path"]).is_file()
    told, field = document["result"]["comments"], "comments" if route == COMMENTS else "replies"
    assert told["read"] == (0 if route == COMMENTS else 20) and (told["paths"] == {}) == (route == COMMENTS)
    assert field in [row["field"] for row in document["result"]["missing"]]


def test_a_budget_ends_the_walk_and_keeps_what_was_read(run, state):
    document = run("work", POST.url, "--comments", "100", "--max-calls", "3").document
    assert document["status"] == "partial" and document["result"]["comments"]["read"] == 39
    assert {"item": f"douyin:{POST.id}", "field": "comments", "reason": "budget"} in document["result"]["missing"]
    assert document["cost"]["billed_calls"] == 3


def test_a_work_without_comments_costs_no_call_for_them(run, asked, state):
    document = run("work", links["dy_no_counts"].url, "--comments", "10", "--no-transcript").document
    assert document["result"]["comments"]["stop_reason"] == "no_more"
    none = run("work", links["xhs_other"].url, "--comments", "10").document
    told = none["result"]["comments"]
    assert (none["status"], told["read"], told["paths"], told["top"]) == ("complete", 0, {}, [])
    assert not any("get_note_comments" in route for route in asked())
    assert "work.comments" not in [task["kind"] for task in none["result"]["tasks"]]


def test_several_works_in_one_command(run, state):
    ran = run("work", POST.url, NOTE.url, "--comments", "10")
    result = ran.document["result"]
    assert ran.exit_status == 0 and [row["comments_read"] for row in result["works"]] == [10, 10]
    assert len({row["comments_path"] for row in result["works"]}) == 2
    assert all(Path(row["comments_path"]).name == "comments.jsonl" for row in result["works"])
    assert "comments" not in result and tokens(ran.stdout) <= TOKEN_BUDGET


def test_a_spreadsheet_is_written_on_demand_and_nothing_in_a_table_acts(run, state):
    from zipfile import ZipFile

    result = run("work", POST.url, "--comments", "30", "--export", "csv,xlsx").document["result"]
    with ZipFile(result["comments"]["paths"]["xlsx"]) as book:
        sheet, strings = (book.read(f"xl/{n}.xml").decode() for n in ("worksheets/sheet1", "sharedStrings"))
    assert "<f>" not in sheet and "hyperlink" not in sheet and "评论 ID" in strings and "HYPERLINK" in strings
    texts = [row["text"] for row in table(result)]
    assert any(text.startswith("'=HYPERLINK") for text in texts) and not any(text.startswith("=") for text in texts)
    both = run("work", POST.url, "--comments", "30", "--export", "xlsx", "--language", "en").document["result"]
    assert set(both["comments"]["paths"]) == {"jsonl", "xlsx"}


def test_a_dry_run_tells_the_price_of_comments(run, asked):
    plain = run("work", POST.url, "--dry-run", "--comments", "100").document["result"]
    assert (plain["comments_calls_about"], plain["comments_usd_about"]) == (5, 0.005)
    more = run("work", POST.url, "--dry-run", "--comments", "100", "--replies").document["result"]
    assert more["comments_calls_about"] == 20 and asked() == []


@pytest.mark.parametrize(
    "words", [["--replies"], ["--keep-users"], ["--export", "csv"], ["--comments", "0"], ["--comments", "-4"],
              ["--comments", "x"], ["--comments", "5", "--export", "pdf"]]
)  # fmt: skip
def test_what_makes_no_sense_is_a_usage_error_and_asks_nothing(run, asked, words):
    ran = run("work", POST.url, *words)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "usage") and asked() == []


def test_a_damaged_salt_is_told_and_the_facts_are_kept(run, state):
    state.mkdir(mode=0o700)
    (state / "comments.salt").write_bytes(b"short")
    document = run("work", POST.url, "--comments", "10").document
    assert document["status"] == "partial" and document["result"]["work"]["primary_text"]
    assert any("comments.salt" in warning for warning in document["warnings"])
    assert (state / "comments.salt").read_bytes() == b"short"


# --- the analysis


@pytest.fixture
def talked(run, state) -> dict[str, Any]:
    return run("work", POST.url, "--comments", "60", "--replies").document["result"]


def task_of(result: dict[str, Any]) -> dict[str, Any]:
    return next(task for task in result["tasks"] if task["kind"] == "work.comments")


def shown(task: dict[str, Any]) -> dict[str, str]:
    """Number → line, as the parts have them."""
    parts = sorted(Path(task["path"], "input").glob("0[1-9].md"))
    lines = [line for part in parts for line in part.read_text(encoding="utf-8").splitlines()]
    return {line.split(" | ")[0]: line for line in lines if re.match(r"C\d{3,} \| ", line)}


def numbered(lines: dict[str, str], *words: str) -> list[str]:
    return [ref for ref, line in lines.items() if any(word in line for word in words)]


def answer(lines: dict[str, str]) -> dict[str, Any]:
    oil, dear = numbered(lines, "辣油能寄", "寄省外", "求辣油"), numbered(lines, "有点贵")
    phrase = numbered(lines, "只要你来就开，")
    return {
        "summary": [{"label": "辣油", "text": "最想要的是辣油", "evidence": oil}],
        "needs": [{"label": "带走辣油", "text": "想要配方，或者寄到家", "evidence": oil}],
        "questions": [{"label": "几点关门", "text": "夜里还开不开", "evidence": numbered(lines, "凌晨两点")}],
        "objections": [{"label": "嫌贵", "text": "拿本地 12 块的面来比", "evidence": dear}],
        "purchase_intent": [{"label": "邮购", "text": "愿意出运费", "evidence": oil[:2]}],
        "wording": [{"label": "标题", "text": "可作结尾", "evidence": phrase, "quote": "只要你来就开"}],
    }


def hand_in(machine, task: dict[str, Any], value: Any, *more: str) -> Any:
    Path(task["path"], "answer.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return machine.paste(" ".join([task["hand_in"].replace("MODEL", "'some model'"), *more]))


def test_an_answer_reaches_the_card_with_shares_that_the_program_computed(run, machine, talked):
    task = task_of(talked)
    lines = shown(task)
    made = answer(lines)
    ran = hand_in(machine, task, made)
    assert (ran.exit_status, ran.document["status"]) == (0, "complete"), ran.stdout
    card = Path(talked["card"]["path"]).read_text(encoding="utf-8")
    total = json.loads(Path(task["path"], "task.json").read_text(encoding="utf-8"))["sample"]["comments"]
    oil = made["needs"][0]["evidence"]
    assert f"（{len(oil)} 条评论，占 {len(oil) / total:.0%}）" in card and "评论区洞察" in card
    assert f"[^e-{oil[0]}]: {oil[0]} “" in card and f"依据观众的 {total} 条评论" in card
    kept = json.loads(Path(ran.document["result"]["accepted"]).read_text(encoding="utf-8"))
    assert kept["shares"]["/needs/0"] == round(len(oil) / total, 4)
    ids = {row["comment_id"] for row in rows(talked)}
    assert kept["works"][oil[0]]["key"].partition(":")[2] in ids
    again = run("work", POST.url, "--comments", "60", "--replies").document["result"]
    assert Path(again["card"]["path"]).read_text(encoding="utf-8") == card and "已过时" not in card


def test_an_entry_with_nothing_says_none(machine, talked):
    task = task_of(talked)
    hand_in(machine, task, answer(shown(task)) | {"objections": []})
    card = Path(talked["card"]["path"]).read_text(encoding="utf-8")
    assert "- **无**" in card.partition("异议与顾虑")[2]


def test_wrong_comments_are_refused_in_words_that_can_be_acted_on(machine, talked):
    task = task_of(talked)
    lines = shown(task)
    own = next(ref for ref, line in lines.items() if "作者" in line.split(" | ")[1])
    made = answer(lines)
    made["needs"][0]["evidence"] = ["C999"]
    made["questions"][0]["evidence"] = [own]
    made["objections"][0]["text"] = "有 47 条评论嫌贵"
    made["purchase_intent"][0]["share"] = 0.9
    made["wording"][0]["quote"] = "没有人说过的话"
    ran = hand_in(machine, task, made)
    problems = {p["pointer"]: p for p in ran.document["error"]["details"]["problems"]}
    assert ran.exit_status == 2 and set(problems) == {
        "/needs/0/evidence/0", "/questions/0/evidence/0", "/objections/0/text", "/purchase_intent/0/share",
        "/wording/0/quote",
    }  # fmt: skip
    assert "a comment of the sample" in problems["/needs/0/evidence/0"]["rule"]
    assert problems["/needs/0/evidence/0"]["nearest"].startswith("C")
    assert "author" in problems["/questions/0/evidence/0"]["rule"]
    assert not Path(task["path"], "accepted.json").exists()


def test_one_comment_is_printed_by_its_number(run, talked):
    task = task_of(talked)
    (ref,) = numbered(shown(task), "凌晨两点还开吗")
    assert "凌晨两点还开吗" in run("task", "text", task["path"], ref.lower()).document["result"]["text"]


def test_a_spoken_work_without_words_has_a_place_for_what_its_comments_ask(run, machine, state):
    result = run("work", links["dy_video"].url, "--no-transcript", "--comments", "20").document["result"]
    assert [task["kind"] for task in result["tasks"]] == ["work.comments"]
    lines = shown(result["tasks"][0])
    everything = {name: [] for name in ("needs", "questions", "objections", "purchase_intent", "wording")}
    value = everything | {"summary": [{"label": "好评", "text": "都说清楚", "evidence": list(lines)[:1]}]}
    ran = hand_in(machine, result["tasks"][0], value)
    assert ran.document["result"]["card"]["path"] == result["card"]["path"]
    assert "评论区洞察" in Path(result["card"]["path"]).read_text(encoding="utf-8")


def test_a_model_may_be_asked_for_it(run, machine, sandbox, state):
    machine.variables |= {
        "TIKOMNI_LLM_BASE_URL": f"{sandbox.base_url}/v1",
        "TIKOMNI_LLM_MODEL": "sandbox-model",
        "TIKOMNI_LLM_API_KEY": sandbox.llm.key,
    }
    words = ["--comments", "60", "--analyst", "openai-compatible", "--analyze", "work.comments"]
    ran = run("work", POST.url, *words)
    (row,) = ran.document["result"]["analyses"]
    assert (row["kind"], row["status"], sandbox.bill.answers) == ("work.comments", "complete", 1), ran.stdout
    card = Path(ran.document["result"]["card"]["path"]).read_text(encoding="utf-8")
    assert "评论区洞察" in card and "开头直接说事（1 条评论，占 2%）" in card
    run("work", POST.url, *words)
    assert sandbox.bill.answers == 1


# --- what ends a run early


def test_time_that_runs_out_keeps_the_pages_that_came(run, asked, sandbox, state):
    sandbox.faults.add(COMMENTS, "slow_headers", skip=2, seconds=6)
    ran = run("work", POST.url, "--comments", "100", "--deadline", "3")
    document = ran.document
    assert (ran.exit_status, document["status"]) == (3, "partial") and document["next"][0]["command"]
    assert {"item": f"douyin:{POST.id}", "field": "comments", "reason": "deadline"} in document["result"]["missing"]
    assert document["result"]["comments"]["read"] == 39 == len(rows(document["result"])) + 3
    before = asked().count(COMMENTS)
    whole = run("work", POST.url, "--comments", "100").document
    assert (whole["status"], whole["result"]["comments"]["read"]) == ("complete", 100)
    assert asked().count(COMMENTS) - before <= 4


def test_ctrl_c_keeps_the_pages_that_came(machine, sandbox, asked, state):
    sandbox.faults.add(COMMENTS, "slow_headers", skip=2, seconds=20)
    process = machine.start("work", POST.url, "--comments", "100")
    while asked().count(COMMENTS) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    document = json.loads(out)
    assert (process.returncode, document["error"]["code"]) == (130, "interrupted") and document["next"]
    assert document["result"]["comments"]["read"] in (19, 39) and rows(document["result"])
    reasons = {row["reason"] for row in document["result"]["missing"] if row["field"] == "comments"}
    assert reasons == {"interrupted"}


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_run_that_is_killed_has_stored_each_page_as_it_came(machine, run, sandbox, asked, state):
    sandbox.faults.add(COMMENTS, "slow_headers", skip=2, seconds=20)
    process = machine.start("work", POST.url, "--comments", "100")
    while asked().count(COMMENTS) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    sandbox.faults.reset()
    with sqlite3.connect(state / "library.sqlite3") as library:
        (stored,) = library.execute("SELECT count(*) FROM comments").fetchone()
    assert stored in (19, 39)
    before = asked().count(COMMENTS)
    whole = run("work", POST.url, "--comments", "100").document
    assert whole["result"]["comments"]["read"] == 100 and asked().count(COMMENTS) - before <= 5


# --- what is removed


def kept(root: Path) -> dict[Path, str]:
    found = {p: p.name + p.read_bytes().decode("utf-8", "replace") for p in root.rglob("*") if p.is_file()}
    with sqlite3.connect(root / "state" / "ledger.sqlite3") as ledger:
        for n, (answer_,) in enumerate(ledger.execute("SELECT answer FROM calls WHERE answer IS NOT NULL")):
            found[root / f"answer-{n}"] = zlib.decompress(answer_).decode("utf-8", "replace")
    return found


def test_purge_takes_the_comments_along(run, machine, talked, tmp_path):
    task = task_of(talked)
    hand_in(machine, task, answer(shown(task)))
    words = ("求辣油的配方", "三斤橘子", POST.id)
    assert all(any(word in text for text in kept(tmp_path).values()) for word in words)
    listed = run("purge", POST.url).document["result"]
    assert listed["library_rows"] > 60 and listed["files"]["task"]
    run("purge", POST.url, "--yes")
    left = kept(tmp_path)
    assert [path for path, text in left.items() if any(word in text for word in words)] == []


def test_purge_of_a_commenter_finds_what_stands_under_the_pseudonym(run, talked, tmp_path, sandbox):
    from tikomni.sandbox.world.douyin import _number

    person = f"MS4wLjABAAAA{_number('三斤橘子', 43)}"
    (mine,) = {row["author_hash"] for row in rows(talked) if "求辣油的配方" in row["text"]}
    assert any(mine in text for text in kept(tmp_path).values())
    run("purge", f"douyin:{person}", "--yes")
    assert not [path for path, text in kept(tmp_path).items() if mine in text or "求辣油的配方" in text]
