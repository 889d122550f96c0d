"""Keys, cookies and viewing tokens: a full run, and all that goes wrong with it, leaves none of them anywhere."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tikomni.sandbox import COOKIE, links

SUBMIT = "u2.services.audio.asr.transcription"
POLL = "u2.tasks"
DETAIL = "douyin.app.v3.fetch_one_video"
POSTS = "douyin.app.v3.fetch_user_post_videos"
OWN = "douyin.creator_v2.fetch_item_list"
HEADER = "hdr-5b1e77c0d2aa"
TOKEN = links["xhs_video"].url.partition("xsec_token=")[2].partition("&")[0].rstrip("=")


def written(*roots: Path) -> Iterator[tuple[Path, bytes]]:
    """Every byte below ``roots``, answers of the ledger unpacked."""
    for root in roots:
        for path in root.rglob("*"):
            if path.is_file():
                yield path, path.name.encode() + path.read_bytes()
            if path.name == "ledger.sqlite3":
                with sqlite3.connect(path) as ledger:
                    for (answer,) in ledger.execute("SELECT answer FROM calls WHERE answer IS NOT NULL"):
                        yield path, zlib.decompress(answer)


@pytest.fixture
def full_run(machine, sandbox, tmp_path):
    """Everything that may write, once; what was printed."""
    cookie = tmp_path / "cookie-file"
    cookie.write_text(COOKIE, encoding="utf-8")
    cookie.chmod(0o600)
    printed = []

    def run(*words, **variables):
        ran = machine.run(*words, TIKOMNI_TRACEBACK="1", **variables)
        printed.extend((ran.stdout, ran.stderr))
        return ran

    run("auth")
    run("work", links["dy_video"].text, links["xhs_video"].url, links["dy_guarded"].url, "--progress", "jsonl")
    run("work", links["dy_video"].url, "--dry-run")
    run("work", links["xhs_deleted"].url, links["dy_deleted"].url)
    run("transcribe", links["dy_old"].url)
    run("route", "call", DETAIL, f"aweme_id={links['dy_pictures'].id}", "--save", "answer.json",
        "--headers-json", json.dumps({"X-Trace": HEADER}))  # fmt: skip
    run("route", "call", POSTS, f"sec_user_id={links['repair'].id}", "--pages", "2", "--dry-run")
    run("route", "call", POSTS, f"sec_user_id={links['repair'].id}", "--pages", "2", "--format", "csv")
    days = ["start_time=1787587200000", "end_time=1795363200000"]
    variables = {"TIKOMNI_DOUYIN_CREATOR_COOKIE_FILE": str(cookie)}
    run("route", "call", OWN, *days, "--allow", "account_read", **variables)
    for kind in ("html", "cut", "redirect", "error_code"):
        sandbox.faults.add(DETAIL, kind, times=2)
        run("work", links["dy_old"].url, "--fresh", "--no-transcript")
        sandbox.faults.reset()
    occupied = machine.cwd / "occupied"
    occupied.write_text("x")
    run("work", links["dy_old"].url, TIKOMNI_OUTPUT_ROOT=str(occupied))
    run("route", "call", "no.such.route", f"key={sandbox.key}")
    for words in (["runs", "list"], ["cost"], ["cache", "stats"], ["config", "show"], ["purge", links["dy_video"].id]):
        run(*words)
    cookie.unlink()
    return printed


def test_no_key_cookie_or_header_is_left_anywhere(full_run, machine, sandbox, tmp_path):
    secrets = [sandbox.key, COOKIE, HEADER, *(part.partition("=")[2] for part in COOKIE.split("; "))]
    secrets = [secret for secret in secrets if len(secret) > 8]
    assert len(secrets) >= 3 and sandbox.bill.billed_calls > 5
    for secret in secrets:
        assert not any(secret in text for text in full_run), secret[:4]
        holders = [path for path, data in written(tmp_path) if secret.encode() in data]
        assert holders == [], secret[:4]


def test_a_viewing_token_stands_where_links_open_and_nowhere_else(machine, tmp_path, sandbox):
    ran = machine.run("work", links["xhs_video"].url, "--progress", "jsonl")
    gone = machine.run("work", links["xhs_deleted"].url, "--progress", "jsonl")
    assert TOKEN in ran.document["result"]["work"]["open_url"]
    assert TOKEN not in ran.stderr + gone.stderr
    assert TOKEN not in json.dumps(gone.document["error"])
    assert not any(TOKEN in path.name for path in tmp_path.rglob("*"))
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("_errors/**/*.json"))
    assert any(path.name == "library.sqlite3" for path, data in written(tmp_path) if TOKEN.encode() in data)


def test_an_interrupted_run_and_a_crash_tell_nothing(machine, sandbox, tmp_path, asked):
    sandbox.faults.add(SUBMIT, "asr", times=1, stuck=True)
    process = machine.start("work", links["dy_video"].url, TIKOMNI_TRACEBACK="1")
    until = time.monotonic() + 60
    while POLL not in asked():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and sandbox.key not in out + err
    # A ledger from the future stops every command in the middle of its work.
    with sqlite3.connect(next(tmp_path.rglob("ledger.sqlite3"))) as ledger:
        ledger.execute("PRAGMA user_version = 999")
    ran = machine.run("work", links["dy_old"].url, TIKOMNI_TRACEBACK="1")
    assert ran.document["error"]["code"] == "ledger" and sandbox.key not in ran.stdout + ran.stderr
    assert not any(sandbox.key.encode() in data for path, data in written(machine.cwd) if path.suffix != ".sqlite3")


def test_a_traceback_shows_no_key(machine, sandbox, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import os, tikomni.pipelines.works as works\n"
        "def fail(*_):\n    raise RuntimeError('while asking with ' + os.environ['TIKOMNI_API_KEY'])\n"
        "works.analyze = fail\n"
    )
    path = os.pathsep.join([str(broken), str(Path(__file__).resolve().parents[2] / "lib")])
    ran = machine.run("work", links["dy_video"].url, TIKOMNI_TRACEBACK="1", PYTHONPATH=path)
    assert ran.document["error"]["code"] == "internal" and "Traceback" in ran.stderr
    assert sandbox.key not in ran.stdout + ran.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_process_lists_and_child_processes_hold_no_key(machine, sandbox, tmp_path, asked):
    """The key comes from a file: then not even the process's own environment holds it."""
    helpers, seen = tmp_path / "bin", tmp_path / "seen-by-ffmpeg"
    helpers.mkdir()
    ffmpeg = helpers / "ffmpeg"
    ffmpeg.write_text(f'#!/bin/sh\n(env; echo "$@") >> {seen}\nexit 1\n')
    ffmpeg.chmod(ffmpeg.stat().st_mode | stat.S_IXUSR)
    env_file = tmp_path / "keys.env"
    env_file.write_text(f"TIKOMNI_API_KEY={sandbox.key}\n")
    env_file.chmod(0o600)
    variables = {"TIKOMNI_API_KEY": None, "PATH": f"{helpers}{os.pathsep}{os.environ['PATH']}"}
    process = machine.start("work", links["dy_guarded"].url, "--env-file", str(env_file), **variables)
    looks = 0
    while process.poll() is None:
        for pid in (process.pid, *_children(process.pid)):
            for name in ("cmdline", "environ"):
                try:
                    shown = Path(f"/proc/{pid}/{name}").read_bytes()
                except OSError:  # it has ended meanwhile
                    continue
                assert sandbox.key.encode() not in shown, name
                looks += 1
        time.sleep(0.02)
    process.communicate()
    assert looks > 0
    # The helper may have been run with the key in the parent's environment just as well.
    other = {"PATH": variables["PATH"], "TIKOMNI_STATE_DIR": str(tmp_path / "other")}
    machine.run("work", links["dy_guarded"].url, **other)
    assert seen.is_file(), "the helper was run"
    assert sandbox.key not in seen.read_text() and "TIKOMNI" not in seen.read_text()


def _children(pid: int) -> list[int]:
    try:
        return [int(name) for name in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


PLAIN = ("api.example.com", "10.0.0.1", "127.0.0.1.example.com", "localhost.example.com", "127.0.0.1@example.com")
ADDRESSES = tuple(f"TIKOMNI_{name}BASE_URL" for name in ("", "TIKHUB_", "INSIGHT_", "LLM_"))


@pytest.mark.parametrize("host", PLAIN)
@pytest.mark.parametrize("variable", ADDRESSES)
def test_a_key_is_never_sent_over_plain_http_but_to_this_machine(run, host, variable, asked):
    ran = run("work", links["dy_video"].url, **{variable: f"http://{host}"})
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "config")
    assert asked() == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_a_key_along(run, sandbox, status):
    sandbox.faults.add("*", "redirect", status=status, times=None)
    ran = run("work", links["dy_video"].url, "--no-transcript")
    assert ran.exit_status == 1
    assert sandbox.requests and sandbox.bill.billed_calls == 0
    assert all(seen.path.startswith("/api/") and seen.fault for seen in sandbox.requests), "nobody followed"


def test_a_password_in_an_address_is_not_told(run):
    ran = run("auth", TIKOMNI_BASE_URL="https://me:of-nobodys-business@api.example")
    assert ran.document["error"]["code"] == "config" and "of-nobodys-business" not in ran.stdout + ran.stderr
