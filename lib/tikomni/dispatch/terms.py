"""On what terms a run may ask: what it may spend, what is asked anew, and under which name it is journaled.

Made by the command line, held by the dispatcher. Numbers only; nothing here sends or counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tikomni.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend; ``None``: as much as it takes. ``calls`` are requests, charged or not."""

    calls: int | None = None
    usd: float | None = None
    asr_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Of one run.

    Attributes:
        fresh: stored answers do not count.
        resubmit: a submission whose acceptance nobody knows may be sent once more, and so be charged twice.
        run_id: the row in the ledger that the calls belong to.
        tell: takes what a user must know of, whatever becomes of the run.
    """

    fresh: bool = False
    budget: Budget = field(default_factory=Budget)
    resubmit: bool = True
    run_id: str | None = None
    tell: Callable[[str], None] = lambda message: None


@dataclass(slots=True)
class Tally:
    """Counts while a run goes on; ``Dispatcher.cost`` makes the report of it.

    ``reserved_usd`` is the price of calls that are under way, ``reserved_seconds`` the speech that this run sends.
    ``tokens_in``, ``tokens_out``: what models read and wrote; ``model_usd``: what that costs, under way or booked.
    """

    calls: int = 0
    billed: int = 0
    cached: int = 0
    repeated: int = 0
    retries: int = 0
    usd: float = 0.0
    asr_seconds: float = 0.0
    asr_seconds_in_doubt: float = 0.0
    unpriced: set[str] = field(default_factory=set)
    reserved_usd: float = 0.0
    reserved_seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    model_usd: float = 0.0


def check_call(budget: Budget, tally: Tally, price: float | None, usd_per_hour: float | None, what: str) -> None:
    """Refuse a call that would pass the budget. ``price`` is ``None`` where nobody here knows it.

    Raises:
        RefusedError: ``budget``, naming the flag.
    """
    if budget.calls is not None and tally.calls >= budget.calls:
        raise _refused(f"{budget.calls} calls were allowed (--max-calls), and all are made.", "--max-calls")
    if budget.usd is None:
        return
    if price is None:
        raise _refused(f"{what} has no price that is known here, so --max-cost cannot be kept.", "--max-cost")
    _check_cost(budget.usd, tally, price, usd_per_hour, what)


def check_speech(budget: Budget, tally: Tally, seconds: float, usd_per_hour: float | None) -> None:
    """Refuse ``seconds`` of speech that would pass the budget.

    Raises:
        RefusedError: ``budget``, naming the flag.
    """
    after = tally.reserved_seconds + seconds
    if budget.asr_seconds is not None and after > budget.asr_seconds:
        raise _refused(
            f"{after:g} seconds of speech would be sent, and {budget.asr_seconds:g} are allowed (--max-asr-seconds).",
            "--max-asr-seconds",
        )
    if budget.usd is None:
        return
    if usd_per_hour is None:
        raise _refused(
            "The price of speech recognition is not known, so --max-cost cannot be kept.",
            "--max-cost",
            hint="Set TIKOMNI_ASR_USD_PER_HOUR to your price, or run without --max-cost.",
        )
    _check_cost(budget.usd, tally, seconds / 3600 * usd_per_hour, usd_per_hour, f"{seconds:g} seconds of speech")


def check_model(
    budget: Budget, limit: float | None, tally: Tally, price: float | None, usd_per_hour: float | None
) -> None:
    """Refuse a question to a model that would pass the budget, or ``limit``, which holds for models alone.

    ``price``: the most that it can cost, ``None`` where nobody here knows what a token costs.

    Raises:
        RefusedError: ``budget``, naming the flag or the setting.
    """
    flag = "--max-cost" if limit is None else "TIKOMNI_LLM_MAX_COST"
    if price is None and (limit is not None or budget.usd is not None):
        raise _refused(
            f"What the model's tokens cost is not known, so {flag} cannot be kept.",
            flag,
            hint=f"Set TIKOMNI_LLM_USD_PER_MTOK to your price, or run without {flag}.",
        )
    check_call(budget, tally, price, usd_per_hour, "A question to the model")
    if limit is not None and tally.model_usd + (price or 0.0) > limit + 1e-9:
        spent = f"{tally.model_usd:.6g} of {limit:.6g} ({flag}) are spent"
        raise _refused(f"A question to the model may cost {price:.6g} USD; {spent}.", flag)


def _check_cost(limit: float, tally: Tally, price: float, usd_per_hour: float | None, what: str) -> None:
    spent = tally.usd + tally.reserved_usd + tally.reserved_seconds / 3600 * (usd_per_hour or 0.0)
    if spent + price > limit + 1e-9:
        raise _refused(
            f"{what} would cost {price:.6g} USD; {spent:.6g} of {limit:.6g} (--max-cost) are spent.", "--max-cost"
        )


def _refused(message: str, flag: str, hint: str | None = None) -> RefusedError:
    return RefusedError("budget", message, hint=hint, details={"flag": flag})
