"""Puts skills into an agent's skills folder: each works by itself, assembled from the one source.

``plan`` says what would be written and writes nothing; ``apply`` writes all of it or nothing. Neither touches
a file that it did not write: an existing skill folder is refused, and ``.env`` is the user's.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tikomni import __version__
from tikomni.errors import InputError
from tikomni.install.managed import ROOT

MANIFEST = ".tikomni-manifest.json"
ALL = "all"

# What a skill folder gets besides its own files; locks stand where managed.LOCKS looks for them.
SHARED = (
    "lib/tikomni",
    *("requirements/base.txt", "requirements/local-asr.txt", "requirements/sandbox.txt"),
    *("env.example", "LICENSE"),
)
# Never copied. Dotfiles in a skill folder are the user's; what the catalogue's source says is compiled.
LEFT_OUT = (
    *(".*", "*/.*", "*__pycache__/*", "*.pyc"),
    *("lib/tikomni/catalog/openapi/*", "lib/tikomni/catalog/questions/*"),
)
EXECUTABLE = "scripts/*.py"


@dataclass(frozen=True, slots=True)
class Agent:
    """A row of ``agents.yaml``; ``folder`` is absolute."""

    id: str
    title: str
    aliases: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class SkillPlan:
    """One skill folder to be: ``files`` maps paths below ``target`` to what they are copied from."""

    skill: str
    target: Path
    files: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Plan:
    agent: str
    folder: Path
    skills: tuple[SkillPlan, ...]


def agents(environ: Mapping[str, str] = os.environ) -> list[Agent]:
    """The agents that skills can be installed for."""
    import yaml

    text = Path(__file__).with_name("agents.yaml").read_text(encoding="utf-8")
    table: Mapping[str, Any] = yaml.safe_load(text)
    return [
        Agent(name, row["title"], tuple(row["aliases"]), _expand(row["skills"], environ)) for name, row in table.items()
    ]


def skills() -> list[str]:
    """Names of the skills of this package; none in an installed skill, which carries no other."""
    return sorted(path.parent.name for path in (ROOT / "skills").glob("*/SKILL.md"))


def plan(agent: str, names: Sequence[str] = (ALL,), folder: Path | None = None) -> Plan:
    """What ``install`` would write for ``agent`` (id or alias) into its skills folder, or into ``folder``.

    Raises:
        InputError: ``invalid_input`` for an unknown agent or skill, naming the valid ones.
    """
    found = _one_of(agents(), agent)
    known = skills()
    if not known:
        raise InputError("usage", "This is an installed skill, not the package: it has no skills to install.")
    chosen = known if ALL in names else [_known_skill(name, known) for name in dict.fromkeys(names)]
    target = Path(os.path.abspath(folder.expanduser())) if folder else found.folder
    return Plan(found.id, target, tuple(SkillPlan(name, target / name, assemble(name)) for name in chosen))


def assemble(skill: str) -> dict[str, Path]:
    """The files of a self-contained folder of ``skill``: path in the folder (with ``/``) → source."""
    home = ROOT / "skills" / skill
    sources = {path.relative_to(home).as_posix(): path for path in _files(home)}
    for shared in SHARED:
        sources |= {path.relative_to(ROOT).as_posix(): path for path in _files(ROOT / shared)}
    return {name: sources[name] for name in sorted(sources) if not any(fnmatch(name, pattern) for pattern in LEFT_OUT)}


def refuse_existing(targets: Iterable[Path]) -> None:
    """Refuse to overwrite: a folder that is there may hold somebody's work.

    Raises:
        InputError: ``invalid_input``, naming the folders that exist.
    """
    taken = [str(target) for target in targets if os.path.lexists(target)]
    if taken:
        raise InputError(
            "invalid_input",
            f"Nothing was installed, because this exists already: {', '.join(taken)}.",
            hint="Move the folder away, or install into another folder with --dir.",
            details={"existing": taken},
        )


def apply(planned: Plan) -> None:
    """Write ``planned``: all its skill folders, or none of them.

    Raises:
        InputError: ``invalid_input`` where a skill folder exists, ``storage`` where it cannot be written.
    """
    refuse_existing(skill.target for skill in planned.skills)
    try:
        planned.folder.mkdir(parents=True, exist_ok=True)
        # Beside the targets, so that a rename is enough; agents don't look into folders with a dot.
        with tempfile.TemporaryDirectory(prefix=".tikomni-stage-", dir=planned.folder) as stage:
            for skill in planned.skills:
                _write(skill, planned.agent, Path(stage) / skill.skill)
            _move_all(Path(stage), planned)
    except OSError as error:
        raise InputError(
            "storage", f"Nothing was installed: {error.filename or planned.folder}: {error.strerror}."
        ) from error


def description(skill: str) -> str:
    """What ``SKILL.md`` says the skill is for."""
    import yaml

    text = (ROOT / "skills" / skill / "SKILL.md").read_text(encoding="utf-8")
    return yaml.safe_load(text.split("---", 2)[1])["description"]


def installed(folder: Path) -> list[dict[str, Any]]:
    """The skills of ours in ``folder``: ``{skill, version, path}``; version is null without a manifest."""
    rows = []
    for name in skills():
        if os.path.lexists(folder / name):
            rows.append({"skill": name, "version": _version(folder / name), "path": str(folder / name)})
    return rows


def _write(skill: SkillPlan, agent: str, stage: Path) -> None:
    digests = {}
    for name, source in skill.files.items():
        path = stage / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        path.chmod(0o755 if fnmatch(name, EXECUTABLE) else 0o644)  # npm packs scripts without their mode
        digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = {
        "package": "tikomni-skills",
        "version": __version__,
        "skill": skill.skill,
        "agent": agent,
        "files": digests,
    }
    (stage / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _move_all(stage: Path, planned: Plan) -> None:
    moved: list[SkillPlan] = []
    try:
        for skill in planned.skills:
            refuse_existing([skill.target])
            (stage / skill.skill).rename(skill.target)
            moved.append(skill)
    except BaseException:
        for skill in moved:
            skill.target.rename(stage / skill.skill)
        raise


def _files(path: Path) -> Iterable[Path]:
    return [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]


def _expand(pattern: str, environ: Mapping[str, str]) -> Path:
    text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: environ.get(m[1]) or m[2], pattern)
    return Path(os.path.abspath(Path(text).expanduser()))


def _one_of(known: Iterable[Agent], name: str) -> Agent:
    rows = list(known)
    for row in rows:
        if name in (row.id, *row.aliases):
            return row
    raise _unknown("agent", name, [row.id for row in rows])


def _known_skill(name: str, known: Sequence[str]) -> str:
    if name not in known:
        raise _unknown("skill", name, [*known, ALL])
    return name


def _unknown(kind: str, name: str, valid: list[str]) -> InputError:
    near = get_close_matches(name, valid, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return InputError(
        "invalid_input",
        f"No {kind} is named {name!r}.{meant}",
        hint=f"The {kind}s are: {', '.join(valid)}.",
        details={"valid": valid},
    )


def _version(skill: Path) -> str | None:
    try:
        return json.loads((skill / MANIFEST).read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
