"""Texts generated from the settings table: ``env.example``, the commented YAML, the documentation's table."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from tikomni.settings import ROWS

SECTIONS = {
    "account": ("Account", "账户"),
    "folders": ("Folders", "目录"),
    "cards": ("Cards", "卡片"),
    "calls": ("Calls", "请求"),
    "words": ("Words of a video", "视频文字"),
    "figures": ("Figures of a creator", "作者数据"),
    "analyst": ("Analyses by a model", "模型分析"),
}


def env_text() -> str:
    """``env.example``: every variable, commented out, with its meaning in English and Chinese."""
    lines = [
        "# Copy to .env beside the skill folders (mode 600) and set what you need; only the key is required.",
        "# 复制为技能目录旁的 .env（权限 600），按需填写；只有密钥是必填项。",
    ]
    for section, rows in _sections():
        lines += ["", f"# --- {' / '.join(SECTIONS[section])}"]
        for row in rows:
            lines += [f"# {row.metadata['en']}", f"# {row.metadata['zh']}"]
            key = row.name == "api_key"
            lines.append(f"{'' if key else '# '}{row.metadata['env']}={_shown(row.default)}")
    return "\n".join(lines) + "\n"


def yaml_text() -> str:
    """The commented YAML that ``config init`` writes."""
    lines = [
        "# Settings of tikomni-skills. Flags, the environment and .env files are stronger than this file.",
        "# tikomni-skills 设置。命令行、环境变量与 .env 的优先级高于本文件。",
    ]
    for section, rows in _sections():
        lines += ["", f"# --- {' / '.join(SECTIONS[section])}"]
        for row in rows:
            choices = f" ({' | '.join(row.metadata['choices'])})" if row.metadata["choices"] else ""
            lines += [f"# {row.metadata['en']}{choices}", f"# {row.metadata['zh']}"]
            lines.append(f"# {row.name}: {_yaml(row.default)}")
    return "\n".join(lines) + "\n"


def markdown_table() -> str:
    """The settings table of the documentation."""
    lines = ["| variable | config key | default | meaning |", "|---|---|---|---|"]
    for row in ROWS:
        meaning = row.metadata["en"].replace("|", r"\|")
        lines.append(f"| `{row.metadata['env']}` | `{row.name}` | {_code(row.default)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _sections() -> list[tuple[str, list[Any]]]:
    return [(name, list(rows)) for name, rows in groupby(ROWS, key=lambda r: r.metadata["section"])]


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _yaml(value: Any) -> str:
    if value is None:
        return ""
    return f'"{value}"' if isinstance(value, str | Path) else str(value)


def _code(value: Any) -> str:
    return "" if value is None else f"`{value}`"
