"""From profiles to the whole picture: works, words, figures, sample, cards, report. The order of steps, nothing else.

Facts come first: as soon as the list has been walked the creator's card and figures are on disk, and words follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tikomni.cards.creator_card import Collection
from tikomni.cards.paths import CardIndex, homes
from tikomni.deadline import Deadline
from tikomni.envelope import Cost, Status
from tikomni.errors import TikomniError
from tikomni.facts import Creator, Missing
from tikomni.pipelines.analyst import Analysis, of_run
from tikomni.pipelines.publishing import avatar_of, collection_of, covers_there, fetch_covers, write, write_first
from tikomni.pipelines.session import opened
from tikomni.pipelines.subject import Ground, Options, Picture, Subject
from tikomni.platforms import Target
from tikomni.progress import Progress
from tikomni.settings import Settings

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
    analyses: tuple[Analysis, ...] = ()

    @property
    def pending(self) -> bool:
        return any(one.pending for one in (*self.done, *self.analyses))

    @property
    def status(self) -> Status:
        states = {d.status for d in self.done}
        if states == {"failed"}:
            return "failed"
        whole = not self.interrupted and all(analysis.whole for analysis in self.analyses)
        return "complete" if whole and not states & {"failed", "partial"} else "partial"


async def analyze(
    targets: Sequence[Target],
    options: Options,
    settings: Settings,
    deadline: Deadline,
    progress: Progress,
) -> Run:
    """The whole picture of each of ``targets``, which all name creators.

    A stop by the user, the deadline or a failing creator keeps what the others brought.

    Raises:
        TikomniError: nothing could be done at all: roots, key, account.
    """
    roots = homes(settings)
    own = {"options": options, "index": CardIndex(settings)}
    async with opened(Ground, settings, deadline, options.terms, progress, roots=roots, **own) as run:
        subjects = [Subject(target, run) for target in targets]

        async def steps() -> None:
            await _gather(subjects)
            await asyncio.gather(run.chain.done(), *(asyncio.to_thread(subject.warm) for subject in subjects))

        await run.go(steps())
        done = [await _finish(subject) for subject in subjects]
        analyses = await of_run(options.analyst, done, run)
        return Run(tuple(done), run.dispatcher.cost(), run.warnings, run.interrupted, analyses)


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
        error = run.unanswered(subject.target, subject.error, subject.pending)
        return Done(subject.target, "partial" if subject.pending else "failed", error=error, pending=subject.pending)
    picture = subject.picture(heard=True)
    if not subject.leaves("library"):
        run.library.keep_works(picture.works)
    covers = await covers_there(subject)
    paths = write(subject, creator, picture, covers, await avatar_of(run, creator))
    tasks = paths.pop("tasks")
    whole = not subject.missing and subject.error is None
    run.step("documents", creator.key, "done" if whole else "partial")
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
