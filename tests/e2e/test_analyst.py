"""A model that a user has set writes the analysis: asked once, answered once, judged like an agent, kept on a tight
lead. The server is the sandbox's stand-in, which looks at requests as strictly as a real one."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tikomni.envelope import TOKEN_BUDGET, tokens
from tikomni.sandbox import links

MODEL = "sandbox-model"
ANALYST = ("--analyst", "openai-compatible")
CHAT = "sandbox.v1"
QWEN = {"TIKOMNI_LLM_PROVIDER": "qwen"}


@pytest.fixture
def machine(machine, sandbox):
    machine.variables |= {
        "TIKOMNI_LLM_BASE_URL": f"{sandbox.base_url}/v1",
        "TIKOMNI_LLM_MODEL": MODEL,
        "TIKOMNI_LLM_API_KEY": sandbox.llm.key,
    }
    return machine


@pytest.fixture
def run(machine):
    return machine.run


@pytest.fixture(scope="module")
def read_before(earlier_machine) -> Path:
    """The state folder of a machine that has read the work, and heard its words."""
    earlier_machine.run("work", links["dy_video"].url)
    return Path(earlier_machine.variables["TIKOMNI_STATE_DIR"])


@pytest.fixture
def task(read_before, machine, run) -> dict[str, Any]:
    """A work's main task, before anybody was asked."""
    shutil.copytree(read_before, machine.home / ".local/share/tikomni")
    found = run("work", links["dy_video"].url).document["result"]
    return {**found["tasks"][0], "card": found["card"]["path"]}


@pytest.fixture
def ask(run, task):
    return lambda *more, **variables: run("card", "write", "--task", task["path"], *ANALYST, *more, **variables)


def asked(sandbox) -> list[dict[str, Any]]:
    """The bodies of all requests to the model."""
    return [dict(seen.inputs) for seen in sandbox.requests if seen.route == CHAT]


def text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def says(sandbox, manner: str, times: int = 1) -> None:
    sandbox.faults.add(CHAT, "llm", times=times, manner=manner)


def test_a_work_ends_in_a_card_with_footnotes_and_a_second_run_sends_nothing(run, sandbox):
    ran = run("work", links["dy_video"].text, *ANALYST)
    result = ran.document["result"]
    assert (ran.exit_status, ran.document["status"]) == (0, "complete"), ran.stdout
    (row,) = result["analyses"]
    assert (row["kind"], row["status"], row["answers"], row["error"]) == ("work.breakdown", "complete", 1, None)
    card = text(result["card"]["path"])
    assert "开头直接说事[^a-W01-01]" in card and "\n[^a-W01-01]: W01.01 “" in card and MODEL in card
    assert [task["kind"] for task in result["tasks"]] == ["transcript.clean"]
    cost = ran.document["cost"]
    assert (cost["tokens_in"], cost["tokens_out"]) == (sandbox.bill.tokens_in, sandbox.bill.tokens_out)
    assert cost["estimated_usd"] is None and "llm" in cost["unpriced"] and sandbox.bill.answers == 1
    again = run("work", links["dy_video"].text, *ANALYST).document
    assert again["status"] == "complete" and len(asked(sandbox)) == 1 and text(result["card"]["path"]) == card


def test_the_request_holds_the_task_and_nothing_else(run, sandbox):
    run("work", links["dy_video"].text, *ANALYST)
    (request,) = asked(sandbox)
    assert request.keys() == {"model", "messages", "max_tokens", "response_format"}
    system, user = (message["content"] for message in request["messages"])
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert "<<<DATA" in user and "DATA" not in system.replace("<<<DATA`", "").replace("`DATA", "")
    assert "W01.01 | " in user and str(Path.home()) not in user


def test_a_creator_gets_both_analyses(run, sandbox):
    ran = run("creator", links["dy_20"].url, "--works", "30", *ANALYST)
    result = ran.document["result"]
    assert (ran.exit_status, ran.document["status"]) == (0, "complete"), ran.stdout
    assert {row["kind"]: row["status"] for row in result["analyses"]} == {
        "creator.author_analysis": "complete",
        "creator.sample_explanations": "complete",
    }
    assert tokens(ran.stdout) <= TOKEN_BUDGET
    card = text(result["paths"]["creator_card"])
    assert re.search(r"开头直接说事\[\^\w-W01-\d+\]", card) and MODEL in card and result["tasks"] == []
    everyone = [request for request in asked(sandbox) if "这一次只回答这些作品" in request["messages"][1]["content"]]
    assert len(everyone) > 1 and sandbox.bill.answers == len(everyone) + 1
    for request in asked(sandbox):
        assert sum(tokens(message["content"]) for message in request["messages"]) <= 20_000


def test_kinds_can_be_chosen(run, sandbox):
    ran = run("work", links["dy_video"].url, *ANALYST, "--analyze", "transcript.clean,work.breakdown")
    assert {row["kind"] for row in ran.document["result"]["analyses"]} == {"transcript.clean", "work.breakdown"}
    assert ran.document["status"] == "complete" and sandbox.bill.answers == 2
    for words in (["--analyze", "work.breakdown"], [*ANALYST, "--analyze", "creator.author_analysis"]):
        refused = run("work", links["dy_video"].url, *words)
        assert (refused.exit_status, refused.document["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize("manner", ["prose", "list", "well"])
def test_an_answer_is_found_in_what_stands_around_it(ask, sandbox, task, manner):
    says(sandbox, manner)
    ran = ask()
    assert (ran.exit_status, ran.document["result"]["answers"]) == (0, 1), ran.stdout
    assert "开头直接说事" in text(task["card"])


@pytest.mark.parametrize("manner", ["schema_errors", "wrong_id", "blank", "cut", "empty_list", "no_json", "injected"])
def test_a_bad_answer_is_repaired_in_the_second_round(ask, sandbox, task, manner):
    says(sandbox, manner)
    ran = ask()
    assert (ran.exit_status, ran.document["status"], ran.document["result"]["answers"]) == (0, "complete", 2), (
        ran.stdout
    )
    assert "开头直接说事" in text(task["card"]) and "evil" not in text(task["card"])
    first, second = asked(sandbox)
    assert second["messages"][0] == first["messages"][0] and second["messages"][-1] != first["messages"][-1]
    if manner == "wrong_id":
        assert "W99.01" in second["messages"][-1]["content"] and "/topic/" in second["messages"][-1]["content"]
    assert ask().exit_status == 0 and len(asked(sandbox)) == 2


def test_after_three_rounds_what_holds_is_kept_and_nothing_more_is_asked(ask, sandbox, task):
    says(sandbox, "wrong_id", times=3)
    ran = ask()
    result = ran.document["result"]
    assert (ran.exit_status, ran.document["status"], result["answers"]) == (3, "partial", 3), ran.stdout
    assert [row["field"] for row in result["missing"]] == ["topic"] and "尚缺" in text(task["card"])
    assert "3 answers" in ran.document["warnings"][0] and "--partial" in ran.document["next"][0]["command"]
    again = ask()
    assert (again.exit_status, len(asked(sandbox))) == (3, 3) and again.document["cost"]["cached_calls"] == 3
    assert ask("--fresh").document["status"] == "complete" and len(asked(sandbox)) == 4


def test_three_answers_of_which_nothing_holds_leave_the_card_alone(ask, sandbox, task):
    before = text(task["card"])
    says(sandbox, "no_json", times=3)
    ran = ask()
    assert (ran.exit_status, ran.document["error"]["code"]) == (1, "invalid_answer"), ran.stdout
    assert text(task["card"]) == before and ran.document["cost"]["tokens_out"] == sandbox.bill.tokens_out


def test_a_form_that_is_refused_is_remembered(run, ask, sandbox):
    sandbox.faults.add(CHAT, "llm", times=None, refuses=["json_schema", "json_object"])
    assert ask().document["status"] == "complete"
    assert [r.get("response_format", {}).get("type") for r in asked(sandbox)] == ["json_schema", "json_object", None]
    run("work", links["dy_old"].url, *ANALYST)
    assert "response_format" not in asked(sandbox)[3] and len(asked(sandbox)) == 4
    assert sandbox.bill.answers == 2


def test_a_longest_that_is_called_otherwise_is_asked_for_under_that_name(ask, sandbox):
    sandbox.faults.add(CHAT, "llm", times=None, limit="max_completion_tokens", refuses=["json_schema"])
    assert ask().document["status"] == "complete" and sandbox.bill.answers == 1
    assert ["max_tokens" in request for request in asked(sandbox)] == [True, False, False]


@pytest.mark.parametrize(
    ("fault", "code", "exit_status", "requests"),
    [
        ({"kind": "status", "status": 401, "times": None}, "rejected_key", 2, 1),
        ({"kind": "status", "status": 402, "times": None}, "quota", 1, 1),
        ({"kind": "status", "status": 404, "times": None}, "rejected_input", 1, 1),
        ({"kind": "status", "status": 429, "times": None}, "throttled", 1, 4),
        ({"kind": "status", "status": 500, "times": None}, "upstream", 1, 4),
        ({"kind": "redirect", "times": None}, "upstream", 1, 1),
        ({"kind": "close_before", "times": None}, "network", 1, 1),
        ({"kind": "html", "status": 504, "times": None}, "upstream", 1, 1),
        ({"kind": "cut", "times": None}, "upstream", 1, 1),
    ],
    ids=lambda value: value["kind"] + str(value.get("status", "")) if isinstance(value, dict) else None,
)
def test_a_server_that_fails_is_told_and_asked_no_more_than_is_safe(
    ask, sandbox, task, fault, code, exit_status, requests
):
    before = text(task["card"])
    sandbox.faults.add(CHAT, **fault)
    ran = ask()
    assert (ran.exit_status, ran.document["error"]["code"]) == (exit_status, code), ran.stdout
    assert len(asked(sandbox) if fault["kind"] == "cut" else tries(sandbox)) == requests
    assert text(task["card"]) == before


def tries(sandbox) -> list[Any]:
    return [seen for seen in sandbox.requests if seen.route == CHAT]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_waited_for(ask, sandbox, status):
    sandbox.faults.add(CHAT, "status", status=status, times=2, retry_after=0)
    ran = ask()
    assert (ran.exit_status, len(tries(sandbox))) == (0, 3), ran.stdout
    assert sandbox.bill.answers == 1


def test_facts_are_whole_where_the_model_fails(run, sandbox):
    sandbox.faults.add(CHAT, "status", status=401, times=None)
    ran = run("work", links["dy_video"].url, *ANALYST)
    assert (ran.exit_status, ran.document["status"]) == (3, "partial")
    assert ran.document["result"]["missing"][-1]["reason"] == "rejected_key"
    assert any("TIKOMNI_LLM_API_KEY" in warning for warning in ran.document["warnings"])
    assert ran.document["result"]["tasks"][0]["kind"] == "work.breakdown"


def test_one_that_never_answers_may_have_charged_and_is_asked_once_more(ask, sandbox):
    sandbox.faults.add(CHAT, "slow_headers", seconds=60, times=2)
    slow = {"TIKOMNI_LLM_TIMEOUT_SEC": "1"}
    ran = ask(**slow)
    assert (ran.exit_status, ran.document["error"]["code"]) == (1, "timeout") and len(tries(sandbox)) == 1
    left = ask("--no-resubmit", **slow)
    assert (left.exit_status, left.document["error"]["code"]) == (4, "budget") and len(tries(sandbox)) == 1
    again = ask(**slow)
    assert len(tries(sandbox)) == 2 and any("both may be charged" in told for told in again.document["warnings"])
    assert again.document["cost"]["repeated_calls"] == 1
    refused = ask(**slow)
    assert (refused.exit_status, len(tries(sandbox))) == (4, 2) and "twice" in refused.document["error"]["message"]
    assert ask("--fresh").exit_status == 0 and ask().exit_status == 0 and len(tries(sandbox)) == 3


def test_one_that_is_slow_is_waited_for(ask, sandbox):
    sandbox.faults.add(CHAT, "drip", seconds=1.5)
    assert ask(TIKOMNI_LLM_TIMEOUT_SEC="30").exit_status == 0 and sandbox.bill.answers == 1


def test_a_run_that_is_killed_while_it_asks_names_the_double_charge(machine, ask, sandbox, task):
    sandbox.faults.add(CHAT, "slow_headers", seconds=60)
    process = machine.start("card", "write", "--task", task["path"], *ANALYST)
    until_sent(sandbox)
    process.kill()
    process.communicate()
    ran = ask()
    assert ran.exit_status == 0 and any("both may be charged" in told for told in ran.document["warnings"])
    assert ran.document["cost"]["repeated_calls"] == 1 and sandbox.bill.answers == 2


def test_a_run_that_is_stopped_while_it_asks_keeps_the_facts(machine, run, sandbox):
    run("work", links["dy_video"].url)
    sandbox.faults.add(CHAT, "slow_headers", seconds=60)
    process = machine.start("work", links["dy_video"].url, *ANALYST)
    until_sent(sandbox)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    document = json.loads(out)
    assert process.returncode == 130 and document["result"]["work"]["platform_work_id"] == links["dy_video"].id
    assert document["result"]["analyses"][0]["status"] == "pending"
    ran = machine.paste(document["next"][0]["command"])
    assert ran.exit_status == 0 and ran.document["cost"]["repeated_calls"] == 1


def until_sent(sandbox) -> None:
    """Wait until a question has reached the server; its answer is slow."""
    until = time.monotonic() + 60
    while not tries(sandbox):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_two_at_once_ask_once(machine, sandbox, task):
    sandbox.faults.add(CHAT, "slow_headers", seconds=2)
    both = [machine.start("card", "write", "--task", task["path"], *ANALYST) for _ in range(2)]
    ended = [process.communicate() and process.returncode for process in both]
    assert ended == [0, 0] and sandbox.bill.answers == 1


def test_nothing_is_asked_without_time_for_an_answer(ask, sandbox):
    ran = ask("--deadline", "3")
    assert (ran.exit_status, ran.document["status"]) == (3, "partial") and tries(sandbox) == []
    assert "--deadline" in ran.document["next"][0]["command"]


# --- money


def test_a_dry_run_says_what_would_be_asked(run, ask, sandbox, task):
    plan = ask("--dry-run", TIKOMNI_LLM_USD_PER_MTOK="1,2").document["result"]["plan"]
    assert (plan["model"], plan["questions"], plan["stored"]) == (MODEL, 1, 0)
    assert plan["usd_at_least"] == pytest.approx(plan["tokens"] / 1e6) and plan["usd_at_most"] > plan["usd_at_least"]
    assert tries(sandbox) == [] and ask("--dry-run").document["result"]["plan"]["usd_at_most"] is None
    ask()
    assert ask("--dry-run").document["result"]["plan"]["stored"] == 1
    for words in (["work", links["dy_old"].url], ["creator", links["dy_20"].url]):
        told = run(*words, *ANALYST, "--dry-run").document["result"]["analyst"]
        assert told["model"] == MODEL and told["questions"][0]["tokens_in_at_most"] >= 6000
    assert len(tries(sandbox)) == 1


def test_what_tokens_cost_is_counted_where_a_price_is_set(run, ask, sandbox):
    ran = ask(TIKOMNI_LLM_USD_PER_MTOK="1,2")
    usd = (sandbox.bill.tokens_in + 2 * sandbox.bill.tokens_out) / 1e6
    assert ran.document["cost"]["estimated_usd"] == pytest.approx(usd, abs=1e-6) and usd > 0
    spent = run("cost").document["result"]["sandbox"]
    assert (spent["tokens_in"], spent["tokens_out"]) == (sandbox.bill.tokens_in, sandbox.bill.tokens_out)
    assert max(row["usd_known"] for row in spent["by_run"]) >= round(usd, 6)


@pytest.mark.parametrize(
    ("words", "variables", "flag"),
    [
        (["--max-cost", "0.001"], {"TIKOMNI_LLM_USD_PER_MTOK": "1,2"}, "--max-cost"),
        ([], {"TIKOMNI_LLM_USD_PER_MTOK": "1,2", "TIKOMNI_LLM_MAX_COST": "0.001"}, "TIKOMNI_LLM_MAX_COST"),
        (["--max-cost", "5"], {}, "--max-cost"),
        ([], {"TIKOMNI_LLM_MAX_COST": "5"}, "TIKOMNI_LLM_MAX_COST"),
        (["--max-calls", "0"], {}, "--max-calls"),
    ],
)
def test_a_limit_is_kept_and_one_that_cannot_be_kept_is_refused(ask, sandbox, words, variables, flag):
    ran = ask(*words, **variables)
    assert (ran.exit_status, ran.document["error"]["code"]) == (4, "budget"), ran.stdout
    assert ran.document["error"]["details"]["flag"] == flag and tries(sandbox) == []
    if "LLM_USD" not in str(variables) and flag != "--max-calls":
        assert "TIKOMNI_LLM_USD_PER_MTOK" in ran.document["error"]["hint"]


def test_a_limit_that_is_high_enough_lets_pass(ask):
    price = {"TIKOMNI_LLM_USD_PER_MTOK": "1,2", "TIKOMNI_LLM_MAX_COST": "1"}
    assert ask("--max-cost", "1", **price).exit_status == 0


# --- who is asked


@pytest.mark.parametrize(
    ("variables", "code", "told"),
    [
        ({"TIKOMNI_LLM_BASE_URL": None}, "config", "TIKOMNI_LLM_PROVIDER"),
        ({"TIKOMNI_LLM_MODEL": None}, "config", "TIKOMNI_LLM_MODEL"),
        ({"TIKOMNI_LLM_PROVIDER": "nobody"}, "config", "deepseek"),
        ({"TIKOMNI_LLM_USD_PER_MTOK": "cheap"}, "config", "0.5,1.5"),
        ({"TIKOMNI_LLM_BASE_URL": "http://models.example.com/v1"}, "config", "https"),
        ({"TIKOMNI_LLM_BASE_URL": "https://models.example.com/v1", "TIKOMNI_LLM_API_KEY": None}, "missing_key", "LLM_"),
        ({"TIKOMNI_LLM_API_KEY": "your-key-here"}, "placeholder_key", "TIKOMNI_LLM_API_KEY"),
        ({**QWEN, "TIKOMNI_LLM_BASE_URL": None, "TIKOMNI_LLM_API_KEY": None}, "missing_key", "TIKOMNI_LLM_API_KEY"),
    ],
)
def test_what_is_lacking_is_named_before_anything_is_sent(run, sandbox, variables, code, told):
    ran = run("work", links["dy_video"].url, *ANALYST, **variables)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, code), ran.stdout
    assert told in ran.document["error"]["message"] + ran.document["error"]["hint"] and sandbox.requests == []


def test_a_providers_own_key_goes_to_its_own_address_alone(run, sandbox):
    own = {"TIKOMNI_LLM_PROVIDER": "deepseek", "TIKOMNI_LLM_API_KEY": None, "DEEPSEEK_API_KEY": "sk-of-deepseek-71f0"}
    ran = run("work", links["dy_video"].url, *ANALYST, **own)
    assert ran.document["result"]["analyses"][0]["error"] == "rejected_key"
    assert [seen.key for seen in tries(sandbox)] == [None]
    plan = run("work", links["dy_video"].url, *ANALYST, "--dry-run", TIKOMNI_LLM_BASE_URL=None,
               TIKOMNI_LLM_MODEL=None, **own)  # fmt: skip
    told = plan.document["result"]["analyst"]
    assert (told["base_url"], told["model"]) == ("https://api.deepseek.com", "deepseek-chat")
    assert "sk-of-deepseek" not in plan.stdout + ran.stdout


def test_the_key_is_in_no_byte_that_is_written(machine, ask, sandbox, task, tmp_path):
    says(sandbox, "wrong_id")
    printed = [ask(TIKOMNI_TRACEBACK="1")]
    for fault in ({"kind": "status", "status": 401}, {"kind": "html"}, {"kind": "redirect"}):
        sandbox.faults.add(CHAT, **fault)
        printed.append(ask("--fresh", "--progress", "jsonl"))
    printed += [machine.run(*words) for words in (["config", "show"], ["runs", "list"], ["cost"], ["cache", "stats"])]
    assert sandbox.bill.answers == 2
    assert not any(sandbox.llm.key in ran.stdout + ran.stderr for ran in printed)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10 and not any(sandbox.llm.key.encode() in path.read_bytes() for path in files)


def test_no_redirect_takes_the_key_along(ask, sandbox):
    sandbox.faults.add(CHAT, "redirect", times=None, status=307)
    assert ask().exit_status == 1
    assert len([seen for seen in sandbox.requests if seen.key == sandbox.llm.key]) == 1


def test_what_somebody_handed_in_is_not_asked_for_again(run, machine, sandbox, task, tmp_path):
    machine.paste(f"{task['hand_in']} --analyst openai-compatible".replace("--model MODEL ", ""))
    assert sandbox.bill.answers == 1
    for folder in (machine.cwd, tmp_path):
        words = ("work", links["dy_video"].url, *ANALYST)
        other = run(*words, cwd=folder, TIKOMNI_LLM_MODEL="sandbox-model-2").document["result"]
        (row,) = other["analyses"]
        assert (row["status"], row["answers"], row["error"]) == ("complete", 0, None)
        assert sandbox.bill.answers == 1 and f"{MODEL}，" in text(other["card"]["path"])


def test_answers_about_somebody_are_purged_with_them(run, sandbox, tmp_path):
    run("work", links["dy_video"].url, *ANALYST)
    (path,) = tmp_path.rglob("ledger.sqlite3")
    with sqlite3.connect(path) as ledger:
        assert ledger.execute("SELECT count(answer) FROM calls WHERE route = 'llm.chat'").fetchone() == (1,)
    assert run("purge", links["dy_video"].id, "--yes").exit_status == 0
    with sqlite3.connect(path) as ledger:
        row = ledger.execute("SELECT answer, tokens_in FROM calls WHERE route = 'llm.chat'").fetchone()
    assert row == (None, sandbox.bill.tokens_in)


def test_a_prune_keeps_what_a_model_was_paid_for(run, ask, sandbox):
    ask()
    run("cache", "prune", "--older-than", "0d")
    ask()
    assert sandbox.bill.answers == 1


@pytest.mark.parametrize("words", [["--analysis", "x"], ["--facts", "-"], ["--dry-run"]])
def test_what_does_not_go_together_is_a_usage_error(run, task, words):
    more = () if words == ["--dry-run"] else ANALYST
    ran = run("card", "write", "--task", task["path"], *more, *words)
    assert (ran.exit_status, ran.document["error"]["code"]) == (2, "usage")


def test_every_request_is_one_that_a_strict_server_takes(run, sandbox):
    """Other kinds, other language, pictures: none is refused, and all stay within their budgets."""
    run("work", links["xhs_pictures"].url, *ANALYST, "--language", "en")
    run("work", links["dy_video"].url, *ANALYST, "--analyze", "transcript.clean")
    assert {seen.status for seen in tries(sandbox)} == {200}
    for request in asked(sandbox):
        assert sum(tokens(message["content"]) for message in request["messages"]) <= 6000
        assert "_assets" not in json.dumps(request)
