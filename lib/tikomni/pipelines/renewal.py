"""One reading of a work after another: what the later one lacks, the earlier one may still tell. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from tikomni.facts import Work
from tikomni.library.entries import COUNTS

# What a reading never takes over from an earlier one: what the run itself decides, and what tells of one moment.
_OWN = frozenset(
    "platform platform_work_id primary_text primary_text_source transcript analysis_eligibility "
    "analysis_exclusion_reason field_sources missing partial approximate snapshot_at platform_native_ids "
    "work_modality media_kind".split()
)
# Between the source of a count and when it was read, where that was another day than the rest.
_AT = " @ "


def renewed(work: Work, before: Work | None) -> Work:
    """``work`` with what it lacks, or has in part only, from an earlier reading of the same work.

    Counts are taken over only where they were read within a day of these, which tell of one moment; their source says
    when that was, so that none grows old by being taken over day after day.
    """
    if before is None or before.key != work.key or before.work_modality != work.work_modality:
        return work
    moments = {name: moment for name in COUNTS if (moment := read_at(before, name)) and _close(work, moment)}
    names = [
        name
        for name in work.__slots__
        if name not in _OWN
        and (name not in COUNTS or name in moments)
        and (getattr(work, name) in (None, ()) or name in work.partial)
        and getattr(before, name) not in (None, ())
        and name not in before.partial
    ]
    sources = {name: before.field_sources[name] for name in names if name in before.field_sources}
    sources |= {
        name: f"{source}{_AT}{moments[name]}"
        for name, source in sources.items()
        if name in moments and _AT not in source
    }
    rough = {name: before.approximate[name] for name in names if name in before.approximate}
    return replace(
        work,
        **{name: getattr(before, name) for name in names},
        platform_native_ids={**before.platform_native_ids, **work.platform_native_ids},
        transcript=work.transcript or before.transcript,
        field_sources=work.field_sources | sources,
        approximate=work.approximate | rough,
        partial={name: why for name, why in work.partial.items() if name not in names},
        missing={name: why for name, why in work.missing.items() if name not in names},
    )


def read_at(work: Work, name: str) -> str | None:
    """When a count of ``work`` was read: with all the rest, unless its source says otherwise."""
    return work.field_sources.get(name, "").partition(_AT)[2] or work.snapshot_at


def _close(work: Work, moment: str) -> bool:
    if work.snapshot_at is None:
        return False
    return abs(datetime.fromisoformat(work.snapshot_at) - datetime.fromisoformat(moment)) < timedelta(days=1)
