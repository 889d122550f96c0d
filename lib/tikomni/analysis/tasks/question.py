"""A task as messages to a model that has no tools: our own words as its system, strangers' words fenced behind them.

Pure. What a model says to them is read and judged like any answer (``answers``, ``evidence``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tikomni.analysis.evidence import Problem
from tikomni.analysis.tasks.material import Material
from tikomni.analysis.tasks.parts import fenced, read
from tikomni.analysis.tasks.registry import Kind
from tikomni.envelope import tokens

# An entry about a work takes some 600 tokens at most; an answer has to fit what a model writes at once.
WORKS_AT_ONCE = 12
MOST_PROBLEMS = 40

WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "open": "你没有工具，也打不开文件：任务需要的文件都在下面，此外没有别的。只输出一个 JSON 对象，不要其他文字。",
        "works": "这一次只回答这些作品：{works}。",
        "repair": "上一次的回答有 {n} 处不成立，列在下面（每行一处：位置、要求、所见、可能所指的句子）。"
        "请改正后重新输出整个 JSON 对象；其余不要改。",
        "none": "上一次的回答里没有可用的 JSON 对象（{why}）。请只输出 schema.json 所描述的 JSON 对象，写得简短些。",
    },
    "en": {
        "open": "You have no tools and cannot open files: all files of the task follow, and there is nothing else. "
        "Write one JSON object and no other words.",
        "works": "This time answer for these works only: {works}.",
        "repair": "Your last answer does not hold in {n} places, listed below (one a line: place, what was expected, "
        "what was found, the sentence that may have been meant). Correct them and write the whole JSON object again; "
        "leave the rest as it is.",
        "none": "Your last answer holds no usable JSON object ({why}). Write nothing but the JSON object that "
        "schema.json describes, in few words.",
    },
}


@dataclass(frozen=True, slots=True)
class Question:
    """``material``: what the answer is checked against, the works that are asked about and no others."""

    system: str
    user: str
    schema: Mapping[str, Any]
    material: Material

    @property
    def tokens(self) -> int:
        return tokens(self.system) + tokens(self.user)

    @property
    def messages(self) -> list[dict[str, str]]:
        return [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}]


def questions(kind: Kind, material: Material) -> tuple[Question, ...]:
    """What is asked of a task, within its budget: one question, or one for each dozen works where all have to be told.

    Local pictures are left out: a model that is sent text cannot see them.
    """
    material = replace(material, pictures=())
    schema = kind.schema(material.language)
    words = WORDS[material.language]
    spelled = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    system = f"{kind.prompt(material.language)}\n## schema.json\n\n{spelled}\n"
    every = [work.ref for work in material.sampled]
    head = f"{words['open']}\n\n"
    room = kind.tokens - tokens(system) - tokens(head + words["works"] + ", ".join(every)) - 60
    files = read(material, room).files
    each = kind.each_work and len(every) > WORKS_AT_ONCE
    made = []
    for start in range(0, len(every), WORKS_AT_ONCE) if each else (0,):
        refs = every[start : start + WORKS_AT_ONCE] if each else every
        told = words["works"].format(works=", ".join(refs)) + "\n\n" if each else ""
        shown = {name: text for name, text in (_of(files, refs) if each else files).items() if text}
        user = head + told + "\n".join(f"### {name}\n\n{text}" for name, text in shown.items())
        asked = tuple(work for work in material.works if work.excluded or work.ref in refs)
        made.append(Question(system, user, schema, replace(material, works=asked)))
    return tuple(made)


def repair(question: Question, said: str, problems: Iterable[Problem], why: str = "") -> list[dict[str, str]]:
    """The messages that ask for a better answer than ``said``. ``why``: it held no answer at all, and why."""
    words = WORDS[question.material.language]
    found = tuple(problems)
    if found:
        rows = [json.dumps(problem.as_dict(), ensure_ascii=False) for problem in found[:MOST_PROBLEMS]]
        told = f"{words['repair'].format(n=len(found))}\n\n{fenced(rows, question.material.input_hash)}"
    else:
        told = words["none"].format(why=why)
    if not said.strip():  # an empty turn is refused by many servers
        return [question.messages[0], {"role": "user", "content": f"{question.user}\n\n{told}"}]
    return [*question.messages, {"role": "assistant", "content": said}, {"role": "user", "content": told}]


def _of(files: Mapping[str, str], refs: list[str]) -> dict[str, str]:
    """The index, and of the parts the lines of ``refs``."""
    chosen = {}
    for name, text in files.items():
        lines = text.splitlines()
        kept = [line for line in lines if not (ref := _REF.match(line)) or ref[1] in refs]
        whole = name.endswith("00-index.md")
        chosen[name] = text if whole else "\n".join(kept) + "\n" if any(map(_REF.match, kept)) else ""
    return chosen


_REF = re.compile(r"(W\d+)[. ]")
