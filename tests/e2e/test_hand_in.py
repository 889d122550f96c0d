"""From a work to an analysis on its card, as an agent does it: the commands that are pasted, and files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import links

BEGIN = "<!-- tikomni:analysis -->"


def filled(schema: dict[str, Any], root: dict[str, Any], ref: str) -> Any:
    """The least answer that follows a schema, resting on the first sentence of the work."""
    if "$ref" in schema:
        schema = {**root["$defs"][schema["$ref"].rpartition("/")[2]], "needs": schema.get("required", [])}
    if "anyOf" in schema:
        return None
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        wanted = {*schema.get("required", ()), *schema.get("needs", ())}
        if schema.get("x-claim"):
            return {"text": "直接说事", "evidence": [ref], **({"label": "直接陈述"} if "label" in wanted else {})}
        return {n: filled(s, root, ref) for n, s in schema["properties"].items() if n in wanted}
    if schema["type"] == "array":
        return [filled(schema["items"], root, ref)] * schema.get("minItems", 0)
    return 3 if schema["type"] == "integer" else "有理由"


def answer_to(task: dict[str, Any]) -> dict[str, Any]:
    schema = json.loads((Path(task["path"]) / "schema.json").read_text(encoding="utf-8"))
    return filled(schema, schema, "W01.01")


@pytest.fixture(scope="module")
def read_before(earlier_machine) -> Path:
    """The state folder of a machine that has read the work, and heard its words."""
    earlier_machine.run("work", links["dy_video"].text)
    return Path(earlier_machine.variables["TIKOMNI_STATE_DIR"])


@pytest.fixture
def analysed(read_before, machine, run) -> dict[str, Any]:
    shutil.copytree(read_before, machine.home / ".local/share/tikomni")
    ran = run("work", links["dy_video"].text)
    assert tokens(ran.stdout) <= TOKEN_BUDGET
    return ran.document["result"]


def hand_in(machine, task: dict[str, Any], answer: Any, *more: str) -> Any:
    Path(task["path"], "answer.json").write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
    return machine.paste(" ".join([task["hand_in"].replace("MODEL", "'some model'"), *more]))


def card(result: dict[str, Any]) -> str:
    return Path(result["card"]["path"]).read_text(encoding="utf-8")


def test_an_answer_reaches_the_card_with_footnotes_and_survives_the_next_run(run, machine, analysed):
    assert [task["kind"] for task in analysed["tasks"]] == ["work.breakdown", "transcript.clean"]
    before = card(analysed)
    assert "还没有人写过分析" in before and "tasks/douyin-" in before
    ran = hand_in(machine, analysed["tasks"][0], answer_to(analysed["tasks"][0]))
    assert (ran.exit_status, ran.document["status"]) == (0, "complete"), ran.stdout
    assert ran.document["result"]["card"]["path"] == analysed["card"]["path"]
    after = card(analysed)
    assert "直接说事[^a-W01-01]" in after and "\n[^a-W01-01]: W01.01 “" in after and "some model" in after
    assert "3/5" in after and "模型意见" in after and "还没有人写过分析" not in after
    assert after.partition(BEGIN)[0] == before.partition(BEGIN)[0]  # nothing else has changed
    again = run("work", links["dy_video"].text).document["result"]
    assert card(again) == after


def test_an_answer_may_be_handed_in_from_any_folder(machine, analysed, tmp_path):
    task = analysed["tasks"][0]
    Path(task["path"], "answer.json").write_text(json.dumps(answer_to(task)), encoding="utf-8")
    ran = machine.paste(task["hand_in"], cwd=tmp_path)
    assert ran.document["result"]["cards"] == [analysed["card"]["path"]]
    assert not (tmp_path / "tikomni-output").exists()


def test_what_does_not_hold_is_told_precisely_and_nothing_is_kept(machine, analysed):
    task, answer = analysed["tasks"][0], answer_to(analysed["tasks"][0])
    before = card(analysed)
    answer["hook"]["opening"]["evidence"] = ["W01.999"]
    answer["summary"]["verdict"]["text"] = "点赞 999 万"
    ran = hand_in(machine, task, answer)
    error = ran.document["error"]
    assert (ran.exit_status, error["code"], error["details"]["count"]) == (2, "invalid_input", 2)
    assert [p["pointer"] for p in error["details"]["problems"]] == ["/hook/opening/evidence/0", "/summary/verdict/text"]
    assert card(analysed) == before and "--partial" in ran.document["next"][0]["command"]
    assert not Path(task["path"], "accepted.json").exists() and tokens(ran.stdout) <= TOKEN_BUDGET


def test_what_holds_is_kept_while_the_rest_is_repaired(machine, analysed):
    task, answer = analysed["tasks"][0], answer_to(analysed["tasks"][0])
    good = answer["hook"]
    answer["hook"] = {**good, "opening": {**good["opening"], "evidence": ["W03.01"]}}
    ran = hand_in(machine, task, answer, "--partial")
    assert (ran.exit_status, ran.document["status"]) == (3, "partial")
    assert [row["field"] for row in ran.document["result"]["missing"]] == ["hook"]
    assert "尚缺" in card(analysed)
    ran = hand_in(machine, task, {"topic": answer["topic"]}, "--partial")
    assert (ran.document["status"], ran.document["result"]["problems_count"]) == ("partial", 0)
    ran = hand_in(machine, task, {"hook": good}, "--partial")
    assert (ran.exit_status, ran.document["status"]) == (0, "complete") and "尚缺" not in card(analysed)


def test_a_change_of_words_or_figures_marks_the_analysis(run, machine, analysed):
    task = analysed["tasks"][0]
    hand_in(machine, task, answer_to(task))
    path = Path(task["path"], "task.json")
    for name, told in (("input_hash", "数字有了变化"), ("words_hash", "文字有了变化")):
        made = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**made, name: "0" * 16}), encoding="utf-8")
        run("render", links["dy_video"].id)
        assert "已过时" in card(analysed) and told in card(analysed)
    run("work", links["dy_video"].text)
    assert "已过时" not in card(analysed)


def test_corrections_stand_beside_the_raw_words(run, machine, analysed):
    task = analysed["tasks"][1]
    printed = run("task", "text", task["path"], "w1")
    line = next(x for x in printed.document["result"]["text"].splitlines() if x.startswith("W01.01 | "))
    first = line.removeprefix("W01.01 | ")
    row = {"sentence": "W01.01", "from": first[:1], "to": "換", "why": "homophone"}
    ran = hand_in(machine, task, {"replacements": [row]})
    assert ran.exit_status == 0, ran.stdout
    assert "校对后的文字稿" in card(analysed) and f"> {first}" in card(analysed).partition("## 文字稿")[2]


def test_facts_of_any_platform_become_a_card_and_a_task(run, tmp_path):
    facts = {
        "platform": "bilibili",
        "platform_work_id": "BV1made-up",
        "title": "怎么磨一把刀",
        "caption_raw": "先用粗石，再用细石。角度二十度。",
        "media_kind": "images",
        "work_modality": "text",
        "primary_text": "先用粗石，再用细石。角度二十度。",
        "primary_text_source": "caption_raw",
        "analysis_eligibility": "eligible",
        "source_url": "https://www.bilibili.com/opus/1",
    }
    ran = run("card", "write", "--facts", "-", stdin=json.dumps(facts))
    assert ran.exit_status == 0, ran.stdout
    made = Path(ran.document["result"]["cards"][0])
    assert made.name.startswith("CBV-") and "怎么磨一把刀" in made.read_text(encoding="utf-8")
    assert [task["kind"] for task in ran.document["result"]["tasks"]] == ["work.breakdown"]
    creator = {"platform": "bilibili", "platform_author_id": "42", "author_name": "磨刀人", "fans_count": 12}
    both = run("card", "write", "--facts", "-", stdin=json.dumps([facts, creator])).document["result"]
    assert both["count"] == 2 and Path(both["cards"][1]).name.startswith("CBA-")
    wrong = run("card", "write", "--facts", "-", stdin=json.dumps([{**facts, "digg_count": "many"}]))
    assert (wrong.exit_status, wrong.document["error"]["code"]) == (2, "invalid_input")
    assert "/digg_count" in wrong.document["error"]["message"]


@pytest.mark.parametrize("words", [[], ["--analysis", "x"], ["--facts", "-", "--task", "x"]])
def test_a_command_that_says_too_little_or_too_much_is_a_usage_error(run, words):
    ran = run("card", "write", *words)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "usage")


def test_a_folder_that_is_no_task_or_was_changed_is_refused(run, analysed, tmp_path):
    ran = run("task", "text", str(tmp_path), "W01")
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "invalid_input")
    path = Path(analysed["tasks"][0]["path"], "input.json")
    path.write_text(path.read_text(encoding="utf-8").replace('"W01.01": "', '"W01.01": "假的'), encoding="utf-8")
    ran = run("task", "text", str(path.parent), "W01")
    assert ran.exit_status == 2 and "changed by hand" in ran.document["error"]["message"]


@pytest.mark.parametrize("n", [3, 5, 8])
def test_tasks_of_many_works_leave_the_document_small(run, n):
    names = [name for name in links if name.startswith(("dy_", "xhs_"))]
    ran = run("work", *(links[name].url for name in names[:n]))
    assert tokens(ran.stdout) <= TOKEN_BUDGET
    result = ran.document["result"]
    assert all("--task" in row["hand_in"] and "…" not in row["hand_in"] for row in result["tasks"])
    every = json.loads(Path(result["run_path"]).read_text(encoding="utf-8"))["result"]["tasks"]
    assert result["tasks_count"] == len(every) > len(result["tasks"])
    assert all(Path(row["path"]).is_dir() for row in every)


def test_an_accepted_answer_that_was_broken_by_hand_is_left_out_and_the_card_stands(run, machine, analysed):
    task = analysed["tasks"][0]
    hand_in(machine, task, answer_to(task))
    path = Path(task["path"], "accepted.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    shapes = ({"answer": {"hook": 1}}, {"version": 99}, {"works": {"W01": 1}}, {"sentences": [1]}, {"sample": {}})
    for broken in (*({**data, **shape} for shape in shapes), {"answer": []}, []):
        path.write_text(json.dumps(broken), encoding="utf-8")
        ran = run("render", links["dy_video"].id)
        assert ran.exit_status == 0 and "还没有人写过分析" in card(analysed)


def test_nothing_in_an_answer_or_its_model_acts_on_the_card(machine, analysed):
    task, answer = analysed["tasks"][0], answer_to(analysed["tasks"][0])
    answer["topic"]["type"] = "%% #tag ![x] ^block $1$"
    answer["summary"]["verdict"]["text"] = "`code` [x] **bold** == mark =="
    ran = hand_in(
        machine, {**task, "hand_in": task["hand_in"].replace("MODEL", "'<!-- tikomni:yours --> [[x]]'")}, answer
    )
    assert ran.exit_status == 0, ran.stdout
    text = card(analysed)
    assert text.count("<!-- tikomni:yours -->") == 1 and "[[x]]" not in text
    assert "**bold**" not in text and "%%" not in text and "`code`" not in text.replace("\\`", "")
