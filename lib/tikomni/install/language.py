"""Which of the two languages this user reads, by the locale. Standard library only, valid on Python 3.8."""

from __future__ import annotations

import os
from collections.abc import Mapping

_CHINESE = 0x04  # the primary language in a LANGID of Windows


def of_locale(environ: Mapping[str, str] = os.environ) -> str:
    """``zh`` or ``en``."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    told = next((environ[name] for name in names if environ.get(name)), "")
    if not told and os.name == "nt":  # where none of them is usual
        import ctypes

        return "zh" if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == _CHINESE else "en"
    return "zh" if told.lower().startswith("zh") else "en"
