"""Whatever stands in an answer, reading it ends in a verdict."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.facts import Media, Work
from tikomni.platforms import Reading, merge

VERDICTS = {"ok", "sparse", "empty", "gone", "failed"}
KEYS = st.sampled_from(
    ["data", "url_list", "url", "name", "id", "note_id", "media", "stream", "code", "h264"]
) | st.text(max_size=5)
ODD = (10**30, 10**4000, -(10**25), 0, "0", "", "true", "http://[", "https://a.example/x.mp4", "\ud800", "1.2万")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from _places(inner, (*path, key))


def _put(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of ``body`` with ``value`` at ``path``; what lies beside the path is shared."""
    if not path:
        return value
    changed = copy.copy(body)
    changed[path[0]] = _put(body[path[0]], path[1:], value)
    return changed


def _check(reading: Reading) -> None:
    assert reading.verdict in VERDICTS
    assert (reading.work is not None) is (reading.verdict in ("ok", "sparse"))
    assert isinstance(reading.media, Media)
    if reading.work is None:
        return
    stored = json.dumps(reading.work.as_dict(), ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert Work.from_dict(json.loads(stored)) == reading.work
    counts = [getattr(reading.work, f"{name}_count") for name in ("digg", "comment", "collect", "share", "play")]
    assert all(c is None or (isinstance(c, int) and c >= 0) for c in counts)
    urls = [reading.work.video_download_url, reading.work.cover_image, *reading.work.image_urls]
    assert all(u is None or u.startswith(("http://", "https://")) for u in urls)
    assert merge(reading, reading).work == reading.work


@pytest.fixture(scope="module")
def answers(made: Any) -> list[tuple[str, Any]]:
    """Valid answers in each shape, with the route that gives them."""
    pictures = made.note(type="normal", video_info_v2=None)
    filtered = {"aweme_detail": None, "filter_list": [{"reason": 8, "aweme_id": made.AWEME}], "status_code": 0}
    article = {"article_title": "题", "article_content": '{"markdown": "文"}'}
    return [
        (made.DOUYIN_ROUTE, made.envelope({"aweme_detail": made.aweme(), "status_code": 0})),
        (made.DOUYIN_ROUTE, made.envelope({"aweme_detail": made.pictures(), "status_code": 0})),
        (made.DOUYIN_ROUTE, made.envelope({"aweme_detail": made.aweme(article_info=article, aweme_type=163)})),
        (made.DOUYIN_ROUTE, made.envelope(filtered)),
        (made.NOTE_ROUTE, made.inner([made.note(), made.note(id=made.OTHER_NOTE)])),
        (made.NOTE_ROUTE, made.inner([{"note_list": [pictures]}])),
        (made.NOTE_ROUTE, made.inner({"items": [{"id": made.NOTE, "note_card": made.note_card()}]})),
    ]


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_anything_at_any_place_of_a_valid_answer(
    read: Any, answers: list[tuple[str, Any]], data: st.DataObject
) -> None:
    route, body = data.draw(st.sampled_from(answers))
    place = data.draw(st.sampled_from(list(_places(body))))
    _check(read(_put(body, place, data.draw(ANYTHING)), route=route, work_id=data.draw(st.sampled_from(["", None]))))


@given(body=ANYTHING, platform=st.booleans())
def test_anything_at_all(read: Any, made: Any, body: Any, platform: bool) -> None:
    _check(read(body, route=made.DOUYIN_ROUTE if platform else made.NOTE_ROUTE))


def test_every_place_may_be_of_another_type(read: Any, answers: list[tuple[str, Any]]) -> None:
    for route, body in answers:
        for place in _places(body):
            for value in (None, True, -1.5, "x", [], {"a": []}, [{}], [["x"]]):
                _check(read(_put(body, place, value), route=route))


def test_very_deep_answers_have_a_verdict(read: Any, made: Any) -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = {"data": [deep], "url_list": [deep]}
    _check(read(deep))
    _check(read(made.envelope({"aweme_detail": made.aweme(images=deep, text_extra=[deep], author=deep)})))
    _check(
        read(
            made.envelope({"aweme_detail": made.aweme(images=[deep] * 3, statistics={"digg_count": deep}, status=deep)})
        )
    )
    _check(
        read(
            made.inner([made.note(images_list=[deep], video_info_v2=deep, user=deep, hash_tag=deep)]),
            route=made.NOTE_ROUTE,
        )
    )


def test_very_long_answers_have_a_verdict(read: Any, made: Any) -> None:
    item = made.aweme(desc="字#" * 200_000, text_extra=[{"hashtag_name": "猫"}] * 20_000)
    item["images"] = [{"url_list": ["x"] * 20_000}] * 2000
    item["video"]["bit_rate"] = [item["video"]["bit_rate"][1]] * 20_000
    _check(read(made.envelope({"aweme_list": [made.aweme(aweme_id="9" * 19)] * 2000 + [item]})))
