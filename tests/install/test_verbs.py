"""The commands as a user runs them, with the real skills in an empty home."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import warm

from tikomni.install import package
from tikomni.install.managed import ROOT

SKILLS = package.skills()
NO_ROOT = pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")

Answer = tuple[int, dict[str, Any]]
Tikomni = Callable[..., Answer]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a space and characters of two scripts in its name, with Claude Code and Codex on it."""
    home = tmp_path / "Ünï 用户"
    for folder in (".claude", ".codex"):
        (home / folder).mkdir(parents=True)
    return home


@pytest.fixture
def tikomni(home: Path, managed_data: str) -> Tikomni:
    """Run a command in ``home``; its exit status and document."""

    def run(*words: str | Path, **variables: str) -> Answer:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TIKOMNI_", "XDG_", "LC_", "LANG"))}
        environ = {**kept, "HOME": str(home), "XDG_DATA_HOME": managed_data, "PYTHONPATH": str(ROOT / "lib")}
        done = warm.run([str(word) for word in words], home, {**environ, **variables})
        return done.exit_status, json.loads(done.stdout)

    return run


def actions(document: Mapping[str, Any]) -> dict[str, str]:
    return {skill["path"]: skill["action"] for target in document["result"]["targets"] for skill in target["skills"]}


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_life(home: Path, tikomni: Tikomni) -> None:
    """Install, look, edit, update, force, remove; the plan of each is what it then does."""
    folder = home / ".claude" / "skills"
    (folder).mkdir()
    (folder / ".env").write_text("TIKOMNI_API_KEY=k-1\n")
    (folder / "other").mkdir()
    (folder / "other" / "SKILL.md").write_text("other")

    def planned(*words: str) -> Answer:
        before = tree(home)
        status, plan = tikomni(*words, "--dry-run")
        assert tree(home) == before
        done_status, done = tikomni(*words)
        for document in (plan["result"], done["result"]):
            document.pop("dry_run"), document.pop("python", None)
            for skill in (skill for target in document["targets"] for skill in target["skills"]):
                skill["backups"] = len(skill["backups"])  # their names tell the time
        assert (status, plan["result"]) == (done_status, done["result"])
        return done_status, done

    status, document = planned("install", "claude")
    assert status == 0
    assert actions(document) == {str(folder / name): "install" for name in SKILLS}
    assert {path.name for path in folder.iterdir()} == {".env", "other", *SKILLS}
    assert planned("install", "claude-code")[0] == 0
    assert set(actions(planned("update")[1]).values()) == {"unchanged"}
    assert tikomni("verify")[0] == 0

    first = folder / SKILLS[0]
    (first / "SKILL.md").write_text("mine")
    (first / "LICENSE").unlink()
    (first / ".env.local").write_text("mine, too")
    status, document = tikomni("verify")
    [row] = [row for row in document["result"]["targets"][0]["skills"] if row["skill"] == SKILLS[0]]
    assert status == 3
    assert (row["edited"], row["missing"], row["foreign"]) == (["SKILL.md"], ["LICENSE"], [".env.local"])
    status, document = planned("update")
    assert status == 3
    assert document["result"]["kept"] == [str(first / "SKILL.md")]
    assert "--force" in document["next"][0]["command"]
    assert (first / "LICENSE").is_file()
    status, document = planned("update", "--force")
    assert status == 0
    assert [path.read_text() for path in (folder / ".tikomni-skills").rglob("*.bak")] == ["mine"]
    assert tikomni("verify")[0] == 0

    status, document = planned("remove", "claude-code")
    assert status == 0
    left = tree(folder)
    assert left.pop(".env") and left.pop("other/SKILL.md") and left.pop(f"{SKILLS[0]}/.env.local")
    assert {name.split("/")[0] for name in left} == {".tikomni-skills"}
    assert actions(tikomni("remove", "claude-code")[1]) == {str(folder / name): "absent" for name in SKILLS}


def test_without_a_name_it_goes_to_the_agents_of_this_machine(home: Path, tikomni: Tikomni) -> None:
    _, document = tikomni("install", SKILLS[0], "--dry-run")
    assert document["error"]["code"] == "invalid_input"
    _, document = tikomni("install", "--dry-run")
    assert [(one["agent"], one["folder"]) for one in document["result"]["targets"]] == [
        ("claude-code", str(home / ".claude/skills")),
        ("codex", str(home / ".agents/skills")),
    ]
    for folder in (".claude", ".codex"):
        (home / folder).rmdir()
    status, document = tikomni("install")
    assert status == 2
    assert "claude-code" in document["error"]["hint"]


def test_scopes_and_folders(home: Path, tikomni: Tikomni) -> None:
    _, document = tikomni("install", "codex", SKILLS[0], "--scope", "project", "--dry-run")
    assert actions(document) == {str(home / ".agents/skills" / SKILLS[0]): "install"}
    _, document = tikomni("install", "codex", SKILLS[0], "--dir", home / "else where", "--dry-run")
    assert actions(document) == {str(home / "else where" / SKILLS[0]): "install"}
    status, document = tikomni("install", "codex,claude-code", "--dir", home / "x", "--dry-run")
    assert (status, document["error"]["code"]) == (2, "usage")


def test_codex_moves_out_of_its_former_folder_when_asked(home: Path, tikomni: Tikomni) -> None:
    former, now = home / ".codex" / "skills", home / ".agents" / "skills"
    assert tikomni("install", "codex", "--dir", former)[0] == 0
    (former / ".env").write_text("TIKOMNI_API_KEY=k-1\n")
    findings = {row["code"]: row for row in tikomni("doctor")[1]["result"]["findings"]}
    assert "--migrate" in findings["former_folder"]["mend"]
    assert tikomni("install", "codex")[0] == 0
    findings = {row["code"]: row for row in tikomni("doctor")[1]["result"]["findings"]}
    assert "--migrate" in findings["shown_twice"]["mend"]

    status, _ = tikomni("install", "codex", "--migrate")
    assert status == 0
    assert sorted(path.name for path in now.iterdir()) == SKILLS
    assert [path.name for path in former.iterdir()] == [".env"]
    assert tikomni("install", "claude-code", "--migrate", "--dry-run")[0] == 2


def test_openclaw_gets_its_block_and_its_manifest_says_so(home: Path, tikomni: Tikomni) -> None:
    assert tikomni("install", "openclaw", SKILLS[0])[0] == 0
    assert "primaryEnv" in (home / ".openclaw/skills" / SKILLS[0] / "SKILL.md").read_text()
    assert tikomni("verify", "openclaw")[0] == 0
    assert set(actions(tikomni("update")[1]).values()) == {"unchanged"}


@pytest.mark.parametrize(
    "words",
    [
        ("install", "claude-code", "--dir"),
        ("install", ""),
        ("update", " "),
        ("env", "init", ""),
        ("install", "claude-code", "--dir", ""),
        ("install", "claude-code", "--dir="),
        ("install", "claude-code", "--scope"),
        ("install", "claude-code", "--scope", "everywhere"),
        ("update", "--dir", "--json"),
        ("remove", "claude-code", "--dir"),
        ("bundle", "--dir", ""),
        ("env", "init", "--dir", ""),
        ("env", "--find-links"),
        ("env", "--find-links", ""),
        ("remove",),
    ],
)
def test_a_flag_without_its_value_is_an_error(home: Path, tikomni: Tikomni, words: tuple[str, ...]) -> None:
    before = tree(home)
    status, document = tikomni(*words)
    assert (status, document["error"]["code"]) == (2, "usage")
    assert tree(home) == before


@pytest.mark.parametrize("verb", ["install", "update", "remove", "verify", "env init"])
def test_unknown_names_are_answered_with_the_valid_ones(tikomni: Tikomni, verb: str) -> None:
    status, document = tikomni(*verb.split(), "claud-code")
    assert status == 2
    assert "claude-code" in document["error"]["message"]
    assert {"codex", "universal"} <= set(document["error"]["details"]["valid"])
    if verb != "env init":
        _, document = tikomni(verb, "claude-code", "meta")
        assert set(document["error"]["details"]["valid"]) == {*SKILLS, "all"}


@pytest.mark.parametrize("verb", ["update", "verify"])
def test_where_nothing_is_installed_it_says_how_to(tikomni: Tikomni, verb: str) -> None:
    status, document = tikomni(verb, "codex")
    assert (status, document["error"]["code"]) == (2, "invalid_input")
    assert document["next"][0]["command"].endswith("install codex")


def test_it_speaks_the_users_language(tikomni: Tikomni) -> None:
    _, english = tikomni("install", "nobody")
    _, chinese = tikomni("install", "nobody", LANG="zh_CN.UTF-8")
    assert english["error"]["message"] == "No agent is named 'nobody'."
    assert chinese["error"]["message"] == "没有名为 'nobody' 的智能体。"
    assert chinese["error"]["hint"].startswith("可用的智能体")


def test_a_folder_that_is_a_link_is_not_written_through(home: Path, tikomni: Tikomni) -> None:
    (home / "real").mkdir()
    (home / ".claude" / "skills").symlink_to("../real")
    status, document = tikomni("install", "claude-code")
    assert status == 2
    assert shlex.split(document["error"]["hint"])[-1] == str(home / "real")
    assert list((home / "real").iterdir()) == []


def test_a_link_keeps_no_other_folder_from_its_update(home: Path, tikomni: Tikomni) -> None:
    """Where nothing was named, the others are updated; the link is named with the command for what it leads to."""
    assert tikomni("install", "claude-code,windsurf", SKILLS[0])[0] == 0
    (home / ".claude/skills").rename(home / "my real")
    (home / ".claude/skills").symlink_to(home / "my real")
    place = home / ".codeium/windsurf/skills" / SKILLS[0]
    for folder in (place, home / "my real" / SKILLS[0]):
        (folder / "LICENSE").unlink()
    status, document = tikomni("update")
    assert (status, actions(document)) == (3, {str(place): "update"})
    assert str(home / "my real") in document["warnings"][0]
    assert not (home / "my real" / SKILLS[0] / "LICENSE").exists()
    words = shlex.split(document["next"][0]["command"])
    assert tikomni(*words[words.index("update") :])[0] == 0
    assert (home / "my real" / SKILLS[0] / "LICENSE").exists()
    (home / ".codeium/windsurf/skills").rename(home / "moved")
    assert tikomni("update")[0] == 2  # a link alone is refused, as where it is named


def test_a_folder_of_somebody_else_is_named_once(home: Path, tikomni: Tikomni) -> None:
    tikomni("install", "claude-code", SKILLS[0])
    skill = home / ".claude/skills" / SKILLS[0]
    for name in (".venv/bin/python", ".venv/pyvenv.cfg", "scripts/__pycache__/a.pyc", "scripts/mine.py"):
        (skill / name).parent.mkdir(parents=True, exist_ok=True)
        (skill / name).touch()
    told = [".venv/", "scripts/__pycache__/", "scripts/mine.py"]
    assert tikomni("verify")[1]["result"]["targets"][0]["skills"][0]["foreign"] == told
    status, document = tikomni("remove", "claude-code", SKILLS[0])
    assert (status, document["result"]["targets"][0]["skills"][0]["foreign"]) == (0, told)
    assert (skill / ".venv/bin/python").is_file()


def test_what_a_removal_kept_is_the_users_own(home: Path, tikomni: Tikomni) -> None:
    tikomni("install", "claude-code", SKILLS[0])
    mine = home / ".claude/skills" / SKILLS[0] / "SKILL.md"
    mine.write_text("mine")
    assert "--force" in tikomni("remove", "claude-code", "--dry-run")[1]["next"][0]["command"]
    status, document = tikomni("remove", "claude-code")
    assert (status, document["result"]["kept"], "next" in document) == (3, [str(mine)], False)
    status, document = tikomni("remove", "claude-code", "--force")
    assert (status, document["result"]["kept"], mine.read_text()) == (0, [], "mine")


def test_a_folder_that_is_none(home: Path, tikomni: Tikomni) -> None:
    (home / ".claude" / "skills").touch()
    status, document = tikomni("install")
    assert (status, document["error"]["code"]) == (2, "storage")
    assert str(home / ".claude/skills") in document["error"]["message"]
    assert not (home / ".agents").exists()  # what was to come after it was not begun


@NO_ROOT
def test_a_folder_that_cannot_be_written(home: Path, tikomni: Tikomni) -> None:
    (home / ".claude" / "skills").mkdir(mode=0o500)
    status, document = tikomni("install", "claude-code")
    assert (status, document["error"]["code"]) == (2, "storage")


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_no_space(home: Path, tikomni: Tikomni, managed_data: str) -> None:
    """A limit on the size of files stands in for a full disk."""
    assert tikomni("install", "claude-code", SKILLS[0])[0] == 0
    (home / ".claude/skills" / SKILLS[0] / "LICENSE").unlink()
    before = tree(home)
    limited = f"ulimit -f 100; exec '{sys.executable}' -m tikomni install claude-code"
    done = subprocess.run(
        ["sh", "-c", limited],
        env={**os.environ, "HOME": str(home), "XDG_DATA_HOME": managed_data, "PYTHONPATH": str(ROOT / "lib")},
        cwd=home,
        capture_output=True,
        encoding="utf-8",
    )
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (1, "disk_full")
    assert tree(home) == before


def test_two_at_once(home: Path, managed_data: str) -> None:
    environ = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": managed_data, "PYTHONPATH": str(ROOT / "lib")}
    command = [sys.executable, "-m", "tikomni", "install", "claude-code"]
    both = [subprocess.Popen(command, env=environ, cwd=home, stdout=subprocess.PIPE) for _ in range(2)]
    documents = [json.loads(process.communicate(timeout=120)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted({*actions(documents[0]).values(), *actions(documents[1]).values()}) == ["install", "unchanged"]


def test_list_shows_what_is_where(home: Path, tikomni: Tikomni) -> None:
    tikomni("install", "claude-code", SKILLS[0])
    (home / ".claude/skills" / SKILLS[1]).mkdir()
    result = tikomni("list")[1]["result"]
    assert [row["skill"] for row in result["skills"]] == SKILLS
    assert all(row["description"] for row in result["skills"])
    rows = {row["agent"]: row for row in result["agents"]}
    assert {row["skill"]: row["version"] for row in rows["claude-code"]["installed"]} == {
        SKILLS[0]: package.__version__,
        SKILLS[1]: None,
    }
    assert rows["codex"]["installed"] == []
    assert (rows["codex"]["found"], rows["gemini"]["found"]) == (True, False)


def test_a_bundle_works_wherever_it_is_copied(
    home: Path, tikomni: Tikomni, managed_data: str, plain_python: str
) -> None:
    status, document = tikomni("bundle", SKILLS[0], "--dir", home / "dist")
    assert status == 0
    [archive] = document["result"]["archives"]
    first = Path(archive).read_bytes()
    assert set(actions(tikomni("bundle", SKILLS[0], "--dir", home / "dist")[1]).values()) == {"unchanged"}
    assert Path(archive).read_bytes() == first

    copy = home / ".claude" / "skills" / SKILLS[0]
    copy.parent.mkdir(exist_ok=True)
    subprocess.run(["cp", "-r", home / "dist" / SKILLS[0], copy.parent], check=True)
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_DATA_HOME": managed_data}
    for script in sorted((copy / "scripts").glob("*.py")):
        done = subprocess.run([plain_python, script, "--help"], env=environ, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stdout + done.stderr
        assert str(ROOT) not in done.stdout + done.stderr
    assert not list(copy.rglob("__pycache__"))
    assert tikomni("verify", "claude-code")[0] == 0
    assert set(actions(tikomni("install", "claude-code", SKILLS[0])[1]).values()) == {"unchanged"}


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_env_init_writes_a_private_file_once(home: Path, tikomni: Tikomni) -> None:
    assert tikomni("env", "init")[0] == 2
    tikomni("install", "claude-code", SKILLS[0])
    env = home / ".claude/skills/.env"
    assert tikomni("env", "init", "--dry-run")[1]["result"]["files"] == [{"path": str(env), "written": True}]
    assert not env.exists()
    assert tikomni("env", "init")[1]["result"]["files"] == [{"path": str(env), "written": True}]
    assert env.stat().st_mode & 0o777 == 0o600
    assert env.read_text() == (ROOT / "env.example").read_text()
    env.write_text("TIKOMNI_API_KEY=mine\n")
    assert tikomni("env", "init", "claude-code")[1]["result"]["files"] == [{"path": str(env), "written": False}]
    assert env.read_text() == "TIKOMNI_API_KEY=mine\n"
