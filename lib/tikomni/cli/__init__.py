"""The command tree. One module a command: ``add_arguments(parser)`` and ``run(args, context) -> Outcome``.

This module finds the command, runs it, and prints exactly one document, whatever happens.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from tikomni import __version__, envelope, redact
from tikomni.cli.base import Context, Outcome, Parser
from tikomni.errors import InputError, Interrupted, TikomniError
from tikomni.install.language import of_locale


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the tree. ``person``: typed by people, prints plain lines on a terminal."""

    words: tuple[str, ...]
    module: str
    help: str
    person: bool = False


COMMANDS = (
    Command(("work",), "work", "analyse one or a few works: facts, words, cards"),
    Command(("transcribe",), "transcribe", "get the words of videos: links, media files, speech jobs"),
    Command(("poll-asr",), "poll_asr", "look at a speech job until it is done"),
    Command(("creator",), "creator", "analyse one or a few creators: works, figures, cards, tables, report"),
    Command(("collect",), "collect", "collect works by keyword, topic or chart: rows, covers, tables"),
    Command(("compare",), "compare", "put two to five stored creators side by side"),
    Command(("follow",), "follow", "whom to follow: add, remove, list", person=True),
    Command(("library",), "library", "search everything that was ever stored: works, words, comments"),
    Command(("route", "call"), "route_call", "call one route of the catalogue"),
    Command(("route", "find"), "route_find", "find the routes that answer a question"),
    Command(("route", "show"), "route_show", "show the contract of one route, and the command that calls it"),
    Command(("route", "sync"), "route_sync", "import a newer OpenAPI document into the catalogue's source"),
    Command(("auth",), "auth", "check that the key and the way to the upstream work"),
    Command(("card", "write"), "card_write", "hand in an analysis, or make cards of facts from any platform"),
    Command(("task", "text"), "task_text", "print a work of an analysis task whole", person=True),
    Command(("render",), "render", "make cards again from what is stored, without a call"),
    Command(("cost",), "cost", "what was spent: by day, provider, route and run", person=True),
    Command(("runs", "list"), "runs_list", "runs, newest first, and which can go on", person=True),
    Command(("runs", "show"), "runs_show", "one run: its steps, what it asked, what that cost", person=True),
    Command(("runs", "resume"), "runs_resume", "go on with a run that was cut short"),
    Command(("cache", "stats"), "cache_stats", "what the kept answers take up", person=True),
    Command(("cache", "prune"), "cache_prune", "drop old answers; what was paid stays on record", person=True),
    Command(("purge",), "purge", "remove everything that is kept of a work or a creator", person=True),
    Command(("demo",), "demo", "see the main job run, without a key", person=True),
    Command(("list",), "listing", "skills, agents, and what is installed", person=True),
    Command(("install",), "install", "put skills into an agent's skills folder, or bring them up to date", person=True),
    Command(("update",), "update", "bring installed skills up to this version", person=True),
    Command(("remove",), "remove", "take skills out of an agent's skills folder", person=True),
    Command(("verify",), "verify", "compare installed skills with what was installed", person=True),
    Command(("doctor",), "doctor", "find what keeps skills from working, and what mends it", person=True),
    Command(("bundle",), "bundle", "make folders and archives of the skills for other installers", person=True),
    Command(("env", "init"), "env_init", "write the .env for the key beside the skills", person=True),
    Command(("env", "prune"), "env_prune", "delete what older versions left and nobody uses", person=True),
    Command(("env",), "env", "prepare the Python environment", person=True),
    Command(("config", "init"), "config_init", "write a commented settings file", person=True),
    Command(("config", "show"), "config_show", "settings in use and where they come from", person=True),
    Command(("sandbox",), "sandbox", "run the upstream's stand-in on this machine", person=True),
)


def run(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit status."""
    # Most commands are over before there is anything to collect; looking costs them 10 ms, and once more at the end 50.
    gc.set_threshold(100_000)
    status = main(argv)
    gc.freeze()
    sys.exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Everything that a program reads goes to stdout as one JSON document; a person at a terminal gets plain lines
    from the commands that are made for people.
    """
    argv = _with_call(list(sys.argv[1:] if argv is None else argv))
    skill = os.environ.get("TIKOMNI_SKILL_DIR")
    context = Context(
        command=argv[0] if argv else "",
        argv=argv,
        skill_dir=Path(skill) if skill else None,
        language=of_locale(),
        as_json="--json" in argv or not sys.stdout.isatty(),
    )
    # Who kills politely gets the same answer as who presses Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        command = find(argv)
        if command is None:
            return _overview(argv)
        outcome = start(command, context)
    except TikomniError as error:
        outcome = envelope.failure(_with_place(error, context))
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one must not cut the document short
        outcome = envelope.failure(Interrupted())
    except SystemExit as stop:  # --help and --version have printed already
        return int(stop.code or 0)
    except BrokenPipeError:
        return 1
    except Exception as error:
        outcome = envelope.failure(_defect(error, context))
    outcome = context.finished(outcome)
    for late in (signal.SIGINT, signal.SIGTERM):  # the document and its exit status stand
        signal.signal(late, signal.SIG_IGN)
    return _print(outcome, context)


def start(command: Command, context: Context) -> Outcome:
    """Run ``command`` with the words of ``context``, which begin with its own."""
    context.command = " ".join(command.words)
    context.as_json |= not command.person
    module = import_module(f"tikomni.cli.{command.module}")
    parser = Parser(prog=f"tikomni-skills {context.command}", description=module.__doc__)
    module.add_arguments(parser)
    args = parser.parse_intermixed_args(context.argv[len(command.words) :])
    context.as_json |= args.json
    outcome = module.run(args, context)
    return replace(outcome, full=outcome.full or args.full)


def find(argv: Sequence[str]) -> Command | None:
    """The command that ``argv`` starts with; ``None`` for no words, ``--version``, and ``--help`` of several commands.

    Raises:
        InputError: ``usage`` with the nearest commands.
    """
    if not argv or argv[0] in ("-h", "--help", "--version", "help"):
        return None
    for command in sorted(COMMANDS, key=lambda c: -len(c.words)):
        if tuple(argv[: len(command.words)]) == command.words:
            return command
    names = [" ".join(c.words) for c in _group(argv[0]) or COMMANDS]
    if set(argv[1:2]) & {"-h", "--help", "help"} and len(names) < len(COMMANDS):
        return None
    from difflib import get_close_matches

    wanted = " ".join(w for w in argv[:2] if not w.startswith("-"))
    near = get_close_matches(wanted, names, 3, 0.4) or [n for n in names if n.startswith(argv[0] + " ")]
    raise InputError("usage", f"No command {wanted!r}.", hint=f"Commands: {', '.join(names)}.", details={"near": near})


def _group(word: str) -> tuple[Command, ...]:
    """The commands that begin with ``word``."""
    return tuple(command for command in COMMANDS if command.words[0] == word)


def _with_call(argv: list[str]) -> list[str]:
    """``route ID …`` means ``route call ID …``."""
    others = {command.words[1] for command in COMMANDS if command.words[0] == "route"}
    if argv[:1] != ["route"] or len(argv) < 2 or argv[1] in others:
        return argv
    return ["route", "call", *argv[1:]]


def _overview(argv: Sequence[str]) -> int:
    if argv and argv[0] == "--version":
        print(__version__)
        return 0
    commands = (_group(argv[0]) if argv else ()) or COMMANDS
    width = max(len(" ".join(c.words)) for c in commands)
    print("tikomni-skills COMMAND [ARGUMENTS]\n")
    for command in commands:
        print(f"  {' '.join(command.words):<{width}}  {command.help}")
    print("\nEach command has --help. Everything but --help prints JSON when a program reads it.")
    return 0


def _print(outcome: Outcome, context: Context) -> int:
    if not context.as_json:
        if outcome.error is not None:
            print(redact.text(f"{outcome.error.message}\n{outcome.error.hint(context.language)}"), file=sys.stderr)
        for warning in outcome.warnings:
            print(redact.text(warning), file=sys.stderr)
        if outcome.plain:
            print(redact.secrets_in("\n".join(outcome.plain)), flush=True)
        return outcome.exit_status
    document = envelope.envelope(context.command, outcome, context.language)
    if "error" in document:
        document["error"] = redact.texts(document["error"])
    try:
        print(redact.secrets_in(envelope.dump(document, sys.stdout.isatty())), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return outcome.exit_status


def _with_place(error: TikomniError, context: Context) -> TikomniError:
    """A missing key's error with the very file that the key belongs into."""
    if error.code != "missing_key" or context.skill_dir is None:
        return error
    place, name = context.skill_dir.parent / ".env", error.details["variable"]
    hint = {
        "en": f"Put {name}=… into {place} (mode 600).",
        "zh": f"请把 {name}=… 写入 {place}（权限 600）。",
    }
    return InputError(error.code, error.message, hint=hint[context.language], details=error.details)


def _defect(error: Exception, context: Context) -> TikomniError:
    """A crash as an envelope: where it happened, without values that may be private."""
    import traceback

    frames = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-6:]]
    if os.environ.get("TIKOMNI_TRACEBACK"):
        print(redact.text("".join(traceback.format_exception(error))), file=sys.stderr)
    if isinstance(error, OSError) and error.errno == 28:
        return TikomniError("disk_full", f"No space left while running {context.command}.")
    message = redact.text(f"{type(error).__name__}: {error}")[:300]
    return TikomniError("internal", f"{context.command} stopped: {message}", details={"at": frames})
