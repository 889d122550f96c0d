"""What commands load: those that make no call load neither the HTTP client nor jsonschema nor asyncio."""

from __future__ import annotations

import pytest

from tikomni.sandbox import links

SPY = "import sys; from tikomni.cli import main; main(sys.argv[1:]); print(sorted(sys.modules), file=sys.stderr)"


@pytest.mark.parametrize(
    "words",
    [
        ["route", "call", "douyin.app.v3.fetch_one_video", "aweme_id=1", "--dry-run"],
        ["work", links["dy_video"].url, "--dry-run"],
        ["work", links["repair"].url],
        ["collect", "search", "x", "--platform", "douyin", "--max-fans", "9", "--dry-run"],
        ["config", "show"],
        ["list"],
        ["--help"],
    ],
)
def test_commands_without_a_call_start_light(machine, words):
    import subprocess
    import sys

    ran = subprocess.run(
        [sys.executable, "-c", SPY, *words], env=machine.environ(), cwd=machine.cwd, capture_output=True, text=True
    )
    loaded = ran.stderr.strip().splitlines()[-1]
    for heavy in ("'httpx2'", "'jsonschema'", "'asyncio'", "'ssl'"):
        assert heavy not in loaded, heavy


def test_help_names_every_command_and_each_command_has_help(run):
    from tikomni.cli import COMMANDS

    overview = run("--help").stdout
    for command in COMMANDS:
        assert " ".join(command.words) in overview
        ran = run(*command.words, "--help")
        assert ran.exit_status == 0 and "usage:" in ran.stdout


def test_a_crash_is_one_json_document_too(machine):
    import json
    import subprocess
    import sys

    broken = "import sys, tikomni.cli as c, tikomni.cli.auth as a; a.run = lambda *_: 1 / 0; sys.exit(c.main(['auth']))"
    ran = subprocess.run([sys.executable, "-c", broken], env=machine.environ(), capture_output=True, text=True)
    document = json.loads(ran.stdout)
    assert (ran.returncode, document["error"]["code"]) == (1, "internal") and "ZeroDivisionError" in document["error"][
        "message"
    ]


@pytest.mark.parametrize(("words", "locale", "told"), [
    (["install", "claude-code", "--scope"], "zh_CN.UTF-8", "加 --help 查看参数"),
    (["doktor"], "C.UTF-8", "doctor"),
])  # fmt: skip
def test_a_person_at_a_terminal_reads_lines_not_json(machine, words, locale, told):
    import os
    import subprocess
    import sys

    ours, theirs = os.openpty()
    ran = subprocess.run(
        [sys.executable, "-m", "tikomni", *words],
        env=machine.environ(LC_ALL=locale), stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    os.set_blocking(ours, False)
    with pytest.raises(BlockingIOError):
        os.read(ours, 1)
    os.close(theirs)
    os.close(ours)
    assert ran.returncode == 2 and told in ran.stderr and "{" not in ran.stderr
