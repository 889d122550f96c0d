"""Files are written whole, or the old one stays; a key never is."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tikomni import redact
from tikomni.errors import InputError, TikomniError
from tikomni.storage import atomic


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KiB, where this machine lets us make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("cannot mount a tmpfs here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_parents_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "a" / "b.md", "一\n")
    atomic.write_json(tmp_path / "a" / "c.json", {"名": [1, None]})
    atomic.write_bytes(tmp_path / "a" / "d.jpg", b"\xff\x00")
    assert (tmp_path / "a" / "b.md").read_bytes() == "一\n".encode()
    assert json.loads((tmp_path / "a" / "c.json").read_text("utf-8")) == {"名": [1, None]}
    assert "名" in (tmp_path / "a" / "c.json").read_text("utf-8")
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["b.md", "c.json", "d.jpg"]


def test_a_lone_surrogate_can_be_written(tmp_path: Path) -> None:
    atomic.write_json(tmp_path / "x.json", {"t": "a\ud800"})
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == {"t": "a\ud800"}


def test_modes(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        atomic.write_text(tmp_path / "open", "x")
        atomic.write_text(tmp_path / "private", "x", 0o600)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


def test_a_name_of_255_bytes_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    atomic.write_text(path, "whole")
    assert path.read_text() == "whole"


def test_a_registered_key_is_never_written(tmp_path: Path) -> None:
    redact.register(["sk-live-5d41402abc"])
    atomic.write_text(tmp_path / "a", "x sk-live-5d41402abc 文 xsec_token=ABCDEF")
    atomic.write_json(tmp_path / "b", {"header": "Bearer sk-live-5d41402abc"})
    atomic.write_bytes(tmp_path / "c", "猫".encode() + b"\xff sk-live-5d41402abc")
    for name in "abc":
        assert b"sk-live" not in (tmp_path / name).read_bytes()
    assert "xsec_token=ABCDEF" in (tmp_path / "a").read_text("utf-8"), "tokens of data are data"
    assert (tmp_path / "c").read_bytes().startswith("猫".encode() + b"\xff ")


@pytest.mark.parametrize("make", [lambda p: p.write_text("file"), lambda p: p.symlink_to("nowhere/at/all")])
def test_something_else_where_a_folder_should_be(tmp_path: Path, make) -> None:
    make(tmp_path / "folder")
    with pytest.raises(InputError, match="folder") as caught:
        atomic.write_text(tmp_path / "folder" / "x.md", "text")
    assert caught.value.code == "storage"


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "x.md" / "inner").mkdir(parents=True)
    with pytest.raises(InputError, match=r"x\.md"):
        atomic.write_text(tmp_path / "x.md", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["x.md"], "no temporary file is left"


def test_a_full_disk_keeps_the_old_file(small_disk: Path) -> None:
    atomic.write_text(small_disk / "card.md", "old")
    with pytest.raises(TikomniError) as caught:
        atomic.write_text(small_disk / "card.md", "new" * 100_000)
    assert caught.value.code == "disk_full" and caught.value.exit_status == 1
    assert (small_disk / "card.md").read_text() == "old"
    assert [p.name for p in small_disk.iterdir()] == ["card.md"]
