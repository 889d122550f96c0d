"""Looks for what keeps installed skills from working: folders, copies that hide one another, drift, the environment.

Reads, and says what mends each thing; ``fix`` does what cannot hurt. Whether there is a key is not this room's to know.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tikomni import __version__
from tikomni.install import environment, state, swap
from tikomni.install.agents import Agent, agents
from tikomni.install.language import of_locale
from tikomni.install.launch import pasteable
from tikomni.install.package import names
from tikomni.install.verbs import Place, failure
from tikomni.locations import data_home

Level = Literal["problem", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` is a sentence ``doctor_<code>`` of words.json, ``values`` fill it; ``mend`` are the words of the command
    that mends it, or ``advice`` where no command of ours does."""

    code: str
    level: Level
    mend: tuple[str, ...] = ()
    advice: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def look(places: Iterable[Place]) -> list[Finding]:
    """Everything that is wrong, or worth knowing, about ``places`` and what they need."""
    places = list(places)
    found = [*_python(), *_environment()]
    if not places:
        found.append(Finding("nothing_installed", "problem", ("install",)))
    for place in places:
        found += [*_folder(place), *_skills(place)]
    return found + _copies(places)


def fix(places: Iterable[Place], note: environment.Say, language: str) -> None:
    """Undo what a killed change left, and have a whole environment.

    Raises:
        TikomniError: ``no_environment``; ``storage`` for a folder that cannot be written.
    """
    for place in places:
        if swap.interrupted(place.folder):
            try:
                with swap.only_one(place.folder):
                    swap.recover(place.folder)
            except OSError as error:
                raise failure(place.folder, error) from error
    broken = environment.locate().is_ready() and environment.damaged(environment.locate())
    environment.prepare(note=note, rebuild=bool(broken), language=language)


def words(place: Place) -> tuple[str, ...]:
    """The arguments that name ``place`` on a command line, from any folder."""
    if place.scope != "user" or place.legacy:
        return (place.agent.id, "--dir", str(place.folder))
    return (place.agent.id,)


def _python() -> Iterator[Finding]:
    if not any(shutil.which(name) for name in ("python3", "python", "py")):
        known = json.loads(Path(__file__).with_name("interpreters.json").read_text(encoding="utf-8"))["advice"]
        yield Finding("no_python", "problem", advice=known.get(sys.platform, known["linux"])[of_locale()])


def _environment() -> Iterator[Finding]:
    place = environment.locate()
    if data_home().is_dir() and not os.access(data_home(), os.W_OK):
        yield _not_writable(data_home())
    if not place.is_ready():
        yield Finding("no_environment", "problem", ("env",), values={"path": str(place.folder)})
    elif broken := environment.damaged(place):
        values = {"path": str(place.folder), "names": ", ".join(broken[:5])}
        yield Finding("environment_damaged", "problem", ("env", "--rebuild"), values=values)
    if old := environment.unused():
        yield Finding("environments_unused", "note", ("env", "prune"), values={"count": len(old)})


def _folder(place: Place) -> Iterator[Finding]:
    values = {"path": str(place.folder), "folder": os.path.realpath(place.folder)}
    if place.folder.is_symlink():
        mend = ("update", place.agent.id, "--dir", values["folder"])
        yield Finding("folder_is_a_link", "note", mend, values=values)
    elif not os.access(place.folder, os.W_OK):
        yield _not_writable(place.folder)
    if swap.interrupted(place.folder):
        yield Finding("interrupted", "problem", ("doctor", "--fix"), values=values)


def _skills(place: Place) -> Iterator[Finding]:
    for name in names():
        folder = place.folder / name
        found = state.read(folder)
        values = {"path": str(folder), "version": found.manifest.version if found.manifest else "", "own": __version__}
        if not found.exists:
            continue
        if found.manifest is None:
            yield Finding("skill_not_ours", "note", advice=_away(folder), values=values)
            continue
        if not os.access(folder, os.W_OK):
            yield _not_writable(folder)
        if _older(found.manifest.version, __version__):
            yield Finding("stale", "problem", ("update", *words(place)), values=values)
        elif found.manifest.version != __version__:
            yield Finding("newer", "note", advice="npx tikomni-skills@latest doctor", values=values)
        if found.missing:
            yield Finding(
                "files_missing", "problem", ("update", *words(place)), values={**values, "names": _few(found.missing)}
            )
        if found.edited:
            mend = ("update", *words(place), "--force")
            yield Finding("files_edited", "note", mend, values={**values, "names": _few(found.edited)})


def _copies(places: list[Place]) -> list[Finding]:
    """Skills that an agent finds in two folders, and what it makes of them."""
    found: list[Finding] = []
    for agent in agents():
        for name in names():
            for other, how in agent.reads.items():
                here, there = agent.user / name, other / name
                if _uses(agent, places) and there.is_dir() and (here.is_dir() or agent.legacy == other):
                    found += _copy(agent, here, there, how)
    return found


def _copy(agent: Agent, here: Path, there: Path, how: str) -> Iterator[Finding]:
    values = {"agent": agent.title, "path": str(here), "other": str(there)}
    one, two = state.manifest(here), state.manifest(there)
    if agent.legacy == there.parent:
        mend = ("install", agent.id, "--migrate") if two else ()
        code = "shown_twice" if here.is_dir() else "former_folder"
        yield Finding(code, "problem", mend, "" if two else _away(there), values)
        return
    if one and two and one.version == two.version:
        return
    mend, advice = (), ""
    if one is None or two is None:
        advice = _away(there if two is None else here)
    else:
        old = there if two.version != __version__ else here
        owner = next((row.id for row in agents() if row.user == old.parent), None)
        mend = ("update", owner) if owner else ("update", "--dir", str(old.parent))
    yield Finding(
        "shadowed" if how == "wins" else "two_versions", "problem" if how == "wins" else "note", mend, advice, values
    )


def _away(folder: Path) -> str:
    """The command that puts ``folder`` where no agent looks for skills."""
    return pasteable(["move" if os.name == "nt" else "mv", str(folder), str(folder.parents[1] / f"{folder.name}.away")])


def _not_writable(folder: Path) -> Finding:
    ours = os.name == "nt" or folder.stat().st_uid == os.geteuid()
    words = ["chmod", "u+w"] if ours else ["sudo", "chown", "-R", str(os.geteuid())]
    advice = pasteable([*words, str(folder)])
    return Finding("folder_not_writable", "problem", advice=advice, values={"path": str(folder)})


def _uses(agent: Agent, places: list[Place]) -> bool:
    """Whether the agent is on this machine, or skills were installed for it."""
    return bool(agent.found_by and agent.found_by.is_dir()) or any(place.agent.id == agent.id for place in places)


def _older(version: str, than: str) -> bool:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split("-")[0].split(".") if part.isdigit()]

    return numbers(version) < numbers(than)


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:3]) + (f" … ({len(names)})" if len(names) > 3 else "")
