"""Show the skills, the agents, where each would go, and what is installed."""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.install import installer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    context.language = args.language or context.language
    skills = [{"skill": name, "description": installer.description(name)} for name in installer.skills()]
    agents = [
        {
            "agent": agent.id,
            "aliases": agent.aliases,
            "folder": str(agent.folder),
            "installed": installer.installed(agent.folder),
        }
        for agent in installer.agents()
    ]
    return Outcome(result={"skills": skills, "agents": agents}, plain=tuple(_lines(skills, agents)))


def _lines(skills: list[dict], agents: list[dict]) -> list[str]:
    lines = ["Skills:"]
    for skill in skills:
        lines += [f"  {skill['skill']}", f"    {skill['description']}"]
    lines.append("Agents:")
    for agent in agents:
        has = [f"{row['skill']} {row['version'] or '(not ours)'}" for row in agent["installed"]]
        lines += [f"  {agent['agent']:<12} {agent['folder']}", f"    installed: {', '.join(has) or 'none'}"]
    return lines
