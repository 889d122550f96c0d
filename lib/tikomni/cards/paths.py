"""Which file is the card of a work or a creator. Looks for cards that are there; writes nothing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal, Self, get_args

from tikomni.cards import kept
from tikomni.facts import Creator, Work
from tikomni.settings import PREFIX, Settings
from tikomni.storage import names
from tikomni.storage.yaml_file import read_yaml

Kind = Literal["work", "author", "author_sample_work"]

EXTENSION = ".md"
AUTHOR_BYTES, TITLE_BYTES = 54, 84  # 18 and 28 Chinese characters


@dataclass(frozen=True, slots=True)
class Subject:
    """What a card is about, as far as its path tells. ``identifier`` is the platform's stable id; ``author_id`` that
    of a work's author."""

    platform: str
    identifier: str
    author: str | None
    title: str | None
    published_date: str | None = None
    snapshot_at: str | None = None
    author_id: str | None = None

    @classmethod
    def of(cls, work: Work) -> Self:
        author = work.author_name or work.author_handle or work.platform_author_id
        title = work.title or work.caption_raw or work.published_date
        names = work.platform, work.platform_work_id, author, title
        return cls(*names, work.published_date, work.snapshot_at, work.platform_author_id)

    @classmethod
    def of_creator(cls, creator: Creator) -> Self:
        name = creator.author_name or creator.author_handle
        handle = creator.author_handle if creator.author_name else None
        return cls(creator.platform, creator.platform_author_id, name, handle, snapshot_at=creator.snapshot_at)


def place(settings: Settings, kind: Kind, subject: Subject, existing: Path | None = None) -> Path:
    """Where the card of ``subject`` goes; ``existing`` (see ``CardIndex.find``) keeps its path under any title.

    Raises:
        InputError: ``config`` for a pattern that cannot be filled in, ``storage`` outside the card root.
    """
    if existing is not None:
        return names.inside(settings.cards, existing)
    # A file that is not this card is somebody's: the name gives way, by a part that is the same on every run.
    key = f"{subject.platform}:{subject.identifier}"
    distinctions = chain(("",), (sha256(f"{key}:{n}".encode()).hexdigest()[:6] for n in count(1)))
    paths = (plain_path(settings, kind, subject, distinction) for distinction in distinctions)
    return next(path for path in paths if not os.path.lexists(path))


def plain_path(settings: Settings, kind: Kind, subject: Subject, distinction: str = "") -> Path:
    """The path by settings alone, whatever stands there; ``distinction`` goes before the id."""
    values = _values(settings, kind, subject)
    end = names.identifier(subject.identifier)
    name = names.file_name(
        settings.filename_pattern_card,
        values,
        f"{distinction}-{end}" if distinction else end,
        setting=PREFIX + "FILENAME_PATTERN_CARD",
    )
    route, setting = _route(settings, kind)
    return names.inside(settings.cards, *names.parts(route, values, setting=setting), name)


def homes(settings: Settings) -> tuple[tuple[Path, str], ...]:
    """The homes of all kinds, for ``Tree.check``: wrong naming settings are found before anything is paid for.

    Raises:
        InputError: ``config``, naming the setting.
    """
    names.fill(settings.filename_pattern_card, {}, names.FILE_PLACEHOLDERS, PREFIX + "FILENAME_PATTERN_CARD")
    return tuple(home(settings, kind) for kind in get_args(Kind))


def example_paths(settings: Settings) -> dict[str, str]:
    """Where a card of each kind would go, for a user who tries naming settings out."""
    nobody = Subject("platform", "1234567890", author=None, title=None)
    return {kind: str(plain_path(settings, kind, nobody)) for kind in get_args(Kind)}


def home(settings: Settings, kind: Kind) -> tuple[Path, str]:
    """The folder below which all cards of a kind stand, and the setting that names it."""
    route, setting = _route(settings, kind)
    names.parts(route, {}, setting=setting)
    fixed = re.split(r"[|/\\]?[^|/\\]*\{", route, maxsplit=1)[0]
    return names.inside(settings.cards, *names.parts(fixed, {}, setting=setting)), setting


class CardIndex:
    """The cards that are there. Each home is walked once, so a run over many works keeps one index for all of them.

    Cards that the run itself makes are told to it with ``add``; other programs' cards are seen by the next one.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._walked: dict[Kind, dict[str, list[Path]]] = {}
        self._known: dict[tuple[Kind, str, str], Path | None] = {}
        self._promised: dict[tuple[Kind, str, str], Path] = {}

    def find(self, kind: Kind, subject: Subject) -> Path | None:
        """The card of ``subject`` below the home of its kind, under whatever title or folder it has by now."""
        key = _key(kind, subject)
        if key not in self._known:
            self._known[key] = self._look(kind, subject)
        return self._known[key]

    def add(self, kind: Kind, subject: Subject, path: Path) -> None:
        """``path`` is the card of ``subject`` from now on."""
        self._known[_key(kind, subject)] = path

    def promise(self, kind: Kind, subject: Subject, path: Path) -> None:
        """The card of ``subject`` will be written to ``path``: others may link to it."""
        self._promised[_key(kind, subject)] = path

    def promised(self, kind: Kind, subject: Subject) -> Path | None:
        return self._promised.get(_key(kind, subject))

    def _look(self, kind: Kind, subject: Subject) -> Path | None:
        if kind not in self._walked:
            self._walked[kind] = self._walk(kind)
        end = names.identifier(subject.identifier) + EXTENSION
        named = (p for p in self._walked[kind].get(_last(end), ()) if p.name == end or p.name.endswith("-" + end))
        mine = (path for path in sorted(named) if _is_card_of(path, kind, subject))
        return next(mine, None)

    def _walk(self, kind: Kind) -> dict[str, list[Path]]:
        """Files by the last part of their names: an id may hold dashes itself."""
        top, _ = home(self._settings, kind)
        found: dict[str, list[Path]] = {}
        for folder, _, files in os.walk(top):
            for name in files:
                found.setdefault(_last(name), []).append(Path(folder, name))
        return found


def _key(kind: Kind, subject: Subject) -> tuple[Kind, str, str]:
    return kind, subject.platform, subject.identifier


def _last(name: str) -> str:
    return name.rpartition("-")[2]


def _is_card_of(path: Path, kind: Kind, subject: Subject) -> bool:
    try:
        card = kept.read(path.read_bytes())
    except OSError:
        return False
    id_name = "platform_author_id" if kind == "author" else "platform_work_id"
    return card is not None and (card.value("platform"), card.value(id_name)) == (
        subject.platform, subject.identifier
    )  # fmt: skip


def _route(settings: Settings, kind: Kind) -> tuple[str, str]:
    setting = f"card_route_{kind}"
    return getattr(settings, setting) or _presets()[settings.path_locale][kind], PREFIX + setting.upper()


def _values(settings: Settings, kind: Kind, subject: Subject) -> dict[str, str]:
    preset = _presets()[settings.path_locale]
    snapshot = _moment(subject.snapshot_at, settings)
    date = subject.published_date or (f"{snapshot:%Y-%m-%d}" if snapshot else "")
    return {
        "prefix": getattr(settings, f"card_prefix_{kind}"),
        "platform": names.slug(subject.platform, 40, "platform"),
        "card_type": kind,
        "author_slug": names.slug(subject.author, AUTHOR_BYTES, preset["no_author"]),
        "title_slug": names.slug(subject.title, TITLE_BYTES, preset["no_title"]),
        "timestamp": f"{snapshot:%Y%m%d-%H%M%S}" if snapshot else "",
        "date": date,
        "year": date[:4],
        "year_month": date[:7],
        "identifier": names.identifier(subject.identifier),
        "ext": EXTENSION,
    }


def _moment(iso: str | None, settings: Settings) -> datetime | None:
    return datetime.fromisoformat(iso).astimezone(settings.zone) if iso else None


@cache
def _presets() -> dict[str, Any]:
    return read_yaml(Path(__file__).with_name("folders.yaml"))
