"""What was spent, as a user asks for it."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tikomni.sandbox import links

DETAIL = "douyin.app.v3.fetch_one_video"
REAL = "https://api.tikomni.com"


@pytest.fixture
def spent(run, machine, tmp_path):
    """A ledger with a work with words, a call, and the same ledger as if the real upstream had answered."""
    machine.variables["TIKOMNI_STATE_DIR"] = str(tmp_path / "state")
    run("work", links["dy_video"].url)
    run("route", "call", DETAIL, f"aweme_id={links['dy_pictures'].id}")

    def change(sql: str, *values) -> None:
        with sqlite3.connect(tmp_path / "state" / "ledger.sqlite3") as ledger:
            ledger.execute(sql, values)

    return change


def cost(run, *words, **variables):
    return run("cost", "--full", *words, TIKOMNI_BASE_URL=None, TIKOMNI_API_KEY=None, **variables).document["result"]


def test_nothing_was_asked_yet_and_looking_makes_no_ledger(run, machine, tmp_path):
    machine.variables["TIKOMNI_STATE_DIR"] = str(tmp_path / "state")
    result = cost(run)
    assert result["total"]["calls"] == 0 and result["by_day"] == []
    assert not (tmp_path / "state").exists()


def test_a_sandboxes_calls_are_not_money(run, spent, sandbox):
    result = cost(run)
    assert result["total"]["calls"] == 0 and result["by_run"] == []
    assert result["sandbox"]["billed"] == sandbox.bill.billed_calls
    assert result["sandbox"]["asr_seconds"] == sandbox.bill.asr_seconds == 43


def test_every_view_adds_up_to_the_bill(run, spent, sandbox):
    spent("UPDATE calls SET base_url = ?", REAL)
    result = cost(run)
    for view in ("by_day", "by_provider", "by_route", "by_run"):
        for name in ("calls", "billed", "asr_seconds"):
            assert sum(row[name] for row in result[view]) == result["total"][name], (view, name)
    assert result["total"]["billed"] == sandbox.bill.billed_calls and result["sandbox"]["calls"] == 0
    assert result["by_provider"][0]["provider"] == "tikomni"
    assert len(result["by_run"]) == 2 and {DETAIL} < {row["route"] for row in result["by_route"]}


def test_speech_without_a_price_is_told_in_seconds_and_has_none(run, spent):
    spent("UPDATE calls SET base_url = ?", REAL)
    total = cost(run)["total"]
    assert total["usd"] is None and total["unpriced"] == ["asr"] and total["usd_known"] > 0
    priced = cost(run, TIKOMNI_ASR_USD_PER_HOUR="3.6")["total"]
    assert priced["unpriced"] == [] and priced["usd"] == pytest.approx(total["usd_known"] + 0.043)


def test_a_billed_call_without_a_known_price_is_named(run, spent):
    spent("UPDATE calls SET base_url = ?", REAL)
    spent("UPDATE calls SET price_usd = 0 WHERE billed AND route = ?", DETAIL)
    total = cost(run, TIKOMNI_ASR_USD_PER_HOUR="1")["total"]
    assert total["usd"] is None and total["unpriced"] == [DETAIL]


def test_since_a_time_or_a_day_of_the_display_zone(run, spent):
    spent("UPDATE calls SET base_url = ?", REAL)
    # Two minutes to midnight in Shanghai, on the last of October.
    spent("UPDATE calls SET sent_at = 1793462280 WHERE route = ?", DETAIL)
    days = [row["day"] for row in cost(run)["by_day"]]
    assert days[-1] == "2026-10-31"
    assert "2026-10-31" in [row["day"] for row in cost(run, "--since", "2026-10-31")["by_day"]]
    for since in ("2026-11-01", "1h"):
        assert "2026-10-31" not in [row["day"] for row in cost(run, "--since", since)["by_day"]]


@pytest.mark.parametrize("since", ["yesterday", "7", "2026-13-01", "-1d", "9999999999d"])
def test_times_that_are_none(run, since):
    ran = run("cost", f"--since={since}")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "usage")


def test_repeated_calls_are_counted(run, spent):
    spent("UPDATE calls SET base_url = ?", REAL)
    spent("UPDATE calls SET repeats = 1 WHERE id = 2")
    assert cost(run)["total"]["repeated"] == 1


def test_a_person_at_a_terminal_reads_lines(machine, spent):
    spent("UPDATE calls SET base_url = ?", REAL)
    leader, follower = pty.openpty()
    words = [sys.executable, "-m", "tikomni", "cost"]
    process = subprocess.Popen(words, cwd=machine.cwd, env=machine.environ(), stdout=follower, stderr=follower)
    os.close(follower)
    text = b""
    try:
        while piece := os.read(leader, 4096):
            text += piece
    except OSError:  # what a closed terminal says
        pass
    os.close(leader)
    shown = text.decode()
    assert process.wait() == 0 and shown.startswith("Total") and "43 s of speech" in shown and DETAIL in shown
    assert "{" not in shown and Path(machine.variables["TIKOMNI_STATE_DIR"]).is_dir()


@pytest.mark.parametrize(
    "words",
    [
        ("work", links["dy_video"].url),
        ("transcribe", links["dy_video"].url),
        ("creator", links["dy_20"].url),
        ("collect", "search", "收纳", "--platform", "douyin"),
        ("route", "call", "douyin.app.v3.fetch_one_video", f"aweme_id={links['dy_video'].id}"),
    ],
    ids=lambda words: words[0],
)
def test_what_may_pay_tells_first_what_it_would_ask(run, asked, words):
    plan = run(*words, "--dry-run", TIKOMNI_API_KEY=None).document["result"]
    told = json.dumps(plan)
    assert plan["dry_run"] and asked() == []
    assert all(word in told for word in ("calls", "usd_at_", "seconds_at_rate"))
