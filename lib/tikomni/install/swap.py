"""Changes skill folders as planned: all of them, or none.

What is new is written beside the folders first, into ``<skills root>/.tikomni-skills/stage``. Then parts are exchanged
by renaming: whole folders where nothing in them must stay, single files elsewhere, so that what is not ours is never
moved. A journal says which parts; whoever comes after a kill reads it and undoes, or finishes the cleaning. What is
deleted was read before and is still the same; anything else that turns up is put back, or kept among the backups.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tikomni.install.locking import exclusive
from tikomni.install.package import mode
from tikomni.install.plan import SkillPlan
from tikomni.install.state import is_below, sha256_of
from tikomni.locations import data_home

OWN = ".tikomni-skills"
"""Our folder in a skills root: agents don't look into folders with a dot."""


@dataclass(frozen=True, slots=True)
class Part:
    """A path below the skills root that is exchanged as one; ``old`` stands there now, ``new`` will."""

    path: str
    old: bool
    new: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a change is prepared, and what tells how far it came."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / OWN / "stage"

    @property
    def new(self) -> Path:
        return self.folder / "new"

    @property
    def old(self) -> Path:
        return self.folder / "old"

    @property
    def journal(self) -> Path:
        """There while parts are exchanged."""
        return self.folder / "journal.json"

    @property
    def settled(self) -> Path:
        """There once they are, or are all back again: what is left is to clean."""
        return self.folder / "settled.json"


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Keep others from changing ``root``; they wait. The lock stands in the user's data folder."""
    name = hashlib.sha256(os.path.realpath(root).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    with exclusive(data_home() / "locks" / f"{name}.lock"):
        yield


def apply(root: Path, plans: Sequence[SkillPlan]) -> None:
    """Do what ``plans`` say in ``root``; the caller holds ``only_one`` and has called ``recover``.

    Raises:
        OSError: what the system said; everything is as it was.
    """
    plans = [plan for plan in plans if plan.does_something]
    if not plans:
        return
    stage = Stage(root)
    made = [folder for folder in (stage.folder, *stage.folder.parents) if not folder.exists()]
    try:
        stage.folder.mkdir(parents=True, exist_ok=True)
        parts = [part for plan in plans for part in parts_of(plan)]
        _write_new(stage, plans, parts)
        for plan in plans:
            for name, copy in plan.backups.items():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(plan.target / name, copy, follow_symlinks=False)
        _write_journal(stage, plans, parts)
        for part in parts:
            _exchange(stage, part)
    except BaseException:
        recover(root)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise
    stage.journal.replace(stage.settled)
    recover(root)


def interrupted(root: Path) -> bool:
    """Whether somebody was killed while changing ``root``."""
    return Stage(root).folder.is_dir()


def recover(root: Path) -> None:
    """Undo what a killed change had begun, clean what it had finished; nothing where there is nothing.

    Raises:
        OSError: what the system said; it can be called again.
    """
    stage = Stage(root)
    if not stage.folder.is_dir():
        return
    if stage.journal.is_file():
        for part in reversed(_read(stage.journal)[0]):
            _undo(stage, part)
        stage.journal.replace(stage.settled)
    if stage.settled.is_file():
        _, old, new = _read(stage.settled)
        _discard(stage.old, old, root)
        _discard(stage.new, new, root)
        stage.settled.unlink()
    shutil.rmtree(stage.folder)  # not yet, or no longer, of interest: only copies of ours are in it
    with suppress(OSError):
        stage.folder.parent.rmdir()  # unless it holds backups


def parts_of(plan: SkillPlan) -> Iterable[Part]:
    """The fewest parts that change ``plan``'s folder and leave what stays where it is."""
    yield from _parts(plan, "")


def _parts(plan: SkillPlan, path: str) -> Iterator[Part]:
    below = f"{path}/" if path else ""
    new = [name for name in plan.files if name == path or name.startswith(below)]
    old = [name for name in plan.known if name == path or name.startswith(below)]
    if path in plan.stays:
        return
    if any(name.startswith(below) for name in plan.stays):
        children = {below + name[len(below) :].split("/")[0] for name in (*new, *old)}
        for child in sorted(children):
            yield from _parts(plan, child)
        return
    target = plan.target / path if path else plan.target
    same = new and {name: plan.files[name].sha256 for name in new} == {name: plan.known[name] for name in old}
    if not same:
        yield Part(f"{plan.target.name}/{path}".rstrip("/"), os.path.lexists(target), bool(new))


def _write_new(stage: Stage, plans: Sequence[SkillPlan], parts: Sequence[Part]) -> None:
    stage.new.mkdir()
    for plan in plans:
        for name, content in plan.files.items():
            path = f"{plan.target.name}/{name}"
            if not any(path == part.path or path.startswith(part.path + "/") for part in parts):
                continue
            target = stage.new / path
            target.parent.mkdir(parents=True, exist_ok=True)
            data = content.read()
            if hashlib.sha256(data).hexdigest() != content.sha256:
                raise OSError(errno.EBUSY, "the package changes while it is installed from", str(content.source)[:300])
            target.write_bytes(data)
            target.chmod(mode(name))


def _write_journal(stage: Stage, plans: Sequence[SkillPlan], parts: Sequence[Part]) -> None:
    document = {
        "parts": [{"path": part.path, "old": part.old, "new": part.new} for part in parts],
        "old": {f"{plan.target.name}/{name}": sha256 for plan in plans for name, sha256 in plan.known.items()},
        "new": {f"{plan.target.name}/{name}": file.sha256 for plan in plans for name, file in plan.files.items()},
    }
    draft = stage.folder / "journal.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(stage.journal)


def _exchange(stage: Stage, part: Part) -> None:
    target = stage.root / part.path
    if part.old:
        _move(target, stage.old / part.path)
    if part.new:
        if os.path.lexists(target):  # made by somebody since it was planned
            raise FileExistsError(17, "File exists", str(target))
        os.rename(stage.new / part.path, target)


def _undo(stage: Stage, part: Part) -> None:
    """Put back what ``part`` moved; which of its two renames were done shows in what is where."""
    target, old, new = stage.root / part.path, stage.old / part.path, stage.new / part.path
    moved_out = part.old and os.path.lexists(old)
    moved_in = part.new and not os.path.lexists(new) and (moved_out or not part.old)
    if moved_in and os.path.lexists(target):
        _move(target, new)
    if moved_out and not os.path.lexists(target):
        os.rename(old, target)


def _discard(folder: Path, known: Mapping[str, str], root: Path) -> None:
    """Delete the files of ``folder`` that are what ``known`` says; put others back where they were."""
    for path in sorted(folder.rglob("*"), reverse=True) if folder.is_dir() else ():
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        elif known.get(name) == ("" if path.is_symlink() else sha256_of(path)):
            path.unlink()
        else:
            target = root / name
            if os.path.lexists(target) or not target.parent.is_dir():
                target = root / OWN / "backups" / "found" / f"{name}.{path.stat().st_mtime_ns}.bak"
                target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(path, target)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(source, target)


def _read(path: Path) -> tuple[list[Part], Mapping[str, str], Mapping[str, str]]:
    """The parts of a journal, and the digests of what was there and of what was to be.

    Whoever sent a project may have sent this file with it: a path that leads elsewhere is not followed.

    Raises:
        OSError: it is not one of ours.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        parts = [Part(**row) for row in told["parts"]]
        if all(is_below(part.path) for part in parts):
            return parts, told["old"], told["new"]
    except (ValueError, KeyError, TypeError):
        pass
    raise OSError(errno.EINVAL, "not a journal of ours; look into the folder and delete it", str(path.parent))
