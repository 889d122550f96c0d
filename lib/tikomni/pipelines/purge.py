"""Removes everything that is kept of a work or a creator: what there is, listed first; then, if it is wanted, gone.

Ledger, library and the folders of this tool, those of earlier runs included. Nothing outside them is touched, and
what calls cost stays on record. Sends nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

from tikomni.analysis.tasks import TASKS
from tikomni.cards import assets, kept
from tikomni.cards.accepted import ANALYSES
from tikomni.cards.labels import note_headings
from tikomni.cards.paths import Kind as CardKind
from tikomni.cards.paths import home
from tikomni.cards.work_card import OURS
from tikomni.dispatch.ledger import Ledger, Mentions
from tikomni.errors import InputError
from tikomni.facts import Creator, Work
from tikomni.library.store import Kind, Library, origins
from tikomni.pipelines import pseudonyms
from tikomni.pipelines.known import ids_of
from tikomni.platforms import Target, names, read_links
from tikomni.settings import Settings
from tikomni.storage import names as file_names
from tikomni.storage.atomic import write_bytes
from tikomni.storage.tree import Tree

What = Literal["card", "asset", "document", "run", "task"]
NOTES = "_notes"
TEXT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Object:
    """A work or a creator, by the id that the platform gives it."""

    kind: Kind
    platform: str
    id: str


@dataclass(frozen=True, slots=True)
class File:
    """A file, or a whole folder, that goes. ``root``: the folder of ours that it stands in. ``notes``: a card's own
    words of the user."""

    what: What
    path: Path
    root: Path
    bytes: int
    notes: bytes = b""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would go. ``named_in``: files that stay and name it all the same, the cards of others for one."""

    objects: tuple[Object, ...]
    mentions: Mentions
    ledger: dict[str, int] = field(default_factory=dict)
    library: int = 0
    files: tuple[File, ...] = ()
    named_in: tuple[Path, ...] = ()

    @property
    def found(self) -> bool:
        return bool(self.ledger or self.library or self.files)


def plan(text: str, settings: Settings) -> Plan:
    """Everything that is kept of what ``text`` names: a link, ``platform:id``, or an id.

    Raises:
        InputError: ``unsupported_link``, where it names nothing that is known here.
        TikomniError: ``ledger``.
    """
    target = _target(text)
    with ExitStack() as stack:
        libraries = _libraries(settings, stack)
        book = Ledger(_ledger(settings)) if _ledger(settings).is_file() else None
        if book is not None:
            stack.callback(book.close)
        if target.kind == "short":
            target = _long(target, libraries, book)
        objects, ids = _resolve(target, libraries)
        objects, said = _with_comments(objects, libraries, settings)
        mentions = Mentions(ids | said)
        if not mentions.ids:
            raise InputError("unsupported_link", f"{text[:120]!r} is too short for an id.", hint=HINT)
        rows = sum(library.held(o.kind, o.platform, o.id) for library in libraries for o in objects)
        ledger = book.reports.speaking_of(mentions) if book else {}
        roots = [settings, *(_earlier(settings, book) if book else ())]
    files: dict[Path, File] = {}
    others: dict[Path, None] = {}
    for root in roots:
        for file in _files(root, objects, mentions):
            if isinstance(file, File):
                files.setdefault(file.path, file)
            else:
                others.setdefault(file)
    return Plan(objects, mentions, ledger, rows, tuple(files.values()), tuple(p for p in others if p not in files))


def carry_out(planned: Plan, settings: Settings, keep_notes: bool) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Remove what ``planned`` lists; returns where notes were moved to, and what could not be removed.

    Raises:
        TikomniError: ``ledger``; InputError ``storage``.
    """
    moved, warnings = [], []
    with ExitStack() as stack:
        compacted = []
        if planned.ledger:
            book = Ledger(_ledger(settings))
            stack.callback(book.close)
            book.reports.forget(planned.mentions)
            compacted.append(book.reports.compact())
        for library in _libraries(settings, stack) if planned.library else ():
            for known in planned.objects:
                library.forget(known.kind, known.platform, known.id)
            compacted.append(library.compact())
    if not all(compacted):
        warnings.append("The state folder is in use: the room of what was removed is overwritten as it is used on.")
    for file in planned.files:
        if keep_notes and file.notes:
            name = f"{sha256(bytes(file.path)).hexdigest()[:10]}.md"
            moved.append(file_names.inside(file.root, NOTES, name))
            write_bytes(moved[-1], file.notes)
        try:
            _remove(file)
        except OSError as error:
            warnings.append(f"{file.path} could not be removed: {error.strerror or error}.")
    return tuple(moved), tuple(warnings)


HINT = "Give a link, or platform:id as it stands in the card's front matter."


def _target(text: str) -> Target:
    targets = read_links(text)
    if len(targets) > 1:
        raise InputError("usage", "Name one work or one creator at a time.", hint=HINT)
    target = targets[0]
    if target.platform is not None and target.kind in ("work", "creator", "short"):
        return target
    platform, colon, name = text.strip().rpartition(":")
    if (colon and platform not in names()) or "/" in name or not name or any(c.isspace() for c in name):
        raise InputError("unsupported_link", f"Not a work or creator that is known here: {text[:120]!r}.", hint=HINT)
    return Target(platform or None, "other", {"id": name}, text=text)


def _long(target: Target, libraries: Sequence[Library], book: Ledger | None) -> Target:
    """The work behind a short link, as the ledger's answers to it tell; else whatever was asked with the link itself.

    Raises:
        InputError: ``unsupported_link``, where they name several that are kept.
    """
    answers = book.reports.answers_to(target.ids.get("code") or target.url or "") if book else ()
    works = {work.platform_work_id for library in libraries for work in library.works() if _on(target, work)}
    found = {name for name in works for answer in answers if Mentions([name])(answer)}
    if len(found) > 1:
        raise InputError("unsupported_link", f"{target.url} may lead to {len(found)} works that are kept.", hint=HINT)
    ids = {"code": target.ids.get("code", "")} | ({"work_id": found.pop()} if found else {})
    return Target(target.platform, "work", ids, target.url)


def _resolve(target: Target, libraries: Sequence[Library]) -> tuple[tuple[Object, ...], frozenset[str]]:
    """The objects that ``target`` names, the works of a creator among them, and every id that they go by."""
    named = {value for name, value in target.ids.items() if name in ("id", "work_id", "creator_id", "handle")}
    # An id that stands alone looks like a work's and may be a creator's.
    kinds: tuple[Kind, ...] = ("work", "creator")
    if target.kind in kinds and target.url:
        kinds = (target.kind,)
    objects: dict[Object, None] = {}
    ids: set[str] = {value for name, value in target.ids.items() if name in ("id", "work_id", "creator_id", "code")}
    for kind in kinds:
        if target.platform is not None:
            objects |= {Object(kind, target.platform, name): None for name in named}
    for library in libraries:
        creators = [c for c in library.creators() if "creator" in kinds and named & ids_of(c) and _on(target, c)]
        works = [w for w in library.works() if _on(target, w) and "work" in kinds and w.platform_work_id in named]
        authors = {(target.platform, name) for name in named if "creator" in kinds}
        for creator in creators:
            objects[Object("creator", creator.platform, creator.platform_author_id)] = None
            ids |= ids_of(creator) - {creator.author_handle}
            authors.add((creator.platform, creator.platform_author_id))
        works += [w for p, name in authors if p for w in library.works_of(p, name, unlisted=True)]
        objects |= {Object("work", w.platform, w.platform_work_id): None for w in works}
        ids |= {w.platform_work_id for w in works}
    return tuple(objects), frozenset(ids)


def _with_comments(
    objects: Sequence[Object], libraries: Sequence[Library], settings: Settings
) -> tuple[tuple[Object, ...], set[str]]:
    """``objects`` with the pseudonyms under which they wrote comments; those, and the ids of the comments."""
    people = [known for known in objects if known.kind == "creator"]
    if (settings.state / pseudonyms.FILE).is_file():
        hidden = pseudonyms.Pseudonyms.of(settings.state)
        people += [replace(known, id=hidden.of_person(known.platform, known.id)) for known in people]
    ids: set[str] = set()
    writers: dict[Object, None] = {}
    for person in people:
        said = {name for library in libraries for name in library.comments_by(person.platform, person.id)}
        if said:
            writers[person] = None
            ids |= {person.id, *said}
    return tuple(dict.fromkeys((*objects, *writers))), ids


def _on(target: Target, known: Work | Creator) -> bool:
    return target.platform in (None, known.platform)


def _libraries(settings: Settings, stack: ExitStack) -> list[Library]:
    """The library, once for each upstream that its rows came from."""
    path = settings.state / "library.sqlite3"
    found = [Library(path, origin) for origin in (origins(path) if path.is_file() else ())]
    for library in found:
        stack.callback(library.close)
    return found


def _ledger(settings: Settings) -> Path:
    return settings.state / "ledger.sqlite3"


def _earlier(settings: Settings, book: Ledger) -> list[Settings]:
    """The settings in use, as they stood for runs of other folders as far as the ledger tells."""
    roots: dict[Path, None] = {}
    runs = Path(settings.output_runs_dir)
    for place in book.reports.run_places():
        roots[Path(place.folder, type(settings).__dataclass_fields__["output_root"].default)] = None
        folder = Path(place.document or "").parent.parent
        if place.document and not runs.is_absolute() and folder.parts[-len(runs.parts) :] == runs.parts:
            roots[folder.parents[len(runs.parts) - 1]] = None
    return [replace(settings, output_root=root, card_root=None) for root in roots if root.is_dir()]


def _files(settings: Settings, objects: Sequence[Object], mentions: Mentions) -> Iterator[File | Path]:
    """What goes of the folders that ``settings`` name; a bare path is a card that stays and names it."""
    tree = Tree(settings)
    kept_of = (settings.output_root / TASKS, settings.state / ANALYSES)
    wholes: tuple[tuple[What, Path], ...] = (("run", tree.runs), *(("task", root) for root in kept_of))
    for what, root in wholes:
        with suppress(OSError):
            for entry in sorted(root.iterdir()):
                inside = list(_walk(entry)) if entry.is_dir() and not entry.is_symlink() else [entry]
                if any(mentions(str(path)) or _says(path, mentions) for path in inside):
                    yield File(what, entry, root, sum(_size(path) for path in inside))
    for root in (tree.results, tree.errors):
        for path in _walk(root):
            if mentions(path.name) or _says(path, mentions):
                yield File("document", path, root, _size(path))
    keys = {(o.kind, o.platform, o.id) for o in objects}
    for root in dict.fromkeys(home(settings, kind)[0] for kind in get_args(CardKind)):
        for path in _walk(root):
            card = kept.read(path.read_bytes()) if path.suffix == ".md" and _size(path) < TEXT_BYTES else None
            if card is None:
                continue
            platform = card.value("platform") or ""
            work, author = card.value("platform_work_id"), card.value("platform_author_id")
            key = ("work", platform, work) if work else ("creator", platform, author)
            if key in keys or (work or author or "") in mentions.ids:
                yield File("card", path, settings.cards, _size(path), _notes(card))
            elif _says(path, mentions):
                yield path
    for known in objects:
        folder = settings.cards / assets.FOLDER / file_names.slug(known.platform, 40, "platform")
        for path in _walk(folder / file_names.identifier(known.id)):
            yield File("asset", path, settings.cards, _size(path))


def _walk(root: Path) -> Iterator[Path]:
    """The plain files below ``root``; symbolic links are neither followed nor listed."""
    for folder, _, files in os.walk(root):
        yield from (path for name in sorted(files) if not (path := Path(folder, name)).is_symlink() and path.is_file())


def _says(path: Path, mentions: Mentions) -> bool:
    """Whether a file names it; packed ones (spreadsheets) are looked into."""
    import zipfile

    try:
        if path.is_symlink() or _size(path) > TEXT_BYTES:
            return False
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                small = (i for i in packed.infolist() if i.file_size <= TEXT_BYTES)
                return any(mentions(packed.read(i).decode("utf-8", "replace")) for i in small)
        return mentions(path.read_bytes().decode("utf-8", "replace"))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return False


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _notes(card: kept.Card) -> bytes:
    """The user's own words and properties in a card; empty where there are none but the heading."""
    words, _ = card.words(note_headings())
    bare = words.decode("utf-8", "replace")
    for heading in note_headings():
        bare = bare.replace(f"## {heading}", "")
    # The names of a creator's figures hold thresholds: which properties are the user's cannot be told there.
    own = card.others(OURS).encode() if card.value("platform_work_id") else b""
    return own + words if bare.strip() or own.strip() else b""


def _remove(file: File) -> None:
    """Remove ``file``, and the folders above it, up to its root, that are empty by then: their names tell, too."""
    path = file_names.inside(file.root, file.path.parent) / file.path.name
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    root = Path(os.path.realpath(file.root))
    with suppress(OSError):
        for folder in path.parents:
            if root not in folder.parents:
                return
            folder.rmdir()
