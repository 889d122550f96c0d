"""What stands for a commenter's name and id: a hash with a salt that is made once and never leaves this machine.

The same person has the same one in every run, and nobody without the salt can tell whose it is. Knows no list.
"""

from __future__ import annotations

import hmac
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Self

from tikomni.analysis.comments import MENTION
from tikomni.errors import InputError
from tikomni.facts import Comment
from tikomni.storage.atomic import failure

FILE = "comments.salt"
_BYTES, _SHOWN = 32, 12


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Who said what, without who."""

    salt: bytes

    @classmethod
    def of(cls, state: Path) -> Self:
        """Those of a state folder; the first caller makes the salt, mode 600, and all others find it.

        Raises:
            InputError: ``storage``; TikomniError ``disk_full``.
        """
        path = state / FILE
        try:
            if not path.exists():
                _make(path)
            salt = path.read_bytes()
        except OSError as error:
            raise failure(path, error) from error
        if len(salt) != _BYTES:
            hint = "Remove it: another is made, and the same people get other pseudonyms from then on."
            raise InputError("storage", f"{path}: {len(salt)} bytes, expected {_BYTES}.", hint=hint)
        return cls(salt)

    def of_person(self, platform: str, person: str) -> str:
        """``u`` and twelve hex digits."""
        digest = hmac.new(self.salt, f"{platform}:{person}".encode("utf-8", "replace"), sha256)
        return f"u{digest.hexdigest()[:_SHOWN]}"

    def comment(self, comment: Comment, keep_users: bool = False) -> Comment:
        """``comment`` with ``author_hash``; without name, id and the names in its text unless ``keep_users``."""
        person = comment.platform_author_id or comment.author_name
        known = replace(comment, author_hash=self.of_person(comment.platform, person) if person else None)
        if keep_users:
            return known

        def hidden(name: str) -> str:
            return f"@{self.of_person(comment.platform, name[1:])}"

        text = known.text and MENTION.sub(lambda found: hidden(found[0]), known.text)
        return replace(known, platform_author_id=None, author_name=None, text=text)


def _make(path: Path) -> None:
    """Put a whole salt in place, unless somebody else did so in the meantime."""
    made = path.with_name(f".tikomni-{token_hex(6)}.tmp")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with open(made, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(made, path)
        except FileExistsError:
            return
        except OSError:  # a file system without links
            made.replace(path)
    finally:
        with suppress(OSError):
            made.unlink()
