"""One rate for one key over all processes, and none for a command whose time is up."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from tikomni.deadline import Deadline
from tikomni.dispatch.limiter import DeadlinePassed, Limiter

WORKER = """
import asyncio, sys, time
from pathlib import Path
from tikomni.deadline import Deadline
from tikomni.dispatch.limiter import Limiter
async def main():
    limiter = Limiter(Path(sys.argv[1]), "key", 20.0)
    for _ in range(12):
        await limiter.acquire(Deadline())
        print(time.monotonic(), flush=True)
asyncio.run(main())
"""


def test_processes_share_one_rate(tmp_path):
    path = tmp_path / "limiter.sqlite3"
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(path)], stdout=subprocess.PIPE, text=True, env=os.environ)
        for _ in range(3)
    ]
    times = sorted(float(line) for w in workers for line in w.communicate(timeout=60)[0].split())
    assert len(times) == 36
    in_a_second = max(sum(1 for t in times if start <= t < start + 1) for start in times)
    assert in_a_second <= 21


def test_no_slot_is_taken_beyond_the_deadline(tmp_path):
    limiter = Limiter(tmp_path / "l.sqlite3", "key", 0.1)

    async def run():
        assert await limiter.acquire(Deadline()) == await limiter.acquire(Deadline()) == 0  # two may leave at once
        with pytest.raises(DeadlinePassed):
            await limiter.acquire(Deadline(0.5))

    asyncio.run(run())


def test_a_pause_holds_everyone_with_the_key_and_nobody_else(tmp_path):
    path = tmp_path / "l.sqlite3"
    Limiter(path, "key", 100).pause(60)

    async def run():
        with pytest.raises(DeadlinePassed):
            await Limiter(path, "key", 100).acquire(Deadline(5))
        assert await Limiter(path, "other", 100).acquire(Deadline(5)) == 0

    asyncio.run(run())


def test_a_pause_holds_those_who_have_a_slot_already(tmp_path):
    limiter = Limiter(tmp_path / "l.sqlite3", "key", 10)

    async def run():
        await limiter.acquire(Deadline()), await limiter.acquire(Deadline())
        waiting = [asyncio.create_task(limiter.acquire(Deadline(5))) for _ in range(3)]
        await asyncio.sleep(0)
        limiter.pause(60)
        limiter.pause(0)  # a shorter one ends no longer one
        assert {type(found) for found in await asyncio.gather(*waiting, return_exceptions=True)} == {DeadlinePassed}

    asyncio.run(run())
