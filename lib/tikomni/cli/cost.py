"""What was spent, from the ledger: by day, provider, route and run. Asks nothing of anybody."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.looks import open_ledger, since, usd

if TYPE_CHECKING:
    from tikomni.dispatch.ledger.reports import Spent
    from tikomni.settings import Settings

SANDBOX = "sandbox"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="WHEN", help="7d, 12h, or a date as 2026-11-01 (default: ever)")
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    settings = context.settings(args)
    zone = settings.zone
    rows = spent(settings, since(args.since, zone))
    provider = _provider_of(settings)
    real = [row for row in rows if provider(row) != SANDBOX]
    made_up = [row for row in rows if provider(row) == SANDBOX]
    result = {
        "since": args.since,
        "total": total(real, settings),
        "by_day": _by(real, "day", lambda row: row.day, settings),
        "by_provider": _by(real, "provider", provider, settings),
        "by_route": _by(real, "route", lambda row: row.route, settings),
        "by_run": _by(real, "run_id", lambda row: row.run_id, settings),
        SANDBOX: total(made_up, settings) | {"by_run": _by(made_up, "run_id", lambda row: row.run_id, settings)},
    }
    return Outcome(result=result, plain=tuple(_lines(result)))


def spent(settings: Settings, since: float) -> tuple[Spent, ...]:
    """What the ledger holds since then; nothing where there is no ledger yet."""
    with open_ledger(settings) as ledger:
        return ledger.reports.spent(since, settings.zone) if ledger else ()


def _provider_of(settings: Settings) -> Callable[[Spent], str]:
    """Who was paid: the provider's name, ``sandbox`` for this machine, else the address itself."""
    from urllib.parse import urlsplit

    from tikomni.dispatch.http import LOOPBACK

    known = {
        settings.base_url.rstrip("/"): "tikomni",
        settings.tikhub_base_url.rstrip("/"): "tikhub",
        settings.insight_base_url.rstrip("/"): "insight",
    }

    def provider(row: Spent) -> str:
        return SANDBOX if urlsplit(row.base_url).hostname in LOOPBACK else known.get(row.base_url, row.base_url)

    return provider


def total(rows: Iterable[Spent], settings: Settings) -> dict[str, Any]:
    """``rows`` as one: ``usd`` is null where a price is not known, and ``unpriced`` says of what."""
    rows = list(rows)
    seconds = round(sum(row.asr_seconds for row in rows), 1)
    per_hour = settings.asr_usd_per_hour
    unpriced = sorted({row.route for row in rows if row.unpriced})
    if seconds and per_hour is None:
        unpriced.append("asr")
    known = sum(row.usd for row in rows) + seconds / 3600 * (per_hour or 0.0)
    return {
        "calls": sum(row.calls for row in rows),
        "billed": sum(row.billed for row in rows),
        "repeated": sum(row.repeated for row in rows),
        "usd": None if unpriced else round(known, 6),
        "usd_known": round(known, 6),
        "unpriced": unpriced,
        "asr_seconds": seconds,
        "tokens_in": sum(row.tokens_in for row in rows),
        "tokens_out": sum(row.tokens_out for row in rows),
    }


def _by(
    rows: Iterable[Spent], name: str, key: Callable[[Spent], str | None], settings: Settings
) -> list[dict[str, Any]]:
    """One row for each value of ``key``: the latest day or run first, else the dearest."""
    groups: dict[str | None, list[Spent]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    found = [{name: value} | total(group, settings) for value, group in groups.items()]
    if name in ("day", "run_id"):
        return sorted(found, key=lambda row: row[name] or "", reverse=True)
    return sorted(found, key=lambda row: (-row["usd_known"], -row["calls"], row[name]))


def _lines(result: dict[str, Any]) -> Iterable[str]:
    if not result["total"]["calls"] and not result[SANDBOX]["calls"]:
        yield "Nothing was asked" + (f" since {result['since']}." if result["since"] else " yet.")
        return
    yield "Total" + (f" since {result['since']}" if result["since"] else "")
    yield f"  {line(result['total'])}"
    for title, name in (("Days", "day"), ("Providers", "provider"), ("Routes", "route"), ("Runs", "run_id")):
        rows = result["by_run" if name == "run_id" else f"by_{name}"]
        if rows:
            yield title
            yield from (f"  {row[name] or '(no run)':<48} {line(row)}" for row in rows[:20])
        if len(rows) > 20:
            yield f"  … and {len(rows) - 20} more (--json --full)"
    if result[SANDBOX]["calls"]:
        yield "On this machine (a sandbox; nothing was paid)"
        yield f"  {line(result[SANDBOX])}"


def line(row: dict[str, Any]) -> str:
    """One total in words."""
    said = [f"{row['calls']} calls", f"{row['billed']} billed"]
    said += [f"{row['repeated']} repeated"] if row["repeated"] else []
    said += [f"{row['asr_seconds']:g} s of speech"] if row["asr_seconds"] else []
    said += [f"{row['tokens_in']:,} + {row['tokens_out']:,} tokens"] if row["tokens_in"] else []
    said.append(usd(row["usd_known"]) + (f" + unpriced: {', '.join(row['unpriced'])}" if row["unpriced"] else ""))
    return ", ".join(said)
