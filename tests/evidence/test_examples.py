"""``examples/`` shows what the code of today makes, and every claim in it leads to a sentence."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STAMP = re.compile(r"\d{4}-\d{2}-\d{2}(?=。以下|\. What)")


@pytest.fixture(scope="module")
def cards(made_up, tmp_path_factory) -> dict[str, str]:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("evidence_examples", HERE / "examples.py")
    assert spec and spec.loader
    module = sys.modules.setdefault(spec.name, module_from_spec(spec))
    spec.loader.exec_module(module)
    return module.finished(made_up, tmp_path_factory.mktemp("examples"))


@pytest.mark.parametrize("name", ["creator-card.zh.md", "work-card.zh.md", "work-card.en.md"])
def test_the_examples_are_what_is_made_today(cards, name):
    kept = (ROOT / "examples" / name).read_text(encoding="utf-8")
    assert STAMP.sub("", kept) == STAMP.sub("", cards[name]), "run python tests/evidence/examples.py"


@pytest.mark.parametrize("name", ["creator-card.zh.md", "work-card.zh.md", "work-card.en.md"])
def test_each_footnote_is_there_once_and_is_used(cards, name):
    text = cards[name]
    used = set(re.findall(r"\[\^([a-z]-W\d+-\w+)\](?!:)", text))
    told = re.findall(r"(?m)^\[\^([a-z]-W\d+-\w+)\]: ", text)
    assert used and used == set(told) and len(told) == len(set(told))
    assert text.count("<!-- tikomni:analysis -->") == 1 and "never-shown" not in text


def test_the_program_says_how_sure_a_sample_can_be(cards):
    assert "样本 5 个作品，可信度中" in cards["creator-card.zh.md"]
    assert not re.search("可信度", cards["work-card.zh.md"].partition("### 在作者作品中的解释")[0])
