"""Runs, and the questions that a user has of the ledger: what did it cost, what is kept, what is known of whom."""

from __future__ import annotations

import os
from datetime import UTC

import pytest

from tikomni.sandbox import links

DETAIL = "douyin.app.v3.fetch_one_video"
NOBODY = 2**22 + 1


@pytest.fixture
def asked_for(place):
    """Ask for works in a run of this name."""

    def ask(run_id: str, *names: str) -> None:
        async def job(dispatcher):
            for name in names:
                await dispatcher.call(DETAIL, {"aweme_id": links[name].id})

        place.run(job, terms={"run_id": run_id})

    return ask


def begin(place, run_id: str) -> None:
    place.ledger().runs.begin(run_id, "work", ["work", "…"], "/somewhere")


def test_a_run_tells_its_steps_and_what_it_cost(place, asked_for):
    begin(place, "one")
    asked_for("one", "dy_video", "dy_pictures")
    runs = place.ledger().runs
    runs.step("one", "facts", "douyin:1", "begun")
    runs.step("one", "facts", "douyin:1", "done", "2 calls")
    runs.end("one", "complete", {"calls": 2}, "/somewhere/run.json")
    run = runs.show("one")
    assert (run.status, run.calls, run.billed, run.usd) == ("complete", 2, 2, 0.002)
    assert (run.cost, run.document, run.argv) == ({"calls": 2}, "/somewhere/run.json", ("work", "…"))
    assert [(s.item, s.state, s.detail) for s in run.steps] == [("douyin:1", "done", "2 calls")]
    assert runs.show("another") is None


def test_runs_are_listed_newest_first_and_tell_who_is_gone(place):
    for name in ("first", "second"):
        begin(place, name)
    place.sql("UPDATE runs SET pid = ?, started_at = 1 WHERE run_id = 'first'", NOBODY)
    runs = place.ledger().runs
    assert [(r.run_id, r.status) for r in runs.list()] == [("second", "running"), ("first", "died")]
    assert [r.run_id for r in runs.list(limit=1)] == [r.run_id for r in runs.list(since=2)] == ["second"]


def test_a_step_of_no_run_is_not_kept(place):
    place.ledger().runs.step(None, "facts", "x", "done")
    assert place.sql("SELECT * FROM run_steps") == []


def test_plain_sqlite_tells_what_was_spent_and_by_which_run(place, asked_for):
    begin(place, "one"), begin(place, "two")
    asked_for("one", "dy_video")
    asked_for("two", "dy_video", "dy_old")
    assert place.sql("SELECT route, calls, billed, usd FROM spending") == [(DETAIL, 2, 2, 0.002)]
    costs = place.sql("SELECT run_id, calls, billed, usd, asr_seconds FROM run_costs ORDER BY run_id")
    assert costs == [("one", 1, 1, 0.001, 0), ("two", 1, 1, 0.001, 0)]
    reports = place.ledger().reports
    assert [(s.route, s.run_id, s.calls, s.usd) for s in reports.spent(0, UTC)] == [
        (DETAIL, "one", 1, 0.001),
        (DETAIL, "two", 1, 0.001),
    ]
    assert reports.spent(4e9, UTC) == ()


def test_a_run_belongs_to_the_process_that_began_it(place):
    begin(place, "one")
    assert place.sql("SELECT pid, folder FROM runs") == [(os.getpid(), "/somewhere")]
