"""The chain of sources: what is asked, in which order, and when a job leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.dispatch.downloads import Downloader
from tikomni.dispatch.terms import Terms
from tikomni.errors import InputError, RefusedError
from tikomni.facts import Media, Stream, Subtitle, Work
from tikomni.progress import Progress
from tikomni.settings import Settings
from tikomni.transcripts.asr import patience
from tikomni.transcripts.chain import Chain, detail_pays, gate, names
from tikomni.transcripts.source import Means

SUBMIT = "u2.services.audio.asr.transcription"
MINUTE = 60_000


def film(sandbox, name: str = "dy_video", number: int = 0) -> Media:
    return Media((Stream(f"{sandbox.base_url}/media/{name}/video-540.mp4?n={number}"),))


def video(number: int = 1, **more) -> Work:
    return Work("douyin", f"{number:019}", work_modality="video", media_kind="video", duration_ms=42_000, **more)


@pytest.fixture
def opened(sandbox, tmp_path):
    """A chain over the sandbox; settings and terms may be changed."""

    @asynccontextmanager
    async def open_(terms: Terms | None = None, **changed) -> AsyncIterator[Chain]:
        settings = Settings(
            api_key=sandbox.key, base_url=sandbox.base_url, state_dir=tmp_path / "state", output_root=tmp_path / "out",
            global_qps=100, **changed,
        )  # fmt: skip
        settings.state.mkdir(exist_ok=True)
        async with Dispatcher(settings, Deadline(60), terms) as dispatcher:
            downloader = Downloader(dispatcher.transport, settings.origin)
            async with Chain(Means(dispatcher, downloader, Progress("none"))) as chain:
                yield chain

    return open_


def jobs(sandbox) -> list[int]:
    """How many files each speech job had."""
    return [len(seen.inputs["input"]["file_urls"]) for seen in sandbox.requests if seen.route == SUBMIT]


def test_a_job_leaves_when_a_hundred_wait_and_the_rest_when_collection_ends(opened, sandbox):
    async def main():
        async with opened() as chain:
            for number in range(100):
                chain.add(video(number), film(sandbox, number=number))
            while not jobs(sandbox):
                await asyncio.sleep(0.01)
            for number in range(100, 120):
                chain.add(video(number), film(sandbox, number=number))
            return await chain.done()

    found = asyncio.run(main())
    assert jobs(sandbox) == [100, 20]
    assert len(found) == 120 and all(words.transcript for words in found.values())
    assert sandbox.bill.asr_seconds == 120 * 43


def test_works_that_share_a_clip_are_heard_once_and_each_keeps_the_words(opened, sandbox):
    async def main(*numbers: int):
        async with opened() as chain:
            for number in numbers:
                chain.add(video(number), film(sandbox))
            return await chain.done()

    found = asyncio.run(main(1, 2, 3))
    assert len({words.transcript.raw for words in found.values()}) == 1
    assert jobs(sandbox) == [1] and sandbox.bill.asr_seconds == 43
    assert asyncio.run(main(3))["douyin:" + f"{3:019}"].transcript and jobs(sandbox) == [1]


def test_a_shared_clip_that_was_left_pending_serves_the_other_work_alone(opened, sandbox):
    sandbox.faults.add(SUBMIT, "asr", polls=2)

    async def begin():
        async with opened(asr_poll_interval_sec=0.1) as chain:
            chain.add(video(1), film(sandbox))
            chain.add(video(2), film(sandbox))
            done = asyncio.create_task(chain.done())
            while not jobs(sandbox):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            done.cancel()
            await asyncio.gather(done, return_exceptions=True)

    async def go_on():
        async with opened() as chain:
            chain.add(video(2), film(sandbox))
            return await chain.done()

    asyncio.run(begin())
    assert asyncio.run(go_on())[video(2).key].transcript
    assert sandbox.bill.asr_seconds == 43


@pytest.mark.parametrize("refused", [True, False])
def test_a_works_own_answer_comes_before_its_speech_where_it_may_be_had(opened, sandbox, refused):
    subtitles = (Subtitle(f"{sandbox.base_url}/media/xhs_subtitled/source.srt", "source"),)

    async def detail(work: Work) -> tuple[Work, Media]:
        if refused:
            raise RefusedError("budget", "--max-calls 1 is used up.")
        return work, Media(subtitles=subtitles)

    async def main():
        async with opened() as chain:
            chain.add(video(), film(sandbox), detail=detail)
            return await chain.done()

    [words] = asyncio.run(main()).values()
    assert words.transcript.source == ("asr" if refused else "subtitles")
    assert jobs(sandbox) == ([1] if refused else [])


@pytest.mark.parametrize(
    ("usd", "duration_ms", "per_hour", "pays"),
    [
        (0.001, 10 * MINUTE, 0.36, True),
        (0.001, MINUTE // 4, 0.2, False),
        (0.001, 10 * MINUTE, 0.0, False),
        (0.001, None, 9.0, False),
        (0.001, MINUTE, None, True),
    ],
)
def test_whether_a_works_own_answer_pays(usd, duration_ms, per_hour, pays):
    listed, settings = replace(video(), duration_ms=duration_ms), Settings(asr_usd_per_hour=per_hour)
    media = Media((Stream("https://x/1"),))
    assert detail_pays(listed, media, usd, settings) is pays
    assert not detail_pays(listed, replace(media, subtitles=(Subtitle("https://x/2", "source"),)), usd, settings)
    assert not detail_pays(listed, media, usd, replace(settings, transcript_sources="asr"))


@pytest.mark.parametrize(
    ("work", "media", "reason"),
    [
        (Work("douyin", "1", duration_ms=20_000, media_kind="images"), Media((Stream("https://x/1"),)), "not_video"),
        (replace(video(), duration_ms=None), Media((Stream("https://x/1"),)), "duration_missing"),
        (replace(video(), duration_ms=13_000), Media((Stream("https://x/1"),)), "duration_too_short"),
        (replace(video(), duration_ms=13_001), Media((Stream("https://x/1"),)), None),
        (replace(video(), duration_ms=1_800_000), Media((Stream("https://x/1"),)), None),
        (replace(video(), duration_ms=1_800_001), Media((Stream("https://x/1"),)), "duration_too_long"),
        (video(), Media(), "video_download_url_missing"),
    ],
)
def test_the_gate_says_why(work, media, reason):
    assert gate(work, media, Settings()) == reason


def test_patience_is_never_less_than_a_quarter_of_the_clip():
    assert (patience(120, 60), patience(120, 1200)) == (120, 300)


def test_sources_are_named_or_refused():
    assert names("relay, asr|subtitles,asr") == ("relay", "asr", "subtitles")
    for wrong in ("", "asr,guessing"):
        with pytest.raises(InputError, match="TRANSCRIPT_SOURCES"):
            names(wrong)
