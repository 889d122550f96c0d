"""Which creators of the library a text names: a link, ``platform:id``, an id, a handle, a name. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tikomni.facts import Creator
from tikomni.library.entries import fold


def known_creators(text: str, creators: Iterable[Creator], platform: str | None = None) -> tuple[Creator, ...]:
    """Those that ``text`` names: by id or handle, else by the whole name, else by a part of it.

    >>> people = [Creator("douyin", "MS4a", author_name="晨跑日记"), Creator("douyin", "MS4b", author_name="夜跑日记")]
    >>> [creator.platform_author_id for creator in known_creators("晨跑", people)]
    ['MS4a']
    >>> [creator.platform_author_id for creator in known_creators("douyin:MS4b", people)]
    ['MS4b']
    """
    of = [creator for creator in creators if platform in (None, creator.platform)]
    names = _names(text, platform)
    wanted = fold(text).removeprefix("@")
    tests: tuple[Callable[[Creator], bool], ...] = (
        lambda creator: any(name in names or f"{creator.platform}:{name}" in names for name in ids_of(creator)),
        lambda creator: fold(creator.author_name or "") == wanted,
        lambda creator: bool(wanted) and wanted in fold(creator.author_name or ""),
    )
    return next((found for test in tests if (found := tuple(filter(test, of)))), ())


def _names(text: str, platform: str | None) -> set[str]:
    """What ids and handles a text spells, as they stand and after the name of a platform."""
    text = text.strip()
    if "/" not in text:
        return {text, text.removeprefix("@")}
    from tikomni.platforms import read_links

    return {
        f"{target.platform}:{target.ids[name]}"
        for target in read_links(text, platform, "creator")
        if target.kind == "creator"
        for name in ("creator_id", "handle", "uid")
        if target.ids.get(name)
    }


def ids_of(creator: Creator) -> set[str]:
    """Every id and handle that a creator goes by."""
    own = (creator.platform_author_id, creator.author_handle, *creator.platform_native_ids.values())
    return {name for name in own if name}
