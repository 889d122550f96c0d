"""Where the words of a video come from: sources in order, the cheapest true one first.

A caption never poses as words. Works that cannot have any are told why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tikomni.dispatch.downloads import TEXT_BYTES, DownloadFailed
from tikomni.facts import Media, Stream, Transcript, Work
from tikomni.settings import Settings
from tikomni.transcripts import subtitles
from tikomni.transcripts.asr import Clip, Speech, Words
from tikomni.transcripts.clean import clean


async def words_of(works: Sequence[tuple[Work, Media]], speech: Speech, settings: Settings) -> dict[str, Words]:
    """Words by ``Work.key``: what was kept, else the platform's subtitles, else one ASR job for all that is left."""
    found: dict[str, Words] = {}
    wanted: list[tuple[Work, Media]] = []
    for work, media in works:
        if work.work_modality != "video":
            found[work.key] = Words(reason="not_video")
        elif kept := speech.kept(work.key):
            found[work.key] = kept
        else:
            wanted.append((work, media))
    from_files = await asyncio.gather(*(_from_subtitles(media, speech) for _, media in wanted))
    clips: list[Clip] = []
    for (work, media), transcript in zip(wanted, from_files, strict=True):
        if transcript is not None:
            speech.dispatcher.ledger.speech.keep_words(speech.dispatcher.scope, work.key, transcript)
            found[work.key] = Words(transcript)
        elif reason := gate(work, media, settings):
            found[work.key] = Words(reason=reason)
        else:
            clips.append(Clip(work.key, listenable(media.streams).url, work.duration_ms))
    return found | (await speech.words(clips) if clips else {})


def gate(work: Work, media: Media, settings: Settings) -> str | None:
    """Why ``work`` is not sent to speech recognition; ``None`` where it is."""
    if work.work_modality != "video":
        return "not_video"
    if work.duration_ms is None:
        return "duration_missing"
    if work.duration_ms <= settings.asr_min_sec * 1000:
        return "duration_too_short"
    if work.duration_ms > settings.asr_max_sec * 1000:
        return "duration_too_long"
    return None if media.streams else "video_download_url_missing"


def listenable(streams: Sequence[Stream]) -> Stream:
    """The smallest stream: speech needs no picture, and the service fetches it sooner."""
    return min(streams, key=lambda s: (s.size or 1 << 60, s.bitrate or 1 << 60, s.height or 1 << 30))


async def _from_subtitles(media: Media, speech: Speech) -> Transcript | None:
    for subtitle in subtitles.ordered(media.subtitles):
        try:
            data = await speech.downloader.fetch(subtitle.url, most_bytes=TEXT_BYTES, referer=media.referer)
            segments = subtitles.read(data)
        except DownloadFailed as failure:
            speech.warnings.append(f"Subtitle {subtitle.tag} was not usable: {failure.reason}.")
            continue
        except subtitles.Unusable as reason:
            speech.warnings.append(f"Subtitle {subtitle.tag} was not usable: {reason}.")
            continue
        raw = "\n".join(s.text for s in segments)
        language = subtitle.language or (None if subtitle.tag == "source" else subtitle.tag)
        return Transcript("subtitles", language, raw, clean(raw), segments, origin=subtitle.tag)
    return None
