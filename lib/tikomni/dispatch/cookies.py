"""Cookies of a user's own account: from the environment or a file, never from a command line, never written down.

A route takes one as its input ``cookie``, or as its whole body, where the catalogue gives that the form ``cookie``. It
finds it under the first of these names that is set, most particular first; for
``douyin.creator_v2.fetch_item_list``: ``TIKOMNI_DOUYIN_CREATOR_COOKIE``, ``TIKOMNI_DOUYIN_CREATOR_COOKIE_FILE``,
``TIKOMNI_DOUYIN_COOKIE``, ``TIKOMNI_DOUYIN_COOKIE_FILE``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from tikomni import redact
from tikomni.catalog import Route
from tikomni.errors import InputError

INPUT = "cookie"
WHOLE_BODY = "body"
LEAST_SECRET = 12


def names(route: Route) -> tuple[str, ...]:
    """The variables that may hold the cookie of ``route``."""
    platform, group = route.id.split(".")[:2]
    group = re.sub(r"_?v\d+$", "", group)
    stems = [f"{platform}_{group}" if group else platform, platform]
    return tuple(f"TIKOMNI_{stem.upper()}_COOKIE{ending}" for stem in dict.fromkeys(stems) for ending in ("", "_FILE"))


def input_of(route: Route) -> str | None:
    """The name of the input that is a cookie; ``None`` where the route takes none."""
    if route.input(INPUT) is not None:
        return INPUT
    is_body = route.body is not None and route.body.schema.get("x-tikomni-format") == "cookie"
    return WHOLE_BODY if is_body else None


def is_needed(route: Route) -> bool:
    """Whether the route cannot be called without its cookie."""
    taken = route.input(INPUT) or (route.body if input_of(route) else None)
    return taken is not None and taken.required


def find(route: Route, variables: Mapping[str, str]) -> str | None:
    """The cookie for ``route``, registered as a secret; ``None`` where the user set none.

    Raises:
        InputError: ``config``, where the file cannot be read or others may read it.
    """
    if input_of(route) is None:
        return None
    for name in names(route):
        value = variables.get(name, "").strip()
        if value and name.endswith("_FILE"):
            value = _read(Path(value).expanduser(), name)
        if value:
            redact.register([value, *_values(value)])
            return value
    return None


def needed(route: Route) -> InputError:
    """The error for a route that cannot do without a cookie."""
    wanted = names(route)[1]
    return InputError(
        "config",
        f"{route.id} reads your own account and needs its cookie, but {wanted} is not set.",
        hint=f"Put the cookie into a file of mode 600 and set {wanted} to its path.",
        details={"route": route.id, "variables": list(names(route))},
    )


def digest(cookie: str) -> str:
    """What stands for a cookie in the ledger: the same for the same cookie, and of no use to anyone."""
    return "cookie:" + hashlib.sha256(cookie.encode()).hexdigest()[:16]


def _values(cookie: str) -> list[str]:
    """The parts that are secret by themselves, wherever they stand; a number may be an id that answers are about."""
    values = (pair.partition("=")[2].strip().strip('"') for pair in cookie.split(";"))
    return [value for value in values if len(value) >= LEAST_SECRET and not value.isdigit()]


def _read(path: Path, name: str) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("config", f"{name}={str(path)!r}: cannot be read ({error}).") from None
    if os.name != "nt" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError("config", f"{path} can be read by others.", hint=f"Run: chmod 600 {shlex.quote(str(path))}")
    if not text:
        raise InputError("config", f"{path}: the file is empty.")
    if "\n" in text:
        raise InputError("config", f"{path}: a cookie is one line.")
    return text
