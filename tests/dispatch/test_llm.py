"""Whom the settings name as a model: presets, keys and prices."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tikomni.dispatch import llm
from tikomni.dispatch.http import LOOPBACK
from tikomni.settings import ROWS
from tikomni.settings_load import load

PRESETS = json.loads(Path(llm.__file__).with_name("llm.json").read_text(encoding="utf-8"))


def named(**variables: str) -> llm.Endpoint:
    environ = {"HOME": "/nonexistent", **{f"TIKOMNI_LLM_{name}": value for name, value in variables.items()}}
    environ |= {"DASHSCOPE_API_KEY": "sk-of-dashscope-12ab", "DEEPSEEK_API_KEY": "sk-of-deepseek-34cd"}
    return llm.endpoint(load(environ=environ))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_whole_and_named_in_the_setting(name):
    preset = PRESETS[name]
    parts = urlsplit(preset["base_url"])
    assert parts.scheme == "https" or parts.hostname in LOOPBACK
    assert ("key" in preset) != (parts.hostname in LOOPBACK) and preset["form"] in llm.FORMS
    meta = next(row.metadata for row in ROWS if row.name == "llm_provider")
    assert name in meta["en"] and name in meta["zh"]
    default = next(row.metadata for row in ROWS if row.name == "llm_model")["en"]
    assert ("model" in preset) == (name in default)
    endpoint = named(PROVIDER=name, MODEL="some-model", API_KEY="sk-of-mine-56ef")
    assert (endpoint.base_url, endpoint.model, endpoint.form) == (preset["base_url"], "some-model", preset["form"])


def test_each_provider_gets_its_own_key_and_no_other_address_does():
    assert named(PROVIDER="qwen").key == "sk-of-dashscope-12ab"
    assert named(PROVIDER="deepseek").key == "sk-of-deepseek-34cd"
    assert named(PROVIDER="qwen", BASE_URL="http://127.0.0.1:9/v1").key is None
    assert named(PROVIDER="qwen", API_KEY="sk-of-mine-56ef").key == "sk-of-mine-56ef"


def test_only_what_is_certain_has_a_price():
    assert named(PROVIDER="ollama", MODEL="m").usd(1_000_000, 1_000_000) == 0
    assert named(PROVIDER="deepseek").usd(1, 1) is None
    assert named(PROVIDER="deepseek", USD_PER_MTOK="1, 2").usd(1_000_000, 500_000) == 2


def test_an_endpoint_does_not_spell_its_key():
    assert "sk-of" not in repr(named(PROVIDER="qwen"))
