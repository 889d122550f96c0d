"""Writes each skill as a folder that works wherever it is copied, and as a ``.skill`` archive of it.

The same sources make the same bytes, whatever the time and the machine.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tikomni.install import verbs
from tikomni.install.package import Files, mode
from tikomni.storage.atomic import write_bytes

_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Bundled:
    """What was made of one skill; ``done`` is how its folder changed."""

    done: verbs.Done
    archives: tuple[Path, ...]


def bundle(names: Sequence[str], folder: Path, *, force: bool, dry_run: bool) -> Bundled:
    """Make ``folder/<skill>/`` and ``folder/<skill>.skill`` for ``names`` (all for none).

    The folder is kept as an agent's is: what is not ours stays, edited files are kept unless forced.

    Raises:
        TikomniError: ``invalid_input``, ``storage``, ``disk_full``.
    """
    [place] = verbs.places_to_install(verbs.UNIVERSAL, "user", folder)
    [done] = verbs.install([place], names, force=force, dry_run=dry_run)
    archives = []
    for plan in done.plans:
        path = place.folder / f"{plan.skill}.skill"
        if not dry_run:
            write_bytes(path, archive(plan.skill, verbs.files_of(plan.skill, place.agent)))
        archives.append(path)
    return Bundled(done, tuple(archives))


def archive(skill: str, files: Files) -> bytes:
    """A zip of ``files`` below a folder of the skill's name."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{skill}/{name}", _LONG_AGO)
            entry.create_system = 3  # Unix, so that permissions count
            entry.external_attr = (0o100000 | mode(name)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, content.read())
    return written.getvalue()
