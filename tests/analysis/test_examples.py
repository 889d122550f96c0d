"""The worked examples in docstrings are true."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import tikomni.analysis

MODULES = [import_module(f"tikomni.analysis.{m.name}") for m in pkgutil.iter_modules(tikomni.analysis.__path__)]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_in_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    assert sum(len(found.examples) for module in MODULES for found in finder.find(module)) >= 12
