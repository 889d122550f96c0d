"""What installing, updating and removing do to a folder: to our files, to edited ones, to a user's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tikomni.errors import InputError
from tikomni.install import state, swap
from tikomni.install.state import MANIFEST

from .folders import NEW, OLD, below, installing, removing, texts_in

TOTAL = {"lib/notes.txt": "mine", ".env.local": "KEY=1", "lib/deep/__pycache__/c.pyc": "bytes", "own/x.md": "own"}


def change(root: Path, *plans) -> None:
    swap.recover(root)
    swap.apply(root, plans)


def test_a_new_skill_is_written_whole(tmp_path: Path) -> None:
    plan = installing(tmp_path, "s", OLD)
    change(tmp_path, plan)
    assert (plan.action, plan.version_to, set(plan.added) - {MANIFEST}) == ("install", "1", set(OLD))
    assert texts_in(tmp_path) == below("s", OLD)
    assert (tmp_path / "s/scripts/run.py").stat().st_mode & 0o111


def test_the_same_again_is_no_change(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    before = (tmp_path / "s").stat().st_ino
    plan = installing(tmp_path, "s", OLD)
    change(tmp_path, plan)
    assert plan.action == "unchanged"
    assert (tmp_path / "s").stat().st_ino == before


def test_an_update_brings_the_new_and_takes_the_gone(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    plan = installing(tmp_path, "s", NEW, "2")
    change(tmp_path, plan)
    assert (plan.version_from, plan.version_to) == ("1", "2")
    assert (plan.added, plan.removed) == (("lib/deep/d.py",), ("references/gone.md",))
    assert set(plan.updated) == {"SKILL.md", "lib/a.py", "lib/deep/c.py"}
    assert texts_in(tmp_path) == below("s", NEW)
    assert not (tmp_path / "s/references").exists()


def test_what_was_deleted_by_hand_comes_back(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    (tmp_path / "s/lib/a.py").unlink()
    plan = installing(tmp_path, "s", OLD)
    change(tmp_path, plan)
    assert plan.restored == ("lib/a.py",)
    assert texts_in(tmp_path) == below("s", OLD)


def test_edited_files_are_kept_and_named_until_they_are_ours_again(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    (tmp_path / "s/lib/a.py").write_text("mine")
    for _ in range(2):
        plan = installing(tmp_path, "s", NEW, "2")
        change(tmp_path, plan)
        assert plan.edited == ("lib/a.py",)
        assert texts_in(tmp_path) == below("s", NEW | {"lib/a.py": "mine"})
    (tmp_path / "s/lib/a.py").write_text(NEW["lib/a.py"])
    assert installing(tmp_path, "s", NEW, "2").action == "unchanged"


def test_force_copies_edited_files_away_first(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    (tmp_path / "s/lib/a.py").write_text("mine")
    (tmp_path / "s/references/gone.md").write_text("mine too")
    backup = tmp_path / swap.OWN / "backups" / "now"
    plan = installing(tmp_path, "s", NEW, "2", backup)
    change(tmp_path, plan)
    assert set(plan.backups.values()) == {backup / "s/lib/a.py.bak", backup / "s/references/gone.md.bak"}
    assert texts_in(tmp_path) == {
        **below("s", NEW),
        f"{swap.OWN}/backups/now/s/lib/a.py.bak": "mine",
        f"{swap.OWN}/backups/now/s/references/gone.md.bak": "mine too",
    }


def test_an_edited_file_that_a_new_version_drops_is_left_behind(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    (tmp_path / "s/references/gone.md").write_text("mine")
    change(tmp_path, installing(tmp_path, "s", NEW, "2"))
    assert texts_in(tmp_path) == below("s", NEW | {"references/gone.md": "mine"})
    assert state.read(tmp_path / "s").foreign == ("references/gone.md",)


def test_files_of_the_user_are_never_moved(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    for name, text in TOTAL.items():
        (tmp_path / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "s" / name).write_text(text)
    (tmp_path / ".env").write_text("KEY=1")
    inodes = {name: (tmp_path / "s" / name).stat().st_ino for name in TOTAL}

    change(tmp_path, installing(tmp_path, "s", NEW, "2"))
    assert texts_in(tmp_path) == below("s", NEW | TOTAL) | {".env": "KEY=1"}
    plan = removing(tmp_path, "s")
    change(tmp_path, plan)
    assert set(plan.foreign) == set(TOTAL)
    assert texts_in(tmp_path) == below("s", TOTAL) | {".env": "KEY=1"}
    assert {name: (tmp_path / "s" / name).stat().st_ino for name in TOTAL} == inodes
    change(tmp_path, installing(tmp_path, "s", NEW, "2"))
    assert texts_in(tmp_path) == below("s", NEW | TOTAL) | {".env": "KEY=1"}


def test_a_file_of_the_user_in_the_place_of_a_new_one_stays(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    (tmp_path / "s/lib/deep/d.py").write_text("mine")
    plan = installing(tmp_path, "s", NEW, "2", tmp_path / "backup")
    change(tmp_path, plan)
    assert plan.foreign == ("lib/deep/d.py",)
    assert texts_in(tmp_path) == below("s", NEW | {"lib/deep/d.py": "mine"})
    change(tmp_path, removing(tmp_path, "s", tmp_path / "backup"))
    assert texts_in(tmp_path) == {"s/lib/deep/d.py": "mine"}


def test_removing_leaves_edited_files_and_nothing_else(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD), installing(tmp_path, "t", OLD))
    (tmp_path / "s/SKILL.md").write_text("mine")
    plan = removing(tmp_path, "s")
    change(tmp_path, plan, removing(tmp_path, "t"))
    assert plan.edited == ("SKILL.md",)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["SKILL.md", "s"]


def test_somebody_elses_skill_is_refused_whatever_is_forced(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s/SKILL.md").write_text("theirs")
    with pytest.raises(InputError) as caught:
        installing(tmp_path, "s", OLD, backup=tmp_path / "backup")
    assert caught.value.code == "invalid_input"
    assert caught.value.details["existing"] == [str(tmp_path / "s/SKILL.md")]
    assert removing(tmp_path, "s", tmp_path / "backup").action == "absent"


def test_a_copy_without_a_manifest_is_taken_over_where_it_is_the_same(tmp_path: Path) -> None:
    for name, text in OLD.items():
        (tmp_path / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "s" / name).write_text(text)
    change(tmp_path, installing(tmp_path, "s", OLD))
    assert state.read(tmp_path / "s").manifest is not None
    assert texts_in(tmp_path) == below("s", OLD)


@pytest.mark.parametrize("forced", [False, True])
def test_nothing_is_written_through_links(tmp_path: Path, forced: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    root = tmp_path / "root"
    elsewhere.mkdir()
    (root / "s").parent.mkdir()
    backup = tmp_path / "backup" if forced else None
    (root / "s").symlink_to(elsewhere)
    with pytest.raises(InputError, match="link"):
        installing(root, "s", OLD, backup=backup)
    (root / "s").unlink()

    change(root, installing(root, "s", OLD))
    for path in (root / "s/lib").rglob("*.py"):
        path.rename(elsewhere / path.name)
    (root / "s/lib/deep").rmdir()
    (root / "s/lib").rmdir()
    (root / "s/lib").symlink_to(elsewhere)
    with pytest.raises(InputError) as caught:
        installing(root, "s", NEW, "2", backup)
    assert str(root / "s/lib") in caught.value.message
    change(root, removing(root, "s", backup))
    assert texts_in(elsewhere) == {"a.py": "a1", "b.py": "b1", "c.py": "c1"}
    assert (root / "s/lib").is_symlink()


def test_a_link_in_the_place_of_a_file_is_an_edit(tmp_path: Path) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    (tmp_path / "mine.md").write_text("mine")
    (tmp_path / "s/SKILL.md").unlink()
    (tmp_path / "s/SKILL.md").symlink_to("../mine.md")
    plan = installing(tmp_path, "s", NEW, "2")
    assert plan.edited == ("SKILL.md",)
    change(tmp_path, installing(tmp_path, "s", NEW, "2", tmp_path / "backup"))
    assert (tmp_path / "mine.md").read_text() == "mine"
    assert (tmp_path / "s/SKILL.md").read_text() == "new"
    assert (tmp_path / "backup/s/SKILL.md.bak").is_symlink()


@pytest.mark.parametrize("path", ["../outside", "/etc/hosts", "a/../../outside", "C:/x", "a\\..\\b", ""])
def test_a_manifest_that_names_paths_outside_is_not_believed(tmp_path: Path, path: str) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    manifest = tmp_path / "s" / MANIFEST
    manifest.write_text(manifest.read_text().replace('"SKILL.md"', '"' + path.replace("\\", "\\\\") + '"'))
    assert state.read(tmp_path / "s").manifest is None


def test_a_disk_that_ignores_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two names of one file, of which the folder lists the one that is not ours, stand in for such a disk."""
    change(tmp_path, installing(tmp_path, "s", OLD))
    (tmp_path / "s/skill.md").hardlink_to(tmp_path / "s/SKILL.md")
    assert state.read(tmp_path / "s").foreign == ("skill.md",)  # here the disk does tell them apart
    walk = state._walk

    def listed(folder: Path, prefix: str = "") -> dict[str, str]:
        return {name: kind for name, kind in walk(folder, prefix).items() if name != "SKILL.md"}

    monkeypatch.setattr(state, "_walk", listed)
    found = state.read(tmp_path / "s")
    assert (found.missing, found.foreign, dict(found.edited)) == ((), (), {})
    assert installing(tmp_path, "s", OLD).action == "unchanged"
    (tmp_path / "s/skill.md").write_text("mine")
    assert set(state.read(tmp_path / "s").edited) == {"SKILL.md"}


def test_a_file_that_turns_up_meanwhile_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(tmp_path, installing(tmp_path, "s", OLD))
    plan = installing(tmp_path, "s", NEW, "2")
    (tmp_path / "s/lib/late.txt").write_text("late")
    (tmp_path / "s/SKILL.md").write_text("edited late")
    swap.apply(tmp_path, [plan])
    texts = texts_in(tmp_path)
    assert texts.items() >= below("s", NEW | {"lib/late.txt": "late"}).items()
    assert "edited late" in texts.values()


NAMES = st.sampled_from(["SKILL.md", "lib/a.py", "lib/deep/c.py", "references/gone.md", "lib/deep/d.py"])
OWN_FILES = st.sampled_from(
    [".env", ".env.local", "lib/mine.py", "lib/deep/x", "own/y", "references/z.md", "lib/q/r/s"]
)


@settings(max_examples=60, deadline=None)
@given(
    edits=st.dictionaries(NAMES, st.sampled_from(["e1", "e2", None])),
    own=st.dictionaries(OWN_FILES, st.sampled_from(["o1", "o2"])),
    verbs=st.lists(st.tuples(st.sampled_from(["new", "old", "remove"]), st.booleans()), min_size=1, max_size=4),
)
def test_whatever_is_done_nothing_of_the_users_is_lost(tmp_path_factory, edits, own, verbs) -> None:
    root = tmp_path_factory.mktemp("root")
    change(root, installing(root, "s", OLD))
    for name, text in edits.items():
        path = root / "s" / name
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text)
    for name, text in own.items():
        (root / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "s" / name).write_text(text)
    for count, (verb, forced) in enumerate(verbs):
        backup = root / swap.OWN / "backups" / str(count) if forced else None
        try:
            plan = (
                removing(root, "s", backup)
                if verb == "remove"
                else installing(root, "s", NEW if verb == "new" else OLD, verb, backup)
            )
        except InputError:  # what is left of a removed skill is in the way
            continue
        change(root, plan)
    texts = texts_in(root)
    assert texts.items() >= below("s", own).items()
    assert set(texts.values()) >= {text for text in edits.values() if text}
    assert not (root / swap.OWN / "stage").exists()
