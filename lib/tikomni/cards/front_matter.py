"""The facts of a work as flat YAML that Obsidian reads as properties: plain values, block lists, ISO dates.

Missing is empty, never 0. Nothing is longer than 200 characters: the card's body and the work document hold
the rest.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from tikomni.cards.document import SCHEMA_VERSION
from tikomni.cards.markdown import one_line, url
from tikomni.facts import Work

LONGEST = 200
_LIVE = re.compile(r"(?<=\[)\[|(?<=<!)--")
COUNTS = ("digg_count", "comment_count", "collect_count", "share_count", "play_count")
# Every name that a card of ours may have: what else stands in a card is the user's.
NAMES = frozenset(
    (
        *"type platform platform_work_id platform_author_id author_handle author_name title".split(),
        *"published_date published_at duration_ms work_modality media_kind topics tags cover".split(),
        *"source_url open_url primary_text_source analysis_eligibility snapshot_at schema_version".split(),
        *COUNTS,
        *(f"{name}_approximate" for name in COUNTS),
    )
)


class _Quoted(str):
    """Ids and wikilinks: in double quotes, whatever they look like."""


class _Bare(str):
    """Dates, times and words of our own: without quotes."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # list items stand under their name, as Obsidian writes them


_Dumper.add_representer(_Quoted, lambda d, v: d.represent_scalar("tag:yaml.org,2002:str", str(v), style='"'))
_Dumper.add_representer(str, lambda d, v: d.represent_scalar("tag:yaml.org,2002:str", v, style="'"))
_Dumper.add_representer(type(None), lambda d, _: d.represent_scalar("tag:yaml.org,2002:null", ""))
_Dumper.add_representer(
    _Bare,
    lambda d, v: d.represent_scalar(d.resolve(yaml.ScalarNode, str(v), (True, False)), str(v)),
)


def members(work: Work, tags: tuple[str, ...], cover: str | None) -> dict[str, Any]:
    """The front matter of ``work``. ``cover``: path of the stored picture from the card root."""
    approximate = {f"{name}_approximate": _bare(work.approximate.get(name)) for name in COUNTS}
    links = {"source_url": url(work.source_url), "open_url": url(work.open_url)}
    return {
        "type": _Bare("work"),
        "platform": _Bare(work.platform),
        "platform_work_id": _Quoted(work.platform_work_id),
        "title": _text(work.title),
        "author_name": _text(work.author_name),
        "author_handle": _text(work.author_handle),
        "platform_author_id": _Quoted(work.platform_author_id) if work.platform_author_id else None,
        "published_date": _bare(work.published_date),
        "published_at": _bare(work.published_at),
        "duration_ms": work.duration_ms,
        **{name: getattr(work, name) for name in COUNTS},
        **{name: value for name, value in approximate.items() if value},
        "work_modality": _Bare(work.work_modality),
        "media_kind": _Bare(work.media_kind),
        "topics": [_text(topic) for topic in work.topics],
        "tags": [_text(tag) for tag in tags],
        "cover": _Quoted(f"[[{cover}]]") if cover else None,
        **{name: link for name, link in links.items() if link is None or len(link) <= LONGEST},
        "primary_text_source": _bare(work.primary_text_source),
        "analysis_eligibility": _Bare(work.analysis_eligibility),
        "snapshot_at": _bare(work.snapshot_at),
        "schema_version": SCHEMA_VERSION,
    }


def dump(values: dict[str, Any]) -> str:
    """``values`` as YAML lines."""
    style = {"allow_unicode": True, "sort_keys": False, "default_flow_style": False, "width": float("inf")}
    return yaml.dump({_Bare(name): value for name, value in values.items()}, Dumper=_Dumper, **style)


def tags(*lists: str) -> tuple[str, ...]:
    """Comma-separated tags as Obsidian takes them, each once: the setting's, then the user's."""
    spelled = (one_line(tag).lstrip("#").replace(" ", "-") for part in lists for tag in part.split(","))
    return tuple(dict.fromkeys(tag for tag in (s.strip("-") for s in spelled) if tag))


def _text(value: str | None) -> str | None:
    """A stranger's text as a property: no link of Obsidian's, no comment that looks like the marked line."""
    return one_line(_LIVE.sub(r" \g<0>", one_line(value)), LONGEST) or None if value else None


def _bare(value: str | None) -> _Bare | None:
    return _Bare(value) if value else None
