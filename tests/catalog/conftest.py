from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tikomni.catalog import SOURCE, Route, all_routes
from tikomni.storage.yaml_file import read_yaml


@pytest.fixture(scope="session")
def documents() -> dict[str, dict[str, Any]]:
    """Every source file, by name."""
    return {file.name: read_yaml(file) for file in sorted(SOURCE.glob("*.yaml"))}


@pytest.fixture(scope="session")
def routes() -> dict[str, Route]:
    return {route.id: route for route in all_routes()}


@pytest.fixture(scope="session")
def made_up() -> ModuleType:
    """The maker of inputs that stands beside this file."""
    spec = spec_from_file_location("made_up", Path(__file__).with_name("made_up.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def examples(documents: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """The samples of the source: route and input → value."""
    found = {}
    for document in documents.values():
        for operation in (one for item in document["paths"].values() for one in item.values()):
            content = operation.get("requestBody", {}).get("content", {})
            bodies = (media["schema"].get("properties", {}) for media in content.values())
            inputs = {one["name"]: one for one in operation.get("parameters", ())} | {
                name: one for body in bodies for name, one in body.items()
            }
            found |= {
                (operation["x-tikomni-id"], name): one["example"] for name, one in inputs.items() if "example" in one
            }
    return found
