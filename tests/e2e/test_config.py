"""Settings as a person meets them: written once, shown with their source, never with their secrets."""

from __future__ import annotations

import stat
from pathlib import Path

from tikomni.sandbox import links


def test_config_init_writes_a_file_that_counts_and_is_never_overwritten(run, machine):
    path = Path(run("config", "init").document["result"]["path"])
    assert path.is_relative_to(machine.home) and stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text(path.read_text("utf-8").replace("# images: 9", "images: 3"), "utf-8")
    again = run("config", "init")
    assert (again.exit_status, again.document["error"]["code"]) == (2, "config")
    shown = run("config", "show").document["result"]["settings"]
    assert shown["images"] == {"value": 3, "from": str(path)}


def test_secrets_are_never_shown(run, sandbox):
    ran = run("config", "show")
    assert ran.document["result"]["settings"]["api_key"] == {"value": "set", "from": "environment"}
    assert sandbox.key not in ran.stdout + ran.stderr


def test_a_skill_reads_the_env_file_beside_it(run, machine, sandbox, tmp_path):
    skill = tmp_path / "agent" / "skills" / "single-work-analysis"
    skill.mkdir(parents=True)
    (skill.parent / ".env").write_text(f"TIKOMNI_API_KEY={sandbox.key}\nTIKOMNI_IMAGES=2\n", "utf-8")
    (skill / ".env.local").write_text("TIKOMNI_IMAGES=4\n", "utf-8")
    shown = run("config", "show", TIKOMNI_API_KEY=None, TIKOMNI_SKILL_DIR=str(skill)).document["result"]["settings"]
    assert shown["api_key"]["value"] == "set" and shown["images"]["value"] == 4


def test_a_damaged_ledger_is_set_aside_and_said(run, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "ledger.sqlite3").write_bytes(b"not a database at all, but maybe somebody's" * 100)
    before = (state / "ledger.sqlite3").read_bytes()
    ran = run("work", links["dy_pictures"].url, TIKOMNI_STATE_DIR=str(state))
    assert ran.document["status"] == "complete"
    [aside] = [path for path in state.iterdir() if path.read_bytes() == before]
    assert any(str(aside) in warning for warning in ran.document["warnings"])
