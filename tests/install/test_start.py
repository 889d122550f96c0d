"""``bin/tikomni-skills.js``: finds what Python finds, hands over, passes on what comes back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tikomni.install.managed import ROOT, digest, locate

Run = Callable[..., subprocess.CompletedProcess[str]]

START = ROOT / "bin" / "tikomni-skills.js"
NODE_FOLDER = f"console.log(require({json.dumps(str(START))}).environmentFolder())"
PYTHON_FOLDER = "from tikomni.install.managed import locate; print(locate().folder)"


@pytest.mark.parametrize("data", [None, "", "/some where/else"])
@pytest.mark.parametrize("home", ["/home/someone", "/Users/Ünï 用户"])
def test_node_and_python_agree_on_the_folder(run: Run, home: str, data: str | None, plain_python: str) -> None:
    places = {"HOME": home, "XDG_DATA_HOME": data}
    by_node = run("node", "-e", NODE_FOLDER, **places)
    by_python = run(plain_python, "-c", PYTHON_FOLDER, PYTHONPATH=str(ROOT / "lib"), **places)
    assert by_node.stdout == by_python.stdout != "", by_node.stderr + by_python.stderr


@pytest.mark.parametrize("extras", [[], ["sandbox"], ["test"]])
@pytest.mark.parametrize("sets", [{}, {"base": None}, {"base": None, "sandbox": None}, {"base": "0"}])
def test_node_and_python_agree_on_what_is_ready(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sets: dict[str, str | None], extras: list[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    environment = locate()
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    told = {name: value or digest(environment.lock(name)) for name, value in sets.items()}
    environment.marker.write_text(json.dumps({"python": "3.11.0", "sets": told}))

    folder = json.dumps(str(environment.folder))
    code = f"console.log(require({json.dumps(str(START))}).isReady({folder}, {json.dumps(extras)}))"
    assert json.loads(run("node", "-e", code).stdout) is environment.is_ready(extras)


@pytest.mark.parametrize(("locale", "words"), [("en_US.UTF-8", "PATH holds no Python"), ("zh_CN.UTF-8", "请安装")])
def test_without_a_python_it_says_what_to_install(run: Run, bare_path: Path, locale: str, words: str) -> None:
    done = run(bare_path / "node", START, "list", PATH=str(bare_path), LC_ALL=locale)
    document = json.loads(done.stdout)
    assert done.returncode == 2
    assert document["ok"] is False
    assert document["error"]["code"] == "no_environment"
    assert "uv" in document["error"]["hint"]
    assert words in document["error"]["message"] + document["error"]["hint"]


def test_a_failed_preparation_is_the_one_document(run: Run, bare_path: Path, tmp_path: Path, plain_python: str) -> None:
    (bare_path / "python3").symlink_to(plain_python)
    (tmp_path / "file").touch()
    done = run(bare_path / "node", START, "config", "show", PATH=str(bare_path), XDG_DATA_HOME=str(tmp_path / "file"))
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "no_environment"


def test_without_an_environment_one_can_look_and_remove(
    run: Run, bare_path: Path, tmp_path: Path, plain_python: str
) -> None:
    (bare_path / "python3").symlink_to(plain_python)
    expected = {
        "list": 0,
        "doctor": 3,
        "verify": 2,
        "remove codex": 0,
        "install codex --dry-run": 0,
        "install nobody": 2,
        "update": 2,
        "bundle --dry-run": 0,
        "env --dry-run": 0,
        "env init codex --dry-run": 0,
    }
    for words, status in expected.items():
        done = run(bare_path / "node", START, *words.split(), PATH=str(bare_path), XDG_DATA_HOME=str(tmp_path / "data"))
        assert done.returncode == status, done.stdout + done.stderr
        assert json.loads(done.stdout)["command"] in words
    assert not (tmp_path / "data" / "tikomni" / "env").exists()


def test_hands_over(run: Run, managed_data: str) -> None:
    done = run("node", START, "--version", XDG_DATA_HOME=managed_data)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == json.loads((ROOT / "package.json").read_text())["version"]


def test_passes_on_documents_and_exit_status(run: Run, managed_data: str) -> None:
    done = run("node", START, "nonsense", XDG_DATA_HOME=managed_data)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"


def test_modules_of_the_working_directory_are_not_imported(run: Run, managed_data: str, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "json.py").write_text("raise SystemExit('imported from the working directory')\n")
    done = run("node", START, "--version", XDG_DATA_HOME=managed_data)
    assert done.returncode == 0, done.stderr


def test_dev_wants_a_known_step(run: Run) -> None:
    done = run("node", START, "dev", "nonsense")
    assert done.returncode == 2
    assert "usage" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_passes_signals_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals, status: int) -> None:
    """A ready environment whose Python tells that it runs and then waits."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    environment = locate()
    environment.python.parent.mkdir(parents=True)
    started = tmp_path / "started"
    environment.python.write_text(f'#!/bin/sh\ntouch "{started}"\nexec sleep 60\n')
    environment.python.chmod(0o755)
    environment.marker.write_text(json.dumps({"sets": {"base": digest(environment.lock("base"))}}))

    node = subprocess.Popen(["node", START, "list"], stdin=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not started.exists() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.1)  # from the shell to sleep
    node.send_signal(sent)
    assert node.wait(timeout=30) == status


def test_can_be_executed() -> None:
    assert os.access(START, os.X_OK)
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "--stage", "bin/tikomni-skills.js", ".ci/run", "skills/*/scripts/*.py"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        assert listed
        assert not [line for line in listed if not line.startswith("100755")]


def test_is_plain_node_without_packages() -> None:
    node = shutil.which("node")
    assert node
    assert subprocess.run([node, "--check", START]).returncode == 0
    assert sys.version_info >= (3, 11)
