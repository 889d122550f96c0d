"""One asker for one answer, over all processes of this machine: who wants what another is asking for waits for it.

A lease names its process and ends by itself, so that one who was killed holds up nobody for long. It guards reads
alone; it stores and sends nothing.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tikomni.dispatch.ledger.base import lives
from tikomni.dispatch.limiter import MIGRATIONS
from tikomni.storage.sqlite import connect, failure, transaction

# Longer than a living asker goes without a sign (each try renews it), where nobody can tell whether it lives.
LEASE_SECONDS = 180.0


class Leases:
    """Leases of one process.

    Args:
        path: the limiter's database: what stands in it is of use to those alone who run now.
        tell: takes what a user must know (``connect``).
    """

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self._path = path
        self._db = connect(path, MIGRATIONS, durable=False, tell=tell)

    def take(self, name: str) -> bool:
        """Take or renew the lease of ``name``; False while another living process holds it."""
        try:
            with transaction(self._db) as db:
                row = db.execute("SELECT pid, until FROM leases WHERE name = ?", (name,)).fetchone()
                now = time.time()
                held = row is not None and row["pid"] != os.getpid() and now < row["until"] <= now + LEASE_SECONDS
                if held and lives(row["pid"], row["until"] - LEASE_SECONDS):
                    return False
                db.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)", (name, os.getpid(), now + LEASE_SECONDS))
                return True
        except sqlite3.Error as error:
            raise failure(error, self._path) from None

    def release(self, name: str) -> None:
        """Give it back. Where that fails it ends by itself: no answer is lost over it."""
        with suppress(sqlite3.Error):
            self._db.execute("DELETE FROM leases WHERE name = ? AND pid = ?", (name, os.getpid()))

    def close(self) -> None:
        self._db.close()
