"""Whatever an upstream answers, reading it ends in a verdict: no crash, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni import catalog
from tikomni.dispatch.http import Reply
from tikomni.dispatch.outcomes import Outcome, of_reply, of_stored, retry_after
from tikomni.envelope import TOKEN_BUDGET, dump, envelope, tokens
from tikomni.envelope import Outcome as Told
from tikomni.pipelines.pages import entries_at, following_page, place_of
from tikomni.transcripts import subtitles
from tikomni.transcripts.task import read_document, read_task, task_id

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ROUTE = catalog.get("douyin.app.v3.fetch_one_video")
PAGED = catalog.get("douyin.app.v3.fetch_user_post_videos")
MEMBERS = """code data detail loc msg message error items results file_url item_index platform_task_status task_status
pending_count full_text sentences text begin_time transcripts channel_id duration_sec error_code task_id cache_url
has_more max_cursor aweme_list success request_id body events segments start end content""".split()
ODD = ["²", "1" * 5000, "１２", "-", "nan", "inf", "\ud800", "\x00", "SUCCEEDED", 10**25, -1, float("inf"), 1e308, True]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=6),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.sampled_from(MEMBERS), ANYTHING, max_size=8)


def reply(body: bytes, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {"content-type": "application/json", **headers}, body)


@settings(max_examples=300, deadline=None)
@given(body=OBJECTS | ANYTHING, status=st.sampled_from([200, 201, 302, 400, 401, 422, 429, 500]))
def test_an_answer_of_any_shape_has_an_outcome(body: Any, status: int) -> None:
    verdict = of_reply(ROUTE, reply(json.dumps(body).encode(), status), NOW)
    assert verdict.outcome in Outcome and isinstance(verdict.message, str)
    of_stored(ROUTE, json.dumps(body).encode())


@given(data=st.binary(max_size=200), kind=st.text(max_size=20), name=st.text(max_size=30))
def test_bytes_of_any_kind_have_an_outcome(data: bytes, kind: str, name: str) -> None:
    headers = {"content-disposition": f"attachment; filename={name}", "content-type": kind}
    assert of_reply(PAGED, Reply(200, headers, data), NOW).outcome in Outcome


@given(value=st.text(max_size=40) | st.sampled_from([*map(str, ODD), "Wed, 31 Dec 9999 23:59:59 GMT"]))
def test_a_wait_that_an_upstream_asks_for_is_bounded(value: str) -> None:
    wait = retry_after(value, NOW)
    assert wait is None or 0 <= wait <= 86_400


@settings(max_examples=300, deadline=None)
@given(body=st.fixed_dictionaries({"data": OBJECTS}) | ANYTHING)
def test_a_speech_task_of_any_shape_is_read(body: Any) -> None:
    task = read_task(body, ["https://a.invalid/1", "https://a.invalid/2"])
    assert set(task.items) <= {0, 1} and {item.state for item in task.items.values()} <= {"done", "failed", "pending"}
    assert task_id(body) is None or isinstance(task_id(body), str)
    try:
        text, segments, seconds = read_document(body)
    except ValueError:
        return
    assert isinstance(text, str) and all(segment.text for segment in segments) and (seconds is None or seconds >= 0)


@settings(max_examples=200, deadline=None)
@given(
    data=st.binary(max_size=300)
    | OBJECTS.map(lambda body: json.dumps(body).encode())
    | st.text(max_size=99).map(lambda t: t.encode("utf-8", "replace"))
)
def test_a_subtitle_file_of_any_content_is_read_or_refused(data: bytes) -> None:
    try:
        segments = subtitles.read(data)
    except subtitles.Unusable:
        return
    assert segments and all(segment.text for segment in segments)


@settings(max_examples=200, deadline=None)
@given(body=OBJECTS | ANYTHING)
def test_the_page_after_a_page_of_any_shape(body: Any) -> None:
    entries = entries_at(place_of(body), body)
    following, why = following_page(PAGED, body, {"sec_user_id": "x"}, len(entries))
    assert (following is None) == bool(why)


@settings(max_examples=200, deadline=None)
@given(result=st.dictionaries(st.sampled_from([*MEMBERS, "works", "title", "path"]), ANYTHING, max_size=6))
def test_what_is_printed_is_one_document_of_bounded_size(result: Any) -> None:
    result["title"] = "长" * 50_000
    text = dump(envelope("work", Told(result=result)), False)
    assert tokens(text) <= TOKEN_BUDGET and json.loads(text.encode("utf-8"))["ok"] is True


# --- deep and huge: in a process of its own, with 1 GB and 40 seconds

HUGE = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (40, 40))
from datetime import UTC, datetime
from tikomni import catalog
from tikomni.dispatch.http import Reply
from tikomni.dispatch.outcomes import of_reply
from tikomni.transcripts import subtitles, task
from tikomni.pipelines import pages
from tikomni.platforms import definition, read_work
route = catalog.get("douyin.app.v3.fetch_one_video")
data = MADE
verdict = of_reply(route, Reply(200, {"content-type": "application/json"}, data), datetime.now(UTC))
body = verdict.body
print(verdict.outcome)
task.read_task(body, ["https://a.invalid/1"])
pages.entries_at(pages.place_of(body), body)
try:
    subtitles.read(data)
except subtitles.Unusable:
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
@pytest.mark.parametrize(
    "made",
    [
        'b"[" * 1_000_000',
        'b"[" * 900 + b"]" * 900',
        """b'{"data":' * 100_000 + b"1" + b"}" * 100_000""",
        """b'{"data":' * 900 + b"1" + b"}" * 900""",
        """b'{"data": ' + b"9" * 4_000_000 + b"}" """,
        """b'{"data": {"items": [' + b"{}," * 300_000 + b"{}]}}" """,
        """b'{"code": 200, "data": "' + b"x" * 8_000_000 + b'"}' """,
        """b'{"data": {' + b",".join(b'"k%d": 1' % n for n in range(200_000)) + b"}}" """,
        """json.dumps({"body": [{"from": n, "to": n + 1, "content": f"line {n}"} for n in range(60_000)]}).encode()""",
        """b"\\n\\n".join(b"%d\\n00:00:01,000 --> 00:00:02,000\\nline %d" % (n, n) for n in range(30_000))""",
        """b'<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a "' + b"a" * 1000 + b'">' + b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 20) for c in range(98, 110)) + b']><tt xmlns="http://www.w3.org/ns/ttml"><body><p begin="1s" end="2s">&m;</p></body></tt>' """,  # noqa: E501
    ],
    ids=["lists", "900 lists", "objects", "900 objects", "number", "items", "text", "members", "cues", "srt", "laughs"],
)
def test_deep_and_huge_answers_end_in_bounded_time_and_memory(made: str) -> None:
    lib = Path(__file__).resolve().parents[2] / "lib"
    words = [sys.executable, "-c", HUGE.replace("MADE", made)]
    done = subprocess.run(words, env={"PYTHONPATH": str(lib)}, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-1500:]
    assert done.stdout.strip() in set(Outcome)
