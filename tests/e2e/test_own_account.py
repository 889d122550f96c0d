"""A user's own account: read only when that was allowed, and the cookie that opens it stands nowhere."""

from __future__ import annotations

import json
import shlex
import sqlite3
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import COOKIE, links

GROUP = "douyin.creator_v2."
VARIABLE = "TIKOMNI_DOUYIN_CREATOR_COOKIE_FILE"
FILM = links["dy_video"].id
DAYS = ["start_date=20260825", "end_date=20261122"]
WINDOW = [1787587200000, 1795363200000]  # the same days
OVERVIEW = f"{GROUP}fetch_item_overview_data"
ROUTES = {
    "fetch_author_diagnosis": [],
    "fetch_item_analysis_involved_vertical": DAYS,
    "fetch_item_analysis_item_performance": [*DAYS, 'primary_verticals=["家居"]'],
    "fetch_item_analysis_overview": [*DAYS, 'primary_verticals=["家居"]'],
    "fetch_item_audience_others": [f"item_id={FILM}"],
    "fetch_item_audience_portrait": [f"item_id={FILM}"],
    "fetch_item_danmaku_analysis": [f"item_id={FILM}"],
    "fetch_item_list": [f"start_time={WINDOW[0]}", f"end_time={WINDOW[1]}"],
    "fetch_item_list_download": [f"min_cursor={WINDOW[0]}", f"max_cursor={WINDOW[1]}"],
    "fetch_item_overview_data": [f"ids={FILM}"],
    "fetch_item_play_source": [f"item_id={FILM}"],
    "fetch_item_search_keyword": [f"item_id={FILM}"],
    "fetch_item_watch_trend": [f"item_id={FILM}"],
    "fetch_live_room_history_list": ["start_date=2026-09-01", "end_date=2026-11-22"],
}
OF_NOBODY = "sessionid=0f0e0d0c0b0a09080706050403020100; uid_tt=77777777deadbeef"
RECIPE = Path(__file__).resolve().parents[2] / "skills" / "meta-capability" / "references" / "own-account.md"


@pytest.fixture
def cookie_file(tmp_path):
    """Write a cookie where only its owner can read it; the variable that names the file."""

    def write(text: str = COOKIE, mode: int = 0o600, name: str = "cookie") -> dict[str, str]:
        path = tmp_path / name
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(mode)
        return {VARIABLE: str(path)}

    return write


@pytest.fixture
def call(run):
    """Call a route of the account with the inputs that it needs and what else is given."""
    return lambda name, *words, **variables: run("route", "call", GROUP + name, *ROUTES[name], *words, **variables)


def code(ran) -> tuple[int, str]:
    return ran.exit_status, ran.document["error"]["code"]


@pytest.mark.parametrize("name", ROUTES)
def test_each_route_of_the_account(call, cookie_file, sandbox, asked, name):
    cookie = cookie_file()
    assert code(call(name, **cookie)) == (4, "effect_refused")

    missing = call(name, "--allow", "account_read")
    assert code(missing) == (2, "config")
    assert VARIABLE in missing.document["error"]["message"] and "600" in missing.document["error"]["hint"]

    typed = call(name, f"cookie={COOKIE}", "--allow", "account_read", **cookie)
    assert code(typed) == (2, "invalid_input") and VARIABLE in typed.document["error"]["hint"]

    open_to_all = cookie_file(mode=0o644, name="open")
    shared = call(name, "--allow", "account_read", **open_to_all)
    assert code(shared) == (2, "config")
    assert f"chmod 600 {open_to_all[VARIABLE]}" in shared.document["error"]["hint"]

    dry = call(name, "--dry-run", "--allow", "account_read", **cookie)
    assert dry.document["result"]["request"]["body"]["cookie"] == "…" and COOKIE[:20] not in dry.stdout
    assert not asked() and not sandbox.requests

    done = call(name, "--allow", "account_read", **cookie)
    assert (done.exit_status, done.document["status"]) == (0, "complete"), done.stdout
    assert sandbox.requests[-1].inputs["cookie"] == COOKIE and sandbox.bill.billed_calls == 1
    assert tokens(done.stdout) <= TOKEN_BUDGET

    again = call(name, "--allow", "account_read", **cookie).document
    assert (again["cost"]["calls"], again["cost"]["cached_calls"]) == (0, 1)

    wrong = call(name, "--allow", "account_read", **cookie_file(OF_NOBODY, name="wrong"))
    assert code(wrong) == (1, "rejected_input") and "Cookie" in wrong.document["error"]["message"]
    assert sandbox.bill.billed_calls == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--params-json", json.dumps({"cookie": COOKIE, "ids": FILM})],
        ["--body-json", json.dumps({"cookie": COOKIE, "ids": FILM})],
        [f"ids={FILM}", "--headers-json", json.dumps({"Cookie": COOKIE})],
    ],
)
def test_a_cookie_on_the_command_line_is_refused_in_every_form(run, machine, cookie_file, sandbox, words):
    for route in ([OVERVIEW], ["POST", "/api/u1/v1/douyin/creator_v2/fetch_item_overview_data"]):
        refused = run("route", "call", *route, *words, "--allow", "account_read", **cookie_file())
        assert code(refused) == (2, "invalid_input") and VARIABLE in refused.document["error"]["hint"]
    assert not sandbox.requests
    assert not list(leaks(machine, COOKIE))


def test_an_optional_cookie_on_the_command_line_is_refused_too(run, machine, sandbox):
    refused = run("route", "call", "GET", f"/api/u1/v1/douyin/web/fetch_user_post_videos?sec_user_id=x&cookie={COOKIE}")
    assert code(refused) == (2, "invalid_input") and not sandbox.requests
    assert not list(leaks(machine, COOKIE))


@pytest.mark.parametrize(
    ("text", "told"), [("", "empty"), ("a=1\nb=2", "one line"), (None, "cannot be read")], ids=["empty", "two", "none"]
)
def test_a_file_that_holds_no_cookie_is_named(call, cookie_file, sandbox, tmp_path, text, told):
    variables = {VARIABLE: str(tmp_path / "nowhere")} if text is None else cookie_file(text)
    ran = call("fetch_author_diagnosis", "--allow", "account_read", **variables)
    assert code(ran) == (2, "config") and told in ran.document["error"]["message"]
    assert not sandbox.requests


def test_a_file_saved_by_a_windows_editor_is_read(call, cookie_file, sandbox):
    assert (
        call("fetch_author_diagnosis", "--allow", "account_read", **cookie_file("\ufeff" + COOKIE + "\r")).exit_status
        == 0
    )


def test_the_cookie_may_stand_in_a_variable_of_the_platform(call, cookie_file, sandbox):
    assert call("fetch_author_diagnosis", "--allow", "account_read", TIKOMNI_DOUYIN_COOKIE=COOKIE).exit_status == 0
    both = call("fetch_author_diagnosis", "--allow", "account_read", TIKOMNI_DOUYIN_COOKIE=OF_NOBODY, **cookie_file())
    assert both.exit_status == 0  # the more particular name counts


def test_another_cookie_is_another_account(call, cookie_file, sandbox):
    call("fetch_author_diagnosis", "--allow", "account_read", **cookie_file())
    wrong = call("fetch_author_diagnosis", "--allow", "account_read", **cookie_file(OF_NOBODY, name="wrong"))
    assert not wrong.document["ok"]


def test_a_cookie_that_is_the_whole_body(run, machine, sandbox, tmp_path):
    route, file, ttwid = "douyin.web.fetch_query_user", tmp_path / "ttwid", "ttwid=1%7Cmade-up-visitor%7C0f0e0d0c"
    file.write_text(ttwid, encoding="utf-8")
    file.chmod(0o600)
    cookie = {"TIKOMNI_DOUYIN_WEB_COOKIE_FILE": str(file)}
    for words in (
        ["--body-json", json.dumps(ttwid)],
        [f"body={ttwid}"],
        ["--params-json", json.dumps({"body": ttwid})],
    ):
        refused = run("route", "call", route, *words, **cookie)
        assert code(refused) == (2, "invalid_input") and "TIKOMNI_DOUYIN_WEB_COOKIE_FILE" in refused.stdout
    missing = run("route", "call", route)
    assert code(missing) == (2, "config") and "TIKOMNI_DOUYIN_WEB_COOKIE_FILE" in missing.stdout
    dry = run("route", "call", route, "--dry-run", **cookie)
    assert dry.document["result"]["request"]["body"] == "…"
    assert not sandbox.requests

    sandbox.faults.add(route, "status", status=400, message=f"refused: {ttwid}")
    aloud = run("route", "call", route, **cookie)
    assert code(aloud) == (1, "rejected_input")
    done = run("route", "call", route, **cookie)
    assert done.exit_status == 0 and sandbox.requests[-1].inputs["body"] == ttwid
    assert run("route", "call", route, **cookie).document["cost"]["calls"] == 0
    assert not list(leaks(machine, ttwid, aloud.stdout, aloud.stderr, done.stdout, done.stderr))


# --- where the cookie must not be


def secrets(cookie: str) -> set[str]:
    """The cookie as a whole, as it stands within JSON, and each value in it."""
    values = (pair.partition("=")[2].strip('"') for pair in cookie.split("; "))
    return {cookie, json.dumps(cookie)[1:-1], *values}


def texts(machine) -> Iterator[tuple[str, bytes]]:
    """Every file that a run could have written, and the answers that are packed in its tables."""
    for root in (machine.home, machine.cwd):
        for path in (p for p in root.rglob("*") if p.is_file()):
            yield str(path), path.read_bytes()
            if path.suffix == ".sqlite3":
                yield from cells(path)
            if path.suffix == ".xlsx":
                with zipfile.ZipFile(path) as file:
                    yield from ((f"{path}!{name}", file.read(name)) for name in file.namelist())


def cells(path: Path) -> Iterator[tuple[str, bytes]]:
    with sqlite3.connect(path) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in names:
            for row in database.execute(f"SELECT * FROM {table}"):
                for value in row:
                    if isinstance(value, bytes):
                        yield f"{path}:{table}", zlib.decompress(value)
                    elif isinstance(value, str):
                        yield f"{path}:{table}", value.encode()


def leaks(machine, cookie: str, *printed: str) -> Iterator[tuple[str, str]]:
    found = [*texts(machine), *(("printed", text.encode()) for text in printed)]
    for secret in secrets(cookie):
        yield from ((where, secret) for where, data in found if secret.encode() in data)


def test_the_cookie_stands_nowhere(call, machine, cookie_file, monkeypatch):
    cookie, printed = cookie_file(), []
    forms = cycle(([], ["--full"], ["--select", "@"], ["--save", str(machine.cwd / "saved.json")], ["--dry-run"]))
    for name, words in zip((*ROUTES, *ROUTES), forms, strict=False):
        ran = call(name, *words, "--allow", "account_read", TIKOMNI_TRACEBACK="1", **cookie)
        assert ran.exit_status == 0, ran.stdout
        printed += [ran.stdout, ran.stderr]
    for form in ("json", "jsonl", "csv"):
        ran = call("fetch_item_list", "--allow", "account_read", "--pages", "2", "--format", form, **cookie)
        printed += [ran.stdout, ran.stderr]
    half = COOKIE[10:26]  # texts are cut to fit, and half of a secret is one too
    assert not [text for text in printed if half in text]
    looked_at = [where for where, _ in texts(machine)]
    assert any(where.endswith(":calls") for where in looked_at) and any(where.endswith(".csv") for where in looked_at)
    assert not list(leaks(machine, COOKIE, *printed))


def test_a_refused_cookie_stands_nowhere_either(call, machine, cookie_file):
    ran = call("fetch_author_diagnosis", "--allow", "account_read", **cookie_file(OF_NOBODY))
    assert code(ran) == (1, "rejected_input")
    assert not list(leaks(machine, OF_NOBODY, ran.stdout, ran.stderr))


@pytest.mark.parametrize("before", [0, 250, 285])
def test_an_upstream_that_says_the_cookie_aloud(call, machine, cookie_file, sandbox, before):
    """Messages are cut to a length; a secret that is cut in two is a secret all the same."""
    aloud = f"{'x' * before} {COOKIE}"
    sandbox.faults.add(GROUP + "fetch_author_diagnosis", "status", status=400, message=aloud)
    ran = call("fetch_author_diagnosis", "--allow", "account_read", **cookie_file())
    assert code(ran) == (1, "rejected_input")
    assert not list(leaks(machine, COOKIE, ran.stdout, ran.stderr))
    half = COOKIE[10:26].encode()
    assert not [where for where, data in [*texts(machine), ("printed", ran.stdout.encode())] if half in data]


def command_lines(pid: int) -> Iterator[bytes]:
    """Those of a process and of all that it has started, as far as they live."""
    try:
        yield Path(f"/proc/{pid}/cmdline").read_bytes()
        children = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return
    for child in " ".join(children).split():
        yield from command_lines(int(child))


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc")
def test_no_process_shows_the_cookie_in_its_command_line(machine, cookie_file, sandbox):
    sandbox.faults.add(GROUP + "fetch_author_diagnosis", "slow_headers", seconds=1.5)
    words = ["route", "call", GROUP + "fetch_author_diagnosis", "--allow", "account_read"]
    process = machine.start(*words, **cookie_file())
    shown = b""
    while process.poll() is None:
        shown += b"".join(command_lines(process.pid))
        time.sleep(0.1)
    process.communicate()
    assert process.returncode == 0 and b"fetch_author_diagnosis" in shown
    assert not [secret for secret in secrets(COOKIE) if secret.encode() in shown]


# --- the file of all works


def test_the_spreadsheet_is_saved_under_its_own_name_and_paid_for_once(call, machine, cookie_file, sandbox):
    ran = call("fetch_item_list_download", "--allow", "account_read", **cookie_file())
    result = ran.document["result"]
    path = Path(result["saved_to"])
    assert path.name == "作品列表_2026-08-25-00-00~2026-11-23-00-00.xlsx"
    assert path.is_relative_to(machine.cwd / "tikomni-output" / "_runs")
    assert result["bytes"] == path.stat().st_size and result["content_type"].endswith("spreadsheetml.sheet")
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert "空调不制冷" in file.read("xl/sharedStrings.xml").decode()
    again = call("fetch_item_list_download", "--allow", "account_read", **cookie_file())
    assert again.document["cost"]["calls"] == 0 and sandbox.bill.billed_calls == 1
    assert Path(again.document["result"]["saved_to"]).read_bytes() == path.read_bytes()


def test_an_error_instead_of_the_spreadsheet_is_not_taken_for_one(call, cookie_file, sandbox):
    sandbox.faults.add(GROUP + "fetch_item_list_download", "html", times=None)
    ran = call("fetch_item_list_download", "--allow", "account_read", **cookie_file())
    assert code(ran) == (1, "upstream")


def test_the_list_goes_on_page_by_page_and_its_next_command_holds_no_cookie(call, cookie_file, asked):
    page = call("fetch_item_list", "count=5", "--allow", "account_read", "--pages", "2", **cookie_file()).document
    assert (page["result"]["pages"], page["result"]["items"], page["result"]["stop_reason"]) == (2, 10, "pages")
    [following] = page["next"]
    assert "cursor=10" in following["command"] and "--allow=account_read" in following["command"]
    assert "cookie" not in following["command"].lower()
    assert len(asked()) == 2


# --- the recipe


def commands() -> list[str]:
    fenced = RECIPE.read_text("utf-8").split("```bash\n")[1:]
    lines = [line for block in fenced for line in block.split("```")[0].splitlines()]
    return [line for line in lines if line.startswith("python3 ")]


def test_every_command_of_the_recipe_runs(machine, cookie_file, sandbox):
    assert len(commands()) >= 5 and len(RECIPE.read_text("utf-8").splitlines()) <= 60
    environ = machine.environ(TIKOMNI_PYTHON_OK="1", **cookie_file())
    for command in commands():
        words = shlex.split(command.replace("SKILL_DIR", str(RECIPE.parents[1])))
        done = subprocess.run(
            [sys.executable, *words[1:]], cwd=machine.cwd, env=environ, capture_output=True, text=True, encoding="utf-8"
        )
        document = json.loads(done.stdout)
        assert (done.returncode, document["status"]) == (0, "complete"), (command, done.stdout)
        assert tokens(done.stdout) <= TOKEN_BUDGET
        assert "selection" not in document["result"] or document["result"]["selection"], command
    assert VARIABLE in RECIPE.read_text("utf-8")
