"""Pipelines in this process, over the sandbox's real HTTP and a state folder of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.dispatch.terms import Terms
from tikomni.pipelines.lists import Collected, collect
from tikomni.platforms import Target, definition, read_links
from tikomni.sandbox import Sandbox, links
from tikomni.settings import Settings

T = TypeVar("T")


@dataclass
class Place:
    """One state folder and one upstream; each ``run`` is a run of its own."""

    state: Path
    sandbox: Sandbox

    def run(self, job: Callable[[Dispatcher], Awaitable[T]], *, deadline: float | None = 60, **terms: Any) -> T:
        async def main() -> T:
            settings = Settings(
                api_key=self.sandbox.key, base_url=self.sandbox.base_url, state_dir=self.state, global_qps=1000.0,
                timeout_retry_backoff_ms=1, timeout_retry_max=0,
            )  # fmt: skip
            async with Dispatcher(settings, Deadline(deadline), Terms(**terms)) as dispatcher:
                return await job(dispatcher)

        return asyncio.run(main())

    def works(self, name: str, *, deadline: float | None = 60, **options: Any) -> Collected:
        """The works of one of the sandbox's people."""
        target = self.target(name)

        async def job(dispatcher: Dispatcher) -> Collected:
            return await collect(definition(target.platform), "creator.works", target.ids, dispatcher, **options)

        return self.run(job, deadline=deadline)

    def target(self, name: str) -> Target:
        (target,) = read_links(links[name].url)
        return target

    @property
    def asked(self) -> Sequence[str]:
        """The routes that were asked, in order."""
        return [seen.route for seen in self.sandbox.requests]

    @property
    def billed(self) -> int:
        return self.sandbox.bill.billed_calls


@pytest.fixture
def place(tmp_path: Path, sandbox: Sandbox) -> Place:
    return Place(tmp_path / "state", sandbox)
