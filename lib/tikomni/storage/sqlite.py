"""Opens the SQLite files of the state folder: WAL, private, brought up to date by an ordered list of migrations."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tikomni.errors import InputError, TikomniError

BUSY_SECONDS = 30.0


def connect(path: Path, migrations: Sequence[str], *, durable: bool = True) -> sqlite3.Connection:
    """Open ``path``, making it and its folder where missing, and apply the migrations that it lacks.

    Args:
        path: the database file; readable by its owner alone.
        migrations: SQL scripts in order; ``user_version`` says how many have been applied.
        durable: wait for the disk at each commit, for what was paid for.

    Raises:
        InputError: ``storage``, where the folder cannot be used.
        TikomniError: ``ledger``, where the file is damaged or of a later version.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        db.row_factory = sqlite3.Row
        _use_wal(db)
        db.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        db.execute("PRAGMA foreign_keys=ON")
        _migrate(db, path, migrations)
        return db
    except OSError as error:
        raise InputError("storage", f"State folder {path.parent}: {error.strerror or error}.") from None
    except sqlite3.DatabaseError as error:
        raise failure(error, path) from None


def _use_wal(db: sqlite3.Connection) -> None:
    """Switch to WAL. While another process does so, SQLite answers "locked" at once, whatever the timeout."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def failure(error: sqlite3.Error, path: Path) -> TikomniError:
    """What a database error means to a user."""
    text = str(error)
    if "full" in text:
        return TikomniError("disk_full", f"No space left for {path}.")
    if "unable to open" in text or "readonly" in text or "disk I/O" in text:
        return InputError("storage", f"State folder {path.parent} cannot be used: {text}.")
    hint = f"Move {path} aside to start with an empty one; it may hold answers that were paid for."
    return TikomniError("ledger", f"{path} cannot be used: {text}.", hint=hint)


def _migrate(db: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    applied = db.execute("PRAGMA user_version").fetchone()[0]
    if applied > len(migrations):
        raise TikomniError("ledger", f"{path} was written by a later version.", hint="Update tikomni-skills.")
    if applied == len(migrations):
        return
    with transaction(db):
        applied = db.execute("PRAGMA user_version").fetchone()[0]  # another process may have been faster
        for number, script in enumerate(migrations[applied:], applied + 1):
            for statement in script.split(";\n"):
                if statement.strip():
                    db.execute(statement)
            db.execute(f"PRAGMA user_version={number}")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: all of it or nothing, one process at a time."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
