"""From a creator to analyses on cards and in the report, through the command line: right answers and wrong ones."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import links
from tikomni.sandbox.world import crowd

AUTHOR, SAMPLE = "creator.author_analysis", "creator.sample_explanations"
IN_SAMPLE = "### 在作者作品中的解释"


class Desk:
    """The tasks of a creator that was analysed, answers that hold, and the command that hands them in."""

    def __init__(self, machine, result: dict[str, Any]) -> None:
        self._machine, self.result = machine, result
        self.tasks = {task["kind"]: task for task in result["tasks"]}
        self.folder = {kind: Path(task["path"]) for kind, task in self.tasks.items()}
        material = json.loads((self.folder[AUTHOR] / "input.json").read_text("utf-8"))
        self.works = {work["ref"]: work for work in material["works"]}
        self.sampled = [ref for ref, work in self.works.items() if not work["excluded"]]

    def sentence(self, ref: str) -> str:
        return next(iter(self.works[ref]["sentences"]))

    def claim(self, ref: str, **more: Any) -> dict[str, Any]:
        said = self.works[ref]["sentences"][self.sentence(ref)]
        return {"text": f"直接说事，从“{said[:6]}”说起", "evidence": [self.sentence(ref)], **more}

    def entry(self, ref: str) -> dict[str, Any]:
        found = {"work": ref, "verdict": "worked", "why": self.claim(ref), "copy": [self.claim(ref)], "avoid": []}
        return found | {"triggers": ["好奇"], "cognitive_gap": None, "selling": None}

    @property
    def explanations(self) -> dict[str, Any]:
        return {"works": [self.entry(ref) for ref in self.sampled]}

    @property
    def analysis(self) -> dict[str, Any]:
        ref = self.sampled[0]
        plain, labelled = self.claim(ref), self.claim(ref, label="经历")
        levels = dict.fromkeys(("orality", "assertiveness", "emotion", "density"), "mid")
        return {
            "positioning": {
                **dict.fromkeys(("one_liner", "audience", "problem", "value"), plain),
                "author_type": "手艺", "role": "师傅",
            },
            "trust_model": {
                "sources": [labelled], "mechanisms": [], "risks": [],
                "distance": "near", "authority": "mid", "affinity": "high",
            },
            "cognitive_engine": {
                "worldview": plain, "priorities": [], "problem_style": labelled, "reasoning": [labelled]
            },
            "expression_hooks": {**levels, "hooks": [labelled], "phrases": [], "memorable": []},
            "content_mechanism": {
                "topic_sources": [], "structures": [plain], "series": [], "drivers": [labelled], "flywheel": None
            },
            "commercial_bridge": {"role_in_funnel": "未见商业目的", "products": [], "path": None, "risks": []},
            "core_tensions": [{"name": "快与慢", "surface": plain, "deeper": plain, "implication": "学动作"}],
            "evidence_pack": {"works": [], "notes": []} | {"works": [self.stands_for(ref)]},
            "clone_guidance": {
                "copy": [plain], "avoid": [plain], "flavour": "平实", "dangers": [], "one_thing": plain
            },
        }  # fmt: skip

    def stands_for(self, ref: str) -> dict[str, Any]:
        return {"work": ref, "bucket": self.works[ref]["figures"]["bucket"], "why": self.claim(ref)}

    def hand_in(self, kind: str, answer: Any, *more: str) -> Any:
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        (self.folder[kind] / "answer.json").write_text(text, encoding="utf-8")
        ran = self._machine.paste(" ".join([self.tasks[kind]["hand_in"].replace("MODEL", "'some model'"), *more]))
        assert tokens(ran.stdout) <= TOKEN_BUDGET
        return ran

    def cards_of_sample(self) -> dict[str, Path]:
        folder = Path(self.result["paths"]["work_cards"])
        ids = {self.works[ref]["key"].partition(":")[2] for ref in self.sampled}
        return {work_id: next(folder.glob(f"*-{work_id}.md")) for work_id in ids}

    @property
    def creator_card(self) -> str:
        return Path(self.result["paths"]["creator_card"]).read_text("utf-8")

    @property
    def report(self) -> str:
        return Path(self.result["paths"]["report"]).read_text("utf-8")


@pytest.fixture(scope="module")
def refusing(earlier_machine) -> Desk:
    """A desk at which nothing is accepted, for all tests that hand in what does not hold."""
    return Desk(earlier_machine, earlier_machine.run("creator", links["dy_20"].url).document["result"])


@pytest.fixture
def desk(refusing, earlier_machine, run, machine) -> Desk:
    """A desk on a machine of its own, which has read the creator and heard the words of all videos."""
    shutil.copytree(earlier_machine.variables["TIKOMNI_STATE_DIR"], machine.home / ".local/share/tikomni")
    return Desk(machine, run("creator", links["dy_20"].url).document["result"])


def test_an_analysis_reaches_card_and_report_and_outlives_the_next_run(run, machine, desk, sandbox, another_second):
    assert "还没有人写过分析" in desk.creator_card and "还没有人写过分析" in desk.report
    ran = desk.hand_in(AUTHOR, desk.analysis)
    assert (ran.exit_status, ran.document["status"]) == (0, "complete"), ran.stdout
    assert ran.document["result"]["report"] == desk.result["paths"]["report"]
    sentence = desk.sentence(desk.sampled[0]).replace(".", "-")
    assert f"说起[^c-{sentence}]" in desk.creator_card and "some model" in desk.creator_card
    assert "直接说事" in desk.report and re.search(r'<sup><a href="#w\d+\.\w+"', desk.report)
    billed = sandbox.bill.billed_calls
    again = Desk(machine, run("creator", links["dy_20"].url).document["result"])
    assert sandbox.bill.billed_calls == billed
    for text in (again.creator_card, again.report):
        assert "直接说事" in text and "已过时" not in text
    desk.hand_in(SAMPLE, desk.explanations)
    another_second()
    crowd.advance(10)
    later = Desk(machine, run("creator", links["dy_20"].url, "--max-age", "0").document["result"])
    work = next(iter(desk.cards_of_sample().values())).read_text("utf-8")
    for text in (later.creator_card, later.report, work.partition(IN_SAMPLE)[2]):
        assert "直接说事" in text and "已过时" in text
    assert "已过时" not in again.report  # which tells of another day


def test_explanations_stand_on_the_cards_of_their_works_and_stay_there(run, desk):
    cards = desk.cards_of_sample()
    mine = next(iter(cards.values()))
    mine.write_text(mine.read_text("utf-8") + "我自己的话 <!-- tikomni:analysis -->\n", encoding="utf-8")
    ran = desk.hand_in(SAMPLE, desk.explanations)
    assert (ran.exit_status, ran.document["result"]["cards_count"]) == (0, len(cards) + 1), ran.stdout

    def check() -> None:
        for work_id, path in cards.items():
            section = path.read_text("utf-8").partition(IN_SAMPLE)[2].partition("<!-- /tikomni:analysis -->")[0]
            ref = next(ref for ref, work in desk.works.items() if work["key"].endswith(work_id))
            used = set(re.findall(r"\[\^(d-W\d+-\w+)\](?!:)", section))
            assert used == {f"d-{desk.sentence(ref).replace('.', '-')}"} and "some model" in section
            assert all(f"\n[^{note}]: {ref}." in section for note in used)
        assert mine.read_text("utf-8").endswith("我自己的话 <!-- tikomni:analysis -->\n")

    check()
    assert desk.report.count("<summary>") and desk.report.count('class="entries"') == 1
    run("creator", links["dy_20"].url)
    check()
    work_id = next(iter(cards))
    run("work", f"https://www.douyin.com/video/{work_id}", "--card-type", "author_sample_work")
    check()


def test_a_run_from_another_folder_leaves_the_analysis_on_the_card(run, machine, tmp_path):
    vault = ("--card-root", str(tmp_path / "vault"))
    desk = Desk(machine, run("creator", links["dy_3"].url, *vault).document["result"])
    assert desk.hand_in(SAMPLE, desk.explanations).exit_status == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = Desk(machine, run("creator", links["dy_3"].url, *vault, cwd=elsewhere).document["result"])
    assert again.result["paths"]["creator_card"] == desk.result["paths"]["creator_card"]
    assert again.result["paths"]["report"].startswith(str(elsewhere))
    work = next(iter(desk.cards_of_sample().values())).read_text("utf-8")
    for text in (again.creator_card, again.report, work):
        assert "直接说事" in text and "已过时" not in text
    copies = machine.home / ".local/share/tikomni/analyses"
    assert len(list(copies.iterdir())) == 1
    run("purge", links["dy_3"].url, "--yes")
    assert not list(copies.iterdir())


def wrong(desk: Desk) -> dict[str, tuple[str, Any, str, str]]:
    """Name → kind, answer, pointer, what is said of it."""
    first, second = desk.sampled[:2]
    outside = next(ref for ref, work in desk.works.items() if work["excluded"])

    def explained(**changed: Any) -> dict[str, Any]:
        made = desk.explanations
        made["works"][0] |= changed
        return made

    def analysed(module: str, **changed: Any) -> dict[str, Any]:
        made = desk.analysis
        made[module] = {**made[module], **changed}
        return made

    figure = {"work": first, "name": "like", "value": 1}
    return {
        "a sentence of another work": (
            SAMPLE, explained(why=desk.claim(first) | {"evidence": [desk.sentence(second)]}),
            "/works/0/why/evidence/0", f"a sentence of {first}"
        ),
        "a sentence that is not there": (
            SAMPLE, explained(why=desk.claim(first) | {"evidence": [f"{first}.99"]}),
            "/works/0/why/evidence/0", f"a sentence of {first}: "
        ),
        "a work outside the sample": (SAMPLE, explained(work=outside), "/works/0/work", "is no evidence"),
        "an invented work": (SAMPLE, explained(work="W999"), "/works/0/work", "a work of the sample"),
        "no such verdict": (SAMPLE, explained(verdict="great"), "/works/0/verdict", "one of worked, failed, mixed"),
        "works left out": (SAMPLE, {"works": desk.explanations["works"][1:]}, "/works", "one entry for each work"),
        "a figure that is off": (
            SAMPLE, explained(why=desk.claim(first, figures=[figure])), "/works/0/why/figures/0/value", "the facts say"
        ),
        "words that were not said": (
            SAMPLE, explained(why=desk.claim(first, quote="从来没有说过的一句")),
            "/works/0/why/quote", "words that stand in"
        ),
        "a number in the text": (
            AUTHOR, analysed("positioning", value=desk.claim(first) | {"text": "每条都有 987654 次点赞"}),
            "/positioning/value/text", "987654"
        ),
        "a sweeping claim on one work": (
            AUTHOR, analysed("positioning", value=desk.claim(first) | {"text": "所有作品都直接说事"}),
            "/positioning/value/text", "所有作品"
        ),
        "another bucket": (
            AUTHOR, analysed("evidence_pack", works=[{**desk.stands_for(first), "bucket": "Bottom"}]),
            "/evidence_pack/works/0/bucket", "the facts say bucket"
        ),
        "its own confidence": (
            AUTHOR, analysed("positioning", confidence="high"), "/positioning/confidence", "set by the program"
        ),
    }  # fmt: skip


def test_what_is_wrong_is_told_so_that_it_can_be_repaired(refusing):
    desk = refusing
    for name, (kind, answer, pointer, told) in wrong(desk).items():
        ran = desk.hand_in(kind, answer)
        assert (ran.exit_status, ran.document["error"]["code"]) == (2, "invalid_input"), name
        problems = ran.document["error"]["details"]["problems"]
        assert any(p["pointer"] == pointer and told in p["rule"] + p["found"] for p in problems), (name, problems)
        assert not (desk.folder[kind] / "accepted.json").exists()
        if "/evidence/" in pointer:
            nearest = next(p["nearest"] for p in problems if p["pointer"] == pointer)
            assert re.match(r"W\d+\.\w+ \| ", nearest), name
    assert "还没有人写过分析" in desk.creator_card and "还没有人写过分析" in desk.report


def test_explanations_may_come_some_at_a_time(desk):
    entries = desk.explanations["works"]
    entries[0] = {**entries[0], "why": desk.claim(desk.sampled[1])}
    ran = desk.hand_in(SAMPLE, {"works": entries[:3]}, "--partial")
    assert (ran.exit_status, ran.document["status"], ran.document["result"]["problems_count"]) == (3, "partial", 1)
    missing = [row["field"] for row in ran.document["result"]["missing"]]
    assert missing[0] == desk.sampled[0] and desk.sampled[1] not in missing
    assert ran.document["result"]["missing_count"] == len(desk.sampled) - 2
    assert "尚缺" in desk.creator_card and "尚缺" in desk.report
    ran = desk.hand_in(SAMPLE, {"works": [desk.entry(desk.sampled[0]), *entries[3:]]}, "--partial")
    assert (ran.exit_status, ran.document["status"]) == (0, "complete"), ran.stdout
    assert "尚缺" not in desk.creator_card + desk.report


def test_an_answer_is_found_in_what_stands_around_it(run, desk):
    whole = json.dumps(desk.analysis, ensure_ascii=False)
    for text in (
        f"好的，以下是分析：\n\n```json\n{whole}\n```\n如需修改请告诉我。",
        json.dumps({"result": {"analysis": desk.analysis}}),
        f"[{whole}]",
        "\ufeff" + whole,
    ):
        assert desk.hand_in(AUTHOR, text).exit_status == 0, text[:40]
    ran = run("card", "write", "--task", str(desk.folder[AUTHOR]), "--analysis", "-", stdin=whole)
    assert (ran.exit_status, ran.document["result"]["kind"]) == (0, AUTHOR)


@pytest.mark.parametrize(
    "junk", ["", "我不能完成这个任务。", "[1, 2, 3]", '{"positioning": ', '{"a": 1}', "\x00\x01{", "{" * 5000]
)
def test_junk_is_no_answer(refusing, junk):
    ran = refusing.hand_in(AUTHOR, junk)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "invalid_input")
    assert "schema.json" in ran.document["error"]["hint"]
    assert not (refusing.folder[AUTHOR] / "accepted.json").exists()


def test_corrections_that_go_too_far_are_refused(run, machine):
    task = run("work", links["dy_video"].text).document["result"]["tasks"][1]
    lines = json.loads((Path(task["path"]) / "input.json").read_text("utf-8"))["works"][0]["sentences"]
    name, said = next((name, said) for name, said in lines.items() if name.partition(".")[2].isdigit())
    every = [
        {"sentence": n, "from": text, "to": "完" * len(text), "why": "name"}
        for n, text in lines.items()
        if n[4].isdigit()
    ]
    for rows, pointer, told in (
        ([{"sentence": name, "from": "没有这几个字", "to": "字", "why": "name"}], "/replacements/0/from", ""),
        ([{"sentence": "W01.98", "from": said[:1], "to": "字", "why": "name"}], "/replacements/0/sentence", ""),
        ([{"sentence": name, "from": said[:1], "to": "一句。又一句。", "why": "name"}], "/replacements/0/to", ""),
        (every, "/replacements", "characters changed"),
    ):
        Path(task["path"], "answer.json").write_text(json.dumps({"replacements": rows}), encoding="utf-8")
        ran = machine.paste(task["hand_in"])
        problems = ran.document["error"]["details"]["problems"]
        assert ran.exit_status == 2 and any(p["pointer"] == pointer and told in p["rule"] for p in problems), problems


def test_a_list_of_facts_gives_a_card_and_a_task_each(run, tmp_path):
    facts = [
        {
            "platform": "bilibili", "platform_work_id": f"made-up-{n}", "title": f"磨刀第 {n} 课",
            "media_kind": "images", "work_modality": "text", "caption_raw": "先粗后细。", "source_url": f"https://www.bilibili.com/opus/{n}",
        }
        for n in range(12)
    ]  # fmt: skip
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(facts), encoding="utf-8")
    ran = run("card", "write", "--facts", str(path))
    result = ran.document["result"]
    assert (ran.exit_status, result["count"], result["tasks_count"]) == (0, 12, 12)
    assert tokens(ran.stdout) <= TOKEN_BUDGET
    assert len(list(Path(result["cards"][0]).parent.rglob("*.md"))) == 12
    facts[7]["published_at"] = "yesterday"
    path.write_text(json.dumps(facts), encoding="utf-8")
    told = run("card", "write", "--facts", str(path)).document["error"]["message"]
    assert "/7" in told and "/published_at" in told
