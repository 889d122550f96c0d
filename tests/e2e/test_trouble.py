"""What goes wrong, and what must hold all the same: valid JSON, a true status, nothing paid twice, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tikomni.sandbox import links

SUBMIT = "u2.services.audio.asr.transcription"
POLL = "u2.tasks"
DETAIL = "douyin.app.v3.fetch_one_video"
VIDEO = links["dy_video"].url


def wait_until(condition, process: subprocess.Popen[str]) -> None:
    """Until ``condition`` holds; the process must not end before."""
    import time

    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


# --- keys and accounts


@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "missing_key"), ("your_api_key", "placeholder_key"), ("sk-wrong-but-real-looking-1", "rejected_key")],
)
def test_keys(run, key, code):
    ran = run("work", VIDEO, TIKOMNI_API_KEY=key)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, code)
    assert ran.document["error"]["hint"]
    if key:
        assert key not in ran.stdout + ran.stderr


def test_a_rejected_key_ends_the_run_at_once(run, asked):
    run(
        "work",
        VIDEO,
        links["dy_pictures"].url,
        links["xhs_pictures"].url,
        TIKOMNI_API_KEY="sk-wrong-but-real-looking-1",
    )
    assert len(asked()) <= 3


def test_an_empty_account(run, sandbox):
    sandbox.faults.add("*", "status", status=402, times=None)
    ran = run("work", VIDEO)
    assert (ran.exit_status, ran.document["error"]["code"]) == (1, "quota")


def test_the_key_stands_nowhere_on_disk_nor_in_what_is_printed(run, machine, sandbox):
    sandbox.faults.add(DETAIL, "status", status=500)
    ran = run("work", VIDEO, "--progress", "jsonl")
    run("auth")
    run("route", "call", DETAIL, f"aweme_id={links['dy_pictures'].id}", "--headers-json", json.dumps({"X-Trace": "1"}))
    assert sandbox.key not in ran.stdout + ran.stderr
    for path in [*machine.home.rglob("*"), *machine.cwd.rglob("*")]:
        if path.is_file():
            assert sandbox.key.encode() not in path.read_bytes(), path


def test_a_redirect_takes_no_key_along(run, sandbox):
    sandbox.faults.add("*", "redirect", times=None)
    ran = run("work", VIDEO)
    assert ran.exit_status == 1 and ran.document["error"]["code"] == "upstream"
    assert all(seen.path.startswith("/api/") for seen in sandbox.requests)


# --- folders, files, settings: found before the first call


@pytest.mark.parametrize("variable", ["TIKOMNI_OUTPUT_ROOT", "TIKOMNI_CARD_ROOT", "TIKOMNI_STATE_DIR"])
def test_a_file_where_a_folder_should_be_is_found_before_the_first_call(run, tmp_path, asked, variable):
    file = tmp_path / "occupied"
    file.write_text("x")
    ran = run("work", VIDEO, **{variable: str(file)})
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "storage")
    assert str(file) in ran.document["error"]["message"] and asked() == []
    assert file.read_text() == "x"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="a small disk can be mounted by root alone")
@pytest.mark.parametrize("variable", ["TIKOMNI_OUTPUT_ROOT", "TIKOMNI_CARD_ROOT", "TIKOMNI_STATE_DIR"])
def test_a_full_disk_is_found_before_the_first_call(run, tmp_path, asked, variable):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        (disk / "filler").write_bytes(bytes(96 * 1024))
        ran = run("work", VIDEO, **{variable: str(disk)})
        assert (ran.exit_status, ran.document["error"]["code"]) == (2, "storage")
        assert asked() == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="a small disk can be mounted by root alone")
def test_a_disk_that_fills_up_in_the_middle_costs_nothing_twice(run, tmp_path, sandbox):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=16", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        ran = run("work", links["dy_pictures"].url, TIKOMNI_OUTPUT_ROOT=str(disk / "out"))
        assert (ran.exit_status, ran.document["error"]["code"]) == (1, "disk_full")
        assert ran.document["cost"]["billed_calls"] == 1
        subprocess.run(["mount", "-o", "remount,nr_inodes=1k", str(disk)], check=True)
        again = run("work", links["dy_pictures"].url, TIKOMNI_OUTPUT_ROOT=str(disk / "out"))
        assert again.document["status"] == "complete" and sandbox.bill.billed_calls == 1
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_broken_settings_file_is_named_by_file_and_line(run, tmp_path, asked):
    config = tmp_path / "config.yaml"
    config.write_text("timeout_ms: 5000\nimages: [3\n")
    ran = run("work", VIDEO, "--config", str(config))
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "config")
    assert str(config) in ran.document["error"]["message"] and "line" in ran.document["error"]["message"]
    env = tmp_path / "x.env"
    env.write_text("TIKOMNI_IMAGES=3\nthis is no setting\n")
    ran = run("work", VIDEO, "--env-file", str(env))
    assert f"{env}, line 2" in ran.document["error"]["message"] and asked() == []


@pytest.mark.parametrize(
    "words", [["work"], ["work", "--nope"], ["wrk"], ["work", "x", "--images", "many"], ["route", "call"]]
)
def test_wrong_arguments_are_one_json_document_too(run, words):
    ran = run(*words)
    assert ran.exit_status == 2 and ran.document["ok"] is False and ran.document["error"]["hint"]


# --- the upstream


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 429])
def test_reads_are_asked_again(run, sandbox, status):
    sandbox.faults.add(DETAIL, "status", status=status, times=2, retry_after=0)
    assert run("work", VIDEO, "--no-transcript").document["status"] == "complete"


@pytest.mark.parametrize("kind", ["html", "cut", "empty", "close_after", "close_before", "content_type", "broken"])
def test_answers_that_cannot_be_read_do_not_end_in_a_wrong_work(run, sandbox, kind):
    sandbox.faults.add(DETAIL, kind, times=1)
    ran = run("work", VIDEO, "--no-transcript")
    assert ran.document["status"] == "complete"
    assert ran.document["result"]["work"]["platform_work_id"] == links["dy_video"].id


def test_an_error_code_in_a_served_answer_is_a_failure(run, sandbox, asked):
    sandbox.faults.add(DETAIL, "error_code", times=1)
    assert run("work", VIDEO, "--no-transcript").document["status"] == "complete"
    assert asked() == [DETAIL, "douyin.web.fetch_one_video"]


def test_nobody_there(run):
    ran = run("work", VIDEO, TIKOMNI_BASE_URL="http://127.0.0.1:9", TIKOMNI_TIMEOUT_RETRY_MAX="1")
    assert (ran.exit_status, ran.document["error"]["code"], ran.document["error"]["retryable"]) == (1, "network", True)


def test_a_gzip_bomb_is_not_swallowed(run, sandbox):
    sandbox.faults.add(DETAIL, "gzip_bomb", times=None)
    ran = run("work", VIDEO, "--no-transcript")
    assert ran.document["status"] in ("complete", "failed")


def test_a_plain_http_address_is_refused_for_any_other_machine(run, asked):
    ran = run("work", VIDEO, TIKOMNI_BASE_URL="http://api.tikomni.com")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "config")


# --- speech jobs


def test_a_job_that_was_accepted_but_not_answered_is_not_sent_again_by_the_same_run(run, sandbox, asked):
    sandbox.faults.add(SUBMIT, "close_after", times=1)
    first = run("work", VIDEO)
    assert (first.exit_status, first.document["status"]) == (3, "partial")
    assert asked().count(SUBMIT) == 1 and any("not known" in w for w in first.document["warnings"])
    second = run("work", VIDEO)
    assert second.document["status"] == "complete" and asked().count(SUBMIT) == 2
    assert any("both may be charged" in w for w in second.document["warnings"])
    third = run("work", VIDEO)
    assert third.document["status"] == "complete" and asked().count(SUBMIT) == 2


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_submission_is_never_retried_on_a_broken_gateway(run, sandbox, asked, status):
    sandbox.faults.add(SUBMIT, "status", status=status, times=None)
    run("work", VIDEO)
    assert asked().count(SUBMIT) == 1


def test_a_refused_submission_may_be_sent_again(run, sandbox, asked):
    sandbox.faults.add(SUBMIT, "status", status=429, times=1, retry_after=0)
    assert run("work", VIDEO).document["status"] == "complete"
    assert sandbox.bill.submissions == 1


def test_polls_that_fail_do_not_lose_the_job(run, sandbox):
    sandbox.faults.add(POLL, "status", status=502, times=3)
    assert run("work", VIDEO).document["status"] == "complete"
    assert sandbox.bill.submissions == 1


def test_a_slow_job_outlives_the_deadline_and_is_billed_once(run, sandbox, asked):
    sandbox.faults.add(SUBMIT, "asr", times=1, polls=4)
    first = run("work", VIDEO, "--deadline", "2")
    assert (first.exit_status, first.document["status"]) == (3, "partial")
    assert first.document["result"]["work"]["digg_count"] == 18342
    assert first.document["next"][0]["wait_s"] and "work" in first.document["next"][0]["command"]
    again = run("work", VIDEO)
    assert again.document["status"] == "complete"
    assert sandbox.bill.submissions == 1 and asked().count(DETAIL) == 1


def test_each_shape_of_the_services_answer_brings_the_same_words(machine, sandbox):
    texts = []
    for shape in ("transcription_url", "full_text", "sentences"):
        sandbox.faults.add(SUBMIT, "asr", times=1, shape=shape)
        ran = machine.run("work", VIDEO, TIKOMNI_STATE_DIR=str(machine.home / shape))
        texts.append("".join(ran.document["result"]["work"]["primary_text"].split()))
    assert texts[0] and texts[0] == texts[1] == texts[2]


def test_a_success_without_words_is_not_taken_for_words(run, sandbox):
    sandbox.faults.add(SUBMIT, "asr", times=1, shape="none")
    ran = run("work", VIDEO)
    assert (ran.exit_status, ran.document["status"]) == (3, "incomplete")
    assert ran.document["result"]["work"]["transcript"] is None


def test_items_out_of_order_bring_each_work_its_own_words(run, machine, sandbox):
    first = run("work", VIDEO).document["result"]["card"]["json_path"]
    alone = json.loads(Path(first).read_text(encoding="utf-8"))["primary_text"]
    sandbox.reset()
    sandbox.faults.add(SUBMIT, "asr", times=1, reverse=True)
    ran = run("work", VIDEO, links["dy_old"].url, TIKOMNI_STATE_DIR=str(machine.home / "second"))
    paths = [row["json_path"] for row in ran.document["result"]["works"]]
    texts = [json.loads(Path(p).read_text(encoding="utf-8"))["primary_text"] for p in paths]
    assert texts[0] == alone and texts[1] != alone


def test_a_failed_item_keeps_the_facts_and_says_why(run):
    only_asr = {"TIKOMNI_TRANSCRIPT_SOURCES": "asr"}
    ran = run("work", links["dy_guarded"].url, VIDEO, **only_asr)
    assert ran.exit_status == 3
    assert [row["status"] for row in ran.document["result"]["works"]] == ["incomplete", "complete"]
    assert ran.document["result"]["missing"][0]["reason"] == "asr_file_download_failed"


# --- interruption


def test_ctrl_c_keeps_what_was_paid_for(machine, sandbox, asked):
    sandbox.faults.add(SUBMIT, "asr", times=1, stuck=True)
    process = machine.start("work", VIDEO)
    wait_until(lambda: POLL in asked(), process)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    document = json.loads(out)
    assert (process.returncode, document["error"]["code"]) == (130, "interrupted")
    assert document["result"]["work"]["platform_work_id"] == links["dy_video"].id and document["next"]
    machine.run("work", VIDEO, "--deadline", "2")
    assert sandbox.bill.submissions == 1 and asked().count(DETAIL) == 1


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_kill_after_the_submission_costs_no_second_one(machine, sandbox, asked):
    sandbox.faults.add(SUBMIT, "asr", times=1, polls=2)
    process = machine.start("work", VIDEO)
    wait_until(lambda: POLL in asked(), process)
    process.kill()
    process.communicate()
    assert machine.run("work", VIDEO).document["status"] == "complete"
    assert sandbox.bill.submissions == 1 and asked().count(DETAIL) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="nowhere else can a pipe be made so small")
def test_what_is_being_printed_is_printed_to_its_end(machine):
    import array
    import fcntl
    import termios

    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    environ = machine.environ(TIKOMNI_CARD_TAGS="tag" * 4096)
    process = subprocess.Popen([sys.executable, "-m", "tikomni", "config", "show"], env=environ, stdout=writing)
    os.close(writing)
    waiting = array.array("i", [0])

    def is_full() -> bool:
        fcntl.ioctl(reading, termios.FIONREAD, waiting)
        return waiting[0] == 4096

    wait_until(is_full, process)
    process.send_signal(signal.SIGTERM), process.send_signal(signal.SIGINT)
    with open(reading, encoding="utf-8") as stream:
        assert json.loads(stream.read())["ok"]
    assert process.wait(30) == 0


@pytest.mark.skipif(os.name == "nt", reason="no SIGTERM")
def test_a_polite_kill_is_answered_like_ctrl_c(machine, sandbox, asked):
    sandbox.faults.add(SUBMIT, "asr", times=1, stuck=True)
    process = machine.start("work", VIDEO)
    wait_until(lambda: POLL in asked(), process)
    process.terminate()
    process.send_signal(signal.SIGINT)  # a parent may forward one as well
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, json.loads(out)["error"]["code"]) == (130, "interrupted")


def test_two_runs_at_once_send_one_speech_job(machine, sandbox):
    sandbox.faults.add(SUBMIT, "slow_headers", times=None, seconds=1)
    runs = [machine.start("work", VIDEO, "--output-root", str(machine.home / str(n))) for n in range(3)]
    documents = [json.loads(process.communicate(timeout=60)[0]) for process in runs]
    assert [d["status"] for d in documents] == ["complete"] * 3
    assert sandbox.bill.submissions == 1


def test_a_submission_is_not_hung_up_on_at_the_deadline(run, sandbox, asked):
    sandbox.faults.add(SUBMIT, "slow_headers", times=1, seconds=3)
    first = run("work", VIDEO, "--deadline", "2")
    assert first.document["status"] in ("partial", "complete")
    assert run("work", VIDEO).document["status"] == "complete"
    assert sandbox.bill.submissions == 1 and asked().count(SUBMIT) == 1


def test_nothing_asked_in_time_is_partial_and_goes_on(run, sandbox):
    sandbox.faults.add("*", "slow_headers", times=1, seconds=5)
    ran = run("work", VIDEO, "--deadline", "1", "--no-transcript")
    assert (ran.exit_status, ran.document["status"]) == (3, "partial")
    assert ran.document["next"] and run("work", VIDEO, "--no-transcript").document["status"] == "complete"


def test_no_credit_for_speech_keeps_the_facts(run, sandbox):
    sandbox.faults.add(SUBMIT, "status", status=402, times=1)
    ran = run("work", VIDEO)
    assert (ran.exit_status, ran.document["status"]) == (3, "partial")
    assert ran.document["result"]["work"]["digg_count"] == 18342
    assert ran.document["result"]["missing"][0]["reason"] == "quota" and ran.document["next"]
    assert run("work", VIDEO).document["status"] == "complete"
