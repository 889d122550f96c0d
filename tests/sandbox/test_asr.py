"""Speech jobs: every shape that the words come in, every way a job goes, and what it costs."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from tikomni.sandbox import Script
from tikomni.sandbox.asr import SILENT, UNREACHABLE
from tikomni.sandbox.world import load

SUBMIT = "u2.services.audio.asr.transcription"


@pytest.fixture
def film(sandbox):
    """Address of a work's film."""
    return lambda name, file="video-540.mp4": f"{sandbox.base_url}/media/{name}/{file}?a=1128"


def start(client, *addresses: str) -> str:
    reply = client.submit(*addresses)
    assert reply.status == 200, reply.body
    return reply.json["output"]["task_id"]


def words(name: str) -> list[str]:
    return list(load().works[name].words)


def test_a_submission_is_answered_without_the_envelope(client, film):
    body = client.submit(film("dy_video"), film("dy_long")).json
    assert list(body) == ["request_id", "output"]
    assert body["output"]["task_status"] == "PENDING"
    assert body["output"]["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 0, "FAILED": 0}


def test_words_behind_a_link(client, film):
    data = client.poll(start(client, film("dy_video")))
    assert (data["platform_task_status"], data["is_fully_succeeded"], data["pending_count"]) == ("SUCCEEDED", True, 0)
    assert "full_text" not in data and "sentences" not in data
    [item] = data["items"]
    assert (item["item_index"], item["task_status"], item["duration_sec"]) == (0, "SUCCEEDED", 43)
    client.key = None
    document = client.get(item["transcription_url"]).json
    [transcript] = document["transcripts"]
    assert document["file_url"] == film("dy_video")
    assert document["properties"]["original_duration_in_milliseconds"] == 42180
    assert transcript["text"] == "".join(words("dy_video"))
    assert [s["text"] for s in transcript["sentences"]] == words("dy_video")
    assert [s["sentence_id"] for s in transcript["sentences"]] == list(range(1, 11))
    times = [t for s in transcript["sentences"] for t in (s["begin_time"], s["end_time"])]
    assert times == sorted(times) and times[-1] < 42180
    for sentence in transcript["sentences"]:
        said = "".join(word["text"] + word["punctuation"] for word in sentence["words"])
        assert said.replace("，", "") == sentence["text"].replace("，", "")
        assert sentence["words"][-1]["end_time"] <= sentence["end_time"]


def test_a_sentence_said_twice_is_there_twice(client, film):
    data = client.poll(start(client, film("dy_video")))
    text = client.get(data["items"][0]["transcription_url"]).json["transcripts"][0]["text"]
    assert text.count("记住，先洗滤网，再测压力。") == 2


def test_words_in_the_answer(sandbox, client, film):
    sandbox.faults.add(SUBMIT, "asr", shape="full_text")
    data = client.poll(start(client, film("dy_video")))
    assert data["full_text"] == "".join(words("dy_video"))
    assert data["items"][0]["transcription_url"] is None
    sandbox.faults.add(SUBMIT, "asr", shape="sentences")
    data = client.poll(start(client, film("dy_clip")))
    assert data["sentences"] == [{"sentence_id": n, "text": t} for n, t in enumerate(words("dy_clip"), 1)]


def test_success_without_any_words(sandbox, client, film):
    sandbox.faults.add(SUBMIT, "asr", shape="none")
    data = client.poll(start(client, film("dy_video")))
    assert data["platform_task_status"] == "SUCCEEDED"
    assert data["items"][0]["transcription_url"] is None and "full_text" not in data
    assert sandbox.bill.asr_seconds == 43


def test_items_out_of_order_named_by_address(sandbox, client, film):
    sandbox.faults.add(SUBMIT, "asr", reverse=True, file_urls=True, indexed=False)
    addresses = [film("dy_video"), film("dy_clip"), film("dy_long")]
    items = client.poll(start(client, *addresses))["items"]
    assert [item["file_url"] for item in items] == addresses[::-1]
    assert all("item_index" not in item for item in items)


def test_items_out_of_order_named_by_index(sandbox, client, film):
    sandbox.asr.script = Script(reverse=True)
    items = client.poll(start(client, film("dy_video"), film("dy_clip")))["items"]
    assert [item["item_index"] for item in items] == [1, 0]
    assert all("file_url" not in item for item in items)


def test_some_items_fail(sandbox, client, film):
    task = start(client, film("dy_video"), film("dy_guarded"), "https://elsewhere.invalid/a.mp4")
    data = client.poll(task)
    assert data["platform_task_status"] == "PARTIAL_SUCCEEDED" and not data["is_fully_succeeded"]
    assert (data["succeeded_count"], data["failed_count"], data["duration_sec"]) == (1, 2, 43)
    assert [item["error_code"] for item in data["items"]] == [None, UNREACHABLE[0], UNREACHABLE[0]]
    assert data["items"][1]["error_message"] == UNREACHABLE[1]
    assert client.get(f"/transcriptions/{task}/1.json").status == 404
    assert sandbox.bill.asr_seconds == 43


def test_no_words_in_the_answer_unless_all_succeeded(sandbox, client, film):
    sandbox.faults.add(SUBMIT, "asr", shape="full_text", fail=[1])
    data = client.poll(start(client, film("dy_video"), film("dy_clip")))
    assert data["platform_task_status"] == "PARTIAL_SUCCEEDED" and "full_text" not in data
    assert data["items"][1]["error_code"] == UNREACHABLE[0]


def test_a_job_whose_every_file_fails(sandbox, client, film):
    sandbox.faults.add(SUBMIT, "asr", fail={"0": "INTERNAL_ERROR"})
    data = client.poll(start(client, film("dy_video")))
    assert (data["platform_task_status"], data["items"][0]["error_code"]) == ("FAILED", "INTERNAL_ERROR")
    assert sandbox.bill.asr_seconds == 0


@pytest.mark.parametrize(
    ("name", "file"),
    [("dy_silent", "video-540.mp4"), ("dy_video", "dash-1080.mp4"), ("dy_pictures", "music.mp3")],
)
def test_media_without_speech(client, film, name, file):
    data = client.poll(start(client, film(name, file)))
    assert data["items"][0]["error_code"] == SILENT[0]


def test_a_picture_is_not_speech(client, film):
    assert client.poll(start(client, film("dy_video", "cover.jpg")))["items"][0]["error_code"] == UNREACHABLE[0]


def test_a_job_takes_its_polls(sandbox, client, film):
    sandbox.faults.add(SUBMIT, "asr", polls=2)
    task = start(client, film("dy_video"))
    states = [client.poll(task)["platform_task_status"] for _ in range(4)]
    assert states == ["PENDING", "PENDING", "SUCCEEDED", "SUCCEEDED"]


def test_a_job_takes_its_seconds(sandbox, client, film):
    sandbox.faults.add(SUBMIT, "asr", seconds=0.2)
    task = start(client, film("dy_video"))
    assert client.poll(task)["platform_task_status"] == "PENDING"
    time.sleep(0.2)
    assert client.poll(task)["platform_task_status"] == "SUCCEEDED"


def test_items_finish_one_by_one(sandbox, client, film):
    sandbox.faults.add(SUBMIT, "asr", one_by_one=True)
    task = start(client, film("dy_video"), film("dy_clip"))
    first, second = client.poll(task), client.poll(task)
    assert (first["platform_task_status"], first["pending_count"]) == ("PENDING", 1)
    assert [item["task_status"] for item in first["items"]] == ["SUCCEEDED", "PENDING"]
    assert first["items"][0]["transcription_url"] and first["items"][1]["transcription_url"] is None
    assert (second["platform_task_status"], second["pending_count"]) == ("SUCCEEDED", 0)


def test_a_stuck_job_costs_nothing(sandbox, client, film):
    sandbox.asr.script = Script(stuck=True)
    task = start(client, film("dy_video"))
    assert {client.poll(task)["platform_task_status"] for _ in range(5)} == {"PENDING"}
    assert sandbox.bill.asr_seconds == 0


def test_a_stuck_item_keeps_its_job_open(sandbox, client, film):
    sandbox.asr.script = Script(stuck=True, one_by_one=True)
    task = start(client, film("dy_video"), film("dy_clip"))
    data = [client.poll(task) for _ in range(4)][-1]
    assert (data["platform_task_status"], data["succeeded_count"], data["pending_count"]) == ("PENDING", 1, 1)
    assert sandbox.bill.asr_seconds == 43


def test_the_snapshot_lies(sandbox, client, film):
    sandbox.faults.add(SUBMIT, "asr", snapshot="SUCCEEDED", polls=1)
    task = start(client, film("dy_video"))
    data = client.poll(task)
    assert (data["task_status"], data["platform_task_status"], data["pending_count"]) == ("SUCCEEDED", "PENDING", 1)


def test_a_job_is_billed_once_polled_or_not(sandbox, client, film):
    task = start(client, film("dy_video"), film("dy_clip"))
    assert sandbox.bill.as_dict()["seconds_by_file"] == {film("dy_video"): 43, film("dy_clip"): 10}
    for _ in range(3):
        client.poll(task)
    assert (sandbox.bill.submissions, sandbox.bill.asr_seconds) == (1, 53)
    assert sandbox.bill.billed_calls == 0 and sandbox.bill.free["u2.tasks"] == 3


def test_what_cannot_be_submitted(sandbox, client):
    assert client.submit("ftp://somewhere/a.mp4").status == 400
    assert client.submit(*(f"https://a.invalid/{n}.mp4" for n in range(101))).status == 422
    assert client.post("/api/u2/v1/tasks/unknown").status == 404
    assert sandbox.bill.submissions == 0


def test_a_script_with_an_unknown_word_is_an_error():
    with pytest.raises(ValueError, match="shap"):
        Script.made_of(Script(), {"shap": "none"})


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
def test_spoken_times_stay_within_the_film(language):
    for work in load().works.values():
        sentences = work.sentences(language)
        assert all(s.begin_ms < s.end_ms <= work.milliseconds for s in sentences), work.name
        assert all(a.end_ms <= b.begin_ms for a, b in pairwise(sentences)), work.name
