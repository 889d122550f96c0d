"""From a link, an id or a handle to a creator: whose id it is, and what the profile says. Their works: ``lists``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tikomni.dispatch.dispatcher import Answer, Dispatcher
from tikomni.dispatch.outcomes import Outcome
from tikomni.errors import TikomniError, UpstreamError
from tikomni.platforms import CreatorReading, Definition, Target, definition, merge_creators, read_creator, requests
from tikomni.platforms.people import read_ids, resolvers

UNREACHABLE = frozenset({Outcome.NETWORK, Outcome.TIMEOUT_BEFORE_SEND, Outcome.THROTTLED})
OUTCOMES = {"empty": Outcome.EMPTY, "gone": Outcome.GONE, "failed": Outcome.UPSTREAM}
SERVED = 200
# How many further routes may be asked for what a good but thin profile lacks.
FURTHER_ROUTES = 1


def tells(answer: Answer) -> bool:
    """Whether an answer may say something of what was asked: an error inside a served answer may say that it is gone,
    an error of the upstream itself says nothing."""
    served = answer.outcome is Outcome.UPSTREAM and answer.status == SERVED
    return answer.body is not None and (answer.outcome in (Outcome.OK, Outcome.GONE) or served)


def unreachable(answer: Answer) -> bool:
    """Whether the upstream as a whole cannot be reached: other routes would fare no better."""
    return answer.outcome in UNREACHABLE and not answer.cached


async def profile_of(
    target: Target, dispatcher: Dispatcher, *, max_age: float | None = None, further: int = FURTHER_ROUTES
) -> tuple[dict[str, str], CreatorReading]:
    """The ids and the profile of the creator that ``target`` names; the profile is never ``empty`` or ``failed``.

    An id that stands in the link costs no call of its own; a handle or a short link costs what its resolver costs.

    Args:
        max_age: seconds for which a stored profile counts, by default the routes' shelf life.
        further: routes that may be asked for what a good but thin profile lacks.

    Raises:
        UpstreamError: ``not_found``, ``gone``, or the last failure, when no route knows the creator.
        DeadlinePassed: before anything was known.
    """
    known = definition(target.platform)
    ids, best = dict(target.ids), None
    if "creator_id" not in ids:
        ids, best = await _found(target, dispatcher, max_age)
    last = None
    for request in requests(known, "creator", ids):
        if best is not None and (best.verdict == "ok" or further == 0):
            break
        further -= best is not None
        last = await dispatcher.call(request.route, request.inputs, max_age=max_age)
        if unreachable(last):
            break
        reading = _read(known, last, ids, dispatcher)
        if reading is not None:
            best = merge_creators(best, reading, known) if best is not None else reading
    if best is None:
        raise _nobody(target, last)
    return ids, best


async def _found(
    target: Target, dispatcher: Dispatcher, max_age: float | None
) -> tuple[dict[str, str], CreatorReading | None]:
    """Whose id goes with what ``target`` tells; and the profile, where the same answer brought it."""
    known, last, gone = definition(target.platform), None, None
    for request in requests(known, "creator", target.ids):
        last = await dispatcher.call(request.route, request.inputs, max_age=max_age)
        if unreachable(last):
            raise last.error()
        try:
            reading = _read(known, last, target.ids, dispatcher)
        except UpstreamError as error:  # no account bears this handle, but a number may be of another kind
            gone = error
            continue
        if reading is not None and reading.creator is not None:
            return target.ids | {"creator_id": reading.creator.platform_author_id}, reading
    for request, row in resolvers(known, target.ids):
        last = await dispatcher.call(request.route, request.inputs)
        if unreachable(last):
            raise last.error()
        ids = read_ids(row, last.body, target.ids) if last.ok else {}
        if ids:
            return target.ids | ids, None
    raise gone or _nobody(target, last)


def _read(
    known: Definition, answer: Answer, wanted: Mapping[str, str], dispatcher: Dispatcher
) -> CreatorReading | None:
    """What an answer says of the creator, if anything; the ledger learns of answers that say nothing."""
    if not tells(answer):
        return None
    zone = dispatcher.settings.zone
    now = datetime.fromtimestamp(answer.at, zone)
    reading = read_creator(known, answer.body, answer.route.id, wanted, zone, now)
    if reading.verdict not in OUTCOMES:
        return reading
    dispatcher.judge(answer, OUTCOMES[reading.verdict])
    if reading.verdict == "gone":
        name = _name(wanted)
        details = {"reason": reading.reason, "route": answer.route.id}
        said = f" ({reading.note})" if reading.note else ""
        raise UpstreamError("gone", f"{known.platform} {name}: {reading.reason}{said}.", details=details)
    return None


def _nobody(target: Target, last: Answer | None) -> TikomniError:
    if last is not None and last.outcome not in (Outcome.OK, Outcome.EMPTY, Outcome.GONE, Outcome.INVALID):
        return last.error()
    details = {"input": target.text[:200], "platform": target.platform, "route": last.route.id if last else None}
    hint = "Give the link of the profile, or check the handle."
    if target.kind == "short":
        hint = "A short link may lead to a work, a collection or a live room: open it and give the page's own link."
    message = f"{target.platform} {_name(target.known)}: no route knows this creator; no works were asked for."
    return UpstreamError("not_found", message, hint=hint, details=details)


def _name(known: Mapping[str, str]) -> str:
    return next((known[n] for n in ("creator_id", "handle", "uid", "short_url", "url") if known.get(n)), "creator")
