"""How the commands that look at what is stored open it, and take and show times and sizes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from tikomni.errors import InputError

if TYPE_CHECKING:
    from tikomni.dispatch.ledger import Ledger
    from tikomni.library.store import Library
    from tikomni.settings import Settings

_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Ledger | None]:
    """The ledger, where there is one: to look at it must not make it."""
    from tikomni.dispatch.ledger import Ledger

    path = settings.state / "ledger.sqlite3"
    if not path.is_file():
        yield None
        return
    with closing(Ledger(path)) as ledger:
        yield ledger


@contextmanager
def open_library(settings: Settings) -> Iterator[Library | None]:
    """The library of the upstream in use, where there is one."""
    from tikomni.library.store import Library

    path = settings.state / "library.sqlite3"
    if not path.is_file():
        yield None
        return
    with closing(Library(path, settings.origin)) as library:
        yield library


def seconds(text: str, flag: str) -> float:
    """``30d``, ``12h``, ``90m`` or ``2w`` in seconds.

    Raises:
        InputError: ``usage``.
    """
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip().lower())
    if found is None:
        raise InputError("usage", f"{flag} {text}: expected a length of time, as 30d, 12h or 90m.")
    return int(found[1]) * _UNITS[found[2]]


def since(text: str | None, zone: tzinfo) -> float:
    """The unix time that ``7d`` or ``2026-11-01`` (in the display zone) means; 0 for nothing.

    Raises:
        InputError: ``usage``.
    """
    if text is None:
        return 0.0
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError, OSError):
        if "-" in text:
            raise InputError("usage", f"--since {text}: expected a date as 2026-11-01, or 7d, 12h.") from None
        return time.time() - seconds(text, "--since")


def moment(at: float | None, zone: tzinfo) -> str | None:
    """A unix time as ISO 8601 with its offset."""
    return None if at is None else datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def size(count: int) -> str:
    """Bytes as people read them."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} bytes"


def usd(value: float | None) -> str:
    return "price unknown" if value is None else f"{value:.6g} USD"
