"""The bases of a card root are made once, in the user's language, and show what cards hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tikomni.analysis import signals
from tikomni.cards import bases, front_matter, standing
from tikomni.cards.labels import labels
from tikomni.cards.render import render_work
from tikomni.facts import Work
from tikomni.settings import Settings


def names(settings: Settings) -> set[str]:
    return {path.name for path in settings.cards.glob("*.base")}


def test_made_once_and_never_overwritten(settings: Settings, video: Work) -> None:
    render_work(settings, video, (), [])
    assert names(settings) == {"作品.base", "作者.base"}
    mine = settings.cards / "作品.base"
    mine.write_text("views: []\n", "utf-8")
    render_work(settings, replace(video, digg_count=1), (), [])
    render_work(replace(settings, language="en"), video, (), [])
    assert mine.read_text("utf-8") == "views: []\n" and names(settings) == {"作品.base", "作者.base"}


def test_english_names(settings: Settings, video: Work) -> None:
    render_work(replace(settings, language="en"), video, (), [])
    assert names(settings) == {"works.base", "creators.base"}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", ["works", "creators"])
def test_views_filter_sort_and_name_columns(name: str, language: str) -> None:
    base = yaml.safe_load(bases.render(name, labels(language)))
    assert f'type == "{name.removesuffix("s")}"' in base["filters"]["and"]
    table, wall, grouped = base["views"]
    assert (table["type"], wall["type"], wall["image"]) == ("table", "cards", "note.cover")
    for view in base["views"]:
        (first,) = view["sort"]
        assert first == {"property": "note.digg_count" if name == "works" else "note.liked_count", "direction": "DESC"}
        assert {column for column in view["order"] if column != "file.name"} <= set(base["properties"])
    assert grouped["groupBy"]["property"] == ("note.bucket" if name == "works" else "note.platform")
    shown = [entry["displayName"] for entry in base["properties"].values()]
    assert len(shown) == len(set(shown)) and all(shown)


def test_columns_are_properties_of_cards() -> None:
    columns = yaml.safe_load(bases.render("works", labels("en")))["properties"]
    assert {column.removeprefix("note.") for column in columns} <= front_matter.NAMES | standing.NAMES


def test_every_signal_has_its_word_in_both_languages() -> None:
    for language in ("zh", "en"):
        lists = Path(signals.__file__).with_name("words").joinpath(f"{language}.yaml").read_text("utf-8")
        for group, of_label in yaml.safe_load(lists).items():
            if group not in ("negations", "stopwords"):
                assert set(of_label) <= set(labels(language)["signals"][group]), group
