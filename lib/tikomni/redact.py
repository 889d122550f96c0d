"""Keeps keys and viewing tokens out of everything that leaves the process. Pure text in, text out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

MASK = "[redacted]"

# What a secret looks like when nobody registered it: in addresses, header values, and query or JSON members by name.
_PATTERNS = (
    re.compile(r"(//[^\s/:@]*:)[^\s/@]+(?=@)"),
    re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(
        r"(?i)\b((?:api[_-]?key|secret|password|cookie|authorization|access[_-]token|xsec_token)[\"']?\s*[=:]\s*[\"']?)"
        r"[^\s\"'&,;}]{4,}"
    ),
)

_secrets: set[str] = set()


def register(values: Iterable[str | None]) -> None:
    """Remember the values of this process's secrets; from then on ``text`` masks them wherever they stand."""
    for value in values:
        if value and len(value) >= 6:
            _secrets.update({value, json.dumps(value)[1:-1]})  # the second as it stands within JSON


def text(value: str) -> str:
    """``value`` with every registered secret, and whatever looks like one, masked."""
    value = secrets_in(value)
    for pattern in _PATTERNS:
        value = pattern.sub(lambda m: m.group(1) + MASK, value)
    return value


def within(node: Any) -> Any:
    """A JSON value with registered secrets masked in its texts: before one is cut, and half of a secret is left."""
    return _each(node, secrets_in)


def texts(node: Any) -> Any:
    """A JSON value with ``text`` applied to its texts."""
    return _each(node, text)


def _each(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {name: _each(value, change) for name, value in node.items()}
    if isinstance(node, list):
        return [_each(value, change) for value in node]
    return change(node) if isinstance(node, str) else node


def registered_in(value: str) -> bool:
    """Whether ``value`` holds a registered secret; the last check before bytes are written."""
    return any(secret in value for secret in _secrets)


def secrets_in(value: str) -> str:
    """``value`` with registered secrets masked and everything else, links and tokens of data included, left alone."""
    for secret in sorted(_secrets, key=len, reverse=True):
        value = value.replace(secret, MASK)
    return value
