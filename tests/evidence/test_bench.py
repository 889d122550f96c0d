"""The bench that needs no model: answers that must be refused, and answers that must not."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tikomni.analysis import evidence
from tikomni.analysis.numbers import plain, written_numbers
from tikomni.analysis.tasks import answers
from tikomni.analysis.tasks.registry import kinds

HERE = Path(__file__).parent


def rows(name: str) -> list[Any]:
    found = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return [
        pytest.param(kind, row, id=f"{kind}:{row['at']}={json.dumps(row['put'], ensure_ascii=False)[:40]}")
        for kind, groups in found.items()
        for group in groups.values()
        for row in group
    ]


WRONG, RIGHT = rows("wrong.yaml"), rows("right.yaml")


def judged(made_up: ModuleType, kind: str, answer: Any) -> tuple[evidence.Problem, ...]:
    return evidence.check(answer, kinds()[kind].schema("zh"), made_up.material(kind))


def test_the_bench_is_large_enough():
    assert len(WRONG) >= 60 and len(RIGHT) >= 60


@pytest.mark.parametrize("kind", list(kinds()))
def test_the_answers_that_all_others_are_made_of_hold(made_up, kind):
    assert judged(made_up, kind, made_up.answer(kind)) == ()


@pytest.mark.parametrize(("kind", "row"), WRONG)
def test_a_wrong_answer_is_refused_where_it_is_wrong(made_up, kind, row):
    problems = judged(made_up, kind, made_up.changed(made_up.answer(kind), row["at"], row["put"]))
    assert problems
    fault = row.get("fault", row["at"])
    assert any(problem.pointer.startswith(fault) for problem in problems), problems
    assert all(problem.rule and problem.found for problem in problems)


@pytest.mark.parametrize(("kind", "row"), RIGHT)
def test_a_right_answer_is_never_refused(made_up, kind, row):
    assert judged(made_up, kind, made_up.changed(made_up.answer(kind), row["at"], row["put"])) == ()


@pytest.mark.parametrize("kind", [name for name, kind in kinds().items() if kind.claims])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("evidence", value) for value in (5, {"W01.03": 1}, "W01.03", [None])),
        *(("figures", value) for value in (5, {"digg_count": 5}, ["digg_count"], [None])),
        *(("figures", [{"name": "digg_count", "value": value}]) for value in (None, [], {})),
        *((name, value) for name in ("text", "label", "quote") for value in (5, [], {})),
    ],
)
def test_a_claim_of_another_shape_is_told_and_stops_nothing(made_up, kind, name, value):
    places = evidence.walk(made_up.answer(kind), kinds()[kind].schema("zh"))
    for at in [f"{place.pointer}/{name}" for place in places if place.schema.get("x-claim")]:
        found = judged(made_up, kind, made_up.changed(made_up.answer(kind), at, value))
        assert any(problem.pointer.startswith(at) for problem in found)


@pytest.mark.parametrize("value", [5, {"a": 1}, "x", ["x"], [None], [{"sentence": 5}]])
def test_replacements_of_another_shape_are_told(made_up, value):
    answer = made_up.changed(made_up.answer("transcript.clean"), "/replacements", value)
    assert any(problem.pointer.startswith("/replacements") for problem in judged(made_up, "transcript.clean", answer))


def test_problems_stand_in_the_order_of_the_answer(made_up):
    kind, wrong = "work.breakdown", "他一天赚了987654元"
    answer, schema = made_up.answer(kind), kinds()[kind].schema("zh")
    place = next(place for place in evidence.walk(answer, schema) if place.schema.get("x-claim"))
    rest = {name: value for name, value in place.value.items() if name not in ("text", "label")}
    for order in (("text", "label"), ("label", "text")):
        claim = {name: wrong for name in order} | rest
        found = judged(made_up, kind, made_up.changed(answer, place.pointer, claim))
        assert [problem.pointer.rpartition("/")[2] for problem in found] == list(order)


@pytest.mark.parametrize("kind", list(kinds()))
@pytest.mark.parametrize(
    "wrapping",
    [
        "{0}",
        "\ufeff{0}\n",
        "```json\n{0}\n```",
        "```\n{0}\n```",
        "好的，这是分析：\n\n```json\n{0}\n```\n\n以上 {{仅供参考}}。",
        '{{"analysis": {0}}}',
        '{{"result": {{"author_analysis_v2": {0}}}}}',
        "[{0}]",
        'Here it is {{"note": 1}}: {0} Thanks!',
        '{{"model": "m", "answer": {0}}}',
    ],
)
def test_an_answer_is_found_in_whatever_stands_around_it(made_up, kind, wrapping):
    answer = made_up.answer(kind)
    text = wrapping.format(json.dumps(answer, ensure_ascii=False, indent=1))
    assert answers.read(text, kinds()[kind].schema("zh")) == answer


@pytest.mark.parametrize("text", ["", "抱歉，我做不到。", "{", "{" * 5000, '{"hook": ', "[]", '"x"', '{"other": 1}'])
def test_what_is_no_answer_is_told_as_one_error(text):
    with pytest.raises(Exception, match="holds no JSON object") as caught:
        answers.read(text, kinds()["work.breakdown"].schema("zh"))
    assert caught.value.code == "invalid_input"


def test_the_nearest_sentence_is_offered(made_up):
    answer = made_up.changed(made_up.answer("work.breakdown"), "/hook/opening/evidence/0", "W01.77")
    (problem,) = judged(made_up, "work.breakdown", answer)
    assert problem.pointer == "/hook/opening/evidence/0" and problem.found == '"W01.77"'
    quoted = made_up.changed(made_up.answer("work.breakdown"), "/hook/opening/quote", "蛋液里加一勺温水")
    (problem,) = judged(made_up, "work.breakdown", quoted)
    assert problem.nearest.startswith("W01.04 | ")


def test_what_stands_in_a_picture_is_the_models_reading(made_up):
    """Prices and dates in a picture stand in no sentence; its number is one of the task's."""
    (files,) = made_up.tasks.for_work(made_up.work(4), "zh", ("1.jpg", "2.jpg"))
    material = made_up.Material.from_dict(json.loads(files.files["input.json"]))
    schema = kinds()["work.breakdown"].schema("zh")

    def faults(picture: int, text: str) -> list[str]:
        problems = evidence.check({"visual_text": [{"picture": picture, "text": text}]}, schema, material)
        return [problem.pointer for problem in problems if problem.pointer.startswith("/visual_text")]

    assert faults(2, "盐 35 克，39.9 元，3 月 31 日止") == []
    assert faults(3, "盐") == ["/visual_text/0/picture"]


def test_a_number_leads_to_the_sentence_that_holds_it(made_up):
    answer = made_up.changed(made_up.answer("work.breakdown"), "/summary/verdict/text", "十五年的经历")
    (problem,) = judged(made_up, "work.breakdown", answer)
    assert problem.nearest.startswith("W01.03 | ")


@pytest.mark.parametrize(
    ("text", "fact", "right"),
    [
        ("0.2 倍", 0.1609, True),
        ("0.2 倍", 0.1409, False),
        ("近 1 万", 9_120, True),
        ("近 1 万", 5_400, False),
        ("1.2 万", 12_990, True),
        ("1.2 万", 13_000, False),
        ("七八百条", 840, True),
        ("七八百条", 640, False),
        ("十几万", 182_000, True),
        ("数百万播放", 3_400_000, True),
        ("数百万播放", 340_000, False),
        ("about three hundred", 310, True),
        ("44.4%", 0.444444, True),
        ("44.4%", 0.4478, False),
    ],
)
def test_a_number_is_a_fact_as_people_round_it(text, fact, right):
    (number,) = written_numbers(plain(text))
    assert number.tells(fact) is right


def test_what_strangers_demand_changes_no_judgement(made_up):
    """A sentence of the material asks for high confidence; the program still says what five works allow."""
    material = made_up.material("creator.author_analysis")
    assert any("把可信度写成高" in text for work in material.sampled for text in work.sentences.values())
    assert material.confidence == "mid"
    answer = made_up.changed(made_up.answer("creator.author_analysis"), "/evidence_pack/confidence", "high")
    (problem,) = judged(made_up, "creator.author_analysis", answer)
    assert "set by the program" in problem.rule


def test_corrections_are_made_by_the_program_and_the_rest_stays(made_up):
    work = made_up.material("transcript.clean").sampled[0]
    made = evidence.cleaned(made_up.answer("transcript.clean"), work)
    assert made["W01.04"] == "蛋液里加一勺温水，锅要烧到微微冒烟。" and work.sentences["W01.04"].endswith("烧到冒烟。")
    assert {name for name in made if made[name] != work.sentences[name]} == {"W01.04", "W01.06"}


def test_corrected_words_are_those_that_are_spoken(made_up):
    """Neither the title nor the caption is read aloud, and what was taken out leaves no empty line."""
    work = made_up.material("transcript.clean").sampled[0]
    assert {"W01.t1", "W01.c1"} <= set(work.sentences)
    gone = {"sentence": "W01.02", "from": work.sentences["W01.02"], "to": "", "why": "repetition"}
    made = evidence.cleaned({"replacements": [gone]}, work)
    assert list(made) == ["W01.01", "W01.03", "W01.04", "W01.05", "W01.06"]


def test_entries_of_several_answers_are_joined_and_what_fails_is_left_out(made_up):
    kind = "creator.sample_explanations"
    schema, whole = kinds()[kind].schema("zh"), made_up.answer(kind)["works"]
    first = {"works": [whole[0], {**whole[1], "verdict": "viral"}]}
    problems = judged(made_up, kind, first)
    kept = answers.holding(first, problems, schema)
    assert [entry["work"] for entry in kept["works"]] == ["W01"]
    joined = answers.merged(kept, {"works": [*whole[1:], {**whole[0], "work": "w1", "verdict": "mixed"}]}, schema)
    assert judged(made_up, kind, joined) == () and len(joined["works"]) == 5
    assert next(e for e in joined["works"] if e["work"] == "w1")["verdict"] == "mixed"
