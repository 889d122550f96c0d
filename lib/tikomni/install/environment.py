"""Builds the managed environment: one for each version and lock, shared by all skills and folders of a user.

Standard library only, for any Python >= 3.11: it runs before there is an environment. It installs what the
locks name and nothing else, and never shows a key to an installer.

A virtual environment cannot be moved, so it is built where it will stay, under a lock of the system that ends
with its holders; the marker is written last, and what has no marker is built again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tikomni.errors import InputError, TikomniError
from tikomni.install.language import of_locale
from tikomni.install.locking import exclusive
from tikomni.install.managed import BASE, LOCKS, ROOT, Environment, digest, locate, print_document
from tikomni.install.words import Refusal, say
from tikomni.locations import data_home

FIND_LINKS = "TIKOMNI_FIND_LINKS"
UNUSED_DAYS = 30

# Keys are not the installers' business, and these settings would send packages past the environment.
_WITHHELD = re.compile(r"TIKOMNI_.*(KEY|SECRET|COOKIE|TOKEN).*|PYTHON(PATH|HOME)|PIP_(USER|TARGET|PREFIX|ROOT)")
_TAIL_LINES = 8
_FULL = "No space left"  # as Python, pip and uv say it

Say = Callable[[str], None]
"""Takes a line that tells how far it is."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """``created`` says whether this call installed anything."""

    python: Path
    created: bool


def prepare(
    extras: Iterable[str] = (),
    note: Say = lambda line: None,
    locks: Path = LOCKS,
    *,
    rebuild: bool = False,
    language: str = "en",
) -> Prepared:
    """Have the base set and ``extras`` installed; quick when they are. ``rebuild`` makes all of it anew.

    Two processes at once: one builds, the other waits and uses what was built.

    Raises:
        Refusal: ``no_environment`` with the end of the installers' own words; ``disk_full``; ``interrupted``.
    """
    extras = tuple(dict.fromkeys(extras))
    environment = locate(locks)
    if environment.is_ready(extras) and not rebuild:
        return Prepared(environment.python, created=False)

    def tell(key: str, **values: str) -> None:
        note(say(key, language, **values))

    try:
        with exclusive(_lock_of(environment.folder), lambda: tell("env_waiting")) as lock:
            if rebuild:
                extras = tuple(dict.fromkeys((*extras, *environment.installed().keys() - {BASE})))
                environment.marker.unlink(missing_ok=True)
            missing = environment.missing(extras)
            try:
                if BASE in missing:
                    tell("env_preparing", version=sys.version.split()[0], folder=str(environment.folder))
                    _create(environment, lock)
                for name in missing:
                    _install(environment, name, lock, tell)
            except Refusal as refusal:
                if refusal.code == "disk_full" and not environment.is_ready():
                    shutil.rmtree(environment.folder, ignore_errors=True)  # the space is wanted for other things
                raise
    except OSError as error:
        raise _failure("env_not_kept", environment, [str(error)]) from error
    except KeyboardInterrupt:
        raise Refusal("interrupted", "env_stopped") from None
    prune(unused())
    return Prepared(environment.python, created=bool(missing))


def _create(environment: Environment, lock: int) -> None:
    environment.marker.unlink(missing_ok=True)
    # The real file, not a name such as python3 that the system may turn to another version: when it goes, the
    # environment is seen to be broken and is built again.
    python = sys.executable if os.name == "nt" else os.path.realpath(sys.executable)
    said = _run([python, "-m", "venv", "--clear", "--without-pip", str(environment.folder)], lock)
    if said is not None:
        raise _failure("env_not_made", environment, [said], python=python)


def _install(environment: Environment, name: str, lock: int, tell: Callable[..., None]) -> None:
    """Install one set and record it; pip follows uv because it may know a mirror that uv was not told of.

    The lock of an extra holds only what the base set's lacks.
    """
    python = str(environment.python)
    locks = [word for one in dict.fromkeys((BASE, name)) for word in ("-r", str(environment.lock(one)))]
    sha256 = digest(environment.lock(name))
    source = ["--no-index", "--find-links", os.environ[FIND_LINKS]] if os.environ.get(FIND_LINKS) else []
    what = ["install", "--quiet", "--require-hashes", *source, *locks]
    uv = shutil.which("uv")
    with_uv = [[uv, "pip", *what, "--python", python]] if uv else []
    with_pip = [
        [python, "-m", "ensurepip", "--default-pip"],
        [python, "-m", "pip", "--disable-pip-version-check", "--no-input", *what],
    ]
    failures = []
    for title, steps in (("uv", with_uv), ("pip", with_pip)):
        if not steps:
            continue
        tell("env_installing", name=name, title=title)
        failed = next((said for step in steps if (said := _run(step, lock)) is not None), None)
        if failed is None:
            _record(environment, name, sha256)
            return
        failures.append(failed)
        if _FULL in failed:
            break
    raise _failure("env_not_installed", environment, failures, name=name)


def _record(environment: Environment, name: str, sha256: str) -> None:
    sets = {**environment.installed(), name: sha256}
    draft = environment.marker.with_suffix(".new")
    draft.write_text(json.dumps({"python": sys.version.split()[0], "sets": sets}), encoding="utf-8")
    draft.replace(environment.marker)


def _run(command: list[str], lock: int) -> str | None:
    """Run ``command``; ``None`` when it succeeds, else what it wrote.

    The child holds the lock as well: if this process is killed, nobody builds where its orphan writes.
    """
    held = {} if os.name == "nt" else {"pass_fds": (lock,)}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=_without_keys(os.environ),
        **held,
    )
    return done.stdout if done.returncode else None


def _without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    key = environ.get("TIKOMNI_API_KEY_ENV")
    return {name: value for name, value in environ.items() if name != key and not _WITHHELD.fullmatch(name)}


def unused(now: float | None = None) -> list[Path]:
    """What nobody has used for ``UNUSED_DAYS``: environments of other versions, other packages that were unpacked
    beside them (``bin/unpack.js``), and what killed builders left."""
    current, now = {locate().folder, ROOT}, time.time() if now is None else now
    found = [folder for shelf in ("env", "package") for folder in sorted((data_home() / shelf).glob("*-*"))]
    return [
        folder
        for folder in found
        if folder not in current and folder.is_dir() and now - _last_use(folder) > UNUSED_DAYS * 86_400
    ]


def prune(folders: Iterable[Path]) -> list[Path]:
    """Delete ``folders`` of ``unused``, and tell which went; one that cannot be deleted is left."""
    freed = []
    for folder in folders:
        try:
            with exclusive(_lock_of(folder)):
                # Under a name that nobody looks for, should some of it not go.
                hidden = folder.name.startswith(".")
                shutil.rmtree(folder if hidden else folder.rename(folder.with_name(f".{folder.name}")))
            freed.append(folder)
        except OSError:
            continue
    return freed


def damaged(environment: Environment) -> list[str]:
    """Packages of the base set that lack files, or stand there in another version than the lock's."""
    pins = dict(_PIN.findall(environment.lock(BASE).read_text(encoding="utf-8")))
    try:
        done = subprocess.run(
            [str(environment.python), "-I", "-c", _LOOK, json.dumps(pins)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        return json.loads(done.stdout) if done.returncode == 0 else ["python"]
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ["python"]


_PIN = re.compile(r"^([\w.-]+)==(\S+) \\$", re.M)  # those with a condition may have no place here
_LOOK = """
import importlib.metadata as m, json, sys
def whole(name, version):
    try:
        found = m.distribution(name)
    except m.PackageNotFoundError:
        return False
    return found.version == version and all(f.locate().exists() for f in found.files or () if f.suffix != ".pyc")
print(json.dumps([name for name, version in json.loads(sys.argv[1]).items() if not whole(name, version)]))
"""


def _last_use(folder: Path) -> float:
    for path in (folder / ".ready.json", folder):
        with suppress(OSError):  # it may be another user's, or be gone by now
            return path.stat().st_mtime
    return math.inf


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".lock")


def _failure(key: str, environment: Environment, said: Iterable[str], **values: str) -> Refusal:
    """The refusal ``key`` with the end of what each installer said; a full disk is named as such, whatever failed."""
    if any(_FULL in text for text in said):
        return Refusal("disk_full", "env_no_space", folder=environment.folder)
    lines = [line for text in said for line in [line for line in text.splitlines() if line.strip()][-_TAIL_LINES:]]
    tail = "".join(f"\n  {re.sub(r'://[^/@ ]+@', '://', line)}" for line in lines)
    return Refusal("no_environment", key, folder=environment.folder, said=tail, variable=FIND_LINKS, **values)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError("usage", f"{message}.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    extras = sorted(path.stem for path in LOCKS.glob("*.txt") if path.stem != BASE)
    parser.add_argument("--extra", action="append", default=[], choices=extras, help="add these packages")
    parser.add_argument("--find-links", metavar="DIR", help="install from this folder of wheels, without a network")
    parser.add_argument("--rebuild", action="store_true", help="make the environment anew")


def prepare_as_asked(args: argparse.Namespace, note: Say, language: str = "en") -> Prepared:
    """``prepare`` with the flags of ``add_arguments``.

    Raises:
        Refusal: as ``prepare``; ``usage`` where the folder of wheels is none.
    """
    if args.find_links is not None:
        folder = Path(args.find_links).expanduser()
        if not args.find_links or not folder.is_dir():
            raise Refusal("usage", "no_wheels", path=args.find_links)
        os.environ[FIND_LINKS] = os.path.abspath(folder)
    return prepare(args.extra, note, rebuild=args.rebuild, language=language)


def result(prepared: Prepared, extras: list[str]) -> dict[str, object]:
    """The envelope's ``result``."""
    return {"python": str(prepared.python), "created": prepared.created, "extras": extras}


def main(arguments: list[str] | None = None) -> int:
    """``python -m tikomni.install.environment``: one JSON document, or a plain line for a person."""
    parser = _Parser(prog="setup_env.py", description="Prepare the Python environment, once for all skills.")
    add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the JSON document on a terminal, too")
    plain, language = sys.stdout.isatty(), of_locale()
    try:
        options = parser.parse_args(arguments)
        plain = plain and not options.json
        prepared = prepare_as_asked(options, lambda line: print(line, file=sys.stderr, flush=True), language)
    except TikomniError as error:
        return _report_failure(error, plain, language)
    if plain:
        print(say("ready", language, path=prepared.python))
    else:
        document = {"ok": True, "command": "env", "status": "complete"}
        print_document({**document, "result": result(prepared, options.extra)})
    return 0


def _report_failure(error: TikomniError, plain: bool, language: str) -> int:
    error = error.worded(language) if isinstance(error, Refusal) else error
    if plain:
        print(f"{error.message}\n{error.hint(language)}", file=sys.stderr)
    else:
        print_document({"ok": False, "command": "env", "status": "failed", "error": error.as_dict(language)})
    return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
