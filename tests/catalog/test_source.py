"""The source files: shaped as their schema says, and true to each other."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from tikomni.catalog import Route, compile, source
from tikomni.catalog.samples import is_sample
from tikomni.catalog.value import checked

SCHEMA = json.loads((compile.SOURCE.parent / "source.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_a_schema() -> None:
    VALIDATOR.check_schema(SCHEMA)


@pytest.mark.parametrize("file", sorted(compile.SOURCE.glob("*.yaml")), ids=lambda file: file.stem)
def test_source_file(file, documents) -> None:
    document = documents[file.name]
    errors = [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(document)]
    assert errors == []
    assert document["tags"] == [{"name": file.stem}]
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert all(operation["tags"] == [file.stem] for operation in operations)


@pytest.mark.parametrize(
    "change",
    [
        {"x-tikomni-effekt": "read"},
        {"x-tikomni-effect": "reads"},
        {"x-tikomni-price-usd": "0.01"},
        {"x-tikomni-prefer": "no dots"},
        {"x-tikomni-any-of": [["aweme_id"]]},
        {"x-tikomni-paging": {"kind": "cursor", "send": {"cursor": "$.data.cursor"}}},
        {"x-tikomni-paging": {"kind": "cursor", "send": {}}},
        {"summary": ""},
        {"parameters": [{"name": "count", "in": "query", "required": False, "schema": {"type": "int"}}]},
        {
            "parameters": [
                {
                    "name": "count",
                    "in": "query",
                    "required": False,
                    "schema": {"type": "integer", "default": "1"},
                }
            ]
        },
        {
            "parameters": [
                {
                    "name": "sort",
                    "in": "query",
                    "required": False,
                    "schema": {"type": "string"},
                    "x-tikomni-values": {1: "newest"},
                }
            ]
        },
    ],
    ids=str,
)
def test_the_schema_refuses(change, documents) -> None:
    document = copy.deepcopy(documents["health-check.yaml"])
    (item,) = document["paths"].values()
    item["get"] |= change
    assert not VALIDATOR.is_valid(document)


def test_names_that_routes_refer_to_exist(routes: dict[str, Route]) -> None:
    for route in routes.values():
        names = {item.name for item in route.inputs}
        assert len(names) == len(route.inputs), route.id
        assert {name for group in route.any_of for name in group} <= names, route.id
        assert set(re.findall(r"{(\w+)}", route.path)) == {i.name for i in route.inputs if i.where == "path"}
        if route.paging:
            assert set(route.paging.send) <= names, route.id
            assert route.paging.size is None or route.paging.size in names, route.id
            assert {name for name, _ in route.paging.fields} <= {*route.paging.send, "more"}, route.id
        for other in filter(None, (route.prefer, route.replaced_by)):
            assert other != route.id and routes[other].in_catalogue, route.id


def test_removed_routes(routes: dict[str, Route]) -> None:
    removed = {route.id: route.replaced_by for route in routes.values() if not route.in_catalogue}
    assert len(removed) == 10
    assert removed["douyin.search.fetch_general_search_v3"] == "douyin.search.fetch_general_search_v1"
    assert all(route.replaced_by is None for route in routes.values() if route.in_catalogue)


def test_prices(routes: dict[str, Route]) -> None:
    assert routes["douyin.app.v3.fetch_multi_video_statistics"].price == 0.025
    assert routes["douyin.app.v3.fetch_one_video"].price_usd is None
    assert routes["douyin.app.v3.fetch_one_video"].price == 0.001
    free = {route.id for route in routes.values() if route.price == 0}
    assert free >= {"health.check", "u2.tasks", "u3.uploads", "sora2.get_task_status"}
    assert free >= {route_id for route_id in routes if route_id.startswith(("demo.", "u2.", "u3."))}


# A default is what upstream does when nothing is said. Somebody's sample is not: it would be paid for.


def _defaults(name: str, schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "default" in schema:
        yield name, schema["default"]
    for member, part in schema.get("properties", {}).items():
        yield from _defaults(member, part)
    if "items" in schema:
        yield from _defaults(name, schema["items"])


GENUINE = {
    ("tiktok.web.generate_webid", "app_id"),  # the web client's own number
    ("tiktok.app.v3.fetch_creator_search_insights_trend", "from_tab_path"),  # a code of the page
    ("kuaishou.app.fetch_hot_board_detail", "boardId"),  # the main board
}


def test_no_default_is_a_sample(routes: dict[str, Route]) -> None:
    found = [
        (route.id, name, value)
        for route in routes.values()
        for item in route.inputs
        for name, value in _defaults(item.name, item.schema)
        if is_sample(name, value) and (route.id, name) not in GENUINE
    ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subreddit_name", "pics"),
        ("keyword", "cat toy"),
        ("snapshot_time", "20250106151500"),
        ("start_date", "04-01-2025"),
        ("xsec_token", "ABfpRSESmZDRbX-EX7lzEztktMngxPVC9kU-dgQmuQoNo="),
        ("start", 1734902400),
        ("room_ids", ["7494491933781003054"]),
        ("industry", "25000000000"),
        ("proxy", "http://user:pass@127.0.0.1:1"),
        ("device_info", {"aid": "1233"}),
    ],
)
def test_samples_are_known_when_seen(name: str, value: Any) -> None:
    assert is_sample(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", 20),
        ("cursor", "0"),
        ("sort_type", "1"),
        ("region", "US"),
        ("keyword", ""),
        ("days", ["all"]),
        ("hd", True),
    ],
)
def test_defaults_are_no_samples(name: str, value: Any) -> None:
    assert not is_sample(name, value)


@pytest.mark.parametrize("file", sorted(compile.SOURCE.glob("*.yaml")), ids=lambda file: file.stem)
def test_writing_a_file_that_was_only_read_changes_nothing(file, documents) -> None:
    assert source.text(documents[file.name]) == file.read_text(encoding="utf-8")


def test_what_upstream_says_otherwise_is_said_of_inputs_that_exist(documents, routes: dict[str, Route]) -> None:
    for document in documents.values():
        for item in document["paths"].values():
            for operation in item.values():
                known = {one.name for one in routes[operation["x-tikomni-id"]].inputs} | {"requestBody"}
                assert {place.split(".")[0] for place in operation.get("x-tikomni-upstream", {})} <= known


def test_examples_and_defaults_are_valid(routes: dict[str, Route], examples) -> None:
    for route in routes.values():
        for item in route.inputs:
            for value in (examples.get((route.id, item.name)), item.schema.get("default")):
                if value not in (None, "") and item.schema.get("format") != "binary":
                    assert checked(item, value) == value, (route.id, item.name)
