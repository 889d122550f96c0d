"""Caller values → a call: what is converted, what is refused, how it looks on the wire."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.catalog import Input, Route, all_routes, get
from tikomni.catalog.check import MISSING, prepare
from tikomni.errors import InputError


def problems(route_id: str, values: dict[str, Any], body: Any = MISSING) -> list[dict[str, str]]:
    with pytest.raises(InputError) as error:
        prepare(get(route_id), values, body)
    assert error.value.code == "invalid_input"
    assert route_id in error.value.message
    assert error.value.details["route"] == route_id
    assert all(problem["input"] in error.value.message for problem in error.value.details["problems"])
    return error.value.details["problems"]


# Converted


def test_command_line_strings_become_their_types() -> None:
    call = prepare(get("douyin.web.fetch_one_video"), {"need_anchor_info": "true", "aweme_id": 7372484719365098803})
    assert call.inputs == {"aweme_id": "7372484719365098803", "need_anchor_info": True}
    assert list(call.inputs) == sorted(call.inputs)
    assert call.query == (("aweme_id", "7372484719365098803"), ("need_anchor_info", "true"))
    assert call.path == "/api/u1/v1/douyin/web/fetch_one_video"
    assert call.json is MISSING


def test_one_number_is_one_call_however_it_is_written() -> None:
    route = get("instagram.v2.search_by_coordinates")
    for written in (41, 41.0, "41", "41.0", "4.1e1"):
        call = prepare(route, {"latitude": written, "longitude": "-73.98"})
        assert call.query == (("latitude", "41"), ("longitude", "-73.98"))


def test_defaults_are_not_added() -> None:
    assert prepare(get("bilibili.web.fetch_com_popular"), {}).inputs == {}
    assert prepare(get("bilibili.web.fetch_com_popular"), {"pn": "2"}).inputs == {"pn": 2}


def test_blank_and_null_values_are_not_given() -> None:
    call = prepare(get("xiaohongshu.app_v2.get_note_comments"), {"note_id": "a", "share_text": "", "cursor": None})
    assert call.inputs == {"note_id": "a"}


def test_json_body() -> None:
    call = prepare(get("douyin.search.fetch_general_search_v1"), {"keyword": "猫", "cursor": "20"})
    assert call.json == {"keyword": "猫", "cursor": 20}
    assert call.query == ()


def test_body_given_whole_is_the_same_call() -> None:
    route = get("douyin.search.fetch_general_search_v1")
    named = prepare(route, {"keyword": "猫", "cursor": 20})
    assert prepare(route, {}, {"cursor": "20", "keyword": "猫"}) == named
    assert prepare(route, {"cursor": 20}, '{"keyword": "猫"}') == named


def test_query_and_body_of_one_route() -> None:
    call = prepare(get("zhihu.web.fetch_scholar_search_v3"), {"keyword": "ai", "advanced_filter": "title"})
    assert (call.query, call.json) == ((("keyword", "ai"),), {"advanced_filter": "title"})


def test_bodies_that_may_be_left_out() -> None:
    assert prepare(get("tiktok.web.fetch_home_feed"), {}).json is MISSING
    assert prepare(get("tiktok.web.generate_x_mssdk_info"), {}).json == {}
    assert prepare(get("u3.uploads.complete"), {"upload_id": "a"}).json is MISSING


def test_bare_bodies() -> None:
    call = prepare(get("douyin.web.fetch_multi_video"), {}, '["1", 2]')
    assert call.json == ["1", "2"]
    assert call.inputs == {"body": ["1", "2"]}
    assert prepare(get("douyin.web.fetch_query_user"), {}, "ttwid=1").json == "ttwid=1"


def test_lists_in_a_query() -> None:
    call = prepare(get("reddit.app.fetch_home_feed"), {"filter_posts": ["t3_a", "t3_b"]})
    assert call.query == (("filter_posts", "t3_a"), ("filter_posts", "t3_b"))
    call = prepare(get("douyin.app.v3.fetch_video_statistics"), {"aweme_ids": ["1", 2]})
    assert call.query == (("aweme_ids", "1,2"),)


def test_nested_body() -> None:
    call = prepare(get("u2.services.audio.asr.transcription"), {"input": '{"file_urls": ["https://a.example/v.mp4"]}'})
    assert call.json == {"input": {"file_urls": ["https://a.example/v.mp4"]}}


def test_file(tmp_path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"x")
    call = prepare(get("sora2.upload_image"), {"file": str(picture)})
    assert (call.files, call.json) == ({"file": str(picture)}, MISSING)


def test_share_text_keeps_its_line_breaks() -> None:
    text = "看看这个\n https://xhslink.com/a"
    assert prepare(get("xiaohongshu.app_v2.get_image_note_detail"), {"share_text": text}).inputs == {"share_text": text}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("../health", "..%2Fhealth"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a b%2f中", "a%20b%252f%E4%B8%AD"),
    ],
)
def test_path_values_are_escaped(value: str, path: str) -> None:
    call = prepare(get("u2.tasks"), {"task_id": value})
    assert call.path == f"/api/u2/v1/tasks/{path}"
    assert call.inputs == {"task_id": value}


# Refused


@pytest.mark.parametrize("value", ["", " ", None, ".", "..", "a\nb", "a\x00", "\ud800"])
def test_path_values_refused(value: Any) -> None:
    (problem,) = problems("u2.tasks", {"task_id": value})
    assert problem["input"] == "task_id"


def test_unknown_name_with_its_nearest() -> None:
    unknown, missing = problems("douyin.web.fetch_one_video", {"awemeId": "1"})
    assert unknown == {
        "input": "awemeId",
        "problem": "is not an input of this route",
        "nearest": "aweme_id",
    }
    assert missing == {"input": "aweme_id", "problem": "is required"}


def test_every_problem_is_told() -> None:
    found = problems("u3.uploads", {"provider": "s3", "file_name": "a" * 256, "size_bytes": "0", "x": 1})
    assert {problem["input"] for problem in found} == {
        "provider",
        "file_name",
        "size_bytes",
        "x",
        "content_type",
    }


@pytest.mark.parametrize(
    ("route_id", "values"),
    [
        ("xiaohongshu.app_v2.get_image_note_detail", {}),
        ("xiaohongshu.app_v2.get_image_note_detail", {"note_id": ""}),
        ("xiaohongshu.web.get_product_info", {"item_id": "1"}),
        ("douyin.search.fetch_general_search_v1", {"cursor": 0}),
        ("reddit.app.fetch_subreddit_info", {}),
    ],
)
def test_nothing_acts_on_a_sample(route_id: str, values: dict[str, Any]) -> None:
    problems(route_id, values)


@pytest.mark.parametrize(
    ("route_id", "values", "name"),
    [
        ("douyin.creator.fetch_creator_hot_course", {"limit": 101}, "limit"),
        ("douyin.creator.fetch_creator_hot_course", {"limit": "0"}, "limit"),
        ("douyin.creator.fetch_creator_hot_course", {"limit": "ten"}, "limit"),
        ("douyin.creator.fetch_creator_hot_course", {"limit": 1.5}, "limit"),
        ("douyin.creator.fetch_creator_hot_course", {"limit": True}, "limit"),
        ("douyin.creator.fetch_creator_hot_course", {"limit": "１０"}, "limit"),
        ("douyin.web.fetch_one_video", {"aweme_id": "1", "need_anchor_info": "yes"}, "need_anchor_info"),
        ("douyin.web.fetch_one_video", {"aweme_id": ["1"]}, "aweme_id"),
        ("douyin.web.fetch_one_video", {"aweme_id": "1\x07"}, "aweme_id"),
        ("douyin.app.v3.fetch_video_statistics", {"aweme_ids": "1,2,3"}, "aweme_ids"),
        ("reddit.app.fetch_home_feed", {"filter_posts": "t3_a"}, "filter_posts"),
        ("reddit.app.fetch_home_feed", {"filter_posts": {"a": 1}}, "filter_posts"),
        ("sora2.create_video", {"prompt": "a", "media_id": "x"}, "media_id"),
        ("sora2.create_video", {"prompt": "a", "orientation": "square"}, "orientation"),
        ("sora2.upload_image", {"file": "/no/such/file.png"}, "file"),
        ("u2.services.audio.asr.transcription", {"input": {}}, "input"),
        ("u2.services.audio.asr.transcription", {"input": {"file_urls": []}}, "input"),
        ("u2.services.audio.asr.transcription", {"input": {"file_urls": ["a.mp4"]}}, "input"),
        ("u2.services.audio.asr.transcription", {"input": {"file_urls": ["https://a.b/c"] * 101}}, "input"),
        ("tiktok.web.fetch_gift_names_by_ids", {"gift_ids": [str(n) for n in range(51)]}, "gift_ids"),
        ("douyin.billboard.fetch_hot_account_list", {"query_tag": {"value": float("nan")}}, "query_tag"),
    ],
)
def test_values_refused(route_id: str, values: dict[str, Any], name: str) -> None:
    assert [problem["input"] for problem in problems(route_id, values)] == [name]


@pytest.mark.parametrize(
    ("route_id", "body"),
    [
        ("douyin.web.fetch_multi_video", MISSING),
        ("douyin.web.fetch_multi_video", []),
        ("douyin.web.fetch_multi_video", "not json"),
        ("douyin.web.fetch_multi_video", {"aweme_ids": ["1"]}),
        ("douyin.web.fetch_multi_video", [str(n) for n in range(51)]),
        ("douyin.web.fetch_query_user", MISSING),
        ("health.check", {"a": 1}),
        ("tiktok.web.fetch_home_feed", "[1]"),
    ],
)
def test_bodies_refused(route_id: str, body: Any) -> None:
    assert [problem["input"] for problem in problems(route_id, {}, body)] == ["body"]


def test_a_member_given_twice() -> None:
    problems("douyin.search.fetch_general_search_v1", {"keyword": "a"}, {"keyword": "b"})


def test_messages_keep_values_to_themselves() -> None:
    with pytest.raises(InputError) as error:
        prepare(get("tiktok.web.fetch_home_feed"), {"cookie": "sessionid=secret\x00", "count": "secret"})
    assert "secret" not in error.value.message + str(error.value.details)


# Any valid query arrives as it was given

_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip)


def _value(item: Input) -> st.SearchStrategy[Any]:
    schema = item.schema
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match item.type:
        case "integer":
            return st.integers(schema.get("minimum", -(10**15)), schema.get("maximum", 10**15))
        case "number":
            return st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(_TEXT, min_size=1)
    text = _TEXT.filter(lambda text: schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 10**6))
    return text.map(lambda text: text.replace(",", ".")) if item.maximum else text


def _query_call(route: Route) -> st.SearchStrategy[tuple[Route, dict[str, Any]]]:
    always = {item.name for item in route.inputs if item.required} | set(*route.any_of[:1])
    return st.tuples(
        st.just(route),
        st.fixed_dictionaries(
            {item.name: _value(item) for item in route.inputs if item.name in always},
            optional={item.name: _value(item) for item in route.inputs if item.name not in always},
        ),
    )


QUERY_ROUTES = [route for route in all_routes() if route.inputs and {i.where for i in route.inputs} == {"query"}]


@settings(deadline=None)
@given(st.sampled_from(QUERY_ROUTES).flatmap(_query_call))
def test_any_valid_query_arrives_as_given(call: tuple[Route, dict[str, Any]]) -> None:
    route, values = call
    prepared = prepare(route, values)
    assert prepared.inputs == values
    arrived: dict[str, list[str]] = {}
    for name, text in parse_qsl(urlencode(prepared.query), keep_blank_values=True):
        arrived.setdefault(name, []).append(text)
    again = {name: texts if route.input(name).type == "array" else texts[0] for name, texts in arrived.items()}
    assert prepare(route, again) == prepared


def test_every_route_can_be_called_with_its_examples(tmp_path, examples) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"x")
    stand_in = {
        "string": "x",
        "integer": 1,
        "boolean": True,
        "array": ["x"],
        "object": {"file_urls": ["https://a.example/"]},
    }
    for route in all_routes():
        needed = {item.name for item in route.inputs if item.required} | set(*route.any_of[:1])
        values = {}
        for item in route.inputs:
            if item.name in needed:
                enum = item.schema.get("enum", [None])[0]
                values[item.name] = enum or examples.get((route.id, item.name)) or stand_in[item.type]
            if item.schema.get("format") == "binary":
                values[item.name] = str(picture)
        bare = route.body and {"array": ["x"], "string": "x"}.get(route.body.schema["type"])
        prepare(route, values, bare or MISSING)
