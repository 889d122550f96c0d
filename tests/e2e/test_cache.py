"""What the ledger keeps, and how it is made smaller without forgetting what was paid."""

from __future__ import annotations

import sqlite3

import pytest

from tikomni.catalog import all_routes
from tikomni.dispatch.shelf import group
from tikomni.sandbox import links

DETAIL = "douyin.app.v3.fetch_one_video"
DAY = 86_400


@pytest.fixture
def ledger(run, machine, tmp_path):
    """Three answers, one of them a work with words; how to change and read their rows."""
    machine.variables["TIKOMNI_STATE_DIR"] = str(tmp_path / "state")
    run("work", links["dy_video"].url)
    run("work", links["dy_pictures"].url)

    def sql(text: str, *values):
        with sqlite3.connect(tmp_path / "state" / "ledger.sqlite3") as db:
            return db.execute(text, values).fetchall()

    return sql


def stats(run, *words):
    return run("cache", "stats", *words).document["result"]


def test_an_empty_state_folder(run):
    assert stats(run)["answers"] == 0
    assert run("cache", "prune").document["result"]["answers"] == 0


def test_what_is_kept_and_what_a_prune_would_free(run, ledger):
    result = stats(run)
    kept, size = ledger("SELECT count(answer), sum(length(answer)) FROM calls")[0]
    assert (result["answers"], result["bytes"]) == (kept, size) and result["file_bytes"] >= size
    assert sum(row["bytes"] for row in result["by_group"]) == size
    assert result["prune"]["answers"] == 0
    ledger("UPDATE calls SET done_at = done_at - ? WHERE route = ?", 40 * DAY, DETAIL)
    assert stats(run)["prune"]["answers"] == 2
    assert stats(run, "--older-than", "60d")["prune"]["answers"] == 0


def test_a_prune_takes_bodies_and_leaves_what_was_paid(run, ledger, sandbox):
    ledger("UPDATE calls SET done_at = done_at - ? WHERE route = ?", 40 * DAY, DETAIL)
    told = run("cache", "prune", "--dry-run").document["result"]
    assert told["answers"] == 2 and stats(run)["prune"]["answers"] == 2
    before = ledger("SELECT id, route, billed, price_usd, cache_url FROM calls")
    done = run("cache", "prune").document["result"]
    assert (done["answers"], done["bytes"]) == (told["answers"], told["bytes"])
    assert ledger("SELECT id, route, billed, price_usd, cache_url FROM calls") == before
    assert ledger("SELECT count(*) FROM calls WHERE route = ? AND answer IS NOT NULL", DETAIL) == [(0,)]
    assert run("cost").document["result"]["sandbox"]["billed"] == sandbox.bill.billed_calls
    assert run("cache", "prune").document["result"]["answers"] == 0


def test_words_counts_and_texts_outlive_every_prune(run, ledger, machine, tmp_path, sandbox):
    text = next(route for route in all_routes() if group(route) == "text")
    ledger(
        "INSERT INTO calls (scope, fingerprint, base_url, route, inputs, sent_at, outcome, answer) "
        "SELECT scope, 'x', base_url, ?, '{}', 1, 'ok', answer FROM calls LIMIT 1",
        text.id,
    )
    ledger("UPDATE calls SET done_at = 1")
    run("cache", "prune", "--older-than", "0d")
    assert ledger("SELECT route FROM calls WHERE answer IS NOT NULL") == [(text.id,)]
    with sqlite3.connect(tmp_path / "state" / "library.sqlite3") as library:
        assert library.execute("SELECT count(*) FROM metrics").fetchone() == (2,)
    sandbox.reset()
    again = run("work", links["dy_video"].url).document
    assert again["result"]["work"]["transcript"]["source"] == "asr" and sandbox.bill.submissions == 0


def test_a_pruned_file_is_smaller(run, ledger, tmp_path):
    ledger("INSERT INTO calls (scope, fingerprint, base_url, route, inputs, sent_at, done_at, outcome, answer) "
           "VALUES ('s', 'big', 'b', ?, '{}', 1, 1, 'ok', randomblob(4000000))", DETAIL)  # fmt: skip
    done = run("cache", "prune").document["result"]
    assert done["file_bytes_before"] - done["file_bytes"] > 3_500_000


def test_an_age_that_is_none(run):
    ran = run("cache", "prune", "--older-than", "old")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "usage")
