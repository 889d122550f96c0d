"""Install, update, remove and verify: from what the user names to plans, and from plans to changed folders.

A dry run returns the plans that the same call without it carries out.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tikomni import __version__
from tikomni.errors import TikomniError
from tikomni.install import plan as planning
from tikomni.install import state as states
from tikomni.install import swap
from tikomni.install.agents import Agent, Scope, agents, named, on_this_machine, unknown
from tikomni.install.launch import pasteable
from tikomni.install.package import Files, assemble, names, skills
from tikomni.install.plan import SkillPlan
from tikomni.install.words import Refusal

ALL = "all"
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
UNIVERSAL = "universal"


@dataclass(frozen=True, slots=True)
class Place:
    """A skills folder, and for which agent it is looked after; ``scope`` is ``None`` where the user named the folder,
    ``legacy`` where the agent asked for it in former days."""

    agent: Agent
    scope: Scope | None
    folder: Path
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What was, or would be, done in one place."""

    place: Place
    plans: tuple[SkillPlan, ...]

    def as_dict(self, full: bool = False) -> dict[str, Any]:
        return {
            "agent": self.place.agent.id,
            "scope": self.place.scope,
            "folder": str(self.place.folder),
            "skills": [plan.as_dict(full) for plan in self.plans],
        }


def places_to_install(agent: str | None, scope: Scope, folder: Path | None) -> list[Place]:
    """Where ``install`` goes: the agents named, else those on this machine; each folder once.

    Raises:
        Refusal: ``invalid_input`` for an unknown agent, or where there is none; ``usage`` for a folder of several.
    """
    known = agents()
    chosen = named(agent, known) if agent else named(UNIVERSAL, known) if folder else on_this_machine(known)
    if not chosen:
        raise Refusal("invalid_input", "no_agent", valid=", ".join(row.id for row in known))
    return _places(chosen, scope, folder)


def places_in_use(agent: str | None, scope: Scope | None, folder: Path | None) -> list[Place]:
    """Where skills of ours are: of the agents named (whatever is there), else of all of a user and the project."""
    known = agents()
    scopes: tuple[Scope, ...] = (scope,) if scope else ("user", "project")
    if folder is not None:
        return _places(named(agent or UNIVERSAL, known), "user", folder)
    if agent:
        found = {place.folder: place for one in reversed(scopes) for place in _places(named(agent, known), one, None)}
        used = [place for place in found.values() if ours_in(place.folder)]
        return used or _places(named(agent, known), scopes[0], None)
    every = [place for one in scopes for place in _places(known, one, None)]
    every += [Place(row, "user", row.legacy, legacy=True) for row in known if row.legacy and "user" in scopes]
    once = {place.folder: place for place in reversed(every)}
    return [place for place in reversed(once.values()) if ours_in(place.folder)]


def ours_in(folder: Path) -> list[str]:
    """Names of the skills in ``folder`` that have our manifest."""
    return [name for name in names() if (folder / name / states.MANIFEST).is_file()]


def known_skills(chosen: Sequence[str], known: Sequence[str] | None = None) -> list[str]:
    """``chosen`` of ``known`` (default: what this package installs), or all for none and ``all``.

    Raises:
        Refusal: ``invalid_input`` with the valid names.
    """
    known = skills() if known is None else known
    if not known:
        raise Refusal("usage", "no_skills")
    for name in chosen:
        if name not in (*known, ALL):
            raise unknown("skill", name, [*known, ALL])
    return list(known) if not chosen or ALL in chosen else list(dict.fromkeys(chosen))


def install(places: Sequence[Place], chosen: Sequence[str], *, force: bool, dry_run: bool) -> list[Done]:
    """Have the skills ``chosen`` in each of ``places``: new, brought up to date, or as they are.

    Raises:
        Refusal: ``invalid_input``, ``storage``; the places before it are done, and named in its details.
    """
    chosen = known_skills(chosen)

    def plans(place: Place) -> list[SkillPlan]:
        return [_install(place.folder / name, name, place.agent, place.folder, force) for name in chosen]

    return _each(places, plans, dry_run)


def update(places: Sequence[Place], chosen: Sequence[str], *, force: bool, dry_run: bool) -> list[Done]:
    """Bring what is installed up to this package's version; raises as ``install``."""
    chosen = known_skills(chosen)
    rows = {row.id: row for row in agents()}

    def plans(place: Place) -> list[SkillPlan]:
        made = []
        for name in chosen:
            state = states.read(place.folder / name)
            if state.manifest is not None:
                agent = rows.get(state.manifest.agent, place.agent)
                made.append(_install(place.folder / name, name, agent, place.folder, force))
        return made

    return _each(places, plans, dry_run)


def remove(places: Sequence[Place], chosen: Sequence[str], *, force: bool, dry_run: bool) -> list[Done]:
    """Take away what is ours and unedited; raises as ``install``."""
    chosen = known_skills(chosen, names())

    def plans(place: Place) -> list[SkillPlan]:
        backup = _backup(place.folder) if force else None
        return [planning.remove(name, states.read(place.folder / name), backup) for name in chosen]

    return _each(places, plans, dry_run)


def verify(place: Place, name: str) -> dict[str, Any]:
    """How the skill stands against its manifest, and that against this package where the versions are the same."""
    state = states.read(place.folder / name)
    manifest = state.manifest
    row: dict[str, Any] = {
        "skill": name,
        "path": str(state.folder),
        "version": manifest.version if manifest else None,
        "unchanged": len(state.unchanged),
        "missing": list(state.missing),
        "edited": list(state.edited),
        "foreign": planning.named_briefly(state.foreign, manifest.files if manifest else ()),
        "not_of_the_package": [],
    }
    if manifest and manifest.version == __version__ and name in skills():
        files = files_of(name, _agent_of(state, place.agent))
        package = {path: content.sha256 for path, content in files.items() if path != states.MANIFEST}
        differing = {path for path, sha256 in package.items() if manifest.files.get(path, sha256) != sha256}
        row["not_of_the_package"] = sorted(differing | (manifest.files.keys() - package.keys()))
    return row


def holds(row: dict[str, Any]) -> bool:
    """Whether what ``verify`` found is what was installed; files of the user's own are no fault."""
    return bool(row["version"]) and not (row["missing"] or row["edited"] or row["not_of_the_package"])


def _places(chosen: Sequence[Agent], scope: Scope, folder: Path | None) -> list[Place]:
    if folder is not None:
        if len(chosen) > 1:
            raise Refusal("usage", "one_agent_for_dir")
        return [Place(chosen[0], None, Path(os.path.abspath(folder.expanduser())))]
    once = {agent.folder(scope): Place(agent, scope, agent.folder(scope)) for agent in reversed(chosen)}
    return list(reversed(once.values()))


def _install(target: Path, name: str, agent: Agent, root: Path, force: bool) -> SkillPlan:
    files = files_of(name, agent)
    like = {path: content.sha256 for path, content in files.items() if path != states.MANIFEST}
    return planning.install(name, states.read(target, like), files, _backup(root) if force else None)


def files_of(name: str, agent: Agent) -> Files:
    return assemble(name, agent.id, agent.metadata)


def _agent_of(state: states.State, otherwise: Agent) -> Agent:
    wanted = state.manifest.agent if state.manifest else ""
    return next((row for row in agents() if row.id == wanted), otherwise)


def _each(places: Sequence[Place], plans: Callable[[Place], list[SkillPlan]], dry_run: bool) -> list[Done]:
    """All plans are made before anything is written; each is made again, and carried out, under its folder's lock."""
    for place in places:
        _check(place.folder)
    planned_first = [Done(place, tuple(plans(place))) for place in places]
    if dry_run:
        return planned_first
    finished: list[Done] = []
    for place in places:
        try:
            with swap.only_one(place.folder):
                swap.recover(place.folder)
                planned = tuple(plans(place))
                swap.apply(place.folder, planned)
        except OSError as error:
            raise failure(place.folder, error, finished) from error
        finished.append(Done(place, planned))
    return finished


def _check(root: Path) -> None:
    """A skills folder is never written through a link unasked.

    Raises:
        Refusal: ``invalid_input``, naming where the link goes; ``storage`` where it is no folder.
    """
    for path in (root, root / swap.OWN):
        if path.is_symlink():
            folder = os.path.realpath(path)
            raise Refusal(
                "invalid_input", "root_is_a_link", path=path, folder=folder, quoted=pasteable([folder]),
                details={"path": str(path), "folder": folder},
            )  # fmt: skip
    if os.path.lexists(root) and not root.is_dir():
        raise Refusal("storage", "no_folder", path=root)


def failure(root: Path, error: OSError, finished: Sequence[Done] = ()) -> TikomniError:
    """What a failed change of ``root`` means to the user, and which places were done before it."""
    before = [str(done.place.folder) for done in finished]
    full = error.errno in _FULL
    return Refusal(
        "disk_full" if full else "storage",
        "no_space" if full else "not_written",
        path=error.filename or root,
        folder=root,
        reason=error.strerror or error,
        details={"done_before": before} if before else None,
    )


def _backup(root: Path) -> Path:
    """A new folder for what is copied away: ``<skills root>/.tikomni-skills/backups/<UTC time>``."""
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    folder = root / swap.OWN / "backups"
    names = (now, *(f"{now}-{count}" for count in range(2, 1000)))
    return next(folder / name for name in names if not (folder / name).exists())
