"""The output tree: where runs, work documents and documents of failed inputs go, and whether they can.

Chooses paths and probes folders; what is written there is the callers' business.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from secrets import token_hex

from tikomni.errors import InputError
from tikomni.settings import PREFIX, Settings
from tikomni.storage import names

# What a work document and its card take. Written for real: a look at permissions says nothing to root.
PROBE_BYTES = 64 * 1024
_JSON_PATTERN = PREFIX + "FILENAME_PATTERN_JSON"


@dataclass(frozen=True, slots=True)
class Tree:
    """Paths below the output root of one run's settings."""

    settings: Settings

    @property
    def runs(self) -> Path:
        return self._folder("output_runs_dir")

    @property
    def results(self) -> Path:
        return self._folder("output_results_dir")

    @property
    def errors(self) -> Path:
        return self._folder("output_errors_dir")

    def run_dir(self, run_id: str) -> Path:
        return names.inside(self.runs, names.identifier(run_id))

    def results_path(self, platform: str, identifier: str, at: datetime) -> Path:
        """A path that no document has yet, in the folder of the day of ``at`` (aware) in the display zone."""
        return self._json_path(self.results, platform, identifier, at)

    def errors_path(self, platform: str, identifier: str, at: datetime) -> Path:
        """As ``results_path``, for the document of an input that failed."""
        return self._json_path(self.errors, platform, identifier, at)

    def words_path(self, platform: str, identifier: str, at: datetime, form: str) -> Path:
        """As ``results_path``, for a file of words in this form."""
        return self._free(self._json_path(self.results, platform, identifier, at).with_suffix(f".{form}"))

    def check(self, also: Iterable[tuple[Path, str]] = ()) -> None:
        """Make the roots and make sure that everything can be written, before anything is paid for.

        Args:
            also: more folders that will be written, each with the setting that names it; they are not made.

        Raises:
            InputError: ``storage``, naming the folder and its setting; ``config`` for a pattern of names.
        """
        settings = self.settings
        names.fill(settings.filename_pattern_json, {}, names.FILE_PLACEHOLDERS, _JSON_PATTERN)
        roots = (
            (settings.output_root, "OUTPUT_ROOT", 0o755),
            (settings.cards, "CARD_ROOT", 0o755),
            (settings.state, "STATE_DIR", 0o700),
        )
        for root, setting, mode in roots:
            try:
                root.mkdir(mode=mode, parents=True, exist_ok=True)
            except OSError as error:
                raise _unwritable(root, PREFIX + setting, error) from error
        below = (
            (self.runs, PREFIX + "OUTPUT_RUNS_DIR"),
            (self.results, PREFIX + "OUTPUT_RESULTS_DIR"),
            (self.errors, PREFIX + "OUTPUT_ERRORS_DIR"),
        )
        probed: set[Path] = set()
        for folder, setting in (*((root, PREFIX + name) for root, name, _ in roots), *below, *also):
            spot = _nearest(folder)
            if spot not in probed:
                _probe(spot, folder, setting)
                probed.add(spot)

    def _folder(self, setting: str) -> Path:
        folder = Path(getattr(self.settings, setting)).expanduser()
        if folder.is_absolute():
            return folder
        return names.inside(self.settings.output_root, folder, setting=PREFIX + setting.upper())

    def _json_path(self, root: Path, platform: str, identifier: str, at: datetime) -> Path:
        local = at.astimezone(self.settings.zone)
        values = {
            "platform": names.slug(platform, 40, "unknown"),
            "identifier": names.identifier(identifier),
            "timestamp": f"{local:%Y%m%dT%H%M%S}",
            "date": f"{local:%Y-%m-%d}",
            "card_type": "work",
            "ext": ".json",
        }
        name = names.file_name(self.settings.filename_pattern_json, values, identifier, setting=_JSON_PATTERN)
        path = names.inside(root, f"{local:%Y%m%d}", name)
        return self._free(path)

    @staticmethod
    def _free(path: Path) -> Path:
        candidates = (path if n == 1 else path.with_stem(f"{path.stem}-{n}") for n in count(1))
        return next(candidate for candidate in candidates if not os.path.lexists(candidate))


def check_folder(folder: Path, setting: str) -> None:
    """Make sure that ``folder`` can be written, or made and written; makes nothing. Raises as ``Tree.check``."""
    _probe(_nearest(folder), folder, setting)


def _nearest(folder: Path) -> Path:
    """``folder``, or the closest of its parents that is there."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _probe(spot: Path, folder: Path, setting: str) -> None:
    file = spot / f".tikomni-{token_hex(6)}.probe"
    try:
        if not spot.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{spot} is not a folder")
        try:
            with file.open("xb") as stream:
                stream.write(bytes(PROBE_BYTES))
                stream.flush()
                os.fsync(stream.fileno())
        finally:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, setting, error) from error


def _unwritable(folder: Path, setting: str, error: OSError) -> InputError:
    return InputError("storage", f"{folder} ({setting}): cannot be written ({error.strerror or error}).")
