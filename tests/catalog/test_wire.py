"""What the client sends, judged by the upstream's stand-in: right inputs arrive as they are, wrong ones never leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tikomni.catalog import Route, all_routes, get
from tikomni.catalog.check import prepare
from tikomni.catalog.value import is_file
from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import EFFECTS, Allow, Answer, Dispatcher
from tikomni.errors import InputError
from tikomni.sandbox import Sandbox
from tikomni.settings import Settings

ALLOWED = Allow(frozenset({"read", *EFFECTS}))
ROUTES = [route for route in all_routes() if ALLOWED.permits(route)]
# Routes whose inputs have rules of their own, beside all others.
RICH = [
    route
    for route in ROUTES
    if route.any_of or any(item.maximum or item.schema.keys() - {"type", "default"} for item in route.inputs)
]
any_route = st.sampled_from(RICH) | st.sampled_from(ROUTES)
chance = st.randoms(use_true_random=False)
many = settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])

Call = Callable[[Route, dict[str, Any]], Answer]


@pytest.fixture(scope="module")
def call(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a route through everything but the command line."""
    shared_sandbox.reset()
    account, secret = "sandbox-biz", "sandbox-secret"
    chosen = Settings(
        api_key=shared_sandbox.key,
        base_url=shared_sandbox.base_url,
        insight_base_url=shared_sandbox.base_url,
        insight_biz_name=account,
        insight_biz_secret=secret,
        state_dir=tmp_path_factory.mktemp("state"),
        global_qps=1e6,
        timeout_retry_max=0,
        stop_after_failures=1000,  # many ask for what is not there
    )
    with asyncio.Runner() as runner:

        async def opened() -> Dispatcher:
            return Dispatcher(chosen, Deadline(None))

        dispatcher = runner.run(opened())
        dispatcher.ledger._db.execute("PRAGMA synchronous = OFF")  # what survives a power cut is not asked here
        yield lambda route, inputs: runner.run(dispatcher.call(route.id, inputs, allow=ALLOWED, max_age=0))
        runner.run(dispatcher.__aexit__())
    shared_sandbox.reset()


def arrives(call: Call, sandbox: Sandbox, route: Route, inputs: dict[str, Any]) -> None:
    answer = call(route, inputs)
    seen = sandbox.requests[-1]
    files = {item.name for item in route.inputs if is_file(item)}
    expected = {name: Path(value).name if name in files else value for name, value in inputs.items()}
    assert (seen.route, dict(seen.inputs)) == (route.id, expected), answer.message
    # A right call may still ask for something that the sandbox's world has not.
    assert seen.status in (200, 400, 404, 409, 413), answer.message


def test_every_route_takes_its_valid_inputs(call: Call, shared_sandbox: Sandbox, made_up: ModuleType) -> None:
    for route in ROUTES:
        arrives(call, shared_sandbox, route, made_up.valid(route, Random(route.id)))


@many
@given(route=any_route, random=chance)
def test_valid_inputs_arrive_as_they_are(
    call: Call, shared_sandbox: Sandbox, made_up: ModuleType, route: Route, random: Random
) -> None:
    arrives(call, shared_sandbox, route, made_up.valid(route, random))


@many
@given(route=st.sampled_from(list(all_routes())), random=chance)
def test_a_command_line_can_say_the_same(made_up: ModuleType, route: Route, random: Random) -> None:
    inputs = made_up.valid(route, random)
    typed = prepare(route, inputs)
    assert typed.inputs == inputs
    assert repr(prepare(route, made_up.spelled(route, inputs))) == repr(typed), "or the ledger would not know it"


@many
@given(route=any_route, random=chance)
def test_one_wrong_thing_and_nothing_leaves(
    call: Call, shared_sandbox: Sandbox, made_up: ModuleType, route: Route, random: Random
) -> None:
    before = len(shared_sandbox.requests)
    for kind, wrong in made_up.spoiled(route, made_up.valid(route, random), random):
        with pytest.raises(InputError) as refused:
            prepare(route, wrong)
            pytest.fail(f"{kind} was let through: {wrong}")
        assert refused.value.code == "invalid_input"
        with pytest.raises(InputError):
            call(route, wrong)
    assert len(shared_sandbox.requests) == before


def test_every_kind_of_wrong_is_tried(made_up: ModuleType) -> None:
    tried = {
        kind for route in all_routes() for kind, _ in made_up.spoiled(route, made_up.valid(route, Random(1)), Random(1))
    }
    assert tried >= {
        "unknown name", "missing", "blank", "wrong type", "not in the enum", "too small", "too large", "too short",
        "too long", "too many", "not of the pattern", "no such file", "control character", "not a part of a path",
        "no alternative", "half an alternative", "inside: missing", "inside: wrong type", "inside: too few",
        "inside: too many", "inside: not an address", "inside: control character",
    }  # fmt: skip


@pytest.mark.parametrize("task_id", ["a/b", "a%2Fb", "%", "%25", "a b", "+", "..a", "中/文?x=1#y", "a;b"])
def test_a_value_in_a_path_stays_one_part_of_it(call: Call, shared_sandbox: Sandbox, task_id: str) -> None:
    arrives(call, shared_sandbox, get("u2.tasks"), {"task_id": task_id})
