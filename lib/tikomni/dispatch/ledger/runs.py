"""Runs: one row for each command that may pay, so that what it cost and where it stopped outlives it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tikomni.dispatch.ledger.base import Part, lives


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run for one item, as its pipeline left it."""

    step: str
    item: str
    state: str
    detail: str | None
    changed_at: float


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. Times are unix seconds; ``cost`` is the envelope's, ``{}`` while there is none.

    ``status``: the envelope's, an error code where the run failed, ``running``, or ``died`` for one whose process
    is gone without a word. ``calls``, ``billed``, ``usd`` and ``asr_seconds`` are counted from its rows.
    """

    run_id: str
    command: str
    argv: tuple[str, ...]
    folder: str
    started_at: float
    ended_at: float | None
    status: str
    cost: Mapping[str, Any]
    document: str | None
    calls: int
    billed: int
    usd: float
    asr_seconds: float
    steps: tuple[Step, ...] = ()


class Runs(Part):
    """The runs of one user."""

    def begin(self, run_id: str, command: str, argv: Sequence[str], folder: str) -> None:
        """Journal that a command starts; ``argv`` holds no secret."""
        self._run(
            "INSERT INTO runs (run_id, command, argv, folder, pid, started_at) VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, command, json.dumps(list(argv), ensure_ascii=False), folder, os.getpid(), time.time()),
        )

    def step(self, run_id: str | None, step: str, item: str, state: str, detail: str | None = None) -> None:
        """Write how far ``item`` has come in ``step``; nothing where the run has no row."""
        if run_id is not None:
            self._run(
                "INSERT OR REPLACE INTO run_steps VALUES (?, ?, ?, ?, ?, ?)",
                (run_id, step, item, state, detail, time.time()),
            )

    def end(self, run_id: str, status: str, cost: Mapping[str, Any] | None, document: str | None) -> None:
        """Write how a run ended."""
        self._run(
            "UPDATE runs SET ended_at = ?, status = ?, cost = ?, document = ? WHERE run_id = ?",
            (time.time(), status, json.dumps(cost) if cost else None, document, run_id),
        )

    def list(self, since: float = 0.0, limit: int = 20) -> tuple[RunRow, ...]:
        """The newest runs that started after ``since`` (unix seconds), newest first, without their steps."""
        return self._rows("r.started_at >= ? ORDER BY r.started_at DESC LIMIT ?", (since, limit))

    def show(self, run_id: str) -> RunRow | None:
        """One run with its steps, oldest change first."""
        found = self._rows("r.run_id = ?", (run_id,))
        if not found:
            return None
        steps = self._run(
            "SELECT step, item, state, detail, changed_at FROM run_steps WHERE run_id = ? ORDER BY changed_at, item",
            (run_id,),
        )
        return replace(found[0], steps=tuple(Step(*row) for row in steps))

    def _rows(self, where: str, parameters: Sequence[Any]) -> tuple[RunRow, ...]:
        rows = self._run(
            "SELECT r.*, c.calls, c.billed, c.usd, c.asr_seconds FROM runs r JOIN run_costs c USING (run_id) "
            f"WHERE {where}",
            parameters,
        )
        same = ("run_id", "command", "folder", "started_at", "ended_at", "document")
        counted = ("calls", "billed", "usd", "asr_seconds")
        return tuple(
            RunRow(
                **{name: row[name] for name in (*same, *counted)},
                argv=tuple(json.loads(row["argv"])),
                status=row["status"] or ("running" if lives(row["pid"], row["started_at"]) else "died"),
                cost=json.loads(row["cost"] or "{}"),
            )
            for row in rows
        )
