"""Whole files or none: every file that a run leaves behind is written here.

A reader never sees half a file, a crash leaves the old one in place, and a registered key never reaches the
disk. Knows nothing of layout or content.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from tikomni import redact
from tikomni.errors import InputError, TikomniError

_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write ``text`` as UTF-8, parents made.

    Raises:
        TikomniError: ``disk_full``.
        InputError: ``storage``, naming the path.
    """
    write_lines(path, (text,), mode)


def write_lines(path: Path, lines: Iterable[str], mode: int = 0o644) -> None:
    """Write ``lines``, which carry their own ends, as they come; raises as ``write_text``."""
    _replace(path, (redact.secrets_in(line).encode("utf-8", "backslashreplace") for line in lines), mode)


def write_json(path: Path, document: Any) -> None:
    """Write a JSON-ready object, indented, members in their order; raises as ``write_text``."""
    write_text(path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data``; raises as ``write_text``."""
    # Keys are ASCII and Latin-1 maps bytes to characters one to one: keys are found, the rest survives.
    if redact.registered_in(shown := data.decode("latin-1")):
        data = redact.secrets_in(shown).encode("latin-1")
    _replace(path, (data,))


def failure(path: Path, error: OSError) -> TikomniError:
    """What a failed write means to the user."""
    if error.errno in _FULL:
        return TikomniError("disk_full", f"{path}: no space left ({error.strerror}).")
    return InputError("storage", f"{path}: cannot be written ({error.strerror or error}).")


def _replace(path: Path, data: Iterable[bytes], mode: int = 0o644) -> None:
    temporary = path.with_name(f".tikomni-{token_hex(6)}.tmp")  # the target's name may fill 255 bytes
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
                file.writelines(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise failure(path, error) from error
