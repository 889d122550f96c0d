"""Opens the SQLite files of the state folder: WAL, private, brought up to date by an ordered list of migrations."""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from tikomni.deadline import Deadline
from tikomni.errors import InputError, TikomniError

BUSY_SECONDS = 30.0
# Beyond the deadline: time enough for another process's transaction, not for a program that keeps the file.
LEAST_SECONDS = 0.5
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

Migration = str | Callable[[sqlite3.Connection], None]


# How long the command that runs may wait, where it knows.
_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def wait_until(deadline: Deadline) -> None:
    """Let waits for other programs, which take at most ``BUSY_SECONDS``, end with ``deadline``."""
    _deadline.set(deadline)


def _patience() -> float:
    deadline = _deadline.get()
    return BUSY_SECONDS if deadline is None else max(LEAST_SECONDS, deadline.within(BUSY_SECONDS))


class _Connection(sqlite3.Connection):
    """A connection whose statements wait for other programs as long as the command may."""

    _patience = BUSY_SECONDS

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        patience = math.ceil(2 * _patience()) / 2  # in half seconds: SQLite keeps statements that it has seen
        if patience != self._patience:
            self._patience = patience
            super().execute(f"PRAGMA busy_timeout={patience * 1000:.0f}")
        try:
            return super().execute(sql, parameters)
        except UnicodeEncodeError:  # bytes of the command line that are no text
            return super().execute(
                sql, [p.encode(errors="replace").decode() if isinstance(p, str) else p for p in parameters]
            )


def connect(
    path: Path, migrations: Sequence[Migration], *, durable: bool = True, tell: Callable[[str], None] | None = None
) -> sqlite3.Connection:
    """Open ``path``, making it and its folder where missing, and apply the migrations that it lacks.

    Args:
        path: the database file; readable by its owner alone.
        migrations: SQL scripts, or what does as much, in order; ``user_version`` says how many have been applied.
        durable: wait for the disk at each commit, for what was paid for.
        tell: where it is given, a damaged file is set aside for a new one, and this is told where it is now.

    Raises:
        InputError: ``storage``, where the folder cannot be used.
        TikomniError: ``ledger``, where the file is damaged, of a later version, or held by another for too long.
    """
    try:
        return _open(path, migrations, durable)
    except TikomniError as error:
        if tell is None or "set_aside" not in error.details:
            raise
        tell(f"{error.message} A new one was started; what was paid for stands in the old one.")
    return _open(path, migrations, durable)


def _open(path: Path, migrations: Sequence[Migration], durable: bool) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, factory=_Connection)
    except OSError as error:
        raise InputError("storage", f"State folder {path.parent}: {error.strerror or error}.") from None
    except sqlite3.DatabaseError as error:
        raise failure(error, path) from None
    try:
        db.row_factory = sqlite3.Row
        _use_wal(db)
        db.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        db.execute("PRAGMA foreign_keys=ON")
        _migrate(db, path, migrations)
        return db
    except sqlite3.DatabaseError as error:
        db.close()
        raise failure(error, path) from None
    except TikomniError:
        db.close()
        raise


def _use_wal(db: sqlite3.Connection) -> None:
    """Switch to WAL. While another process does so, SQLite answers "locked" at once, whatever the timeout."""
    until = time.monotonic() + _patience()
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def failure(error: sqlite3.Error, path: Path) -> TikomniError:
    """What a database error means to a user. A damaged file is set aside: nothing is ever written over it."""
    text = str(error)
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind == sqlite3.SQLITE_FULL:
        return TikomniError("disk_full", f"No space left for {path}.")
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        hint = "Close the program that holds it, then run the same command."
        return TikomniError("ledger", f"{path} is in use by another program ({text}).", hint=hint)
    if kind in DAMAGE:
        aside = set_aside(path)
        hint = "Run the same command again: it starts a new one. `sqlite3 FILE .recover` may save the old one's rows."
        details = {"set_aside": str(aside) if aside else ""}
        told = f"{path} was damaged and is now {aside}." if aside else f"{path} was damaged; another run set it aside."
        return TikomniError("ledger", told, hint=hint, details=details)
    if kind in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR):
        return InputError("storage", f"State folder {path.parent} cannot be used: {text}.")
    return TikomniError("ledger", f"{path} cannot be used: {text}.", hint="Please report the message.")


def set_aside(path: Path) -> Path | None:
    """Rename the damaged database ``path``, and what SQLite keeps beside it, to a name that tells the time.

    ``None``: another process has done so, and a sound one stands there by now.
    """
    with suppress(sqlite3.Error):
        db = sqlite3.connect(path, timeout=_patience())
        try:
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                return None
        finally:
            db.close()
    stamp = time.strftime("%Y%m%dT%H%M%S")
    names = (path.with_name(f"{path.name}.damaged-{stamp}{more}") for more in ("", *(f"-{n}" for n in range(2, 1000))))
    aside = next(name for name in names if not name.exists())
    for ending in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{path}{ending}", f"{aside}{ending}")
    return aside


def _migrate(db: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    applied = db.execute("PRAGMA user_version").fetchone()[0]
    if applied > len(migrations):
        raise TikomniError("ledger", f"{path} was written by a later version.", hint="Update tikomni-skills.")
    if applied == len(migrations):
        return
    with transaction(db):
        applied = db.execute("PRAGMA user_version").fetchone()[0]  # another process may have been faster
        for number, step in enumerate(migrations[applied:], applied + 1):
            if callable(step):
                step(db)
            else:
                for statement in step.split(";\n"):
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


@contextmanager
def told_transaction(db: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """As ``transaction``, with what goes wrong as ``failure`` tells it.

    Raises:
        TikomniError: what SQLite could not do with the file at ``path``.
    """
    try:
        with transaction(db):
            yield db
    except sqlite3.Error as error:
        raise failure(error, path) from None


def compact(db: sqlite3.Connection) -> bool:
    """Write the database anew without the room of removed rows, and empty its journal.

    Returns:
        False where another process is at it; what was removed is overwritten as the file is used on.
    """
    try:
        db.execute("VACUUM")
        return not db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
