"""Creators that are followed: a list that people edit too, and one run that says what is new of all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tikomni.envelope import tokens
from tikomni.sandbox import links
from tikomni.sandbox.world import crowd

LISTS = ("douyin.app.v3.fetch_user_post_videos", "xiaohongshu.app_v2.get_user_posted_notes")
PEOPLE = [f"{place}_{size}" for place in ("dy", "xhs") for size in (3, 20, 60, 200, 1000)]


def key(name: str) -> str:
    return f"{crowd.PROFILES[name].creator.platform}:{crowd.PROFILES[name].creator.id}"


@pytest.fixture
def list_path(machine, tmp_path) -> Path:
    machine.variables["TIKOMNI_STATE_DIR"] = str(tmp_path / "state")
    return tmp_path / "state" / "follow.yaml"


def follow(run, *names: str) -> None:
    assert run("follow", "add", *(links[name].url for name in names)).exit_status == 0


def test_ten_creators_with_two_new_works_each_cost_a_profile_and_a_page_each(
    run, list_path, asked, sandbox, another_second
):
    follow(run, *PEOPLE)
    run("creator", "--follow")
    before = len(asked())
    another_second()
    crowd.advance(2)
    ran = run("creator", "--follow")
    result = ran.document["result"]
    assert (ran.exit_status, ran.document["status"]) == (0, "complete"), ran.stdout
    asked_now = asked()[before:]
    lists = [route for route in asked_now if route in LISTS]
    assert len(lists) == 10 and len(asked_now) == 20
    assert result["new_works_count"] == 20 and result["followed"] == result["read"] == 10
    assert {row["new_works_count"] for row in result["creators"]} == {2}
    # Of who has but a page the whole list was seen.
    assert {row["deleted_works_count"] for row in result["creators"]} == {0, None}
    assert tokens(ran.stdout) <= 1500
    digest = Path(result["digest_path"]).read_text("utf-8")
    assert digest.count("新作品 2 个") == 10


def test_who_follows_asks_anew_unless_what_is_stored_is_new_enough(run, list_path):
    follow(run, "dy_20", "xhs_3")
    run("creator", "--follow")
    again = run("creator", "--follow").document
    assert again["result"]["new_works_count"] == 0 and again["cost"]["calls"] == 4
    assert run("creator", "--follow", "--max-age", "600").document["cost"]["calls"] == 0


def test_who_was_never_read_costs_a_profile_and_a_page_and_no_words(run, list_path, asked, sandbox, another_second):
    follow(run, "dy_200", "xhs_60")
    ran = run("creator", "--follow")
    first = len(asked())
    assert ran.document["status"] == "complete" and first <= 6 and sandbox.bill.submissions == 0
    assert all(row["first_reading"] for row in ran.document["result"]["creators"])
    another_second()
    crowd.advance(3)
    after = run("creator", "--follow").document["result"]
    assert after["new_works_count"] == 6 and after["unchanged"] == 0
    titles = [work["title"] for row in after["creators"] for work in row["new_works"]]
    assert len(titles) == 6 and all(titles) and len(asked()) == first + 4


def test_a_full_first_reading_is_had_by_asking_for_it(run, list_path):
    follow(run, "dy_60")
    ran = run("creator", "--follow", "--works", "all", "--full")
    [row] = ran.document["result"]["creators"]
    works = Path(ran.document["result"]["run_path"]).with_name("works.jsonl").read_text("utf-8").splitlines()
    assert row["first_reading"] and len(works) == 60


def test_words_of_new_works_come_only_when_asked_for(run, list_path, sandbox, another_second):
    follow(run, "dy_20")
    run("creator", "--follow")
    another_second()
    crowd.advance(3)
    ran = run("creator", "--follow", "--with", "transcripts")
    works = [
        json.loads(line)
        for line in Path(ran.document["result"]["run_path"]).with_name("works.jsonl").read_text("utf-8").splitlines()
    ]
    heard = [work for work in works if work["transcript"]]
    new = {work["id"] for row in ran.document["result"]["creators"] for work in row["new_works"]}
    assert heard and {work["platform_work_id"] for work in heard} <= new
    assert ran.document["status"] == "complete" and sandbox.bill.submissions == 1


def test_one_that_fails_holds_back_nobody(run, list_path):
    follow(run, "dy_20", "dy_closed", "xhs_20")
    ran = run("creator", "--follow")
    assert (ran.exit_status, ran.document["status"]) == (3, "partial"), ran.stdout
    rows = ran.document["result"]["creators"]
    assert rows[0]["status"] == "failed" and rows[0]["error"] == "gone"
    assert [row["status"] for row in rows[1:]] == ["complete", "complete"]
    assert "未能读取" in Path(ran.document["result"]["digest_path"]).read_text("utf-8")


def test_what_goes_on_after_the_deadline_pays_nothing_twice(run, machine, list_path, asked, sandbox):
    follow(run, "dy_3", "dy_20", "xhs_3", "xhs_20")
    run("creator", "--follow")
    before = len(asked())
    for route in LISTS:
        sandbox.faults.add(route, "slow_headers", times=None, seconds=1.5)
    first = run("creator", "--follow", "--deadline", "3", TIKOMNI_GLOBAL_QPS="2")
    assert first.document["status"] == "partial"
    sandbox.faults.reset()
    machine.variables["TIKOMNI_DEADLINE_SEC"] = "60"
    words = first.document["next"][0]["command"].replace("--deadline 3", "")
    again = machine.paste(words)
    assert again.document["status"] == "complete", again.stdout
    assert len(asked()) - before <= 10


def test_new_works_with_words_of_markup_do_nothing_in_the_digest(run, list_path):
    follow(run, "dy_3")
    text = Path(run("creator", "--follow").document["result"]["digest_path"]).read_text("utf-8")
    assert "<script" not in text and text.startswith("# 追更")


def test_the_list_is_a_users_file(run, list_path, asked):
    follow(run, "dy_20")
    text = "# mine\n\n" + list_path.read_text("utf-8") + "# below\n- '" + key("xhs_20") + "'   # 竞品\n"
    list_path.write_text(text, "utf-8")
    added = run("follow", "add", key("dy_60"), links["dy_20"].url).document["result"]
    assert [row["key"] for row in added["added"]] == [key("dy_60")] and added["already"] == 1
    listed = run("follow", "list").document["result"]["creators"]
    assert [row["key"] for row in listed] == [key("dy_20"), key("xhs_20"), key("dy_60")]
    run("follow", "remove", key("xhs_20"))
    assert list_path.read_text("utf-8") == text.replace(f"- '{key('xhs_20')}'   # 竞品\n", "") + f"- {key('dy_60')}\n"
    assert asked() == []


def test_a_creator_that_was_read_is_added_by_name_and_stands_with_it(run, list_path):
    run("creator", links["dy_3"].url, "--no-transcripts")
    name = crowd.PROFILES["dy_3"].creator.nickname
    assert run("follow", "add", name).document["result"]["added"][0]["key"] == key("dy_3")
    assert list_path.read_text("utf-8").endswith(f"- {key('dy_3')}  # {name}\n")


def test_a_name_that_fits_several_lists_them(run, list_path):
    run("creator", links["dy_3"].url, links["xhs_3"].url, "--no-transcripts")
    ran = run("follow", "add", "日记")
    assert ran.exit_status == 2 and key("dy_3") in ran.document["error"]["message"] and not list_path.exists()


def test_another_list_is_followed_from_anywhere(run, machine, list_path, tmp_path):
    (tmp_path / "rivals.yaml").write_text(f"- {key('dy_1')}\n", "utf-8")
    ran = run("creator", "--follow", str(tmp_path / "rivals.yaml"), cwd=machine.home)
    assert ran.document["result"]["followed"] == 1 and not list_path.exists()


def test_a_dry_run_says_what_is_asked_and_asks_nothing(run, list_path, asked):
    follow(run, "dy_20", "xhs_20")
    plan = run("creator", "--follow", "--dry-run").document["result"]
    assert (plan["profile_calls"], plan["list_calls"], plan["first_reading_count"]) == (2, 2, 2) and asked() == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("creators: {a: b}\n", "list"),
        ("- [1, 2]\n", "list"),
        ("- ok: 'unclosed\n", "YAML"),
        ("- https://example.invalid/somebody\n", "names no creator"),
        ("- \x00\n", ""),
        ("", "nobody"),
    ],
)
def test_a_list_that_is_none_is_told(run, list_path, asked, text, told):
    list_path.parent.mkdir(parents=True, exist_ok=True)
    list_path.write_text(text, "utf-8")
    ran = run("creator", "--follow")
    assert ran.exit_status == 2 and asked() == []
    assert ran.document["error"]["code"] in ("invalid_input", "no_input") and told in ran.document["error"]["message"]


@pytest.mark.parametrize(
    "words",
    [
        ("follow", "add"),
        ("follow", "add", "https://example.invalid/x"),
        ("follow", "add", links["dy_video"].url),
        ("follow", "remove", "douyin:MS4wLjABAAAAnobodynobodynobody"),
        ("follow", "feed"),
        ("follow", "list", "x"),
        ("creator", "--follow", "--since", "7d"),
        ("creator", "--follow", "follow.yaml", "somebody"),
        ("creator", "--follow", "--analyst", "openai-compatible"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_asked(run, list_path, asked, words):
    ran = run(*words)
    assert ran.exit_status == 2 and ran.document["error"]["message"] and asked() == []
    assert not list_path.exists()
