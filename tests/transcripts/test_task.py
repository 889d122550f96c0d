"""The ASR service's answers in every documented shape and order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tikomni.transcripts.task import files_of, read_document, read_task, task_id

A, B = "https://cdn.example/a.mp4", "https://cdn.example/b.mp4"


def answer(**data):
    return {"code": 200, "data": {"platform_task_status": "SUCCEEDED", "pending_count": 0, **data}}


def row(index=None, url=None, status="SUCCEEDED", **more):
    return {
        "task_status": status,
        **({"item_index": index} if index is not None else {}),
        **({"transcription_url": url} if url else {}),
        **more,
    }


def test_items_out_of_order_are_placed_by_index():
    task = read_task(answer(items=[row(1, "https://t/b"), row(0, "https://t/a")]), [A, B])
    assert {i: item.url for i, item in task.items.items()} == {0: "https://t/a", 1: "https://t/b"}


def test_a_file_url_beats_the_index():
    task = read_task(answer(items=[row(0, "https://t/b", file_url=B), row(1, "https://t/a", file_url=A)]), [A, B])
    assert task.items[0].url == "https://t/a"


def test_items_that_nothing_names_stand_in_the_submissions_order():
    task = read_task(answer(items=[row(url="https://t/a"), row(url="https://t/b")]), [A, B])
    assert [task.items[i].url for i in (0, 1)] == ["https://t/a", "https://t/b"]


def test_two_works_with_one_video_share_its_words():
    task = read_task(answer(items=[row(0, "https://t/a", file_url=A)]), [A, A])
    assert task.items[0].url == task.items[1].url == "https://t/a"


def test_the_snapshot_status_decides_nothing():
    running = {"data": {"task_status": "SUCCEEDED", "platform_task_status": "PENDING", "pending_count": 1, "items": []}}
    assert read_task(running, [A]).finished is False
    lying = {
        "data": {
            "task_status": "PENDING",
            "platform_task_status": "SUCCEEDED",
            "pending_count": 0,
            "items": [row(0, "https://t/a")],
        }
    }
    assert read_task(lying, [A]).finished is True


def test_a_missing_pending_count_is_not_zero():
    assert read_task({"data": {"platform_task_status": "SUCCEEDED"}}, [A]).finished is False


def test_a_finished_item_counts_while_others_are_pending():
    body = {
        "data": {
            "platform_task_status": "PENDING",
            "pending_count": 1,
            "items": [row(0, "https://t/a"), row(1, status="PENDING")],
        }
    }
    task = read_task(body, [A, B])
    assert (task.finished, task.items[0].state, task.items[1].state) == (False, "done", "pending")


def test_a_success_waits_for_its_words_until_the_job_is_finished():
    waiting = {
        "data": {"platform_task_status": "PENDING", "pending_count": 1, "items": [row(0), row(1, status="RUNNING")]}
    }
    first, second = (read_task(waiting, [A, B]).items[place] for place in (0, 1))
    assert (first.state, first.heard, second.state, second.heard) == ("pending", True, "pending", False)
    early = {"data": {"platform_task_status": "PENDING", "pending_count": 1, "items": [row(0)]}}
    assert read_task(early, [A]).items[0].state == "pending"
    assert read_task(answer(items=[row(0)]), [A]).items[0] == read_task(answer(items=[row(0)]), [A, B]).items[0]
    assert read_task(answer(items=[row(0)]), [A]).items[0].state == "done"


def test_an_item_that_the_service_tries_again_itself_has_not_failed():
    items = [row(0, status="FAILED", error_code="FILE_DOWNLOAD_FAILED", fallback_state="processing")]
    body = {"data": {"platform_task_status": "PENDING", "pending_count": 1, "items": items}}
    assert read_task(body, [A]).items[0].state == "pending"
    assert read_task(answer(platform_task_status="FAILED", items=items), [A]).items[0].state == "failed"


def test_the_files_of_a_job_are_told_by_its_items_in_any_order():
    items = [row("1", file_url=B), row(0, file_url=A)]
    assert files_of(answer(items=items)) == files_of(answer(results=items)) == [A, B]
    assert files_of(answer(input_count=3)) == ["", "", ""]


def test_failed_items_tell_their_code():
    task = read_task(
        answer(
            platform_task_status="PARTIAL_SUCCEEDED",
            items=[row(0, "https://t/a"), row(1, status="FAILED", error_code="FILE_DOWNLOAD_FAILED")],
        ),
        [A, B],
    )
    assert task.items[1].reason == "asr_file_download_failed"


@pytest.mark.parametrize("text", [{"full_text": "甲。乙。"}, {"sentences": [{"text": "甲。"}, {"text": "乙。"}]}])
def test_text_of_the_whole_job_counts_for_its_only_file(text):
    item = read_task(answer(items=[row(0)], duration_sec=42, **text), [A]).items[0]
    assert item.state == "done" and item.text.replace("\n", "") == "甲。乙。" and item.seconds == 42


def test_text_of_the_whole_job_is_nobodys_where_it_has_several_files():
    task = read_task(answer(items=[row(0), row(1)], full_text="甲。乙。"), [A, B])
    assert all(item.text is None for item in task.items.values())


def test_a_finished_job_leaves_no_item_open():
    task = read_task(answer(platform_task_status="FAILED", items=[]), [A, B])
    assert {item.state for item in task.items.values()} == {"failed"}


def test_documents_join_channels_in_order_and_keep_repeated_sentences():
    document = {
        "transcripts": [
            {"channel_id": 1, "text": "丙。", "sentences": [{"begin_time": 0, "end_time": 900, "text": "丙。"}]},
            {
                "channel_id": 0,
                "text": "甲。甲。",
                "content_duration_in_milliseconds": 41_500,
                "sentences": [
                    {"begin_time": 10, "end_time": 500, "text": "甲。", "words": [{"text": "甲"}]},
                    {"begin_time": 500, "end_time": 990, "text": "甲。"},
                ],
            },
        ]
    }
    text, segments, seconds = read_document(document)
    assert text == "甲。\n甲。\n丙。"
    assert [(s.start_ms, s.end_ms) for s in segments] == [(10, 500), (500, 990), (0, 900)]
    assert seconds == 41.5


def test_a_channel_without_sentences_is_not_lost():
    channels = [
        {"channel_id": 0, "text": "甲。", "sentences": [{"begin_time": 0, "end_time": 900, "text": "甲。"}]},
        {"channel_id": 1, "text": "乙。"},
    ]
    text, segments, _ = read_document({"transcripts": channels})
    assert text == "甲。\n乙。" and [s.start_ms for s in segments] == [0, None]


@pytest.mark.parametrize(
    "document",
    [{"full_text": "甲。"}, {"text": "甲。"}, {"sentences": [{"text": "甲。"}]}, {"transcripts": [{"text": "甲。"}]}],
)
def test_other_documents(document):
    assert read_document(document)[0] == "甲。"


@pytest.mark.parametrize("document", [None, [], {}, {"code": 500}, "甲"])
def test_an_unknown_document_is_an_error_not_silence(document):
    with pytest.raises(ValueError):
        read_document(document)


@pytest.mark.parametrize(
    "body",
    [
        {"output": {"task_id": "t1"}},
        {"data": {"task_id": "t1"}},
        {"data": {"output": {"task_id": "t1"}}},
        {"task_id": "t1"},
    ],
)
def test_task_ids_in_each_shape(body):
    assert task_id(body) == "t1"


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda i: (
        st.lists(i, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "output",
                    "items",
                    "item_index",
                    "task_status",
                    "transcription_url",
                    "file_url",
                    "pending_count",
                    "input_count",
                    "fallback_state",
                    "platform_task_status",
                    "sentences",
                    "full_text",
                    "text",
                    "task_id",
                ]
            ),
            i,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(junk)
def test_odd_answers_never_raise(body):
    read_task(body, [A, B])
    files_of(body)
    task_id(body)
