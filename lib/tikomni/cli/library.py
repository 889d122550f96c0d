"""Search everything that was ever stored: works, what is said in them, comments. Costs nothing and asks nobody."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Outcome, add_common, add_output_arguments, new_run_id, paste, table_forms
from tikomni.cli.looks import open_library, since
from tikomni.errors import InputError

if TYPE_CHECKING:
    from tikomni.library.search import Key, Query
    from tikomni.library.store import Library
    from tikomni.pipelines.finding import Found
    from tikomni.settings import Settings

SORTS = ("likes", "comments", "collects", "shares", "plays", "newest")
KINDS = ("video", "images", "text", "work", "comment")
OF_WORK = (
    "platform platform_work_id platform_author_id author_handle author_name title caption_raw media_kind published_at "
    "published_date duration_ms digg_count comment_count collect_count share_count play_count topics source_url "
    "open_url snapshot_at"
).split()
OF_COMMENT = ("comment_id", "like_count", "reply_count", "ip_location", "is_author", "parent_id")
FIELDS = ("key", *OF_WORK, *OF_COMMENT, "text", "at")
SHOWN = ("key", "published_date", "digg_count", "title", "text", "at")
SHOWN_OF_COMMENT = ("key", "comment_id", "published_date", "like_count", "text")
LIMIT, MOST = 20, 10_000
ROW_TOKENS, TITLE_CHARS, TEXT_CHARS, LEAST_CHARS = 60, 24, 160, 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="WORD", nargs="*", help="what has to stand in it; of several words all")
    parser.add_argument("--creator", metavar="X", help="whose works: name, handle, id or profile link")
    parser.add_argument("--platform", metavar="NAME", help="douyin, xiaohongshu, …")
    parser.add_argument("--since", metavar="DATE", help="published since then: 2026-11-01, or 30d")
    parser.add_argument("--min-likes", type=int, metavar="N", help="with at least so many likes")
    parser.add_argument("--kind", choices=KINDS, help="what is looked for (default: works and comments)")
    parser.add_argument("--sort", choices=SORTS, default="likes", help="most or newest first (default likes)")
    parser.add_argument("--fields", metavar="NAMES", help=f"columns of a row: {','.join(SHOWN)}, …")
    parser.add_argument(
        "--limit", type=int, default=LIMIT, metavar="N", help=f"rows that are printed (default {LIMIT})"
    )
    parser.add_argument("--export", metavar="FORMS", help="every hit as tables: xlsx,csv,jsonl,feishu")
    parser.add_argument("--base-url", metavar="URL", help="the upstream that the works came from")
    add_output_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.library.search import search

    settings = context.settings(args)
    words = [word for text in args.words for word in text.split()]
    fields, forms = _fields(args.fields), table_forms(args.export)
    if not 1 <= args.limit <= MOST:
        raise InputError("usage", f"--limit {args.limit}: expected 1 to {MOST}.")
    with open_library(settings) as library:
        there = library.searched() if library else {}
        if library is None or not there:
            raise _empty(settings, context)
        if args.platform not in (None, *(platform for platform, _ in there)):
            known = ", ".join(sorted({platform for platform, _ in there}))
            raise InputError("usage", f"--platform {args.platform!r}: works are stored of {known}.")
        hits = search(library, _query(args, words, library, settings))
        from tikomni.pipelines.finding import documents, export

        found = documents(library, hits if forms else hits[: args.limit], words)
        paths = {}
        if forms and found:
            from tikomni.storage.tree import Tree

            paths = export(found, Tree(settings).run_dir(new_run_id(settings)), settings, forms)
    result = {
        "count": len(hits),
        "items": [row(one, words, fields) for one in found[: args.limit]],
        "searched": {f"{kind}s": sum(n for (_, k), n in there.items() if k == kind) for kind in ("work", "comment")},
        "paths": paths,
    }
    return Outcome(result=result)


def row(found: Found, words: Sequence[str], fields: Sequence[str] | None) -> dict[str, Any]:
    """A hit in at most 60 tokens: its texts give way, around the words that were looked for.

    With ``fields`` a row is as long as these make it.
    """
    names = fields or (SHOWN if found.comment is None else SHOWN_OF_COMMENT)
    if fields:
        return _members(found, names, words, TEXT_CHARS, TEXT_CHARS)
    from tikomni.envelope import dump, tokens

    made = _members(found, names, words, TITLE_CHARS, TEXT_CHARS)
    title, text = TITLE_CHARS, TEXT_CHARS
    while tokens(dump(made, pretty=False)) > ROW_TOKENS and (text > LEAST_CHARS or title > LEAST_CHARS):
        # The matching sentence tells more than the rest of the title.
        text, title = (text, title - 2) if title > LEAST_CHARS and text <= 2 * LEAST_CHARS else (text - 2, title)
        text, title = max(text, LEAST_CHARS), max(title, LEAST_CHARS)
        made = _members(found, names, words, title, text)
    return made


def _members(found: Found, names: Sequence[str], words: Sequence[str], title: int, text: int) -> dict[str, Any]:
    from tikomni.analysis.passages import clip

    work, comment, passage = found.work, found.comment, found.passage
    document = comment or work
    assert document is not None
    told: dict[str, Any] = {}
    for name in names:
        match name:
            case "key":
                told[name] = f"{document.platform}:{document.platform_work_id}"
            case "text":
                told[name] = clip(" ".join(passage.text.split()), words, text) if passage else None
            case "at":
                told[name] = _clock(passage.start_ms if passage else None)
            case "title":
                told[name] = clip(" ".join(work.title.split()), words, title) if work and work.title else None
            case "published_date" if comment is not None:
                told[name] = (comment.published_at or "")[:10] or None
            case _:
                whose = work if name in OF_WORK and not hasattr(comment, name) else document
                told[name] = getattr(whose, name, None)
                if name == "caption_raw" and told[name]:
                    told[name] = clip(" ".join(told[name].split()), words, text)
    return told


def _clock(milliseconds: int | None) -> str | None:
    """When in a clip, as players show it."""
    if milliseconds is None:
        return None
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes}:{seconds:02}"


def _query(args: argparse.Namespace, words: list[str], library: Library, settings: Settings) -> Query:
    from tikomni.library.search import Query

    if args.min_likes is not None and args.min_likes < 0:
        raise InputError("usage", f"--min-likes {args.min_likes}: expected a number that is not negative.")
    creators, author = None, None
    if args.creator is not None:
        from tikomni.pipelines.known import known_creators

        creators = tuple(c.key.split(":", 1) for c in known_creators(args.creator, library.creators(), args.platform))
        if not creators:  # works are kept of people whose profile nobody has read
            creators, author = _authors(args.creator, library)
    return Query(
        words=tuple(words),
        creators=creators,
        author=author,
        platform=args.platform,
        since=since(args.since, settings.zone) if args.since else None,
        min_likes=args.min_likes,
        kind=args.kind,
        sort=args.sort,
    )


def _authors(text: str, library: Library) -> tuple[tuple[Key, ...] | None, str | None]:
    """Whose works ``text`` means where no profile is stored: an id's, else those of a name.

    Raises:
        InputError: ``invalid_input``, with names that are close.
    """
    from tikomni.library.search import Query, search

    platform, _, author_id = text.strip().rpartition(":")
    of_id = ((platform or None, author_id),)
    if search(library, Query(creators=of_id)):
        return of_id, None
    if text.strip() and search(library, Query(author=text)):
        return None, text
    from difflib import get_close_matches

    names = [name for creator in library.creators() for name in (creator.author_name, creator.author_handle) if name]
    details = {"near": get_close_matches(text, names, 5, 0.3)}
    raise InputError(
        "invalid_input",
        f"--creator {text[:80]!r}: nothing is stored of anybody of this name, handle or id.",
        hint="Names that are close are in details; a creator is stored once analysed.",
        details=details,
    )


def _fields(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in names if name not in FIELDS]
    if unknown or not names:
        named = ", ".join(unknown) or "name"
        raise InputError("usage", f"--fields {text!r}: no {named}; there are {', '.join(FIELDS)}.")
    return names


def _empty(settings: Settings, context: Context) -> InputError:
    hint = "Analyse a work or a creator, or collect a list: all that is read is kept here."
    details = {"origin": settings.origin, "analyse": paste(["creator"], ["PROFILE_LINK"], context.skill_dir)}
    return InputError("invalid_input", f"Nothing is stored of {settings.origin} yet.", hint=hint, details=details)
