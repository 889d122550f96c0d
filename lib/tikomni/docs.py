"""Writes the documents that are generated from tables in code: ``python -m tikomni.docs [--check]``.

``--check`` writes nothing and exits 1 where a document is not what its table says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tikomni import catalog
from tikomni.catalog import SOURCE, compile, reference
from tikomni.errors import CODES
from tikomni.install.agents import TABLE
from tikomni.platforms import definition, names
from tikomni.platforms.definitions import ListRoute, Route
from tikomni.settings import ROWS, variable
from tikomni.settings_text import sections
from tikomni.storage.yaml_file import read_yaml

ROOT = Path(__file__).resolve().parents[2]
ROUTES = Path("skills/meta-capability/references/routes")
"""Holds generated pages only: any other is a leftover."""


def env_text() -> str:
    """``env.example``: every variable, commented out, with its meaning in English and Chinese."""
    lines = [
        "# Copy to .env beside the skill folders (mode 600) and set what you need; only the key is required.",
        "# 复制为技能目录旁的 .env（权限 600），按需填写；只有密钥是必填项。",
    ]
    for heading, rows in sections():
        lines += ["", f"# --- {heading}"]
        for row in rows:
            lines += [f"# {row.metadata['en']}", f"# {row.metadata['zh']}"]
            mark = "" if row.name == "api_key" else "# "
            lines.append(f"{mark}{variable(row.name)}={'' if row.default is None else row.default}")
    return "\n".join(lines) + "\n"


def settings_table() -> str:
    """Every setting with its default and meaning, as Markdown."""
    lines = ["| variable | config key | default | meaning |", "|---|---|---|---|"]
    for row in ROWS:
        meaning = row.metadata["en"].replace("|", r"\|")
        default = "" if row.default is None else f"`{row.default}`"
        lines.append(f"| `{variable(row.name)}` | `{row.name}` | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


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
        "`npx tikomni-skills config init` writes), default. `npx tikomni-skills config show` prints what is in use and "
        "where it comes from.\n\n"
    )
    errors = "# Error codes\n\n" + note + "Read this when `error.code` is not in SKILL.md's table.\n\n"
    return {
        Path("env.example"): env_text(),
        references / "settings.md": settings + settings_table(),
        references / "errors.md": errors + errors_table(),
        Path("skills/creator-analysis/references/route-map.md"): route_map(note),
        **{Path(name): with_agents(ROOT / name) for name in ("README.md", "README.zh-CN.md")},
        **routes(),
    }


def with_agents(path: Path) -> str:
    """The text of ``path`` with the table of agents between its marks ``<!-- agents -->`` and ``<!-- /agents -->``."""
    text = path.read_text(encoding="utf-8")
    start, end = "<!-- agents -->\n", "<!-- /agents -->"
    before, _, rest = text.partition(start)
    _, found, after = rest.partition(end)
    return before + start + agents_table(chinese=path.stem.endswith("zh-CN")) + end + after if found else text


def agents_table(chinese: bool = False) -> str:
    """Every agent with its names and folders, as Markdown."""
    rows = json.loads(TABLE.read_text(encoding="utf-8")).items()
    heads = ("agent", "name", "user's folder", "project's folder")
    if chinese:
        heads = ("智能体", "名称", "用户目录", "项目目录")
    lines = ["| " + " | ".join(heads) + " |", "|---|---|---|---|"]
    for name, row in rows:
        names = ", ".join(f"`{one}`" for one in (name, *row["aliases"]))
        lines.append(f"| {row['title']} | {names} | `{row['user']}` | `{row['project']}` |")
    return "\n".join(lines) + "\n"


def route_map(note: str) -> str:
    """Which routes serve which platform's objects and lists, in the order in which they are tried."""
    parts = [
        "# Which routes are asked\n\n"
        + note
        + "Read this when an answer came from an unexpected route, when one is to be "
        "called by hand, or to see what a platform's lists leave out. Routes are tried in this order until one "
        "answer is good enough. Behind each: the inputs that carry what is known, and its price. Whole contracts: "
        "`call_route.py show ROUTE` of the skill `meta-capability`.\n"
    ]
    for name in names():
        known = definition(name)
        parts.append(f"\n## {known.name} · {known.name_zh}\n")
        for what, rule in known.objects.items():
            parts.append(_asked(what, rule.routes))
            parts.append(_asked(f"{what}: its id", [found.ask for found in rule.resolve]))
        for what, walk in known.lists.items():
            parts.append(_asked(f"list {what}", [route.ask for route in walk.routes], _cut(walk.routes)))
            parts.append(_asked(f"list {what}: its id", [found.ask for found in walk.resolve]))
        for what, extra in known.enrich.items():
            most = max(route.most for route in extra.routes)
            parts.append(
                _asked(f"extra {what}", [route.ask for route in extra.routes], f"At most {most} works a call.")
            )
    return "".join(parts)


def _asked(what: str, routes: Iterable[Route], remark: str = "") -> str:
    lines = [
        f"{place}. `{route.route}` {' or '.join(map(_inputs, route.send))} · {catalog.get(route.route).price:g} USD\n"
        for place, route in enumerate(routes, 1)
    ]
    return f"\n### {what}\n\n{''.join(lines)}" + (f"\n{remark}\n" if remark else "") if lines else ""


def _inputs(send: Mapping[str, object]) -> str:
    return ", ".join(f"`{name}`" for name, value in send.items() if str(value).startswith("{"))


def _cut(routes: Iterable[ListRoute]) -> str:
    cut = dict.fromkeys(f"`{part.field}` ({part.reason})" for route in routes for part in route.partial)
    return f"Partial in its entries: {', '.join(cut)}." if cut else ""


def routes() -> dict[Path, str]:
    """The pages of the route catalogue, from its YAML source."""
    source = [read_yaml(file) for file in sorted(SOURCE.glob("*.yaml"))]
    return {ROUTES / name: text for name, text in reference.pages(map(compile.tagged, source)).items()}


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
