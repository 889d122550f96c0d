"""The form of the evals: a model runs them, and what it reads must be whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EVALS = ROOT / "evals"
SKILLS = sorted(folder.name for folder in (ROOT / "skills").iterdir() if (folder / "SKILL.md").is_file())
CASES = sorted(prompt.parent for prompt in EVALS.glob("*/prompt.md"))


def test_each_skill_has_its_triggers_and_no_other_has():
    assert sorted(file.stem for file in (EVALS / "triggers").iterdir()) == SKILLS


@pytest.mark.parametrize("skill", SKILLS)
def test_triggers_have_near_misses_and_two_sets(skill):
    rows = json.loads((EVALS / "triggers" / f"{skill}.json").read_text("utf-8"))
    assert len({row["query"] for row in rows}) == len(rows) >= 20
    for name in ("tune", "hold"):
        wanted = [row["should_trigger"] for row in rows if row["set"] == name]
        assert wanted.count(True) >= 4 and wanted.count(False) >= 4


def test_no_query_belongs_to_two_skills():
    claimed = [
        row["query"]
        for file in (EVALS / "triggers").iterdir()
        for row in json.loads(file.read_text("utf-8"))
        if row["should_trigger"]
    ]
    assert len(set(claimed)) == len(claimed)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_graded(case):
    assert (case / "prompt.md").read_text("utf-8").strip()
    graders = list((case / "graders").glob("*.md"))
    assert graders and all(grader.read_text("utf-8").strip() for grader in graders)
