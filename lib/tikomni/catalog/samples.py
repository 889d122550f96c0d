"""Somebody's sample value, told from a default.

Upstream declares both as ``default``. A default is what upstream does when nothing is said; a sample (a video's id,
a search word, last year's date) would answer, and charge for, a question that nobody asked. So the catalogue keeps a
sample as an example only, and the input becomes required. A heuristic: where it is wrong, the source says so by
``x-tikomni-upstream``. It must not look at anything but a name and a value.
"""

from __future__ import annotations

import re
from typing import Any

SHAPES = (
    re.compile(r"https?://.*|www\..*", re.DOTALL),
    re.compile(r"[\d-]{8,}"),  # ids, dates, times
    re.compile(r"(?=.*\d)(?=.*[A-Z])(?=.*[a-z])[\w=+/-]{12,}"),  # tokens
)
"""What the text of a sample looks like, whatever its input is called."""

TARGETS = re.compile(
    r"(^|_)(id|ids|uid|url|urls|link|keywords?|query|q|username|password|cookie|token|prompt|content|path|date)$"
    r"|[a-z](Id|Ids|Uid|Url|Token)$|^(subreddit|user|screen|channel|nick)_?name$|^text$",
    re.IGNORECASE,
)
"""Names of inputs that say what a call is about: nobody but the caller can know them."""

LEAST_ID = 10**8
"""Whole numbers from here on are ids or times."""


def is_sample(name: str, value: Any) -> bool:
    """Whether ``value``, declared as the default of the input ``name``, is a sample."""
    if value in ("", "0", 0, [], {}, ["all"]) or isinstance(value, bool):
        return False
    if isinstance(value, dict):
        return True
    if isinstance(value, list):
        return any(is_sample(name, part) for part in value)
    if isinstance(value, int) and not TARGETS.search(name):
        return abs(value) >= LEAST_ID
    return TARGETS.search(name) is not None or any(shape.fullmatch(str(value)) for shape in SHAPES)
