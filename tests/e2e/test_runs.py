"""Runs: what was run, how it ended, and how it goes on."""

from __future__ import annotations

import json

from tikomni.sandbox import links

SUBMIT = "u2.services.audio.asr.transcription"
DETAIL = "douyin.app.v3.fetch_one_video"
VIDEO = links["dy_video"].url


def listed(run, *words):
    return run("runs", "list", *words).document["result"]["items"]


def test_no_runs(run):
    assert listed(run) == []
    assert run("runs", "resume").document["error"]["code"] == "usage"
    assert run("runs", "show", "2026").document["error"]["code"] == "usage"


def test_runs_stand_newest_first_with_how_they_ended_and_what_they_cost(run, sandbox):
    work = run("work", VIDEO).document
    run("work", links["dy_deleted"].url)
    run("route", "call", DETAIL, f"aweme_id={links['dy_pictures'].id}")
    rows = listed(run)
    assert [(row["command"], row["status"]) for row in rows] == [
        ("route call", "complete"),
        ("work", "gone"),
        ("work", "complete"),
    ]
    assert [row["resumable"] for row in rows] == [False] * 3
    assert rows[2]["run_id"] == work["run_id"] and rows[2]["asr_seconds"] == 43
    assert sum(row["billed_calls"] for row in rows) == sandbox.bill.billed_calls
    assert len(listed(run, "--limit", "1")) == 1 and listed(run, "--since", "2099-01-01") == []


def test_one_run_is_shown_by_the_start_of_its_id(run):
    run_id = run("work", VIDEO).document["run_id"]
    shown = run("runs", "show", run_id[:-2]).document["result"]
    assert shown["run_id"] == run_id and shown["argv"] == ["work", VIDEO]
    assert DETAIL in {row["route"] for row in shown["by_route"]} and shown["document_path"].endswith("run.json")
    steps = {(step["step"], step["item"]): step["state"] for step in shown["steps"]}
    key = f"douyin:{links['dy_video'].id}"
    assert steps == {("facts", key): "done", ("words", key): "done", ("documents", key): "complete"}
    run("work", links["dy_pictures"].url)
    ran = run("runs", "show", run_id[:4])
    assert (ran.exit_status, len(ran.document["error"]["details"]["runs"])) == (2, 2)


def test_a_run_that_was_cut_short_goes_on_from_another_folder_and_pays_nothing_twice(run, machine, sandbox, tmp_path):
    sandbox.faults.add(SUBMIT, "asr", times=1, polls=4)
    first = run("work", VIDEO, "--deadline", "2", "--output-root", "out").document
    assert first["status"] == "partial"
    assert [row["resumable"] for row in listed(run)] == [True]
    after = run("runs", "list").document["next"][0]["command"]
    assert "runs resume" in after and first["run_id"] in after
    other = tmp_path / "elsewhere"
    other.mkdir()
    while (second := run("runs", "resume", cwd=other).document)["status"] == "partial":
        pass  # as slow as the job is
    assert (second["command"], second["status"]) == ("work", "complete")
    assert second["result"]["card"]["path"].startswith(str(machine.cwd / "out"))
    assert sandbox.bill.submissions == 1
    assert not any(row["resumable"] for row in listed(run)), "a later run stands for the first"


def test_a_run_that_failed_on_the_way_can_go_on_and_asks_anew_only_once(run, sandbox, asked):
    sandbox.faults.add("*", "status", status=503, times=None)
    failed = run("work", VIDEO, "--fresh", "--no-transcript").document
    sandbox.faults.reset()
    row = listed(run)[0]
    assert (row["status"], row["resumable"]) == (failed["error"]["code"], True)
    assert run("runs", "resume", failed["run_id"]).document["status"] == "complete"
    assert run("runs", "resume", failed["run_id"]).document["cost"]["calls"] == 0, "not asked anew again"


def test_what_was_not_kept_is_not_made_up(run, sandbox):
    sandbox.faults.add("*", "status", status=503, times=None)
    header = json.dumps({"X-Trace": "trace-77aa55ee"})
    run("route", "call", DETAIL, "aweme_id=7300000000000000001", "--headers-json", header)
    ran = run("runs", "resume")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "usage")
    assert "trace-77aa55ee" not in run("runs", "show", listed(run)[0]["run_id"]).stdout
    run("work", "--from", "-", stdin=VIDEO)
    assert run("runs", "resume").document["error"]["code"] == "usage"


def test_the_folder_of_a_run_may_be_gone(run, tmp_path, sandbox):
    sandbox.faults.add("*", "status", status=503, times=None)
    folder = tmp_path / "short-lived"
    folder.mkdir()
    run("work", VIDEO, "--output-root", str(tmp_path / "out"), cwd=folder)
    folder.rmdir()
    ran = run("runs", "resume")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "storage")
