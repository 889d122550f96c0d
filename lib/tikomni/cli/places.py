"""What the commands that look after installed skills share: their arguments, and their reports in two languages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tikomni.cli.base import Context, Next, Outcome, join, paste
from tikomni.install import plan as planning
from tikomni.install import verbs
from tikomni.install.agents import agents
from tikomni.install.managed import KEPT, ROOT
from tikomni.install.package import skills
from tikomni.install.words import Refusal, say

Run = Callable[[argparse.Namespace, Context], Outcome]


def given(text: str) -> str:
    """A value that is there; an empty one, of a variable that is not set, would mean the default."""
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a value")
    return text


def folder(text: str) -> Path:
    """The value of ``--dir``."""
    return Path(given(text))


def add_places(parser: argparse.ArgumentParser, default: str) -> None:
    """AGENT, SKILL…, --scope, --dir; ``default`` says what is meant where no agent is named."""
    names = ", ".join(agent.id for agent in agents())
    text = f"{names}; several with commas (default: {default})"
    parser.add_argument("agent", type=given, metavar="AGENT", nargs="?", help=text)
    parser.add_argument("skills", metavar="SKILL", nargs="*", help="names of skills, or `all` (default)")
    parser.add_argument("--scope", choices=("user", "project"), help="the user's folder, or the working directory's")
    parser.add_argument("--dir", type=folder, metavar="DIR", help="a skills folder other than the agent's own")


def add_change(parser: argparse.ArgumentParser) -> None:
    """--dry-run and --force, of what changes folders."""
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    parser.add_argument(
        "--force", action="store_true", help="replace edited files too; each is copied away first. Never touches others"
    )


def spoken(run: Run) -> Run:
    """``run``, whose refusals, and whose end by Ctrl-C, are worded in the language of the context."""

    def worded(args: argparse.Namespace, context: Context) -> Outcome:
        context.language = args.language or context.language
        try:
            return run(args, context)
        except KeyboardInterrupt:
            raise Refusal("interrupted", "stopped", language=context.language) from None
        except Refusal as refusal:
            raise refusal.worded(context.language) from refusal.__cause__

    return worded


def command(words: Sequence[str], arguments: Sequence[str] = ()) -> str:
    """``words arguments`` for pasting; in an installed skill, what only the package can do is npx's."""
    if KEPT and words[0] == "env" and not (words[1:] and words[1].isalpha()):
        # The way that works where there is no environment.
        setup = next(iter(sorted(ROOT.glob("skills/*/scripts/setup_env.py"))), ROOT / "scripts" / "setup_env.py")
        return join([sys.executable, setup, *words[1:], *arguments])
    if words[0] in ("install", "update", "bundle") and not skills():
        return join(["npx", "tikomni-skills", *words, *arguments])
    return paste(words, arguments, None if skills() else ROOT)


def report(
    done: Sequence[verbs.Done], args: argparse.Namespace, context: Context, next: Iterable[Next] = (), **more: object
) -> Outcome:
    """What was, or would be, done; partial where edited files, or others in their place, were kept."""
    kept = planning.kept(plan for one in done for plan in one.plans)
    edited = any(plan.edited for one in done for plan in one.plans)
    targets = [one.as_dict(args.full) for one in done]
    result = {"dry_run": args.dry_run, "targets": targets, "kept": kept, **more}
    lines = [line for one in done for line in _lines(one, args.dry_run, context.language)]
    if edited and (args.dry_run or context.command != "remove"):  # after a removal they are the user's own
        lines.append(say("force_hint", context.language))
        forced = command(context.command.split(), [*_again(args), "--force"])
        next = [*next, Next(forced, say("why_force", context.language))]
    return Outcome(
        result=result, status="partial" if kept else "complete", next=tuple(next), plain=tuple(lines), full=True
    )


def nothing_installed(args: argparse.Namespace) -> Refusal:
    """The refusal of a command that found no skill of ours."""
    where = f" ({args.dir or args.agent})" if args.dir or args.agent else ""
    words = [args.agent] if args.agent else []
    words += ["--dir", str(args.dir)] if args.dir else []
    return Refusal("invalid_input", "nothing_installed", where=where, next_command=command(["install"], words))


def _again(args: argparse.Namespace) -> list[str]:
    words = [word for word in (args.agent, *args.skills) if word]
    for flag in ("scope", "dir"):
        if value := getattr(args, flag):
            words += [f"--{flag}", str(value)]
    return words


def _lines(done: verbs.Done, dry_run: bool, language: str) -> Iterable[str]:
    yield f"{done.place.agent.title}: {done.place.folder}"
    for plan in done.plans:
        action = "repair" if plan.action == "update" and plan.version_from == plan.version_to else plan.action
        key = f"would_{action}" if dry_run else action
        yield f"  {plan.skill}: {say(key, language, to=plan.version_to, from_=plan.version_from or '?')}"
        for key, names in (("kept_edited", plan.edited), ("kept_foreign", plan.left_alone)):
            yield from (f"    {say(key, language, path=plan.target / name)}" for name in names)
        yield from (f"    {say('backed_up', language, path=path)}" for path in plan.backups.values())
