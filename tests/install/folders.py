"""Small skills, folders as they are, and users' files, for the tests of what changes folders."""

from __future__ import annotations

from pathlib import Path

from tikomni.install import plan as planning
from tikomni.install import state
from tikomni.install.package import Content, Files
from tikomni.install.plan import SkillPlan
from tikomni.install.state import MANIFEST, Manifest


def skill(name: str, version: str, texts: dict[str, str]) -> Files:
    """A skill's files as the package assembles them, of ``texts``."""
    files = {path: Content(text.encode()) for path, text in texts.items()}
    digests = {path: content.sha256 for path, content in files.items()}
    return {**files, MANIFEST: Content(Manifest(version, name, "universal", digests).text().encode())}


OLD = {
    "SKILL.md": "old",
    "lib/a.py": "a1",
    "lib/b.py": "b1",
    "lib/deep/c.py": "c1",
    "references/gone.md": "gone",
    "scripts/run.py": "run",
}
NEW = {
    "SKILL.md": "new",
    "lib/a.py": "a2",
    "lib/b.py": "b1",
    "lib/deep/c.py": "c2",
    "lib/deep/d.py": "d2",
    "scripts/run.py": "run",
}


def installing(
    root: Path, name: str, texts: dict[str, str], version: str = "1", backup: Path | None = None
) -> SkillPlan:
    files = skill(name, version, texts)
    like = {path: content.sha256 for path, content in files.items() if path != MANIFEST}
    return planning.install(name, state.read(root / name, like), files, backup)


def removing(root: Path, name: str, backup: Path | None = None) -> SkillPlan:
    return planning.remove(name, state.read(root / name), backup)


def texts_in(folder: Path) -> dict[str, str]:
    """Path → text of every file below ``folder`` but manifests."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def below(name: str, texts: dict[str, str]) -> dict[str, str]:
    return {f"{name}/{path}": text for path, text in texts.items()}
