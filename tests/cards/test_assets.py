"""Pictures: named by their content, fetched once, and a card is made without those that cannot be had."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tikomni.cards import assets
from tikomni.errors import InputError, Interrupted, TikomniError, UpstreamError
from tikomni.facts import Creator, Missing, Work
from tikomni.settings import Settings

JPEG, PNG = b"\xff\xd8\xff\xe0rest", b"\x89PNG\r\n\x1a\nrest"


class Host:
    """Answers from memory and remembers what it was asked."""

    def __init__(self, **answers: bytes | Exception) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str | None]] = []

    async def fetch(self, url: str, referer: str | None) -> bytes:
        self.asked.append((url, referer))
        answer = self.answers.get(url.rsplit("/", 1)[-1].split("?")[0], JPEG)
        if isinstance(answer, Exception):
            raise answer
        return answer


def store(settings: Settings, work: Work, host: Host, images: int = 9):
    planned = assets.plan(work, images)
    return asyncio.run(assets.store(settings, work, planned, host.fetch, "https://ref.example/"))


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (JPEG, "jpg"),
        (PNG, "png"),
        (b"RIFF\x10\n\x00\x00WEBPVP8 ", "webp"),
        (b"GIF89a", "gif"),
        (b"\x00\x00\x00\x18ftypheic", "heic"),
        (b"\x00\x00\x00\x18ftypmif1", "heic"),
        (b"\x00\x00\x00\x18ftypavif", "avif"),
        (b"\x00\x00\x00\x18ftypisom", None),
        (b"<html>", None),
        (b"<svg onload=alert(1)>", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_content(data: bytes, extension: str | None) -> None:
    assert assets.sniff(data) == extension


def test_cover_and_pictures_go_to_a_folder_of_the_work(settings: Settings, video: Work, note: Work) -> None:
    host = Host(**{"2": PNG})
    got, missing = store(settings, note, host, 2)
    folder = "_assets/xiaohongshu/66f0a1b2000000001e03c5d7"
    assert [a.path for a in got] == [f"{folder}/01.jpg", f"{folder}/02.png"] and missing == ()
    assert (settings.cards / folder / "02.png").read_bytes() == PNG
    assert {referer for _, referer in host.asked} == {"https://ref.example/"}
    got, _ = store(settings, video, host)
    assert [a.path for a in got] == ["_assets/douyin/7555500011122233344/cover.jpg"] and got[0].is_cover


def test_what_is_there_is_not_fetched_again(settings: Settings, note: Work) -> None:
    first, _ = store(settings, note, Host())
    again = Host()
    second, _ = store(settings, note, again)
    assert second == first == assets.stored(settings, assets.plan(note, 9)) and again.asked == []


def test_what_cannot_be_had_is_listed(settings: Settings, note: Work) -> None:
    host = Host(**{"1": UpstreamError("timeout", "late"), "2": b"<html>403</html>"})
    got, missing = store(settings, note, host)
    assert [Path(a.path).name for a in got] == ["03.jpg"]
    assert missing == (Missing(note.key, "image_urls", "timeout"), Missing(note.key, "image_urls", "not_an_image"))
    retry = Host()
    assert len(store(settings, note, retry)[0]) == 3 and len(retry.asked) == 2


def test_a_stop_by_the_user_and_a_full_disk_are_not_swallowed(settings: Settings, note: Work) -> None:
    with pytest.raises(Interrupted):
        store(settings, note, Host(**{"1": Interrupted()}))
    settings.cards.mkdir(exist_ok=True)
    (settings.cards / "_assets").mkdir(exist_ok=True)
    (settings.cards / "_assets" / "reddit").write_text("a file")
    with pytest.raises(TikomniError) as caught:
        store(settings, replace(note, platform="reddit"), Host())
    assert caught.value.code == "storage"


def test_each_address_once_and_no_more_than_asked(note: Work) -> None:
    same = replace(note, cover_image="https://img.example/1")
    assert [Path(a.path).name for a in assets.plan(same, 9)] == ["01", "02", "03"]
    assert [Path(a.path).name for a in assets.plan(same, 0)] == ["cover"]
    assert [Path(a.path).name for a in assets.plan(replace(note, cover_image="https://c"), 1)] == ["cover", "01"]


def test_no_picture_leaves_the_card_root(settings: Settings, note: Work, tmp_path: Path) -> None:
    hostile = replace(note, platform="../..", platform_work_id="../../../x")
    for asset in store(settings, hostile, Host())[0]:
        assert (settings.cards / asset.path).resolve().is_relative_to(settings.cards)
    (settings.cards / "_assets" / "xiaohongshu").symlink_to(tmp_path)
    with pytest.raises(InputError):
        store(settings, note, Host())


def test_an_avatar_is_stored_and_its_trouble_told(settings: Settings) -> None:
    creator = Creator("douyin", "MS4w/../x", avatar_url="https://img.example/a")
    (planned,) = assets.plan_avatar(creator)

    async def fetch(url: str, referer: str | None) -> bytes:
        return b"\xff\xd8\xff"

    async def broken(url: str, referer: str | None) -> bytes:
        return b"<html>"

    _, (gap,) = asyncio.run(assets.store(settings, creator, (planned,), broken))
    assert gap == Missing(creator.key, "avatar_url", "not_an_image")
    (kept,), _ = asyncio.run(assets.store(settings, creator, (planned,), fetch))
    assert (settings.cards / kept.path).is_file() and kept.path.endswith("/avatar.jpg")
    assert assets.stored(settings, (planned,)) == (kept,)
    assert assets.plan_avatar(Creator("douyin", "1")) == ()
