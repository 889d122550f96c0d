"""Whom to follow: add creators to the list, remove them, show it. ``creator --follow`` reads what is new of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Next, Outcome, add_common, paste
from tikomni.cli.looks import open_library
from tikomni.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tikomni.facts import Creator
    from tikomni.pipelines.following import Followed
    from tikomni.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("add", "remove", "list"), help="what to do with the list")
    parser.add_argument("inputs", metavar="CREATOR", nargs="*", help="profile link, platform:id, name or handle")
    parser.add_argument("--platform", metavar="NAME", help="whose handles or ids these are: douyin, xiaohongshu")
    parser.add_argument("--file", type=Path, metavar="FILE", help="the list (default: follow.yaml in the state folder)")
    parser.add_argument("--base-url", metavar="URL", help="the upstream that the creators are known of")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.pipelines import following

    settings = context.settings(args)
    creators = stored_creators(settings)
    path = args.file.expanduser().absolute() if args.file else following.default_path(settings)
    entries = following.read(path, creators)
    if args.action == "list":
        if args.inputs:
            raise InputError("usage", "follow list takes no creators.")
        return _told(path, entries, args, context, {"creators": [_row(entry) for entry in entries]})
    wanted = [_named(text, args.platform, creators, context) for text in _inputs(args.inputs)]
    keys = {entry.key: entry for entry in entries}
    if args.action == "add":
        new = list({entry.key: entry for entry in wanted if entry.key not in keys}.values())
        if new:
            following.add(path, new)
        result = {"added": [_row(entry) for entry in new], "already": len(wanted) - len(new)}
    else:
        if strangers := [entry.text for entry in wanted if entry.key not in keys]:
            hint = "follow list shows whom the list names."
            raise InputError("invalid_input", f"{path}: {', '.join(strangers)[:200]} is not followed.", hint=hint)
        following.remove(path, [keys[entry.key] for entry in wanted])
        result = {"removed": [_row(keys[entry.key]) for entry in wanted]}
    return _told(path, following.read(path, creators), args, context, result)


def stored_creators(settings: Settings) -> list[Creator]:
    """Every creator of the library; makes no library."""
    with open_library(settings) as library:
        return list(library.creators()) if library else []


def _inputs(inputs: Sequence[str]) -> list[str]:
    texts = [text for text in inputs if text.strip()]
    if not texts:
        raise InputError("no_input", "No creator was named.", hint="Give profile links, platform:id, or names.")
    return texts


def _named(text: str, platform: str | None, creators: Sequence[Creator], context: Context) -> Followed:
    from tikomni.cli.targets import gather, is_creator, refuse_others
    from tikomni.pipelines import following
    from tikomni.pipelines.known import known_creators

    found = following.named(text, platform, creators)
    if found is not None:
        return found
    if keys := [creator.key for creator in known_creators(text, creators, platform)]:
        raise InputError("usage", f"{text!r} names {len(keys)} creators: {', '.join(keys[:5])}.", hint="Give an id.")
    refusal, _ = refuse_others(gather([text], None, platform, expect="creator"), context, is_creator)
    raise refusal or InputError("usage", f"{text[:120]!r} names several creators; give them one by one.")


def _row(entry: Followed) -> dict[str, Any]:
    creator = entry.creator
    return {
        "key": ":".join(str(part) for part in entry.key if part),
        "author_name": creator and creator.author_name,
        "read_at": creator and creator.snapshot_at,
    }


def _told(
    path: Path, entries: Sequence[Followed], args: argparse.Namespace, context: Context, result: dict[str, Any]
) -> Outcome:
    lines = [f"{path}: {len(entries)} followed"]
    lines += [
        f"  {row['key']}  {row['author_name'] or ''}  {row['read_at'] or 'never read'}" for row in map(_row, entries)
    ]
    command = paste(["creator"], ["--follow", *([str(path)] if args.file else [])], context.skill_dir)
    go_on = (Next(command, "reads what is new of them"),) if entries else ()
    return Outcome(result={"path": str(path), "followed": len(entries)} | result, next=go_on, plain=tuple(lines))
