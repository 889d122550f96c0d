"""What was asked, what came back and what it cost: SQLite in the state folder, written before and after each call.

Rows belong to a scope (base URL and account), so that a sandbox, a mirror or another account never answers for one
another, while every working directory finds what any other has paid for. Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tikomni.dispatch.ledger.base import Scope, fingerprint
from tikomni.dispatch.ledger.calls import Calls, Stored
from tikomni.dispatch.ledger.reports import Mentions, Reports
from tikomni.dispatch.ledger.runs import RunRow, Runs, Step
from tikomni.dispatch.ledger.schema import MIGRATIONS
from tikomni.dispatch.ledger.speech import Job, JobFile, SpeechJobs
from tikomni.dispatch.ledger.uploads import Upload, Uploads
from tikomni.storage.sqlite import connect

__all__ = [
    "Job",
    "JobFile",
    "Ledger",
    "Mentions",
    "RunRow",
    "Scope",
    "Step",
    "Stored",
    "Upload",
    "fingerprint",
]


class Ledger:
    """The ledger of one user, one part for each kind of row.

    Args:
        tell: where it is given, a damaged file is set aside and this is told; else it is an error (``connect``).
    """

    def __init__(self, path: Path, tell: Callable[[str], None] | None = None) -> None:
        self.path = path
        self._db = connect(path, MIGRATIONS, tell=tell)
        self.runs = Runs(self._db, path)
        self.calls = Calls(self._db, path)
        self.speech = SpeechJobs(self._db, path)
        self.uploads = Uploads(self._db, path)
        self.reports = Reports(self._db, path)

    def close(self) -> None:
        self._db.close()
