"""Changes that fail or are killed, at every point at which they touch the disk."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tikomni.errors import TikomniError
from tikomni.install import state, swap

from .folders import NEW, OLD, below, installing, removing, texts_in

pytestmark = pytest.mark.skipif(os.name == "nt", reason="forks and signals of POSIX")

OWN = {"s/.env.local": "KEY=1", "s/lib/mine.txt": "mine", ".env": "KEY=2"}
TOUCHING = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod")
MOST = 400
SMALL, SMALLER = {"SKILL.md": "old", "a": "a"}, {"SKILL.md": "new"}

_at: list[tuple[int, Callable[[], None]]] = []
_count = 0


def _watch(event: str, arguments: tuple) -> None:
    global _count
    if _at and event in TOUCHING:
        _count += 1
        if _count == _at[0][0]:
            _at.pop()[1]()


sys.addaudithook(_watch)


def at_step(step: int, do: Callable[[], None]) -> None:
    """Do something right before the disk is touched for the ``step``-th time from now."""
    global _count
    _at[:], _count = [(step, do)], 0


def prepare(root: Path, edited: bool) -> None:
    swap.apply(root, [installing(root, "s", OLD), installing(root, "t", SMALL)])
    for name, text in OWN.items():
        (root / name).write_text(text)
    if edited:
        (root / "s/SKILL.md").write_text("edited")


def update(root: Path, backup: Path | None) -> None:
    swap.recover(root)
    swap.apply(root, [installing(root, "s", NEW, "2", backup), installing(root, "t", SMALLER, "2", backup)])


def remove(root: Path, backup: Path | None) -> None:
    swap.recover(root)
    swap.apply(root, [removing(root, "s", backup), removing(root, "t", backup)])


def without_backups(root: Path) -> dict[str, str]:
    return {name: text for name, text in texts_in(root).items() if not name.startswith(swap.OWN)}


@pytest.mark.parametrize(("verb", "edited"), [(update, True), (remove, False)], ids=["update-forced", "remove"])
def test_killed_anywhere_it_is_as_before_or_done(
    tmp_path: Path, verb: Callable[[Path, Path | None], None], edited: bool
) -> None:
    ends = set()
    for step in range(1, MOST):
        root = tmp_path / str(step)
        prepare(root, edited)
        before = texts_in(root)
        backup = root / swap.OWN / "backups" / "now" if edited else None
        child = os.fork()
        if child == 0:
            at_step(step, lambda: os.kill(os.getpid(), signal.SIGKILL))
            verb(root, backup)
            os._exit(0)
        _, status = os.waitpid(child, 0)

        assert {name: (root / name).read_text() for name in OWN} == OWN
        swap.recover(root)
        after = texts_in(root)
        kept = without_backups(root)
        done = OWN if verb is remove else below("s", NEW) | below("t", SMALLER) | OWN
        assert kept in (before, done), step
        assert not edited or "edited" in after.values()
        assert not (root / swap.OWN / "stage").exists()
        ends.add(kept == done)
        if status == 0:
            break
        if step % 10 == 0:
            verb(root, backup)
            assert without_backups(root) == done
    else:
        pytest.fail("the change never came to its end")
    assert step > 20
    assert ends == {False, True}


@pytest.mark.parametrize("verb", [update, remove], ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EACCES], ids=["no-space", "no-access"])
def test_failing_anywhere_nothing_was_changed(
    tmp_path: Path, verb: Callable[[Path, Path | None], None], reason: int
) -> None:
    def fail() -> None:
        raise OSError(reason, os.strerror(reason))

    for step in range(1, MOST):
        root = tmp_path / str(step)
        prepare(root, edited=False)
        before = texts_in(root)
        at_step(step, fail)
        try:
            verb(root, None)
        except (OSError, TikomniError):
            _at.clear()
            kept = without_backups(root)
            if kept != before:  # it was done, and failed when it cleaned
                assert (root / swap.OWN / "stage/settled.json").exists()
            swap.recover(root)
            assert {name: (root / name).read_text() for name in OWN} == OWN
        else:
            _at.clear()
            break
    else:
        pytest.fail("the change never came to its end")
    assert step > 20


def test_a_first_install_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    for step in range(1, 15):
        plan = installing(root, "s", OLD)
        at_step(step, lambda: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        with pytest.raises(OSError):
            swap.apply(root, [plan])
        _at.clear()
        assert not (tmp_path / "a").exists(), step


def test_a_killed_change_is_seen(tmp_path: Path) -> None:
    prepare(tmp_path, edited=False)
    assert not swap.interrupted(tmp_path)
    child = os.fork()
    if child == 0:
        at_step(20, lambda: os.kill(os.getpid(), signal.SIGKILL))
        update(tmp_path, None)
        os._exit(0)
    os.waitpid(child, 0)
    assert swap.interrupted(tmp_path)
    swap.recover(tmp_path)
    assert not swap.interrupted(tmp_path)
    assert state.read(tmp_path / "t").missing == ()


@pytest.mark.parametrize(
    "told", ["no JSON", '{"parts": 1}', '{"parts": [{"path": "../victim", "old": true, "new": false}]}']
)
@pytest.mark.parametrize("name", ["journal.json", "settled.json"])
def test_a_journal_that_somebody_else_wrote_moves_nothing(tmp_path: Path, name: str, told: str) -> None:
    root = tmp_path / "project" / "skills"
    stage = swap.Stage(root)
    stage.old.mkdir(parents=True)
    (stage.folder / name).write_text(told)
    (stage.old.parent / "victim").write_text("theirs")
    (root / "victim").write_text("mine")
    with pytest.raises(OSError):
        swap.recover(root)
    assert (root / "victim").read_text() == "mine"
    assert (stage.folder / name).read_text() == told
