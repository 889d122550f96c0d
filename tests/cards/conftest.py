"""One spoken work, one picture post, settings with folders of their own; a fetcher that answers from memory."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from tikomni.facts import Segment, Transcript, Work
from tikomni.settings import Settings

SNAPSHOT = "2025-11-22T09:00:00+00:00"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    cards = tmp_path / "vault"
    return Settings(output_root=tmp_path / "out", card_root=cards, state_dir=tmp_path / "state")


@pytest.fixture
def video() -> Work:
    words = Transcript(
        source="asr",
        language="zh",
        raw="其实是在巡视家\n别拦着它一会儿就睡",
        clean="其实是在巡视家，别拦着它一会儿就睡。\n\n把用过的猫砂撒在门口。",
        segments=(Segment(0, 1200, "其实是在巡视家"), Segment(None, None, "别拦着它一会儿就睡")),
        task="task-1",
        cost_seconds=84.0,
    )
    work = Work(
        platform="douyin",
        platform_work_id="7555500011122233344",
        platform_author_id="MS4wLjABAAAAQxTZ",
        platform_native_ids={"uid": "123"},
        author_handle="0040000000001",
        author_name="猫事研究社🐱",
        title="猫咪半夜跑酷其实是在巡视家",
        caption_raw="猫咪半夜跑酷其实是在巡视家 #家有猫 #猫咪",
        work_modality="video",
        media_kind="video",
        published_at="2025-10-30T23:20:03+00:00",
        published_date="2025-10-31",
        duration_ms=83_210,
        digg_count=60_150,
        comment_count=0,
        collect_count=44_000,
        share_count=100_000,
        approximate={"collect_count": "rounded", "share_count": "at_least"},
        topics=("家有猫", "猫咪"),
        cover_image="https://img.example/cover?x=1",
        source_url="https://www.douyin.com/video/7555500011122233344",
        open_url="https://www.douyin.com/video/7555500011122233344",
        missing={"play_count": "not_published"},
        field_sources={
            "caption_raw": "app.v3.fetch_one_video:desc",
            "digg_count": "app.v3.fetch_one_video:statistics.digg_count",
            "title": "derived:caption_raw",
        },
        snapshot_at=SNAPSHOT,
    )
    return work.with_words(words, None)


@pytest.fixture
def note() -> Work:
    work = Work(
        platform="xiaohongshu",
        platform_work_id="66f0a1b2000000001e03c5d7",
        author_name="露营日记",
        title="周末去哪儿",
        caption_raw="第一段。\n\n第二段 #露营[话题]#",
        work_modality="text",
        media_kind="images",
        published_date="2025-10-01",
        image_urls=("https://img.example/1", "https://img.example/2", "https://img.example/3"),
        open_url="https://www.xiaohongshu.com/explore/66f0a1b2000000001e03c5d7?xsec_token=AB-c_=&xsec_source=pc",
        snapshot_at=SNAPSHOT,
    )
    return work.with_words(None, None)


@pytest.fixture(scope="session")
def made_up() -> ModuleType:
    """The maker of creators that stands beside this file."""
    return _beside("made_up_creator")


@pytest.fixture(scope="session")
def browsers() -> ModuleType:
    """The driver of a browser that stands beside this file."""
    return _beside("browser")


def _beside(name: str) -> ModuleType:
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
