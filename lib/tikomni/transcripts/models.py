"""Which speech models lie in the user's folders, and which of them serves a language. ``models.yaml`` is the data.

Looks at names of files, and at token lists where names do not tell; opens no model.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tikomni.storage.yaml_file import read_yaml


@dataclass(frozen=True, slots=True)
class Layout:
    """One entry of ``models.yaml``, explained there."""

    kind: str
    title: str
    engine: str
    needs: Sequence[str]
    files: Mapping[str, Sequence[str]]
    languages: Sequence[str]
    detects: bool
    tokens_hold: Sequence[str] = ()
    prompts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """All of ``models.yaml``."""

    layouts: tuple[Layout, ...]
    order: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Model:
    """A folder that holds a model; ``files`` by role."""

    layout: Layout
    folder: Path
    files: Mapping[str, Path]

    @property
    def name(self) -> str:
        return f"{self.layout.kind}/{self.folder.name}"

    @property
    def absent(self) -> tuple[str, ...]:
        """The modules that it needs and that are not installed."""
        return tuple(name for name in self.layout.needs if importlib.util.find_spec(name) is None)

    def serves(self, language: str | None) -> bool:
        if language is None:
            return self.layout.detects
        return language in self.layout.languages or "*" in self.layout.languages


def table(document: Mapping[str, Any]) -> Table:
    """``models.yaml`` as read from YAML."""
    return Table(tuple(Layout(**entry) for entry in document["layouts"]), document["order"])


@cache
def known_models() -> Table:
    return table(read_yaml(Path(__file__).with_name("models.yaml")))


def recognise(folder: Path, layouts: Sequence[Layout]) -> Model | None:
    """The model that lies in ``folder``, by the names of its files."""
    for layout in layouts:
        found = {role: _first(folder, names) for role, names in layout.files.items()}
        files = {role: path for role, path in found.items() if path is not None}
        if len(files) == len(found) and _tokens_fit(files.get("tokens"), layout.tokens_hold):
            return Model(layout, folder, files)
    return None


def lacking(folder: Path, layouts: Sequence[Layout]) -> str:
    """What a folder that holds no known model lacks for the one that it comes nearest to."""
    if not folder.is_dir():
        return f"{folder} is not a folder"
    missing = {
        layout.title: [" or ".join(names) for names in layout.files.values() if _first(folder, names) is None]
        for layout in layouts
        if any(_first(folder, names) for names in layout.files.values())
    }
    if not missing:
        return f"{folder} holds no file of a known speech model"
    title, names = min(missing.items(), key=lambda item: len(item[1]))
    if not names:
        return f"{folder} holds a model that is not known: its tokens.txt is neither SenseVoice's nor Paraformer's"
    return f"{folder} looks like {title}, but lacks {', '.join(names)}"


def _first(folder: Path, names: Sequence[str]) -> Path | None:
    return next((path for name in names for path in sorted(folder.glob(name)) if path.is_file()), None)


def _tokens_fit(tokens: Path | None, wanted: Sequence[str]) -> bool:
    if not wanted:
        return True
    if tokens is None:
        return False
    with tokens.open(encoding="utf-8", errors="replace") as lines:
        there = {line.rsplit(maxsplit=1)[0] for line in lines if not line.isspace()}
    return there >= set(wanted)


def plain_language(tag: str | None) -> str | None:
    """``zh-CN`` → ``zh``, ``cmn`` → ``zh``; a text that is no tag → ``None``."""
    code = re.split(r"[-_]", (tag or "").strip().lower())[0]
    return {"cmn": "zh"}.get(code, code) if re.fullmatch(r"[a-z]{2,3}", code) else None


def choose(models: Sequence[Model], language: str | None, order: Mapping[str, Sequence[str]]) -> Model | None:
    """The model that serves ``language`` best; among equals the user's first."""
    kinds = order.get(language or "other", order["other"])
    able = [model for model in models if model.layout.kind in kinds and model.serves(language)]
    return min(able, key=lambda model: kinds.index(model.layout.kind), default=None)
