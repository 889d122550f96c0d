"""What comments add up to before anybody reads them: which hold words, who spoke, how they stand in threads.

Pure. Judges no content, and asks no model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tikomni.facts import Comment
from tikomni.storage.names import printable

Wordless = Literal["sticker", "emoji", "mention"]

# ``@`` and a name: platforms end a name with a blank.
MENTION = re.compile(r"[@＠][^\s@＠，。！？；：、,!?;:()（）\[\]【】]{1,40}")
# Platforms spell their own emoji in brackets.
_CODE = re.compile(r"\[[^\[\]\s]{1,12}\]")


@dataclass(frozen=True, slots=True)
class Discussion:
    """The comments of one work, in threads. ``listed``: those with words, ``by_author`` of which are the author's own;
    ``wordless``: how many of each kind have none."""

    listed: tuple[Comment, ...]
    wordless: Mapping[str, int]

    @property
    def by_author(self) -> int:
        return sum(bool(comment.is_author) for comment in self.listed)

    def top(self, most: int) -> tuple[Comment, ...]:
        """The listed ones with most likes, the audience's alone."""
        said = [comment for comment in self.listed if not comment.is_author]
        return tuple(sorted(said, key=lambda comment: -(comment.like_count or 0))[:most])


def discussion(comments: Iterable[Comment]) -> Discussion:
    """``comments`` as threads, the wordless ones counted."""
    listed, counted = [], Counter[str]()
    for comment in threads(tuple(comments)):
        if kind := wordless(comment.text):
            counted[kind] += 1
        else:
            listed.append(comment)
    return Discussion(tuple(listed), dict(sorted(counted.items())))


def threads(comments: Sequence[Comment]) -> Sequence[Comment]:
    """Each comment, then the replies below it; replies to replies with the rest, in their order."""
    ids = {comment.comment_id for comment in comments}
    parent = {comment.comment_id: comment.parent_id for comment in comments}
    below: dict[str, list[Comment]] = {}
    first = []
    for comment in comments:
        root, seen = comment.comment_id, set()
        while (above := parent.get(root)) in ids and root not in seen:
            seen.add(root)
            root = above or ""
        if root == comment.comment_id:
            first.append(comment)
        else:
            below.setdefault(root, []).append(comment)
    return [one for comment in first for one in (comment, *below.get(comment.comment_id, ()))]


def wordless(text: str | None) -> Wordless | None:
    """Why a comment says nothing in words: a picture alone, emoji and signs alone, people's names alone.

    >>> wordless("[玫瑰]😭！"), wordless("1"), wordless(None)
    ('emoji', None, 'sticker')
    """
    shown = printable(text or "").strip()
    if not shown:
        return "sticker"
    bare = MENTION.sub("", shown)
    if any(c.isalnum() for c in _CODE.sub("", bare)):
        return None
    return "mention" if bare != shown else "emoji"
