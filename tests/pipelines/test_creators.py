"""The end of a creator's run: what is left out when time is up, and that the next run makes it."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest

from tikomni.deadline import Deadline
from tikomni.pipelines import session
from tikomni.pipelines.creators import analyze
from tikomni.pipelines.session import GRACE_SECONDS, Run
from tikomni.pipelines.subject import Options
from tikomni.platforms import read_links
from tikomni.progress import Progress
from tikomni.sandbox import links
from tikomni.settings import Settings


@pytest.fixture
def analysed(sandbox, tmp_path):
    """A run over one of the sandbox's people, so many seconds after its deadline."""
    settings = Settings(
        api_key=sandbox.key, base_url=sandbox.base_url, state_dir=tmp_path / "state", output_root=tmp_path / "out",
        global_qps=1000.0,
    )  # fmt: skip

    def run(name: str, late: float | None = None) -> Run:
        deadline = Deadline(None) if late is None else Deadline(1.0, monotonic() - 1.0 - late)
        targets = read_links(links[name].url)
        return asyncio.run(analyze(targets, Options(), settings, deadline, Progress("none")))

    return run


def test_when_time_has_long_been_up_the_creators_card_is_written_and_the_rest_is_left(analysed, sandbox):
    analysed("dy_3")
    bill = sandbox.bill.as_dict()
    late = analysed("dy_3", GRACE_SECONDS + 1)
    [done] = late.done
    assert (late.status, done.pending, done.picture.figures.works) == ("partial", True, 3)
    left = {missing.field: missing.reason for missing in done.missing}
    assert left.keys() >= {"work_cards", "report", "tasks"} and set(left.values()) == {"deadline"}
    assert done.paths["report"] is None and done.paths["creator_card"]
    last = analysed("dy_3")
    assert last.status == "complete" and last.done[0].paths["report"] and sandbox.bill.as_dict() == bill


def test_right_after_the_deadline_everything_that_is_known_is_made(analysed, monkeypatch):
    analysed("dy_3")
    monkeypatch.setattr(session, "GRACE_SECONDS", 60.0)
    found = analysed("dy_3", 0.0)
    assert found.status == "complete" and found.done[0].paths["report"]
