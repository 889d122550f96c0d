"""The creators that are followed: a plain YAML list, one a line, that people edit too. Asks nobody.

What people wrote into the file stays as it is: a creator is added as a line at its end and removed as a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tikomni.errors import InputError
from tikomni.facts import Creator
from tikomni.pipelines.known import known_creators
from tikomni.platforms import Target, names, read_links
from tikomni.settings import Settings
from tikomni.storage.atomic import write_text
from tikomni.storage.names import printable

NAME = "follow.yaml"
MOST_BYTES = 1024 * 1024
HEAD = (
    "# Creators to follow, one a line: a profile link, or platform:id. What follows a # is yours.\n"
    "# 追更名单，一行一个：主页链接，或 平台:ID。# 之后的文字归你所有。\n"
)
_ITEM = re.compile(r"-\s+\S")
_PLAIN = re.compile(r"[A-Za-z0-9][\w./?=&%@:~+-]*[\w/=]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Followed:
    """An entry of the list and the creator that it names; ``creator``: as the library knows them."""

    text: str
    target: Target
    creator: Creator | None = None

    @property
    def key(self) -> tuple[str | None, str]:
        ids = self.target.ids
        name = next((ids[n] for n in ("creator_id", "handle", "uid", "short_id") if ids.get(n)), self.target.url or "")
        return self.target.platform, name


def default_path(settings: Settings) -> Path:
    """In the state folder, which every folder and every timer finds."""
    return settings.state / NAME


def read(path: Path, creators: Sequence[Creator]) -> tuple[Followed, ...]:
    """The entries of the list at ``path``, each creator once; none where there is no file.

    Raises:
        InputError: ``invalid_input``, for a file that is no such list, or an entry that names no creator.
    """
    entries = [_entry(text, path, creators) for text in _texts(path)]
    return tuple({entry.key: entry for entry in reversed(entries)}.values())[::-1]


def named(text: str, platform: str | None, creators: Sequence[Creator]) -> Followed | None:
    """Whom ``text`` names: a creator of the library, a link, ``platform:id``, or a handle with its ``platform``."""
    known = known_creators(text, creators, platform)
    if len(known) == 1:
        return _known(text, known[0])
    prefix, colon, rest = text.strip().partition(":")
    if colon and prefix in names():
        platform, text = prefix, rest
    targets = [t for t in read_links(text, platform, "creator") if t.kind in ("creator", "short") and not t.elsewhere]
    if len(targets) != 1:
        return None
    target = replace(targets[0], text=text.strip())
    known = known_creators(f"{target.platform}:{target.ids.get('creator_id')}", creators) or known
    return _known(text, known[0]) if len(known) == 1 else Followed(text.strip(), target)


def add(path: Path, new: Iterable[Followed]) -> None:
    """Write ``new`` at the end of the list, with their names where they are known.

    Raises:
        InputError: ``storage``, or as ``read``.
    """
    before = _read(path) or HEAD
    if _texts(path) and not any(map(_ITEM.match, before.splitlines())):
        raise _by_hand(path)
    lines = [f"- {_spelled(entry)}{_named(entry)}\n" for entry in new]
    write_text(path, before + ("" if before.endswith("\n") else "\n") + "".join(lines), 0o600)


def remove(path: Path, gone: Iterable[Followed]) -> None:
    """Take the lines of ``gone`` out of the list.

    Raises:
        InputError: ``invalid_input``, where they don't stand on lines of their own.
    """
    texts = {entry.text for entry in gone}
    lines = _read(path).splitlines(keepends=True)
    kept = [line for line in lines if not (_ITEM.match(line) and _items(line) and _items(line)[0] in texts)]
    if sum(text in texts for text in _texts(path)) != len(lines) - len(kept):
        raise _by_hand(path)
    write_text(path, "".join(kept), 0o600)


def _entry(text: str, path: Path, creators: Sequence[Creator]) -> Followed:
    entry = named(text, None, creators)
    if entry is None:
        hint = "Each entry is a profile link, or platform:id; npx tikomni-skills follow add writes it."
        raise InputError("invalid_input", f"{path}: {text[:120]!r} names no creator.", hint=hint)
    return replace(entry, text=text)


def _known(text: str, creator: Creator) -> Followed:
    ids = {**creator.platform_native_ids, "creator_id": creator.platform_author_id}
    return Followed(text.strip(), Target(creator.platform, "creator", ids, text=creator.key), creator)


def _spelled(entry: Followed) -> str:
    """A creator's id where it is known: links may carry tokens, handles may change."""
    platform, name = entry.key
    text = name if name == entry.target.url else f"{platform}:{name}"
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _named(entry: Followed) -> str:
    name = entry.creator and (entry.creator.author_name or entry.creator.author_handle)
    return f"  # {' '.join(printable(name).split())[:60]}" if name else ""


def _texts(path: Path) -> list[str]:
    return _items(_read(path), path)


def _items(text: str, path: Path | None = None) -> list[str]:
    """The list in ``text``. Every scalar is a text: ids with leading zeros are no numbers."""
    import yaml

    try:
        found: Any = yaml.load(text, Loader=yaml.BaseLoader)  # texts, lists and mappings alone
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise InputError("invalid_input", f"{path}:{where} not YAML ({getattr(error, 'problem', error)}).") from None
    if not found:
        return []
    if not isinstance(found, list) or not all(isinstance(item, str) and item.strip() for item in found):
        raise InputError("invalid_input", f"{path}: expected a list of creators, one a line after a dash.")
    return found


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("invalid_input", f"{path}: more than {MOST_BYTES} bytes.")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("invalid_input", f"{path}: cannot be read ({error}).") from None


def _by_hand(path: Path) -> InputError:
    return InputError("invalid_input", f"{path}: its entries don't stand one a line; please edit it by hand.")
