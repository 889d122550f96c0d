"""The reference pages: fresh, complete, each readable alone, and small."""

from __future__ import annotations

import functools
import gzip
import io
import re
import shutil
import tarfile
from typing import Any

import pytest

from tikomni import docs
from tikomni.catalog import Route, compile, reference

MOST_BYTES = 150_000
ROW = {
    "operationId": "one",
    "tags": ["some-api"],
    "summary": "Return one thing",
    "description": "nothing",
    "x-tikomni-id": "some.one",
    "x-tikomni-summary-zh": "取一个",
    "x-tikomni-object": "work",
    "x-tikomni-effect": "read",
    "x-tikomni-response": "envelope",
    "x-tikomni-keywords": ["one"],
    "x-tikomni-catalogues": ["2026-05-10"],
    "x-tikomni-tikhub": False,
}
SORT = {"1": "the newest ones come first", "2": "the most liked ones come first"}


def page(*operations: dict[str, Any], method: str = "get") -> str:
    """The page of a tag with these operations, each said by what it adds to the plainest one."""
    document = {
        "info": {"title": "Some", "version": "2026-05-10", "description": "About.", "x-tikomni-title-zh": "某"},
        "x-tikomni-provider": "tikomni",
        "tags": [{"name": "some-api"}],
        "paths": {
            f"/api/u1/v1/some/{n}": {method: ROW | {"x-tikomni-id": f"some.n{n}"} | operation}
            for n, operation in enumerate(operations)
        },
    }
    return reference.pages([compile.tagged(document)])["some-api.md"]


def query(name: str, **more: Any) -> dict[str, Any]:
    facts = {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
    return facts | {key.replace("_", "-"): value for key, value in more.items()}


@pytest.fixture(scope="module")
def pages(documents) -> dict[str, str]:
    return reference.pages(map(compile.tagged, documents.values()))


def test_the_pages_are_fresh() -> None:
    folder = docs.ROOT / docs.ROUTES
    written = {file.relative_to(docs.ROOT): file.read_text(encoding="utf-8") for file in folder.iterdir()}
    assert written == docs.routes(), "run: python -m tikomni.docs"


def test_same_source_same_text(documents, pages) -> None:
    assert reference.pages(map(compile.tagged, reversed(documents.values()))) == pages


def test_a_package_makes_the_same_pages_without_the_source(pages) -> None:
    assert reference.installed_pages() == pages


def test_every_route_stands_on_the_page_of_its_tag(pages, routes: dict[str, Route]) -> None:
    told = [(file, route) for file, text in pages.items() for route in re.findall(r"^## (\S+)$", text, re.M)]
    assert sorted(told) == sorted((f"{route.tag}.md", route.id) for route in routes.values())


def test_every_route_says_its_contract(pages, routes: dict[str, Route]) -> None:
    for route in routes.values():
        text = pages[f"{route.tag}.md"].split(f"\n## {route.id}\n")[1].split("\n## ")[0]
        assert route.summary in text and route.summary_zh in text
        assert route.give in reference.NOTHING or route.give.replace("<", r"\<") in text
        assert all(f"- `{item.name}`" in text and item.about.replace("<", r"\<") in text for item in route.inputs)
        assert (route.method in text) == (route.method != "GET"), route.id
        assert (f"effect `{route.effect}`" in text) == (route.effect != "read")
        assert route.price == 0.001 or ("free" if route.price == 0 else f"{route.price:g} USD") in text
        for name in (*sum(route.any_of, ()), *(route.paging.send if route.paging else ())):
            assert f"`{name}`" in text, route.id
        assert all(f"`{other}`" in text for other in (route.prefer, route.replaced_by) if other)


def test_each_page_can_be_read_alone(pages) -> None:
    for file, text in pages.items():
        assert text.startswith("# ") and text.endswith("\n") and reference.NOTE in text
        assert file == reference.INDEX or reference.CALL in text


def test_the_index_leads_to_every_page(pages, documents) -> None:
    lines = re.findall(r"^- \[(.+)\]\((.+)\), (\d+) routes?: (.+)$", pages[reference.INDEX], re.M)
    assert {file for _, file, _, _ in lines} == pages.keys() - {reference.INDEX}
    assert sum(int(count) for _, _, count, _ in lines) == 1065
    titles = {file: title for title, file, _, _ in lines}
    assert titles["wechat-channels-api.md"] == "WeChat Channels · 微信视频号"
    assert len(lines) == len(documents)


def test_the_pages_are_small(pages) -> None:
    with io.BytesIO() as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for file, text in pages.items():
                member = tarfile.TarInfo(file)
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        assert len(gzip.compress(packed.getvalue())) < MOST_BYTES


# --- how things are said


def test_a_plain_route_is_two_lines() -> None:
    assert page({}).endswith("\n## some.n0\n\nReturn one thing. 取一个\n")


def test_inputs_and_their_terms() -> None:
    text = page({
        "parameters": [
            query("id", required=True, description="id of it", x_tikomni_format="digits"),
            query("count", schema={"type": "integer", "default": 20, "minimum": 1, "maximum": 50}),
            query("ids", description="some ids", x_tikomni_format="comma-separated", x_tikomni_maximum=10),
            query("kind", schema={"type": "string", "enum": ["a", "b"], "default": ""}),
            query("sort", **{"x-tikomni-values": SORT}),
            query("form", description="a <form>"),
        ]
    })  # fmt: skip
    assert (
        text.split("\n\n")[-1]
        == """\
- `id` (required): id of it; digits
- `count` (integer, default 20, 1–50)
- `ids` (at most 10 values): some ids; comma-separated
- `kind`: one of `a`, `b`
- `sort`: codes `1` the newest ones come first; `2` the most liked ones come first
- `form`: a \\<form>
"""
    )


def test_codes_that_several_routes_share_are_told_once() -> None:
    sort = {"parameters": [query("sort", **{"x-tikomni-values": SORT})]}
    text = page(sort, sort)
    assert text.count("the newest ones come first") == 1
    assert text.count("- `sort`: codes of `sort` above\n") == 2


def test_other_codes_under_the_same_name_keep_apart() -> None:
    def sort(word: str) -> dict[str, Any]:
        return {
            "parameters": [
                query("sort", **{"x-tikomni-values": {"1": f"{word} ones come first, all the others after"}})
            ]
        }

    text = page(sort("new"), sort("new"), sort("old"), sort("old"))
    assert "\n- `sort`: codes `1` new ones" in text and "\n- `sort` (2): codes `1` old ones" in text
    assert text.count("codes of `sort` above") == text.count("codes of `sort` (2) above") == 2


def test_limits_that_many_routes_share_are_told_once() -> None:
    shared = "the links of an answer are good for a few hours only"
    text = page(*({"x-tikomni-limits": [shared, f"own {n}"]} for n in range(3)))
    assert text.count(shared) == 1
    assert "- own 0; note 1 above.\n" in text


def test_what_is_unlike_most_routes() -> None:
    text = page(
        {"x-tikomni-effect": "write", "x-tikomni-price-usd": 0.01, "x-tikomni-prefer": "some.other"}, method="post"
    )
    assert "\n\nPOST; effect `write` (" in text and "0.01 USD; prefer `some.other`." in text
    assert "free." in page({"x-tikomni-price-usd": 0})
    assert "\n\nanswers a file.\n" in page({"x-tikomni-response": "file"})
    gone = {"x-tikomni-catalogues": [], "x-tikomni-replaced-by": "some.other"}
    assert "**removed from the upstream's catalogue**: use `some.other`." in page(gone)
    assert "**not reviewed yet**" in page({"x-tikomni-reviewed": False})


def test_a_limit_that_only_names_the_price_is_left_out() -> None:
    limits = {"x-tikomni-limits": ["listed at 0.01 USD a call", "listed 0.5 USD per call"]}
    text = page(limits | {"x-tikomni-price-usd": 0.01})
    assert "listed at 0.01" not in text and "- listed 0.5 USD per call.\n" in text


def test_alternatives_and_pages() -> None:
    names = [query(name) for name in ("id", "a", "b", "cursor", "count")]
    text = page({
        "parameters": names,
        "x-tikomni-any-of": [["id"], ["a", "b"]],
        "x-tikomni-paging": {
            "kind": "cursor",
            "send": {"cursor": "data.next", "a": None},
            "more": "data.has_more",
            "size": "count",
            "fields": {"a": "next_a"},
        },
    })  # fmt: skip
    assert "- Give `id`, or `a` with `b`.\n" in text
    assert (
        "- Next page: `cursor` from `data.next`, `a` from the answer's `next_a`, place unknown, while `data.has_more`, "
        "page length `count`.\n" in text
    )


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("page", "`p` one higher"),
        ("offset", "`p` raised by the entries had"),
        ("token", "`p` from the answer, place unknown"),
    ],
)
def test_pages_that_the_caller_counts(kind: str, told: str) -> None:
    text = page({"parameters": [query("p")], "x-tikomni-paging": {"kind": kind, "send": {"p": None}}})
    assert f"- Next page: {told}.\n" in text


def test_bodies() -> None:
    def body(schema: dict[str, Any], required: bool = True) -> dict[str, Any]:
        return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}

    bare = {"type": "array", "items": {"type": "string"}, "maxItems": 10, "description": "the ids"}
    assert "- `body` (required, list of text, at most 10 entries): the ids; given whole, by `--body-json`\n" in page(
        body(bare), method="post"
    )
    inner = {
        "type": "object",
        "properties": {"url": {"type": "string", "description": "its link"}},
        "required": ["url"],
    }
    nested = {"type": "object", "properties": {"files": {"type": "array", "items": inner}}}
    assert "- `files` (list of object)\n- `files.url` (required): its link\n" in page(body(nested), method="post")
    assert "`body`" not in page(body({"type": "object"}, required=False), method="post")


# --- python -m tikomni.docs


def test_leftovers_and_stale_pages_are_told_and_put_right(tmp_path, monkeypatch, capsys) -> None:
    for name in ("README.md", "README.zh-CN.md"):  # of these only a table is generated
        shutil.copyfile(docs.ROOT / name, tmp_path / name)
    monkeypatch.setattr(docs, "routes", functools.cache(docs.routes))
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    folder = tmp_path / docs.ROUTES
    (folder / "gone-api.md").write_text("old")
    (folder / reference.INDEX).write_text("old")
    capsys.readouterr()
    assert docs.main(["--check"]) == 1
    assert capsys.readouterr().out.split() == [
        "stale:", (docs.ROUTES / reference.INDEX).as_posix(), "leftover:", (docs.ROUTES / "gone-api.md").as_posix(),
    ]  # fmt: skip
    assert docs.main([]) == 0
    assert not (folder / "gone-api.md").exists()
    assert docs.main(["--check"]) == 0
