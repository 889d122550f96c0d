"""The world as people meet it: links and share texts to paste, for demonstrations and tests."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from tikomni.sandbox.world import Creator, Work, load
from tikomni.sandbox.world.xiaohongshu import TOKEN


@dataclass(frozen=True, slots=True)
class Link:
    """``url`` is the canonical link, ``short`` the one of a share text (empty where there is none)."""

    platform: str
    id: str
    url: str
    short: str
    text: str


def _of_work(work: Work) -> Link:
    caption = " ".join(work.caption.split())
    if work.platform == "douyin":
        url = f"https://www.douyin.com/{work.place}/{work.id}"
        short = f"https://v.douyin.com/{work.code}/" if work.code else ""
        who = f"【{work.author.nickname}的作品】"
        text = f"6.41 复制打开抖音，看看{who}{caption} 😺 {short or url} 04/19 g@o.Qk ibA:/ 打开就能看"
    else:
        url = f"https://www.xiaohongshu.com/explore/{work.id}?xsec_token={TOKEN}&xsec_source=pc_share"
        short = f"http://xhslink.com/{work.code}" if work.code else ""
        text = f"{work.title} {caption[:24]}… {short or url} 复制后打开【小红书】查看笔记！"
    return Link(work.platform, work.id, url, short, text)


def _of_creator(creator: Creator, code: str) -> Link:
    if creator.platform == "douyin":
        url, short = f"https://www.douyin.com/user/{creator.id}", f"https://v.douyin.com/{code}/"
    else:
        url, short = f"https://www.xiaohongshu.com/user/profile/{creator.id}", f"http://xhslink.com/{code}"
    short = short if code else ""
    text = f"长按复制此条消息，看看【{creator.nickname}】的主页 {short or url} 更多作品等你来"
    return Link(creator.platform, creator.id, url, short, text)


def _all() -> dict[str, Link]:
    world = load()
    found = {name: _of_work(work) for name, work in world.works.items()}
    codes = {target["creator"]: code for code, target in world.codes.items() if "creator" in target}
    found |= {name: _of_creator(person, codes.get(name, "")) for name, person in world.creators.items()}
    for code, target in world.codes.items():
        if "kind" in target:
            short = f"https://v.douyin.com/{code}/"
            found[f"dy_{target['kind']}"] = Link("douyin", target["id"], short, short, f"看看这个 {short}")
    return found


links = MappingProxyType(_all())
"""Name of a work, a person or something else → its link. Works: ``dy_…``, ``xhs_…``; people: their names."""

SAMPLES = MappingProxyType(
    {
        "douyin_video": links["dy_video"].text,
        "douyin_pictures": links["dy_pictures"].url,
        "xiaohongshu_video": links["xhs_subtitled"].text,
    }
)
"""What the demonstration pastes: an app's share text, a plain link, another app's share text."""
