"""What an installed skill consists of: one self-contained folder, assembled from the one source.

``assemble`` reads this package (or a skill that was installed from it) and writes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from tikomni import __version__
from tikomni.install.managed import ROOT
from tikomni.install.state import MANIFEST, Manifest

# What a skill folder gets besides its own files; locks stand where managed.LOCKS looks for them.
SHARED = (
    "lib/tikomni",
    *("requirements/base.txt", "requirements/local-asr.txt", "env.example", "LICENSE"),
)
# Nobody's but those who work on the project: the catalogue's source, what compiles it, what checks a platform's file.
DEVELOPMENT = (
    *("lib/tikomni/docs.py", "lib/tikomni/platforms/platform.schema.json"),
    *("lib/tikomni/catalog/openapi/*", "lib/tikomni/catalog/questions/*"),
    *(f"lib/tikomni/catalog/{name}.py" for name in "compile guesses merge samples search source sync upstream".split()),
    *(f"lib/tikomni/catalog/{name}" for name in ("guesses.yaml", "source.schema.json", "upstream.schema.json")),
)
# Never copied into a skill: dotfiles there are the user's, and the upstream's stand-in is the package's.
LEFT_OUT = (
    *(".*", "*/.*", "*__pycache__/*", "*.py[cod]", "evals/*"),
    "lib/tikomni/sandbox/*",
    *DEVELOPMENT,
)
EXECUTABLE = "scripts/*.py"
PAGES = "references/routes"
"""Where ``meta-capability`` keeps the contracts of routes; an npm package makes them when it installs."""


@dataclass(frozen=True, slots=True)
class Content:
    """One file to be: its bytes, or where they are read from."""

    source: Path | bytes

    def read(self) -> bytes:
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    @property
    def sha256(self) -> str:
        if isinstance(self.source, bytes):
            return hashlib.sha256(self.source).hexdigest()
        return _digest(self.source)


Files = Mapping[str, Content]
"""Path in the skill folder (with ``/``) → content."""


def skills(root: Path = ROOT) -> list[str]:
    """Names of the skills of this package; none in an installed skill, which carries no other."""
    return sorted(path.parent.name for path in (root / "skills").glob("*/SKILL.md"))


def names(root: Path = ROOT) -> list[str]:
    """Names of the skills that can be looked after: the package's, or those that stand beside an installed one."""
    beside = sorted(path.parent.name for path in root.parent.glob(f"*/{MANIFEST}"))
    return skills(root) or [name for name in beside if (root.parent / name / "SKILL.md").is_file()]


def description(skill: str, root: Path = ROOT) -> str:
    """What ``SKILL.md`` says the skill is for."""
    text = (root / "skills" / skill / "SKILL.md").read_text(encoding="utf-8")
    found = re.search(r'^description: "(.*)"$', text, re.M)
    return found[1] if found else ""


def assemble(skill: str, agent: str = "", metadata: str | None = None, root: Path = ROOT) -> Files:
    """The files of a self-contained folder of ``skill`` for ``agent``, manifest included, sorted by path.

    ``metadata`` names the block that the agent wants in SKILL.md beside what the specification knows.
    """
    home = root / "skills" / skill
    files = {path.relative_to(home).as_posix(): Content(path) for path in _files(home)}
    if (home / "SKILL.md").is_file() and skill == "meta-capability" and f"{PAGES}/index.md" not in files:
        files |= {f"{PAGES}/{name}": Content(text.encode()) for name, text in _pages().items()}
    for shared in SHARED:
        files |= {path.relative_to(root).as_posix(): Content(path) for path in _files(root / shared)}
    if metadata:
        text = files["SKILL.md"].read().decode()
        files["SKILL.md"] = Content(with_metadata(text, metadata).encode())
    kept = {name: files[name] for name in sorted(files) if not any(fnmatch(name, pattern) for pattern in LEFT_OUT)}
    manifest = Manifest(__version__, skill, agent, {name: content.sha256 for name, content in kept.items()})
    return {**kept, MANIFEST: Content(manifest.text().encode())}


def with_metadata(text: str, block: str) -> str:
    """SKILL.md with ``<block>.metadata.yaml`` under ``metadata`` in its front matter.

    The shipped file holds the specification's keys only; some agents read more from there (see the block's comment).
    """
    lines = Path(__file__).with_name(f"{block}.metadata.yaml").read_text(encoding="utf-8").splitlines()
    added = "".join(f"  {line}\n" for line in lines if line and not line.startswith("#"))
    _, front, body = text.split("---\n", 2)
    if "\nmetadata:\n" in front:
        front = front.replace("\nmetadata:\n", "\nmetadata:\n" + added, 1)
    else:
        front += "metadata:\n" + added
    return f"---\n{front}---\n{body}"


def mode(name: str) -> int:
    """The permissions of a file: npm packs scripts without theirs."""
    return 0o755 if fnmatch(name, EXECUTABLE) else 0o644


@cache
def _pages() -> Mapping[str, str]:
    from tikomni.catalog import reference

    return reference.installed_pages()


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(path: Path) -> Iterable[Path]:
    return [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
