"""One rate for one key over all processes of this machine.

A generic cell rate algorithm (ITU-T I.371) whose state is one row in SQLite: each caller reserves the next free slot
and sleeps until it comes. After a pause two may leave at once, so that a short run does not wait; then slots are a
little more than ``1 / rate`` seconds apart, so that no one-second window holds more than ``rate + 1`` even when sleeps
end late.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tikomni.deadline import Deadline
from tikomni.storage.sqlite import connect, transaction

MIGRATIONS = ("CREATE TABLE slots (key TEXT PRIMARY KEY, next REAL NOT NULL);\n",)

# Share of the rate that is used; the rest is room for clocks and schedulers.
USED = 0.96
# A slot further away than this was written before a reboot (the clock is the system's uptime), not by a live process.
STALE_SECONDS = 600.0


class DeadlinePassed(Exception):
    """The next slot, or the next answer, would come after the command's deadline."""


class Limiter:
    """Slots for requests that carry one key.

    Args:
        path: the database file, shared by all processes of the user.
        key: whose rate this is; a digest, never the key itself.
        rate: requests a second.
    """

    def __init__(self, path: Path, key: str, rate: float) -> None:
        self._db = connect(path, MIGRATIONS, durable=False)
        self._key = key
        self._interval = 1.0 / (rate * USED)

    async def acquire(self, deadline: Deadline) -> float:
        """Wait for a slot; returns the seconds waited.

        Raises:
            DeadlinePassed: the slot lies beyond the deadline; none is reserved.
        """
        wait = self._reserve(deadline.remaining())
        if wait > 0:
            await asyncio.sleep(wait)
        return wait

    def _reserve(self, at_most: float | None) -> float:
        with transaction(self._db) as db:
            now = time.monotonic()
            row = db.execute("SELECT next FROM slots WHERE key = ?", (self._key,)).fetchone()
            free = row["next"] if row and row["next"] - now < STALE_SECONDS else now
            slot = max(free - self._interval, now)
            if at_most is not None and slot - now > at_most:
                raise DeadlinePassed
            following = max(free, slot) + self._interval
            db.execute("INSERT OR REPLACE INTO slots VALUES (?, ?)", (self._key, following))
            return slot - now

    def pause(self, seconds: float) -> None:
        """Let nobody send with this key for ``seconds``: the upstream asked for it."""
        with transaction(self._db) as db:
            until = time.monotonic() + self._interval + min(seconds, STALE_SECONDS / 2)
            db.execute(
                "INSERT INTO slots VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET next = max(next, excluded.next)",
                (self._key, until),
            )

    def close(self) -> None:
        self._db.close()
