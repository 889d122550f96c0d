"""Where the values of settings come from. Sources, strongest first: flag, process environment,
``<skill>/.env.local``, ``<skills root>/.env`` (or ``--env-file``), YAML config, default.

Reads files and the environment and decides nothing else; it never prints a value that is secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import MISSING
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tikomni import redact
from tikomni.errors import InputError
from tikomni.locations import config_file
from tikomni.settings import PREFIX, ROWS, Settings, variable

_FOREIGN_KEY = re.compile(rf"(?!{PREFIX})[A-Z0-9_]+_API_KEY")
_BY_NAME = {row.name: row for row in ROWS}
_OLD_YAML = {old: row.name for row in ROWS for old in row.metadata["yaml"]}


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    skill_dir: Path | None = None,
    env_file: Path | None = None,
    config: Path | None = None,
) -> Settings:
    """Read every source and return the settings in use.

    Args:
        flags: values by setting name, ``None`` where the flag was not given.
        environ: the process environment.
        skill_dir: the skill folder that the command was started from; its ``.env.local`` counts, and the ``.env``
            beside it.
        env_file: stands in for ``<skills root>/.env``; relative to the working directory.
        config: a YAML file; else ``TIKOMNI_CONFIG_FILE``, else the user's own where it exists.

    Raises:
        InputError: ``config``, naming file and line, or the variable and its value.
    """
    layers: list[tuple[str, Mapping[str, Any]]] = [
        ("flag", {k: v for k, v in (flags or {}).items() if v is not None and k in _BY_NAME}),
        ("environment", _from_variables(environ, "environment")),
    ]
    files = [skill_dir / ".env.local"] if skill_dir else []
    if env_file is not None:
        if not env_file.is_file():
            raise InputError("config", f"--env-file {env_file}: no such file.")
        files.append(env_file)
    elif skill_dir:
        files.append(skill_dir.parent / ".env")
    variables: dict[str, str] = {}
    for path in files:
        found = _read_env_file(path)
        layers.append((str(path), _from_variables(found, str(path))))
        variables = {**found, **variables}
    named = config or environ.get(PREFIX + "CONFIG_FILE") or variables.get(PREFIX + "CONFIG_FILE")
    yaml_path = Path(named).expanduser() if named else config_file(environ)
    warnings: list[str] = []
    if named or yaml_path.is_file():
        layers.append((str(yaml_path), _read_yaml(yaml_path, warnings)))
    return _merge(layers, {**variables, **environ}, warnings)


def _merge(layers: list[tuple[str, Mapping[str, Any]]], variables: Mapping[str, str], warnings: list[str]) -> Settings:
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for row in ROWS:
        for source, layer in layers:
            if row.name in layer:
                values[row.name] = convert(row.name, layer[row.name], source)
                sources[row.name] = source
                break
        else:
            values[row.name] = row.default if row.default is not MISSING else None
            sources[row.name] = "default"
    if values["api_key_env"] != Settings.api_key_env and sources["api_key"] != "flag":
        # An account under another name: only that variable counts, so that no key goes where it was not meant to.
        values["api_key"] = variables.get(values["api_key_env"])
        sources["api_key"] = values["api_key_env"] if values["api_key"] else "default"
    for name in ("output_root", "card_root", "state_dir"):
        if values[name] is not None:
            values[name] = Path(os.path.abspath(Path(values[name]).expanduser()))
    for name in ("base_url", "tikhub_base_url", "insight_base_url", "llm_base_url"):
        if values[name] is not None:
            _check_url(name, values[name], sources[name])
    redact.register(values[row.name] for row in ROWS if row.metadata["secret"])
    cookies = {name: value for name, value in variables.items() if name.startswith(PREFIX) and "_COOKIE" in name}
    foreign = {name: value for name, value in variables.items() if _FOREIGN_KEY.fullmatch(name)}
    settings = Settings(
        **values,
        sources=MappingProxyType(sources),
        cookies=MappingProxyType(cookies),
        foreign_keys=MappingProxyType(foreign),
        warnings=tuple(warnings),
    )
    if sources["display_zone"] != "default":
        settings.zone  # noqa: B018 - a zone that does not exist is told before anything is done
    return settings


def convert(name: str, raw: Any, source: str) -> Any:
    """``raw`` as the setting's type; an empty string clears an optional setting.

    Raises:
        InputError: ``config``, naming the variable, the value (unless secret) and what is expected.
    """
    row = _BY_NAME[name]
    meta, kind = row.metadata, str(row.type)
    shown = redact.MASK if meta["secret"] else repr(raw)
    where = f"{variable(name)}={shown} ({source})"
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return row.default
    try:
        if kind.startswith("int"):
            value: Any = int(str(raw).strip().replace("_", ""))
        elif kind.startswith("float"):
            value = float(str(raw).strip())
            if value != value or value in (float("inf"), float("-inf")):
                raise ValueError
        elif kind.startswith("Path"):
            value = Path(str(raw).strip())
        else:
            value = str(raw).strip()
    except ValueError:
        expected = "a whole number" if kind.startswith("int") else "a number"
        raise InputError("config", f"{where}: expected {expected}.") from None
    if meta["choices"] and value not in meta["choices"]:
        raise InputError("config", f"{where}: expected one of {', '.join(meta['choices'])}.")
    if meta["least"] is not None and value < meta["least"]:
        raise InputError("config", f"{where}: must be at least {meta['least']:g}.")
    if meta["most"] is not None and value > meta["most"]:
        raise InputError("config", f"{where}: must be at most {meta['most']:g}.")
    return value


def _check_url(name: str, url: str, source: str) -> None:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    where = f"{variable(name)}={url!r} ({source})"
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise InputError("config", f"{where}: expected an address such as https://api.tikomni.com.")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise InputError("config", f"{where}: a key is never sent over plain http; use https.")


def _from_variables(variables: Mapping[str, str], source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in ROWS:
        for name in (variable(row.name), *row.metadata["aliases"]):
            if variables.get(name, "").strip():
                found[row.name] = variables[name]
                break
    return found


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv.parser import parse_stream  # the field's parser; its bindings tell the line of what it could not read

    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("config", f"{path}: cannot be read ({error}).") from None
    values = {}
    for binding in bindings:
        if binding.error or (binding.key and binding.value is None):
            line = binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\n"))
            raise InputError("config", f"{path}, line {line}: expected NAME=value.")
        if binding.key:
            values[binding.key] = binding.value or ""
    return values


def _read_yaml(path: Path, warnings: list[str]) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError("config", f"{path}: cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError("config", f"{path}{line}: not YAML ({getattr(error, 'problem', error)}).") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise InputError("config", f"{path}: expected `name: value` lines.")
    found: dict[str, Any] = {}
    for key, value in _leaves(document):
        name = _OLD_YAML.get(key, key)
        if name not in _BY_NAME:
            warnings.append(f"{path}: {key} is not a setting and has no effect.")
            continue
        if isinstance(value, list):
            value = "|".join(str(v) for v in value)
        if isinstance(value, dict):
            raise InputError("config", f"{path}: {key} takes one value.")
        found.setdefault(name, value)
    return found


def _leaves(node: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in node.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value and name not in _BY_NAME:
            rows += _leaves(value, name + ".")
        else:
            rows.append((name, value))
    return rows
