"""One rate for one key over all processes of this machine.

A generic cell rate algorithm (ITU-T I.371) whose state is one row in SQLite: each caller reserves the next free slot
and sleeps until it comes. After a pause two may leave at once, so that a short run does not wait; then slots are a
little more than ``1 / rate`` seconds apart. Slots alone keep the rate only where nobody oversleeps; so who leaves
writes down when, and who would be one too many within a second waits until it is over. A request that is late thus
delays itself and nobody else, and the rate is used all the same.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tikomni.deadline import Deadline
from tikomni.storage.sqlite import connect, told_transaction

MIGRATIONS = (
    "CREATE TABLE slots (key TEXT PRIMARY KEY, next REAL NOT NULL);\n",
    "CREATE TABLE leases (name TEXT PRIMARY KEY, pid INTEGER NOT NULL, until REAL NOT NULL);\n"
    "CREATE TABLE departures (key TEXT NOT NULL, at REAL NOT NULL);\n"
    "CREATE INDEX departures_by_key ON departures (key, at);\n",
    "ALTER TABLE slots ADD COLUMN paused REAL NOT NULL DEFAULT 0;\n",
)

# Share of the rate that is used; the rest is room for clocks and schedulers.
USED = 0.96
# A slot further away than this was written before a reboot (the clock is the system's uptime), not by a live process.
STALE_SECONDS = 600.0
# A second, and what the way to the upstream may take more or less from one request to the next.
WINDOW_SECONDS = 1.02


class DeadlinePassed(Exception):
    """The next slot, or the next answer, would come after the command's deadline."""


class Limiter:
    """Slots for requests that carry one key.

    Args:
        path: the database file, shared by all processes of the user.
        key: whose rate this is; a digest, never the key itself.
        rate: requests a second.
        tell: takes what a user must know (``connect``).
    """

    def __init__(self, path: Path, key: str, rate: float, tell: Callable[[str], None] | None = None) -> None:
        self._path = path
        self._db = connect(path, MIGRATIONS, durable=False, tell=tell)
        self._key = key
        self._interval = 1.0 / (rate * USED)
        self._most = max(2, int(rate))
        self._departure: int | None = None

    async def acquire(self, deadline: Deadline) -> float:
        """Wait for a slot; returns the seconds waited.

        Raises:
            DeadlinePassed: the slot lies beyond the deadline; none is reserved.
        """
        waited, wait = 0.0, self._reserve(deadline.remaining())
        while True:
            if wait > 0:
                await asyncio.sleep(wait)
            waited, more = waited + wait, self._leave()
            if more == 0:
                return waited
            wait = self._reserve(deadline.remaining()) if more is None else more
            if wait > deadline.within(wait):
                raise DeadlinePassed

    def _leave(self) -> float | None:
        """Write down that a request leaves now; where it would be one too many, how long it has to wait instead.

        ``None``: the upstream has asked for a pause since its slot was reserved.
        """
        with self._transaction() as db:
            now = time.monotonic()
            row = db.execute("SELECT paused FROM slots WHERE key = ?", (self._key,)).fetchone()
            if row is not None and now < row["paused"] < now + STALE_SECONDS:
                return None
            # What is later than now was written before a reboot.
            db.execute(
                "DELETE FROM departures WHERE key = ? AND at NOT BETWEEN ? AND ?",
                (self._key, now - WINDOW_SECONDS, now),
            )
            last = db.execute(
                "SELECT at FROM departures WHERE key = ? ORDER BY at DESC LIMIT 1 OFFSET ?", (self._key, self._most - 1)
            ).fetchone()
            if last is not None:
                return max(0.001, last["at"] + WINDOW_SECONDS - now)
            self._departure = db.execute("INSERT INTO departures VALUES (?, ?)", (self._key, now)).lastrowid
            return 0.0

    def left(self) -> None:
        """The request of the last slot leaves only now: to journal it took its time."""
        with self._transaction() as db:
            db.execute("UPDATE departures SET at = ? WHERE rowid = ?", (time.monotonic(), self._departure))

    def _reserve(self, at_most: float | None) -> float:
        with self._transaction() as db:
            now = time.monotonic()
            row = db.execute("SELECT next FROM slots WHERE key = ?", (self._key,)).fetchone()
            free = row["next"] if row and row["next"] - now < STALE_SECONDS else now
            slot = max(free - self._interval, now)
            if at_most is not None and slot - now > at_most:
                raise DeadlinePassed
            following = max(free, slot) + self._interval
            db.execute(
                "INSERT INTO slots (key, next) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET next = excluded.next",
                (self._key, following),
            )
            return slot - now

    def pause(self, seconds: float) -> None:
        """Let nobody send with this key for ``seconds``: the upstream asked for it."""
        with self._transaction() as db:
            now = time.monotonic()
            over = now + min(seconds, STALE_SECONDS / 2)
            row = db.execute("SELECT next, paused FROM slots WHERE key = ?", (self._key,)).fetchone()
            ahead, paused = (row[n] if row and row[n] - now < STALE_SECONDS else now for n in ("next", "paused"))
            db.execute(
                "INSERT OR REPLACE INTO slots (key, next, paused) VALUES (?, ?, ?)",
                (self._key, max(ahead, over + self._interval), max(paused, over)),
            )

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return told_transaction(self._db, self._path)

    def close(self) -> None:
        self._db.close()
