"""What followed creators brought, as one Markdown note. Pure; what strangers wrote goes through ``cards.markdown``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tikomni.analysis.changes import Changes, Delta
from tikomni.cards import wording
from tikomni.cards.labels import labels
from tikomni.cards.markdown import inline, url
from tikomni.facts import Creator, Work
from tikomni.settings import Settings

LISTED, GROWN, TITLE_CHARS = 10, 3, 80


@dataclass(frozen=True, slots=True)
class News:
    """What one creator brought. ``changes``: null at the first reading; ``works`` by key. ``error``: why there is no
    news; ``name``: how the list names somebody whose profile could not be read."""

    name: str
    creator: Creator | None
    changes: Changes | None
    works: Mapping[str, Work]
    error: str | None = None

    @property
    def moved(self) -> bool:
        """Whether there is anything to tell beyond counts that grew."""
        found = self.changes
        return found is not None and bool(found.new_works or found.deleted_works or found.fans_delta.value)


def render(news: Sequence[News], now: datetime, settings: Settings, language: str) -> str:
    """The note: who brought new works first, then who changed, then everybody else in a line."""
    words = labels(language, "digest")
    read = [one for one in news if one.error is None]
    fresh = sum(len(one.changes.new_works) for one in read if one.changes)
    told = [one for one in read if one.changes is None or one.moved]
    told.sort(key=lambda one: -(len(one.changes.new_works) if one.changes else 0))
    moment = wording.moment(now.isoformat(), settings)
    head = words["lede"].format(followed=f"{len(news):,}", new=f"{fresh:,}", moment=moment)
    lines = [f"# {words['title'].format(date=f'{now.astimezone(settings.zone):%Y-%m-%d}')}", "", head]
    for one in told:
        lines += ["", *_section(one, settings, words)]
    same = [_name(one) for one in read if one not in told]
    if same:
        lines += ["", f"## {words['same']}", "", words["comma"].join(same)]
    failed = [one for one in news if one.error is not None]
    if failed:
        lines += ["", f"## {words['failed']}", ""]
        lines += [f"- {_name(one)}{words['colon']}{inline(one.error or '', 200)}" for one in failed]
    return "\n".join(lines) + "\n"


def _section(one: News, settings: Settings, words: Mapping[str, Any]) -> Iterator[str]:
    creator, changes = one.creator, one.changes
    assert creator is not None
    link = url(creator.profile_url)
    place = words["platforms"].get(creator.platform) or inline(creator.platform)
    yield f"## {_name(one)} · {place}"
    yield ""
    if link:
        yield f"[{words['open_profile']}]({link})"
        yield ""
    if changes is None:
        yield f"- {words['fans']} {wording.count(creator, 'fans_count')}"
        yield f"- {words['first'].format(n=len(one.works))}"
        return
    since = words["since"].format(moment=wording.moment(changes.since, settings))
    yield f"- {words['fans']} {_moved(changes.fans_delta)}{since}"
    if changes.new_works:
        yield f"- {words['new'].format(n=len(changes.new_works))}"
        yield from _works(changes.new_works, one.works, words)
    if changes.deleted_works:
        yield f"- {words['gone'].format(n=len(changes.deleted_works))}"
        yield from _works(changes.deleted_works, one.works, words)
    if changes.top_growers:
        yield f"- {words['grown']}"
        for grower in changes.top_growers[:GROWN]:
            yield f"  - {inline(grower.title or grower.key, TITLE_CHARS)} {_moved(grower.interactions)}"


def _works(keys: Sequence[str], works: Mapping[str, Work], words: Mapping[str, Any]) -> Iterator[str]:
    for key in keys[:LISTED]:
        work = works.get(key)
        if work is None:
            yield f"  - {inline(key.partition(':')[2])}"
            continue
        link = wording.link(work)
        parts = [
            inline(work.title or work.caption_raw or work.platform_work_id, TITLE_CHARS),
            work.published_date or "",
            words["likes"].format(n=wording.count(work, "digg_count")) if work.digg_count is not None else "",
            wording.duration(work.duration_ms) if work.duration_ms else "",
            f"[{words['open_work']}]({link})" if link else "",
        ]
        yield f"  - {' · '.join(part for part in parts if part)}"
    if len(keys) > LISTED:
        yield f"  - {words['more'].format(n=len(keys) - LISTED)}"


def _moved(delta: Delta) -> str:
    value = wording.difference(delta)
    return wording.between(delta) + (f" ({value})" if value else "")


def _name(one: News) -> str:
    creator = one.creator
    return inline((creator and (creator.author_name or creator.author_handle)) or one.name, 60)
