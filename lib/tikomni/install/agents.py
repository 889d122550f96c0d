"""The agents that skills are installed for, and where each looks for them: ``agents.json``, read as a table.

A row says where a user's and a project's skills stand (``${NAME:-default}`` is the variable, or the default where it
is unset), what tells that the agent is on this machine (``found_by``), a folder of former days (``legacy``), and which
other folders of a user it ``reads``: its copy there ``wins`` over ours, is shown ``twice``, or ``either`` is taken.

Standard library only, so that an installed skill can be looked after without the environment.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from tikomni.install.words import Refusal

Scope = Literal["user", "project"]
Reading = Literal["wins", "twice", "either"]
TABLE = Path(__file__).with_name("agents.json")


@dataclass(frozen=True, slots=True)
class Agent:
    """A row of the table; all folders are absolute. ``metadata`` names what is added to SKILL.md for it."""

    id: str
    title: str
    aliases: tuple[str, ...]
    user: Path
    project: Path
    found_by: Path | None
    legacy: Path | None
    metadata: str | None
    reads: Mapping[Path, Reading]

    def folder(self, scope: Scope) -> Path:
        return self.user if scope == "user" else self.project


def agents(environ: Mapping[str, str] = os.environ, project: Path | None = None) -> list[Agent]:
    """The table for a user with ``environ`` and a ``project`` (default: the working directory)."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    return [_agent(name, row, environ, project or Path.cwd()) for name, row in rows.items()]


def named(text: str, known: Iterable[Agent]) -> list[Agent]:
    """The agents of ``text``: ids or aliases, parted by commas, each once.

    Raises:
        Refusal: ``invalid_input`` with the valid names.
    """
    rows = {name: row for row in known for name in (row.id, *row.aliases)}
    found = []
    for name in (part.strip() for part in text.split(",")):
        if name not in rows:
            raise unknown("agent", name, list(dict.fromkeys(row.id for row in rows.values())), list(rows))
        found.append(rows[name])
    return list({row.id: row for row in found}.values())


def on_this_machine(known: Iterable[Agent]) -> list[Agent]:
    """The agents whose own folder is there, without those that read a folder of one that stands before them.

    Claude Code and one of those that read ``~/.agents/skills`` are two copies, whatever else is installed.
    """
    chosen: list[Agent] = []
    for agent in known:
        if agent.found_by is None or not agent.found_by.is_dir():
            continue
        served = {other.user for other in chosen}
        if agent.user not in served and not served & set(agent.reads):
            chosen.append(agent)
    return chosen


def unknown(kind: str, name: str, valid: list[str], known: Iterable[str] = ()) -> Refusal:
    """The refusal of a ``kind`` (agent, skill) that nobody knows, with what of ``valid``, or of all that is ``known``,
    it may have meant."""
    near = get_close_matches(name, [*valid, *known], 1)
    text = f"unknown_{kind}_near" if near else f"unknown_{kind}"
    return Refusal(
        "invalid_input", text, name=name, near=near[0] if near else "", valid=", ".join(valid), details={"valid": valid}
    )


def _agent(name: str, row: Mapping[str, object], environ: Mapping[str, str], project: Path) -> Agent:
    def folder(key: str) -> Path | None:
        return _expand(str(row[key]), environ) if key in row else None

    reads: Mapping[str, Reading] = row.get("reads", {})  # type: ignore[assignment]
    user = folder("user")
    assert user is not None
    return Agent(
        id=name,
        title=str(row["title"]),
        aliases=tuple(row["aliases"]),  # type: ignore[arg-type]
        user=user,
        project=Path(os.path.abspath(project / str(row["project"]))),
        found_by=folder("found_by"),
        legacy=folder("legacy"),
        metadata=str(row["metadata"]) if "metadata" in row else None,
        reads={_expand(pattern, environ): how for pattern, how in reads.items()},
    )


def _expand(pattern: str, environ: Mapping[str, str]) -> Path:
    text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: environ.get(m[1]) or m[2], pattern)
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if home and re.match(r"~(?=[/\\]|$)", text):
        text = home + text[1:]
    return Path(os.path.abspath(Path(text).expanduser()))
