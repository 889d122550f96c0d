"""Who stands behind a comment stays unknown, and is the same person in every run."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from tikomni.errors import TikomniError
from tikomni.facts import Comment
from tikomni.pipelines.pseudonyms import FILE, Pseudonyms

SAID = Comment("douyin", "w1", "c1", platform_author_id="id-1", author_name="早起的人", text="@晚睡 @a.b.c，来看 a@b")


def test_many_at_once_find_one_salt(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        salts = {people.salt for people in pool.map(lambda _: Pseudonyms.of(tmp_path / "state"), range(64))}
    assert len(salts) == 1 and [p.name for p in (tmp_path / "state").iterdir()] == [FILE]
    assert stat.S_IMODE((tmp_path / "state" / FILE).stat().st_mode) == 0o600


def test_a_comment_keeps_its_words_and_loses_its_people(tmp_path):
    people = Pseudonyms.of(tmp_path)
    hidden = people.comment(SAID)
    assert (hidden.platform_author_id, hidden.author_name) == (None, None)
    assert hidden.author_hash == people.of_person("douyin", "id-1")
    late = people.of_person("douyin", "晚睡")
    assert hidden.text.startswith(f"@{late} @u") and "，来看 a@u" in hidden.text and "a.b.c" not in hidden.text
    kept = people.comment(SAID, keep_users=True)
    assert (kept.text, kept.author_name, kept.author_hash) == (SAID.text, "早起的人", hidden.author_hash)


def test_the_same_id_elsewhere_is_another_person(tmp_path):
    people = Pseudonyms.of(tmp_path)
    assert people.of_person("douyin", "1") != people.of_person("xiaohongshu", "1")
    assert Pseudonyms.of(tmp_path / "other").of_person("douyin", "1") != people.of_person("douyin", "1")
    nobody = people.comment(Comment("douyin", "w1", "c2", text="好"))
    assert nobody.author_hash is None and nobody.text == "好"


def test_what_is_no_salt_is_refused_and_left(tmp_path):
    (tmp_path / FILE).write_bytes(b"")
    with pytest.raises(TikomniError) as caught:
        Pseudonyms.of(tmp_path)
    assert caught.value.code == "storage" and (tmp_path / FILE).read_bytes() == b""
