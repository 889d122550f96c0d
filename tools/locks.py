"""Shortens the locks that uv has written: hashes do not compress, and most are of files that nobody here installs.

Run by ``dev lock``, after ``uv pip compile``. What stays are the wheels for Python 3.11 to 3.14 on Linux (glibc and
musl), macOS and Windows, 64 bits; and the source where a package has no wheel for all. The locks that are shipped
beside the base set's do not repeat its pins. Standard library only.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path

LOCKS = Path(__file__).resolve().parents[1] / "requirements"
BASE, BESIDE_BASE = "base", ("sandbox", "local-asr")
_PIN = re.compile(r"^(\S[^\\\n]*?) \\\n((?: +--hash=\S+(?: \\)?\n)+)", re.M)
_PYTHON = re.compile(r"(?:py2\.)?py3-none|cp31[1-4]-cp31[1-4]|cp3(?:\d|1[0-4])-abi3")
_PLATFORM = re.compile(
    r"any|win_(?:amd64|arm64)|macosx_\d+_\d+_(?:x86_64|arm64|universal2)|m(?:any|usl)linux\w*_(?:x86_64|aarch64)"
)


def main() -> int:
    texts = {path.stem: shortened(path.read_text(encoding="utf-8"), files_of(path)) for path in LOCKS.glob("*.txt")}
    for name in BESIDE_BASE:
        texts[name] = without(texts[name], texts[BASE])
    for name, text in texts.items():
        (LOCKS / f"{name}.txt").write_text(text, encoding="utf-8")
    return 0


def files_of(lock: Path) -> dict[str, str]:
    """SHA-256 → name of each file that the index holds of what ``lock`` pins."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "pylock.toml"
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--no-deps"]
        subprocess.run([*command, "--format", "pylock.toml", str(lock), "-o", str(told)], check=True, stdout=sys.stderr)
        packages = tomllib.loads(told.read_text(encoding="utf-8"))["packages"]
    files = [file for package in packages for file in (package.get("sdist"), *package.get("wheels", ())) if file]
    return {file["hashes"]["sha256"]: file.get("name") or file["url"].rpartition("/")[2] for file in files}


def shortened(text: str, files: Mapping[str, str]) -> str:
    """The lock ``text`` without the hashes of files that are not ``wanted``."""

    def pin(found: re.Match[str]) -> str:
        # uv leaves out what no Python >= 3.11 can use.
        hashes = {sha256: files[sha256] for sha256 in re.findall(r"sha256:(\w+)", found[2]) if sha256 in files}
        kept = wanted(hashes.values())
        lines = [f"    --hash=sha256:{sha256}" for sha256, name in hashes.items() if name in kept]
        if not lines:
            raise SystemExit(f"{found[1]}: no file of it fits")
        return " \\\n".join([found[1], *lines]) + "\n"

    return _PIN.sub(pin, text)


def wanted(names: Collection[str]) -> set[str]:
    """Which of a release's files are installed from: wheels that fit, and the source unless one wheel fits all."""
    wheels = {name for name in names if fits(name)}
    sources = {name for name in names if not name.endswith(".whl")}
    return wheels if any(name.endswith("-none-any.whl") for name in wheels) else wheels | sources


def fits(name: str) -> bool:
    """Whether the file ``name`` is a wheel for one of the Pythons and systems that are served."""
    found = re.fullmatch(r".*-([^-]+-[^-]+)-([^-]+)\.whl", name)
    return bool(found and _PYTHON.fullmatch(found[1]) and any(map(_PLATFORM.fullmatch, found[2].split("."))))


def without(text: str, base: str) -> str:
    """The lock ``text`` without the pins of ``base``, beside which it is installed."""
    held = {found[0] for found in _PIN.finditer(base)}
    return "".join(found[0] for found in _PIN.finditer(text) if found[0] not in held)


if __name__ == "__main__":
    sys.exit(main())
