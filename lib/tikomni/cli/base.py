"""What every command shares: its context, its common arguments, and how a command is written for pasting."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Coroutine, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from tikomni.deadline import Deadline
from tikomni.envelope import Next, Outcome
from tikomni.errors import InputError, TikomniError
from tikomni.install.managed import KEPT, ROOT
from tikomni.progress import Progress

if TYPE_CHECKING:
    from tikomni.dispatch.terms import Terms
    from tikomni.pipelines.collect import Found
    from tikomni.pipelines.session import Run
    from tikomni.settings import Settings

__all__ = [
    "Context",
    "Next",
    "Outcome",
    "Parser",
    "add_call_arguments",
    "add_common",
    "add_output_arguments",
    "new_run_id",
    "paced",
    "paste",
    "read_text",
    "run_async",
    "table_forms",
]

T = TypeVar("T")

DEFAULT_DEADLINE_SEC = 90.0

# Commands that the skills offer as scripts: (skill, script, words of the command). The last one takes any command.
SCRIPTS = (
    ("single-work-analysis", "analyze_work.py", ("work",)),
    ("single-work-analysis", "transcribe.py", ("transcribe",)),
    ("single-work-analysis", "poll_asr.py", ("poll-asr",)),
    ("single-work-analysis", "write_benchmark_card.py", ("card", "write")),
    ("creator-analysis", "analyze_creator.py", ("creator",)),
    ("creator-analysis", "compare_creators.py", ("compare",)),
    ("creator-analysis", "write_benchmark_card.py", ("card", "write")),
    ("meta-capability", "call_route.py", ("route", "call")),
    ("meta-capability", "call_route.py", ("route",)),
    ("meta-capability", "test_auth.py", ("auth",)),
    ("meta-capability", "collect.py", ("collect",)),
    ("meta-capability", "library.py", ("library",)),
    ("meta-capability", "tikomni.py", ()),
)


class Parser(argparse.ArgumentParser):
    """Argument errors become envelopes instead of prose on stderr."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, formatter_class=_Formatter, **kwargs)

    def parse_intermixed_args(self, args: Sequence[str], namespace: Any = None) -> Any:
        if not {"-h", "--help"}.intersection(args):
            self.usage = self.prog  # else argparse formats one, which takes longer than to parse
        return super().parse_intermixed_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        raise InputError("usage", f"{self.prog}: {message}.")


class _Formatter(argparse.HelpFormatter):
    """Measures the terminal when there is something to format; argparse does for each argument, which costs imports."""

    def __init__(self, prog: str, max_help_position: int = 24, width: int | None = None) -> None:
        super().__init__(prog, max_help_position=max_help_position, width=width or 80)

    def format_help(self) -> str:
        import shutil

        self._width = shutil.get_terminal_size().columns - 2
        return super().format_help()


@dataclass(slots=True)
class Context:
    """One invocation: which command, from which skill folder, since when.

    ``run_id`` is the run's row in the ledger, once ``terms`` has begun it; ``warnings`` come out with the outcome.
    ``as_json``: whether a program reads, or JSON was asked for.
    """

    command: str
    argv: Sequence[str] = ()
    deadline: Deadline = field(default_factory=Deadline)
    skill_dir: Path | None = None
    language: str = "en"
    run_id: str | None = None
    warnings: list[str] = field(default_factory=list)
    as_json: bool = True
    _ledger: Path | None = None

    def settings(self, args: argparse.Namespace) -> Settings:
        """The settings in use for ``args``; also settles deadline and language.

        Raises:
            InputError: ``config``.
        """
        from tikomni.settings_load import load  # not at the top: looking up a route needs no settings

        settings = load(vars(args), skill_dir=self.skill_dir, env_file=args.env_file, config=args.config)
        seconds = settings.deadline_sec
        if seconds is None and not sys.stdout.isatty():
            seconds = DEFAULT_DEADLINE_SEC
        self.deadline = Deadline(seconds or None, self.deadline.started)
        self.language = settings.language or self.language
        return settings

    def terms(self, args: argparse.Namespace, settings: Settings) -> Terms:
        """On what terms this command may pay; from here on it is a run in the ledger. Asked for right before paying.

        Raises:
            InputError: ``usage``; ``storage``, where the ledger has no place.
            TikomniError: ``ledger``.
        """
        from tikomni import redact
        from tikomni.dispatch.ledger import Ledger
        from tikomni.dispatch.terms import Budget, Terms
        from tikomni.storage.sqlite import wait_until
        from tikomni.storage.tree import check_folder

        wait_until(self.deadline)
        for flag, value in (("calls", args.max_calls), ("cost", args.max_cost), ("asr-seconds", args.max_asr_seconds)):
            if value is not None and not value >= 0:
                raise InputError("usage", f"--max-{flag} {value}: expected a number that is not negative.")
        check_folder(settings.state, "TIKOMNI_STATE_DIR")
        with closing(Ledger(settings.state / "ledger.sqlite3", self.warnings.append)) as ledger:
            self.run_id = new_run_id(settings)
            argv = [redact.secrets_in(word) for word in _unheaded(self.argv)]
            ledger.runs.begin(self.run_id, self.command, argv, os.getcwd())
            self._ledger = ledger.path
        budget = Budget(args.max_calls, args.max_cost, args.max_asr_seconds)
        return Terms(args.fresh, budget, not args.no_resubmit, self.run_id, self.warnings.append)

    def finished(self, outcome: Outcome) -> Outcome:
        """``outcome`` with what the run has to say beside it; writes into the ledger how the run ended."""
        from dataclasses import replace

        if self._ledger is not None:
            from tikomni.dispatch.ledger import Ledger

            path, self._ledger = self._ledger, None
            status = outcome.error.code if outcome.error and outcome.status == "failed" else outcome.status
            document = outcome.result.get("run_path") or outcome.result.get("saved_to")
            try:
                with closing(Ledger(path, self.warnings.append)) as ledger:
                    ledger.runs.end(self.run_id or "", status, outcome.cost and outcome.cost.as_dict(), document)
            except TikomniError as error:  # the outcome is printed all the same
                self.warnings.append(f"How the run ended could not be kept: {error.message}")
        warnings = tuple(dict.fromkeys((*self.warnings, *outcome.warnings)))
        return replace(outcome, warnings=warnings, run_id=self.run_id)

    def go_on(self) -> Next:
        """The command that goes on where this one stopped."""
        words = self.command.split()
        again = [word for word in self.argv[len(words) :] if word != "--fresh"]
        why = "goes on where this run stopped; what was asked is not paid for again"
        return Next(paste(words, again, self.skill_dir), why, 20)

    def keep_run(self, settings: Settings, run: Run | Found, result: dict[str, Any]) -> str | None:
        """Write the run's own document: ``result`` whole, uncut; its path. What cannot be written is a warning."""
        from tikomni.storage.atomic import write_json
        from tikomni.storage.tree import Tree

        assert self.run_id is not None
        path = Tree(settings).run_dir(self.run_id) / "run.json"
        told = {"run_id": self.run_id, "status": run.status, "cost": run.cost.as_dict(), "warnings": run.warnings}
        try:
            write_json(path, told | {"result": result})
        except TikomniError as error:  # the answer is on stdout all the same
            self.warnings.append(error.message)
            return None
        return str(path)

    def progress(self, args: argparse.Namespace) -> Progress:
        return Progress(args.progress)


def add_common(parser: argparse.ArgumentParser, *, language: bool = True) -> None:
    """Arguments of every command; ``language`` is left out where the command gives the flag another meaning."""
    group = parser.add_argument_group("common")
    group.add_argument("--config", type=Path, metavar="FILE", help="YAML settings file")
    group.add_argument("--env-file", type=Path, metavar="FILE", help="stands in for the skills folder's .env")
    if language:
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
    group.add_argument("--max-calls", type=int, metavar="N", help="requests that may be sent")
    group.add_argument("--max-cost", type=float, metavar="USD", help="what may be spent; nothing beyond it is sent")
    group.add_argument("--max-asr-seconds", type=float, metavar="SECONDS", help="speech that may be sent")
    group.add_argument(
        "--no-resubmit",
        action="store_true",
        help="leave a job alone that was sent before and may have been accepted; else it is sent once more",
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


def _unheaded(argv: Sequence[str]) -> list[str]:
    """``argv`` without the values of headers, which may be secrets that nobody has registered."""
    from tikomni.redact import MASK

    flag = "--headers-json"
    hidden = [MASK if before == flag else word for before, word in zip(("", *argv), argv, strict=False)]
    return [f"{flag}={MASK}" if word.startswith(flag + "=") else word for word in hidden]


def new_run_id(settings: Settings) -> str:
    """A name for one run: when it started, in the display zone, and three random bytes."""
    from datetime import datetime

    return f"{datetime.now(settings.zone):%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"


def read_text(source: str, flag: str, most: int) -> str:
    """What ``flag`` names: a file, or ``-`` for standard input; at most ``most`` bytes.

    Raises:
        InputError: ``invalid_input``.
    """
    try:
        if source == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(most + 1)
    except OSError as error:
        raise InputError("invalid_input", f"{flag} {source}: {error.strerror or error}.") from None
    if len(data) > most:
        raise InputError("invalid_input", f"{flag} {source}: more than {most} bytes.")
    return data.decode("utf-8-sig", "replace")


def table_forms(text: str | None, known: Sequence[str] | None = None) -> tuple[str, ...]:
    """The forms of tables that ``--export`` names; ``known``: those that there are, by default of tables of works.

    Raises:
        InputError: ``usage``.
    """
    forms = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    if not forms:
        return ()
    if known is None:
        from tikomni.cards.tables import FORMS as known
    if unknown := [form for form in forms if form not in known]:
        raise InputError("usage", f"--export {text!r}: no {', '.join(unknown)}; there are {', '.join(known)}.")
    return forms


def paced(calls: float, settings: Settings) -> float:
    """Seconds that so many calls take at the rate of the settings, where the upstream answers at once."""
    return round(calls / settings.global_qps, 1)


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` to its end; asyncio is imported by the commands that wait for something."""
    import asyncio

    return asyncio.run(main)


def paste(words: Sequence[str], arguments: Sequence[str], skill_dir: Path | None = None) -> str:
    """``words arguments`` as a command that works from any folder.

    The skill's script where it is at hand (beside the skill in use, or in this package), else the npm command.
    """
    skills = skill_dir.parent if skill_dir else ROOT / "skills"
    for skill, script, command in SCRIPTS if skill_dir or KEPT else ():
        path = skills / skill / "scripts" / script
        if tuple(words[: len(command)]) == command and path.is_file():
            return join([sys.executable or "python3", path, *words[len(command) :], *arguments])
    return join(["npx", "tikomni-skills", *words, *arguments])


def join(parts: Sequence[Any]) -> str:
    """``parts`` quoted for the shell of this system."""
    if os.name == "nt":
        import subprocess

        return subprocess.list2cmdline([str(p) for p in parts])
    return shlex.join(str(p) for p in parts)
