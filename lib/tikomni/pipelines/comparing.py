"""Creators of the library side by side: what is stored of each, the window that all cover, documents. Asks nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from tikomni.analysis import tasks
from tikomni.analysis.comparison import LETTERS, Comparison, Window, common, comparison, side
from tikomni.analysis.rules import rules_of
from tikomni.cards import accepted
from tikomni.cards import comparison as documents
from tikomni.cards.labels import language
from tikomni.errors import InputError
from tikomni.facts import Creator, Work
from tikomni.library.store import Library, Walked
from tikomni.pipelines.benchmark import write_tasks
from tikomni.pipelines.lists import MOST_PINNED
from tikomni.pipelines.subject import LIST, is_walk
from tikomni.settings import Settings
from tikomni.storage.atomic import write_bytes, write_text

FILES = {"markdown": "md", "report": "html", "xlsx": "xlsx"}


@dataclass(frozen=True, slots=True)
class Stored:
    """What the library has of a creator: everything that was published from ``since`` to ``until``.

    ``sure``: a recorded walk says so; else ``since`` is the oldest stored work that is not pinned.
    """

    creator: Creator
    works: tuple[Work, ...]
    since: datetime
    until: datetime
    sure: bool


@dataclass(frozen=True, slots=True)
class Written:
    """``tasks``: (kind, folder)."""

    paths: dict[str, str]
    tasks: tuple[tuple[str, Path], ...]


def stored(library: Library, creator: Creator) -> Stored | None:
    """``None`` where no dated work of ``creator`` is stored."""
    works = library.works_of(creator.platform, creator.platform_author_id)
    dated = [(datetime.fromisoformat(work.published_at), work) for work in works if work.published_at]
    dated.sort(key=lambda pair: pair[0], reverse=True)
    if not dated:
        return None
    moments = [at for at, _ in dated]
    recorded = library.walks_of(creator.platform, creator.platform_author_id)
    walks = [walk for walk in recorded if walk.complete and is_walk(walk.list)]
    starts = [start for walk in walks if (start := _start(walk, moments)) is not None]
    unpinned = [at for at, work in dated if not work.pinned] or moments
    read = [walk.walked_at for walk in walks] or [creator.snapshot_at or dated[0][1].snapshot_at or ""]
    until = max(datetime.fromisoformat(moment) for moment in read if moment)
    return Stored(creator, works, min(starts, default=unpinned[-1]), until, bool(starts))


def compare(
    found: Sequence[Stored], since: datetime | None, settings: Settings, own_words: Sequence[str]
) -> Comparison:
    """The creators from ``since`` on, by default from where all of them are stored, until the first of them was read.

    Raises:
        InputError: ``invalid_input``, where there is no such time.
    """
    window = common((one.since, one.until) for one in found)
    until = min(one.until for one in found)
    if since is not None:
        window = Window(since, until) if since < until else None
    if window is None:
        told = "; ".join(f"{one.creator.key} {one.since:%Y-%m-%d} – {one.until:%Y-%m-%d}" for one in found)
        hint = "Read the one that lags behind anew (--fresh), or with more works (--works all)."
        raise InputError("invalid_input", f"No time is stored of all of them: {told}.", hint=hint)
    zone = settings.zone
    sides = [
        side(letter, one.creator, one.works, window, rules_of(one.creator.platform, settings), zone, own_words)
        for letter, one in zip(LETTERS, found, strict=False)
    ]
    return comparison(sides, window)


def write(made: Comparison, folder: Path, settings: Settings) -> Written:
    """Markdown, a page, a spreadsheet and the tasks; what was accepted of an earlier task stands in them.

    Raises:
        TikomniError: ``disk_full``; InputError ``storage``.
    """
    spoken = language(settings, made.sides[0].creator.platform)
    subject_id = name_of(made)
    task_folders = write_tasks(settings, tasks.for_comparison(made, subject_id, spoken))
    analyses, waiting = accepted.stored(settings, tasks.COMPARISON, subject_id)
    data = documents.Data(made, spoken, settings.zone, datetime.now(settings.zone), analyses, waiting)
    paths = {name: folder / f"comparison.{end}" for name, end in FILES.items()}
    write_text(paths["markdown"], documents.markdown(data))
    write_text(paths["report"], documents.page(data))
    write_bytes(paths["xlsx"], documents.spreadsheet(data))
    return Written({name: str(path) for name, path in paths.items()}, task_folders)


def name_of(made: Comparison) -> str:
    """The same for the same creators in the same order: what is said of them is kept under it."""
    return sha256("\n".join(one.creator.key for one in made.sides).encode()).hexdigest()[:16]


def _start(walk: Walked, newest_first: Sequence[datetime]) -> datetime | None:
    """From when on a walk left nothing out. A few of a number of works may be old ones, pinned above the rest."""
    if walk.list == LIST:
        return newest_first[-1]
    number = walk.list.partition(":")[2]
    if not number.isdecimal() or walk.newest_at is None:
        return None
    read = [at for at in newest_first if at <= datetime.fromisoformat(walk.newest_at)]
    return read[min(max(int(number) - MOST_PINNED, 1), len(read)) - 1] if read else None
