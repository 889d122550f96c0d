"""From profiles to the whole picture: works, words, figures, sample, cards, report. The order of steps, nothing else.

Facts come first: as soon as the list has been walked the creator's card and figures are on disk, and words follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tikomni.cards.creator_card import Collection
from tikomni.cards.paths import CardIndex, homes
from tikomni.deadline import Deadline
from tikomni.errors import TikomniError
from tikomni.facts import Creator
from tikomni.pipelines.analyst import of_run
from tikomni.pipelines.publishing import avatar_of, collection_of, covers_there, fetch_covers, write, write_first
from tikomni.pipelines.session import Ended, Run, each, opened
from tikomni.pipelines.subject import Ground, Options, Picture, Subject
from tikomni.platforms import Target
from tikomni.progress import Progress
from tikomni.settings import Settings

CREATORS_AT_ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Ended):
    """One creator and what became of it."""

    creator: Creator | None = None
    picture: Picture | None = None
    collection: Collection | None = None
    paths: Mapping[str, Any] = field(default_factory=dict)


async def analyze(
    targets: Sequence[Target],
    options: Options,
    settings: Settings,
    deadline: Deadline,
    progress: Progress,
) -> Run[Done]:
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
            await each(_gather, subjects, CREATORS_AT_ONCE)
            await asyncio.gather(run.chain.done(), *(asyncio.to_thread(subject.warm) for subject in subjects))

        await run.go(steps())
        done = [await _finish(subject) for subject in subjects]
        analyses = await of_run(options.analyst, done, run)
        return Run(tuple(done), run.dispatcher.cost(), run.warnings, run.interrupted, analyses)


async def _gather(subject: Subject) -> None:
    await subject.gather()
    fetch_covers(subject)
    write_first(subject)


async def _finish(subject: Subject) -> Done:
    """Store what is known of one creator and say how complete it is."""
    try:
        return await _store(subject)
    except TikomniError as error:  # a full disk, say: what was paid for is in the ledger, and is told as paid
        return Done(
            target=subject.target, status="failed", error=error, pending=subject.pending, creator=subject.creator
        )


async def _store(subject: Subject) -> Done:
    run, creator = subject.run, subject.creator
    if creator is None:
        error = run.unanswered(subject.target, subject.error, subject.pending)
        status = "partial" if subject.pending else "failed"
        return Done(target=subject.target, status=status, error=error, pending=subject.pending)
    picture = subject.picture(heard=True)
    if not subject.leaves("library"):
        run.library.keep_works(picture.works)
    covers = await covers_there(subject)
    paths = write(subject, creator, picture, covers, await avatar_of(run, creator))
    whole = not subject.missing and subject.error is None
    run.step("documents", creator.key, "done" if whole else "partial")
    return Done(
        target=subject.target,
        status="complete" if whole else "partial",
        error=subject.error,
        missing=tuple(subject.missing),
        pending=subject.pending,
        tasks=paths.pop("tasks"),
        creator=creator,
        picture=picture,
        collection=collection_of(subject),
        paths=paths,
    )
