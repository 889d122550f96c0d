"""Strangers' texts as Markdown that reads as it was written and does nothing.

What is escaped is what Markdown, HTML or Obsidian (links, embeds, tags, comments, callouts, block ids, math,
Dataview fields and code) would act upon; other punctuation stays as it is. A pair such as ``[[`` or ``%%`` is
split by a backslash between its characters, so that programs that search the raw text do not find it either.
"""

from __future__ import annotations

import re
from urllib.parse import quote as percent

from tikomni.storage.names import printable

_ACTIVE = re.compile(
    r"""
      [\\`*$]                             # escapes, code, emphasis, math
    | (?<!\w)\#                           # headings, tags
    | (?<=[\[\]^])\[ | \[(?=[^\[\]]\])    # wikilinks, reference links, inline footnotes, check boxes
    | (?<=\])[(:] | (?<=\[)[\^!]          # links, definitions, footnotes, callouts
    | (?<=%)% | (?<=~)~ | (?<==)= | (?<=:):
    | (?<=\s)\^                           # block ids
    | (?<![^\W_])_ | _(?![^\W_])          # emphasis; inside a word it is none
    | <(?![\s\d]) | &(?=\#?\w+;)          # HTML, comments, templates, entities
    """,
    re.VERBOSE,
)
_ENTITIES = {"<": "&lt;", "&": "&amp;"}
# A quotation, or a line of marks: a rule, a table's second row, the underline that makes a heading of a line.
_ACTIVE_START = re.compile(r">|[-=+|: ]+$")
# What ends a wikilink, or acts inside its alias, where no backslash helps: told by its full-width form.
_ALIAS_ACTIVE = re.compile(r"[\[\]|<>\\`*$#^]|(?<=%)%|(?<=~)~|(?<==)=|(?<=:):")
# Obsidian reads these in a target as the end of the path.
_TARGET_ACTIVE = re.compile(r"[\[\]|#^\n]|%%")
_URL_UNSAFE = re.compile(r"[^!#&'*+,\-./0-9:;=?@A-Za-z_~%]|%(?![0-9A-Fa-f]{2})")


def inline(text: str, most: int | None = None) -> str:
    """``text`` on one line, at most ``most`` characters of it, for headings, list items and sentences."""
    return _escape(one_line(text, most))


def cell(text: str) -> str:
    """``text`` for a cell of a table."""
    return inline(text).replace("|", "\\|")


def quote(text: str) -> str:
    """``text`` as a block quote, its paragraphs and lines kept; nothing in it can end the quote. Empty for no text."""
    lines = [line.strip(" ") for line in printable(text).strip().split("\n")]
    folded = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(f"> {_block_line(line)}" if line else ">" for line in folded)


def one_line(text: str, most: int | None = None) -> str:
    """``text`` without markup decisions: printable, white space folded, clipped with an ellipsis."""
    line = re.sub(r"\s+", " ", printable(text)).strip()
    return line if most is None or len(line) <= most else line[: most - 1].rstrip() + "…"


def url(address: str | None) -> str | None:
    """``address`` as a link target that cannot end the link; ``None`` for anything but http(s)."""
    if not address or not re.match(r"https?://[^/\s]", address, re.IGNORECASE):
        return None
    return _URL_UNSAFE.sub(lambda m: percent(m[0].encode("utf-8", "replace"), safe=""), address)


def wikilink(path: str, alias: str, most: int = 120) -> str:
    """A link of Obsidian's to the note at ``path`` (from the card root, ``.md`` included), read as ``alias``.

    A path that no wikilink can hold, in a folder that the user named so, becomes a Markdown link.
    """
    shown = one_line(alias, most)
    if _TARGET_ACTIVE.search(path):
        return f"[{_escape(shown)}]({percent(path)})"
    return f"[[{path.removesuffix('.md')}|{_ALIAS_ACTIVE.sub(lambda m: chr(ord(m[0]) + 0xFEE0), shown)}]]"


def _escape(line: str) -> str:
    return _ACTIVE.sub(lambda m: _ENTITIES.get(m[0], "\\" + m[0]), line)


def _block_line(line: str) -> str:
    return ("\\" if _ACTIVE_START.match(line) else "") + _escape(line)
