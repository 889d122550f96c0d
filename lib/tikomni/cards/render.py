"""Cards on disk, made or renewed. Everything before the one atomic write is reading and pure work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from tikomni.cards import accepted, bases, benchmark, kept, work_card
from tikomni.cards.assets import Asset
from tikomni.cards.labels import labels, language, note_headings
from tikomni.cards.markdown import wikilink
from tikomni.cards.paths import CardIndex, Kind, Subject, place, plain_path
from tikomni.cards.standing import WorkFigures
from tikomni.errors import InputError
from tikomni.facts import Creator, Work
from tikomni.settings import Settings
from tikomni.storage import atomic, names
from tikomni.storage.tree import Tree

if TYPE_CHECKING:
    from tikomni.cards.creator_card import CreatorSummary
    from tikomni.cards.report import ReportData

CREATOR: Kind = "author"


def render_work(
    settings: Settings,
    work: Work,
    assets: Sequence[Asset],
    warnings: list[str],
    kind: Kind = "work",
    standing: WorkFigures | None = None,
    index: CardIndex | None = None,
) -> Path:
    """Write the card of ``work`` and return its path; a card that would not change is not written.

    Args:
        assets: the pictures that are on disk (``assets.store`` or ``assets.stored``).
        warnings: what the user should know is appended, in the card's language.
        standing: the work among its creator's. Without it the card keeps what it says of that.
        index: the run's, where it makes many cards.

    Raises:
        InputError: ``config`` for a naming setting, ``storage`` where the card cannot be read or written.
        TikomniError: ``disk_full``.
    """
    index = index or CardIndex(settings)
    author = _author_link(settings, work, index)
    asked = any(accepted.stored(settings, work.platform, work.platform_work_id))
    return _renew(
        settings,
        kind,
        Subject.of(work),
        index,
        warnings,
        lambda old: work_card.render(settings, work, assets, old, standing, author, asked),
    )


def render_creator(
    settings: Settings, creator: Creator, summary: CreatorSummary, index: CardIndex, warnings: list[str]
) -> Path:
    """Write the card of ``creator`` and return its path, once the cards of the works have been written.

    Works are linked to the cards that ``index`` finds. Raises as ``render_work``.
    """
    from tikomni.cards import creator_card

    def link(work: Work, title: str) -> str | None:
        found = (index.find(kind, Subject.of(work)) for kind in (summary.work_kind, "work", "author_sample_work"))
        path = next(filter(None, found), None)
        return _link(settings, path, title) if path else None

    return _renew(
        settings,
        CREATOR,
        Subject.of_creator(creator),
        index,
        warnings,
        lambda old: creator_card.render(settings, creator, summary, link, old),
    )


def creator_path(settings: Settings, creator: Creator, index: CardIndex) -> Path:
    """Where the card of ``creator`` is or will be. From here on the cards of works link to it.

    Raises:
        InputError: as ``render_work``.
    """
    subject = Subject.of_creator(creator)
    path = place(settings, CREATOR, subject, index.find(CREATOR, subject))
    index.promise(CREATOR, subject, path)
    return path


def _renew(
    settings: Settings,
    kind: Kind,
    subject: Subject,
    index: CardIndex,
    warnings: list[str],
    made: Callable[[kept.Card | None], bytes],
) -> Path:
    words = labels(language(settings, subject.platform))
    existing = index.find(kind, subject)
    path = place(settings, kind, subject, existing)
    if existing is None and path != (taken := plain_path(settings, kind, subject)):
        warnings.append(words["name_taken"].format(taken=taken, path=path))
    before = _read(path) if existing else b""
    old = kept.read(before)
    if old is not None and not old.words(note_headings())[1]:
        warnings.append(words["bare_file"].format(path=path))
    after = benchmark.put(made(old), _analysis(settings, subject, index))
    if after != before:
        atomic.write_bytes(path, after)
    index.add(kind, subject, path)
    bases.make(settings, subject.platform)
    return path


def renew_analysis(settings: Settings, platform: str, identifier: str, index: CardIndex | None = None) -> list[Path]:
    """Write the analyses that were accepted by now into the cards that there are of a work or a creator, and of the
    works that they explain.

    Returns the paths of the cards that have a place for them, the subject's own first. Raises as ``render_work``.
    """
    index = index or CardIndex(settings)
    subjects = [Subject(platform, identifier, None, None)]
    for one in accepted.stored(settings, platform, identifier)[0]:
        if one.kind.name == accepted.EXPLANATIONS:
            ids = (work["key"].partition(":")[2] for work in one.data["works"].values())
            subjects += [Subject(platform, work_id, None, None, author_id=identifier) for work_id in ids]
    found = [(subject, index.find(kind, subject)) for subject in subjects for kind in get_args(Kind)]
    paths: dict[Path, None] = {}
    for subject, path in found:
        if path is None or path in paths:
            continue
        before = _read(path)
        if benchmark.has_place(before):
            card = kept.read(before)
            author_id = subject.author_id or (card and card.value("platform_author_id"))
            after = benchmark.put(before, _analysis(settings, replace(subject, author_id=author_id), index))
            if after != before:
                atomic.write_bytes(path, after)
            paths[path] = None
    return list(paths)


def report_path(folder: Path, platform: str, author_id: str) -> Path:
    """Where the report on a creator stands in the folder of a run."""
    return names.inside(folder, f"{names.slug(platform, 40, 'platform')}-{names.identifier(author_id)}.html")


def write_report(settings: Settings, data: ReportData, folder: Path) -> Path:
    """Write the report on a creator into the folder of a run, with the analyses that were accepted by now."""
    from tikomni.cards import report

    platform, author_id = data.creator.platform, data.creator.platform_author_id
    path = report_path(folder, platform, author_id)
    found, waiting = accepted.stored(settings, platform, author_id)
    atomic.write_lines(path, report.chunks(replace(data, accepted=found, waiting=waiting)))
    return path


def renew_report(settings: Settings, platform: str, author_id: str) -> Path | None:
    """Write the analyses that were accepted by now into the newest report on a creator; its path, if there is one."""
    from tikomni.cards import report_analysis

    runs = Tree(settings).runs
    folders = sorted(runs.iterdir(), reverse=True) if runs.is_dir() else ()
    path = next(filter(Path.is_file, (report_path(folder, platform, author_id) for folder in folders)), None)
    if path is None:
        return None
    found, waiting = accepted.stored(settings, platform, author_id)
    before = _read(path).decode("utf-8", "replace")
    after = report_analysis.put(before, found, waiting, language(settings, platform))
    if after != before:
        atomic.write_text(path, after)
    return path


def _analysis(settings: Settings, subject: Subject, index: CardIndex) -> str:
    """The section of analyses for the card of ``subject``."""

    def link(key: str, title: str) -> str | None:
        platform, _, work = key.partition(":")
        of = Subject(platform, work, None, None)
        paths = (index.find(kind, of) for kind in ("author_sample_work", "work"))
        path = next(filter(None, paths), None)
        return _link(settings, path, title) if path else None

    found, waiting = accepted.stored(settings, subject.platform, subject.identifier)
    told = language(settings, subject.platform)
    key = f"{subject.platform}:{subject.identifier}"
    author = subject.author_id
    explained = accepted.explained(settings, subject.platform, author, key) if author else None
    return benchmark.section(found, waiting, told, link, explained)


def _author_link(settings: Settings, work: Work, index: CardIndex) -> str | None:
    if not work.platform_author_id:
        return None
    subject = Subject(work.platform, work.platform_author_id, work.author_name, None)
    path = index.promised(CREATOR, subject) or index.find(CREATOR, subject)
    return _link(settings, path, work.author_name or work.author_handle or path.stem) if path else None


def _link(settings: Settings, path: Path, title: str) -> str:
    return wikilink(path.relative_to(settings.cards.resolve()).as_posix(), title)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError("storage", f"{path}: cannot be read ({error.strerror}).") from error
