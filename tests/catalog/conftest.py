from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tikomni.catalog import Route, all_routes, compile


@pytest.fixture(scope="session")
def documents() -> dict[str, dict[str, Any]]:
    """Every source file, by name."""
    return {file.name: compile.read(file) for file in sorted(compile.SOURCE.glob("*.yaml"))}


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
