"""Comments as material of an analysis: numbered, the author's own marked, the most liked where room is short.

Pure. The same comments give the same numbers.
"""

from __future__ import annotations

import json
from dataclasses import replace

from tikomni.analysis.comments import Discussion
from tikomni.analysis.tasks.material import COMMENTS, Material, Source, one_line
from tikomni.analysis.tasks.parts import AUTHOR, MARGIN, PART_TOKENS, comment_line
from tikomni.analysis.tasks.registry import Kind
from tikomni.envelope import tokens
from tikomni.facts import Comment, Work

# A comment is what a footnote quotes; what is cut ends with an ellipsis.
COMMENT_CHARS = 300
# What of the work is shown beside its comments.
ABOUT_CHARS = 300
# What the index, and the words of a question around the parts, may take.
ROOM = 2000


def of_comments(kind: Kind, work: Work, said: Discussion, read: int, replies: int, language: str) -> Material:
    """What people say of ``work``; ``read`` comments and ``replies`` were read in all."""
    refs = {comment.comment_id: f"C{number:03}" for number, comment in enumerate(said.listed, 1)}
    sources = [_source(comment, refs) for comment in said.listed]
    shown = _fitting(sources, kind, language)
    works = tuple(one if one.ref in shown else replace(one, excluded="not_shown") for one in sources)
    subject = {
        "type": COMMENTS,
        "platform": work.platform,
        "id": work.platform_work_id,
        "name": one_line(work.title or ""),
        "about": one_line(work.primary_text or "")[:ABOUT_CHARS],
    }
    figures = {
        "digg_count": work.digg_count,
        "comment_count": work.comment_count,
        "comments_read": read,
        "replies_read": replies,
        "without_words": sum(said.wordless.values()),
        "by_author": said.by_author,
    }
    return Material(kind.name, kind.version, language, subject, figures, works)


def _source(comment: Comment, refs: dict[str, str]) -> Source:
    ref, text = refs[comment.comment_id], one_line(comment.text or "")
    return Source(
        ref=ref,
        key=comment.key,
        title="",
        url=None,
        figures={
            "like_count": comment.like_count,
            "reply_count": comment.reply_count,
            "published_date": (comment.published_at or "")[:10] or None,
            "ip_location": one_line(comment.ip_location or "")[:20] or None,
        },
        sentences={ref: text if len(text) <= COMMENT_CHARS else text[: COMMENT_CHARS - 1] + "…"},
        excluded=AUTHOR if comment.is_author else None,
        traits=(refs[comment.parent_id],) if comment.parent_id in refs else (),
    )


def _fitting(sources: list[Source], kind: Kind, language: str) -> set[str]:
    """The most liked, as many as the budget of the kind has room for."""
    asked = tokens(kind.prompt(language)) + tokens(json.dumps(kind.schema(language), ensure_ascii=False))
    left = kind.tokens - asked - ROOM - 2 * MARGIN * (1 + kind.tokens // PART_TOKENS)
    shown: set[str] = set()
    for one in sorted(sources, key=lambda source: -(source.figures["like_count"] or 0)):
        left -= tokens(comment_line(one, language)) + 1
        if left < 0:
            break
        shown.add(one.ref)
    return shown
