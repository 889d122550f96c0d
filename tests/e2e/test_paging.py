"""Pages of a list: as many as were asked for, each paid for once, and never a false word about where it ends."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import Sandbox, links

POSTS = "douyin.app.v3.fetch_user_post_videos"
ONE = "douyin.app.v3.fetch_one_video"
NOTES = "xiaohongshu.app_v2.get_user_posted_notes"
REPAIR = ["route", "call", POSTS, f"sec_user_id={links['repair'].id}"]
KITCHEN = ["route", "call", NOTES, f"user_id={links['kitchen'].id}"]
# A creator's command, where an entry has its id, all works, works on a page.
CREATORS = pytest.mark.parametrize(
    ("command", "name", "works", "page"), [(REPAIR, "aweme_id", 27, 20), (KITCHEN, "id", 22, 10)]
)


def saved(ran: Any) -> Any:
    return json.loads(Path(ran.document["result"]["saved_to"]).read_text("utf-8"))


def entries(ran: Any) -> list[dict[str, Any]]:
    """The entries in the file that a run left, whether it holds a whole answer or entries alone."""
    found = saved(ran)
    while isinstance(found, dict):
        found = next((found[name] for name in ("aweme_list", "notes", "data") if name in found), [])
    return found


def told(ran: Any) -> tuple[int, str, str, int, int]:
    """Exit status, status, why it stopped, pages, entries."""
    document = ran.document
    result = document["result"]
    return ran.exit_status, document["status"], result["stop_reason"], result["pages"], result["items"]


@pytest.fixture
def go_on(machine, tmp_path) -> Callable[[Any], Any]:
    """Pastes a run's next command into a shell, in another folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    return lambda ran: machine.paste(ran.document["next"][0]["command"], elsewhere)


# --- creators of the sandbox's world


@CREATORS
def test_one_page_unless_more_are_asked_for(run, go_on, command, name, works, page):
    first = run(*command)
    assert told(first) == (0, "complete", "pages", 1, page)
    second = go_on(first)
    assert told(second)[1:4] == ("complete", "pages" if works > 2 * page else "no_more", 1)
    ids = {row[name] for row in entries(first)} | {row[name] for row in entries(second)}
    assert len(ids) == min(works, 2 * page)
    assert second.document["cost"]["billed_calls"] == 1


@CREATORS
def test_all_pages_bring_every_work_once(run, asked, command, name, works, page):
    ran = run(*command, "--pages", "all")
    pages = -(-works // page)
    assert told(ran) == (0, "complete", "no_more", pages, works)
    assert len({row[name] for row in entries(ran)}) == works and "next" not in ran.document
    assert len(asked()) == pages


def test_two_of_three_pages(run, go_on):
    first = run(*KITCHEN, "--pages", "2")
    assert told(first) == (0, "complete", "pages", 2, 20)
    assert told(go_on(first)) == (0, "complete", "no_more", 1, 2)


@CREATORS
def test_so_many_entries_and_the_rest_of_their_page_is_not_lost(run, go_on, command, name, works, page):
    first = run(*command, "--pages", "all", "--max-items", "15")
    assert told(first)[:3] == (0, "complete", "max_items") and len(entries(first)) == 15
    second = go_on(first)
    assert {row[name] for row in entries(first)}.isdisjoint(row[name] for row in entries(second))
    assert len(entries(second)) == works - 15
    costs = [ran.document["cost"] for ran in (first, second)]
    assert sum(cost["calls"] for cost in costs) == -(-works // page), "the page that was cut is not paid for again"


def test_exactly_a_page_of_entries(run, go_on):
    first = run(*KITCHEN, "--pages", "all", "--max-items", "10")
    assert told(first) == (0, "complete", "max_items", 1, 10)
    assert told(go_on(first))[2:] == ("max_items", 1, 10)


def test_what_is_allowed_is_spent_and_no_more(run, go_on, sandbox):
    first = run(*REPAIR, "--pages", "all", "--max-calls", "1")
    assert told(first) == (3, "partial", "max_calls", 1, 20)
    assert sandbox.bill.billed_calls == 1
    whole = run(*REPAIR, "--pages", "all").document
    assert (whole["cost"]["calls"], whole["cost"]["cached_calls"], whole["result"]["items"]) == (1, 1, 27)
    rest = go_on(first)
    assert told(rest) == (0, "complete", "no_more", 1, 7) and rest.document["cost"]["calls"] == 0


def test_a_first_page_that_is_not_allowed_is_refused(run, asked):
    ran = run(*REPAIR, "--max-calls", "0")
    assert (ran.exit_status, ran.document["error"]["code"]) == (4, "budget") and asked() == []


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"kind": "status", "status": 502}, "page_failed_upstream"),
        ({"kind": "status", "status": 402}, "page_failed_quota"),
        ({"kind": "error_code", "code": 500, "inner": True}, "page_failed_upstream"),
        ({"kind": "cut"}, "page_failed_upstream"),
    ],
)
def test_a_page_that_fails_keeps_what_came_before_it(run, go_on, sandbox, fault, why):
    sandbox.faults.add(POSTS, skip=1, times=None, **fault)
    first = run(*REPAIR, "--pages", "all", "--format", "jsonl")
    assert told(first) == (3, "partial", why, 1, 20)
    assert any("Page 2" in warning for warning in first.document["warnings"])
    lines = Path(first.document["result"]["saved_to"]).read_text("utf-8").splitlines()
    assert len(lines) == 20
    sandbox.faults.reset()
    paid = sandbox.bill.calls.copy()
    assert told(go_on(first)) == (0, "complete", "no_more", 1, 7)
    assert told(run(*REPAIR, "--pages", "all"))[1:] == ("complete", "no_more", 2, 27)
    assert sandbox.bill.calls[POSTS] == paid[POSTS] + 1


def test_the_first_page_fails_and_so_does_the_run(run, sandbox):
    sandbox.faults.add(POSTS, "status", status=502, times=None)
    ran = run(*REPAIR, "--pages", "all")
    assert (ran.exit_status, ran.document["error"]["code"]) == (1, "upstream")


def test_a_second_run_asks_for_nothing(run, asked):
    first = run(*KITCHEN, "--pages", "all")
    calls = len(asked())
    second = run(*KITCHEN, "--pages", "all")
    assert len(asked()) == calls and entries(second) == entries(first)
    assert (second.document["cost"]["calls"], second.document["cost"]["cached_calls"]) == (0, 3)


def test_the_next_command_takes_along_what_was_asked(run, go_on, machine, sandbox):
    env_file = machine.cwd / "an env"
    env_file.write_text(f"TIKOMNI_API_KEY={sandbox.key}\n", "utf-8")
    env_file.chmod(0o600)
    machine.variables["TIKOMNI_API_KEY"] = None
    first = run(*KITCHEN, "--format", "csv", "--select", "length(data.data.notes)", "--env-file", "an env")
    assert told(first)[1:3] == ("complete", "pages") and first.document["result"]["selection"] == 10
    second = go_on(first)
    assert second.document["result"]["saved_to"].endswith(".csv") and second.document["result"]["selection"] == 10


# --- files


def test_forms_of_the_file(run, tmp_path):
    rows = entries(run(*REPAIR, "--pages", "all", "--format", "json"))
    lines = run(*REPAIR, "--pages", "all", "--format", "jsonl").document["result"]["saved_to"]
    assert [json.loads(line) for line in Path(lines).read_text("utf-8").splitlines()] == rows
    table = run(*REPAIR, "--pages", "all", "--format", "csv", "--save", str(tmp_path / "my works.csv"))
    path = Path(table.document["result"]["saved_to"])
    assert path == tmp_path / "my works.csv" and path.stat().st_size == table.document["result"]["bytes"]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = list(csv.DictReader(file))
    assert [cell["aweme_id"] for cell in cells] == [row["aweme_id"] for row in rows]
    assert [cell["statistics.digg_count"] for cell in cells] == [str(row["statistics"]["digg_count"]) for row in rows]


def test_a_file_of_ones_own_choice(run, machine):
    run(*REPAIR, "--pages", "2", "--save", "rows.csv")
    run(*REPAIR, "--pages", "2", "--save", "rows.jsonl")
    assert not (machine.cwd / "rows.csv").read_text("utf-8-sig").startswith(("[", "{"))
    lines = (machine.cwd / "rows.jsonl").read_text("utf-8").splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    ran = run(*REPAIR, "--save", "page.json")
    assert ran.document["result"]["saved_to"] == str(machine.cwd / "page.json")
    assert len(saved(ran)["data"]["aweme_list"]) == 20
    assert run(*REPAIR, "--save", "rows.json", "--pages", "2").document["result"]["items"] == 27
    assert len(json.loads((machine.cwd / "rows.json").read_text("utf-8"))) == 27


@pytest.mark.parametrize("words", [["--save", "{folder}"], ["--save", "{file}/a.json"], ["--output-root", "{file}"]])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_paid_for(run, asked, tmp_path, words):
    (tmp_path / "file").write_text("x")
    places = {"folder": str(tmp_path), "file": str(tmp_path / "file")}
    ran = run(*REPAIR, *(word.format(**places) for word in words))
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "storage") and asked() == []


# --- answers that were made by hand


@pytest.fixture
def recorded(machine, tmp_path) -> Iterator[Callable[..., Sandbox]]:
    """An upstream with these answers: pairs of inputs (None: any) and ``data``, the most particular first."""
    with ExitStack() as open_ones:

        def start(route: str, *answers: tuple[dict[str, Any] | None, Any]) -> Sandbox:
            folder = tmp_path / "recorded"
            folder.mkdir()
            echo = {"max_cursor": "0", "cursor": "0", "page": "1", "has_more": "1"}
            bodies = [{"code": 200, "params": echo, "data": data} for _, data in answers]
            rows = [
                {"route": route, "inputs": inputs, "body": body}
                for (inputs, _), body in zip(answers, bodies, strict=True)
            ]
            (folder / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
            sandbox = open_ones.enter_context(Sandbox(replay=folder, rate=None))
            machine.variables["TIKOMNI_BASE_URL"] = sandbox.base_url
            return sandbox

        yield start


def test_a_small_answer_is_printed_whole_and_so_is_what_was_selected(run, recorded):
    data = {"rows": [{"id": n} for n in range(30)], "text": "x" * 700}
    recorded(ONE, (None, data))
    assert run("route", "call", ONE, "aweme_id=1").document["result"]["data"] == data
    chosen = run("route", "call", ONE, "aweme_id=1", "--select", "data.rows[].id").document["result"]
    assert chosen["selection"] == list(range(30))


def test_a_selection_that_finds_nothing_shows_what_is_there(run, recorded):
    recorded(ONE, (None, {"rows": [{"id": 1}]}))
    result = run("route", "call", ONE, "aweme_id=1", "--select", "data.items[].id").document["result"]
    assert result["selection"] is None
    assert result["outline"]["data"] == {"rows": ["list of 1", {"id": "integer"}]}


def test_an_answer_that_would_have_to_be_cut_is_saved(run, recorded):
    recorded(ONE, (None, {"text": "字" * 1200}))
    ran = run("route", "call", ONE, "aweme_id=1")
    assert len(saved(ran)["data"]["text"]) == 1200 and tokens(ran.stdout) <= TOKEN_BUDGET
    assert len(run("route", "call", ONE, "aweme_id=1", "--full").document["result"]["data"]["text"]) == 1200


def test_rows_of_an_answer_that_has_none_are_not_an_empty_table_without_a_word(run, recorded):
    recorded(ONE, (None, {"count": 3}))
    warnings = run("route", "call", ONE, "aweme_id=1", "--format", "csv").document["warnings"]
    assert "without --format" in warnings[0]


def page(*ids: int, **more: Any) -> dict[str, Any]:
    return {"aweme_list": [{"aweme_id": str(i)} for i in ids], **more}


def sent(sandbox: Sandbox, *names: str) -> list[tuple[Any, ...]]:
    """What was sent by these names, call by call."""
    return [tuple(seen.inputs.get(name) for name in names) for seen in sandbox.requests]


WALK = ["route", "call", POSTS, "sec_user_id=a", "--pages", "all"]


@pytest.mark.parametrize(
    ("has_more", "goes_on"),
    [
        (1, True), (0, False), (True, True), (False, False), ("1", True), ("0", False),
        ("true", True), ("false", False), ("False", False), ("", False),
    ],
)  # fmt: skip
def test_more_or_not_in_every_spelling(run, recorded, has_more, goes_on):
    sandbox = recorded(
        POSTS,
        ({"max_cursor": 5}, page(3, max_cursor=9, has_more=0)),
        (None, page(1, 2, max_cursor=5, has_more=has_more)),
    )
    ran = run(*WALK)
    assert told(ran)[:4] == (0, "complete", "no_more", 2 if goes_on else 1)
    assert len(sandbox.requests) == (2 if goes_on else 1)


@pytest.mark.parametrize("cursor", ["", None, -1, "-1", "no_more"])
def test_a_cursor_that_is_none_ends_the_list(run, recorded, cursor):
    recorded(POSTS, (None, page(1, max_cursor=cursor)))
    assert told(run(*WALK))[:3] == (0, "complete", "no_cursor")


def test_more_without_a_cursor_is_not_the_end(run, recorded):
    recorded(POSTS, (None, page(1, has_more=1)))
    assert told(run(*WALK)) == (3, "partial", "cursor_unknown", 1, 1)
    assert told(run(*WALK[:-2]))[:2] == (0, "complete"), "one page was asked for"


def test_a_cursor_that_comes_again(run, recorded):
    sandbox = recorded(
        POSTS, ({"max_cursor": 5}, page(3, max_cursor=5, has_more=1)), (None, page(1, 2, max_cursor=5, has_more=1))
    )
    ran = run(*WALK)
    assert told(ran) == (3, "partial", "cursor_repeated", 2, 3)
    assert len(sandbox.requests) == 2 and "next" not in ran.document
    assert "there may be more" in ran.document["warnings"][0]


def test_cursors_in_a_circle(run, recorded):
    sandbox = recorded(
        POSTS,
        ({"max_cursor": 5}, page(3, max_cursor=7, has_more=1)),
        ({"max_cursor": 7}, page(4, max_cursor=5, has_more=1)),
        (None, page(1, 2, max_cursor=5, has_more=1)),
    )
    assert told(run(*WALK)) == (3, "partial", "cursor_repeated", 3, 4)
    assert len(sandbox.requests) == 3


def test_the_cursor_that_was_asked_for_is_not_the_next_one(run, recorded):
    sandbox = recorded(POSTS, (None, page(1, max_cursor=0, has_more=1)))
    assert told(run(*WALK)) == (3, "partial", "cursor_repeated", 1, 1)
    assert len(sandbox.requests) == 1


def test_a_cursor_that_cannot_be_sent(run, recorded):
    sandbox = recorded(POSTS, (None, page(1, 2, max_cursor="not a number", has_more=1)))
    ran = run(*WALK)
    assert told(ran) == (3, "partial", "page_failed_invalid_input", 1, 2)
    assert len(sandbox.requests) == 1 and "next" not in ran.document
    assert "max_cursor must be a whole number" in ran.document["warnings"][0]


def test_an_entrys_own_cursor_is_never_the_pages(run, recorded):
    entry = {"aweme_id": "1", "max_cursor": 99, "cursor": 98, "has_more": 1, "comments": {"cursor": 97, "has_more": 1}}
    sandbox = recorded(POSTS, (None, {"aweme_list": [entry], "author": {"max_cursor": 96, "has_more": True}}))
    assert told(run(*WALK)) == (0, "complete", "no_cursor", 1, 1)
    assert len(sandbox.requests) == 1


def test_the_last_notes_cursor_where_the_contract_says_so(run, recorded):
    def notes(*ids: str, has_more: bool) -> dict[str, Any]:
        return {
            "data": {"notes": [{"id": i, "cursor": f"after {i}", "has_more": False} for i in ids], "has_more": has_more}
        }

    sandbox = recorded(
        NOTES, ({"cursor": "after b"}, notes("c", has_more=False)), (None, notes("a", "b", has_more=True))
    )
    assert told(run("route", "call", NOTES, "user_id=a", "--pages", "all")) == (0, "complete", "no_more", 2, 3)
    assert sent(sandbox, "cursor") == [(None,), ("after b",)]


def test_page_numbers(run, recorded, go_on):
    route = "bilibili.app.fetch_user_videos"
    # Beside a list stands the page that this is.
    pages = {n: {"item": [{"id": 2 * n}, {"id": 2 * n + 1}], "page": n} for n in (1, 2, 3)}
    sandbox = recorded(route, *(({"page": n}, pages[n]) for n in (2, 3)), ({"page": 4}, {"item": []}), (None, pages[1]))
    ran = run("route", "call", route, "user_id=1", "--pages", "all")
    assert told(ran) == (0, "complete", "empty_page", 4, 6)
    assert sent(sandbox, "page") == [(None,), (2,), (3,), (4,)]
    second = go_on(run("route", "call", route, "user_id=1", "page=2"))
    assert told(second)[2:] == ("pages", 1, 2) and len(sandbox.requests) == 4, "all of it was there"


def test_pages_that_are_all_the_same(run, recorded):
    route = "bilibili.app.fetch_user_videos"
    sandbox = recorded(route, (None, {"item": [{"id": 1}, {"id": 2}]}))
    assert told(run("route", "call", route, "user_id=1", "--pages", "all")) == (3, "partial", "page_repeated", 1, 2)
    assert len(sandbox.requests) == 2


def test_the_list_of_the_first_page_is_the_list(run, recorded):
    route = "bilibili.app.fetch_user_videos"
    up = {"badges": [{"name": "a"}, {"name": "b"}]}
    sandbox = recorded(route, ({"page": 2}, {"item": [], "up": up}), (None, {"item": [{"id": 1}], "up": up}))
    assert told(run("route", "call", route, "user_id=1", "--pages", "all")) == (0, "complete", "empty_page", 2, 1)
    assert len(sandbox.requests) == 2


def test_offsets_count_entries_and_what_travels_with_them_is_sent(run, recorded):
    route = "douyin.web.fetch_general_search_result"
    found = [{"data": [{"id": n} for n in ids], "extra": {"logid": f"log {ids}"}} for ids in ([1, 2, 3], [4, 5], [])]
    sandbox = recorded(route, ({"offset": 3}, found[1]), ({"offset": 5}, found[2]), (None, found[0]))
    assert told(run("route", "call", route, "keyword=猫", "--pages", "all"))[2:] == ("empty_page", 3, 5)
    assert sent(sandbox, "offset", "search_id") == [(None, None), (3, "log [1, 2, 3]"), (5, "log [4, 5]")]


def test_a_body_given_whole_goes_on_too(run, recorded, go_on):
    route = "douyin.search.fetch_general_search_v1"
    pages = [{"data": [{"id": n}], "cursor": n, "has_more": 1, "extra": {"logid": "log"}} for n in (10, 20)]
    sandbox = recorded(
        route, ({"cursor": 10}, pages[1]), ({"cursor": 20}, {"data": [{"id": 3}], "has_more": 0}), (None, pages[0])
    )
    first = run("route", "call", route, "--body-json", '{"keyword": "猫", "cursor": 0}', "--pages", "2")
    assert told(first)[2:] == ("pages", 2, 2)
    assert told(go_on(first))[2:] == ("no_more", 1, 1)
    assert sent(sandbox, "keyword", "cursor", "search_id") == [("猫", 0, None), ("猫", 10, "log"), ("猫", 20, "log")]


def test_hostile_words_stay_words(run, recorded, go_on):
    hostile = {"=1+1": '=HYPERLINK("http://a")', "nested": {"@x": "@SUM(A1)"}, "n": -5, "list": [1, "=2"]}
    recorded(POSTS, (None, {"aweme_list": [hostile], "max_cursor": 5, "has_more": 1}))
    ran = run(
        "route",
        "call",
        POSTS,
        "--params-json",
        json.dumps({"sec_user_id": "$(touch pwned) '`\"\n&;"}),
        "--format",
        "csv",
    )
    with Path(ran.document["result"]["saved_to"]).open(encoding="utf-8-sig", newline="") as file:
        header, cells = csv.reader(file)
    assert header == ["'=1+1", "nested.@x", "n", "list"]
    assert cells == ['\'=HYPERLINK("http://a")', "'@SUM(A1)", "-5", '[1, "=2"]']
    assert told(go_on(ran))[2] == "cursor_repeated"
    assert not list(Path(ran.document["result"]["saved_to"]).parents[4].rglob("pwned"))


@pytest.mark.parametrize("words", [["--pages", "0"], ["--pages", "some"], ["--max-items", "0"], ["--skip", "-1"]])
def test_numbers_that_mean_nothing(run, asked, words):
    ran = run(*REPAIR, *words)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "usage") and asked() == []


def test_what_goes_on_keeps_the_deadline(run):
    ran = run(*REPAIR, "count=2", "--deadline", "33.5")
    assert "--deadline=33.5" in ran.document["next"][0]["command"]
