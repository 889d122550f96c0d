"""The kinds of analysis, as data: a kind is a folder with what it asks (``prompt.<language>.md``), what it takes
(``schema.json``) and what it may cost (``task.yaml``).

In a schema ``x-words`` names a list of labels (``words.yaml``) that is open, ``x-needs: commercial`` marks claims that
need a call to buy among the signals, ``x-work`` a member that names a sampled work, ``x-scope`` an object whose claims
rest on that work alone, ``x-fact`` a member that must equal a figure of that work, ``x-claim`` a claim, ``x-picture``
the number of a picture of the task, ``x-seen`` what the model read in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tikomni.storage.yaml_file import read_yaml

FOLDER = Path(__file__).parent / "kinds"


@dataclass(frozen=True, slots=True)
class Kind:
    """``tokens``: what prompt, schema and input may come to. ``of``: what it is made for. ``when``: for every work,
    for those whose words were spoken, or where comments were read. ``claims``: the answer holds claims of works; the
    prompt tells the rules for them.
    """

    name: str
    version: int
    of: Literal["work", "creator", "comparison"]
    tokens: int
    when: Literal["always", "spoken", "comments"]
    claims: bool

    def schema(self, language: str) -> dict[str, Any]:
        """The schema as a task folder has it: whole, its labels in ``language``."""
        text = (FOLDER / self.name / "schema.json").read_text(encoding="utf-8")
        common = json.loads((FOLDER / "common.schema.json").read_text(encoding="utf-8"))
        raw = json.loads(text)
        defs = {name: value for name, value in common.items() if f"#/$defs/{name}" in text}
        return _worded(raw | ({"$defs": defs} if defs else {}), _words()[language])

    @property
    def each_work(self) -> bool:
        """Whether the answer has an entry for each work of the sample."""
        return any(part.get("x-all") for part in self.schema("en")["properties"].values())

    def prompt(self, language: str) -> str:
        paths = [FOLDER / self.name / f"prompt.{language}.md"]
        paths += [FOLDER / f"rules.{language}.md"] if self.claims else []
        return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by name, in the order in which their analyses stand on a card."""
    found = []
    for path in FOLDER.glob("*/task.yaml"):
        data = read_yaml(path)
        order = data.pop("order")
        found.append((order, Kind(path.parent.name, **data)))
    return {kind.name: kind for _, kind in sorted(found, key=lambda pair: pair[0])}


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    raw = read_yaml(FOLDER / "words.yaml")
    return {lang: {name: text.split() if lang == "zh" else [w.strip() for w in text.split(",")]
                   for name, text in lists.items()} for lang, lists in raw.items()}  # fmt: skip


def _worded(node: Any, words: dict[str, list[str]]) -> Any:
    if isinstance(node, list):
        return [_worded(item, words) for item in node]
    if not isinstance(node, dict):
        return node
    made = {name: _worded(value, words) for name, value in node.items()}
    if "x-words" in made:
        made["x-words"] = words[made["x-words"]]
    return made
