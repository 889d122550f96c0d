"""State files: shared by many processes, private, and never mistaken for empty."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextvars import copy_context

import pytest

from tikomni.deadline import Deadline
from tikomni.errors import TikomniError
from tikomni.storage.sqlite import LEAST_SECONDS, connect, failure, set_aside, transaction, wait_until

MIGRATIONS = ("CREATE TABLE t (n INTEGER);\n", "ALTER TABLE t ADD COLUMN m INTEGER;\n")
OPEN = f"""
import sys
from pathlib import Path
from tikomni.storage.sqlite import connect, failure, set_aside, transaction
for _ in range(20):
    db = connect(Path(sys.argv[1]), {MIGRATIONS!r})
    with transaction(db):
        db.execute("INSERT INTO t (n) VALUES (1)")
    db.close()
"""


def test_many_processes_may_open_a_new_file_at_once(tmp_path):
    path = tmp_path / "state" / "x.sqlite3"
    workers = [subprocess.Popen([sys.executable, "-c", OPEN, str(path)]) for _ in range(4)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 4
    assert connect(path, MIGRATIONS).execute("SELECT count(*) FROM t").fetchone()[0] == 80
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_migrations_that_are_lacking_are_applied_in_order(tmp_path):
    path = tmp_path / "x.sqlite3"
    connect(path, MIGRATIONS[:1]).execute("INSERT INTO t VALUES (1)")
    assert tuple(connect(path, MIGRATIONS).execute("SELECT n, m FROM t").fetchone()) == (1, None)


def test_a_file_of_a_later_version_is_left_alone(tmp_path):
    path = tmp_path / "x.sqlite3"
    connect(path, MIGRATIONS).close()
    with pytest.raises(TikomniError, match="later version") as caught:
        connect(path, MIGRATIONS[:1])
    assert caught.value.code == "ledger"


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    db = connect(tmp_path / "x.sqlite3", MIGRATIONS)
    with pytest.raises(ZeroDivisionError), transaction(db):
        db.execute("INSERT INTO t (n) VALUES (1)")
        raise ZeroDivisionError
    assert db.execute("SELECT count(*) FROM t").fetchone()[0] == 0


def test_what_is_no_text_is_written_all_the_same(tmp_path):
    db = connect(tmp_path / "x.sqlite3", ("CREATE TABLE t (n INTEGER, s TEXT);\n",))
    db.execute("INSERT INTO t VALUES (?, ?)", (1, "a\udcff"))
    assert tuple(db.execute("SELECT n, s FROM t").fetchone()) == (1, "a?")


# --- damaged, locked


def damage(path, how: str) -> bytes:
    """Make a database of ``path`` that cannot be used; returns its bytes."""
    db = connect(path, MIGRATIONS)
    with transaction(db):
        db.executemany("INSERT INTO t VALUES (?, ?)", [(n, n) for n in range(5000)])
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    whole = path.read_bytes()
    path.write_bytes(b"x" * len(whole) if how == "no header" else whole[:100] + b"\xff" * (len(whole) - 100))
    return path.read_bytes()


@pytest.mark.parametrize("how", ["no header", "broken pages"])
def test_a_damaged_file_is_set_aside_whole_and_said(tmp_path, how):
    path = tmp_path / "x.sqlite3"
    held = damage(path, how)
    told: list[str] = []
    db = connect(path, MIGRATIONS, tell=told.append)
    assert db.execute("SELECT count(*) FROM t").fetchone()[0] == 0
    aside = next(tmp_path.glob("x.sqlite3.damaged-*"))
    assert aside.read_bytes() == held and len(told) == 1 and str(aside) in told[0]


def test_a_damaged_file_is_never_given_up_silently(tmp_path):
    path = tmp_path / "x.sqlite3"
    held = damage(path, "no header")
    with pytest.raises(TikomniError) as caught:
        connect(path, MIGRATIONS)
    aside = next(tmp_path.glob("x.sqlite3.damaged-*"))
    assert caught.value.code == "ledger" and str(aside) in caught.value.message and aside.read_bytes() == held


def test_a_sound_file_that_somebody_has_put_there_meanwhile_stays(tmp_path):
    path = tmp_path / "x.sqlite3"
    connect(path, MIGRATIONS).execute("INSERT INTO t VALUES (1, 1)")
    assert set_aside(path) is None and path.is_file()


def test_a_locked_file_is_waited_for_and_then_said(tmp_path, monkeypatch):
    from tikomni.storage import sqlite

    path = tmp_path / "x.sqlite3"
    holder = connect(path, MIGRATIONS)
    holder.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    db = connect(path, MIGRATIONS)
    with pytest.raises(sqlite3.OperationalError) as caught, transaction(db):
        pass
    told = failure(caught.value, path)
    assert told.code == "ledger" and "in use" in told.message and path.is_file()
    holder.execute("ROLLBACK")
    with transaction(db):
        db.execute("INSERT INTO t VALUES (1, 1)")


def test_who_waits_for_another_program_waits_no_longer_than_the_command_may(tmp_path):
    holder = connect(tmp_path / "x.sqlite3", MIGRATIONS)

    def ask() -> float:
        wait_until(Deadline(0.0))
        db = connect(tmp_path / "x.sqlite3", MIGRATIONS)
        with transaction(holder), pytest.raises(sqlite3.OperationalError, match="locked"), transaction(db):
            pass
        return db.execute("PRAGMA busy_timeout").fetchone()[0] / 1000

    assert copy_context().run(ask) == LEAST_SECONDS
