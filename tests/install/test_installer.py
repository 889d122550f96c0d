"""Skills in an agent's folder: whole, self-contained, and never over somebody's files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tikomni.errors import InputError
from tikomni.install import installer
from tikomni.install.managed import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]

START = ROOT / "bin" / "tikomni-skills.js"


def files_below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_installs_skills_that_run_from_there(run: Run, managed_data: str, tmp_path: Path, plain_python: str) -> None:
    folder = tmp_path / "my skills"
    done = run("node", START, "install", "claude-code", "all", "--dir", folder, XDG_DATA_HOME=managed_data)

    document = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert document["result"]["agent"] == "claude-code"
    assert {row["skill"] for row in document["result"]["skills"]} == set(installer.skills())
    assert sorted(p.name for p in folder.iterdir()) == installer.skills()  # and no stage is left
    for script in folder.glob("*/scripts/*.py"):
        done = run(plain_python, script, "--help", XDG_DATA_HOME=managed_data, HOME=str(tmp_path / "elsewhere"))
        assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
        assert script.stat().st_mode & 0o111
    from_there = run(plain_python, folder / installer.skills()[0] / "scripts" / "setup_env.py")
    assert str(ROOT) not in from_there.stdout + from_there.stderr


def test_goes_where_the_agent_looks(tmp_path: Path) -> None:
    environ = {"CLAUDE_CONFIG_DIR": str(tmp_path / "c"), "OPENCLAW_STATE_DIR": str(tmp_path / "o")}
    folders = {agent.id: agent.folder for agent in installer.agents(environ)}
    assert folders == {
        "claude-code": tmp_path / "c" / "skills",
        "codex": Path.home() / ".agents" / "skills",
        "openclaw": tmp_path / "o" / "skills",
    }
    default = {agent.id: agent.folder for agent in installer.agents({})}
    assert default["claude-code"] == Path.home() / ".claude" / "skills"
    assert default["openclaw"] == Path.home() / ".openclaw" / "skills"


def test_agents_have_distinct_names() -> None:
    names = [name for agent in installer.agents({}) for name in (agent.id, *agent.aliases)]
    assert len(names) == len(set(names))


def test_refuses_to_overwrite_and_changes_nothing(run: Run, managed_data: str, tmp_path: Path) -> None:
    first, second, *_ = installer.skills()
    (tmp_path / second).mkdir()
    (tmp_path / second / "SKILL.md").write_text("somebody's own")
    (tmp_path / ".env").write_text("TIKOMNI_API_KEY=mine")
    (tmp_path / "other-skill").mkdir()
    before = files_below(tmp_path)

    done = run("node", START, "install", "codex", first, second, "--dir", tmp_path, XDG_DATA_HOME=managed_data)

    error = json.loads(done.stdout)["error"]
    assert done.returncode == 2
    assert error["code"] == "invalid_input"
    assert str(tmp_path / second) in error["message"]
    assert files_below(tmp_path) == before
    assert not (tmp_path / first).exists()


def test_leaves_everything_else_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TIKOMNI_API_KEY=mine")
    (tmp_path / "other-skill").mkdir()
    (tmp_path / "other-skill" / "SKILL.md").write_text("other")
    before = files_below(tmp_path)

    installer.apply(installer.plan("codex", folder=tmp_path))

    assert files_below(tmp_path).items() >= before.items()
    assert {p.name for p in tmp_path.iterdir()} == {".env", "other-skill", *installer.skills()}


def test_writes_what_was_planned_with_a_manifest(tmp_path: Path) -> None:
    planned = installer.plan("openclaw", folder=tmp_path)
    installer.apply(planned)

    for skill in planned.skills:
        written = files_below(skill.target)
        manifest = json.loads(written.pop(installer.MANIFEST))
        assert manifest["version"] == json.loads((ROOT / "package.json").read_text())["version"]
        assert manifest["skill"] == skill.skill
        assert manifest["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in written.items()}
        assert set(manifest["files"]) == set(skill.files)


@pytest.mark.parametrize("skill", installer.skills())
def test_a_skill_folder_is_complete_and_clean(skill: str) -> None:
    names = set(installer.assemble(skill))
    assert names >= {
        "SKILL.md",
        "LICENSE",
        "env.example",
        "lib/tikomni/__init__.py",
        "lib/tikomni/install/launch.py",
        "lib/tikomni/install/interpreters.json",
        "requirements/base.txt",
        "requirements/sandbox.txt",
        "scripts/setup_env.py",
    }
    unwanted = ("__pycache__", ".pyc", "openapi/", "tests/", "/.", "requirements/test.txt")
    assert not [name for name in names if any(part in name for part in unwanted) or name.startswith(".")]


def test_a_failure_half_way_takes_back_what_was_moved(tmp_path: Path) -> None:
    planned = installer.plan("codex", folder=tmp_path / "skills")
    *rest, last = planned.skills
    astray = dataclasses.replace(last, target=tmp_path / "no" / "such" / "folder")

    with pytest.raises(InputError) as caught:
        installer.apply(dataclasses.replace(planned, skills=(*rest, astray)))

    assert caught.value.code == "storage"
    assert files_below(tmp_path) == {}


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as caught:
        installer.apply(installer.plan("codex", folder=tmp_path / "file" / "skills"))
    assert caught.value.code == "storage"
    assert str(tmp_path / "file") in caught.value.message


@pytest.mark.parametrize(("agent", "skills", "valid"), [("codx", [], "codex"), ("codex", ["x"], "all")])
def test_unknown_names_are_answered_with_the_valid_ones(agent: str, skills: list[str], valid: str) -> None:
    with pytest.raises(InputError) as caught:
        installer.plan(agent, skills)
    assert caught.value.code == "invalid_input"
    assert valid in caught.value.hint()
    assert valid in caught.value.details["valid"]


def test_list_shows_what_is_installed(run: Run, managed_data: str, tmp_path: Path) -> None:
    config = tmp_path / "claude"
    installer.apply(installer.plan("claude", [installer.skills()[0]], config / "skills"))
    foreign = config / "skills" / installer.skills()[1]
    foreign.mkdir()

    done = run("node", START, "list", XDG_DATA_HOME=managed_data, CLAUDE_CONFIG_DIR=str(config))

    result = json.loads(done.stdout)["result"]
    assert [row["skill"] for row in result["skills"]] == installer.skills()
    rows = {row["agent"]: row for row in result["agents"]}
    versions = {row["skill"]: row["version"] for row in rows["claude-code"]["installed"]}
    assert versions == {installer.skills()[0]: installer.__version__, installer.skills()[1]: None}
    assert rows["codex"]["installed"] == []
