"""The shape that the code is held to: who may import whom, and where paths and platforms are spelled."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIB = ROOT / "lib" / "tikomni"
PYTHON = sorted(LIB.rglob("*.py"))


def test_imports_point_downwards(monkeypatch):
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    assert lint_imports() == 0


def test_there_is_something_to_check():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert len(contracts) >= 2 and len(PYTHON) > 50


@pytest.mark.parametrize("room", ["cli", "pipelines", "transcripts", "platforms", "library", "cards", "dispatch"])
def test_no_room_but_the_catalogue_spells_an_upstream_path(room):
    for file in (LIB / room).rglob("*.py"):
        assert not re.search(r"/api/u\d|/u\d/v1/", file.read_text("utf-8")), file


@pytest.mark.parametrize("room", ["pipelines", "transcripts", "platforms", "library", "dispatch", "storage"])
def test_python_knows_no_platform_by_name(room):
    for file in (LIB / room).rglob("*.py"):
        code = re.sub(r'"""[\s\S]*?"""|#.*', "", file.read_text("utf-8"))
        assert not re.search(r"douyin|xiaohongshu|tiktok|bilibili", code, re.I), file


def test_one_module_imports_the_http_client():
    users = [file for file in PYTHON if re.search(r"^\s*(import|from) httpx2", file.read_text("utf-8"), re.M)]
    assert users == [LIB / "dispatch" / "http.py"]


def test_generated_documents_are_fresh():
    from tikomni.docs import main

    assert main(["--check"]) == 0
