"""Source 5 as the chain asks it: clips that nothing else could serve, heard by a model on this machine."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tikomni.transcripts.files import Unusable, media_file
from tikomni.transcripts.local import LocalClip, LocalEngine
from tikomni.transcripts.source import Means, Source, Wanted, Words, fail


class Local(Source):
    """Hears whatever waits, in rounds: while one is heard, the next ones gather.

    Args:
        chosen: whether the user asked for this source by name.
    """

    name = "local"
    hears = True

    def __init__(self, means: Means, engine: LocalEngine, *, chosen: bool) -> None:
        super().__init__(means)
        self._engine = engine
        self._allowed = chosen or means.dispatcher.settings.local_asr == "last"
        self._waiting: list[tuple[Wanted, asyncio.Future[Words]]] = []
        self._round: asyncio.Task[None] | None = None

    async def words(self, wanted: Wanted) -> Words | None:
        if not self._allowed:
            return None
        if problem := self._engine.problem():
            self._means.warn(f"No speech recognition on this machine: {problem}.")
            return Words(reason="local_no_model")
        heard: asyncio.Future[Words] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, heard))
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._hear())
        return await heard

    async def close(self) -> None:
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    async def _hear(self) -> None:
        await asyncio.sleep(0)  # those that come at the same moment are one round
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                for (wanted, heard), words in zip(batch, await self._one_round([w for w, _ in batch]), strict=True):
                    if words.transcript is not None:
                        self._means.keep(wanted.key, words.transcript)
                    if not heard.done():
                        heard.set_result(words)
            except BaseException as error:
                for _, heard in batch:
                    fail(heard, error)
                if not isinstance(error, Exception):
                    raise

    async def _one_round(self, batch: list[Wanted]) -> list[Words]:
        found: dict[str, Words] = {}
        clips: list[LocalClip] = []
        async with AsyncExitStack() as files:
            for wanted in batch:
                try:
                    file = await files.enter_async_context(media_file(wanted, self._means))
                except Unusable as unusable:
                    found[wanted.key] = Words(reason=f"local_{unusable}")
                    continue
                clips.append(LocalClip(wanted.key, file.path, wanted.language, wanted.work.duration_ms))
            means = self._means
            found |= await self._engine.transcribe(clips, means.dispatcher.deadline, means.progress)
        return [found[wanted.key] for wanted in batch]
