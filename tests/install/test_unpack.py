"""``bin/unpack.js``: the npm package becomes folders once, for everybody who starts it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def start(packed: Path) -> Path:
    return packed / "bin" / "tikomni-skills.js"


def shelf(data: str) -> list[Path]:
    return sorted(Path(data, "tikomni", "package").iterdir())


def empty(file: Path) -> None:
    file.write_bytes(b"")


def test_it_is_unpacked_once(packed: Path, run: Run, package_data: str) -> None:
    first = run("node", start(packed), "--version", XDG_DATA_HOME=package_data)
    [folder] = shelf(package_data)
    left = folder / "left by the first run"
    left.touch()
    assert run("node", start(packed), "--version", XDG_DATA_HOME=package_data).stdout == first.stdout != ""
    assert shelf(package_data) == [folder] and left.exists()


def test_several_that_start_at_once_share_it(packed: Path, package_data: str) -> None:
    environ = {**os.environ, "XDG_DATA_HOME": package_data}
    command = ["node", str(start(packed)), "--version"]
    runs = [subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {one.communicate(timeout=120)[0] for one in runs}
    assert [one.returncode for one in runs] == [0, 0, 0, 0] and len(said) == 1
    assert len(shelf(package_data)) == 1


def test_what_a_killed_run_left_is_not_used(packed: Path, run: Run, package_data: str) -> None:
    torso = Path(package_data, "tikomni", "package", ".0.1.0-0123456789ab-XYZ")
    (torso / "lib").mkdir(parents=True)
    assert run("node", start(packed), "--version", XDG_DATA_HOME=package_data).returncode == 0
    assert len(shelf(package_data)) == 2


def test_one_that_lost_a_file_is_unpacked_again(packed: Path, run: Run, package_data: str) -> None:
    run("node", start(packed), "--version", XDG_DATA_HOME=package_data)
    [folder] = shelf(package_data)
    for path, spoil in (("lib/tikomni/errors.py", Path.unlink), ("skills/creator-analysis/SKILL.md", empty)):
        spoil(folder / path)
        done = run("node", start(packed), "--version", XDG_DATA_HOME=package_data)
        assert done.returncode == 0 and (folder / path).read_text(), done.stdout + done.stderr


def test_a_data_home_may_be_relative(packed: Path, run: Run) -> None:
    done = run("node", start(packed), "list", XDG_DATA_HOME="here")
    assert json.loads(done.stdout)["ok"], done.stdout + done.stderr


def test_without_a_place_to_keep_it_it_is_unpacked_for_the_run(packed: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    places = {"XDG_DATA_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path / "tmp")}
    done = run("node", start(packed), "list", **places)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads(done.stdout)["result"]["skills"]) == 3
    assert not list((tmp_path / "tmp").iterdir())


def test_no_command_leads_to_a_package_that_is_gone_by_then(packed: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    places = {"XDG_DATA_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path / "tmp")}
    done = run("node", start(packed), "doctor", **places)
    mends = {row["code"]: row["mend"] for row in json.loads(done.stdout)["result"]["findings"]}
    assert mends == {"no_environment": "npx tikomni-skills env", "nothing_installed": "npx tikomni-skills install"}
    assert places["TMPDIR"] not in done.stdout + run("node", start(packed), "verify", **places).stdout


@pytest.mark.parametrize(("locale", "words"), [("en_US.UTF-8", "could not be unpacked"), ("zh_CN.UTF-8", "解压")])
def test_where_nothing_can_be_written_it_says_so(
    packed: Path, run: Run, tmp_path: Path, locale: str, words: str
) -> None:
    (tmp_path / "file").touch()
    places = {"XDG_DATA_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path / "file")}
    done = run("node", start(packed), "list", LC_ALL=locale, **places)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"], done.stderr) == (2, "no_environment", "")
    assert words in error["message"] and str(tmp_path / "file") in error["message"] and error["hint"]


def test_one_that_is_in_use_says_so_and_the_others_can_be_deleted(packed: Path, run: Run, package_data: str) -> None:
    run("node", start(packed), "--version", XDG_DATA_HOME=package_data)
    [current] = shelf(package_data)
    old = current.with_name("0.0.1-0123456789ab")
    (old / "lib").mkdir(parents=True)
    month_ago = time.time() - 31 * 86_400
    for folder in (current, old):
        os.utime(folder, (month_ago, month_ago))

    done = run("node", start(packed), "env", "prune", XDG_DATA_HOME=package_data)

    assert json.loads(done.stdout)["result"]["removed"] == [str(old)]
    assert [path for path in shelf(package_data) if path.is_dir()] == [current]
    assert time.time() - current.stat().st_mtime < 86_400
