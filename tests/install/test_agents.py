"""Where each agent's skills go, and which agents are meant where none is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tikomni.errors import InputError
from tikomni.install.agents import agents, named, on_this_machine

HOME = {
    "claude-code": ".claude/skills",
    "codex": ".agents/skills",
    "openclaw": ".openclaw/skills",
    "gemini": ".gemini/skills",
    "cursor": ".cursor/skills",
    "opencode": ".config/opencode/skills",
    "copilot": ".copilot/skills",
    "goose": ".agents/skills",
    "windsurf": ".codeium/windsurf/skills",
    "universal": ".agents/skills",
}
PROJECT = {
    "claude-code": ".claude/skills",
    "codex": ".agents/skills",
    "openclaw": "skills",
    "gemini": ".gemini/skills",
    "cursor": ".cursor/skills",
    "opencode": ".opencode/skills",
    "copilot": ".github/skills",
    "goose": ".agents/skills",
    "windsurf": ".windsurf/skills",
    "universal": ".agents/skills",
}


@pytest.mark.parametrize("home", ["/home/someone", "/Users/Ünï 用户"])
def test_folders_of_a_user_and_of_a_project(home: str) -> None:
    table = agents({"HOME": home}, Path("/work shop/p"))
    assert {row.id: row.user for row in table} == {name: Path(home) / folder for name, folder in HOME.items()}
    assert {row.id: row.project for row in table} == {name: Path("/work shop/p") / at for name, at in PROJECT.items()}


def test_agents_own_variables_are_honoured() -> None:
    environ = {
        "HOME": "/home/x",
        "CLAUDE_CONFIG_DIR": "/c",
        "CODEX_HOME": "/cx",
        "OPENCLAW_STATE_DIR": "/o",
        "GEMINI_CLI_HOME": "/g",
        "XDG_CONFIG_HOME": "/xdg",
        "COPILOT_HOME": "/cp",
    }
    rows = {row.id: row for row in agents(environ)}
    assert rows["claude-code"].user == Path("/c/skills")
    assert (rows["codex"].user, rows["codex"].legacy) == (Path("/home/x/.agents/skills"), Path("/cx/skills"))
    assert rows["openclaw"].user == Path("/o/skills")
    assert rows["gemini"].user == Path("/g/.gemini/skills")
    assert rows["opencode"].user == Path("/xdg/opencode/skills")
    assert rows["copilot"].user == Path("/cp/skills")
    assert {row.id: row.user for row in agents({"HOME": "/home/x", "CLAUDE_CONFIG_DIR": ""})}["claude-code"] == Path(
        "/home/x/.claude/skills"
    )


def test_names_and_aliases_are_distinct_and_several_may_be_given() -> None:
    table = agents({"HOME": "/h"})
    names = [name for row in table for name in (row.id, *row.aliases)]
    assert len(names) == len(set(names))
    assert [row.id for row in named("claude, openai-codex,claude-code", table)] == ["claude-code", "codex"]
    with pytest.raises(InputError) as caught:
        named("claude-code,codx", table)
    assert "codex" in caught.value.message
    assert set(caught.value.details["valid"]) == set(HOME)
    with pytest.raises(InputError) as caught:
        named("claud", table)
    assert "claude" in caught.value.message  # an alias is meant, too


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ([], []),
        ([".claude"], ["claude-code"]),
        ([".claude", ".codex", ".cursor", ".gemini", ".config/goose"], ["claude-code", "codex"]),
        ([".openclaw"], ["openclaw"]),
        ([".codex", ".openclaw"], ["codex"]),
        ([".gemini", ".codeium/windsurf"], ["gemini", "windsurf"]),
    ],
)
def test_agents_on_this_machine_without_those_that_are_served_already(
    tmp_path: Path, there: list[str], chosen: list[str]
) -> None:
    for folder in there:
        (tmp_path / folder).mkdir(parents=True)
    assert [row.id for row in on_this_machine(agents({"HOME": str(tmp_path)}))] == chosen
