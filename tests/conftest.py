"""What every test may use: an upstream on this machine, and commands run as real processes in an empty home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import warm

from tikomni import redact
from tikomni.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    exit_status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        return json.loads(self.stdout)


@dataclass
class Machine:
    """A user's machine: a home, a working folder, variables, and an upstream."""

    home: Path
    cwd: Path
    variables: dict[str, str]

    def environ(self, **more: str | None) -> dict[str, str]:
        base = {k: v for k, v in os.environ.items() if not k.startswith(("TIKOMNI_", "XDG_", "LC_", "LANG"))}
        chosen = {**base, "HOME": str(self.home), "PYTHONPATH": str(ROOT / "lib"), **self.variables, **more}
        return {k: v for k, v in chosen.items() if v is not None}

    def start(self, *words: str, cwd: Path | None = None, **variables: str | None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tikomni", *words], cwd=cwd or self.cwd, env=self.environ(**variables),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip

    def run(self, *words: str, stdin: str = "", cwd: Path | None = None, **variables: str | None) -> Ran:
        """Run ``tikomni <words>`` to its end."""
        ended = warm.run(words, cwd or self.cwd, self.environ(**variables), stdin)
        return Ran(ended.exit_status, ended.stdout, ended.stderr)

    def paste(self, command: str, cwd: Path | None = None) -> Ran:
        """Run ``command`` as a shell gets it from somebody who pasted it."""
        done = subprocess.run(
            command, shell=True, cwd=cwd or self.cwd, env=self.environ(TIKOMNI_PYTHON_OK="1"),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", timeout=120,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test registers as a secret is not masked in another's texts."""
    monkeypatch.setattr(redact, "_secrets", set())


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(rate=None) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """The upstream, as new."""
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox) -> Machine:
    return new_machine(tmp_path, sandbox)


@pytest.fixture(scope="module")
def earlier_machine(tmp_path_factory: pytest.TempPathFactory, shared_sandbox: Sandbox) -> Machine:
    """A machine on which what all tests of a module begin with is done once; they copy its state."""
    shared_sandbox.reset()
    made = new_machine(tmp_path_factory.mktemp("earlier"), shared_sandbox)
    made.variables["TIKOMNI_STATE_DIR"] = str(made.home / "state")
    return made


def new_machine(folder: Path, sandbox: Sandbox) -> Machine:
    home, cwd = folder / "home", folder / "project"
    home.mkdir()
    cwd.mkdir()
    variables = {
        "TIKOMNI_API_KEY": sandbox.key,
        "TIKOMNI_BASE_URL": sandbox.base_url,
        "TIKOMNI_GLOBAL_QPS": "100",
        "TIKOMNI_TIMEOUT_RETRY_BACKOFF_MS": "10",
    }
    return Machine(home, cwd, variables)


@pytest.fixture
def run(machine: Machine) -> Callable[..., Ran]:
    return machine.run


def calls(sandbox: Sandbox) -> Sequence[str]:
    """The catalogued routes that were asked, in order."""
    return [seen.route for seen in sandbox.requests if not seen.route.startswith("sandbox.")]


@pytest.fixture
def asked(sandbox: Sandbox) -> Callable[[], Sequence[str]]:
    return lambda: calls(sandbox)


@pytest.fixture
def another_second() -> Callable[[], None]:
    """Waits for the next second: facts are dated in seconds, and two readings within one are the same reading."""

    def wait() -> None:
        began = int(time.time())
        while int(time.time()) == began:
            time.sleep(0.01)

    return wait
