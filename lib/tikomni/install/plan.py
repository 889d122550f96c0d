"""What will be done to one skill folder: decided from its state and the files that it should hold, doing nothing.

The rules: what we wrote and nobody touched follows the package; what somebody edited is kept, or copied away first
where that is forced; what we did not write is never touched, whatever is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tikomni.install.package import Content, Files
from tikomni.install.state import MANIFEST, Manifest, State
from tikomni.install.words import Refusal

Action = Literal["install", "update", "unchanged", "remove", "absent"]


@dataclass(frozen=True, slots=True)
class SkillPlan:
    """What becomes of one skill folder. ``files`` is all that will be ours in it, ``known`` what of ours is there now
    (path → SHA-256), ``stays`` what must not be moved.

    ``edited`` and ``foreign`` stay as they are; ``backups`` maps edited files that give way to where they are copied.
    """

    skill: str
    target: Path
    action: Action
    version_from: str | None = None
    version_to: str | None = None
    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    backups: Mapping[str, Path] = field(default_factory=dict)
    files: Files = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)
    stays: frozenset[str] = frozenset()

    @property
    def does_something(self) -> bool:
        return self.action in ("install", "update", "remove")

    @property
    def left_alone(self) -> list[str]:
        """``foreign``, as ``named_briefly``."""
        return named_briefly(self.foreign, (*self.files, *self.known))

    def as_dict(self, full: bool = False) -> dict[str, Any]:
        """The plan for the envelope: counts, or names with ``full``; what is kept is always named."""
        changes = {name: getattr(self, name) for name in ("added", "updated", "restored", "removed")}
        return {
            "skill": self.skill,
            "path": str(self.target),
            "action": self.action,
            "from": self.version_from,
            "to": self.version_to,
            "files": {name: list(paths) if full else len(paths) for name, paths in changes.items()},
            "edited": list(self.edited),
            "foreign": self.left_alone,
            "backups": [str(path) for path in self.backups.values()],
        }


def install(skill: str, state: State, files: Files, backup: Path | None = None) -> SkillPlan:
    """Have ``files`` in the folder; ``backup`` is where edited files are copied to before they give way (None: kept).

    Raises:
        Refusal: ``invalid_input``, where something that is not ours stands in the way.
    """
    version = _version(files)
    if not state.exists:
        return SkillPlan(skill, state.folder, "install", None, version, added=tuple(files), files=files)
    manifest = state.manifest
    old = manifest.files if manifest else {}
    _refuse_foreign(state, files)
    ours = {name: content for name, content in files.items() if name not in state.foreign or name == MANIFEST}
    wanted = {name: content.sha256 for name, content in ours.items() if name != MANIFEST}
    edited = {name: sha256 for name, sha256 in state.edited.items() if wanted.get(name) != sha256}
    gone = [name for name in state.unchanged if name not in wanted]
    given_up = {name: backup / skill / f"{name}.bak" for name in edited} if backup else {}
    kept = tuple(sorted(edited.keys() - given_up.keys()))
    ours[MANIFEST] = _manifest(files[MANIFEST], wanted)
    plan = SkillPlan(
        skill,
        state.folder,
        "update" if manifest else "install",
        (manifest.version or None) if manifest else None,
        version,
        added=tuple(name for name in wanted if name not in old),
        updated=tuple(
            name
            for name, sha256 in wanted.items()
            if name in given_up or (name in state.unchanged and old[name] != sha256)
        ),
        restored=tuple(name for name in state.missing if name in wanted),
        removed=tuple([*gone, *(name for name in given_up if name not in wanted)]),
        edited=kept,
        foreign=tuple(name for name in files if name in state.foreign and name != MANIFEST),
        backups=given_up,
        files={name: content for name, content in ours.items() if name not in kept},
        known=_known(state),
        stays=frozenset(kept).union(set(state.foreign) - {MANIFEST}),
    )
    if manifest and not (plan.added or plan.updated or plan.restored or plan.removed):
        same = manifest.version == version and dict(manifest.files) == wanted
        return replace(plan, action="unchanged") if same else plan
    return plan


def remove(skill: str, state: State, backup: Path | None = None) -> SkillPlan:
    """Take away what is ours and unedited; with ``backup``, edited files as well."""
    if state.manifest is None:
        return SkillPlan(skill, state.folder, "absent")
    given_up = {name: backup / skill / f"{name}.bak" for name in state.edited} if backup else {}
    return SkillPlan(
        skill,
        state.folder,
        "remove",
        state.manifest.version or None,
        None,
        removed=(*state.unchanged, *given_up),
        edited=tuple(name for name in state.edited if name not in given_up),
        foreign=state.foreign,
        backups=given_up,
        known=_known(state),
        stays=frozenset({*state.edited, *state.foreign} - given_up.keys()),
    )


def _known(state: State) -> dict[str, str]:
    """What of ours stands there, as it was read: nothing else may be deleted."""
    old = state.manifest.files if state.manifest else {}
    manifest = {MANIFEST: state.manifest_sha256} if state.manifest_sha256 else {}
    return {**{name: old[name] for name in state.unchanged}, **state.edited, **manifest}


def _refuse_foreign(state: State, files: Files) -> None:
    """Somebody's skill of the same name, or something in the place of a folder of ours."""
    folders = {"/".join(name.split("/")[:depth]) for name in files for depth in range(1, name.count("/") + 1)}
    blocking = [name for name in state.foreign if name in folders or name == ""]
    blocking += [name for name in files if any(other.startswith(name + "/") for other in state.foreign)]
    if not state.ours:
        blocking += [name for name in state.foreign if name in files and name != MANIFEST]
    paths = [str(state.folder / name) if name else str(state.folder) for name in sorted(set(blocking))]
    if not paths:
        return
    key = "is_a_link" if state.folder.is_symlink() else "in_the_way"
    shown = ", ".join(paths[:5]) + (" …" if len(paths) > 5 else "")
    raise Refusal("invalid_input", key, paths=shown, folder=state.folder, details={"existing": paths})


def _version(files: Files) -> str:
    return json.loads(files[MANIFEST].read())["version"]


def _manifest(content: Content, wanted: Mapping[str, str]) -> Content:
    """The manifest of ``wanted`` only: a file of somebody else in the place of one of ours never becomes ours."""
    told = json.loads(content.read())
    return Content(Manifest(told["version"], told["skill"], told["agent"], wanted).text().encode())


def named_briefly(foreign: Iterable[str], ours: Iterable[str]) -> list[str]:
    """The paths ``foreign``; a folder that holds none of ``ours`` once, with ``/``, instead of all that is in it."""
    shared = {name[:end] for name in ours for end, letter in enumerate(name) if letter == "/"}
    brief = {}
    for name in foreign:
        folders = (name[:end] for end, letter in enumerate(name) if letter == "/")
        folder = next((folder for folder in folders if folder not in shared), None)
        brief[f"{folder}/" if folder else name] = None
    return list(brief)


def kept(plans: Iterable[SkillPlan]) -> list[str]:
    """The edited and foreign files that stayed although their place was wanted, as paths."""
    return [
        str(plan.target / name)
        for plan in plans
        for name in (*plan.edited, *(plan.foreign if plan.action != "remove" else ()))
    ]
