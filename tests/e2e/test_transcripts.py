"""Words of videos as a user gets them: sources in order, relays, own files, jobs, and every second billed once."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from tikomni.sandbox import Sandbox, links
from tikomni.sandbox.replay import Replay
from tikomni.sandbox.world import load, media

SUBMIT, POLL = "u2.services.audio.asr.transcription", "u2.tasks"
CREATE, COMPLETE = "u3.uploads", "u3.uploads.complete"
INSIGHT = "insight.item.query_by_id"
VIDEO, GUARDED = links["dy_video"].url, links["dy_guarded"].url
# A short clip is given up soon, where clips as short as it are heard at all.
CLIP, SOON = links["dy_clip"].url, {"TIKOMNI_ASR_MIN_SEC": "5", "TIKOMNI_ASR_HARD_FALLBACK_SEC": "1"}


def said(name: str) -> str:
    return "".join(load().works[name].words)


def text_of(row: dict) -> str:
    return "".join(row["text"].split())


def wait_until(condition, process) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def looks_often(machine):
    """A finished job is seen at once."""
    machine.variables["TIKOMNI_ASR_POLL_INTERVAL_SEC"] = "0.1"


@pytest.fixture
def transcribe(run):
    """Run the command; its document."""
    return lambda *words, **variables: run("transcribe", *words, **variables).document


@pytest.fixture
def account(sandbox):
    """Variables of the Content Insight account that the sandbox knows."""
    return {
        "TIKOMNI_INSIGHT_BIZ_NAME": sandbox.insight.name,
        "TIKOMNI_INSIGHT_BIZ_SECRET": sandbox.insight.secret,
        "TIKOMNI_INSIGHT_BASE_URL": sandbox.base_url,
    }


@pytest.fixture
def film(tmp_path):
    """A file of the user's own that says what a work says."""
    path = tmp_path / "my film.mp4"
    path.write_bytes(media.find("dy_video", "video-540.mp4").read())
    return path


# --- sources


def test_the_words_are_printed_and_stand_in_a_file(transcribe, sandbox):
    document = transcribe(VIDEO)
    [row] = document["result"]["works"]
    assert (document["status"], row["source"], row["cost_seconds"]) == ("complete", "asr", 43)
    assert text_of(row) == said("dy_video") and row["task"]
    assert "".join(Path(row["path"]).read_text("utf-8").split()) == said("dy_video")
    assert "result.works[].text" in document["untrusted"]
    assert sandbox.bill.asr_seconds == 43


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_subtitle_files_keep_the_times(transcribe, form):
    import pysubs2

    [row] = transcribe(VIDEO, "--format", form)["result"]["works"]
    events = pysubs2.load(row["path"]).events
    assert row["path"].endswith(f".{form}")
    assert [(e.start, e.end, e.plaintext) for e in events] == [
        (s.begin_ms, s.end_ms, s.text) for s in load().works["dy_video"].sentences()
    ]


def test_words_without_times_are_no_subtitle_file(transcribe, account):
    document = transcribe(VIDEO, "--format", "srt", "--sources", "insight", **account)
    assert document["result"]["works"][0]["path"].endswith(".txt")
    assert any("no times" in w for w in document["warnings"])


def test_the_order_of_sources_is_a_flag_and_a_setting(transcribe, sandbox, asked):
    note = links["xhs_subtitled"].url
    assert transcribe(note, "--sources", "asr,subtitles")["result"]["works"][0]["source"] == "asr"
    other = {"TIKOMNI_TRANSCRIPT_SOURCES": "subtitles"}
    document = transcribe(links["xhs_video"].url, **other)
    assert document["status"] == "incomplete" and document["result"]["missing"][0]["reason"] == "no_subtitles"
    assert asked().count(SUBMIT) == 1


def test_an_unknown_source_is_refused_before_anything_is_sent(run, sandbox):
    ran = run("transcribe", VIDEO, "--sources", "asr,guessing")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "config") and not sandbox.requests


def test_the_preferred_language_is_taken_where_there_is_one(transcribe):
    [row] = transcribe(links["xhs_subtitled"].url, "--language", "en")["result"]["works"]
    assert row["language"] == "en-US"


def test_insight_is_asked_for_new_works_and_never_twice(transcribe, sandbox, asked, account):
    document = transcribe(VIDEO, links["dy_old"].url, **account)
    rows = document["result"]["works"]
    assert [row["source"] for row in rows] == ["insight", "asr"] and text_of(rows[0]) == said("dy_video")
    assert asked().count(INSIGHT) == 1, "a work that is too old is not asked for"
    bill = sandbox.bill.as_dict()
    assert transcribe(VIDEO, **account)["result"]["works"][0]["source"] == "insight"
    assert sandbox.bill.as_dict() == bill


def test_a_refused_insight_account_leaves_the_other_sources(transcribe, account):
    document = transcribe(VIDEO, **account | {"TIKOMNI_INSIGHT_BIZ_SECRET": "of-somebody-else"})
    assert document["status"] == "complete" and document["result"]["works"][0]["source"] == "asr"
    assert any("gave no token" in w for w in document["warnings"])


def test_words_that_are_kept_are_never_paid_for_again_whatever_the_sources(transcribe, sandbox):
    transcribe(VIDEO)
    bill = sandbox.bill.as_dict()
    for sources in ("relay", "asr", "subtitles"):
        assert transcribe(VIDEO, "--sources", sources)["status"] == "complete"
    assert sandbox.bill.as_dict() == bill


def test_a_picture_post_is_no_video(transcribe, asked):
    document = transcribe(links["dy_pictures"].url)
    assert document["result"]["missing"][0]["reason"] == "not_video" and SUBMIT not in asked()


# --- jobs


@pytest.mark.parametrize(
    "script",
    [
        {},
        {"reverse": True},
        {"reverse": True, "file_urls": True, "indexed": False},
        {"file_urls": True},
        {"one_by_one": True},
        {"snapshot": "SUCCEEDED", "polls": 1},
        {"snapshot": "FAILED"},
        {"indexed": False},
        {"links_last": True, "one_by_one": True},
    ],
)
def test_each_work_gets_its_own_words_in_every_shape(transcribe, sandbox, script):
    names = ["dy_video", "dy_old", "dy_before_midnight"]
    sandbox.faults.add(SUBMIT, "asr", **script)
    rows = transcribe(*(links[n].url for n in names))["result"]["works"]
    assert [text_of(row) for row in rows] == [said(n) for n in names]
    assert sandbox.bill.submissions == 1


def test_one_item_that_fails_holds_back_nobody_and_is_not_sent_again(transcribe, sandbox):
    sandbox.faults.add(SUBMIT, "asr", fail={1: "DECODE_ERROR"})
    both = (VIDEO, links["dy_old"].url)
    document = transcribe(*both)
    assert document["result"]["works"][1]["reason"] == "asr_decode_error"
    assert document["result"]["works"][0]["source"] == "asr"
    transcribe(*both)
    assert sandbox.bill.submissions == 1


def test_a_success_without_words_says_so(transcribe, sandbox):
    sandbox.faults.add(SUBMIT, "asr", shape="none")
    assert transcribe(VIDEO)["result"]["missing"][0]["reason"] == "asr_no_words_in_answer"


def test_two_works_with_one_video_are_one_file(machine, tmp_path):
    with world_with_a_shared_film(tmp_path) as sandbox:
        machine.variables["TIKOMNI_BASE_URL"] = sandbox.base_url
        document = machine.run("transcribe", *shared_works()).document
        assert sandbox.requests and len(submitted(sandbox)) == 1
        assert {row["platform_work_id"] for row in document["result"]["works"]} == set(shared_ids())
        reasons = {row["reason"] for row in document["result"]["works"]}
        assert len(reasons) == 1, "what becomes of the file becomes of both"


def test_a_transcript_that_cannot_be_read_stays_pending_and_is_free_later(transcribe, sandbox, asked):
    sandbox.faults.add("sandbox.transcriptions", "status", status=500, times=1)
    first = transcribe(VIDEO)
    assert first["status"] == "partial"
    assert first["result"]["missing"][0]["reason"] == "asr_transcript_unreadable"
    assert transcribe(VIDEO)["status"] == "complete"
    assert asked().count(SUBMIT) == 1 and CREATE not in asked()


def test_a_budget_of_seconds_is_kept(transcribe, sandbox):
    document = transcribe(VIDEO, links["dy_old"].url, "--max-asr-seconds", "50")
    assert sandbox.bill.asr_seconds == 43
    assert [row.get("reason") for row in document["result"]["works"]] == [None, "budget"]


# --- relay


def test_a_clip_that_the_service_cannot_fetch_is_relayed(transcribe, sandbox, asked):
    document = transcribe(GUARDED, VIDEO)
    rows = document["result"]["works"]
    assert [row["source"] for row in rows] == ["relay", "asr"] and text_of(rows[0]) == said("dy_guarded")
    assert any("may still be charged" in w for w in document["warnings"])
    assert document["cost"]["asr_seconds_in_doubt"] == 38.0
    assert [r for r in asked() if r.startswith("u3")] == [CREATE, COMPLETE]
    assert sandbox.bill.submissions == 2 and sandbox.bill.asr_seconds == 38 + 43


def test_a_silent_job_is_relayed_for_its_late_item_only(transcribe, sandbox, asked):
    sandbox.faults.add(SUBMIT, "asr", stuck=True, one_by_one=True, times=1)
    both = (links["dy_injection"].url, CLIP)
    document = transcribe(*both, **SOON)
    assert sorted(row["source"] for row in document["result"]["works"]) == ["asr", "relay"]
    assert asked().count(CREATE) == 1 and asked().count(SUBMIT) == 2
    bill = sandbox.bill.as_dict()
    assert transcribe(*both, **SOON)["status"] == "complete" and sandbox.bill.as_dict() == bill


def test_the_first_jobs_words_are_used_when_they_come_first(transcribe, sandbox, asked):
    sandbox.faults.add(SUBMIT, "asr", seconds=5, times=1)
    sandbox.faults.add(SUBMIT, "asr", stuck=True, times=1)
    [row] = transcribe(CLIP, **SOON)["result"]["works"]
    assert row["source"] == "asr" and asked().count(SUBMIT) == 2


def test_no_fallback_where_it_is_switched_off(transcribe, sandbox, asked):
    sandbox.faults.add(SUBMIT, "asr", stuck=True)
    never = SOON | {"TIKOMNI_ASR_HARD_FALLBACK_SEC": "0", "TIKOMNI_ASR_SOFT_WAIT_SEC": "1"}
    document = transcribe(CLIP, "--deadline", "4", **never)
    assert document["status"] == "partial" and CREATE not in asked()
    assert any("no result in 1 s" in w for w in document["warnings"]) and document["next"]


def test_a_clip_that_cannot_be_heard_by_relay_either_is_told_once(transcribe, sandbox):
    sandbox.faults.add(SUBMIT, "asr", fail={0: "FILE_DOWNLOAD_FAILED"})
    assert transcribe(VIDEO)["cost"]["asr_seconds_in_doubt"] == 42.2
    again = transcribe(VIDEO)
    assert sandbox.bill.submissions == 2 and sandbox.bill.uploads == 1
    assert not again.get("warnings") and "asr_seconds_in_doubt" not in again["cost"]


def test_a_local_file_goes_by_relay_and_is_known_by_its_content(transcribe, sandbox, film):
    [row] = transcribe(str(film))["result"]["works"]
    assert row["source"] == "relay" and text_of(row) == said("dy_video") and row["title"] == "my film.mp4"
    bill = sandbox.bill.as_dict()
    copy = film.with_name("copy.mp4")
    copy.write_bytes(film.read_bytes())
    assert transcribe(str(copy))["status"] == "complete" and sandbox.bill.as_dict() == bill


def test_the_upload_of_a_failed_job_is_used_again(transcribe, sandbox, film, asked):
    sandbox.faults.add(SUBMIT, "status", status=400, times=1)
    assert transcribe(str(film))["status"] == "incomplete"
    assert transcribe(str(film))["status"] == "complete"
    assert asked().count(CREATE) == asked().count(COMPLETE) == 1


def test_an_expired_session_is_created_anew(machine, film):
    with Sandbox(rate=None, upload_ttl_s=0.0) as sandbox:
        machine.variables["TIKOMNI_BASE_URL"] = sandbox.base_url
        assert machine.run("transcribe", str(film)).document["result"]["missing"][0]["reason"] == "relay_failed"
        sandbox.uploads.ttl_s = 900.0
        assert machine.run("transcribe", str(film)).document["status"] == "complete"


@pytest.mark.parametrize(
    ("name", "content", "reason"), [("notes.txt", b"x", "relay_file_type"), ("void.mp4", b"", "relay_file_empty")]
)
def test_files_that_the_contract_does_not_take_are_not_sent(transcribe, tmp_path, sandbox, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    assert transcribe(str(path))["result"]["missing"][0]["reason"] == reason
    assert not sandbox.requests


def test_a_file_that_is_not_there_is_called_a_file(run, sandbox):
    ran = run("transcribe", VIDEO, "no such film.mp4")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "invalid_input")
    assert "no such film.mp4: there is no such file" in ran.document["error"]["message"] and not sandbox.requests


def ffmpeg(folder: Path, script: str) -> str:
    """A stand-in for ffmpeg on a path of its own."""
    folder.mkdir(exist_ok=True)
    file = folder / "ffmpeg"
    file.write_text(f'#!/bin/sh\nenv > "{folder}/env"\nfor last; do :; done\n{script}\n', "utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for ffmpeg")
@pytest.mark.parametrize(
    ("script", "smaller"),
    [
        ('head -c 200 "{source}" > "$last"', True),
        ("exit 1", False),
        ('cat "{source}" "{source}" > "$last"', False),
    ],
)
def test_sound_is_taken_out_where_that_makes_the_file_smaller(machine, sandbox, film, tmp_path, script, smaller):
    path = ffmpeg(tmp_path / "bin", script.replace("{source}", str(film)))
    document = machine.run("transcribe", str(film), PATH=path).document
    assert document["status"] == "complete"
    assert (sandbox.bill.uploaded_bytes < film.stat().st_size) == smaller
    assert "TIKOMNI" not in (tmp_path / "bin" / "env").read_text("utf-8")


# --- kill -9


def killed_when(machine, condition, *words: str) -> None:
    process = machine.start(*words)
    wait_until(condition, process)
    process.kill()
    process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_while_a_job_is_polled(machine, sandbox, asked):
    sandbox.faults.add(SUBMIT, "asr", polls=2)
    killed_when(machine, lambda: POLL in asked(), "transcribe", VIDEO)
    assert machine.run("transcribe", VIDEO).document["status"] == "complete"
    assert sandbox.bill.asr_seconds == 43


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_while_a_job_is_sent(machine, sandbox, asked):
    sandbox.faults.add(SUBMIT, "slow_headers", seconds=3, times=1)
    killed_when(machine, lambda: sandbox.bill.submissions, "transcribe", VIDEO)
    careful = machine.run("transcribe", VIDEO, "--no-resubmit").document
    assert careful["result"]["missing"][0]["reason"] == "asr_unknown" and sandbox.bill.asr_seconds == 43
    bold = machine.run("transcribe", VIDEO).document
    assert bold["status"] == "complete" and any("both may be charged" in w for w in bold["warnings"])
    assert machine.run("transcribe", VIDEO).document["status"] == "complete" and sandbox.bill.submissions == 2


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize(("slow", "creates"), [(CREATE, 2), ("sandbox.uploads", 1), (COMPLETE, 1)])
def test_killed_in_each_step_of_an_upload(machine, sandbox, asked, film, slow, creates):
    sandbox.faults.add(slow, "slow_headers", seconds=2, times=1)
    seen = {
        CREATE: lambda: pending_uploads(machine, "creating"),
        "sandbox.uploads": lambda: pending_uploads(machine, "open"),
        COMPLETE: lambda: sandbox.bill.uploads,
    }
    killed_when(machine, seen[slow], "transcribe", str(film))
    assert machine.run("transcribe", str(film)).document["status"] == "complete"
    assert asked().count(CREATE) <= creates
    assert sandbox.bill.uploads == 1 and sandbox.bill.asr_seconds == 43


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_while_a_relayed_job_is_polled(machine, sandbox, asked, film):
    sandbox.faults.add(SUBMIT, "asr", polls=2)
    killed_when(machine, lambda: POLL in asked(), "transcribe", str(film))
    assert machine.run("transcribe", str(film)).document["status"] == "complete"
    assert sandbox.bill.asr_seconds == 43 and asked().count(CREATE) == 1


def pending_uploads(machine, state: str) -> bool:
    ledgers = list(machine.home.rglob("ledger.sqlite3"))
    if not ledgers:
        return False
    try:
        db = sqlite3.connect(f"file:{ledgers[0]}?mode=ro", uri=True)
        try:
            return bool(db.execute("SELECT 1 FROM uploads WHERE state = ?", (state,)).fetchone())
        finally:
            db.close()
    except sqlite3.OperationalError:
        return False  # the tables are not there yet


# --- jobs by their id


def test_a_task_is_polled_and_its_words_put_on_a_card(machine, run, sandbox):
    sandbox.faults.add(SUBMIT, "asr", seconds=3.2)
    first = run("transcribe", VIDEO, "--deadline", "2.5").document
    assert first["status"] == "partial"
    [(task,)] = sqlite3.connect(next(machine.home.rglob("ledger.sqlite3"))).execute("SELECT task_id FROM jobs")
    document = run("poll-asr", task, "--poll-interval-sec", "0.2", "--max-polls", "100").document
    assert document["status"] == "complete" and text_of(document["result"]["works"][0]) == said("dy_video")
    made = machine.paste(document["next"][0]["command"]).document
    assert made["result"]["card"]["path"] and sandbox.bill.asr_seconds == 43


def test_a_job_of_somebody_else_is_read_and_put_on_a_card(run, machine, sandbox):
    task = sandbox.asr.submit([f"{sandbox.base_url}/media/dy_video/video-540.mp4"], sandbox._heard, {"polls": 2}, "r")
    task = task["output"]["task_id"]
    document = run("transcribe", task).document
    assert text_of(document["result"]["works"][0]) == said("dy_video") and "--card" in document["next"][0]["command"]
    assert not document.get("warnings"), "nobody has waited for it yet"
    made = run("poll-asr", task, "--card", VIDEO).document
    card = Path(made["result"]["card"]["path"]).read_text("utf-8")
    assert load().works["dy_video"].words[0] in card
    assert sandbox.bill.submissions == 1


def test_a_task_that_nobody_knows(run):
    ran = run("poll-asr", "00000000-0000-4000-8000-000000000000")
    assert (ran.exit_status, ran.document["error"]["code"]) == (1, "not_found")


# --- captions of other platforms


SRT = "1\n00:00:00,500 --> 00:00:02,000\nWe take the old radio apart\n\n2\n00:00:02,000 --> 00:00:04,000\nand mend it\n"


CUES = {"captions": [{"start": 0.5, "dur": 1.5, "text": "We take the old radio apart"}]}


@pytest.mark.parametrize("data", [SRT, CUES])
def test_captions_of_youtube(machine, tmp_path, data):
    index = [
        {"route": "youtube.web_v2.get_video_captions", "inputs": {"language_code": "en"}, "body": {"data": data}},
        {
            "route": "youtube.web_v2.get_video_captions",
            "body": {"code": 200, "data": {"captions": [{"language_code": "fr"}, {"language_code": "en"}]}},
        },
    ]
    folder = tmp_path / "answers"
    folder.mkdir()
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, index)), "utf-8")
    with Sandbox(rate=None, replay=folder) as sandbox:
        machine.variables["TIKOMNI_BASE_URL"] = sandbox.base_url
        link = "https://www.youtube.com/watch?v=abcdefghijk"
        document = machine.run("transcribe", link, "--language", "en", "--format", "vtt").document
        [row] = document["result"]["works"]
        assert (row["source"], row["language"], row["platform"]) == ("subtitles", "en", "youtube")
        assert Path(row["path"]).read_text("utf-8").startswith("WEBVTT")


def test_captions_of_bilibili_are_found_by_way_of_the_videos_ids(machine, tmp_path):
    with Sandbox(rate=None) as sandbox:
        track = f"{sandbox.base_url}/media/xhs_subtitled/source.srt"
        subtitles = {"subtitle": {"subtitles": [{"lan": "zh-CN", "subtitle_url": track}]}}
        answers = {
            "bilibili.web.fetch_one_video": {"code": 0, "data": {"aid": 170001, "cid": 279786}},
            "bilibili.web.fetch_video_subtitle": {"code": 0, "data": subtitles},
        }
        for route, data in answers.items():
            (tmp_path / f"{route}.json").write_text(json.dumps({"code": 200, "data": data}), "utf-8")
        sandbox.replay = Replay.read(tmp_path)
        machine.variables["TIKOMNI_BASE_URL"] = sandbox.base_url
        document = machine.run("transcribe", "https://www.bilibili.com/video/BV1aa411c7mX").document
        [row] = document["result"]["works"]
        assert (row["source"], row["language"]) == ("subtitles", "zh-CN")
        assert text_of(row) == said("xhs_subtitled")
        asked = [(s.route, dict(s.inputs)) for s in sandbox.requests]
        assert ("bilibili.web.fetch_video_subtitle", {"a_id": "170001", "c_id": "279786"}) in asked


def test_a_video_without_captions_names_the_route_of_its_platform(machine, tmp_path):
    (tmp_path / "youtube.web_v2.get_video_captions.json").write_text('{"code": 200, "data": []}', "utf-8")
    with Sandbox(rate=None, replay=tmp_path) as sandbox:
        machine.variables["TIKOMNI_BASE_URL"] = sandbox.base_url
        document = machine.run("transcribe", "https://youtu.be/abcdefghijk").document
        assert document["result"]["missing"][0]["reason"] == "video_download_url_missing"
        assert document["result"]["works"][0]["tried"] == {"subtitles": "no_subtitles"}
        assert "youtube.web_v2.get_video_info" in document["next"][0]["command"]


def test_full_prints_every_row_of_a_plan(run, asked):
    works = [f"https://www.douyin.com/video/{7_000_000_000_000_000_000 + n}" for n in range(30)]
    ran = run("transcribe", *works, "--dry-run", "--full")
    assert len(ran.document["result"]["plan"]) == 30 and asked() == []


# --- a world in which two works have one film


def shared_ids() -> list[str]:
    return [links["dy_video"].id, links["dy_old"].id]


def shared_works() -> list[str]:
    return [links["dy_video"].url, links["dy_old"].url]


def world_with_a_shared_film(folder: Path) -> Sandbox:
    """Answers of two works that point to one film, and a speech job that finds it silent."""
    from tikomni.sandbox.answers import ORIGIN
    from tikomni.sandbox.world import douyin

    film = "https://films.example.com/one.mp4"
    rows = []
    for number in shared_ids():
        text = json.dumps(douyin.detail(load().work("douyin", number), "app"))
        body = json.loads(text.replace(ORIGIN, "https://films.example.com"))
        point_to(body, film)
        rows.append({"route": "douyin.app.v3.fetch_one_video", "inputs": {"aweme_id": number},
                     "body": {"code": 200, "data": body}})  # fmt: skip
    rows.append({"route": SUBMIT, "body": {"output": {"task_id": "one-film"}}})
    rows.append({"route": POLL, "body": {"code": 200, "data": {
        "platform_task_status": "FAILED", "pending_count": 0,
        "items": [{"item_index": 0, "task_status": "FAILED", "error_code": "DECODE_ERROR"}],
    }}})  # fmt: skip
    (folder / "shared").mkdir()
    (folder / "shared" / "index.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return Sandbox(rate=None, replay=folder / "shared")


def point_to(node: object, film: str) -> None:
    """Every film in an answer becomes this one."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "url_list" and any(".mp4" in str(u) for u in value):
                node[name] = [film]
            else:
                point_to(value, film)
    elif isinstance(node, list):
        for child in node:
            point_to(child, film)


def submitted(sandbox: Sandbox) -> list[str]:
    """The addresses of the only speech job."""
    [job] = [seen for seen in sandbox.requests if seen.route == SUBMIT]
    return job.inputs["input"]["file_urls"]
