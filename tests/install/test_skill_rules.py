"""What the specification, and those who load skills, ask of SKILL.md and of the files beside it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import tikomni
from tikomni.envelope import tokens
from tikomni.install import package
from tikomni.install.managed import ROOT

SKILLS = [ROOT / "skills" / name for name in package.skills()]
KEYS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
MOST_BODY_TOKENS, MOST_DESCRIPTIONS = 1000, 1000
HIDDEN = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")

each = pytest.mark.parametrize("skill", SKILLS, ids=lambda path: path.name)


def parts(skill: Path) -> tuple[str, dict, str]:
    """Front matter as it stands, read, and the body."""
    text = (skill / "SKILL.md").read_text(encoding="utf-8")
    opening, front, body = re.split(r"^---\n", text, maxsplit=2, flags=re.M)
    assert opening == ""
    return front, yaml.safe_load(front), body


def test_there_is_something_to_check() -> None:
    assert len(SKILLS) == 3


@each
def test_front_matter_is_the_specifications(skill: Path) -> None:
    raw, front, _ = parts(skill)
    assert front.keys() <= KEYS
    assert front["name"] == skill.name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", skill.name) and len(skill.name) <= 64
    assert 0 < len(front["description"]) <= 1024
    assert not set("<>") & set(front["description"])
    assert re.search(r'^description: ".*"$', raw, re.M), "quoted: a colon in it would hide the skill"
    assert 0 < len(front.get("compatibility", "x")) <= 500
    assert all(isinstance(value, str) for value in front.get("metadata", {}).values())
    assert not re.search(r":\s*[{\[]", raw), "no flow style: strict readers refuse it"


@each
def test_bytes_are_plain(skill: Path) -> None:
    for path in (skill / "SKILL.md", *skill.glob("references/**/*.md"), *skill.glob("agents/*")):
        data = path.read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf") and b"\r" not in data, path
        assert not HIDDEN.search(data.decode()), path


@each
def test_the_body_is_short_and_its_references_exist_one_level_deep(skill: Path) -> None:
    _, _, body = parts(skill)
    assert tokens(body) <= MOST_BODY_TOKENS
    named = set(re.findall(r"`((?:references|scripts|assets)/[\w./-]+)`", body))
    named |= set(re.findall(r"SKILL_DIR/([\w./-]+)", body))
    assert named
    assert not [name for name in named if not (skill / name).is_file()]
    assert not list(skill.glob("README*")) + list(skill.glob("**/tests"))


def test_descriptions_together_fit_the_listing() -> None:
    assert sum(len(parts(skill)[1]["description"]) for skill in SKILLS) < MOST_DESCRIPTIONS


@each
def test_codex_reads_its_metadata(skill: Path) -> None:
    told = yaml.safe_load((skill / "agents" / "openai.yaml").read_text(encoding="utf-8"))
    interface = told["interface"]
    assert told.keys() <= {"interface", "policy", "dependencies"}
    assert 0 < len(interface["display_name"]) <= 64
    assert interface["short_description"]
    assert len(interface["default_prompt"]) <= 1024
    assert told["policy"] == {"allow_implicit_invocation": True}


def test_one_version_and_one_name_in_every_manifest() -> None:
    package_json = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    plugin = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text(encoding="utf-8"))
    market = json.loads((ROOT / ".claude-plugin" / "marketplace.json").read_text(encoding="utf-8"))
    versions = {package_json["version"], plugin["version"], market["metadata"]["version"], tikomni.__version__}
    assert versions == {tikomni.__version__}
    assert {package_json["name"], plugin["name"], *(row["name"] for row in market["plugins"])} == {"tikomni-skills"}
    # A plain entry beside plugin.json: strict:false or a list of skills there would be a second manifest.
    assert all(row.keys() <= {"name", "source", "description"} for row in market["plugins"])
    licence = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"]
    assert {package_json["license"], plugin["license"]} == {licence}


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_holds_the_table_of_agents(readme: str) -> None:
    from tikomni.docs import agents_table

    assert agents_table(chinese="zh" in readme) in (ROOT / readme).read_text(encoding="utf-8")
