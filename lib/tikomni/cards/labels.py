"""The words of cards in the reader's language. Data lives in YAML files beside this; this finds it."""

from __future__ import annotations

from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Any

from tikomni.settings import Settings
from tikomni.storage.yaml_file import read_yaml


def language(settings: Settings, platform: str) -> str:
    """``zh`` or ``en``: the setting, else what the platform's people read."""
    return settings.language or _data()["languages"].get(platform, "en")


@cache
def labels(language: str, *files: str) -> dict[str, Any]:
    """Every label of a language, by name; groups (``fields``, ``reasons``, …) are mappings.

    ``files``: others like ``labels.yaml``, whose words stand beside its own and in place of those of the same name.
    """
    return reduce(or_, (_data(name)[language] for name in ("labels", *files)))


def note_headings() -> tuple[str, ...]:
    """How the heading above the user's own words reads, in every language."""
    return tuple(words["notes"] for words in all_labels())


def all_labels() -> tuple[dict[str, Any], ...]:
    """The labels of every language."""
    return tuple(words for name, words in _data().items() if name != "languages")


@cache
def _data(name: str = "labels") -> dict[str, Any]:
    return read_yaml(Path(__file__).with_name(f"{name}.yaml"))
