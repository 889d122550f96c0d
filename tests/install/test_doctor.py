"""What the doctor finds, and that its own prescriptions mend it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import warm

from tikomni.install import doctor, package, swap
from tikomni.install.agents import agents
from tikomni.install.managed import ROOT
from tikomni.install.state import MANIFEST
from tikomni.install.verbs import Place

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions and links of POSIX")
SKILL = package.skills()[0]
KEY = "k-never-to-be-shown"


class House:
    """A home with the skill for Claude Code and a key."""

    def __init__(self, home: Path, data: str) -> None:
        self.home, self.skills = home, home / ".claude" / "skills"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TIKOMNI_", "XDG_", "LC_", "LANG"))}
        self.environ = {**kept, "HOME": str(home), "XDG_DATA_HOME": data, "PYTHONPATH": str(ROOT / "lib")}
        self.environ["TIKOMNI_STATE_DIR"] = str(home / "state")
        self.skills.mkdir(parents=True)
        assert self.run("install", "claude-code", SKILL)[0] == 0
        (self.skills / ".env").write_text(f"TIKOMNI_API_KEY={KEY}\n")
        (self.skills / ".env").chmod(0o600)

    def run(self, *words: str | Path) -> tuple[int, dict[str, Any]]:
        done = warm.run([str(word) for word in words], self.home, self.environ)
        assert KEY not in done.stdout + done.stderr
        return done.exit_status, json.loads(done.stdout)

    def findings(self, *words: str) -> dict[str, dict[str, Any]]:
        status, document = self.run("doctor", *words)
        found = {row["code"]: row for row in document["result"]["findings"]}
        assert status == (3 if any(row["level"] == "problem" for row in found.values()) else 0)
        assert all(row["mend"] for row in found.values())
        return found

    def mend(self, finding: dict[str, Any]) -> None:
        done = subprocess.run(
            shlex.split(finding["mend"]), env={**self.environ, "TIKOMNI_PYTHON_OK": "1"}, cwd=self.home,
            capture_output=True, encoding="utf-8", timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def house(tmp_path: Path, managed_data: str) -> House:
    return House(tmp_path / "my home", managed_data)


def test_a_healthy_house(house: House) -> None:
    assert house.findings() == {}
    [place] = house.run("doctor")[1]["result"]["places"]
    assert place["key"] == {"present": True, "from": str(house.skills / ".env"), "online": None}


def spoil_missing(house: House) -> None:
    (house.skills / SKILL / "LICENSE").unlink()


def spoil_edited(house: House) -> None:
    (house.skills / SKILL / "LICENSE").write_text("mine")


def spoil_version(house: House) -> None:
    path = house.skills / SKILL / MANIFEST
    path.write_text(path.read_text().replace(f'"{package.__version__}"', '"0.0.9"'))


def spoil_key_mode(house: House) -> None:
    (house.skills / ".env").chmod(0o644)


def spoil_env(house: House) -> None:
    (house.skills / ".env").unlink()


def spoil_swap(house: House) -> None:
    swap.Stage(house.skills).folder.mkdir(parents=True)


def spoil_codex(house: House) -> None:
    (house.home / ".codex").mkdir()
    assert house.run("install", "codex", SKILL)[0] == 0
    assert house.run("install", "codex", SKILL, "--dir", house.home / ".codex" / "skills")[0] == 0
    (house.home / ".agents/skills/.env").write_text(f"TIKOMNI_API_KEY={KEY}")
    (house.home / ".agents/skills/.env").chmod(0o600)
    (house.home / ".codex/skills/.env").write_text(f"TIKOMNI_API_KEY={KEY}")
    (house.home / ".codex/skills/.env").chmod(0o600)


def spoil_shadow(house: House) -> None:
    assert house.run("install", "openclaw", SKILL)[0] == 0
    assert house.run("install", "universal", SKILL)[0] == 0
    house.skills = house.home / ".agents" / "skills"
    spoil_version(house)
    for folder in (".openclaw", ".agents"):
        (house.home / folder / "skills/.env").write_text(f"TIKOMNI_API_KEY={KEY}")
        (house.home / folder / "skills/.env").chmod(0o600)


@pytest.mark.parametrize(
    ("spoil", "code", "leaves"),
    [
        (spoil_missing, "files_missing", set()),
        (spoil_edited, "files_edited", set()),
        (spoil_version, "stale", set()),
        (spoil_key_mode, "key_readable", set()),
        (spoil_env, "no_key", {"no_key_in"}),  # the file is there, and the user's turn it is
        (spoil_swap, "interrupted", set()),
        (spoil_codex, "shown_twice", set()),
        (spoil_shadow, "shadowed", set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_found_is_mended_by_its_command(
    house: House, spoil: Callable[[House], None], code: str, leaves: set[str]
) -> None:
    spoil(house)
    found = house.findings()
    assert code in found
    house.mend(found[code])
    assert house.findings().keys() == leaves


def test_a_copy_of_somebody_else_is_no_update_of_ours(house: House) -> None:
    """What hides it is told; no command of ours moves what is not ours."""
    assert house.run("install", "universal", SKILL)[0] == 0
    theirs = house.home / ".openclaw" / "skills" / SKILL
    theirs.mkdir(parents=True)
    (theirs / "SKILL.md").write_text("theirs")
    finding = house.findings()["shadowed"]
    house.mend(finding)
    assert "shadowed" not in house.findings()
    assert theirs.parents[1].joinpath(f"{SKILL}.away", "SKILL.md").read_text() == "theirs"


def test_a_key_that_can_be_none_is_told_without_it(house: House) -> None:
    env = house.skills / ".env"
    env.write_text("TIKOMNI_API_KEY=your-api-key\n")
    found = house.findings()
    assert str(env) in found["key_placeholder_key"]["message"]
    assert found["key_placeholder_key"]["mend"] == f"${{EDITOR:-vi}} {shlex.quote(str(env))}"
    env.write_text("TIKOMNI_API_KEY='two words'\n")
    assert found.keys() | house.findings().keys() == {"key_placeholder_key", "key_config"}


def test_a_skill_folder_that_may_not_be_changed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may change everything, so that the system is asked in its place."""
    locked = house.skills / SKILL
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked)
    [finding] = [row for row in doctor.look([_place(house.skills)]) if row.code == "folder_not_writable"]
    assert shlex.split(finding.advice) == ["chmod", "u+w", str(locked)]
    monkeypatch.setattr(os, "geteuid", lambda: locked.stat().st_uid + 1)  # installed with sudo
    [finding] = [row for row in doctor.look([_place(house.skills)]) if row.code == "folder_not_writable"]
    assert shlex.split(finding.advice) == ["sudo", "chown", "-R", str(os.geteuid()), str(locked)]


def test_a_data_folder_of_another_user(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    data = house.home / "data" / "tikomni"
    data.mkdir(parents=True)
    monkeypatch.setenv("XDG_DATA_HOME", str(data.parent))
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != data)
    [finding] = [row for row in doctor.look([]) if row.code == "folder_not_writable"]
    assert shlex.split(finding.advice)[-1] == str(data)


def _place(folder: Path) -> Place:
    return Place(next(agent for agent in agents() if agent.id == "claude-code"), None, folder)


def test_nothing_installed(house: House) -> None:
    house.run("remove", "claude-code")
    assert house.findings().keys() == {"nothing_installed"}


def test_somebody_elses_skill_of_the_name_and_a_link(house: House) -> None:
    (house.skills / package.skills()[1]).mkdir()
    (house.skills / package.skills()[1] / "SKILL.md").write_text("theirs")
    assert house.findings()["skill_not_ours"]["level"] == "note"
    real = house.home / "real"
    house.skills.rename(real)
    house.skills.symlink_to(real)
    assert str(real) in house.findings()["folder_is_a_link"]["mend"]


def test_a_missing_environment_is_no_hindrance(house: House, plain_python: str) -> None:
    """The doctor runs in a Python that has no packages."""
    environ = {**house.environ, "XDG_DATA_HOME": str(house.home / "no data")}
    done = subprocess.run(
        [plain_python, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'lib')!r}); "
         "from tikomni.cli import main; sys.exit(main(['doctor']))"],
        env=environ, cwd=house.home, capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert done.returncode == 3, done.stdout
    [finding] = [row for row in document["result"]["findings"] if row["code"] == "no_environment"]
    assert "setup_env.py" in finding["mend"]


def test_online_asks_the_upstream_and_pays_only_when_told(house: House, sandbox) -> None:
    house.environ["TIKOMNI_BASE_URL"] = sandbox.base_url
    assert house.findings("--online") == {}
    assert house.findings("--billed").keys() == {"key_refused"}
    (house.skills / ".env").write_text(f"TIKOMNI_API_KEY={sandbox.key}\n")
    assert house.run("install", "universal", SKILL)[0] == 0
    (house.home / ".agents/skills/.env").write_text(f"TIKOMNI_API_KEY={sandbox.key}\n")
    (house.home / ".agents/skills/.env").chmod(0o600)
    places = house.run("doctor", "--online")[1]["result"]["places"]
    assert [place["key"]["online"] for place in places] == ["not_refused"] * 2
    asked = len(sandbox.requests)
    places = house.run("doctor", "--billed")[1]["result"]["places"]
    assert [place["key"]["online"] for place in places] == ["accepted"] * 2
    assert len(sandbox.requests) == asked + 1
