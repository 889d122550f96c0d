"""The ASR service: one job for many clips, journaled before it is sent, polled until it is done, never sent twice.

A job is billed by the second whether anybody reads it or not. So its task id is on disk before the first poll, a
run that gives up leaves it pending for the next one, and a finished item is kept the moment it is read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from tikomni.dispatch.dispatcher import Allow
from tikomni.dispatch.downloads import TEXT_BYTES, DownloadFailed
from tikomni.dispatch.ledger import Job, JobFile
from tikomni.dispatch.ledger.speech import Source as Kind
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.dispatch.outcomes import Outcome, parsed
from tikomni.errors import RefusedError, TikomniError, UpstreamError
from tikomni.facts import Segment, Transcript
from tikomni.settings import Settings
from tikomni.transcripts.clean import clean
from tikomni.transcripts.source import Means, Release, Source, Wanted, Words, fail, listenable
from tikomni.transcripts.task import NO_SPEECH, Item, files_of, read_document, read_task, task_id

SUBMIT = "u2.services.audio.asr.transcription"
QUERY = "u2.tasks"
ALLOW = Allow(routes=frozenset({SUBMIT}))
FILES_PER_JOB = 100
FIRST_POLL_SECONDS = 0.5
POLL_GROWTH = 1.1  # a look comes later than the words by this share of the job's time at most
POLL_FAILURES = 5
SLOW = "asr_slow"
# An item is given up for another way only when the service was silent for at least this share of the clip.
PATIENCE_SHARE = 0.25

PENDING = Words(reason="asr_pending", pending=True)
Address = Callable[[], Awaitable[str]]


class NoAddress(Exception):
    """A clip could not be given an address that the service can fetch; the text is the reason's code."""


class TakenByAnother(Exception):
    """Another process has begun a job for one of these clips."""


@dataclass(slots=True, eq=False)
class _Hope:
    """A clip whose words are awaited. ``slow`` is set when the service has been silent about it for too long.

    ``placed``: it waits for a job, or is in one. ``dropped``: its words came another way.
    """

    keys: Sequence[str]
    seconds: float
    placed: bool = False
    dropped: bool = False
    words: asyncio.Future[Words] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    slow: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, words: Words) -> None:
        if not self.words.done():
            self.words.set_result(words)


class Jobs:
    """The speech jobs of one run and one kind: of the platforms' own addresses, or of uploaded copies.

    Clips come one by one and leave in jobs: when a hundred wait, or when nobody else is expected.

    Args:
        rescued: whether another way is tried for a clip about which the service is silent.
    """

    def __init__(self, means: Means, kind: Kind, *, rescued: bool = False) -> None:
        self._means = means
        self._dispatcher = means.dispatcher
        self._settings = means.dispatcher.settings
        self._ledger = means.dispatcher.ledger.speech
        self._kind = kind
        self._rescued = rescued and self._settings.asr_hard_fallback_sec > 0
        self._coming = 0
        self._waiting: list[tuple[_Hope, str]] = []
        self._hopes: dict[str, _Hope] = {}
        self._followed: dict[int, tuple[Job, dict[int, _Hope]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def words(self, wanted: Wanted, address: Address, arrived: Release = lambda: None) -> Words:
        """The words of one clip: from a job that is under way, else from a new one.

        ``wanted.later`` is set where the service is silent for too long; the reason then is ``asr_slow``.

        Args:
            address: where the service can fetch the clip; asked only when a job has to be sent.
            arrived: called when this clip has been counted among those that may still join a job.
        """
        leave = self.expect()
        arrived()
        try:
            await self._others([wanted.key])
            if kept := self._means.kept(wanted.key):
                return kept
            hope = self._hopes.setdefault(wanted.key, _Hope(wanted.keys, wanted.seconds))
            if closed := self._resume(wanted.key):
                return closed
            if not hope.placed:
                if failed := self._failed_lately(wanted.key):
                    return Words(reason=failed)
                self._place(hope, await address())
        except NoAddress as none:
            return Words(reason=str(none))
        finally:
            leave()
        slow = asyncio.ensure_future(hope.slow.wait())
        await asyncio.wait({hope.words, slow}, return_when=asyncio.FIRST_COMPLETED)
        slow.cancel()
        if hope.words.done():
            return hope.words.result()
        wanted.later = hope.words
        return Words(reason=SLOW, pending=True)

    def expect(self) -> Release:
        """One more clip may come; call what is returned when it has, or will not."""
        self._coming += 1
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self._coming -= 1
                self._send_due()

        return leave

    def share(self, key: str, other: str) -> None:
        """``other`` has the same clip as ``key``: what is under way for one serves both."""
        self._ledger.share(self._dispatcher.scope, key, other)

    def drop(self, key: str) -> None:
        """The words of ``key`` came another way: its item in a job is of no use any more."""
        if hope := self._hopes.get(key):
            hope.dropped = True

    async def follow(self, job: Job) -> list[Words]:
        """Poll a job whose task id is known; what became of each of its files that were open, in order."""
        hopes = self._begin(job)
        return [await hope.words for hope in hopes]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job, left in self._followed.values():
            self._forget(job, left)

    # --- from clips to jobs

    async def _others(self, keys: Sequence[str]) -> None:
        """Wait while another process of this machine is sending a job for one of ``keys``: its words serve us too."""
        while not self._dispatcher.deadline.passed:
            jobs = self._ledger.open_jobs(self._dispatcher.scope, keys)
            if not any(job.being_sent for job in jobs if job.source == self._kind):
                return
            await asyncio.sleep(FIRST_POLL_SECONDS / 2)

    def _failed_lately(self, key: str) -> str | None:
        """Why the service could not transcribe ``key`` a short while ago; asked again with ``--fresh``."""
        age = 0 if self._dispatcher.terms.fresh else self._settings.shelf_life("facts")
        return self._ledger.failure_of(self._dispatcher.scope, self._kind, key, age)

    def _resume(self, key: str) -> Words | None:
        """Follow the job that is under way for ``key``, if there is one.

        One whose acceptance nobody knows is sent once more, with a warning, and then left: what is returned says so.
        """
        for job in self._ledger.open_jobs(self._dispatcher.scope, [key]):
            if job.source != self._kind:
                continue
            if job.task_id:
                self._begin(job)
            elif job.being_sent:
                return PENDING
            else:
                keys = [k for f in job.files for k in f.media]
                scope, may_resubmit = self._dispatcher.scope, self._dispatcher.terms.resubmit
                if not may_resubmit or self._ledger.was_repeated(scope, self._kind, keys):
                    return Words(reason="asr_unknown")
                self._ledger.settle_job(job.id, "superseded")
                self._means.warn(
                    f"A speech job for {len(keys)} work(s) was sent earlier and its answer was lost; it is sent once "
                    "more, and both may be charged."
                )
        return None

    def _place(self, hope: _Hope, url: str) -> None:
        hope.placed = True
        self._waiting.append((hope, url))

    def _send_due(self) -> None:
        while len(self._waiting) >= FILES_PER_JOB or (self._waiting and self._coming == 0):
            batch, self._waiting = self._waiting[:FILES_PER_JOB], self._waiting[FILES_PER_JOB:]
            self._spawn(self._send(batch), [hope for hope, _ in batch])

    def _spawn(self, work: Coroutine[Any, Any, None], hopes: Sequence[_Hope]) -> None:
        """Run ``work`` beside everything else. Whatever ends it, nobody is left waiting for its words."""

        async def run() -> None:
            try:
                await work
            except DeadlinePassed:
                closed = PENDING
            except TikomniError as error:  # no credit left, say: that must not cost what else there is
                self._means.warn(f"{error.message} {error.hint()}")
                closed = Words(reason=error.code, pending=True)
            except BaseException as error:
                for hope in hopes:
                    fail(hope.words, error)
                raise
            else:
                return
            for hope in hopes:
                hope.settle(closed)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, batch: Sequence[tuple[_Hope, str]]) -> None:
        batch = [entry for entry in batch if self._within_budget(entry[0])]
        if not batch:
            return
        try:
            job, closed = await self._submit(batch)
        except TakenByAnother:
            await self._retake(batch)
            return
        if job is not None:
            self._begin(job)
        for hope, _ in batch if closed else ():
            hope.settle(closed)

    def _within_budget(self, hope: _Hope) -> bool:
        try:
            self._dispatcher.reserve_speech(hope.seconds)
        except RefusedError as error:
            self._means.warn(f"{error.message} {error.hint()}")
            hope.settle(Words(reason=error.code))
            return False
        return True

    async def _retake(self, batch: Sequence[tuple[_Hope, str]]) -> None:
        """Another process was quicker with some of these clips: its job serves them, the rest wait for a new one."""
        leave = self.expect()
        try:
            await self._others([key for hope, _ in batch for key in hope.keys])
            for hope, url in batch:
                hope.placed = False
                key = hope.keys[0]
                if closed := self._means.kept(key) or self._resume(key):
                    hope.settle(closed)
                elif not hope.placed:
                    self._place(hope, url)
        finally:
            leave()

    async def _submit(self, batch: Sequence[tuple[_Hope, str]]) -> tuple[Job | None, Words | None]:
        """Send one job. Its row is written at the moment of sending, so that a row means that bytes may have left.

        Raises:
            TakenByAnother: another process has begun a job for one of these clips; nothing was sent.
        """
        job_id: int | None = None
        files = [(tuple(hope.keys), url) for hope, url in batch]

        def begin() -> None:
            nonlocal job_id
            if job_id is None:
                job_id = self._ledger.begin_job(self._dispatcher.scope, self._kind, files)
            if job_id is None:
                raise TakenByAnother

        inputs = {"input": {"file_urls": [url for _, url in files]}}
        try:
            answer = await self._dispatcher.call(SUBMIT, inputs, allow=ALLOW, max_age=0, on_send=begin)
        except (DeadlinePassed, TikomniError) as error:
            if job_id is not None:
                self._ledger.settle_job(job_id, "refused")
            if isinstance(error, TikomniError) and error.code == "unknown_route":
                # The provider in use has no speech service, and will have none when the run goes on.
                self._means.warn(f"{error.message} {error.hint()}")
                return None, Words(reason="asr_refused")
            if isinstance(error, TikomniError):
                raise
            return None, Words(reason="deadline", pending=True)
        assert job_id is not None
        task = task_id(answer.body) if answer.ok else None
        if task is not None:
            self._ledger.settle_job(job_id, "pending", task, answer.call_id)
            now = time.time()
            rows = (JobFile(i, keys, url, "pending", changed_at=now) for i, (keys, url) in enumerate(files))
            return Job(job_id, self._kind, task, tuple(rows)), None
        if answer.accepted:
            self._ledger.settle_job(job_id, "unknown", None, answer.call_id)
            self._means.warn(
                f"It is not known whether the speech job was accepted ({answer.message or answer.outcome}); "
                "it was not sent again."
            )
            return None, Words(reason="asr_unknown", pending=True)
        self._ledger.settle_job(job_id, "refused", None, answer.call_id)
        self._means.warn(f"The ASR service refused the job: {answer.message or answer.outcome}.")
        return None, Words(reason="asr_refused")

    # --- from jobs to words

    def _begin(self, job: Job) -> list[_Hope]:
        """Follow ``job``; whoever waits for one of its files, or will, gets its words."""
        open_files = [f for f in job.files if f.state == "pending"]
        hopes = []
        for file in open_files:
            hope = next((self._hopes[k] for k in file.media if k in self._hopes), None) or _Hope(file.media, 0.0)
            hope.placed = True
            for key in file.media:
                self._hopes.setdefault(key, hope)
            hopes.append(hope)
        if job.id not in self._followed:
            left = dict(zip((f.item_index for f in open_files), hopes, strict=True))
            self._followed[job.id] = job, left
            self._spawn(self._follow(job, left), hopes)
        return hopes

    async def _follow(self, job: Job, left: dict[int, _Hope]) -> None:
        """Poll ``job`` until it is finished or the deadline comes; keep each item's words as soon as they are there."""
        watch = _Watch(job, self._settings)
        all_open = len(left)
        urls = [f.file_url for f in job.files]
        most = self._settings.asr_poll_interval_sec
        pause, failures, unknown = min(FIRST_POLL_SECONDS, most), 0, 0
        while left and not self._dispatcher.deadline.within(pause) < pause:
            await asyncio.sleep(pause)
            pause = min(pause * POLL_GROWTH, most)
            self._forget(job, left)
            answer = await self._dispatcher.call(QUERY, {"task_id": job.task_id}, max_age=0)
            if not answer.ok:
                failures += 1
                unknown += answer.outcome is Outcome.EMPTY and answer.status == 404
                if unknown >= POLL_FAILURES:  # one gateway's "not found" must not cost words that are paid for
                    for index in list(left):
                        self._ledger.settle_file(job.id, index, "failed", "asr_task_unknown", None)
                        left.pop(index).settle(Words(reason="asr_task_unknown"))
                    break
                if failures >= POLL_FAILURES:
                    self._means.warn(f"Job {job.task_id} could not be looked at: {answer.message}.")
                    break
                continue
            failures = unknown = 0
            task = read_task(answer.body, urls)
            ended = {i: item for i, item in task.items.items() if i in left and item.state != "pending"}
            settled = await asyncio.gather(
                *(self._settle(job, job.files[i], item, left[i].seconds) for i, item in ended.items())
            )
            unreadable: dict[int, Words] = {}
            for index, words in zip(ended, settled, strict=True):
                if words.pending:
                    unreadable[index] = words
                else:
                    left.pop(index).settle(words)
            self._means.progress.stage("speech", len(job.files) - len(left), len(job.files), task=job.task_id)
            if warning := watch.silent(len(left) == all_open):
                self._means.warn(warning)
                self._means.progress.note(warning)
            if task.finished:
                for index, words in unreadable.items():
                    left.pop(index).settle(words)
                return  # what is left could not be read, and stays open for the next run
            for index in left.keys() - unreadable.keys():
                self._look(job, index, task.items.get(index), left[index], watch)
        if not left:
            self._ledger.settle_job(job.id, "done")
        for hope in left.values():
            hope.settle(PENDING)

    def _forget(self, job: Job, left: dict[int, _Hope]) -> None:
        """Items whose words came another way meanwhile are of no use any more."""
        for index in [i for i, hope in left.items() if hope.dropped]:
            self._ledger.settle_file(job.id, index, "failed", "superseded", None)
            del left[index]

    def _look(self, job: Job, index: int, item: Item | None, hope: _Hope, watch: _Watch) -> None:
        """Give up on an item that the service has said nothing new of for too long, unless its words are paid for."""
        if not self._rescued or hope.slow.is_set() or (item is not None and item.heard):
            return
        shown = item.shown if item else ""
        if watch.shown.get(index) != shown:
            watch.shown[index] = shown
            watch.since[index] = self._ledger.note_change(job.id, index, shown)
        if time.time() - watch.since[index] >= patience(self._settings.asr_hard_fallback_sec, hope.seconds):
            hope.slow.set()

    async def _settle(self, job: Job, file: JobFile, item: Item, length: float) -> Words:
        """Keep a finished item. A transcript document that cannot be read was paid for: the item stays open."""
        reason = item.reason or "asr_failed" if item.state == "failed" else None
        if reason is None and item.text is None and item.url is None:
            reason = "asr_no_words_in_answer"
        if reason and reason != NO_SPEECH:
            self._ledger.settle_file(job.id, file.item_index, "failed", reason, item.seconds)
            return Words(reason=reason)
        # Nobody speaks: known for good, like any other words.
        text, segments, seconds = "" if reason else item.text, item.segments, item.seconds
        if text is None:
            try:
                async with asyncio.timeout(self._dispatcher.deadline.remaining()):
                    text, segments, heard = await self._document(item.url or "")
            except TimeoutError:
                return Words(reason="deadline", pending=True)
            except (DownloadFailed, ValueError) as error:
                self._means.warn(f"The transcript of {file.media[0]} could not be read yet ({error}).")
                return Words(reason="asr_transcript_unreadable", pending=True)
            seconds = seconds if seconds is not None else heard
        seconds = seconds if seconds is not None else length or None
        transcript = Transcript(
            source=self._kind,
            language=None,
            raw=text,
            clean=clean(text),
            segments=segments,
            task=job.task_id,
            cost_seconds=seconds,
        )
        if self._ledger.settle_words(self._dispatcher.scope, job.id, file.item_index, transcript):
            self._dispatcher.tally.asr_seconds += seconds or 0.0
        return Words(transcript, None if text else NO_SPEECH)

    async def _document(self, url: str) -> tuple[str, tuple[Segment, ...], float | None]:
        data = await self._means.downloader.fetch(url, most_bytes=TEXT_BYTES)
        return read_document(parsed(data))


class _Watch:
    """How long a job and its items have been silent."""

    def __init__(self, job: Job, settings: Settings) -> None:
        self.shown: dict[int, str] = {}
        self.since: dict[int, float] = {}
        self._task = job.task_id
        self._begun = min((f.changed_at for f in job.files), default=time.time())
        self._wait = settings.asr_soft_wait_sec
        self._told = self._wait == 0

    def silent(self, nothing: bool) -> str | None:
        """What to tell, once, when nothing has come within the soft wait."""
        if self._told or not nothing or time.time() - self._begun < self._wait:
            return None
        self._told = True
        return f"Speech job {self._task} has brought no result in {self._wait:g} s; it goes on and is not sent again."


def patience(hard_seconds: float, clip_seconds: float) -> float:
    """How long an item may be silent before its clip is sent another way, seconds."""
    return max(hard_seconds, PATIENCE_SHARE * clip_seconds)


class SpeechService(Source):
    """A source whose words come from the service, however it gets at the clip."""

    hears = True

    def __init__(self, means: Means, jobs: Jobs) -> None:
        super().__init__(means)
        self.jobs = jobs

    def share(self, key: str, other: str) -> None:
        self.jobs.share(key, other)

    def drop(self, key: str) -> None:
        self.jobs.drop(key)

    async def close(self) -> None:
        await self.jobs.close()


class Asr(SpeechService):
    """Source 3: the service fetches the platform's own address."""

    name = "asr"

    def __init__(self, means: Means, *, rescued: bool) -> None:
        super().__init__(means, Jobs(means, "asr", rescued=rescued))

    async def words(self, wanted: Wanted) -> Words | None:
        streams = listenable(wanted.media)
        if not streams:
            return None

        async def address() -> str:
            return streams[0].url

        return await self.jobs.words(wanted, address, wanted.tickets.pop(self.name, lambda: None))

    def expect(self) -> Release:
        return self.jobs.expect()


async def words_of_task(means: Means, task: str) -> list[tuple[tuple[str, ...], Words]]:
    """What a job brought, file by file: whose words they are, where that is known here, and the words.

    Raises:
        UpstreamError: ``not_found`` where the service does not know the job.
    """
    jobs = Jobs(means, "asr")
    job = means.dispatcher.ledger.speech.job_of_task(means.dispatcher.scope, task)
    known = job is not None
    job = job or await _foreign(means, task)
    try:
        found = iter(await jobs.follow(job))
    finally:
        await jobs.close()
    rows = []
    for file in job.files:
        if file.state == "pending":
            words = next(found)
        elif file.state == "done":
            words = means.kept(file.media[0]) or Words(reason="asr_no_words_in_answer")
        else:
            words = Words(reason=file.reason)
        rows.append((file.media if known else (), words))
    return rows


async def _foreign(means: Means, task: str) -> Job:
    """A job that was submitted elsewhere, as far as its first answer tells of it."""
    answer = await means.dispatcher.call(QUERY, {"task_id": task}, max_age=0)
    if answer.outcome is Outcome.EMPTY:
        raise UpstreamError("not_found", f"The speech service knows no task {task}.")
    if not answer.ok:
        raise answer.error()
    now, urls = time.time(), files_of(answer.body)
    rows = (JobFile(i, (f"task:{task}/{i}",), url, "pending", changed_at=now) for i, url in enumerate(urls))
    return Job(0, "asr", task, tuple(rows))
