"""The right route for a plain question: first nine times of ten, among the first five nearly always."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tikomni import catalog
from tikomni.catalog.find import SEARCH, find
from tikomni.catalog.search import build
from tikomni.envelope import tokens

EXAMPLES = [json.loads(line) for line in (Path(__file__).with_name("examples.jsonl")).read_text("utf-8").splitlines()]


def half(example: dict) -> int:
    return int(hashlib.sha256(example["q"].encode()).hexdigest(), 16) % 2


def test_there_are_enough_questions_in_both_languages():
    chinese = sum(any("\u4e00" <= c <= "\u9fff" for c in e["q"]) for e in EXAMPLES)
    assert len(EXAMPLES) >= 200 and chinese * 2 >= len(EXAMPLES)


@pytest.mark.parametrize("which", [0, 1])
def test_the_first_choice_is_right_and_no_answer_is_far(which):
    examples = [e for e in EXAMPLES if half(e) == which]
    first = five = 0
    for example in examples:
        routes = find(example["q"], example.get("have") or {}).routes
        accepted = example["accept"]
        first += routes[0] in accepted if accepted and routes else not accepted and not routes
        five += any(r in accepted for r in routes[:5]) if accepted else not routes
    assert first / len(examples) >= 0.90
    assert five / len(examples) >= 0.98


def test_what_acts_never_comes_first_unasked():
    for example in EXAMPLES:
        routes = find(example["q"], example.get("have") or {}).routes
        if routes and routes[0] not in example["accept"]:
            assert catalog.get(routes[0]).effect == "read", example["q"]


def test_the_index_is_fresh():
    assert SEARCH.read_bytes() == build(list(catalog.all_routes()))


def test_answers_are_short_lines_that_begin_with_the_route(run):
    for example in EXAMPLES[::40]:
        have = [
            f"--have={n}={json.dumps(v) if isinstance(v, list) else v}" for n, v in (example.get("have") or {}).items()
        ]
        ran = run("route", "find", example["q"], *have)
        assert tokens(ran.stdout) <= 350, ran.stdout
        for line in ran.document["result"]["routes"]:
            assert catalog.get(line.split(" ", 1)[0])


def test_nothing_that_fits_is_no_error(run):
    ran = run("route", "find", "帮我订一张去北京的火车票")
    assert ran.exit_status == 0 and isinstance(ran.document["result"]["routes"], list)


def test_every_answer_to_every_question_fits_the_limit():
    from tikomni.cli.route_find import _line

    head = '{"ok":true,"command":"route find","status":"complete","result":{"routes":[]}}'
    for example in EXAMPLES:
        lines = [_line(catalog.get(r)) for r in find(example["q"], example.get("have") or {}).routes]
        assert tokens(head + json.dumps(lines, ensure_ascii=False)) <= 350, example["q"]
