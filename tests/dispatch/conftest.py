"""A dispatcher of one run, in this process, over a state folder of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.dispatch.ledger import Ledger
from tikomni.dispatch.terms import Terms
from tikomni.sandbox import Sandbox
from tikomni.settings import Settings

T = TypeVar("T")
Job = Callable[[Dispatcher], Awaitable[T]]


class Place:
    """One state folder and one upstream; each ``run`` is a run of its own."""

    def __init__(self, state: Path, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.warnings: list[str] = []
        self.base: dict[str, Any] = {
            "api_key": sandbox.key,
            "base_url": sandbox.base_url,
            "state_dir": state,
            "global_qps": 100.0,
            "timeout_retry_backoff_ms": 1,
        }

    @property
    def state(self) -> Path:
        return self.base["state_dir"]

    def run(self, job: Job[T], deadline: float | None = 60, terms: dict[str, Any] | None = None, **settings: Any) -> T:
        async def main() -> T:
            chosen = Settings(**self.base | settings)
            agreed = Terms(**{"tell": self.warnings.append} | (terms or {}))
            async with Dispatcher(chosen, Deadline(deadline), agreed) as dispatcher:
                return await job(dispatcher)

        return asyncio.run(main())

    def ledger(self) -> Ledger:
        return Ledger(self.state / "ledger.sqlite3")

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a user's own ``sqlite3`` would say."""
        import sqlite3

        with sqlite3.connect(self.state / "ledger.sqlite3") as db:
            found = db.execute(statement, values).fetchall()
        db.close()
        return found


@pytest.fixture
def place(tmp_path: Path, sandbox: Sandbox) -> Place:
    return Place(tmp_path / "state", sandbox)
