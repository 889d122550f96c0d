"""Words from a speech model on this machine: which model serves a clip, and how far its text is to be trusted.

The models are the user's own folders (``models.yaml`` says which files make one); nothing is fetched or shipped. Clips
are heard in worker processes, one thread and one core each. A doubtful text is kept and marked, never mended; what the
model was told beforehand is never taken for what was said.
"""

from __future__ import annotations

import asyncio
import os
import re
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tikomni.deadline import Deadline
from tikomni.facts import Segment, Transcript
from tikomni.progress import Progress
from tikomni.transcripts.clean import clean
from tikomni.transcripts.engines import Heard, Utterance
from tikomni.transcripts.models import Model, Table, choose, known_models, lacking, plain_language, recognise
from tikomni.transcripts.source import Words
from tikomni.transcripts.task import NO_SPEECH
from tikomni.transcripts.workers import Failed, Worker

PENDING = "local_pending"

# A model of some hundred megabytes takes some hundred megabytes of memory in each worker.
MOST_WORKERS = 8
LOAD_SECONDS = 120.0

# Whisper's own bounds (openai/whisper, `transcribe`): beyond them a text is held to be made up.
MOST_NO_SPEECH = 0.6
LEAST_LOGPROB = -1.0
MOST_COMPRESSION = 2.4
# From this share of the text on, a doubt about parts is a doubt about the whole.
DOUBTFUL_SHARE = 0.2
LEAST_LANGUAGE_PROBABILITY = 0.5

_NO_LETTERS = re.compile(r"[\W_]+")
_LOOP = re.compile(r"(.{2,40}?)\1{4,}")


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """``model_dirs`` in the user's order. A clip may take ``seconds_per_second`` of its length, at least
    ``least_seconds``; one above ``most_seconds`` is refused. ``workers``: how many at once, ``None`` for one a core."""

    model_dirs: tuple[Path, ...] = ()
    most_seconds: float = 1800.0
    least_seconds: float = 30.0
    seconds_per_second: float = 2.0
    workers: int | None = None

    @classmethod
    def of(cls, model_dir: str | None, most_seconds: float) -> LocalSettings:
        """From the texts of the settings; folders are separated as in ``PATH``."""
        folders = (part.strip() for part in (model_dir or "").split(os.pathsep))
        return cls(tuple(Path(folder).expanduser().absolute() for folder in folders if folder), most_seconds)


@dataclass(frozen=True, slots=True)
class LocalClip:
    """A sound or video file. ``language`` is a BCP 47 tag, ``None`` where nobody knows it."""

    media: str
    path: Path
    language: str | None = None
    duration_ms: int | None = None


def time_limit(duration_ms: int | None, settings: LocalSettings) -> float:
    """Seconds that a clip may take."""
    return max(settings.least_seconds, settings.seconds_per_second * (duration_ms or 0) / 1000)


def judged(heard: Heard, prompt: str | None, model: str) -> Words:
    """The words in what a model made of a clip, and every doubt about them: ``no_speech_likely``, ``low_confidence``,
    ``repetition``, ``prompt_echo``, ``language_unsure``."""
    spoken = [u for u in heard.utterances if not _echoes(u.text, prompt)]
    if not spoken:
        return Words(reason="local_not_understood" if heard.utterances else NO_SPEECH)
    doubts = _doubts(spoken, heard)
    if prompt and any(_letters(prompt) in _letters(u.text) for u in heard.utterances):
        doubts += ("prompt_echo",)
    raw = "\n".join(u.text for u in spoken)
    segments = tuple(Segment(u.start_ms, u.end_ms, u.text) for u in spoken)
    quality = "degraded" if doubts else "good"
    return Words(
        Transcript(
            "local", heard.language, raw, clean(raw), segments, model=model, quality=quality, quality_reasons=doubts
        )
    )


def _echoes(text: str, prompt: str | None) -> bool:
    """Whether ``text`` is the prompt, once or several times, and nothing else."""
    ours = _letters(prompt or "")
    return bool(ours) and not _letters(text).replace(ours, "")


def _doubts(spoken: Sequence[Utterance], heard: Heard) -> tuple[str, ...]:
    unsure = heard.language_probability is not None and heard.language_probability < LEAST_LANGUAGE_PROBABILITY
    looped = [u for u in spoken if _compression(u.text) > MOST_COMPRESSION or _in_loops(u.text) > DOUBTFUL_SHARE]
    found = {
        "no_speech_likely": _share([u for u in spoken if (u.no_speech or 0) > MOST_NO_SPEECH], spoken),
        "low_confidence": _share([u for u in spoken if (u.logprob or 0) < LEAST_LOGPROB], spoken),
        "repetition": max(_share(looped, spoken), _in_loops(" ".join(u.text for u in spoken))),
        "language_unsure": float(unsure),
    }
    return tuple(reason for reason, share in found.items() if share > DOUBTFUL_SHARE)


def _share(some: Sequence[Utterance], of_all: Sequence[Utterance]) -> float:
    return sum(len(u.text) for u in some) / sum(len(u.text) for u in of_all)


def _compression(text: str) -> float:
    """How many times shorter zlib makes ``text``: Whisper's measure of repetition."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def _in_loops(text: str) -> float:
    """The share of ``text`` that is something of 2 to 40 letters five times or more in a row."""
    letters = _letters(text)
    return sum(len(m.group()) for m in _LOOP.finditer(letters)) / max(1, len(letters))


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text).lower()


@dataclass(frozen=True, slots=True)
class _Job:
    clip: LocalClip
    model: Model
    language: str | None

    @property
    def prompt(self) -> str | None:
        return self.model.layout.prompts.get(self.language or "")


class LocalEngine:
    """Hears clips with the user's models. ``known`` is what counts as a model."""

    def __init__(self, settings: LocalSettings, known: Table | None = None) -> None:
        known = known or known_models()
        found = {folder: recognise(folder, known.layouts) for folder in settings.model_dirs}
        self.settings = settings
        self.order = known.order
        self.models = tuple(model for model in found.values() if model and not model.absent)
        #: What is wrong with the folders that cannot be used, a sentence each.
        self.folder_problems = tuple(
            lacking(folder, known.layouts)
            if model is None
            else f"{model.layout.title} in {folder} needs {', '.join(model.absent)}: "
            "run `npx tikomni-skills env --extra local-asr`"
            for folder, model in found.items()
            if model is None or model.absent
        )

    def problem(self) -> str | None:
        """Why no clip can be heard; ``None`` when some model is ready."""
        if self.models:
            return None
        return "; ".join(self.folder_problems) or "TIKOMNI_LOCAL_ASR_MODEL_DIR names no folder with a speech model"

    async def transcribe(self, clips: Sequence[LocalClip], deadline: Deadline, progress: Progress) -> dict[str, Words]:
        """The words of each ``media``, or the reason for none: ``no_speech``, ``local_pending`` (no time was left),
        ``local_timeout``, ``local_not_understood``, ``local_no_model``, ``local_model_unusable``,
        ``local_language_unsupported``, ``local_no_sound``, ``local_file_unreadable``, ``duration_too_long``,
        ``local_crashed``, ``local_failed``."""
        found: dict[str, Words] = {}
        jobs: list[_Job] = []
        for clip in {clip.media: clip for clip in clips}.values():
            language = plain_language(clip.language)
            model = choose(self.models, language, self.order)
            if model is None:
                found[clip.media] = Words(reason="local_no_model")
            else:
                jobs.append(_Job(clip, model, language))
        await _Round(self, deadline, progress, found).hear(jobs)
        return {clip.media: found.get(clip.media, Words(reason=PENDING, pending=True)) for clip in clips}


@dataclass(slots=True)
class _Round:
    """One call of ``transcribe``: what waits, what is found, and which models turned out to be unusable."""

    engine: LocalEngine
    deadline: Deadline
    progress: Progress
    found: dict[str, Words]
    waiting: deque[_Job] = field(default_factory=deque)
    unusable: dict[Path, str] = field(default_factory=dict)
    total: int = 0

    async def hear(self, jobs: Sequence[_Job]) -> None:
        # Those of one model together: a worker that changes its model loads it.
        self.waiting.extend(sorted(jobs, key=lambda job: job.model.folder))
        self.total = len(jobs) + len(self.found)
        workers = min(self.engine.settings.workers or _cores(), MOST_WORKERS, len(jobs))
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._serve())

    async def _serve(self) -> None:
        worker: Worker | None = None
        opened: Model | None = None
        try:
            while self.waiting and not self.deadline.passed:
                job = self.waiting.popleft()
                try:
                    if worker is None or not worker.alive or opened != job.model:
                        if worker:
                            await worker.stop()
                        worker, opened = await self._open(job.model), job.model
                    heard = await self._ask(worker, job)
                except Failed as failure:
                    self._settle(job, Words(reason=failure.reason), str(failure))
                    continue
                self._settle(job, judged(heard, job.prompt, job.model.name))
                language = plain_language(heard.language)
                better = choose(self.engine.models, language, self.engine.order)
                if job.language is None and heard.utterances and better not in (None, job.model):
                    self.waiting.append(_Job(job.clip, better, language))
        finally:
            if worker:
                await worker.stop()

    async def _open(self, model: Model) -> Worker:
        if model.folder in self.unusable:
            raise Failed(self.unusable[model.folder])
        try:
            return await Worker.start(model.layout.engine, model.files, self.deadline.within(LOAD_SECONDS))
        except Failed as failure:
            if self._out_of_time:
                raise Failed(PENDING) from None
            self.unusable[model.folder] = failure.reason
            raise

    async def _ask(self, worker: Worker, job: _Job) -> Heard:
        settings, left = self.engine.settings, self.deadline.remaining()

        def limit(read_ms: int | None) -> float:
            own = time_limit(max(read_ms or 0, job.clip.duration_ms or 0), settings)
            return own if left is None else min(own, left)

        try:
            return await worker.hear(job.clip.path, job.language, job.prompt, settings.most_seconds, limit)
        except Failed as failure:
            if failure.reason == "local_timeout" and self._out_of_time:
                raise Failed(PENDING) from None
            raise

    @property
    def _out_of_time(self) -> bool:
        left = self.deadline.remaining()
        return left is not None and left < 0.1  # timers may ring a little early

    def _settle(self, job: _Job, result: Words, message: str = "") -> None:
        known = self.found.get(job.clip.media)
        if result.transcript or (known is None and result.reason != PENDING):  # words of a first hearing stay
            self.found[job.clip.media] = result
        if message:
            self.progress.note(f"{job.clip.media}: {result.reason} with {job.model.name}: {message}")
        self.progress.stage("local", len(self.found), self.total)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
