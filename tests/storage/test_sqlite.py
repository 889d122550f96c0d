"""State files: shared by many processes, private, and never mistaken for empty."""

from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from tikomni.errors import TikomniError
from tikomni.storage.sqlite import connect, transaction

MIGRATIONS = ("CREATE TABLE t (n INTEGER);\n", "ALTER TABLE t ADD COLUMN m INTEGER;\n")
OPEN = f"""
import sys
from pathlib import Path
from tikomni.storage.sqlite import connect, transaction
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
