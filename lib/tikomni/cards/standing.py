"""What a run over a creator says of one of its works: figures, bucket, signals, and the way to the creator's card.

They stand in the work's front matter; the section in its body says nothing else, so that a later run over the work
alone, which has no such figures, can keep both. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tikomni.cards import kept, wording
from tikomni.cards.front_matter import bare, text
from tikomni.cards.markdown import inline
from tikomni.settings import Settings

if TYPE_CHECKING:
    from tikomni.analysis.buckets import Standing
    from tikomni.analysis.signals import Signals

_SIGNALS = ("hook", "structure", "cta")
_AT = "figures_at"
NAMES = frozenset(
    (
        *"interactions interactions_approximate multiple bucket rank recent_rank recency_score unranked".split(),
        *("immature", "sampled", _AT),
        *(name for trait in _SIGNALS for name in (trait, f"{trait}_words")),
    )
)


@dataclass(frozen=True, slots=True)
class WorkFigures:
    """One work among its creator's. ``at``: when the creator was read (ISO 8601 with offset)."""

    standing: Standing
    sampled: bool = False
    signals: Signals | None = None
    at: str | None = None


def members(figures: WorkFigures) -> dict[str, Any]:
    """The front matter of ``figures``; what does not apply is left out, what is unknown is empty."""
    standing = figures.standing
    found = {
        "interactions": standing.interactions,
        **({"interactions_approximate": True} if standing.approximate else {}),
        "multiple": standing.multiple.value,
        "bucket": bare(standing.bucket),
        "rank": standing.rank,
        **({"recent_rank": standing.recent_rank} if standing.recent_rank else {}),
        "recency_score": standing.score,
        **({"unranked": bare(standing.reason)} if standing.reason else {}),
        "immature": standing.reason == "immature",
        "sampled": figures.sampled,
    }
    if figures.signals:
        for trait in _SIGNALS:
            answer = getattr(figures.signals, trait)
            answers = [one for one in (answer if isinstance(answer, tuple) else (answer,)) if one.label]
            labels = [bare(one.label) for one in answers]
            found[trait] = labels if isinstance(answer, tuple) else next(iter(labels), None)
            if matched := dict.fromkeys(word for one in answers for word in one.words):
                found[f"{trait}_words"] = [text(word) for word in matched]
    return {**found, _AT: bare(figures.at)}


def spelled(found: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """``members`` as a card that is read back spells them."""
    return {name: tuple(map(_spelled, value if isinstance(value, list) else [value])) for name, value in found.items()}


def of_card(old: kept.Card | None) -> dict[str, tuple[str, ...]]:
    """The values that an earlier run over the creator left in a card. Without its date they are the user's own."""
    found = {entry.name: entry.values for entry in old.entries if entry.name in NAMES} if old else {}
    return found if _AT in found else {}


def section(
    found: Mapping[str, tuple[str, ...]], settings: Settings, words: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """The lines of the section, as names and values; none where no run over the creator has been."""
    values = {name: tuple(filter(None, value)) for name, value in found.items()}

    def one(name: str) -> str:
        return inline(next(iter(values.get(name, ())), ""))

    reach = _number(one("interactions"))
    if reach:
        reach = ("≈" if one("interactions_approximate") else "") + reach
    times = words["times_median"].format(times=_number(one("multiple"), "multiple")) if one("multiple") else ""
    ranks = [one("bucket")]
    ranks += [words["rank_n"].format(n=one("rank"))] if one("rank") else []
    ranks += [words["recent_rank_n"].format(n=one("recent_rank"))] if one("recent_rank") else []
    rows = [
        ("interactions", words["comma"].join(filter(None, (reach, times)))),
        ("bucket", words["comma"].join(filter(None, ranks))),
        ("unranked", wording.reason(one("unranked"), words) if one("unranked") else ""),
        ("sampled", words["yes"] if one("sampled") == "true" else ""),
        *((trait, _signal(trait, values, words)) for trait in _SIGNALS),
        (_AT, _moment(one(_AT), settings)),
    ]
    return [(words["standing_fields"][name], value) for name, value in rows if value]


def _signal(trait: str, values: Mapping[str, tuple[str, ...]], words: Mapping[str, Any]) -> str:
    if not (labels := values.get(trait, ())):
        return ""
    named = words["comma"].join(words["signals"][trait].get(label) or inline(label) for label in labels)
    matched = words["comma"].join(
        words["quoted"].format(text=inline(word)) for word in values.get(f"{trait}_words", ())
    )
    return f"{named}{words['open']}{matched}{words['close']}" if matched else named


def _spelled(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(text: str, form: str = "count") -> str:
    """A number of ours, or whatever the user put in its place."""
    try:
        return wording.number(float(text), form)
    except ValueError:
        return text


def _moment(iso: str, settings: Settings) -> str:
    try:
        return wording.moment(iso, settings) or ""
    except ValueError:
        return iso
