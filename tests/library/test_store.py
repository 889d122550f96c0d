"""What is known stays known: documents as rows, counts that are only ever added, and how far a list was walked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from tikomni.facts import Comment, Creator, Work
from tikomni.library.store import Library, Walked

WORK = Work(
    platform="douyin",
    platform_work_id="w1",
    platform_author_id="a1",
    title="灯",
    digg_count=5,
    published_at="2026-03-01T08:00:00+08:00",
    field_sources={"digg_count": "some.route:data.count"},
    snapshot_at="2026-03-02T08:00:00+08:00",
)
CREATOR = Creator(
    platform="douyin",
    platform_author_id="a1",
    author_name="阿一",
    fans_count=100,
    works_count=None,
    field_sources={"fans_count": "some.profile:data.fans"},
    snapshot_at="2026-03-02T08:00:00+08:00",
)
COMMENT = Comment("douyin", "w1", "c1", text="好", like_count=3, published_at="2026-03-02T09:00:00+08:00")


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "library.sqlite3", "https://one.invalid/")


def metrics(library: Library, kind: str, object_id: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(library.path)) as db:
        db.row_factory = sqlite3.Row
        sql = "SELECT * FROM metrics WHERE kind = ? AND object_id = ? ORDER BY taken_at"
        return db.execute(sql, (kind, object_id)).fetchall()


def test_documents_come_back_as_they_were(library):
    library.keep(WORK), library.keep_creator(CREATOR), library.keep_comments([COMMENT])
    assert library.work("douyin", "w1") == WORK and library.find("w1") == (WORK,)
    assert library.creator("douyin", "a1") == CREATOR and list(library.creators()) == [CREATOR]
    assert library.comment("douyin", "c1") == COMMENT
    assert library.creator("xiaohongshu", "a1") is None


def test_another_origin_knows_nothing_of_it(library):
    library.keep(WORK), library.keep_creator(CREATOR), library.keep_comments([COMMENT])
    other = Library(library.path, "https://two.invalid")
    assert list(other.works()) == list(other.creators()) == [] and other.comment("douyin", "c1") is None
    assert other.held("work", "douyin", "w1") == 0 and Library(library.path, "https://one.invalid").find("w1")


def test_counts_are_added_once_for_each_snapshot_and_never_replaced(library):
    for count, day in ((100, 2), (90, 3), (90, 3)):
        library.keep_creator(replace(CREATOR, fans_count=count, snapshot_at=f"2026-03-0{day}T08:00:00+08:00"))
    library.keep(WORK)
    found = metrics(library, "creator", "a1")
    assert [(m["fans_count"], m["works_count"], m["route"]) for m in found] == [
        (100, None, "some.profile"),
        (90, None, "some.profile"),
    ]
    assert [m["digg_count"] for m in metrics(library, "work", "w1")] == [5]
    assert library.creator("douyin", "a1").fans_count == 90


def test_works_of_a_creator_stand_newest_first(library):
    for name, day in (("w1", 1), ("w3", 3), ("w2", 2)):
        library.keep(replace(WORK, platform_work_id=name, published_at=f"2026-03-0{day}T08:00:00+08:00"))
    library.keep(replace(WORK, platform_work_id="w0", published_at=None))
    library.keep(replace(WORK, platform_work_id="other", platform_author_id="a2"))
    assert [w.platform_work_id for w in library.works_of("douyin", "a1")] == ["w3", "w2", "w1", "w0"]


def test_a_work_that_its_list_shows_no_more_is_found_and_not_among_its_creators_works(library):
    library.keep(WORK)
    library.unlist([WORK])
    assert library.works_of("douyin", "a1") == () and library.work("douyin", "w1") == WORK
    assert library.works_of("douyin", "a1", unlisted=True) == (WORK,)
    library.keep(WORK)
    assert library.works_of("douyin", "a1") == (WORK,)


def test_a_later_snapshot_of_a_comment_counts(library):
    reply = replace(COMMENT, comment_id="c0", parent_id="c1")
    library.keep_comments([reply, COMMENT])
    library.keep_comments([later := replace(COMMENT, like_count=9)])
    assert (library.comment("douyin", "c1"), library.comment("douyin", "c0")) == (later, reply)


def walk(day: int, complete: bool) -> Walked:
    at = f"2026-03-{day:02}T08:00:00+08:00"
    return Walked("douyin", "creator.works", "a1", at, f"w{day}", at, complete)


def test_a_walk_that_broke_off_never_takes_the_place_of_a_complete_one(library):
    assert library.walked("douyin", "creator.works", "a1") is None
    library.record_walk(walk(1, False))
    assert not library.walked("douyin", "creator.works", "a1").complete
    library.record_walk(walk(2, True))
    library.record_walk(walk(5, False))
    assert library.walked("douyin", "creator.works", "a1") == walk(2, True)
    library.record_walk(walk(6, True))
    assert library.walked("douyin", "creator.works", "a1") == walk(6, True)
    assert library.walked("douyin", "work.comments", "a1") is None


def test_what_is_forgotten_is_gone_with_all_that_hangs_on_it(library):
    library.keep(WORK), library.keep_creator(CREATOR), library.keep_comments([COMMENT])
    library.record_walk(walk(1, True))
    assert library.held("work", "douyin", "w1") == 3 and library.held("creator", "douyin", "a1") == 3
    assert library.forget("work", "douyin", "w1") == 3 and library.forget("creator", "douyin", "a1") == 3
    assert library.find("w1") == () and library.comment("douyin", "c1") is None and not metrics(library, "work", "w1")
    assert library.creator("douyin", "a1") is None and library.walked("douyin", "creator.works", "a1") is None
    assert library.forget("work", "douyin", "w1") == 0


def test_a_damaged_library_is_set_aside_and_told(library, tmp_path):
    library.keep(WORK)
    library.close()
    library.path.write_bytes(b"not a database" * 500)
    told: list[str] = []
    anew = Library(library.path, "https://one.invalid", told.append)
    assert list(anew.works()) == [] and len(told) == 1
    aside = next(p for p in tmp_path.iterdir() if ".damaged-" in p.name and str(p) in told[0])
    assert aside.read_bytes().startswith(b"not a database")
