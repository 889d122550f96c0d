"""From a question to what the library knows about it: rows for a reader, tables for a spreadsheet. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tikomni.analysis.passages import Passage, passage
from tikomni.facts import Comment, Work
from tikomni.library.search import Hit
from tikomni.library.store import Library
from tikomni.settings import Settings

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tikomni.cards.report import ReportWork


@dataclass(frozen=True, slots=True)
class Found:
    """A hit with its document. ``passage``: where the words stand; ``None`` where none were looked for."""

    work: Work | None
    comment: Comment | None
    passage: Passage | None


@dataclass(frozen=True, slots=True)
class Table:
    """Works of many creators as ``cards.tables`` takes them: without a place among their creator's."""

    works: Sequence[ReportWork]
    language: str
    zone: ZoneInfo
    generated_at: datetime


def documents(library: Library, hits: Iterable[Hit], words: Sequence[str]) -> list[Found]:
    """The hits' documents, in their order; comments with the work that they stand below, where that is known."""
    found = []
    for hit in hits:
        if hit.kind == "work":
            work = library.work(hit.platform, hit.object_id)
            if work is not None:
                found.append(Found(work, None, passage(work, words) if words else None))
        elif comment := library.comment(hit.platform, hit.object_id):
            work = library.work(hit.platform, comment.platform_work_id or "")
            found.append(Found(work, comment, Passage(comment.text or "")))
    return found


def export(found: Iterable[Found], folder: Path, settings: Settings, forms: Sequence[str]) -> dict[str, str]:
    """Write the works, and the comments beside them, as tables below ``folder``; returns paths by form.

    Raises:
        TikomniError: ``disk_full``; InputError ``storage``.
    """
    from tikomni.analysis.buckets import Standing
    from tikomni.analysis.cohort import approximate, interactions
    from tikomni.analysis.rules import COUNTS
    from tikomni.analysis.values import Figure
    from tikomni.cards import tables
    from tikomni.cards.labels import language
    from tikomni.cards.report import ReportWork
    from tikomni.storage.tables import write_rows

    rows = list(found)
    works = [one.work for one in rows if one.comment is None and one.work is not None]
    nowhere: Figure[float] = Figure(None, 0, reason="not_compared")
    table = Table(
        [ReportWork(Standing(w, None, interactions(w), approximate(w, COUNTS), nowhere)) for w in works],
        language(settings, works[0].platform if works else ""),
        settings.zone,
        datetime.now(settings.zone),
    )
    paths: dict[str, str] = {}
    if works:
        made = tables.export(table, folder, "works", forms)  # type: ignore[arg-type]
        paths = {form: str(files[0] if len(files) == 1 else files[0].parent) for form, files in made.items()}
    if comments := [one.comment for one in rows if one.comment is not None]:
        form = "jsonl" if "jsonl" in forms else "csv"
        path = folder / f"comments.{form}"
        write_rows(path, (comment.as_dict() for comment in comments), form)
        paths["comments"] = str(path)
    return paths
