"""What every run of a pipeline opens and brings, and how it ends early. Knows no step and no platform."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tikomni import redact
from tikomni.cards.assets import Fetch
from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.dispatch.downloads import Downloader
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.dispatch.terms import Terms
from tikomni.envelope import Cost, Status
from tikomni.errors import Interrupted, TikomniError, UpstreamError
from tikomni.facts import Missing, Work
from tikomni.library.store import Library
from tikomni.platforms import Target
from tikomni.progress import Progress
from tikomni.settings import Settings
from tikomni.storage.atomic import write_json
from tikomni.storage.tree import Tree
from tikomni.transcripts.chain import Chain
from tikomni.transcripts.source import Means, Words

if TYPE_CHECKING:
    from tikomni.pipelines.analyst import Analysis

INTERRUPTED = "interrupted"
# Of the five seconds that a command may outlast its deadline: those in which documents are still begun.
GRACE_SECONDS = 2.0
IMAGE_TYPES = ("image/", "application/octet-stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of one input. ``pending``: a later run gets the rest without paying again.

    ``tasks``: kind and folder of the analyses that may be written.
    """

    target: Target
    status: Status
    error: TikomniError | None = None
    missing: tuple[Missing, ...] = ()
    pending: bool = False
    tasks: tuple[tuple[str, Path], ...] = ()


E = TypeVar("E", bound=Ended)


@dataclass(frozen=True, slots=True, repr=False)  # asyncio spells out what a task brought: that would be every work
class Run(Generic[E]):
    """Everything a run brought."""

    done: tuple[E, ...]
    cost: Cost
    warnings: tuple[str, ...]
    interrupted: bool
    analyses: tuple[Analysis, ...]

    @property
    def pending(self) -> bool:
        return any(one.pending for one in (*self.done, *self.analyses))

    @property
    def status(self) -> Status:
        states = {one.status for one in self.done}
        if states == {"failed"}:
            return "failed"
        if self.interrupted or states & {"failed", "partial"} or not all(one.whole for one in self.analyses):
            return "partial"
        return "incomplete" if "incomplete" in states else "complete"

    @property
    def error(self) -> TikomniError | None:
        """Why it was broken off, or brought nothing."""
        if self.interrupted:
            return Interrupted()
        return next((one.error for one in self.done if one.error), None) if self.status == "failed" else None

    @property
    def missing(self) -> list[dict[str, str]]:
        """Rows of ``result.missing``."""
        return [asdict(row) for one in self.done for row in one.missing]


@dataclass(eq=False, kw_only=True)
class Session:
    """One run. ``stopped``: why it ended before everything was asked; empty where it did not."""

    settings: Settings
    deadline: Deadline
    terms: Terms
    progress: Progress
    now: datetime
    tree: Tree
    library: Library
    dispatcher: Dispatcher
    means: Means
    chain: Chain
    stopped: str = ""
    _breaking: Any = field(default_factory=lambda: signal.getsignal(signal.SIGINT))

    @property
    def interrupted(self) -> bool:
        return self.stopped == INTERRUPTED

    @property
    def folder(self) -> Path:
        """Where this run keeps what is its own."""
        return self.tree.run_dir(self.terms.run_id or "run")

    @property
    def late(self) -> bool:
        """Whether time has been up for so long that what is not made yet is left to the next run."""
        return self.deadline.passed_by(GRACE_SECONDS)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.settings.warnings, *self.means.warnings)))

    @property
    def fetch(self) -> Fetch:
        """How pictures are fetched."""

        async def fetch(url: str, referer: str | None) -> bytes:
            return await self.means.downloader.fetch(url, types=IMAGE_TYPES, referer=referer)

        return fetch

    async def go(self, steps: Awaitable[None]) -> None:
        """Wait for ``steps``. A stop by the user, the deadline or trouble keeps what they brought; see ``stopped``.

        Ctrl-C breaks them off; what is made of them afterwards it shortens.
        """
        if not self.interrupted:
            _heed(self._breaking)
        try:
            await steps
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            self._interrupt()
        except DeadlinePassed:
            self.stopped = "deadline"
        except TikomniError as error:  # trouble of the words alone must not cost the facts
            self.stopped = error.code
            self.means.warn(f"{error.message} {error.hint()}")
        _heed(lambda *_: self._interrupt())

    def _interrupt(self) -> None:
        """The user wants an answer now: time is up. A terminal or a parent may say so more than once."""
        if not self.interrupted:
            self.stopped, self.deadline = INTERRUPTED, Deadline(0.0)

    def words_of(self, work: Work, wanted: bool = True) -> Words:
        """What this run or an earlier one heard in ``work``, else why there is nothing (yet)."""
        if found := self.chain.found.get(work.key) or self.means.kept(work.key):
            return found
        if not wanted:
            return Words(reason="not_requested")
        return Words(reason=self.stopped or "deadline", pending=work.work_modality == "video")

    def step(self, name: str, item: str, state: str, detail: str | None = None) -> None:
        """Journal how far ``item`` has come in step ``name`` of this run."""
        try:
            self.dispatcher.ledger.runs.step(self.terms.run_id, name, item, state, detail)
        except TikomniError as error:  # the run goes on; what it pays for has a guard of its own
            self.means.warn(error.message)

    def unanswered(self, target: Target, error: TikomniError | None, pending: bool) -> TikomniError:
        """Why nothing is known of ``target``; what no later run will find is told in a file of its own."""
        shown = (target.url or target.text)[:120]
        error = error or UpstreamError("timeout", f"{shown}: time ran out before it was asked.")
        if not pending:
            name = target.ids.get("work_id") or target.ids.get("creator_id") or "input"
            path = self.tree.errors_path(target.platform or "unknown", name, self.now)
            told = {"input": target.text, "url": target.url, "error": error.as_dict()}
            write_json(path, redact.texts(told))
        return error


S = TypeVar("S", bound=Session)
T = TypeVar("T")


@asynccontextmanager
async def opened(
    kind: type[S],
    settings: Settings,
    deadline: Deadline,
    terms: Terms,
    progress: Progress,
    *,
    roots: Iterable[tuple[Path, str]] = (),
    language: str | None = None,
    **own: Any,
) -> AsyncIterator[S]:
    """A session of ``kind``, with what that has of its ``own``.

    ``roots``: folders beside the tree that it will write to, each with the setting that names it.

    Raises:
        TikomniError: nothing could be done at all: roots, key, account.
    """
    tree = Tree(settings)
    tree.check(roots)
    async with AsyncExitStack() as stack:
        library = Library(settings.state / "library.sqlite3", settings.origin, terms.tell)
        stack.callback(library.close)
        dispatcher = await stack.enter_async_context(Dispatcher(settings, deadline, terms))
        means = Means(dispatcher, Downloader(dispatcher.transport, settings.origin), progress)
        chain = await stack.enter_async_context(Chain(means, language=language))
        yield kind(
            settings=settings,
            deadline=deadline,
            terms=terms,
            progress=progress,
            now=datetime.now(settings.zone),
            tree=tree,
            library=library,
            dispatcher=dispatcher,
            means=means,
            chain=chain,
            **own,
        )


async def each(job: Callable[[T], Awaitable[None]], of: Iterable[T], at_once: int) -> None:
    """Do ``job`` for each, ``at_once`` at a time."""
    turns = asyncio.Semaphore(at_once)

    async def one(thing: T) -> None:
        async with turns:
            await job(thing)

    await asyncio.gather(*map(one, of))


def _heed(handler: Any) -> None:
    """Let Ctrl-C do this from now on."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)
