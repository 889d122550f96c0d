"""What a skill folder holds, told apart by its manifest: unchanged, missing, edited, or somebody else's (foreign).

Reads only. Links are never followed: a link in the place of a file of ours counts as edited, and below a link to a
folder nothing is ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tikomni.storage.atomic import failure

MANIFEST = ".tikomni-manifest.json"
PACKAGE = "tikomni-skills"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was written: path in the folder (with ``/``) → SHA-256. The manifest itself is not in it."""

    version: str
    skill: str
    agent: str
    files: Mapping[str, str]

    def text(self) -> str:
        document = {
            "package": PACKAGE,
            "version": self.version,
            "skill": self.skill,
            "agent": self.agent,
            "files": dict(self.files),
        }
        return json.dumps(document, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class State:
    """One skill folder as it is. ``manifest`` is ``None`` where nobody installed it; then all is foreign.

    ``edited`` holds the SHA-256 of what stands there now (empty for what is no file); ``foreign`` the files and
    links that are not in the manifest, or ``""`` where the folder itself is none.
    """

    folder: Path
    exists: bool
    manifest: Manifest | None
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    edited: Mapping[str, str] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    manifest_sha256: str = ""

    @property
    def ours(self) -> bool:
        return self.manifest is not None


def read(folder: Path, like: Mapping[str, str] | None = None) -> State:
    """The state of ``folder``; a link in its place is there and not ours.

    A copy without a manifest is ours where it holds nothing that differs from ``like`` (path → SHA-256): other
    installers leave dotfiles out.

    Raises:
        TikomniError: ``storage``, where it cannot be read.
    """
    if not os.path.lexists(folder):
        return State(folder, False, None)
    if folder.is_symlink() or not folder.is_dir():
        return State(folder, True, None, foreign=("",))
    try:
        present = _walk(folder)
        found, sha256 = _manifest(folder) or _adopted(folder, present, like or {}) or (None, "")
        if found is None:
            return State(folder, True, None, foreign=tuple(sorted(present)))
        spelled = _spelled(folder, present, [*found.files, MANIFEST])
        now = {
            name: sha256_of(folder / disk) if present[disk] == "file" else ""
            for name, disk in spelled.items()
            if name != MANIFEST
        }
    except OSError as error:
        raise failure(folder, error) from error
    return State(
        folder,
        True,
        found,
        unchanged=tuple(name for name, sha256 in found.files.items() if now.get(name) == sha256),
        missing=tuple(name for name in found.files if name not in now),
        edited={name: now[name] for name, sha256 in found.files.items() if now.get(name, sha256) != sha256},
        foreign=tuple(sorted(present.keys() - set(spelled.values()))),
        manifest_sha256=sha256,
    )


def manifest(folder: Path) -> Manifest | None:
    """The manifest of ``folder``; ``None`` where there is none that can be read and trusted."""
    try:
        found = _manifest(folder)
    except OSError:
        return None
    return found[0] if found else None


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _manifest(folder: Path) -> tuple[Manifest, str] | None:
    """The manifest and its SHA-256, unless it is damaged or names a path that is not below the folder."""
    path = folder / MANIFEST
    if path.is_symlink():
        return None
    try:
        written = path.read_bytes()
        found = json.loads(written)
        files = {str(name): str(sha256) for name, sha256 in found["files"].items()}
        manifest = Manifest(str(found["version"]), str(found["skill"]), str(found.get("agent", "")), files)
        known = found["package"] == PACKAGE
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        return None
    whole = all(_SHA256.fullmatch(sha256) and is_below(name) for name, sha256 in files.items())
    return (manifest, hashlib.sha256(written).hexdigest()) if known and whole else None


def _adopted(folder: Path, present: Mapping[str, str], like: Mapping[str, str]) -> tuple[Manifest, str] | None:
    there = [name for name in like if name in present]
    same = "SKILL.md" in there and all(
        present[name] == "file" and sha256_of(folder / name) == like[name] for name in there
    )
    return (Manifest("", folder.name, "", {name: like[name] for name in there}), "") if same else None


def is_below(name: str) -> bool:
    """Whether ``name`` can only be a path below the folder that it is joined to."""
    parts = name.split("/")
    return not ("\\" in name or ":" in name or "\0" in name or {"", ".", ".."} & set(parts))


def _walk(folder: Path, prefix: str = "") -> dict[str, str]:
    """Path → ``file``, ``link`` or ``other``."""
    found: dict[str, str] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_symlink():
                found[name] = "link"
            elif entry.is_dir():
                found |= _walk(Path(entry.path), name + "/")
            else:
                found[name] = "file" if entry.is_file(follow_symlinks=False) else "other"
    return found


def _spelled(folder: Path, present: Mapping[str, str], ours: Iterable[str]) -> dict[str, str]:
    """How the disk spells each path of ``ours`` that is there; a disk that ignores case may do it in its own way."""
    names = set(ours)
    folded = {name.casefold(): name for name in present if name not in names}
    found = {}
    for name in names:
        other = folded.get(name.casefold())
        if name in present:
            if present[name] in ("file", "link"):
                found[name] = name
        elif other and (folder / name).exists() and os.path.samefile(folder / name, folder / other):
            found[name] = other
    return found
