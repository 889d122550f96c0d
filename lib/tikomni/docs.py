"""Writes the documents that are generated from tables in code: ``python -m tikomni.docs [--check]``.

``--check`` writes nothing and exits 1 where a document is not what its table says.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tikomni.catalog import compile, reference
from tikomni.errors import CODES
from tikomni.settings_text import env_text, markdown_table

ROOT = Path(__file__).resolve().parents[2]
ROUTES = Path("skills/meta-capability/references/routes")
"""Holds generated pages only: any other is a leftover."""


def errors_table() -> str:
    """Every error code with its exit status and hint, as Markdown."""
    lines = ["| code | exit | retry | what to do |", "|---|---|---|---|"]
    for code, spec in sorted(CODES.items(), key=lambda item: (item[1].exit_status, item[0])):
        lines.append(f"| `{code}` | {spec.exit_status} | {'yes' if spec.retryable else 'no'} | {spec.hint} |")
    return "\n".join(lines) + "\n"


def documents() -> dict[Path, str]:
    """Path from the root → text."""
    references = Path("skills/single-work-analysis/references")
    note = "<!-- generated: python -m tikomni.docs -->\n\n"
    settings = (
        "# Settings\n\n" + note + "Read this when a default does not fit. Sources, strongest first: flag, environment, "
        "`<skill>/.env.local`, `<skills folder>/.env`, YAML file (`TIKOMNI_CONFIG_FILE`, or the one that "
        "`tikomni-skills config init` writes), default. `tikomni-skills config show` prints what is in use and where "
        "it comes from.\n\n"
    )
    errors = "# Error codes\n\n" + note + "Read this when `error.code` is not in SKILL.md's table.\n\n"
    return {
        Path("env.example"): env_text(),
        references / "settings.md": settings + markdown_table(),
        references / "errors.md": errors + errors_table(),
        **routes(),
    }


def routes() -> dict[Path, str]:
    """The pages of the route catalogue, from its YAML source."""
    source = [compile.read(file) for file in sorted(compile.SOURCE.glob("*.yaml"))]
    return {ROUTES / name: text for name, text in reference.pages(source).items()}


def main(arguments: list[str]) -> int:
    texts = documents()
    stale = [path for path, text in texts.items() if _read(ROOT / path) != text]
    leftover = [path for file in sorted((ROOT / ROUTES).glob("*")) if (path := file.relative_to(ROOT)) not in texts]
    if "--check" in arguments:
        print("\n".join([f"stale: {path}" for path in stale] + [f"leftover: {path}" for path in leftover]) or "fresh")
        return 1 if stale or leftover else 0
    for path in stale:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(texts[path], encoding="utf-8")
        print(f"wrote {path}")
    for path in leftover:
        (ROOT / path).unlink()
        print(f"removed {path}")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
