"""What an installed skill, a bundle and an archive hold."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from tikomni.install import package
from tikomni.install.bundle import archive
from tikomni.install.managed import ROOT
from tikomni.install.state import MANIFEST

SKILLS = package.skills()
UNWANTED = ("__pycache__", ".pyc", "openapi/", "tests/", "evals/", "tikomni/sandbox/", "/.", "requirements/test.txt")
RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{count}" for name in ("com", "lpt") for count in range(1, 10))}


def test_there_are_three_skills() -> None:
    assert SKILLS == ["creator-analysis", "meta-capability", "single-work-analysis"]


@pytest.mark.parametrize("skill", SKILLS)
def test_a_skill_folder_is_complete_and_clean(skill: str) -> None:
    files = package.assemble(skill)
    assert files.keys() >= {
        "SKILL.md",
        "LICENSE",
        "env.example",
        "agents/openai.yaml",
        "lib/tikomni/__init__.py",
        "lib/tikomni/install/launch.py",
        "lib/tikomni/install/interpreters.json",
        "requirements/base.txt",
        "requirements/local-asr.txt",
        "scripts/setup_env.py",
    }
    dotfiles = [name for name in files if name.startswith(".") and name != MANIFEST]
    assert not dotfiles + [name for name in files if any(part in name for part in UNWANTED)]
    told = json.loads(files[MANIFEST].read())
    assert told["files"] == {
        name: hashlib.sha256(content.read()).hexdigest() for name, content in files.items() if name != MANIFEST
    }


@pytest.mark.parametrize("skill", SKILLS)
def test_its_names_hold_on_every_disk(skill: str) -> None:
    names = list(package.assemble(skill))
    assert len({name.casefold() for name in names}) == len(names)
    assert not [name for name in names if not re.fullmatch(r"[A-Za-z0-9_./-]+", name) or name.endswith(".")]
    assert not [name for name in names for part in name.split("/") if part.split(".")[0].lower() in RESERVED]
    assert max(map(len, names)) < 120


def test_contracts_of_routes_are_made_where_they_were_not_shipped(tmp_path: Path) -> None:
    skip = shutil.ignore_patterns("__pycache__", "routes")
    shutil.copytree(ROOT / "skills", tmp_path / "skills", ignore=skip)
    files = package.assemble("meta-capability", root=tmp_path)
    shipped = {path.name: path.read_text() for path in (ROOT / "skills/meta-capability" / package.PAGES).iterdir()}
    made = {name.rpartition("/")[2]: files[name].read().decode() for name in files if package.PAGES in name}
    assert made == shipped


@pytest.mark.parametrize("skill", SKILLS)
def test_openclaw_gets_its_block_and_nothing_else_changes(skill: str) -> None:
    plain, special = package.assemble(skill), package.assemble(skill, "openclaw", "openclaw")
    before, after = (files["SKILL.md"].read().decode() for files in (plain, special))
    front = yaml.safe_load(after.split("---\n")[1])
    block = front["metadata"].pop("openclaw")
    assert front == {**yaml.safe_load(before.split("---\n")[1]), "metadata": front["metadata"]}
    assert before.split("---\n", 2)[2] == after.split("---\n", 2)[2]
    assert block["primaryEnv"] == "TIKOMNI_API_KEY"
    assert all(variable["required"] is False for variable in block["envVars"])
    assert "env" not in block["requires"]  # it would hide the skill from who keeps the key in .env
    assert {name for name in plain if plain[name].sha256 != special[name].sha256} == {"SKILL.md", MANIFEST}


def test_metadata_that_is_there_is_kept() -> None:
    text = '---\nname: x\nmetadata:\n  version: "1"\n---\nbody\n---\nmore\n'
    written = package.with_metadata(text, "openclaw")
    front = yaml.safe_load(written.split("---\n")[1])
    assert front["metadata"]["version"] == "1"
    assert front["metadata"]["openclaw"]["primaryEnv"]
    assert written.endswith("---\nbody\n---\nmore\n")


def test_an_archive_is_the_same_whenever_and_wherever_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    files = package.assemble(SKILLS[0], "universal")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    first, second = archive(SKILLS[0], files), archive(SKILLS[0], package.assemble(SKILLS[0], "universal"))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as zipped:
        entries = zipped.infolist()
        assert {entry.filename for entry in entries} == {f"{SKILLS[0]}/{name}" for name in files}
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in entries}
        assert modes[f"{SKILLS[0]}/scripts/setup_env.py"] == 0o755
        assert modes[f"{SKILLS[0]}/SKILL.md"] == 0o644
        assert zipped.read(f"{SKILLS[0]}/SKILL.md") == files["SKILL.md"].read()


@pytest.mark.parametrize("script", sorted((ROOT / "skills").glob("*/scripts/*.py")), ids=lambda path: path.name)
def test_scripts_say_what_uv_needs_to_run_them(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    start, end = lines.index("# /// script"), lines.index("# ///")
    header = tomllib.loads("\n".join(line.removeprefix("#").strip() for line in lines[start + 1 : end]))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [] if script.name == "setup_env.py" else project["dependencies"]
    assert header == {"requires-python": project["requires-python"], "dependencies": needed}
    assert "://" not in script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)
