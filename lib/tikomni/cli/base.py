"""What every command shares: its context, its common arguments, and how a command is written for pasting."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tikomni.deadline import Deadline
from tikomni.envelope import Next, Outcome
from tikomni.errors import InputError
from tikomni.progress import Progress
from tikomni.settings import Settings, load

__all__ = [
    "Context",
    "Next",
    "Outcome",
    "Parser",
    "add_call_arguments",
    "add_common",
    "add_output_arguments",
    "new_run_id",
    "paste",
    "run_async",
]

T = TypeVar("T")

DEFAULT_DEADLINE_SEC = 90.0
ROOT = Path(__file__).resolve().parents[3]

# Commands that the skills offer as scripts: (skill, script, words of the command).
SCRIPTS = (
    ("single-work-analysis", "analyze_work.py", ("work",)),
    ("meta-capability", "call_route.py", ("route", "call")),
    ("meta-capability", "call_route.py", ("route",)),
    ("meta-capability", "test_auth.py", ("auth",)),
)


class Parser(argparse.ArgumentParser):
    """Argument errors become envelopes instead of prose on stderr."""

    def error(self, message: str) -> NoReturn:
        raise InputError("usage", f"{self.prog}: {message}.", hint=f"{self.prog} --help shows the arguments.")


@dataclass(slots=True)
class Context:
    """One invocation: which command, from which skill folder, since when."""

    command: str
    argv: Sequence[str] = ()
    deadline: Deadline = field(default_factory=Deadline)
    skill_dir: Path | None = None
    language: str = "en"

    def settings(self, args: argparse.Namespace) -> Settings:
        """The settings in use for ``args``; also settles deadline and language.

        Raises:
            InputError: ``config``.
        """
        settings = load(
            vars(args),
            skill_dir=self.skill_dir,
            env_file=getattr(args, "env_file", None),
            config=getattr(args, "config", None),
        )
        seconds = settings.deadline_sec
        if seconds is None and not sys.stdout.isatty():
            seconds = DEFAULT_DEADLINE_SEC
        self.deadline = Deadline(seconds or None, self.deadline.started)
        self.language = settings.language or self.language
        return settings

    def progress(self, args: argparse.Namespace) -> Progress:
        return Progress(getattr(args, "progress", "auto"))


def add_common(parser: argparse.ArgumentParser) -> None:
    """Arguments of every command."""
    group = parser.add_argument_group("common")
    group.add_argument("--config", type=Path, metavar="FILE", help="YAML settings file")
    group.add_argument("--env-file", type=Path, metavar="FILE", help="stands in for the skills folder's .env")
    group.add_argument("--language", choices=("zh", "en"), help="language of cards and hints")
    group.add_argument("--full", action="store_true", help="print everything, however long")
    group.add_argument("--json", action="store_true", help="print JSON on a terminal too")
    group.add_argument("--progress", choices=("auto", "bar", "jsonl", "none"), default="auto", help="on stderr")


def add_call_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of commands that may call the upstream."""
    group = parser.add_argument_group("calls")
    group.add_argument("--base-url", metavar="URL", help="upstream address")
    group.add_argument("--api-key-env", metavar="NAME", help="variable that holds the key")
    group.add_argument("--timeout-ms", type=int, metavar="MS", help="longest wait for one answer")
    group.add_argument("--fresh", action="store_true", help="ask anew, whatever is stored")
    group.add_argument(
        "--max-age", dest="max_age_sec", type=int, metavar="SECONDS", help="accept stored answers this old"
    )
    group.add_argument(
        "--deadline",
        dest="deadline_sec",
        type=float,
        metavar="SECONDS",
        help="stop asking after this long and say how to go on; 0: never (default 90 off a terminal)",
    )
    group.add_argument("--allow-process-env", action="store_true", help=argparse.SUPPRESS)  # always so by now


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of commands that write documents and cards."""
    group = parser.add_argument_group("output")
    group.add_argument("--output-root", metavar="DIR", help="root of JSON documents (default ./tikomni-output)")
    group.add_argument("--card-root", metavar="DIR", help="root of cards (default <output root>/cards)")
    group.add_argument("--images", type=int, metavar="N", help="pictures stored for a picture post (default 9)")


def new_run_id(settings: Settings) -> str:
    """A name for one run: when it started, in the display zone, and three random bytes."""
    from datetime import datetime

    return f"{datetime.now(settings.zone):%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` to its end; asyncio is imported by the commands that wait for something."""
    import asyncio

    return asyncio.run(main)


def paste(words: Sequence[str], arguments: Sequence[str], skill_dir: Path | None = None) -> str:
    """``words arguments`` as a command that works from any folder.

    The skill's script where it is at hand (beside the skill in use, or in this package), else the npm command.
    """
    skills = skill_dir.parent if skill_dir else ROOT / "skills"
    for skill, script, command in SCRIPTS:
        path = skills / skill / "scripts" / script
        if tuple(words[: len(command)]) == command and path.is_file():
            return join([_python(), str(path), *words[len(command) :], *arguments])
    return join(["npx", "tikomni-skills", *words, *arguments])


def join(parts: Sequence[Any]) -> str:
    """``parts`` quoted for the shell of this system."""
    if os.name == "nt":
        import subprocess

        return subprocess.list2cmdline([str(p) for p in parts])
    return shlex.join(str(p) for p in parts)


def _python() -> str:
    return sys.executable or "python3"
