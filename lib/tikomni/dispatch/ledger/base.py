"""What every part of the ledger shares: whose rows they are, and one way to run a statement."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tikomni.storage.sqlite import failure, told_transaction


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


def lives(pid: int) -> bool:
    """Whether a process of this machine is alive; where that cannot be told, it is taken to be."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
