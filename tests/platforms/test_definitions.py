from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import jmespath
import jsonschema
import pytest
import yaml

import tikomni.platforms
from tikomni import catalog
from tikomni.errors import InputError
from tikomni.facts import Work
from tikomni.platforms import Definition, definition, names
from tikomni.platforms.convert import CONVERTERS, Count
from tikomni.platforms.definitions import ELSEWHERE, PageField, Route, document, fill, inputs
from tikomni.platforms.definitions import Path as Expression

HERE = Path(tikomni.platforms.__file__).parent
SCHEMA = json.loads((HERE / "platform.schema.json").read_text("utf-8"))
EVERY = pytest.mark.parametrize("platform", names())


def _inside(value: Any, kind: type) -> Iterator[Any]:
    """Every instance of ``kind`` in a definition."""
    if isinstance(value, kind):
        yield value
    if is_dataclass(value):
        value = [getattr(value, f.name) for f in fields(value)]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _inside(item, kind)


def test_there_are_platforms() -> None:
    assert names()


@EVERY
def test_a_file_is_what_the_schema_says_and_bears_its_platform_s_name(platform: str) -> None:
    jsonschema.validate(document(platform), SCHEMA, format_checker=jsonschema.FormatChecker())
    assert document(platform)["platform"] == platform


def test_other_platforms_are_what_the_schema_says() -> None:
    schema = SCHEMA | {"$ref": "#/$defs/elsewhere"}
    jsonschema.validate(document(ELSEWHERE), {k: schema[k] for k in ("$ref", "$defs")})


def test_the_schema_names_every_converter() -> None:
    listed = SCHEMA["$defs"]["candidates"]["items"]["propertyNames"]["anyOf"][0]["enum"]
    assert sorted(listed) == sorted(CONVERTERS)


@EVERY
def test_every_expression_is_jmespath(platform: str) -> None:
    expressions = [e.text for e in _inside(definition(platform), Expression)]
    assert len(expressions) > 50
    for text in expressions:
        jmespath.compile(text)


@EVERY
def test_every_route_exists_and_takes_what_is_sent(platform: str) -> None:
    """Required inputs are there, none is unknown, and nothing but reading is asked for."""
    asked = list(_inside(definition(platform), Route))
    assert asked
    for ask in asked:
        route = catalog.get(ask.route)
        assert route.effect == "read", ask.route
        paged = {page.send for page in _inside(definition(platform), PageField)}
        for send in ask.send:
            assert set(send) <= {item.name for item in route.inputs}, ask.route
            assert {item.name for item in route.inputs if item.required} - paged <= set(send), ask.route


@EVERY
def test_pages_send_inputs_that_the_route_takes(platform: str) -> None:
    for listed in definition(platform).lists.values():
        for one in listed.routes:
            known = {item.name for item in catalog.get(one.ask.route).inputs}
            assert {page.send for page in one.page} <= known
            assert one.size is None or one.size[0] in known


def test_links_elsewhere_lead_to_routes_that_exist() -> None:
    seen = 0
    for platform in document(ELSEWHERE)["platforms"]:
        for page in platform["pages"]:
            if "route" not in page:
                continue
            seen += 1
            route = catalog.get(page["route"])
            assert set(page["inputs"]) <= {item.name for item in route.inputs}, page["route"]
            assert {item.name for item in route.inputs if item.required} <= set(page["inputs"]), page["route"]
            assert route.effect == "read"
    assert seen > 30


@EVERY
def test_facts_bear_the_contract_s_names(platform: str) -> None:
    known = {f.name for f in fields(Work)}
    rule = definition(platform).objects["work"]
    assert set(rule.fields) <= known
    assert "platform_work_id" in rule.fields
    assert set(rule.unpublished) <= known
    assert rule.kinds[-1].when is None, "the last kind takes what no other did"


@EVERY
def test_the_code_knows_no_platform_by_name(platform: str) -> None:
    known = definition(platform)
    for file in HERE.glob("*.py"):
        words = file.read_text("utf-8").lower()
        code = words.replace('"""', "").split("from __future__")[-1]
        assert f'"{platform}"' not in code and f"'{platform}'" not in code, file
        assert known.name_zh not in code, file


def test_a_definition_is_read_once() -> None:
    first: Definition = definition(names()[0])
    assert definition(names()[0]) is first


def test_an_unknown_platform_is_an_input_error() -> None:
    with pytest.raises(InputError) as caught:
        definition("myspace")
    assert caught.value.code == "unsupported_link"


def test_a_list_s_cut_captions_are_marked(platform: str = "xiaohongshu") -> None:
    for route in definition(platform).lists["creator.works"].routes:
        partial = next(p for p in route.partial if p.field == "caption_raw")
        assert partial.when.find({"desc": "字" * 100}) is True
        assert not partial.when.find({"desc": "短"})


def test_the_next_page_starts_from_the_last_entry() -> None:
    payload = {"notes": [{"cursor": "c1"}, {"cursor": "c2"}], "has_more": True}
    route = definition("xiaohongshu").lists["creator.works"].routes[0]
    assert [page.next.find(payload) for page in route.page] == ["c2"]


def test_templates_fill_or_say_that_they_cannot() -> None:
    assert fill("t3_{id}", {"id": "a"}) == "t3_a"
    assert fill("{id}", {}) is None
    assert fill(0, {}) == 0
    route = Route("x.y", ({"note_id": "{work_id}", "xsec_token": "{xsec_token?}"}, {"share_text": "{short_url}"}))
    assert inputs(route, {"work_id": "1"}) == {"note_id": "1"}
    assert inputs(route, {"work_id": "1", "xsec_token": "t", "short_url": "u"}) == {"note_id": "1", "xsec_token": "t"}
    assert inputs(route, {"short_url": "u"}) == {"share_text": "u"}
    assert inputs(route, {}) is None


def test_the_yaml_files_hold_no_duplicate_keys() -> None:
    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            assert len(keys) == len(set(keys)), node.start_mark
            return super().construct_mapping(node, deep)

    for file in HERE.glob("*.yaml"):
        yaml.load(file.read_text("utf-8"), Loader=Strict)


def test_importing_the_room_loads_no_parser() -> None:
    import subprocess
    import sys

    code = "import sys, tikomni.platforms; print([m for m in ('yaml', 'jmespath') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE.parents[1])
    assert done.stdout.strip() == "[]"


def test_a_profile_s_facts_stand_where_the_definition_says() -> None:
    """Handles and verification as platforms mix them up: "0", empty texts, the likes that a person gave."""
    profile = {
        "uid": "60000000001", "sec_uid": "MS4wx", "unique_id": "", "short_id": "9041", "nickname": "厨房猫",
        "follower_count": 18450, "total_favorited": 99999, "favoriting_count": 77, "aweme_count": 712,
        "ip_location": "IP属地：浙江",
        "verification_type": 0, "custom_verify": "", "enterprise_verify_reason": "合作商家号",
        "avatar_larger": {"uri": "x", "url_list": ["https://img.example/a.webp"]},
    }  # fmt: skip
    note_taker = {
        "userid": "5f00000000000000000000aa", "red_id": "chef9", "nickname": "小厨", "fans": 6231, "liked": 91362,
        "collected": 40277, "ndiscovery": 50, "note_num_stat": {"posted": 57}, "red_official_verified": False,
    }  # fmt: skip
    assert _facts("douyin", profile) == {
        "platform_author_id": "MS4wx", "author_handle": "9041", "author_name": "厨房猫", "fans_count": 18450,
        "liked_count": 99999, "works_count": 712, "verified": True, "verified_reason": "合作商家号",
        "ip_location": "浙江", "avatar_url": "https://img.example/a.webp",
    }  # fmt: skip
    assert _facts("xiaohongshu", note_taker) == {
        "platform_author_id": "5f00000000000000000000aa", "author_handle": "chef9", "author_name": "小厨",
        "fans_count": 6231, "liked_count": 91362, "collected_count": 40277, "works_count": 57, "verified": False,
    }  # fmt: skip
    assert _facts("douyin", {"enterprise_verify_reason": "", "verification_type": 1})["verified"] is False


def _facts(platform: str, profile: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, candidates in definition(platform).objects["creator"].fields.items():
        values = (candidate.convert(candidate.path.find(profile)) for candidate in candidates)
        value = next((v for v in values if v is not None), None)
        if value is not None:
            found[name] = value.value if isinstance(value, Count) else value
    return found
