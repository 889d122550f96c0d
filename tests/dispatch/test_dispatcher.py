"""What one run does with the upstream: asks once, keeps what it got, gives up in time, spends no more than allowed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tikomni.dispatch.dispatcher import Allow, Answer
from tikomni.dispatch.leases import LEASE_SECONDS
from tikomni.dispatch.outcomes import Outcome
from tikomni.dispatch.terms import Budget
from tikomni.errors import RefusedError, TikomniError, UpstreamError
from tikomni.sandbox import links

DETAIL = "douyin.app.v3.fetch_one_video"
CHART = "douyin.app.v3.fetch_hot_search_list"
HOUR = 3600
NOBODY = 2**22 + 1  # no process has this number


def work(name: str) -> dict[str, str]:
    return {"aweme_id": links[name].id}


def ask(*names: str, **how):
    """A run that asks for these works one after another; the answers, or the errors that stand for them."""

    async def job(dispatcher):
        found: list[Answer | TikomniError] = []
        for name in names:
            try:
                found.append(await dispatcher.call(DETAIL, work(name), **how))
            except TikomniError as error:
                found.append(error)
        return found, dispatcher.cost()

    return job


def age(place, seconds: float) -> None:
    place.sql("UPDATE calls SET done_at = done_at - ?, cache_until = cache_until - ?", seconds, seconds)


# --- shelf life


def test_an_answer_is_served_for_as_long_as_its_kind_holds(place, asked):
    async def chart(dispatcher):
        return await dispatcher.call(CHART, {})

    place.run(chart), place.run(ask("dy_video"))
    age(place, HOUR)
    assert not place.run(chart).cached, "an hour-old chart is old"
    assert place.run(ask("dy_video"))[0][0].cached, "an hour-old count is not"
    age(place, 24 * HOUR)
    assert not place.run(ask("dy_video"))[0][0].cached
    assert asked() == [CHART, DETAIL, CHART, DETAIL]


def test_an_age_beats_the_kind_and_fresh_beats_the_age(place):
    place.run(ask("dy_video"))
    age(place, HOUR)
    assert not place.run(ask("dy_video"), max_age_sec=HOUR // 2)[0][0].cached
    age(place, 48 * HOUR)
    assert place.run(ask("dy_video", max_age=float("inf")))[0][0].cached
    assert not place.run(ask("dy_video", max_age=float("inf")), terms={"fresh": True})[0][0].cached


def test_an_answer_came_when_the_ledger_says_it_came(place):
    first, again = (place.run(ask("dy_video"))[0][0] for _ in range(2))
    assert (first.cached, again.cached) == (False, True) and again.at == first.at


def test_a_fresh_run_asks_once_for_what_it_needs_twice(place, asked):
    place.run(ask("dy_video"))
    answers, _ = place.run(ask("dy_video", "dy_video"), terms={"fresh": True})
    assert [a.cached for a in answers] == [False, True] and asked() == [DETAIL, DETAIL]


# --- the upstream's own copy


def test_a_pruned_answer_is_read_again_for_free(place, sandbox):
    first = place.run(ask("dy_video"))[0][0]
    place.ledger().reports.prune(first.at + 1, [DETAIL])
    answers, cost = place.run(ask("dy_video", "dy_video"))
    assert [(a.cached, a.body) for a in answers] == [(True, first.body)] * 2
    assert (cost.calls, cost.billed_calls, cost.cached_calls) == (0, 0, 2)
    assert [s.route for s in sandbox.requests] == [DETAIL, "sandbox.cache"], "once there, it is kept again"
    assert sandbox.requests[-1].key is None, "no key goes where the copy lies"


def test_a_damaged_answer_is_read_again_for_free(place, sandbox):
    body = place.run(ask("dy_video"))[0][0].body
    place.sql("UPDATE calls SET answer = x'00'")
    assert place.run(ask("dy_video"))[0][0].body == body and sandbox.bill.billed_calls == 1


@pytest.mark.parametrize("kind", ["html", "cut", "close_before", "error_code", "redirect"])
def test_where_the_copy_cannot_be_had_the_route_is_asked_again(place, sandbox, kind):
    place.run(ask("dy_video"))
    place.sql("UPDATE calls SET answer = NULL")
    sandbox.faults.add("sandbox.cache", kind, times=None, to="http://169.254.169.254/")
    answer = place.run(ask("dy_video"))[0][0]
    assert answer.ok and not answer.cached and sandbox.bill.billed_calls == 2


def test_a_copy_that_has_ended_is_not_asked_for(place, asked, sandbox):
    place.run(ask("dy_video"))
    place.sql("UPDATE calls SET answer = NULL, cache_until = done_at")
    assert place.run(ask("dy_video"))[0][0].ok and [s.route for s in sandbox.requests] == [DETAIL, DETAIL]


def test_a_copy_at_a_private_address_is_not_asked_for(place, sandbox):
    place.run(ask("dy_video"))
    elsewhere = sandbox.base_url.replace("127.0.0.1", "localhost") + "/cache/x"
    place.sql("UPDATE calls SET answer = NULL, cache_url = ?", elsewhere)
    assert place.run(ask("dy_video"))[0][0].ok and "sandbox.cache" not in [s.route for s in sandbox.requests]


# --- intents without an outcome


def lose(place) -> None:
    """As if the process had been killed between sending and hearing."""
    place.sql("UPDATE calls SET done_at = NULL, outcome = NULL, answer = NULL, billed = 0, pid = ?", NOBODY)


def test_a_call_whose_outcome_was_lost_is_asked_again_once_and_told(place, asked):
    place.run(ask("dy_video"))
    lose(place)
    (answer,), cost = place.run(ask("dy_video"))
    assert answer.ok and cost.repeated_calls == 1 and cost.as_dict()["repeated_calls"] == 1
    assert place.sql("SELECT outcome FROM calls WHERE id IN (SELECT repeats FROM calls)") == [("lost",)]
    (again,), cost = place.run(ask("dy_video"))
    assert again.cached and "repeated_calls" not in cost.as_dict() and len(asked()) == 2


def test_a_call_that_another_process_is_making_is_not_taken_for_lost(place):
    place.run(ask("dy_video"))
    lose(place)
    place.sql("UPDATE calls SET pid = ?", os.getppid())
    assert place.ledger().calls.lost(place.sql("SELECT fingerprint FROM calls")[0][0]) is None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="what a process is doing can be seen in /proc alone")
@pytest.mark.parametrize("how", ["not buried", "number used again"])
def test_a_killed_process_is_not_taken_for_a_living_one(place, how):
    """Where nobody buries it, as in a container without an init; and where another has got its number since then."""
    place.run(ask("dy_video"))
    name, since = place.sql("SELECT fingerprint, sent_at FROM calls")[0]
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    lose(place)
    if how == "not buried":
        place.sql("UPDATE calls SET pid = ?", ended.pid)
    else:
        place.sql("UPDATE calls SET pid = ?, sent_at = ?", os.getpid(), since - HOUR / 2)
    assert place.ledger().calls.lost(name) == 1
    ended.wait()


def test_a_call_that_was_not_waited_for_is_counted_when_it_is_asked_again(place, sandbox):
    sandbox.faults.add(DETAIL, "slow_headers", seconds=1.5)
    (failed,), cost = place.run(ask("dy_video"), timeout_ms=300, timeout_retry_max=0)
    assert failed.outcome is Outcome.TIMEOUT_AFTER_SEND and cost.repeated_calls == 0
    (answer,), cost = place.run(ask("dy_video"))
    assert answer.ok and cost.repeated_calls == 1
    assert place.run(ask("dy_video"))[1].repeated_calls == 0


def test_an_answer_that_is_under_way_when_time_is_up_is_waited_for(place, sandbox):
    sandbox.faults.add(DETAIL, "slow_headers", seconds=3.2)
    (answer,), _ = place.run(ask("dy_video"), deadline=2.5)
    assert answer.ok and sandbox.bill.billed_calls == 1


def test_nothing_is_journaled_that_time_was_too_short_to_send(place):
    from tikomni.dispatch.limiter import DeadlinePassed

    with pytest.raises(DeadlinePassed):
        place.run(ask("dy_video"), deadline=0)
    assert place.sql("SELECT * FROM calls") == []


@pytest.mark.parametrize(("status", "repeated"), [(504, 1), (429, 0)])
def test_a_try_that_may_have_been_charged_is_counted_when_it_is_made_again(place, sandbox, status, repeated):
    sandbox.faults.add(DETAIL, "status", status=status, retry_after=0)
    (answer,), cost = place.run(ask("dy_video"))
    assert answer.ok and (cost.calls, cost.repeated_calls) == (2, repeated)


@pytest.mark.parametrize("fault", ["close_after", "broken", "gzip_bomb", "html"])
def test_an_answer_that_was_lost_on_its_way_is_asked_for_once_more(place, sandbox, asked, fault):
    sandbox.faults.add(DETAIL, fault, times=None)
    (failed,), cost = place.run(ask("dy_video"))
    assert not failed.ok and (cost.calls, cost.repeated_calls, len(asked())) == (2, 1, 2)


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: c"}, {"X-Ü": "a"}, {"X-A": "中"}, {"X A": "a"}, {"": "a"}])
def test_a_header_that_cannot_be_sent_is_no_trouble_of_the_network(place, asked, headers):
    (refused,), _ = place.run(ask("dy_video", headers=headers))
    assert refused.code == "invalid_input" and asked() == []


# --- giving up


NAMES = ("dy_video", "dy_pictures", "dy_old", "dy_clip", "dy_guarded", "dy_live_photos", "dy_after_midnight")


def test_after_so_many_failures_of_one_kind_nothing_more_is_sent(place, sandbox, asked):
    sandbox.faults.add("*", "status", status=503, times=None)
    found, cost = place.run(ask(*NAMES), timeout_retry_max=0, stop_after_failures=3)
    assert [a.outcome for a in found[:3]] == [Outcome.UPSTREAM] * 3 and cost.calls == len(asked()) == 3
    assert {type(e) for e in found[3:]} == {UpstreamError}
    assert found[3].code == "upstream" and found[3].spec.retryable and "3 calls in a row" in found[3].message


def test_a_success_between_failures_starts_the_count_anew(place, sandbox):
    for skip in (0, 1):
        sandbox.faults.add(DETAIL, "status", status=503, times=2, skip=skip)
    found, _ = place.run(ask(*NAMES), timeout_retry_max=0, stop_after_failures=3)
    assert [a.outcome for a in found] == ["upstream", "upstream", "ok", "upstream", "upstream", "ok", "ok"]


def test_what_is_wrong_with_an_input_is_no_failure_of_the_upstream(place, sandbox):
    sandbox.faults.add("*", "status", status=422, times=None)
    found, cost = place.run(ask(*NAMES), stop_after_failures=2)
    assert cost.calls == len(NAMES) and {a.outcome for a in found} == {Outcome.INVALID}


def test_what_its_reader_takes_for_gone_is_no_failure_of_the_upstream(place, sandbox):
    sandbox.faults.add("*", "error_code", times=None, inner=True)

    async def read(dispatcher):
        for name in NAMES:
            dispatcher.judge(await dispatcher.call(DETAIL, work(name)), Outcome.GONE)
        return dispatcher.cost()

    assert place.run(read, stop_after_failures=2).calls == len(NAMES)


def test_a_run_asks_again_no_more_often_than_it_may(place, sandbox):
    sandbox.faults.add("*", "status", status=502, times=None)
    _, cost = place.run(ask(*NAMES), timeout_retry_max=8, stop_after_failures=1000)
    assert len(NAMES) < cost.calls <= (len(NAMES) + 10) / 0.8 + 1, "without a bound these would be 63"


def test_a_rate_limit_met_by_one_process_holds_all_who_use_the_key(place, sandbox):
    from tikomni.dispatch.limiter import DeadlinePassed

    sandbox.faults.add(DETAIL, "status", status=429, retry_after=30, date=True)
    place.run(ask("dy_video"), timeout_retry_max=0)
    with pytest.raises(DeadlinePassed):
        place.run(ask("dy_pictures"), deadline=5)
    assert len(sandbox.requests) == 1


# --- budgets


def test_no_more_calls_than_allowed_even_at_once(place, asked):
    async def at_once(dispatcher):
        jobs = [dispatcher.call(DETAIL, work(name)) for name in NAMES]
        return await asyncio.gather(*jobs, return_exceptions=True)

    found = place.run(at_once, terms={"budget": Budget(calls=3)})
    refused = [e for e in found if isinstance(e, RefusedError)]
    assert len(asked()) == 3 and len(refused) == 4
    assert (refused[0].code, refused[0].exit_status) == ("budget", 4) and "--max-calls" in refused[0].message


def test_no_more_money_than_allowed_even_at_once(place, sandbox):
    async def at_once(dispatcher):
        jobs = [dispatcher.call(DETAIL, work(name)) for name in NAMES]
        return await asyncio.gather(*jobs, return_exceptions=True)

    found = place.run(at_once, terms={"budget": Budget(usd=0.002)})
    assert sandbox.bill.usd == 0.002 and "--max-cost" in next(e.message for e in found if isinstance(e, RefusedError))


def test_what_is_stored_needs_no_budget(place):
    place.run(ask("dy_video"))
    assert place.run(ask("dy_video"), terms={"budget": Budget(calls=0, usd=0)})[0][0].cached


def test_a_price_that_nobody_knows_is_within_no_budget(place, sandbox):
    async def film(dispatcher):
        return await dispatcher.call("insight.item.query_by_id", {"origin_id": links["dy_video"].id})

    account = dict(zip(("insight_biz_name", "insight_biz_secret"), ("sandbox-biz", "sandbox-secret"), strict=True))
    with pytest.raises(RefusedError, match="no price"):
        place.run(film, terms={"budget": Budget(usd=5)}, insight_base_url=sandbox.base_url, **account)
    assert not sandbox.requests


def test_speech_is_reserved_before_it_is_sent(place):
    async def reserve(dispatcher):
        dispatcher.reserve_speech(40)
        with pytest.raises(RefusedError, match="--max-asr-seconds"):
            dispatcher.reserve_speech(21)
        dispatcher.reserve_speech(20)

    place.run(reserve, terms={"budget": Budget(asr_seconds=60)})


def test_speech_counts_against_the_money(place):
    async def reserve(dispatcher):
        dispatcher.reserve_speech(1800)
        with pytest.raises(RefusedError, match="--max-cost"):
            dispatcher.reserve_speech(1)
        with pytest.raises(RefusedError, match="--max-cost"):
            await dispatcher.call(DETAIL, work("dy_video"))

    place.run(reserve, terms={"budget": Budget(usd=0.5)}, asr_usd_per_hour=1.0)


def test_speech_without_a_price_is_refused_where_money_is_limited(place):
    async def reserve(dispatcher):
        with pytest.raises(RefusedError, match="not known") as caught:
            dispatcher.reserve_speech(1)
        assert "TIKOMNI_ASR_USD_PER_HOUR" in caught.value.hint()

    place.run(reserve, terms={"budget": Budget(usd=100)})


# --- two who want the same


ASKER = """
import asyncio, sys
from pathlib import Path
from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.settings import Settings
from tikomni.dispatch.terms import Terms
key, url, state, route, work, fresh = sys.argv[1:]
async def main():
    settings = Settings(api_key=key, base_url=url, state_dir=Path(state), global_qps=100.0)
    async with Dispatcher(settings, Deadline(60), Terms(fresh=fresh == "fresh")) as dispatcher:
        print("ready", flush=True)
        sys.stdin.readline()
        answer = await dispatcher.call(route, {"aweme_id": work})
        print(answer.outcome, answer.cached)
asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["stored", "fresh"])
def test_processes_that_want_the_same_answer_at_once_make_one_call(place, sandbox, asked, how):
    sandbox.faults.add(DETAIL, "slow_headers", times=None, seconds=1)
    words = [sandbox.key, sandbox.base_url, str(place.state), DETAIL, links["dy_video"].id, how]
    askers = [
        subprocess.Popen(
            [sys.executable, "-c", ASKER, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for asker in askers:
        assert asker.stdout.readline() == "ready\n"
    for asker in askers:
        asker.stdin.write("go\n")
        asker.stdin.flush()
    said = sorted(asker.communicate(timeout=60)[0] for asker in askers)
    assert said == ["ok False\n", "ok True\n", "ok True\n"] and asked() == [DETAIL]


def lease(place, pid: int, seconds: float) -> None:
    import sqlite3
    import time

    place.run(ask())  # makes the files
    place.run(ask("dy_video"))
    name = place.sql("SELECT fingerprint FROM calls")[0][0]
    with sqlite3.connect(place.state / "limiter.sqlite3") as db:
        db.execute("INSERT INTO leases VALUES (?, ?, ?)", (name, pid, time.time() + seconds))
    db.close()


def test_one_who_was_killed_holds_nobody_up(place):
    lease(place, NOBODY, LEASE_SECONDS)
    assert place.run(ask("dy_video"), terms={"fresh": True}, deadline=20)[0][0].ok


def test_one_who_hangs_holds_others_up_until_their_deadline_and_not_for_ever(place):
    from tikomni.dispatch.limiter import DeadlinePassed

    lease(place, os.getppid(), LEASE_SECONDS)
    with pytest.raises(DeadlinePassed):
        place.run(ask("dy_video"), terms={"fresh": True}, deadline=0.3)
    for broken in (-1.0, LEASE_SECONDS * 50):  # ended; written before the clock was set back
        place.sql("ATTACH ? AS l", str(place.state / "limiter.sqlite3"))
        import sqlite3
        import time

        with sqlite3.connect(place.state / "limiter.sqlite3") as db:
            db.execute("UPDATE leases SET until = ?, pid = ?", (time.time() + broken, os.getppid()))
        db.close()
        assert place.run(ask("dy_video"), terms={"fresh": True}, deadline=20)[0][0].ok


# --- what cannot be written down


def test_an_answer_that_cannot_be_kept_is_handed_over_and_nothing_more_is_sent(place, sandbox, asked):
    async def job(dispatcher):
        pages = dispatcher.ledger._db.execute("PRAGMA page_count").fetchone()[0]
        dispatcher.ledger._db.execute(f"PRAGMA max_page_count = {pages}")  # room for an intent, none for an answer
        found = []
        for name in NAMES:
            try:
                found.append(await dispatcher.call(DETAIL, work(name)))
            except TikomniError as error:
                found.append(error)
        return found, dispatcher.cost()

    found, cost = place.run(job)
    answers = [answer for answer in found if isinstance(answer, Answer)]
    assert cost.calls == cost.billed_calls == sandbox.bill.billed_calls == len(answers) < len(NAMES)
    assert all(answer.ok and answer.body for answer in answers), "what was paid for is handed over"
    assert len(place.sql("SELECT id FROM calls WHERE answer IS NOT NULL")) == len(answers) - 1
    assert {error.code for error in found[len(answers) :]} == {"disk_full"} and len(asked()) == len(answers)
    assert len(place.warnings) == 1 and "could not be kept" in place.warnings[0]


def test_a_submission_leaves_no_lease_and_is_never_answered_from_what_is_stored(place, sandbox):
    async def twice(dispatcher):
        inputs = {"file_name": "a.mp3", "content_type": "audio/mpeg", "size_bytes": 10, "provider": "oss"}
        allow = Allow(routes=frozenset({"u3.uploads"}))
        return [await dispatcher.call("u3.uploads", inputs, allow=allow) for _ in range(2)]

    assert [a.cached for a in place.run(twice)] == [False, False]


def test_a_submission_that_was_lost_is_closed_and_counted_when_it_is_made_again(place, sandbox):
    async def once(dispatcher):
        inputs = {"file_name": "a.mp3", "content_type": "audio/mpeg", "size_bytes": 10, "provider": "oss"}
        await dispatcher.call("u3.uploads", inputs, allow=Allow(routes=frozenset({"u3.uploads"})))
        return dispatcher.cost().repeated_calls

    assert place.run(once) == 0
    lose(place)
    assert place.run(once) == 1
    assert place.sql("SELECT outcome FROM calls ORDER BY id") == [("lost",), ("ok",)]
