"""What an existing card holds that is the user's: own properties, tags, and the words below the marked line.

Pure: bytes in, parts out. Front matter is kept as it is spelled, never parsed and written anew: a YAML round
trip would turn ``12:30`` into 750 and drop comments.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import yaml

MARKER = "<!-- tikomni:yours -->"
FRONT_LIMIT = 256 * 1024
# libyaml composes ten times as fast, but its recursion is not checked and it takes tabs for spaces: what may be nested
# deeply, or holds a tab, is left to Python.
_OPENING = re.compile(r"[\[{]|[-?:]\s")
_NEVER_DEEP = 250

_FRONT = re.compile(rb"(?ms)\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)")
_MARKED = re.compile(rb"^%s[ \t]*(?=\r?$)" % re.escape(MARKER.encode()), re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of the front matter: its name, its lines as they stand, its value where that is plain."""

    name: str
    lines: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A card as found: front matter in its order, and everything after it."""

    entries: tuple[Entry, ...]
    body: bytes

    def value(self, name: str) -> str | None:
        return next((e.values[0] for e in self.entries if e.name == name and len(e.values) == 1), None)

    def values(self, name: str) -> tuple[str, ...]:
        return next((e.values for e in self.entries if e.name == name), ())

    def others(self, ours: Collection[str]) -> str:
        """The lines of the members that are not ours."""
        return "".join(e.lines for e in self.entries if e.name not in ours)

    def only(self, names: Collection[str]) -> str:
        """The lines of the members called so, as they stand."""
        return "".join(e.lines for e in self.entries if e.name in names)

    def words(self, headings: Collection[str]) -> tuple[bytes, bool]:
        """What stands below the marked line, and whether its place was clear.

        Where the line was deleted, the heading that follows it in a new card stands in for it. Where that is
        gone too, nobody can tell whose words are whose: all of the body is kept.
        """
        if found := _MARKED.search(self.body):
            return self.body[found.end() :], True
        lines = b"|".join(re.escape(f"## {heading}".encode()) for heading in headings)
        if found := re.search(rb"^(?:%s)[ \t]*\r?$" % lines, self.body, re.MULTILINE):
            return b"\n" + self.body[found.start() :], True
        return self.body, False


def join(generated: str, old: Card | None, notes: str, headings: Collection[str]) -> bytes:
    """A whole card: what was generated, the marked line, and the user's words; new cards begin with ``notes``."""
    theirs = f"\n## {notes}\n\n".encode()
    if old is not None:
        found, clear = old.words(headings)
        theirs = found if clear else theirs + b"\n" + found
    return (generated + MARKER).encode("utf-8", "replace") + theirs


@lru_cache(maxsize=16)  # a card is read once to be recognised, once to be renewed; several cards at a time
def read(data: bytes) -> Card | None:
    """The parts of a Markdown file with flat front matter; ``None`` for any other file."""
    if not (found := _FRONT.match(data)):
        return None
    entries = _entries(found[1])
    return None if entries is None else Card(entries, data[found.end() :])


def _entries(raw: bytes) -> tuple[Entry, ...] | None:
    if len(raw) > FRONT_LIMIT:
        return None
    try:
        text = raw.decode("utf-8")
        # Composed, not constructed: aliases are never expanded, a hostile file costs no more than its length.
        fast = "\t" not in text and len(_OPENING.findall(text)) <= _NEVER_DEEP
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader) if fast else yaml.SafeLoader)
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        return None
    if any(key.start_mark.column or not isinstance(key, yaml.ScalarNode) for key, _ in node.value):
        return None
    starts = [0, *(key.start_mark.index for key, _ in node.value[1:])]
    ends = [*starts[1:], len(text)]
    return tuple(
        Entry(key.value, text[start:end], _plain(value))
        for (key, value), start, end in zip(node.value, starts, ends, strict=True)
    )


def _plain(node: yaml.Node) -> tuple[str, ...]:
    if isinstance(node, yaml.SequenceNode):
        return tuple(item.value for item in node.value if isinstance(item, yaml.ScalarNode))
    return (node.value,) if isinstance(node, yaml.ScalarNode) else ()
