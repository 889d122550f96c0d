"""The words of videos: links, local files or a speech job in; the words and a file for each out."""

from __future__ import annotations

import argparse
import mimetypes
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Outcome, add_call_arguments, add_common, paced, run_async
from tikomni.errors import InputError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tikomni.envelope import Status
    from tikomni.pipelines.speech import Brought, Spoken
    from tikomni.platforms import Target
    from tikomni.settings import Settings

FORMATS = ("srt", "vtt", "txt", "json")
MOST_CHARS = 8000
MOST_ROWS = 20
_TASK = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", metavar="INPUT", nargs="*", help="link, share text, id, media file, or task id")
    parser.add_argument("--from", dest="source", metavar="FILE", help="read links from a file; -: standard input")
    parser.add_argument("--platform", metavar="NAME", help="whose ids these are: douyin, xiaohongshu")
    parser.add_argument(
        "--sources",
        dest="transcript_sources",
        metavar="LIST",
        help="where to look, in this order (default subtitles,insight,asr,relay,local)",
    )
    parser.add_argument("--language", dest="spoken", metavar="TAG", help="preferred language: zh, zh-CN, en, …")
    parser.add_argument("--dry-run", action="store_true", help="say what would be asked and cost, and ask nothing")
    add_format(parser)
    add_call_arguments(parser)
    add_common(parser, language=False)


def add_format(parser: argparse.ArgumentParser) -> None:
    """The form of the files and their root."""
    parser.add_argument("--format", choices=FORMATS, default="txt", help="form of the files (default txt)")
    parser.add_argument("--output-root", metavar="DIR", help="root of the files (default ./tikomni-output)")


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.cli.targets import gather, instead, is_work, left_out, refuse_others
    from tikomni.transcripts.chain import names

    settings = context.settings(args)
    names(settings.transcript_sources)
    if len(args.inputs) == 1 and is_task(args.inputs[0]):
        if args.dry_run:
            return _plan((), (), settings)
        from tikomni.cli import poll_asr

        return poll_asr.polled(args.inputs[0], args, context, settings)
    files = [Path(text) for text in args.inputs if is_file(text)]
    texts = [text for text in args.inputs if not is_file(text)]
    targets = gather(texts, args.source, args.platform) if texts or args.source or not files else ()
    works = [t for t in targets if is_work(t) or _elsewhere(t)]
    others = [t for t in targets if t not in works]
    if absent := next((t.text for t in others if t.reason == "no_link" and _is_media_name(t.text)), None):
        raise InputError("invalid_input", f"{absent}: there is no such file.")
    refusal, commands = refuse_others(others, context)
    if refusal is not None and not works and not files:
        return Outcome(status="failed", error=refusal, next=commands)
    if args.dry_run:
        return replace(_plan(works, files, settings), next=commands)
    settings.require_key()

    from tikomni.pipelines import speech

    terms = context.terms(args, settings)
    with closing(context.progress(args)) as progress:
        brought = run_async(
            speech.transcribe(works, files, args.format, args.spoken, settings, context.deadline, terms, progress)
        )
    unheard = {s.input for s in brought.spoken if s.words.transcript is None}
    more = tuple(n for t in works if (t.url or t.text) in unheard and _elsewhere(t) and (n := instead(t, context)))
    outcome = told(brought, args, context)
    result = {**outcome.result, "missing": [*outcome.result["missing"], *left_out(others)]}
    status = "partial" if others and outcome.status == "complete" else outcome.status
    return replace(outcome, result=result, status=status, next=(*outcome.next, *commands, *more))


def _plan(works: Sequence[Target], files: Sequence[Path], settings: Settings) -> Outcome:
    """What a run would ask of works whose answers are not stored; files of one's own cost speech alone."""
    from tikomni.cli.work import SPEECH_PRICE, planned

    rows = planned([target for target in works if not _elsewhere(target)])
    result = {
        "dry_run": True,
        "plan": rows,
        "captions_elsewhere": len(works) - len(rows),
        "files": [str(path) for path in files],
        "calls_at_least": len(works),
        "usd_at_least": round(sum(row["usd_at_least"] or 0 for row in rows), 6),
        "seconds_at_rate": paced(len(works), settings),
        "speech": SPEECH_PRICE,
        "speech_usd_per_hour": settings.asr_usd_per_hour,
        "note": "Answers and words that are stored already cost nothing.",
    }
    return Outcome(result=result)


def is_task(text: str) -> bool:
    """Whether ``text`` is the id of a speech job."""
    return bool(_TASK.fullmatch(text.strip()))


def is_file(text: str) -> bool:
    """Whether ``text`` is the path of a file of the user's own."""
    try:
        return "://" not in text and "\n" not in text and Path(text).is_file()
    except (OSError, ValueError):
        return False


def _is_media_name(text: str) -> bool:
    return (mimetypes.guess_type(text)[0] or "").startswith(("audio/", "video/"))


def _elsewhere(target: Any) -> bool:
    """Whether ``target`` is a work of a platform whose captions have routes."""
    from tikomni.transcripts.source import data

    return target.kind == "work" and target.elsewhere is not None and target.elsewhere.platform in data()["captions"]


def told(brought: Brought, args: argparse.Namespace, context: Context) -> Outcome:
    """The outcome of a run that brought words, at most ``MOST_CHARS`` characters of them."""
    left = None if args.full else MOST_CHARS
    rows = []
    for spoken in brought.spoken[: None if args.full else MOST_ROWS]:
        rows.append(_row(spoken, left))
        left = None if left is None else left - len(rows[-1].get("text") or "")
    result = {
        "works": rows,
        "count": len(brought.spoken),
        "missing": [
            {"item": s.key or s.input[:120], "field": "transcript", "reason": s.words.reason}
            for s in brought.spoken
            if s.words.transcript is None
        ][:MOST_ROWS],
    }
    status = _status(brought)
    commands = ()
    if brought.interrupted or any(s.words.pending for s in brought.spoken):
        commands = (context.go_on(),)
    error = Interrupted() if brought.interrupted else None
    if status == "failed":
        error = next((s.error for s in brought.spoken if s.error), None)
    # What is printed is bounded here, by characters of words rather than by tokens of everything.
    return Outcome(
        result=result,
        status=status,
        warnings=brought.warnings,
        cost=brought.cost,
        next=commands,
        error=error,
        full=True,
    )


def _status(brought: Brought) -> Status:
    spoken = brought.spoken
    if spoken and all(s.error is not None and not s.words.pending for s in spoken):
        return "failed"
    if brought.interrupted or any(s.words.pending or s.error for s in spoken):
        return "partial"
    return "complete" if all(s.words.transcript is not None for s in spoken) else "incomplete"


def _row(spoken: Spoken, left: int | None) -> dict[str, Any]:
    """One line of ``result.works``; ``left`` characters of words may still be printed."""
    platform, _, name = (spoken.key or "").partition(":")
    row: dict[str, Any] = {
        "input": spoken.input[:120],
        "platform": platform or None,
        "platform_work_id": name or None,
        "title": (spoken.title or "")[:80] or None,
    }
    found = spoken.words.transcript
    if found is None:
        row |= {"source": None, "reason": spoken.words.reason, "tried": dict(spoken.words.tried)}
        return row | ({"message": spoken.error.message} if spoken.error else {})
    row |= {"source": found.source, "language": found.language, "model": found.model, "task": found.task}
    row |= {"cost_seconds": found.cost_seconds, "quality": found.quality}
    row |= {"path": None if spoken.path is None else str(spoken.path)}
    if not found.clean:
        return row | {"reason": "no_speech", "text": ""}
    text = found.clean if left is None else found.clean[: max(0, left)]
    return row | {"text": text} | ({"text_chars": len(found.clean)} if len(text) < len(found.clean) else {})
