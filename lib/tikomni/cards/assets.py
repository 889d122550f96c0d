"""The pictures of a card: which ones, where they stand, and whether they are there already.

Stored below ``<card root>/_assets/<platform>/<work or creator id>/``, with the extension of their content. Fetching
is the caller's: nothing here opens a connection.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from tikomni.errors import Interrupted, TikomniError
from tikomni.facts import Creator, Missing, Work
from tikomni.settings import Settings
from tikomni.storage import atomic, names

FOLDER = "_assets"
COVER, AVATAR = "cover", "avatar"

_STARTS = {
    "jpg": re.compile(rb"\xff\xd8\xff"),
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "gif": re.compile(rb"GIF8[79]a"),
    "avif": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    "heic": re.compile(rb"....ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)", re.DOTALL),
}
EXTENSIONS = tuple(_STARTS)

Fetch = Callable[[str, str | None], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Asset:
    """A picture: its address, and its path from the card root; planned ones have no extension yet."""

    url: str
    path: str

    @property
    def is_cover(self) -> bool:
        return PurePosixPath(self.path).stem == COVER

    @property
    def field(self) -> str:
        """The fact that it belongs to, as it is named in ``result.missing``."""
        return {COVER: "cover_image", AVATAR: "avatar_url"}.get(PurePosixPath(self.path).stem, "image_urls")


def plan(work: Work, images: int) -> tuple[Asset, ...]:
    """The cover and the first ``images`` pictures of ``work``, each address once."""
    platform = names.slug(work.platform, 40, "platform")
    folder = PurePosixPath(FOLDER, platform, names.identifier(work.platform_work_id))
    pictures = () if work.media_kind == "video" else work.image_urls[:images]  # a video's only picture is its cover
    wanted = [(f"{n:02}", address) for n, address in enumerate(pictures, 1)]
    if work.cover_image and work.cover_image not in pictures:
        wanted.insert(0, (COVER, work.cover_image))
    return tuple(Asset(address, str(folder / name)) for name, address in wanted)


def plan_avatar(creator: Creator) -> tuple[Asset, ...]:
    """The picture of ``creator``, if it has one; to be stored like the pictures of a work."""
    platform = names.slug(creator.platform, 40, "platform")
    path = PurePosixPath(FOLDER, platform, names.identifier(creator.platform_author_id), AVATAR)
    return (Asset(creator.avatar_url, str(path)),) if creator.avatar_url else ()


def stored(settings: Settings, planned: Sequence[Asset]) -> tuple[Asset, ...]:
    """Those of ``planned`` that are on disk, with their extensions; enough to render a card again."""
    found = ((asset, _on_disk(settings, asset)) for asset in planned)
    return tuple(replace(asset, path=path) for asset, path in found if path)


async def store(
    settings: Settings, of: Work | Creator, planned: Sequence[Asset], fetch: Fetch, referer: str | None = None
) -> tuple[tuple[Asset, ...], tuple[Missing, ...]]:
    """Fetch those of ``planned`` that are not on disk; what cannot be had is listed, never raised.

    Raises:
        TikomniError: ``disk_full``; InputError ``storage``; Interrupted.
    """

    async def one(asset: Asset) -> Asset | Missing:
        if path := _on_disk(settings, asset):
            return replace(asset, path=path)
        try:
            data = await fetch(asset.url, referer)
        except Interrupted:
            raise
        except TikomniError as error:
            return Missing(of.key, asset.field, error.details.get("reason", error.code))
        if (extension := sniff(data)) is None:
            return Missing(of.key, asset.field, "not_an_image")
        kept = replace(asset, path=f"{asset.path}.{extension}")
        await asyncio.to_thread(atomic.write_bytes, names.inside(settings.cards, kept.path), data)
        return kept

    results = await asyncio.gather(*(one(asset) for asset in planned))
    return (
        tuple(r for r in results if isinstance(r, Asset)),
        tuple(r for r in results if isinstance(r, Missing)),
    )


def sniff(data: bytes) -> str | None:
    """The extension of a picture by its first bytes; ``None`` for anything that is no picture."""
    return next((extension for extension, start in _STARTS.items() if start.match(data)), None)


def _on_disk(settings: Settings, asset: Asset) -> str | None:
    named = (f"{asset.path}.{extension}" for extension in EXTENSIONS)
    return next((path for path in named if names.inside(settings.cards, path).is_file()), None)
