"""Source 2: spoken words that a data service has already. Which platforms and routes: ``sources.yaml``.

Each answered query is billed, so an answer is kept for good and the same work is never asked for twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tikomni.dispatch.outcomes import Outcome
from tikomni.facts import Transcript, Work
from tikomni.platforms.definitions import fill
from tikomni.transcripts.clean import clean
from tikomni.transcripts.source import Source, Wanted, Words, data

FOR_GOOD_SECONDS = 10 * 365 * 86_400
_REASONS = {
    Outcome.EMPTY: "insight_not_found",
    Outcome.GONE: "insight_unavailable",
    Outcome.INVALID: "insight_out_of_range",
}


class Insight(Source):
    """``feature.asr`` of works that are new enough, where an account is configured."""

    name = "insight"

    async def words(self, wanted: Wanted) -> Words | None:
        import jmespath

        dispatcher = self._means.dispatcher
        rule = data()["insight"].get(wanted.work.platform)
        account = dispatcher.settings.insight_biz_name and dispatcher.settings.insight_biz_secret
        if rule is None or not account or not covered(wanted.work, rule, datetime.now(dispatcher.settings.zone)):
            return None
        known = {"work_id": wanted.work.platform_work_id}
        inputs = {name: fill(template, known) for name, template in rule["inputs"].items()}
        answer = await dispatcher.call(rule["route"], inputs, max_age=FOR_GOOD_SECONDS)
        if not answer.ok:
            return Words(reason=_REASONS.get(answer.outcome, f"insight_{answer.outcome}"))
        text = jmespath.search(rule["words"], answer.body)
        if not isinstance(text, str) or not text.strip():
            return Words(reason="insight_no_words")
        raw = text.strip()
        transcript = Transcript("insight", None, raw, clean(raw), origin=rule["route"])
        self._means.keep(wanted.key, transcript)
        return Words(transcript)


def covered(work: Work, rule: Mapping[str, Any], now: datetime) -> bool:
    """Whether the service holds works as old as ``work``; ``now`` is aware. A work without a date is asked for."""
    if work.published_at is None:
        return True
    return now - datetime.fromisoformat(work.published_at) <= timedelta(days=rule["days"])
