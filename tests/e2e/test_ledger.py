"""Paid once, whatever happens: from other folders, after kills, under budgets, on broken disks; and told by runs."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tikomni.sandbox import links

DETAIL = "douyin.app.v3.fetch_one_video"
SUBMIT = "u2.services.audio.asr.transcription"
VIDEO, PICTURES = links["dy_video"].url, links["dy_pictures"].url
CALL = ("route", "call", DETAIL, f"aweme_id={links['dy_pictures'].id}")
PAYING = {"work": ("work", PICTURES), "route": CALL, "auth": ("auth", "--billed")}


@pytest.fixture
def state(machine) -> Path:
    return machine.home / ".local" / "share" / "tikomni"


def sql(path: Path, statement: str) -> list[tuple]:
    db = sqlite3.connect(path)
    try:
        return db.execute(statement).fetchall()
    finally:
        db.close()


@pytest.fixture
def ledger(state):
    """What plain ``sqlite3`` says of the user's ledger."""
    return lambda statement: sql(state / "ledger.sqlite3", statement)


def wait_until(condition, process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


# --- runs


@pytest.mark.parametrize("name", PAYING)
def test_every_command_that_pays_is_a_run(run, ledger, machine, name):
    document = run(*PAYING[name]).document
    (row,) = ledger("SELECT run_id, command, folder, status, cost, ended_at IS NOT NULL FROM runs")
    assert row[0] == document["run_id"] and row[3] == "complete" and row[5]
    assert row[1] == " ".join(PAYING[name][: 2 if name == "route" else 1]) and row[2] == str(machine.cwd)
    assert json.loads(row[4]) == document["cost"]
    assert ledger("SELECT DISTINCT run_id FROM calls") == [(row[0],)]
    assert ledger("SELECT billed, usd FROM run_costs") == [(1, 0.001)]


def test_what_cannot_pay_is_no_run(run, state):
    run("work", PICTURES, "--dry-run"), run("route", "find", "douyin"), run("config", "show"), run("work", "nothing")
    assert not (state / "ledger.sqlite3").exists()


def test_a_run_that_fails_says_how(run, ledger, sandbox):
    sandbox.faults.add("*", "status", status=402, times=None)
    run("work", PICTURES), run(*CALL)
    assert ledger("SELECT status FROM runs ORDER BY started_at") == [("quota",), ("quota",)]


def test_no_header_and_no_key_stands_in_a_run(run, ledger, machine, sandbox):
    run(*CALL, "--headers-json", '{"X-Token": "of-nobodys-business"}')
    run(*CALL, '--headers-json={"X-Token": "of-nobodys-business"}', "--select", f"'{sandbox.key}'")
    told = str(ledger("SELECT * FROM runs"))
    assert "nobodys-business" not in told and sandbox.key not in told and "aweme_id" in told


@pytest.mark.skipif(os.name == "nt", reason="no signals")
@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, "partial"), (signal.SIGKILL, None)])
def test_a_run_that_is_stopped_is_still_told_of(machine, sandbox, asked, ledger, how, status):
    sandbox.faults.add(SUBMIT, "asr", times=1, stuck=True)
    process = machine.start("work", VIDEO)
    wait_until(lambda: "u2.tasks" in asked(), process)
    process.send_signal(how)
    process.communicate(timeout=30)
    assert ledger("SELECT status, billed FROM run_costs") == [(status, 1)]


# --- paid once


def test_any_folder_finds_what_another_has_paid_for(machine, sandbox, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    machine.run("work", VIDEO, PICTURES)
    before = sandbox.bill.as_dict()
    again = machine.run("work", VIDEO, PICTURES, cwd=other)
    assert again.document["status"] == "complete" and again.document["cost"]["calls"] == 0
    assert sandbox.bill.as_dict() == before


def test_another_account_and_another_upstream_find_nothing(run, sandbox):
    run(*CALL)
    localhost = sandbox.base_url.replace("127.0.0.1", "localhost")
    for variables in ({"TIKOMNI_BASE_URL": localhost}, {"TIKOMNI_API_KEY": "sk-of-somebody-else-1"}):
        assert run(*CALL, **variables).document.get("cost", {"cached_calls": 0})["cached_calls"] == 0


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_call_that_was_killed_is_asked_again_once_and_counted(machine, sandbox, asked, ledger):
    sandbox.faults.add(DETAIL, "slow_headers", times=1, seconds=5)
    process = machine.start(*CALL)
    wait_until(lambda: asked() or sandbox.bill.billed_calls, process)
    process.kill()
    process.communicate()
    assert ledger("SELECT outcome FROM calls") == [(None,)]
    ran = machine.run(*CALL)
    assert ran.document["cost"]["repeated_calls"] == 1 and ran.document["cost"]["billed_calls"] == 1
    third = machine.run(*CALL).document["cost"]
    assert third["calls"] == 0 and "repeated_calls" not in third
    assert ledger("SELECT outcome FROM calls ORDER BY id") == [("lost",), ("ok",)]


def test_two_commands_that_want_the_same_at_once_make_one_call(machine, sandbox, asked):
    sandbox.faults.add(DETAIL, "slow_headers", times=None, seconds=2)
    both = [machine.start("work", PICTURES, "--output-root", str(machine.home / str(n))) for n in range(2)]
    documents = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert [d["status"] for d in documents] == ["complete"] * 2 and asked() == [DETAIL]


# --- budgets


@pytest.mark.parametrize("limit", [("--max-calls", "0"), ("--max-cost", "0.0005")])
@pytest.mark.parametrize("name", PAYING)
def test_what_would_pass_the_budget_is_not_sent(run, asked, name, limit):
    ran = run(*PAYING[name], *limit)
    assert (ran.exit_status, ran.document["error"]["code"]) == (4, "budget")
    assert limit[0] in ran.document["error"]["message"] and asked() == []


def test_what_was_done_within_the_budget_is_kept(run, sandbox):
    ran = run("work", PICTURES, links["dy_live_photos"].url, "--max-cost", "0.001", "--no-transcript")
    assert (ran.exit_status, ran.document["status"]) == (3, "partial")
    assert sorted(row["status"] for row in ran.document["result"]["works"]) == ["complete", "failed"]
    assert sandbox.bill.usd == 0.001


def test_a_negative_budget_is_a_slip(run, asked):
    ran = run("work", PICTURES, "--max-cost", "-1")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "usage") and asked() == []


# --- giving up


def test_a_dead_upstream_ends_the_run_and_the_next_one_goes_on(machine, run, sandbox, asked):
    names = ("dy_video", "dy_pictures", "dy_old", "dy_clip", "dy_guarded", "dy_live_photos", "dy_after_midnight")
    inputs = [links[name].url for name in names]
    sandbox.faults.add("*", "status", status=504, times=None)
    ran = run("work", *inputs, "--no-transcript", TIKOMNI_TIMEOUT_RETRY_MAX="1")
    assert ran.exit_status == 1 and ran.document["error"]["code"] == "upstream"
    assert ran.document["error"]["retryable"] and ran.document["cost"]["billed_calls"] == 0
    assert len(asked()) <= 2 * (5 + 8), "five in a row end it, with those that were under way"
    sandbox.faults.reset()
    assert machine.paste(ran.document["next"][0]["command"]).document["ok"]


# --- disks and files


def test_a_damaged_ledger_is_set_aside_and_said(run, state):
    run(*CALL)
    path = state / "ledger.sqlite3"
    sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    held = b"garbage!" * (path.stat().st_size // 8)
    path.write_bytes(held)
    ran = run(*CALL)
    aside = next(state.glob("ledger.sqlite3.damaged-*"))
    assert ran.document["status"] == "complete" and aside.read_bytes() == held
    assert any(str(aside) in w for w in ran.document["warnings"])
    assert "warnings" not in run(*CALL).document


def test_a_damaged_limiter_or_library_stops_nobody(run, state):
    run("work", PICTURES)
    for name in ("limiter", "library"):
        path = state / f"{name}.sqlite3"
        sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")
        path.write_bytes(b"garbage!" * 1000)
    ran = run("work", PICTURES)
    assert ran.document["status"] == "complete" and len(ran.document["warnings"]) == 2
    assert ran.document["cost"]["calls"] == 0


def test_a_ledger_that_another_program_holds_is_waited_for(machine, state):
    machine.run(*CALL)
    holder = sqlite3.connect(state / "ledger.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    process = machine.start(*CALL)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=2)
    holder.execute("ROLLBACK")
    holder.close()
    assert json.loads(process.communicate(timeout=30)[0])["status"] == "complete"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="a small disk can be mounted by root alone")
def test_an_answer_that_finds_no_room_is_printed_and_told_as_paid(machine, sandbox, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        machine.variables["TIKOMNI_STATE_DIR"] = str(disk / "state")
        assert machine.run("auth", "--billed").document["status"] == "complete"
        sandbox.faults.add(DETAIL, "slow_headers", times=1, seconds=3)
        process = machine.start(*CALL)
        wait_until(lambda: sandbox.bill.calls[DETAIL], process)
        free = os.statvfs(disk)
        (disk / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize))
        out, _ = process.communicate(timeout=60)
        document = json.loads(out)
        assert document["status"] == "complete" and document["cost"]["billed_calls"] == 1
        assert "saved_to" in document["result"] and any("could not be kept" in w for w in document["warnings"])
        (disk / "filler").unlink()
        assert machine.run(*CALL).document["cost"]["repeated_calls"] == 1
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_flags_that_bound_a_run_are_the_same_everywhere(run):
    for words in (("work",), ("route", "call"), ("auth",)):
        said = run(*words, "--help").stdout
        flags = ("--max-calls", "--max-cost", "--max-asr-seconds", "--no-resubmit", "--fresh", "--max-age")
        assert all(re.search(rf"^\s+{flag}\b", said, re.M) for flag in flags), words
