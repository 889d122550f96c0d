"""Show the skills, the agents, where each would go, and what is installed."""

from __future__ import annotations

import argparse
from pathlib import Path

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.install import package, state
from tikomni.install.agents import agents
from tikomni.install.words import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    context.language = args.language or context.language
    skills = [{"skill": name, "description": package.description(name)} for name in package.skills()]
    rows = [
        {
            "agent": agent.id,
            "aliases": agent.aliases,
            "found": bool(agent.found_by and agent.found_by.is_dir()),
            "folder": str(agent.user),
            "installed": installed(agent.user),
            "project_folder": str(agent.project),
            "installed_in_project": installed(agent.project),
        }
        for agent in agents()
    ]
    lines = [say("skills", context.language)]
    for skill in skills:
        lines += [f"  {skill['skill']}", f"    {skill['description']}"]
    lines.append(say("agents", context.language))
    for row in rows:
        lines += _lines(row, context.language)
    return Outcome(result={"skills": skills, "agents": rows}, plain=tuple(lines), full=True)


def installed(folder: Path) -> list[dict]:
    """The skills of our names in ``folder``: ``{skill, version, path}``; version is null where it is not ours."""
    rows = []
    for name in package.names():
        if (folder / name).exists():
            manifest = state.manifest(folder / name)
            rows.append({"skill": name, "version": manifest.version if manifest else None, "path": str(folder / name)})
    return rows


def _lines(row: dict, language: str) -> list[str]:
    lines = [f"  {row['agent']:<12} {row['folder']}"]
    places = {row["project_folder"]: row["installed_in_project"], row["folder"]: row["installed"]}
    for folder, has in places.items():
        if has:
            what = ", ".join(f"{one['skill']} {one['version'] or say('not_ours', language)}" for one in has)
            lines.append(f"    {folder}: {say('installed', language, what=what)}")
    return lines
