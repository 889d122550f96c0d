"""The thin scripts, started with whatever Python there is."""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tikomni.install.managed import LOCKS, ROOT, locate

Run = Callable[..., subprocess.CompletedProcess[str]]

SCRIPTS = sorted((ROOT / "skills").glob("*/scripts/*.py"))
FACES = [script for script in SCRIPTS if script.name != "setup_env.py"]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The package in a folder whose name has a space."""
    package = tmp_path / "my package"
    skip = shutil.ignore_patterns("__pycache__", "openapi")
    for name in ("lib", "skills", "requirements"):
        shutil.copytree(ROOT / name, package / name, ignore=skip)
    return package


@pytest.mark.parametrize("script", FACES, ids=lambda path: path.name)
def test_without_environment_one_document_says_what_to_do(script: Path, run: Run, plain_python: str) -> None:
    done = run(plain_python, script, "--help")

    document = json.loads(done.stdout)
    assert done.returncode == 2
    assert document["ok"] is False
    assert document["status"] == "failed"
    assert document["error"]["code"] == "no_environment"
    assert document["error"]["hint"]
    program, setup = shlex.split(document["next"][0]["command"])
    assert os.path.isabs(program)
    assert Path(setup) == script.parent / "setup_env.py"


def test_next_can_be_pasted_where_paths_have_spaces(copied: Path, run: Run, plain_python: str) -> None:
    script = copied / "skills" / "meta-capability" / "scripts" / "test_auth.py"
    document = json.loads(run(plain_python, script).stdout)
    help_text = run(*shlex.split(document["next"][0]["command"]), "--help")
    assert help_text.returncode == 0
    assert "--extra" in help_text.stdout


@pytest.mark.parametrize("script", FACES, ids=lambda path: path.name)
def test_with_environment_a_plain_python_is_enough(
    script: Path, run: Run, managed_data: str, plain_python: str
) -> None:
    done = run(plain_python, script, "--help", XDG_DATA_HOME=managed_data)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(("usage:", "tikomni-skills COMMAND"))


def test_hands_over_arguments_exit_status_and_the_skill_folder(
    copied: Path, run: Run, managed_data: str, plain_python: str
) -> None:
    skill = copied / "skills" / "some-skill"
    shutil.copytree(copied / "skills" / "creator-analysis", skill)
    script = skill / "scripts" / "probe.py"
    script.write_text((skill / "scripts" / "setup_env.py").read_text().replace("setup", "run", 1))
    (copied / "lib" / "tikomni" / "cli" / "__init__.py").write_text(
        "import json, os, sys\n"
        "def run(arguments):\n"
        "    told = {name: os.environ.get(name) for name in ('TIKOMNI_SKILL_DIR', 'TIKOMNI_HANDED_OVER')}\n"
        "    print(json.dumps({'arguments': arguments, 'prefix': sys.prefix, 'told': told}))\n"
        "    sys.exit(3)\n"
    )
    script.write_text(script.read_text().replace("setup()", 'run(["work"])'))

    done = run(plain_python, script, "a b", "中文", "", XDG_DATA_HOME=managed_data)

    assert done.returncode == 3, done.stderr
    seen = json.loads(done.stdout)
    assert seen["arguments"] == ["work", "a b", "中文", ""]
    assert os.path.realpath(seen["prefix"]).startswith(os.path.realpath(managed_data))
    assert seen["told"] == {"TIKOMNI_SKILL_DIR": str(skill), "TIKOMNI_HANDED_OVER": None}


def test_nothing_is_compiled_into_the_skill_folder(
    copied: Path, run: Run, managed_data: str, plain_python: str
) -> None:
    """A skill folder holds what was installed; what Python compiles is kept with the environment."""
    script = copied / "skills" / "creator-analysis" / "scripts" / "analyze_creator.py"
    before = sorted(copied.rglob("*"))
    assert run(plain_python, script, "--help", XDG_DATA_HOME=managed_data).returncode == 0
    assert run(plain_python, script.with_name("setup_env.py"), XDG_DATA_HOME=managed_data).returncode == 0
    assert sorted(copied.rglob("*")) == before
    kept = Path(managed_data, "tikomni", "env", locate().folder.name, "pycache")
    assert list(Path(kept, *copied.resolve().parts[1:]).rglob("envelope.*.pyc"))


def test_a_python_that_has_the_packages_needs_no_other(copied: Path, run: Run, managed_data: str) -> None:
    """As `uv run` makes one from the script's header."""
    python = Path(managed_data, "tikomni", "env", locate().folder.name, "bin", "python")
    script = copied / "skills" / "meta-capability" / "scripts" / "call_route.py"
    done = run(python, script, "show", "health.check")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["ok"] is True


def test_setup_reports_what_is_ready(run: Run, managed_data: str, plain_python: str) -> None:
    for script in (script for script in SCRIPTS if script.name == "setup_env.py"):
        done = run(plain_python, script, XDG_DATA_HOME=managed_data)
        document = json.loads(done.stdout)
        assert done.returncode == 0
        assert document["ok"] is True
        assert document["command"] == "env"
        assert document["result"]["created"] is False
        assert document["result"]["extras"] == []


def test_setup_refuses_unknown_arguments_with_a_document(run: Run, plain_python: str) -> None:
    done = run(plain_python, SCRIPTS[0].with_name("setup_env.py"), "--extra", "nonsense")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"


def test_setup_without_a_usable_python_says_what_to_install(run: Run, tmp_path: Path, plain_python: str) -> None:
    """A Python that can start the script and nothing more: it has no ensurepip, and PATH holds no other."""
    script = SCRIPTS[0].with_name("setup_env.py")
    crippled = "import runpy, sys; sys.argv = sys.argv[1:]; sys.executable = '/nowhere/python'; "
    crippled += "runpy.run_path(sys.argv[0], run_name='__main__')"
    done = run(plain_python, "-c", crippled, script, PATH=str(tmp_path))
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 2
    assert error["code"] == "no_environment"
    assert "uv" in error["hint"]


def test_every_skill_can_prepare_the_environment() -> None:
    folders = {script.parent for script in SCRIPTS}
    assert len(folders) == 3
    assert all((folder / "setup_env.py").is_file() for folder in folders)
    assert all(os.access(script, os.X_OK) for script in SCRIPTS)


@pytest.mark.parametrize(
    "path",
    [
        *SCRIPTS,
        *(ROOT / "lib" / "tikomni" / name for name in ("__init__.py", "locations.py")),
        *(ROOT / "lib" / "tikomni" / "install" / name for name in ("__init__.py", "managed.py", "launch.py")),
    ],
    ids=lambda path: path.name,
)
def test_old_pythons_can_read_what_runs_before_the_environment(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_the_root_holds_lib_and_locks() -> None:
    assert (ROOT / "lib" / "tikomni").is_dir()
    assert LOCKS == ROOT / "requirements"
    assert locate().lock("base").is_file()
