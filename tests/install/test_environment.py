"""Building the managed environment: once, whoever asks; whole, whatever happened before."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tikomni.errors import TikomniError
from tikomni.install.environment import add_arguments, damaged, prepare, prepare_as_asked, prune, unused
from tikomni.install.managed import ROOT, Environment, locate

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills and links of POSIX")

BUILDER = """
import json, sys
from pathlib import Path
from tikomni.install.environment import prepare
note = lambda line: print(line, file=sys.stderr, flush=True)
prepared = prepare(sys.argv[2:], note, Path(sys.argv[1]))
print(json.dumps({"python": str(prepared.python), "created": prepared.created}))
"""


@pytest.fixture
def place(tmp_path: Path, locks: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Where the environment of ``locks`` will be, for this process and its children.

    Without a uv on this machine the pip of this Python stands in for one: to give each environment a pip of its own
    takes most of the time, and two tests below see to that way.
    """
    if not shutil.which("uv") and find_spec("pip"):
        uv = tmp_path / "stand-in" / "uv"
        uv.parent.mkdir()
        # uv pip install WHAT… --python PYTHON
        uv.write_text(f"#!{sys.executable}\nimport runpy, sys\n"
                      "sys.argv = ['pip', '--python', sys.argv[-1], *sys.argv[2:-2]]\n"
                      "runpy.run_module('pip', run_name='__main__')\n")  # fmt: skip
        uv.chmod(0o755)
        monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data home"))
    monkeypatch.setenv("TIKOMNI_FIND_LINKS", str(locks))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "lib"))
    return locate(locks)


def start_builder(place: Environment, *extras: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILDER, str(place.locks), *extras]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def holds(place: Environment, module: str) -> bool:
    return subprocess.run([place.python, "-c", f"import {module}"], capture_output=True).returncode == 0


def test_two_at_once_build_once(place: Environment) -> None:
    builders = [start_builder(place) for _ in range(2)]
    told = [builder.communicate(timeout=120) for builder in builders]

    results = [json.loads(out) for out, _ in told]
    assert sorted(result["created"] for result in results) == [False, True]
    assert {result["python"] for result in results} == {str(place.python)}
    assert sum("waiting" in err for _, err in told) == 1
    assert holds(place, "tiny_base")


@pytest.mark.parametrize("whole_group", [True, False], ids=["with-children", "children-live-on"])
def test_killed_in_the_middle_is_built_again(place: Environment, whole_group: bool) -> None:
    command = [sys.executable, "-c", BUILDER, str(place.locks)]
    builder = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    while not place.python.exists():
        assert builder.poll() is None
        time.sleep(0.01)
    os.killpg(builder.pid, signal.SIGKILL) if whole_group else builder.kill()
    builder.wait()
    assert not place.is_ready()

    assert prepare(locks=place.locks).created
    assert place.is_ready()
    assert holds(place, "tiny_base")


def test_extras_are_added_to_the_same_environment(place: Environment) -> None:
    first = prepare(locks=place.locks)
    kept = place.folder / "kept"
    kept.touch()

    # A link to a name such as /usr/bin/python3 would turn into another version under its packages.
    assert first.python.resolve().name == f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert not place.is_ready(["more"])
    second = prepare(["more"], locks=place.locks)

    assert second.python == first.python
    assert second.created
    assert kept.exists()
    assert holds(place, "tiny_more")
    assert not prepare(["more"], locks=place.locks).created


def test_an_environment_whose_python_is_gone_is_built_again(place: Environment) -> None:
    prepare(locks=place.locks)
    place.python.unlink()
    place.python.symlink_to("/nowhere/python3.11")

    assert not place.is_ready()
    assert prepare(locks=place.locks).created
    assert holds(place, "tiny_base")


def test_a_package_of_another_hash_is_refused(place: Environment) -> None:
    lock = place.lock("base")
    lock.write_text(lock.read_text().partition("sha256:")[0] + "sha256:" + "0" * 64 + "\n")

    with pytest.raises(TikomniError) as caught:
        prepare(locks=place.locks)

    assert caught.value.code == "no_environment"
    assert caught.value.exit_status == 2
    assert "tiny-base" in caught.value.message
    assert not locate(place.locks).is_ready()


def test_installers_see_no_keys_and_pip_follows_a_failing_uv(
    place: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(f'#!/bin/sh\nenv > "{seen}"\nexit 1\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    secrets = {"TIKOMNI_API_KEY": "k-1", "TIKOMNI_DOUYIN_COOKIE": "c-2", "MY_ACCOUNT": "k-3"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TIKOMNI_API_KEY_ENV", "MY_ACCOUNT")

    assert prepare(locks=place.locks).created
    assert "TIKOMNI_FIND_LINKS" in seen.read_text()
    assert not [value for value in secrets.values() if value in seen.read_text()]


def test_a_failure_shows_the_installers_words_without_passwords(
    place: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKOMNI_FIND_LINKS", str(tmp_path / "empty"))
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\necho 'cannot reach https://me:hidden@packages.example/simple'\nexit 1\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(TikomniError) as caught:
        prepare(locks=place.locks)

    assert "https://packages.example/simple" in caught.value.message
    assert "hidden" not in caught.value.message
    assert "TIKOMNI_FIND_LINKS" in caught.value.hint()


def test_a_data_home_that_cannot_be_written(
    place: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(TikomniError) as caught:
        prepare(locks=place.locks)
    assert caught.value.code == "no_environment"
    assert str(tmp_path / "file") in caught.value.message
    assert "XDG_DATA_HOME" in caught.value.hint()
    assert "无法写入" in caught.value.worded("zh").message


def test_a_full_disk_is_named_and_given_back(
    place: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = tmp_path / "full" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\necho 'OSError: [Errno 28] No space left on device'\nexit 1\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TIKOMNI_FIND_LINKS", str(tmp_path / "empty"))  # pip fails, too
    with pytest.raises(TikomniError) as caught:
        prepare(locks=place.locks)
    assert caught.value.code == "disk_full"
    assert not place.folder.exists()


def test_a_python_that_may_not_be_looked_at_is_none(place: Environment) -> None:
    """As where somebody else, root perhaps, made the environment from a Python in a home of their own."""
    place.python.parent.mkdir(parents=True)
    place.marker.write_text(json.dumps({"sets": {"base": "0"}}))
    place.python.symlink_to("a" * 300)  # a name that no system looks up
    assert place.installed() == {}
    assert not place.is_ready()


def test_notes_are_in_the_users_language(place: Environment) -> None:
    notes: list[str] = []
    prepare(note=notes.append, locks=place.locks, language="zh")
    assert notes[0].startswith("正在")


def test_rebuilding_makes_all_of_it_anew_with_its_extras(place: Environment) -> None:
    prepare(["more"], locks=place.locks)
    stray = place.folder / "stray"
    stray.touch()
    assert prepare(locks=place.locks, rebuild=True).created
    assert not stray.exists()
    assert place.is_ready(["more"])


def test_a_package_that_lost_a_file_is_seen_and_mended(place: Environment) -> None:
    lock = place.lock("base")
    lock.write_text(lock.read_text().replace(" --hash", " \\\n    --hash"))  # as uv writes them
    place = locate(place.locks)
    prepare(locks=place.locks)
    assert damaged(place) == []
    [module] = place.folder.rglob("tiny_base.py")
    module.unlink()
    assert damaged(place) == ["tiny-base"]
    prepare(locks=place.locks, rebuild=True)
    assert damaged(place) == []
    place.python.unlink()
    assert damaged(place) == ["python"]


def test_environments_that_nobody_used_for_a_month_are_deleted(place: Environment) -> None:
    home = locate().folder.parent
    old, recent, torso = home / "0.0.1-aaaa", home / "0.0.2-bbbb", home / "0.0.3-cccc"
    month_ago = time.time() - 31 * 86_400
    for folder in (old, recent, torso):
        (folder / "bin").mkdir(parents=True)
        if folder != torso:
            (folder / ".ready.json").write_text("{}")
    os.utime(old / ".ready.json", (month_ago, month_ago))
    os.utime(torso, (month_ago, month_ago))

    assert set(unused()) == {old, torso}
    assert set(prune(unused())) == {old, torso}
    assert {path.name for path in home.iterdir() if path.is_dir()} == {recent.name}


def test_what_another_user_keeps_for_himself_hinders_nobody(
    place: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may look everywhere, so that the system is answered for."""
    theirs = locate().folder.parents[1] / "package" / "0.0.1-0123456789ab"
    theirs.mkdir(parents=True)
    stat = Path.stat

    def answer(path: Path, **options: bool) -> os.stat_result:
        if path.parent == theirs:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", answer)
    assert unused() == []
    assert unused(time.time() + 31 * 86_400) == [theirs]


def test_what_was_deleted_in_part_is_not_taken_for_whole(place: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its deletion fails after the first file, or is killed there."""
    package = locate().folder.parents[1] / "package" / "0.0.1-0123456789ab"
    (package / "lib").mkdir(parents=True)
    (package / "skills").mkdir()

    def cut_short(folder: Path) -> None:
        (folder / "lib").rmdir()
        raise OSError("busy")

    monkeypatch.setattr(shutil, "rmtree", cut_short)
    assert prune([package]) == []
    assert not package.exists()


def test_an_environment_in_use_says_so(place: Environment) -> None:
    place.folder.mkdir(parents=True)
    place.marker.write_text("{}")
    month_ago = time.time() - 31 * 86_400
    os.utime(place.marker, (month_ago, month_ago))
    place.used()
    assert time.time() - place.marker.stat().st_mtime < 3600


def test_a_folder_of_wheels_is_named_on_the_command_line(
    place: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIKOMNI_FIND_LINKS", "elsewhere")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(TikomniError) as caught:
        prepare_as_asked(parser.parse_args(["--find-links", str(place.folder / "nowhere")]), print)
    assert caught.value.code == "usage"
    monkeypatch.setattr("tikomni.install.environment.prepare", lambda *_, **__: os.environ["TIKOMNI_FIND_LINKS"])
    assert prepare_as_asked(parser.parse_args(["--find-links", str(place.locks)]), print) == str(place.locks)
