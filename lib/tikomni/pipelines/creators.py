"""From profiles to the whole picture: works, words, figures, sample, cards, report. The order of steps, nothing else.

Facts come first: as soon as the list has been walked the creator's card and figures are on disk, and words follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tikomni import redact
from tikomni.cards.creator_card import Collection
from tikomni.cards.paths import CardIndex, homes
from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.dispatch.downloads import Downloader
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.envelope import Cost, Status
from tikomni.errors import TikomniError, UpstreamError
from tikomni.facts import Creator, Missing
from tikomni.library.store import Library
from tikomni.pipelines.publishing import avatar_of, collection_of, covers_there, fetch_covers, write, write_first
from tikomni.pipelines.subject import Ground, Options, Picture, Subject
from tikomni.pipelines.works import INTERRUPTED, swallow_cancellation
from tikomni.platforms import Target
from tikomni.progress import Progress
from tikomni.settings import Settings
from tikomni.storage.atomic import write_json
from tikomni.storage.tree import Tree
from tikomni.transcripts.chain import Chain
from tikomni.transcripts.source import Means

CREATORS_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Done:
    """One creator and what became of it. ``pending``: a later run gets the rest without paying again."""

    target: Target
    status: Status
    creator: Creator | None = None
    picture: Picture | None = None
    collection: Collection | None = None
    error: TikomniError | None = None
    missing: tuple[Missing, ...] = ()
    paths: Mapping[str, Any] = field(default_factory=dict)
    pending: bool = False
    tasks: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)  # asyncio spells out what a task brought: that would be every work
class Run:
    """Everything a run brought."""

    done: tuple[Done, ...]
    cost: Cost
    warnings: tuple[str, ...]
    interrupted: bool = False

    @property
    def pending(self) -> bool:
        return any(d.pending for d in self.done)

    @property
    def status(self) -> Status:
        states = {d.status for d in self.done}
        if states == {"failed"}:
            return "failed"
        return "partial" if self.interrupted or states & {"failed", "partial"} else "complete"


async def analyze(
    targets: Sequence[Target],
    options: Options,
    settings: Settings,
    deadline: Deadline,
    progress: Progress,
    run_id: str,
) -> Run:
    """The whole picture of each of ``targets``, which all name creators.

    A stop by the user, the deadline or a failing creator keeps what the others brought.

    Raises:
        TikomniError: nothing could be done at all: roots, key, account.
    """
    tree = Tree(settings)
    tree.check(homes(settings))
    async with AsyncExitStack() as stack:
        library = Library(settings.state / "library.sqlite3", settings.origin, options.terms.tell)
        stack.callback(library.close)
        dispatcher = await stack.enter_async_context(Dispatcher(settings, deadline, options.terms))
        means = Means(dispatcher, Downloader(dispatcher.transport, settings.origin), progress)
        chain = await stack.enter_async_context(Chain(means))
        run = Ground(
            options=options,
            settings=settings,
            deadline=deadline,
            progress=progress,
            now=datetime.now(settings.zone),
            library=library,
            dispatcher=dispatcher,
            means=means,
            chain=chain,
            folder=tree.run_dir(run_id),
            index=CardIndex(settings),
            tree=tree,
        )
        subjects = [Subject(target, run) for target in targets]
        try:
            await _gather(subjects)
            await chain.done()
        except asyncio.CancelledError:
            swallow_cancellation()
            run.stopped = INTERRUPTED
        except DeadlinePassed:
            run.stopped = "deadline"
        except TikomniError as error:  # the words' own trouble must not cost the facts
            run.stopped = error.code
            means.warn(f"{error.message} {error.hint()}")
        done = [await _finish(subject) for subject in subjects]
        warnings = tuple(dict.fromkeys((*settings.warnings, *means.warnings)))
        return Run(tuple(done), dispatcher.cost(), warnings, run.stopped == INTERRUPTED)


async def _gather(subjects: Sequence[Subject]) -> None:
    turns = asyncio.Semaphore(CREATORS_AT_ONCE)

    async def one(subject: Subject) -> None:
        async with turns:
            await subject.gather()
            fetch_covers(subject)
            write_first(subject)

    await asyncio.gather(*(one(subject) for subject in subjects))


async def _finish(subject: Subject) -> Done:
    """Store what is known of one creator and say how complete it is."""
    try:
        return await _store(subject)
    except TikomniError as error:  # a full disk, say: what was paid for is in the ledger, and is told as paid
        return Done(subject.target, "failed", subject.creator, error=error, pending=subject.pending)


async def _store(subject: Subject) -> Done:
    run, creator = subject.run, subject.creator
    if creator is None:
        shown = (subject.target.url or subject.target.text)[:120]
        error = subject.error or UpstreamError("timeout", f"{shown}: time ran out before it was asked.")
        if not subject.pending:
            name = subject.target.ids.get("creator_id") or "input"
            path = run.tree.errors_path(subject.target.platform or "unknown", name, run.now)
            told = {"input": subject.target.text, "url": subject.target.url, "error": error.as_dict()}
            write_json(path, redact.texts(told))
        return Done(subject.target, "partial" if subject.pending else "failed", error=error, pending=subject.pending)
    picture = subject.picture(run.chain.found)
    run.library.keep_works(picture.works)
    covers = await covers_there(subject)
    paths = write(subject, creator, picture, covers, await avatar_of(run, creator))
    tasks = paths.pop("tasks")
    whole = not subject.missing and subject.error is None
    return Done(
        subject.target,
        "complete" if whole else "partial",
        creator,
        picture,
        collection_of(subject),
        subject.error,
        tuple(subject.missing),
        paths,
        subject.pending,
        tasks,
    )
