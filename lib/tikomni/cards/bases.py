"""The bases of a card root: one over the works' cards, one over the creators', as Obsidian's Bases read them.

Made where there is none, in any language, and never written again: from then on they are the user's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tikomni.cards.labels import all_labels, labels, language
from tikomni.settings import Settings
from tikomni.storage import atomic
from tikomni.storage.yaml_file import read_yaml

EXTENSION = ".base"


def make(settings: Settings, platform: str) -> None:
    """Make those that are not there, in the language of the cards of ``platform``.

    Raises:
        InputError: ``storage``. TikomniError: ``disk_full``.
    """
    for name in _data():
        every = (settings.cards / (words["bases"][name] + EXTENSION) for words in all_labels())
        if not any(os.path.lexists(path) for path in every):
            words = labels(language(settings, platform))
            atomic.write_text(settings.cards / (words["bases"][name] + EXTENSION), render(name, words))


def render(name: str, words: Mapping[str, Any]) -> str:
    """The base called ``name`` (``works``, ``creators``) as YAML; its views are sorted by likes, most first."""
    given = _data()[name]
    columns = given["columns"]
    sort = given.get("sort", "digg_count")
    document = {
        "filters": given["filters"],
        "properties": {f"note.{column}": {"displayName": words["fields"][column]} for column in columns},
        "views": [_view(view, columns, sort, words["views"]) for view in given["views"]],
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=1000)


def _view(view: Mapping[str, Any], columns: list[str], sort: str, names: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": view["type"], "name": names[view["name"]]}
    if needed := view.get("with"):
        made["filters"] = {"and": [f"!note.{needed}.isEmpty()"]}
    if group := view.get("group"):
        made["groupBy"] = {"property": f"note.{group}", "direction": "DESC"}  # buckets: Top before Bottom
    # A table shows whose row it is by the link to the card; on a wall the cover stands for that.
    listed = view.get("columns") or ["file.name", *columns]
    made["order"] = [column if column.startswith("file.") else f"note.{column}" for column in listed]
    made["sort"] = [{"property": f"note.{sort}", "direction": "DESC"}]
    if view["type"] == "cards":
        made |= {"image": "note.cover", "imageFit": "cover", "imageAspectRatio": 1.33, "cardSize": 220}
    return made


@cache
def _data() -> dict[str, Any]:
    return read_yaml(Path(__file__).with_name("bases.yaml"))
