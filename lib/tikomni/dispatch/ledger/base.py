"""What every part of the ledger shares: whose rows they are, and one way to run a statement."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tikomni.storage.sqlite import failure, told_transaction

# An intent this old has no outcome any more, whatever process has its number by now.
LOST_SECONDS = 3600
# What two readings of the clock may be apart.
CLOCK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Scope:
    """Who pays whom: the upstream's address and a digest of the key, never the key."""

    base_url: str
    account: str

    @classmethod
    def of(cls, base_url: str, key: str) -> Scope:
        return cls(base_url.rstrip("/"), hashlib.sha256(key.encode()).hexdigest()[:16])

    @property
    def id(self) -> str:
        return f"{self.base_url} {self.account}"


class Part:
    """One interface over the ledger's database. Failures of the database come as ``TikomniError``."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def _run(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, parameters)
        except sqlite3.Error as error:
            raise failure(error, self._path) from None

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return told_transaction(self._db, self._path)


def fingerprint(scope: Scope, route: str, inputs: Any) -> str:
    """One name for "this call": equal for equal inputs in any order, different for any other upstream or account."""
    canonical = json.dumps([scope.id, route, inputs], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def under_way(pid: int | None, since: float) -> bool:
    """Whether who journaled an intent at ``since`` (unix seconds) may still be waiting for its outcome."""
    return pid is not None and -CLOCK_SECONDS < time.time() - since < LOST_SECONDS and lives(pid, since)


def lives(pid: int, since: float) -> bool:
    """Whether the process of this machine that wrote down its number at ``since`` is alive.

    One that nobody has buried (a zombie) is not, nor one that has got the number since then. Where that cannot be
    told, it is taken to be.
    """
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()  # proc_pid_stat(5), from the third
        up_for = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return True
    return fields[0] not in (b"Z", b"X") and time.time() - up_for < since + CLOCK_SECONDS
