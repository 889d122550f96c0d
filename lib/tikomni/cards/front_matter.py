"""Facts as flat YAML that Obsidian reads as properties: plain values, block lists, ISO dates.

Missing is empty, never 0. Nothing is longer than 200 characters: the card's body and the work document hold
the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from tikomni.analysis import rules
from tikomni.cards.document import SCHEMA_VERSION
from tikomni.cards.markdown import one_line, url
from tikomni.facts import Creator, Work

if TYPE_CHECKING:
    from tikomni.analysis.values import Figure

LONGEST = 200
_LIVE = re.compile(r"(?<=\[)\[|(?<=<!)--")
COUNTS = (*rules.COUNTS, "play_count")
CREATOR_COUNTS = ("fans_count", "following_count", "liked_count", "collected_count", "works_count")


class Quoted(str):
    """Ids and wikilinks: in double quotes, whatever they look like."""


class Bare(str):
    """Dates, times and words of our own: without quotes."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # list items stand under their name, as Obsidian writes them


_Dumper.add_representer(Quoted, lambda d, v: d.represent_scalar("tag:yaml.org,2002:str", str(v), style='"'))
_Dumper.add_representer(str, lambda d, v: d.represent_scalar("tag:yaml.org,2002:str", v, style="'"))
_Dumper.add_representer(type(None), lambda d, _: d.represent_scalar("tag:yaml.org,2002:null", ""))
_Dumper.add_representer(
    Bare,
    lambda d, v: d.represent_scalar(d.resolve(yaml.ScalarNode, str(v), (True, False)), str(v)),
)


def members(work: Work, tags: tuple[str, ...], cover: str | None) -> dict[str, Any]:
    """The front matter of ``work``. ``cover``: path of the stored picture from the card root."""
    approximate = {f"{name}_approximate": bare(work.approximate.get(name)) for name in COUNTS}
    links = {"source_url": url(work.source_url), "open_url": url(work.open_url)}
    return {
        "type": Bare("work"),
        "platform": Bare(work.platform),
        "platform_work_id": Quoted(work.platform_work_id),
        "title": text(work.title),
        "author_name": text(work.author_name),
        "author_handle": text(work.author_handle),
        "platform_author_id": Quoted(work.platform_author_id) if work.platform_author_id else None,
        "published_date": bare(work.published_date),
        "published_at": bare(work.published_at),
        "duration_ms": work.duration_ms,
        **{name: getattr(work, name) for name in COUNTS},
        **{name: value for name, value in approximate.items() if value},
        "work_modality": Bare(work.work_modality),
        "media_kind": Bare(work.media_kind),
        "topics": [text(topic) for topic in work.topics],
        "tags": [text(tag) for tag in tags],
        "cover": Quoted(f"[[{cover}]]") if cover else None,
        **{name: link for name, link in links.items() if link is None or len(link) <= LONGEST},
        "primary_text_source": bare(work.primary_text_source),
        "analysis_eligibility": Bare(work.analysis_eligibility),
        "snapshot_at": bare(work.snapshot_at),
        "schema_version": SCHEMA_VERSION,
    }


def creator_members(
    creator: Creator, tags: tuple[str, ...], aliases: tuple[str, ...], cover: str | None
) -> dict[str, Any]:
    """The front matter of ``creator``, but for its figures.

    ``aliases``: those that the card has; the creator's name and handle stand before them. ``cover`` as in ``members``.
    """
    approximate = {f"{name}_approximate": bare(creator.approximate.get(name)) for name in CREATOR_COUNTS}
    called = [name for name in (text(creator.author_name), text(creator.author_handle)) if name]
    profile = url(creator.profile_url)
    return {
        "type": Bare("creator"),
        "platform": Bare(creator.platform),
        "platform_author_id": Quoted(creator.platform_author_id),
        "author_name": text(creator.author_name),
        "author_handle": text(creator.author_handle),
        "aliases": list(dict.fromkeys((*called, *filter(None, aliases)))),
        "ip_location": text(creator.ip_location),
        "verified": creator.verified,
        **{name: getattr(creator, name) for name in CREATOR_COUNTS},
        **{name: value for name, value in approximate.items() if value},
        "tags": [text(tag) for tag in tags],
        "cover": Quoted(f"[[{cover}]]") if cover else None,
        **({"profile_url": profile} if profile is None or len(profile) <= LONGEST else {}),
        "snapshot_at": bare(creator.snapshot_at),
        "schema_version": SCHEMA_VERSION,
    }


def figure_members(figures: Mapping[str, Figure[float]]) -> dict[str, Any]:
    """Figures as properties; one that rests on an approximate count is marked."""
    found: dict[str, Any] = {}
    for name, figure in figures.items():
        # Sums and halves of whole numbers carry the tail of their binary form.
        found[name] = None if figure.value is None else float(f"{figure.value:.10g}")
        if figure.value is not None and figure.approximate:
            found[f"{name}_approximate"] = True
    return found


def dump(values: dict[str, Any]) -> str:
    """``values`` as YAML lines."""
    style = {"allow_unicode": True, "sort_keys": False, "default_flow_style": False, "width": float("inf")}
    return yaml.dump({Bare(name): value for name, value in values.items()}, Dumper=_Dumper, **style)


def tags(*lists: str) -> tuple[str, ...]:
    """Comma-separated tags as Obsidian takes them, each once: the setting's, then the user's."""
    spelled = (one_line(tag).lstrip("#").replace(" ", "-") for part in lists for tag in part.split(","))
    return tuple(dict.fromkeys(tag for tag in (s.strip("-") for s in spelled) if tag))


def text(value: str | None) -> str | None:
    """A stranger's text as a property: no link of Obsidian's, no comment that looks like the marked line."""
    return one_line(_LIVE.sub(r" \g<0>", one_line(value)), LONGEST) or None if value else None


def bare(value: str | None) -> Bare | None:
    return Bare(value) if value else None


# Every name that the card of a work may have: what else stands in a card is the user's.
NAMES = frozenset((*members(Work("", ""), (), None), *(f"{name}_approximate" for name in COUNTS)))
# The same for creators, but for the names of figures: those hold thresholds and media kinds.
CREATOR_NAMES = frozenset(
    (
        *creator_members(Creator("", ""), (), (), None),
        *("works_collected", "works_mature"),
        *(f"{name}_approximate" for name in CREATOR_COUNTS),
    )
)
