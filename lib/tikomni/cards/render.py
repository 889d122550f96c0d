"""A work's card on disk, made or renewed. Everything before the one atomic write is reading and pure work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tikomni.cards import kept, paths, work_card
from tikomni.cards.assets import Asset
from tikomni.cards.labels import labels, language, note_headings
from tikomni.errors import InputError
from tikomni.facts import Work
from tikomni.settings import Settings
from tikomni.storage import atomic


def render_work(
    settings: Settings,
    work: Work,
    assets: Sequence[Asset],
    warnings: list[str],
    kind: paths.Kind = "work",
) -> Path:
    """Write the card of ``work`` and return its path; a card that would not change is not written.

    Args:
        assets: the pictures that are on disk (``assets.store`` or ``assets.stored``).
        warnings: what the user should know is appended, in the card's language.

    Raises:
        InputError: ``config`` for a naming setting, ``storage`` where the card cannot be read or written.
        TikomniError: ``disk_full``.
    """
    words = labels(language(settings, work.platform))
    subject = paths.Subject.of(work)
    existing = paths.find_card(settings, kind, subject)
    path = paths.place(settings, kind, subject, existing)
    if existing is None and path != (taken := paths.plain_path(settings, kind, subject)):
        warnings.append(words["name_taken"].format(taken=taken, path=path))
    before = _read(path) if existing else b""
    old = kept.read(before)
    if old is not None and not old.words(note_headings())[1]:
        warnings.append(words["bare_file"].format(path=path))
    after = work_card.render(settings, work, assets, old)
    if after != before:
        atomic.write_bytes(path, after)
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError("storage", f"{path}: cannot be read ({error.strerror}).") from error
