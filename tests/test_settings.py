"""Where settings come from, which source wins, and what a wrong one says."""

from __future__ import annotations

import pytest

from tikomni.docs import env_text, settings_table
from tikomni.errors import InputError
from tikomni.settings import ROWS, variable
from tikomni.settings_load import load
from tikomni.settings_text import yaml_text


@pytest.fixture
def skill(tmp_path):
    folder = tmp_path / "skills" / "single-work-analysis"
    folder.mkdir(parents=True)
    return folder


def read(environ=None, **arguments):
    return load(arguments.pop("flags", {}), environ={"HOME": "/nonexistent", **(environ or {})}, **arguments)


def test_sources_in_order(tmp_path, skill):
    config = tmp_path / "config.yaml"
    config.write_text("timeout_ms: 1001\n")
    assert read().timeout_ms == 60_000
    assert read(config=config).timeout_ms == 1001
    (skill.parent / ".env").write_text("TIKOMNI_TIMEOUT_MS=1002\n")
    assert read(config=config, skill_dir=skill).timeout_ms == 1002
    (skill / ".env.local").write_text("export TIKOMNI_TIMEOUT_MS=1003 # mine\n")
    assert read(config=config, skill_dir=skill).timeout_ms == 1003
    environ = {"TIKOMNI_TIMEOUT_MS": "1004"}
    assert read(environ, config=config, skill_dir=skill).timeout_ms == 1004
    used = read(environ, config=config, skill_dir=skill, flags={"timeout_ms": 1005})
    assert (used.timeout_ms, used.sources["timeout_ms"]) == (1005, "flag")


def test_env_file_stands_in_for_the_shared_one(tmp_path, skill):
    (skill.parent / ".env").write_text("TIKOMNI_TIMEOUT_MS=1002\n")
    other = tmp_path / "other.env"
    other.write_text('TIKOMNI_API_KEY="sk-quoted-value"\n')
    used = read(skill_dir=skill, env_file=other)
    assert (used.timeout_ms, used.api_key) == (60_000, "sk-quoted-value")


@pytest.mark.parametrize(
    ("text", "told"),
    [("TIKOMNI_TIMEOUT_MS=1\nnot a line\n", "line 2"), ("A=1\n\nB=2\n= 3\n", "line 4")],
)
def test_a_broken_env_line_is_named(skill, text, told):
    (skill.parent / ".env").write_text(text)
    with pytest.raises(InputError) as caught:
        read(skill_dir=skill)
    assert caught.value.code == "config"
    assert told in caught.value.message and str(skill.parent / ".env") in caught.value.message


def test_broken_yaml_is_named_by_file_and_line(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("timeout_ms: 5000\ncard_tags: [unclosed\n")
    with pytest.raises(InputError) as caught:
        read(config=config)
    assert str(config) in caught.value.message and "line " in caught.value.message


def test_unknown_config_keys_are_said_and_older_ones_still_work(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(
        "runtime: {base_url: 'https://api.tikomni.dev', timeout_ms: 7000}\n"
        "storage_routes: {card_type_routes: {work: [a, b]}}\nasr_strategy: {max_polls: 3}\n"
    )
    used = read(config=config)
    assert (used.base_url, used.timeout_ms, used.card_route_work) == ("https://api.tikomni.dev", 7000, "a|b")
    assert used.warnings == (f"{config}: asr_strategy.max_polls is not a setting and has no effect.",)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TIKOMNI_TIMEOUT_MS", "soon"),
        ("TIKOMNI_TIMEOUT_MS", "5"),
        ("TIKOMNI_GLOBAL_QPS", "0"),
        ("TIKOMNI_GLOBAL_QPS", "nan"),
        ("TIKOMNI_PATH_LOCALE", "fr"),
        ("TIKOMNI_DISPLAY_ZONE", "Mars/Base"),
        ("TIKOMNI_DISPLAY_ZONE", "../etc"),
        ("TIKOMNI_BASE_URL", "api.tikomni.com"),
        ("TIKOMNI_BASE_URL", "http://api.tikomni.com"),
        ("TIKOMNI_BASE_URL", "https://user@api.tikomni.com"),
        ("TIKOMNI_IMAGES", "-1"),
        ("TIKOMNI_CONFIG_FILE", "/no/such.yaml"),
    ],
)
def test_wrong_values_are_refused_by_name(variable, value):
    with pytest.raises(InputError) as caught:
        read({variable: value})
    assert caught.value.code == "config"
    assert value in caught.value.message


def test_every_documented_variable_reaches_its_setting():
    samples = {"int": "17", "float": "2.5", "Path": "/tmp/somewhere", "str": "value"}
    for row in ROWS:
        kind = str(row.type).split(" ")[0]
        value = row.metadata["choices"][-1] if row.metadata["choices"] else samples[kind]
        value = {
            "base_url": "https://mirror.example",
            "tikhub_base_url": "https://tikhub.example",
            "insight_base_url": "https://insight.example",
            "llm_base_url": "https://models.example/v1",
            "display_zone": "UTC",
            "timeout_ms": "1717",
            "timeout_retry_max": "7",
        }.get(row.name, value)
        for name in (variable(row.name), *row.metadata["aliases"]):
            environ = {name: value}
            if row.name == "api_key_env":
                environ["value"] = "sk-of-another-name"
            assert str(getattr(read(environ), row.name)) == str(value), name


def test_another_variable_can_hold_the_key():
    used = read({"TIKOMNI_API_KEY": "sk-first-key", "MY_KEY": "sk-second-key"}, flags={"api_key_env": "MY_KEY"})
    assert used.require_key() == "sk-second-key"
    with pytest.raises(InputError, match="MY_KEY"):
        read({"TIKOMNI_API_KEY": "sk-first-key"}, flags={"api_key_env": "MY_KEY"}).require_key()


@pytest.mark.parametrize(
    "key",
    [
        "your_api_key",
        "YOUR-KEY-HERE",
        "<your key>",
        "sk-xxxxxxxx",
        "xxxxxxxx",
        "changeme",
        "replace_me",
        "你的密钥",
        "...",
    ],
)
def test_sample_keys_are_not_sent(key):
    with pytest.raises(InputError) as caught:
        read({"TIKOMNI_API_KEY": key}).require_key()
    assert caught.value.code == "placeholder_key"


@pytest.mark.parametrize("key", ["sk-4f9a1c77d2", "tk_live_91hHs82kQ", "Yz91mykeyZZ01"])
def test_real_looking_keys_are_taken(key):
    assert read({"TIKOMNI_API_KEY": key}).require_key() == key


def test_a_missing_key_says_where_to_put_it():
    with pytest.raises(InputError) as caught:
        read().require_key()
    assert caught.value.code == "missing_key" and ".env" in caught.value.hint()


def test_generated_texts_name_every_setting(tmp_path):
    for row in ROWS:
        assert f"{variable(row.name)}=" in env_text()
        assert f"{row.name}:" in yaml_text()
        assert f"`{variable(row.name)}`" in settings_table()
    config = tmp_path / "c.yaml"
    config.write_text(yaml_text().replace("# timeout_ms: 60000", "timeout_ms: 4321"))
    assert read(config=config).timeout_ms == 4321


def test_yaml_with_every_line_active_equals_the_defaults(tmp_path):
    config = tmp_path / "c.yaml"
    lines = [
        line[2:] if line.startswith("# ") and line[2:].split(":")[0] in {row.name for row in ROWS} else line
        for line in yaml_text().splitlines()
    ]
    config.write_text("\n".join(lines))
    used, default = read(config=config), read()
    assert {r.name: getattr(used, r.name) for r in ROWS} == {r.name: getattr(default, r.name) for r in ROWS}
