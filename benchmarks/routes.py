"""Every route of the catalogue, called once against the sandbox in one run, and once in every wrong way. Run by hand:

    python benchmarks/routes.py [--seed 1]

Inputs are made up from the contracts; where the sandbox's world answers, they name something in it. Routes that
inflate figures are refused, as they are for everybody. Prints a table and exits with 1 when a route fails or a wrong
call leaves this machine. Needs the sandbox's packages, as the tests do.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "tests" / "catalog")]

import made_up  # noqa: E402

from tikomni.catalog import Route, all_routes  # noqa: E402
from tikomni.deadline import Deadline  # noqa: E402
from tikomni.dispatch.dispatcher import EFFECTS, Allow, Dispatcher  # noqa: E402
from tikomni.errors import TikomniError  # noqa: E402
from tikomni.sandbox import COOKIE, Sandbox, links, mapped  # noqa: E402
from tikomni.settings import Settings  # noqa: E402

ALLOWED = Allow(frozenset({"read", *EFFECTS}))
NOTE, OWNER, COOK, FILM = links["xhs_video"], links["repair"], links["kitchen"], links["dy_video"]
# What the sandbox's world has under these names of inputs, by the first part of a route's id.
WORLD: dict[str, dict[str, Any]] = {
    "douyin": {
        "aweme_id": FILM.id,
        "aweme_ids": FILM.id,
        "body": [FILM.id],
        "share_url": FILM.url,
        "url": FILM.url,
        "sec_user_id": OWNER.id,
        "cookie": COOKIE,
        "item_id": FILM.id,
        "ids": FILM.id,
    },
    "xiaohongshu": {
        "note_id": NOTE.id,
        "share_text": NOTE.url,
        "short_url": NOTE.url,
        "share_link": NOTE.url,
        "user_id": COOK.id,
    },
}
TIMES = {"YYYYMMDD": "20261118", "YYYY-MM-DD": "2026-11-18", "milliseconds": 1_795_000_000_000}
OF_ONE_ROUTE: dict[str, dict[str, Any]] = {
    "douyin.web.get_sec_user_id": {"url": OWNER.url},
    "xiaohongshu.app_v2.get_user_info": {"share_text": COOK.url},
    "xiaohongshu.app_v2.get_user_posted_notes": {"share_text": COOK.url},
    "insight.item.query_by_id": {"origin_id": FILM.id},
    "u3.uploads": {"content_type": "video/mp4", "size_bytes": 1},
}


@dataclass
class Counts:
    """What became of the calls."""

    ok: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, str]] = field(default_factory=list)


class Run:
    """One run over the catalogue; later routes use what earlier ones gave."""

    def __init__(self, sandbox: Sandbox, dispatcher: Dispatcher, seed: int) -> None:
        self.sandbox, self.dispatcher, self.seed = sandbox, dispatcher, seed
        self.given: dict[str, dict[str, Any]] = {}

    def inputs(self, route: Route) -> dict[str, Any]:
        """Inputs that the contract takes, and that name something where the sandbox looks it up."""
        random = Random(f"{self.seed} {route.id}")
        if route.id in self.given:
            return self.given[route.id]
        known = OF_ONE_ROUTE.get(route.id, {})
        if mapped.answers(route.id):
            times = {item.name: TIMES[item.format] for item in route.inputs if item.format in TIMES}
            known = times | WORLD[route.id.partition(".")[0]] | known
        inputs = made_up.valid(route, random, optional=0.0 if known else 0.5)
        return {name: known.get(name, value) for name, value in inputs.items()}

    async def right(self) -> Counts:
        counts = Counts()
        for route in all_routes():
            try:
                answer = await self.dispatcher.call(route.id, self.inputs(route), allow=ALLOWED, max_age=0)
            except TikomniError as error:
                if error.code == "effect_refused":
                    counts.refused[f"{route.effect}: {error.code}"] += 1
                else:
                    counts.failed.append((route.id, f"{error.code}: {error.message}"))
                continue
            if answer.ok:
                counts.ok += 1
                await self._hand_on(route, answer.body)
            else:
                counts.failed.append((route.id, f"{answer.outcome}: {answer.message}"))
        return counts

    async def _hand_on(self, route: Route, body: Any) -> None:
        """Keep what a later route asks for: a job's id, an upload that is there."""
        if route.id == "u2.services.audio.asr.transcription":
            self.given["u2.tasks"] = {"task_id": body["output"]["task_id"]}
        if route.id == "u3.uploads":
            upload = body["data"]
            await self.dispatcher.transport.send(
                "PUT", upload["upload_url"], headers=upload["upload_headers"], content=b"x"
            )
            self.given["u3.uploads.complete"] = {"upload_id": upload["upload_id"]}

    async def wrong(self) -> Counts:
        """The first of every kind of wrong inputs for each route."""
        counts = Counts()
        for route, kind, inputs in self._spoiled():
            before = len(self.sandbox.requests)
            try:
                await self.dispatcher.call(route.id, inputs, allow=ALLOWED, max_age=0)
            except TikomniError as error:
                counts.refused[f"{kind}: {error.code}"] += 1
            else:
                counts.failed.append((route.id, f"{kind}: let through with {str(inputs)[:80]}"))
            if len(self.sandbox.requests) > before:
                counts.failed.append((route.id, f"{kind}: sent"))
        return counts

    def _spoiled(self) -> Iterator[tuple[Route, str, dict[str, Any]]]:
        for route in all_routes():
            if not ALLOWED.permits(route):
                continue
            random, seen = Random(f"{self.seed} {route.id}"), set()
            for kind, inputs in made_up.spoiled(route, self.inputs(route), random):
                if kind not in seen:
                    seen.add(kind)
                    yield route, kind, inputs


def show(title: str, counts: Counts, seconds: float) -> None:
    routes = counts.ok + counts.refused.total() + len(counts.failed)
    print(f"\n{title}\n{'calls':>8}{'ok':>8}{'refused':>9}{'failed':>8}{'seconds':>9}{'ms each':>9}")
    print(
        f"{routes:>8}{counts.ok:>8}{counts.refused.total():>9}{len(counts.failed):>8}"
        f"{seconds:>9.1f}{seconds / max(routes, 1) * 1000:>9.1f}"
    )
    for reason, count in sorted(counts.refused.items()):
        print(f"{count:>8}  refused, {reason}")
    for route_id, reason in counts.failed:
        print(f"  FAILED  {route_id}  {reason}")


async def bench(sandbox: Sandbox, state: Path, seed: int) -> int:
    settings = Settings(
        api_key=sandbox.key,
        base_url=sandbox.base_url,
        insight_base_url=sandbox.base_url,
        insight_biz_name="sandbox-biz",
        insight_biz_secret="sandbox-secret",
        state_dir=state,
        global_qps=1e6,
    )
    failed = 0
    async with Dispatcher(settings, Deadline(None)) as dispatcher:
        run = Run(sandbox, dispatcher, seed)
        for title, calls in (("Every route once, rightly", run.right), ("Every route, wrongly", run.wrong)):
            start = time.perf_counter()
            counts = await calls()
            show(title, counts, time.perf_counter() - start)
            failed += len(counts.failed)
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="other inputs, the same for the same seed")
    args = parser.parse_args()
    with Sandbox(rate=None) as sandbox, tempfile.TemporaryDirectory() as state:
        sys.exit(1 if asyncio.run(bench(sandbox, Path(state), args.seed)) else 0)


if __name__ == "__main__":
    main()
