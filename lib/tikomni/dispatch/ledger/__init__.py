"""What was asked, what came back and what it cost: SQLite in the state folder, written before and after each call.

Rows belong to a scope (base URL and account), so that a sandbox, a mirror or another account never answers for one
another, while every working directory finds what any other has paid for. Nothing here sends anything.
"""

from __future__ import annotations

from pathlib import Path

from tikomni.dispatch.ledger.base import Scope, fingerprint
from tikomni.dispatch.ledger.calls import Calls, Stored
from tikomni.dispatch.ledger.schema import MIGRATIONS
from tikomni.dispatch.ledger.speech import Job, JobFile, SpeechJobs
from tikomni.storage.sqlite import connect

__all__ = ["Job", "JobFile", "Ledger", "Scope", "Stored", "fingerprint"]


class Ledger:
    """The ledger of one user, one part for each kind of row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = connect(path, MIGRATIONS)
        self.calls = Calls(self._db, path)
        self.speech = SpeechJobs(self._db, path)

    def close(self) -> None:
        self._db.close()
