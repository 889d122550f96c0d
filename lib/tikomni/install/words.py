"""What the installer says, in English and Chinese: ``words.json``, and the refusal that is worded when it is shown.

Standard library only. It formats sentences and decides nothing.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tikomni.errors import InputError


def say(key: str, language: str = "en", **values: Any) -> str:
    """The sentence ``key`` with ``values`` filled in."""
    return _table()[key][language].format(**values)


class Refusal(InputError):
    """A failure whose message and hint (``<key>``, ``<key>_hint``) are in the table, so that either language can be
    asked for; values other than the error's own members fill the sentences."""

    def __init__(
        self,
        code: str,
        key: str,
        *,
        details: dict[str, Any] | None = None,
        next_command: str | None = None,
        language: str = "en",
        **values: Any,
    ) -> None:
        hint = say(f"{key}_hint", language, **values) if f"{key}_hint" in _table() else None
        super().__init__(code, say(key, language, **values), hint=hint, details=details, next_command=next_command)
        self._key, self._values = key, values

    def worded(self, language: str) -> Refusal:
        """The same failure in ``language``."""
        return Refusal(
            self.code,
            self._key,
            details=self.details,
            next_command=self.next_command,
            language=language,
            **self._values,
        )


@cache
def _table() -> dict[str, dict[str, str]]:
    return json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
