"""Homes and package sets for the tests of installation. Real processes, folders of their own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tikomni.install.managed import ROOT, locate
from tikomni.locations import data_home

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def plain_python() -> str:
    """The interpreter outside of any virtual environment, as a user's ``python3`` is."""
    return os.path.realpath(sys.executable)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program with HOME in a folder of this test; ``variables`` are set, or removed by None."""

    def run(*command: str | Path, timeout: float = 120, **variables: str | None) -> subprocess.CompletedProcess[str]:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TIKOMNI_", "XDG_", "PYTHON"))}
        changed = {**kept, "HOME": str(home), **variables}
        environ = {k: v for k, v in changed.items() if v is not None}
        parts = [str(part) for part in command]
        return subprocess.run(parts, env=environ, cwd=home, capture_output=True, encoding="utf-8", timeout=timeout)

    return run


@pytest.fixture(scope="session")
def managed_data(plain_python: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An XDG_DATA_HOME with a ready managed environment: this session's own if it is one, else a new one that all
    workers share."""
    if locate().is_ready():
        return str(data_home().parent)
    base = tmp_path_factory.getbasetemp()
    data = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "managed"
    subprocess.run(
        [plain_python, "-m", "tikomni.install.environment"],
        env={**os.environ, "XDG_DATA_HOME": str(data), "PYTHONPATH": str(ROOT / "lib")},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return str(data)


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    """A folder of requirement sets, ``base`` and ``more``, each of one tiny wheel that lies beside them."""
    folder = tmp_path / "requirements"
    folder.mkdir()
    for name in ("base", "more"):
        wheel = folder / f"tiny_{name}-1.0-py3-none-any.whl"
        _write_wheel(wheel, f"tiny_{name}")
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (folder / f"{name}.txt").write_text(f"tiny-{name}==1.0 --hash=sha256:{sha256}\n")
    return folder


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for PATH that holds node and nothing else."""
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / "node").symlink_to(os.path.realpath(shutil.which("node") or "node"))
    return folder


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The npm package, its tarball unpacked; made in a copy (``source`` beside it), because packing writes beside the
    sources. What npm told of it is in ``told.json``."""
    copy = tmp_path_factory.mktemp("package")
    skip = shutil.ignore_patterns("__pycache__", "node_modules", ".*", "tests", "dist", "*.tgz", "runtime*")
    shutil.copytree(ROOT, copy / "source", ignore=skip)
    (copy / "source" / "skills" / "meta-capability" / ".env").write_text("TIKOMNI_API_KEY=never-to-be-shipped")
    (copy / "source" / "lib" / "tikomni" / "notes.tmp").touch()
    for step in ([sys.executable, "tools/pack.py", "--clean"], [sys.executable, "tools/pack.py"]):
        subprocess.run(step, cwd=copy / "source", check=True)
    subprocess.run(["node", "tools/compress.mjs"], cwd=copy / "source", check=True)
    done = subprocess.run(
        ["npm", "pack", "--ignore-scripts", "--json", "--pack-destination", str(copy)],
        cwd=copy / "source", capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    [told] = json.loads(done.stdout)
    (copy / "told.json").write_text(json.dumps(told))
    with tarfile.open(copy / told["filename"]) as archive:
        archive.extractall(copy, filter="data")
    return copy / "package"


@pytest.fixture(scope="session")
def unpacked(packed: Path) -> Path:
    """The folder that the launcher makes of the package's archive."""
    words = [str(packed / "runtime.br"), "0.0.0", str(packed.parent / "shelf")]
    code = f"console.log(require({json.dumps(str(packed / 'bin' / 'unpack.js'))}).unpacked(...{json.dumps(words)}))"
    done = subprocess.run(["node", "-e", code], capture_output=True, encoding="utf-8", check=True)
    return Path(done.stdout.strip())


@pytest.fixture
def package_data(managed_data: str, tmp_path: Path) -> str:
    """An XDG_DATA_HOME with the ready environment, where a package has not been unpacked yet."""
    ours = tmp_path / "data" / "tikomni"
    ours.mkdir(parents=True)
    (ours / "env").symlink_to(Path(managed_data, "tikomni", "env"))
    return str(ours.parent)


def _write_wheel(path: Path, module: str) -> None:
    info = f"{module}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{module}.py", "HERE = True\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"{module}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
