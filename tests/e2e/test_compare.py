"""Stored creators side by side: one table over one window, a note, a page, a spreadsheet; no call, no model."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tikomni.envelope import tokens
from tikomni.sandbox import links
from tikomni.sandbox.world import crowd

NAMES = ("dy_20", "dy_60", "xhs_20")


def name_of(profile: str) -> str:
    return crowd.PROFILES[profile].creator.nickname


@pytest.fixture(scope="module")
def three(earlier_machine) -> Path:
    """The state folder of a machine that has read three creators: of the second the newest works alone."""
    run = earlier_machine.run
    run("creator", links["dy_20"].url, links["xhs_20"].url, "--no-transcripts", "--detail", "none")
    run("creator", links["dy_60"].url, "--works", "20", "--no-transcripts")
    return Path(earlier_machine.variables["TIKOMNI_STATE_DIR"])


@pytest.fixture
def stored(three, machine, asked):
    """Three creators on disk."""
    machine.variables["TIKOMNI_STATE_DIR"] = str(shutil.copytree(three, machine.home / "state"))
    return len(asked())


def test_three_stored_creators_become_one_table_and_three_documents(run, stored, asked):
    ran = run("compare", name_of("dy_20"), links["dy_60"].url, f"xiaohongshu:{links['xhs_20'].id}")
    result = ran.document["result"]
    assert (ran.exit_status, ran.document["status"]) == (0, "complete"), ran.stdout
    assert len(asked()) == stored and tokens(ran.stdout) <= 1500
    assert [row["letter"] for row in result["creators"]] == ["A", "B", "C"]
    assert all(row["ratios"][0] in (1, None) and len(row["values"]) == 3 for row in result["figures"].values())
    fans = result["figures"]["fans_count"]
    assert fans["ratios"][1] == pytest.approx(fans["values"][1] / fans["values"][0], rel=0.01)
    note, page = (Path(result["paths"][form]).read_text("utf-8") for form in ("markdown", "report"))
    for profile in NAMES:
        assert name_of(profile) in note and name_of(profile) in page
    assert "<script" not in page and "Content-Security-Policy" in page and " style=" not in page
    with zipfile.ZipFile(result["paths"]["xlsx"]) as book:
        assert sum(name.startswith("xl/worksheets/sheet") for name in book.namelist()) == 4


def test_the_window_is_what_is_stored_of_all_unless_a_date_is_given(run, stored):
    names = [links[profile].url for profile in ("dy_20", "dy_60")]
    chosen = run("compare", *names).document["result"]
    assert chosen["window"]["chosen"] == "longest"
    # The second was read to its 20th work only, three of which may be old ones that are pinned.
    assert all(10 <= row["works"] <= 20 for row in chosen["creators"])
    week = run("compare", *names, "--since", "7d").document
    assert week["result"]["window"]["chosen"] == "asked"
    counts = [row["works"] for row in week["result"]["creators"]]
    assert all(0 < n < 10 for n in counts) and "warnings" not in week
    long = run("compare", *names, "--since", "2020-01-01").document
    assert any(links["dy_60"].id in warning and "--works all" in warning for warning in long["warnings"])


def test_an_installed_skill_names_its_own_script_for_older_works(run, stored, tmp_path):
    script = tmp_path / "agent" / "creator-analysis" / "scripts" / "analyze_creator.py"
    script.parent.mkdir(parents=True)
    script.touch()
    names = [links[profile].url for profile in ("dy_20", "dy_60")]
    ran = run("compare", *names, "--since", "2020-01-01", TIKOMNI_SKILL_DIR=str(script.parents[1]))
    assert any(str(script) in warning for warning in ran.document["warnings"])


def test_the_same_creators_in_the_same_window_have_the_same_figures_as_alone(run, stored):
    alone = run("creator", links["dy_20"].url, "--no-transcripts", "--detail", "none").document["result"]["figures"]
    whole = run("compare", links["dy_20"].url, links["xhs_20"].url).document["result"]
    assert whole["figures"]["works"]["values"][0] == alone["works"]
    assert whole["figures"]["median_interactions"]["values"][0] == alone["median_interactions"]["value"]
    assert whole["figures"]["outlier_rate"]["values"][0] == pytest.approx(alone["outlier_rate"]["value"], rel=1e-3)


def test_who_is_not_stored_is_told_with_the_command_that_gets_them(run, stored, asked, machine):
    ran = run("compare", links["dy_20"].url, links["xhs_3"].url)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "invalid_input") and len(asked()) == stored
    assert machine.paste(ran.document["next"][0]["command"]).exit_status == 0
    assert run("compare", links["dy_20"].url, links["xhs_3"].url).exit_status == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "2 to 5"),
        (("a",), "2 to 5"),
        (tuple("abcdef"), "2 to 5"),
        (("SELF", "SELF"), "twice"),
        (("日记", "SELF"), "names"),
        (("SELF", "nobody-of-this-name"), "nobody-of-this-name"),
        (("SELF", "OTHER", "--since", "soon"), "--since"),
        (("SELF", "OTHER", "--since", "2100-01-01"), "No time"),
        (("SELF", "OTHER", "--export", "pdf"), "--export"),
    ],
)
def test_what_makes_no_sense_is_said(run, stored, words, told):
    named = {"SELF": links["dy_20"].url, "OTHER": links["xhs_20"].url}
    ran = run("compare", *(named.get(word, word) for word in words))
    assert ran.exit_status == 2 and told in ran.document["error"]["message"]


def test_without_a_library_nothing_is_made(run, machine):
    ran = run("compare", "a", "b")
    assert ran.exit_status == 2 and not (machine.cwd / "tikomni-output").exists()


def test_what_strangers_wrote_does_nothing_in_the_documents(run, machine, sandbox, tmp_path):
    from tikomni.facts import Creator, Work
    from tikomni.library.store import Library

    machine.variables["TIKOMNI_STATE_DIR"] = str(tmp_path / "state")
    library = Library(tmp_path / "state" / "library.sqlite3", sandbox.base_url)
    evil = '<img src=x onerror=alert(1)>|[[x]]=cmd|"&{{7*7}}'
    for n in (1, 2):
        library.keep_creator(
            Creator(
                "douyin", f"author-{n}", author_name=f"{evil}{n}", fans_count=10, snapshot_at="2026-03-30T08:00:00Z"
            )
        )
        library.keep_works(
            Work(
                "douyin",
                f"{n}{k:03}",
                platform_author_id=f"author-{n}",
                title=evil,
                topics=(evil, "=1+1"),
                published_at=f"2026-03-{k + 1:02}T08:00:00+08:00",
                digg_count=k,
                source_url="javascript:alert(1)",
                snapshot_at="2026-03-30T08:00:00+08:00",
            )
            for k in range(20)
        )
    library.close()
    ran = run("compare", "author-1", "author-2")
    assert ran.exit_status == 0 and len(ran.document["warnings"]) == 2
    paths = ran.document["result"]["paths"]
    page, note = (Path(paths[form]).read_text("utf-8") for form in ("report", "markdown"))
    assert "<img" not in page and "javascript:" not in page and "javascript:" not in note
    assert "<img" not in note and "[[x" not in note
    rows = [line for line in note.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {4, 8}
    with zipfile.ZipFile(paths["xlsx"]) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
    assert not any("<f>" in sheet or "hyperlink" in sheet for sheet in sheets)


def test_an_analysis_starts_from_it_and_stands_in_it_once_accepted(run, machine):
    run("creator", links["dy_20"].url, links["xhs_20"].url)
    words = ("compare", links["dy_20"].url, links["xhs_20"].url)
    first = run(*words).document["result"]
    [task] = first["tasks"]
    assert task["kind"] == "creator.compare"
    material = json.loads(Path(task["path"], "input.json").read_text("utf-8"))
    known = {name.partition(".")[0] for name in material["figures"]}
    of = {letter: [w for w in material["works"] if w["traits"][0].startswith(letter)] for letter in "AB"}
    assert known == {"A", "B"} and all(of.values())
    one, other = (next(iter(of[letter][0]["sentences"])) for letter in "AB")
    both = {"text": "两家都从身边的小事讲起。", "evidence": [one, other]}
    median = material["figures"]["B.median_interactions"]
    answer = {
        "verdict": {"one_liner": both},
        "differences": {
            "points": [
                {
                    **both,
                    "label": "互动",
                    "figures": [{"name": "B.median_interactions", "value": median}],
                }
            ]
        },
        "shared": {"points": [both]},
        "strengths": [
            {"name": letter, "claims": [{"text": "开头直接。", "evidence": [e]}]}
            for letter, e in zip("AB", (one, other), strict=True)
        ],
        "borrow": {"points": [both]},
        "limits": {"points": ["样本不多。"]},
    }
    wrong = {**answer, "verdict": {"one_liner": {**both, "evidence": ["W99.01"]}}}
    refused = run("card", "write", "--task", task["path"], "--analysis", "-", stdin=json.dumps(wrong))
    assert refused.exit_status != 0 and "W99.01" in refused.stdout
    taken = run("card", "write", "--task", task["path"], "--analysis", "-", "--model", "M", stdin=json.dumps(answer))
    assert taken.exit_status == 0, taken.stdout
    after = run(*words).document["result"]
    assert after["tasks"] == [] or after["tasks"][0]["path"] == task["path"]
    for form in ("markdown", "report"):
        text = Path(after["paths"][form]).read_text("utf-8")
        assert "两家都从身边的小事讲起" in text and "账号对比" in text
