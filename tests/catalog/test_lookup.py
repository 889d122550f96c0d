"""Finding a route by id or by address."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tikomni.catalog import Input, Route, get, ids, match
from tikomni.errors import InputError


def test_get() -> None:
    route = get("douyin.web.fetch_one_video")
    assert (route.method, route.path) == ("GET", "/api/u1/v1/douyin/web/fetch_one_video")
    assert route.inputs[0] == Input("aweme_id", "query", True, {"type": "string"}, about="work id")
    assert route.object == "work" and route.effect == "read" and route.response == "envelope"


def test_get_body_members_are_inputs() -> None:
    route = get("douyin.search.fetch_general_search_v1")
    keyword = route.input("keyword")
    assert keyword and keyword.where == "body" and keyword.required and keyword.type == "string"
    assert route.input("sort_type").values == {"0": "overall relevance", "1": "most liked", "2": "newest"}
    assert route.body and route.body.content_type == "application/json" and route.body.required
    assert dict(zip(route.paging.send, route.paging.next, strict=True)) == {
        "cursor": "data.cursor",
        "search_id": "data.extra.logid",
        "backtrace": "data.backtrace",
    }
    assert route.paging.more == "data.has_more"


def test_get_insight() -> None:
    route = get("insight.item.query_by_id")
    assert (route.provider, route.path) == ("insight", "/openapi/item/query_by_id")


def test_any_of() -> None:
    assert get("xiaohongshu.app_v2.get_image_note_detail").any_of == (("note_id",), ("share_text",))
    assert get("xiaohongshu.web.get_product_info").any_of == (("share_text",), ("item_id", "xsec_token"))


def test_ids_and_all_routes_agree(routes: dict[str, Route]) -> None:
    assert ids() == tuple(routes)
    assert all(get(route_id) == route for route_id, route in routes.items())


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("douyin.web.fetch_one_vidoe", "douyin.web.fetch_one_video"),
        ("/api/u1/v1/douyin/web/fetch_one_video", "douyin.web.fetch_one_video"),
        ("xiaohongshu.app_v2.get_image_note", "xiaohongshu.app_v2.get_image_note_detail"),
    ],
)
def test_near_misses(asked: str, near: str) -> None:
    with pytest.raises(InputError) as error:
        get(asked)
    assert error.value.code == "unknown_route"
    assert near in error.value.details["near"]


def test_nothing_near() -> None:
    with pytest.raises(InputError) as error:
        get("¯\\_(ツ)_/¯")
    assert error.value.details == {"near": []}


def test_match_every_address(routes: dict[str, Route]) -> None:
    for route in routes.values():
        if "{" not in route.path:
            assert match(route.method, route.path) == (route, {})


@pytest.mark.parametrize(
    ("path", "route_id", "values"),
    [
        ("/api/u2/v1/tasks/7f-3", "u2.tasks", {"task_id": "7f-3"}),
        ("/api/u2/v1/tasks/..%2Fx%3F", "u2.tasks", {"task_id": "../x?"}),
        ("/api/u3/v1/uploads/%E4%B8%AD/complete", "u3.uploads.complete", {"upload_id": "中"}),
    ],
)
def test_match_template(path: str, route_id: str, values: dict[str, str]) -> None:
    route, found = match("post", path)
    assert (route.id, found) == (route_id, values)


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [("POST", "/api/u1/v1/douyin/web/fetch_one_video", ["GET"]), ("GET", "/api/u2/v1/tasks/1", ["POST"])],
)
def test_wrong_method(method: str, path: str, right: list[str]) -> None:
    with pytest.raises(InputError) as error:
        match(method, path)
    assert error.value.code == "unknown_route"
    assert error.value.details["methods"] == right


@pytest.mark.parametrize(
    "path", ["/api/u1/v1/douyin/web/fetch_one_vide", "/api/u2/v1/tasks/", "/api/u2/v1/tasks/a/b", ""]
)
def test_unknown_path(path: str) -> None:
    with pytest.raises(InputError) as error:
        match("GET", path)
    assert "methods" not in error.value.details
    assert isinstance(error.value.details["near"], list)


def test_lookup_imports_the_standard_library_only() -> None:
    code = (
        "import sys; before = set(sys.modules); import tikomni.catalog as c; c.get('health.check');"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - sys.stdlib_module_names - {'tikomni'}))"
    )
    lib = str(Path(__file__).parents[2] / "lib")
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {lib!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"
