"""Purge: what is kept of a work or a creator is listed, then gone, from every byte that is ours."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tikomni.sandbox import links

VIDEO = links["dy_video"]
OTHER = links["xhs_pictures"]
DETAIL = "douyin.app.v3.fetch_one_video"
NOTE = "我的想法：值得再看。"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("purge")


@pytest.fixture
def root(place, machine) -> Path:
    """The one folder of this module's machine: the same for each test, since what is kept names its own paths."""
    root = place / "machine"
    machine.home, machine.cwd = root / "home", root / "project"
    machine.variables["TIKOMNI_STATE_DIR"] = str(root / "state")
    return root


@pytest.fixture
def known(run, machine, root, sandbox):
    """Two works in one folder, one of them in another too, and a raw answer that names it. Made once, then put back."""
    made = root.with_name("made")
    if not made.exists():
        for folder in (machine.home, machine.cwd, root / "elsewhere"):
            folder.mkdir(parents=True)
        found = [run("work", VIDEO.text).document["result"], run("work", OTHER.url).document["result"]]
        run("work", VIDEO.id, cwd=root / "elsewhere")
        run("route", "call", DETAIL, f"aweme_id={VIDEO.id}", "--inline-bytes", "1")
        (root / "found.json").write_text(json.dumps(found), encoding="ascii")
        shutil.copytree(root, made)
    shutil.rmtree(root)
    shutil.copytree(made, root)
    found = json.loads((root / "found.json").read_text("ascii"))
    (root / "found.json").unlink()
    return found


def kept_bytes(root: Path) -> Iterator[tuple[Path, str]]:
    """Every file below ``root`` as text, its name included; answers of the ledger as they read."""
    for path in root.rglob("*"):
        if path.is_file():
            yield path, path.name + path.read_bytes().decode("utf-8", "replace")
    for path in root.rglob("ledger.sqlite3"):
        with sqlite3.connect(path) as ledger:
            for (answer,) in ledger.execute("SELECT answer FROM calls WHERE answer IS NOT NULL"):
                yield path, zlib.decompress(answer).decode("utf-8", "replace")


def naming(root: Path, *words: str) -> set[Path]:
    return {path for path, text in kept_bytes(root) if any(word in text for word in words)}


def test_it_is_listed_first_and_nothing_goes(run, known, root):
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and "state" not in path.parts}
    document = run("purge", VIDEO.url, "--full").document
    result = document["result"]
    assert (document["status"], result["removed"], result["found"]) == ("complete", False, True)
    assert result["objects"] == [f"douyin:{VIDEO.id}"]
    assert result["files"]["card"] == 2 and result["files"]["run"] >= 3 and result["files"]["document"] >= 2
    assert result["files"]["task"] == 2
    assert result["ledger_rows"]["transcripts"] == 1 and result["library_rows"] >= 2
    assert known[0]["card"]["path"] in result["paths"] and known[1]["card"]["path"] not in result["paths"]
    assert document["next"][0]["command"].endswith("--yes")
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file() and "state" not in p.parts} == before


def test_nothing_of_it_is_left_and_the_others_are_whole(run, known, root, machine, sandbox):
    work, other = known
    words = (VIDEO.id, work["work"]["primary_text"][:12], work["work"]["title"], work["work"]["author_name"])
    assert naming(root, *words)
    spent = run("cost").document["result"]["sandbox"]
    ran = run("purge", VIDEO.text, "--yes")
    assert (ran.exit_status, ran.document["result"]["removed"]) == (0, True)
    assert naming(root, *words) == set()
    assert Path(other["card"]["path"]).is_file() and Path(other["card"]["json_path"]).is_file()
    after = run("cost").document["result"]["sandbox"]
    for name in ("calls", "billed", "usd_known", "asr_seconds"):
        assert after[name] == spent[name], "what was paid stays on record"
    assert run("purge", VIDEO.text).document["result"]["found"] is False
    sandbox.reset()
    assert run("work", OTHER.url).document["cost"]["calls"] == 0


def test_a_creator_takes_the_works_along(run, known, root):
    work = known[0]["work"]
    creator = f"{work['platform']}:{work['platform_author_id']}"
    listed = run("purge", creator).document["result"]
    assert f"douyin:{VIDEO.id}" in listed["objects"]
    run("purge", creator, "--yes")
    assert naming(root, VIDEO.id, work["platform_author_id"], work["author_name"]) == set()
    assert run("purge", creator).document["result"]["found"] is False


def test_notes_go_with_the_card_or_are_moved_aside(run, known, root):
    card = Path(known[0]["card"]["path"])
    card.write_text(card.read_text(encoding="utf-8") + NOTE, encoding="utf-8")
    assert any("words of your own" in warning for warning in run("purge", VIDEO.id).document["warnings"])
    result = run("purge", VIDEO.id, "--yes", "--keep-notes").document["result"]
    assert not card.exists()
    (moved,) = result["notes_path"]
    assert NOTE in Path(moved).read_text(encoding="utf-8") and VIDEO.id not in moved
    assert naming(root, VIDEO.id) == set()


def test_a_card_that_nobody_wrote_on_holds_no_notes(run):
    run("creator", links["dy_20"].url, "--no-transcripts", "--works", "3")
    document = run("purge", links["dy_20"].url).document
    assert document["result"]["files"]["card"] > 1 and "warnings" not in document


def test_notes_that_nobody_asked_to_keep_go(run, known, root):
    card = Path(known[0]["card"]["path"])
    card.write_text(card.read_text(encoding="utf-8") + NOTE, encoding="utf-8")
    assert run("purge", VIDEO.id, "--yes").document["result"]["notes_path"] == []
    assert naming(root, NOTE) == set()


def test_nothing_outside_its_own_folders_is_ever_removed(run, known, root, machine):
    mine = [
        machine.cwd / f"notes about {VIDEO.id}.md",
        machine.cwd / "tikomni-output" / f"{VIDEO.id}.txt",
        machine.cwd / "tikomni-output" / "cards" / f"{VIDEO.id}.md",
    ]
    for path in mine:
        path.write_text(VIDEO.id, encoding="utf-8")
    target = root / "mine"
    target.mkdir()
    (target / "diary.json").write_text(VIDEO.id, encoding="utf-8")
    (machine.cwd / "tikomni-output" / "results" / "linked").symlink_to(target)
    (machine.cwd / "tikomni-output" / "_runs" / "linked").symlink_to(target)
    run("purge", VIDEO.id, "--yes")
    assert all(path.is_file() for path in mine) and (target / "diary.json").is_file()


def test_part_of_an_id_is_not_the_id(run, known, root):
    assert run("purge", f"douyin:{VIDEO.id[:-1]}", "--yes").document["result"]["found"] is False
    assert run("purge", "douyin:1", "--yes").exit_status == 2
    assert naming(root, VIDEO.id)


@pytest.mark.parametrize(
    "text", ["https://evil.example/video/7300000000000000001", "两个 字", "../../etc/passwd", "a" * 3]
)
def test_what_names_nothing_is_refused(run, text):
    ran = run("purge", text, "--yes")
    assert ran.exit_status == 2 and ran.document["error"]["hint"]


def test_the_runs_that_asked_for_it_keep_their_cost_and_lose_their_words(run, known):
    run("purge", VIDEO.id, "--yes")
    rows = run("runs", "list").document["result"]["items"]
    assert len(rows) == 4 and sum(row["asr_seconds"] for row in rows) == 43
    shown = run("runs", "show", rows[-1]["run_id"]).document["result"]
    assert shown["argv"] == [] and shown["resumable"] is False
    assert run("runs", "resume", rows[-1]["run_id"]).exit_status == 2
