"""The output tree is checked before anything is paid for, and its paths are new."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tikomni.errors import InputError
from tikomni.settings import Settings
from tikomni.storage.tree import Tree

AT = datetime(2025, 3, 31, 23, 30, 5, tzinfo=UTC)  # already the 1st of April in Shanghai


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    cards, state = tmp_path / "vault" / "cards", tmp_path / "state"
    return Settings(output_root=tmp_path / "out", card_root=cards, state_dir=state)


def refused(settings: Settings, also: tuple[tuple[Path, str], ...] = ()) -> InputError:
    with pytest.raises(InputError) as caught:
        Tree(settings).check(also)
    assert caught.value.code == "storage" and caught.value.exit_status == 2
    return caught.value


def test_a_check_makes_the_roots_and_leaves_nothing_in_them(settings: Settings) -> None:
    Tree(settings).check()
    for root in (settings.output_root, settings.cards, settings.state):
        assert root.is_dir() and not [p for p in root.iterdir() if p.is_file()]
    Tree(settings).check()


@pytest.mark.parametrize(
    ("root", "setting"),
    [
        ("output_root", "TIKOMNI_OUTPUT_ROOT"),
        ("card_root", "TIKOMNI_CARD_ROOT"),
        ("state_dir", "TIKOMNI_STATE_DIR"),
    ],
)
def test_a_file_where_a_root_should_be(settings: Settings, tmp_path: Path, root: str, setting: str) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        error = refused(replace(settings, **{root: place}))
        assert setting in error.message and str(place) in error.message


@pytest.mark.parametrize("name", ["output_runs_dir", "output_results_dir", "output_errors_dir"])
def test_a_file_where_a_folder_of_the_tree_should_be(settings: Settings, name: str) -> None:
    settings.output_root.mkdir()
    (settings.output_root / "file").write_text("x")
    assert f"TIKOMNI_{name.upper()}" in refused(replace(settings, **{name: "file"})).message


def test_a_file_where_the_cards_should_be(settings: Settings) -> None:
    settings.cards.mkdir(parents=True)
    (settings.cards / "notes").write_text("x")
    error = refused(settings, ((settings.cards / "notes" / "work", "TIKOMNI_CARD_ROUTE_WORK"),))
    assert "TIKOMNI_CARD_ROUTE_WORK" in error.message


def test_a_disk_that_is_full_or_read_only(settings: Settings, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("cannot mount a tmpfs here")
    try:
        on_disk = replace(settings, card_root=disk / "cards")
        (disk / "cards").mkdir()
        (disk / "filler").write_bytes(bytes(48 * 1024))
        assert "TIKOMNI_CARD_ROOT" in refused(on_disk).message
        assert list((disk / "cards").iterdir()) == []
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert "Read-only" in refused(on_disk).message
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_absolute_folders_may_be_anywhere_relative_ones_below_the_root(settings: Settings, tmp_path: Path) -> None:
    elsewhere = replace(settings, output_results_dir=str(tmp_path / "elsewhere"))
    assert Tree(elsewhere).results_path("douyin", "1", AT).is_relative_to(tmp_path / "elsewhere")
    assert "TIKOMNI_OUTPUT_RUNS_DIR" in refused(replace(settings, output_runs_dir="../x")).message


def test_each_folder_setting_has_its_effect(settings: Settings) -> None:
    tree = Tree(replace(settings, output_runs_dir="r", output_results_dir="w", output_errors_dir="e"))
    out = settings.output_root
    assert tree.run_dir("20250101-abc") == out / "r" / "20250101-abc"
    assert tree.results_path("douyin", "7", AT).parent == out / "w" / "20250401"
    assert tree.errors_path("douyin", "7", AT).parent == out / "e" / "20250401"
    assert Tree(settings).run_dir("x").parent.name == "_runs"
    assert Tree(settings).errors_path("douyin", "7", AT).parent.parent.name == "_errors"


def test_names_of_documents_follow_the_setting_and_never_collide(settings: Settings) -> None:
    tree = Tree(settings)
    first = tree.results_path("douyin", "7301", AT)
    assert first.name == "20250401T073005-douyin-7301.json"
    first.parent.mkdir(parents=True)
    first.write_text("{}")
    second = tree.results_path("douyin", "7301", AT)
    assert second.name == "20250401T073005-douyin-7301-2.json"
    second.write_text("{}")
    assert tree.results_path("douyin", "7301", AT).name.endswith("-3.json")
    plain = Tree(replace(settings, filename_pattern_json="{platform}{ext}"))
    assert plain.results_path("douyin", "7301", AT).name == "douyin-7301.json"
    with pytest.raises(InputError, match="TIKOMNI_FILENAME_PATTERN_JSON"):
        Tree(replace(settings, filename_pattern_json="{nope}")).results_path("douyin", "7301", AT)


@pytest.mark.parametrize("hostile", ["../../x", "https://v.douyin.com/a/?b=c", "7.48 复制打开抖音 " * 30])
def test_no_input_leads_outside_or_is_spelled_out(settings: Settings, hostile: str) -> None:
    tree = Tree(settings)
    for path in (tree.errors_path(hostile, hostile, AT), tree.run_dir(hostile)):
        assert path.is_relative_to(settings.output_root)
        assert "http" not in path.name and len(path.name.encode()) <= 200
