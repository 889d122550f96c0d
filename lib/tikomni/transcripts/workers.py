"""Worker processes of local speech recognition, seen from the parent: started clean, asked, bounded, killed.

One process has one model open and hears one clip at a time; a clip that takes too long costs its process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Self

from tikomni.transcripts.engines import Heard

# What a process needs to start and to find its libraries. Nothing else of the environment is its business.
_KEPT = frozenset(
    "PATH HOME USERPROFILE SYSTEMROOT WINDIR TEMP TMP TMPDIR LANG LC_ALL LD_LIBRARY_PATH DYLD_LIBRARY_PATH".split()
)
# Not `-m`: an adapter imports that module, too, and it must be the same one.
_RUN = "from tikomni.transcripts.engines import main; main()"
_LONGEST_ANSWER = 1 << 24  # bytes; half an hour of words is far below a megabyte


class Failed(Exception):
    """No words came: ``reason`` is a code, the text is for whoever looks into it."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message)
        self.reason = reason


def clean_environment() -> dict[str, str]:
    """What any helper program gets of our environment: no key, no setting."""
    return {name: value for name, value in os.environ.items() if name.upper() in _KEPT}


def _environment() -> dict[str, str]:
    """The variables of a worker: one thread, no network for the model libraries."""
    return clean_environment() | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }


class Worker:
    """Made by ``start``; ``stop`` must be called whatever happened."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, engine: str, files: Mapping[str, Path], seconds: float) -> Self:
        """Open a model, within ``seconds``.

        Raises:
            Failed: ``local_model_unusable`` or ``local_timeout``.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", _RUN, env=_environment(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            limit=_LONGEST_ANSWER, start_new_session=True,  # Ctrl-C is for the parent to deal with
        )  # fmt: skip
        worker = cls(process)
        try:
            async with _within(seconds):
                await worker._send({"engine": engine, "files": {role: str(path) for role, path in files.items()}})
                await worker._answer("local_model_unusable")
        except BaseException:
            await worker.stop()
            raise
        return worker

    async def hear(
        self, path: Path, language: str | None, prompt: str | None, most_seconds: float,
        limit: Callable[[int | None], float],
    ) -> Heard:  # fmt: skip
        """What is said in the file ``path``. ``limit`` gives the seconds that a clip of so many milliseconds may take,
        from its start; it is asked with ``None`` until the length is known.

        Raises:
            Failed: ``local_timeout`` or ``local_crashed``, and the worker has ended; or the engine's own reason.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with _within(limit(None)) as bound:
                await self._send(
                    {"path": str(path), "language": language, "prompt": prompt, "most_seconds": most_seconds}
                )
                read = await self._answer("local_crashed")
                bound.reschedule(started + limit(read["duration_ms"]))
                return Heard.from_dict((await self._answer("local_crashed"))["heard"])
        except Failed as failure:
            if failure.reason in ("local_timeout", "local_crashed"):
                await self.stop()
            raise

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def stop(self) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()

    async def _send(self, document: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # it has ended: the answer that does not come says so
            self._process.stdin.write(json.dumps(document).encode() + b"\n")
            await self._process.stdin.drain()

    async def _answer(self, when_ended: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise Failed(when_ended, f"the worker process ended with status {await self._process.wait()}")
        answer = json.loads(line)
        if "failed" in answer:
            raise Failed(answer["failed"], answer["message"])
        return answer


@contextlib.asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    try:
        async with asyncio.timeout(seconds) as bound:
            yield bound
    except TimeoutError:
        raise Failed("local_timeout") from None
