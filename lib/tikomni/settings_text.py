"""The commented YAML generated from the settings table."""

from __future__ import annotations

from collections.abc import Iterator
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


def yaml_text() -> str:
    """The commented YAML that ``config init`` writes."""
    lines = [
        "# Settings of tikomni-skills. Flags, the environment and .env files are stronger than this file.",
        "# tikomni-skills 设置。命令行、环境变量与 .env 的优先级高于本文件。",
    ]
    for heading, rows in sections():
        lines += ["", f"# --- {heading}"]
        for row in rows:
            choices = f" ({' | '.join(row.metadata['choices'])})" if row.metadata["choices"] else ""
            lines += [f"# {row.metadata['en']}{choices}", f"# {row.metadata['zh']}"]
            lines.append(f"# {row.name}: {_yaml(row.default)}")
    return "\n".join(lines) + "\n"


def sections() -> Iterator[tuple[str, Iterator[Any]]]:
    """The rows of the table by section, each with its heading in English and Chinese."""
    for name, rows in groupby(ROWS, key=lambda r: r.metadata["section"]):
        yield " / ".join(SECTIONS[name]), rows


def _yaml(value: Any) -> str:
    if value is None:
        return ""
    return f'"{value}"' if isinstance(value, str | Path) else str(value)
