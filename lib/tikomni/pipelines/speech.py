"""From links, files and speech jobs to words, each in a file of its own. The order of steps and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tikomni.deadline import Deadline
from tikomni.dispatch.terms import Terms
from tikomni.envelope import Cost
from tikomni.errors import InputError, TikomniError
from tikomni.facts import Media, Transcript, Work
from tikomni.pipelines.session import Session, opened
from tikomni.pipelines.works import Facts, gather_facts
from tikomni.platforms import Target
from tikomni.progress import Progress
from tikomni.settings import Settings
from tikomni.storage.atomic import write_text
from tikomni.transcripts.asr import words_of_task
from tikomni.transcripts.export import Format, exported, fits
from tikomni.transcripts.source import Words

PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Spoken:
    """One input and its words. ``path`` is the file that holds them; ``key`` names the work, where it is one."""

    input: str
    words: Words
    key: str | None = None
    title: str | None = None
    path: Path | None = None
    error: TikomniError | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """Everything a run brought."""

    spoken: tuple[Spoken, ...]
    cost: Cost
    warnings: tuple[str, ...]
    interrupted: bool = False


async def transcribe(
    targets: Sequence[Target],
    files: Sequence[Path],
    form: Format,
    language: str | None,
    settings: Settings,
    deadline: Deadline,
    terms: Terms,
    progress: Progress,
) -> Brought:
    """The words of works and of files of the user's own.

    Raises:
        TikomniError: nothing could be done at all.
    """
    own = [(path, _file_work(path)) for path in files]
    async with opened(Session, settings, deadline, terms, progress, language=language) as run:
        facts = [Facts(t, pending=True) for t in targets if t.elsewhere is None]
        elsewhere = [(t, _elsewhere_work(t)) for t in targets if t.elsewhere is not None]

        async def steps() -> None:
            for path, work in own:
                run.chain.add(work, Media(), path)
            for _, work in elsewhere:
                run.chain.add(work, Media())
            await gather_facts(facts, run, run.chain.add)
            await run.chain.done()

        await run.go(steps())
        spoken = [_told(str(path), work, run) for path, work in own]
        spoken += [_told(target.url or target.text, work, run) for target, work in elsewhere]
        for fact in facts:
            shown = fact.target.url or fact.target.text
            if fact.work is None:
                error = run.unanswered(fact.target, fact.error, fact.pending)
                spoken.append(Spoken(shown, Words(reason=error.code, pending=fact.pending), error=error))
                continue
            spoken.append(_told(shown, fact.work, run))
            words = spoken[-1].words
            run.library.keep(fact.work.with_words(words.transcript, words.reason))
        written = tuple(_written(s, form, run) for s in spoken)
        return Brought(written, run.dispatcher.cost(), run.warnings, run.interrupted)


async def poll(
    task: str, form: Format, settings: Settings, deadline: Deadline, terms: Terms, progress: Progress
) -> Brought:
    """The words of a speech job, whoever submitted it, file by file.

    Raises:
        UpstreamError: ``not_found`` where the service does not know it.
    """
    async with opened(Session, settings, deadline, terms, progress) as run:
        rows = await words_of_task(run.means, task)
        spoken = []
        for index, (keys, words) in enumerate(rows):
            spoken += [Spoken(f"{task}#{index}", words, key) for key in keys or (None,)]
        written = tuple(_written(s, form, run) for s in spoken)
        return Brought(written, run.dispatcher.cost(), run.warnings)


def _told(text: str, work: Work, run: Session) -> Spoken:
    words = run.words_of(work)
    run.step("words", work.key, "pending" if words.pending else "done", words.reason)
    return Spoken(text, words, work.key, work.title)


def _written(spoken: Spoken, form: Format, run: Session) -> Spoken:
    """``spoken`` with its words in a file; without times they are no subtitles, and stand as plain text."""
    transcript = spoken.words.transcript
    if transcript is None or not transcript.clean:
        return spoken
    if not fits(transcript, form):
        run.means.warn(
            f"{spoken.key or spoken.input}: the words have no times, so they are written as txt, not {form}."
        )
        form = "txt"
    platform, _, name = (spoken.key or f"task:{spoken.input}").partition(":")
    path = run.tree.words_path(platform, name, run.now, form)
    write_text(path, exported(transcript, form))
    return replace(spoken, path=path)


def _file_work(path: Path) -> Work:
    """A file of the user's own as a work, known by its content: a copy under another name is the same.

    Raises:
        InputError: ``invalid_input``, where it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
    except OSError as error:
        raise InputError("invalid_input", f"{path}: {error.strerror or error}.") from None
    return Work("file", digest.hexdigest()[:32], title=path.name, work_modality="video", media_kind="video")


def _elsewhere_work(target: Target) -> Work:
    """A work of a platform of which the links alone are known; captions may be had all the same."""
    assert target.elsewhere is not None
    name = target.ids.get("id") or target.ids.get("number") or hashlib.sha256(target.text.encode()).hexdigest()[:16]
    return Work(
        target.elsewhere.platform, name, platform_native_ids=target.known, work_modality="video", media_kind="video"
    )


def transcript_of(brought: Brought, item: int | None) -> Transcript:
    """The words of one file of a job: the ``item``-th, or the only one.

    Raises:
        InputError: ``usage``, where it is not clear which, or there are none.
    """
    rows = {int(s.input.rpartition("#")[2]): s for s in brought.spoken}
    if item is None and len(rows) > 1:
        raise InputError("usage", f"The job has {len(rows)} files: say which with --item 0 … {max(rows)}.")
    chosen = rows.get(item if item is not None else 0)
    if chosen is None or chosen.words.transcript is None:
        why = f" ({chosen.words.reason})" if chosen is not None else ""
        raise InputError("invalid_input", f"That file of the job has no words{why}.")
    return chosen.words.transcript
