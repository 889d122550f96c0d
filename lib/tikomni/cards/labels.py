"""The words of cards in the reader's language. Data lives in ``labels.yaml``; this finds it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tikomni.settings import Settings
from tikomni.storage.yaml_file import read_yaml


def language(settings: Settings, platform: str) -> str:
    """``zh`` or ``en``: the setting, else what the platform's people read."""
    return settings.language or _data()["languages"].get(platform, "en")


def labels(language: str) -> dict[str, Any]:
    """Every label of a language, by name; groups (``fields``, ``reasons``, …) are mappings."""
    return _data()[language]


def note_headings() -> tuple[str, ...]:
    """How the heading above the user's own words reads, in every language."""
    return tuple(words["notes"] for words in all_labels())


def all_labels() -> tuple[dict[str, Any], ...]:
    """The labels of every language."""
    return tuple(words for name, words in _data().items() if name != "languages")


@cache
def _data() -> dict[str, Any]:
    return read_yaml(Path(__file__).with_name("labels.yaml"))
