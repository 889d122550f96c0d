"""The ASR service: one job for many clips, journaled before it is sent, polled until it is done, never sent twice.

A job is billed by the second whether anybody reads it or not. So its task id is on disk before the first poll, a
run that gives up leaves it pending for the next one, and a finished item is kept the moment it is read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tikomni.dispatch.dispatcher import Allow, Dispatcher
from tikomni.dispatch.downloads import TEXT_BYTES, Downloader, DownloadFailed
from tikomni.dispatch.ledger import Job, JobFile
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.dispatch.outcomes import Outcome
from tikomni.errors import TikomniError
from tikomni.facts import Segment, Transcript
from tikomni.progress import Progress
from tikomni.transcripts.clean import clean
from tikomni.transcripts.task import NO_SPEECH, Item, read_document, read_task, task_id

SUBMIT = "u2.services.audio.asr.transcription"
QUERY = "u2.tasks"
ALLOW = Allow(routes=frozenset({SUBMIT}))
FILES_PER_JOB = 100
FIRST_POLL_SECONDS = 0.5
POLL_GROWTH = 1.5
POLL_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Clip:
    """What is sent to speech recognition. ``media`` is whose words these are."""

    media: str
    url: str
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one work, or why there are none. ``pending``: a later run may still get them, for free."""

    transcript: Transcript | None = None
    reason: str | None = None
    pending: bool = False


class TakenByAnother(Exception):
    """Another process has begun a job for one of these clips."""


@dataclass(slots=True)
class Speech:
    """Speech recognition within one run."""

    dispatcher: Dispatcher
    downloader: Downloader
    progress: Progress
    warnings: list[str] = field(default_factory=list)

    async def words(self, clips: Sequence[Clip]) -> dict[str, Words]:
        """Words by media. Jobs that are under way for a clip are resumed; only the rest is submitted."""
        await self._others(clips)
        found = {c.media: words for c in clips if (words := self.kept(c.media)) is not None}
        waiting = {c.media: c for c in clips if c.media not in found}
        jobs, left = self._resume(waiting)
        found |= left
        for media in waiting.keys() - found.keys():
            if reason := self._failed_lately(media):
                found[media] = Words(reason=reason)
        under_way = {f.media for j in jobs for f in j.files if f.state == "pending"}
        fresh = [c for m, c in waiting.items() if m not in under_way and m not in found]
        for start in range(0, len(fresh), FILES_PER_JOB):
            batch = fresh[start : start + FILES_PER_JOB]
            try:
                job, reason = await self._submit(batch)
            except TakenByAnother:
                return found | await self.words(clips)
            if job is not None:
                jobs.append(job)
            else:
                found |= {c.media: Words(reason=reason, pending=reason in ("asr_unknown", "deadline")) for c in batch}
        results = await asyncio.gather(*(self._follow(job, waiting) for job in jobs))
        for result in results:
            found |= result
        return {c.media: found.get(c.media, Words(reason="asr_pending", pending=True)) for c in clips}

    async def _others(self, clips: Sequence[Clip]) -> None:
        """Wait while another process of this machine is sending a job for one of ``clips``: its words serve us too."""
        media = [c.media for c in clips]
        while not self.dispatcher.deadline.passed:
            jobs = self.dispatcher.ledger.speech.open_jobs(self.dispatcher.scope, media)
            if not any(job.being_sent for job in jobs):
                return
            await asyncio.sleep(FIRST_POLL_SECONDS / 2)

    def kept(self, media: str) -> Words | None:
        """The words that any earlier run has got for ``media``; they cost nothing more."""
        transcript = self.dispatcher.ledger.speech.words(self.dispatcher.scope, media)
        return None if transcript is None else Words(transcript, None if transcript.raw else NO_SPEECH)

    def _failed_lately(self, media: str) -> str | None:
        """Why the service could not transcribe ``media`` a short while ago; asked again with ``--fresh``."""
        age = 0 if self.dispatcher.fresh else self.dispatcher.settings.max_age_sec
        return self.dispatcher.ledger.speech.failure_of(self.dispatcher.scope, media, age)

    def _resume(self, waiting: Mapping[str, Clip]) -> tuple[list[Job], dict[str, Words]]:
        """Jobs to poll again. One whose acceptance nobody knows is repeated once, with a warning, and then left."""
        jobs: list[Job] = []
        unknown: dict[str, Words] = {}
        for job in self.dispatcher.ledger.speech.open_jobs(self.dispatcher.scope, waiting):
            if job.task_id:
                jobs.append(job)
                continue
            media = [f.media for f in job.files]
            if job.being_sent:
                unknown |= {m: Words(reason="asr_pending", pending=True) for m in media if m in waiting}
                continue
            if self.dispatcher.ledger.speech.was_repeated(self.dispatcher.scope, media):
                unknown |= {m: Words(reason="asr_unknown") for m in media if m in waiting}
                continue
            self.dispatcher.ledger.speech.settle_job(job.id, "superseded")
            self.warnings.append(
                f"A speech job for {len(media)} work(s) was sent earlier and its answer was lost; it is sent once "
                "more, and both may be charged."
            )
        return jobs, unknown

    async def _submit(self, batch: Sequence[Clip]) -> tuple[Job | None, str]:
        """Send one job. Its row is written at the moment of sending, so that a row means that bytes may have left.

        Raises:
            TakenByAnother: another process has begun a job for one of these clips; nothing was sent.
        """
        ledger = self.dispatcher.ledger.speech
        job_id: int | None = None

        def begin() -> None:
            nonlocal job_id
            if job_id is None:
                job_id = ledger.begin_job(self.dispatcher.scope, [(c.media, c.url) for c in batch])
            if job_id is None:
                raise TakenByAnother

        inputs = {"input": {"file_urls": [c.url for c in batch]}}
        try:
            answer = await self.dispatcher.call(SUBMIT, inputs, allow=ALLOW, max_age=0, on_send=begin)
        except (DeadlinePassed, TikomniError) as error:
            if job_id is not None:
                ledger.settle_job(job_id, "refused")
            if isinstance(error, TikomniError) and error.code == "unknown_route":
                # The provider in use has no speech service, and will have none when the run goes on.
                self.warnings.append(f"{error.message} {error.hint()}")
                return None, "asr_refused"
            if isinstance(error, TikomniError):
                raise
            return None, "deadline"
        assert job_id is not None
        task = task_id(answer.body) if answer.ok else None
        if task is not None:
            ledger.settle_job(job_id, "pending", task, answer.call_id)
            files = tuple(JobFile(i, c.media, c.url, "pending") for i, c in enumerate(batch))
            return Job(job_id, task, files), ""
        if answer.accepted:
            ledger.settle_job(job_id, "unknown", None, answer.call_id)
            self.warnings.append(
                f"It is not known whether the speech job was accepted ({answer.message or answer.outcome}); "
                "it was not sent again."
            )
            return None, "asr_unknown"
        ledger.settle_job(job_id, "refused", None, answer.call_id)
        self.warnings.append(f"The ASR service refused the job: {answer.message or answer.outcome}.")
        return None, "asr_refused"

    async def _follow(self, job: Job, waiting: Mapping[str, Clip]) -> dict[str, Words]:
        """Poll ``job`` until it is finished or the deadline comes; keep each item's words as soon as they are there."""
        found: dict[str, Words] = {}
        open_files = {f.item_index: f for f in job.files if f.state == "pending"}
        urls = [f.file_url for f in job.files]
        pause, failures, first = FIRST_POLL_SECONDS, 0, True
        while open_files:
            if not first:
                pause = min(pause * POLL_GROWTH, self.dispatcher.settings.asr_poll_interval_sec)
            wait = min(pause, self.dispatcher.settings.asr_poll_interval_sec)
            left = self.dispatcher.deadline.remaining()
            if left is not None and left <= wait:
                break
            await asyncio.sleep(wait)
            first = False
            try:
                answer = await self.dispatcher.call(QUERY, {"task_id": job.task_id}, max_age=0)
            except DeadlinePassed:
                break
            if answer.outcome is Outcome.EMPTY and answer.status == 404:
                found |= self._lost(job, open_files)
                break
            if not answer.ok:
                failures += 1
                if failures >= POLL_FAILURES:
                    self.warnings.append(f"Job {job.task_id} could not be looked at: {answer.message}.")
                    break
                continue
            failures = 0
            task = read_task(answer.body, urls)
            for index, item in task.items.items():
                if index in open_files and item.state != "pending":
                    words = await self._settle(job, open_files[index], item, waiting)
                    if not words.pending:
                        del open_files[index]
                    found[job.files[index].media] = words
            self.progress.stage("words", len(job.files) - len(open_files), len(job.files), task=job.task_id)
            if task.finished:
                break
        if not open_files:
            self.dispatcher.ledger.speech.settle_job(job.id, "done")
        for file in open_files.values():
            found.setdefault(file.media, Words(reason="asr_pending", pending=True))
        return found

    def _lost(self, job: Job, open_files: Mapping[int, JobFile]) -> dict[str, Words]:
        for file in open_files.values():
            self.dispatcher.ledger.speech.settle_file(job.id, file.item_index, "failed", "asr_task_unknown", None)
        self.dispatcher.ledger.speech.settle_job(job.id, "done")
        return {f.media: Words(reason="asr_task_unknown") for f in open_files.values()}

    async def _settle(self, job: Job, file: JobFile, item: Item, waiting: Mapping[str, Clip]) -> Words:
        """Keep a finished item. A transcript document that cannot be read was paid for: the item stays open."""
        if item.state == "failed" and item.reason != NO_SPEECH:
            self.dispatcher.ledger.speech.settle_file(job.id, file.item_index, "failed", item.reason, item.seconds)
            return Words(reason=item.reason)
        text, segments, seconds = item.text, item.segments, item.seconds
        if item.state == "failed":
            text = ""  # nobody speaks: known for good, like any other words
        if text is None and item.url is None:
            self.dispatcher.ledger.speech.settle_file(
                job.id, file.item_index, "failed", "asr_no_words_in_answer", seconds
            )
            return Words(reason="asr_no_words_in_answer")
        if text is None:
            try:
                text, segments, length = await self._document(item.url or "")
            except (DownloadFailed, ValueError) as error:
                self.warnings.append(f"The transcript of {file.media} could not be read yet ({error}).")
                return Words(reason="asr_transcript_unreadable", pending=True)
            seconds = seconds if seconds is not None else length
        clip = waiting.get(file.media)
        if seconds is None and clip is not None and clip.duration_ms:
            seconds = clip.duration_ms / 1000
        transcript = Transcript(
            source="asr",
            language=None,
            raw=text,
            clean=clean(text),
            segments=segments,
            origin=job.task_id,
            billed_seconds=seconds,
        )
        self.dispatcher.ledger.speech.keep_words(self.dispatcher.scope, file.media, transcript)
        if self.dispatcher.ledger.speech.settle_file(job.id, file.item_index, "done", None, seconds):
            self.dispatcher.tally.asr_seconds += seconds or 0.0
        return Words(transcript, None if text else NO_SPEECH)

    async def _document(self, url: str) -> tuple[str, tuple[Segment, ...], float | None]:
        data = await self.downloader.fetch(url, most_bytes=TEXT_BYTES)
        return read_document(json.loads(data))
