"""What is known stays known: documents as rows, counts that are only ever added, and how far a list was walked."""

from __future__ import annotations

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


def test_documents_come_back_as_they_were(library):
    library.keep(WORK), library.keep_creator(CREATOR), library.keep_comments([COMMENT])
    assert library.work("douyin", "w1") == WORK and library.find("w1") == (WORK,)
    assert library.creator("douyin", "a1") == CREATOR and list(library.creators()) == [CREATOR]
    assert library.comments(WORK) == (COMMENT,)
    assert library.creator("xiaohongshu", "a1") is None


def test_another_origin_knows_nothing_of_it(library):
    library.keep(WORK), library.keep_creator(CREATOR), library.keep_comments([COMMENT])
    other = Library(library.path, "https://two.invalid")
    assert list(other.works()) == list(other.creators()) == [] and other.comments(WORK) == ()
    assert other.metrics("work", "w1") == () and Library(library.path, "https://one.invalid").work("douyin", "w1")


def test_counts_are_added_once_for_each_snapshot_and_never_replaced(library):
    for count, day in ((100, 2), (90, 3), (90, 3)):
        library.keep_creator(replace(CREATOR, fans_count=count, snapshot_at=f"2026-03-0{day}T08:00:00+08:00"))
    library.keep(WORK)
    found = library.metrics("creator", "a1")
    assert [(m.counts["fans_count"], m.counts["works_count"]) for m in found] == [(100, None), (90, None)]
    assert found[0].route == "some.profile" and set(found[0].counts) >= {"following_count", "liked_count"}
    assert library.metrics("work", "w1")[0].counts["digg_count"] == 5
    assert library.metrics("creator", "a1", "xiaohongshu") == ()
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


def test_comments_stand_oldest_first_and_a_later_snapshot_counts(library):
    reply = replace(COMMENT, comment_id="c0", parent_id="c1", published_at="2026-03-03T09:00:00+08:00")
    library.keep_comments([reply, COMMENT])
    library.keep_comments([replace(COMMENT, like_count=9)])
    assert [(c.comment_id, c.like_count, c.parent_id) for c in library.comments(WORK)] == [
        ("c1", 9, None),
        ("c0", 3, "c1"),
    ]


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
    assert library.forget_work("douyin", "w1") == 3 and library.forget_creator("douyin", "a1") == 3
    assert library.find("w1") == () and library.comments(WORK) == () and library.metrics("work", "w1") == ()
    assert library.creator("douyin", "a1") is None and library.walked("douyin", "creator.works", "a1") is None
    assert library.forget_work("douyin", "w1") == 0


def test_a_damaged_library_is_set_aside_and_told(library, tmp_path):
    library.keep(WORK)
    library.close()
    library.path.write_bytes(b"not a database" * 500)
    told: list[str] = []
    anew = Library(library.path, "https://one.invalid", told.append)
    assert list(anew.works()) == [] and len(told) == 1
    aside = next(p for p in tmp_path.iterdir() if ".damaged-" in p.name and str(p) in told[0])
    assert aside.read_bytes().startswith(b"not a database")
