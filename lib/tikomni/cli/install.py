"""Copy skills into an agent's skills folder, each with all that it needs; nothing there is overwritten."""

from __future__ import annotations

import argparse
from pathlib import Path

from tikomni.cli.base import Context, Next, Outcome, add_common, paste
from tikomni.install import installer
from tikomni.install.environment import prepare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("agent", metavar="AGENT", help=", ".join(agent.id for agent in installer.agents()))
    parser.add_argument("skills", metavar="SKILL", nargs="*", help="names of skills, or `all` (default)")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="a skills folder other than the agent's own")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    context.language = args.language or context.language
    plan = installer.plan(args.agent, args.skills or [installer.ALL], args.dir)
    targets = [skill.target for skill in plan.skills]
    installer.refuse_existing(targets)
    prepared = prepare(say=context.progress(args).note)
    installer.apply(plan)
    return Outcome(
        result={
            "agent": plan.agent,
            "folder": str(plan.folder),
            "skills": [
                {"skill": skill.skill, "path": str(skill.target), "files": len(skill.files)} for skill in plan.skills
            ],
            "python": str(prepared.python),
        },
        next=_check_of_key(plan),
        plain=(f"Installed for {plan.agent}:", *(f"  {path}" for path in targets), _KEY.format(plan.folder)),
    )


_KEY = "Put TIKOMNI_API_KEY=… into {}/.env (mode 600), unless it is in the environment."


def _check_of_key(plan: installer.Plan) -> tuple[Next, ...]:
    for skill in plan.skills:
        if (skill.target / "scripts" / "test_auth.py").is_file():
            why = f"checks the key; {_KEY[0].lower()}{_KEY[1:].format(plan.folder)}"
            return (Next(paste(["auth"], [], skill.target), why),)
    return ()
