"""Cards on disk, made or renewed. Everything before the one atomic write is reading and pure work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from tikomni.cards import bases, benchmark, kept, work_card
from tikomni.cards.assets import Asset
from tikomni.cards.labels import labels, language, note_headings
from tikomni.cards.markdown import wikilink
from tikomni.cards.paths import CardIndex, Kind, Subject, place, plain_path
from tikomni.cards.standing import WorkFigures
from tikomni.errors import InputError
from tikomni.facts import Creator, Work
from tikomni.settings import Settings
from tikomni.storage import atomic

if TYPE_CHECKING:
    from tikomni.cards.creator_card import CreatorSummary

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
    return _renew(
        settings,
        kind,
        Subject.of(work),
        index,
        warnings,
        lambda old: work_card.render(settings, work, assets, old, standing, author),
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
    """Write the analyses that were accepted by now into the cards that there are of a work or a creator.

    Returns the paths of the cards that have a place for them. Raises as ``render_work``.
    """
    index = index or CardIndex(settings)
    subject = Subject(platform, identifier, None, None)
    found = (index.find(kind, subject) for kind in get_args(Kind))
    paths = []
    for path in dict.fromkeys(filter(None, found)):
        before = _read(path)
        if benchmark.has_place(before):
            after = benchmark.put(before, _analysis(settings, subject, index))
            if after != before:
                atomic.write_bytes(path, after)
            paths.append(path)
    return paths


def _analysis(settings: Settings, subject: Subject, index: CardIndex) -> str:
    """The section of analyses for the card of ``subject``."""

    def link(key: str, title: str) -> str | None:
        platform, _, work = key.partition(":")
        of = Subject(platform, work, None, None)
        paths = (index.find(kind, of) for kind in ("author_sample_work", "work"))
        path = next(filter(None, paths), None)
        return _link(settings, path, title) if path else None

    accepted, waiting = benchmark.stored(settings, subject.platform, subject.identifier)
    return benchmark.section(accepted, waiting, language(settings, subject.platform), link)


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
