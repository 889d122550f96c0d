"""Every setting does something that a user can see. A setting without a row here fails the suite."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from tikomni.sandbox import links
from tikomni.settings import ROWS

VIDEO, PICTURES = links["dy_video"].url, links["dy_pictures"].url
SUBMIT, POLL, DETAIL = "u2.services.audio.asr.transcription", "u2.tasks", "douyin.app.v3.fetch_one_video"
EFFECTS: dict[str, Callable] = {}


def effect(test: Callable) -> Callable:
    EFFECTS[test.__name__] = test
    return test


@pytest.fixture
def facts(run):
    """Run the picture post, which costs one call, under some variables; the document."""
    return lambda **variables: run("work", PICTURES, **{f"TIKOMNI_{k}": v for k, v in variables.items()}).document


def card_of(document: dict) -> Path:
    return Path(document["result"]["card"]["path"])


def front_matter(document: dict) -> dict:
    return yaml.safe_load(card_of(document).read_text("utf-8").split("---\n")[1])


@effect
def api_key(facts, sandbox, **_):
    facts(API_KEY=sandbox.key)
    assert {s.key for s in sandbox.requests if s.route == DETAIL} == {sandbox.key}


@effect
def api_key_env(facts, sandbox, machine, **_):
    machine.variables["OTHER_KEY"] = sandbox.key
    assert facts(API_KEY="sk-of-nobody-123", API_KEY_ENV="OTHER_KEY")["ok"]


@effect
def base_url(facts, **_):
    assert facts(BASE_URL="http://127.0.0.1:9", TIMEOUT_RETRY_MAX="0")["error"]["code"] == "network"


@effect
def tikhub_api_key(facts, sandbox, **_):
    assert facts(API_KEY="", TIKHUB_API_KEY=sandbox.key, TIKHUB_BASE_URL=sandbox.base_url)["ok"]
    assert {s.path.split("/")[2] for s in sandbox.requests if s.route == DETAIL} == {"v1"}


@effect
def tikhub_base_url(facts, sandbox, **_):
    nowhere = {"TIKHUB_BASE_URL": "http://127.0.0.1:9", "TIMEOUT_RETRY_MAX": "0"}
    assert facts(API_KEY="", TIKHUB_API_KEY=sandbox.key, **nowhere)["error"]["code"] == "network"


@pytest.fixture
def insight(run, sandbox):
    """Ask Content Insight for a film, with the account that it knows but for what is given; the document."""
    account = {"BIZ_NAME": sandbox.insight.name, "BIZ_SECRET": sandbox.insight.secret, "BASE_URL": sandbox.base_url}

    def ask(**changed):
        variables = {f"TIKOMNI_INSIGHT_{name}": value for name, value in {**account, **changed}.items()}
        film = f"origin_id={links['dy_video'].id}"
        return run(
            "route", "call", "insight.item.query_by_id", film, TIKOMNI_TIMEOUT_RETRY_MAX="0", **variables
        ).document

    return ask


@effect
def insight_biz_name(insight, **_):
    assert insight()["ok"] and insight(BIZ_NAME="somebody-else")["error"]["code"] == "rejected_key"


@effect
def insight_biz_secret(insight, **_):
    assert insight(BIZ_SECRET="of-somebody-else")["error"]["code"] == "rejected_key"


@effect
def insight_base_url(insight, **_):
    assert insight(BASE_URL="http://127.0.0.1:9")["error"]["code"] == "network"


@effect
def state_dir(facts, tmp_path, **_):
    facts(STATE_DIR=str(tmp_path / "state"))
    assert (tmp_path / "state" / "ledger.sqlite3").is_file()


@effect
def output_root(facts, tmp_path, **_):
    assert facts(OUTPUT_ROOT=str(tmp_path / "out"))["result"]["card"]["json_path"].startswith(str(tmp_path / "out"))


@effect
def card_root(facts, tmp_path, **_):
    document = facts(CARD_ROOT=str(tmp_path / "vault"))
    assert card_of(document).is_relative_to(tmp_path / "vault")
    assert not list((tmp_path / "vault").rglob("*.json"))


@effect
def output_runs_dir(facts, **_):
    assert "/my-runs/" in facts(OUTPUT_RUNS_DIR="my-runs")["result"]["run_path"]


@effect
def output_results_dir(facts, **_):
    assert "/my-results/" in facts(OUTPUT_RESULTS_DIR="my-results")["result"]["card"]["json_path"]


@effect
def output_errors_dir(run, machine, **_):
    run("work", links["dy_deleted"].url, TIKOMNI_OUTPUT_ERRORS_DIR="my-errors")
    assert list((machine.cwd / "tikomni-output" / "my-errors").rglob("*.json"))


@effect
def path_locale(facts, **_):
    assert "work-cards" in str(card_of(facts(PATH_LOCALE="en")))


@effect
def card_route_work(facts, **_):
    assert "/a/b/" in str(card_of(facts(CARD_ROUTE_WORK="a|b")))


@effect
def card_route_author(run, **_):
    shown = run("config", "show", TIKOMNI_CARD_ROUTE_AUTHOR="people|here").document
    assert "/people/here/" in shown["result"]["card_paths"]["author"]


@effect
def card_route_author_sample_work(run, **_):
    document = run("work", PICTURES, "--card-type", "author_sample_work",
                   TIKOMNI_CARD_ROUTE_AUTHOR_SAMPLE_WORK="samples|{platform}").document  # fmt: skip
    assert "/samples/douyin/" in str(card_of(document))


@effect
def card_prefix_work(facts, **_):
    assert card_of(facts(CARD_PREFIX_WORK="XYZ")).name.startswith("XYZ-")


@effect
def card_prefix_author(run, **_):
    shown = run("config", "show", TIKOMNI_CARD_PREFIX_AUTHOR="XYZ").document
    assert Path(shown["result"]["card_paths"]["author"]).name.startswith("XYZ-")


@effect
def card_prefix_author_sample_work(run, **_):
    document = run("work", PICTURES, "--card-type", "author_sample_work", TIKOMNI_CARD_PREFIX_AUTHOR_SAMPLE_WORK="XYZ")
    assert card_of(document.document).name.startswith("XYZ-")


@effect
def filename_pattern_card(facts, **_):
    work_id = links["dy_pictures"].id
    assert card_of(facts(FILENAME_PATTERN_CARD="{platform}-{date}{ext}")).name == f"douyin-2026-09-27-{work_id}.md"
    assert card_of(facts(FILENAME_PATTERN="{platform}{ext}")).stem.endswith(work_id)


@effect
def filename_pattern_json(facts, **_):
    name = Path(facts(FILENAME_PATTERN_JSON="{platform}-{identifier}{ext}")["result"]["card"]["json_path"]).name
    assert name == f"douyin-{links['dy_pictures'].id}.json"


@effect
def card_tags(facts, **_):
    assert front_matter(facts(CARD_TAGS="team/benchmark, mine"))["tags"] == ["team/benchmark", "mine"]


@effect
def images(facts, **_):
    card = card_of(facts(IMAGES="1"))
    root = next(p for p in card.parents if p.name == "cards")
    assert len(list((root / "_assets").rglob("0*"))) == 1


@effect
def language(facts, **_):
    assert "My notes" in card_of(facts(LANGUAGE="en")).read_text("utf-8")


@effect
def display_zone(run, **_):
    found = run("work", links["dy_after_midnight"].url, "--no-transcript", TIKOMNI_DISPLAY_ZONE="UTC").document
    assert found["result"]["work"]["published_date"] == "2026-09-30"


@effect
def global_qps(run, asked, **_):
    three = [PICTURES, links["xhs_pictures"].url, links["dy_live_photos"].url]
    ran = run("work", *three, "--deadline", "3", TIKOMNI_GLOBAL_QPS="0.1")
    assert ran.document["status"] == "partial" and len(asked()) == 2


@effect
def timeout_ms(run, sandbox, asked, **_):
    sandbox.faults.add(DETAIL, "slow_headers", times=None, seconds=20)
    run("work", PICTURES, "--deadline", "15", TIKOMNI_TIMEOUT_MS="200", TIKOMNI_TIMEOUT_RETRY_MAX="0")
    assert asked()[-1] == "douyin.web.fetch_one_video" or "douyin.web.fetch_one_video" in asked()


@effect
def timeout_retry_max(facts, sandbox, asked, **_):
    sandbox.faults.add(DETAIL, "status", status=503, times=1)
    facts(TIMEOUT_RETRY_MAX="0")
    assert asked() == [DETAIL, "douyin.web.fetch_one_video"]


@effect
def timeout_retry_backoff_ms(run, sandbox, asked, **_):
    sandbox.faults.add(DETAIL, "status", status=503, times=1)
    run("work", PICTURES, "--deadline", "3", TIKOMNI_TIMEOUT_RETRY_BACKOFF_MS="5000")
    assert asked() == [DETAIL, "douyin.web.fetch_one_video"]  # the pause would have outlasted the deadline


@effect
def http_user_agent(headers, **_):
    assert headers(TIKOMNI_HTTP_USER_AGENT="my-team/2")["user-agent"] == "my-team/2"


@effect
def http_accept_language(headers, **_):
    assert headers(TIKOMNI_HTTP_ACCEPT_LANGUAGE="en")["accept-language"] == "en"


def ages(run, asked, route, *inputs, **variables):
    """How often a route is asked by two commands in a row."""
    for _ in range(2):
        run("route", "call", route, *inputs, **{f"TIKOMNI_{k}": v for k, v in variables.items()})
    return asked().count(route)


@effect
def shelf_facts_sec(run, asked, **_):
    assert ages(run, asked, DETAIL, f"aweme_id={links['dy_pictures'].id}", SHELF_FACTS_SEC="0") == 2


@effect
def shelf_lists_sec(run, asked, **_):
    comments = ("douyin.app.v3.fetch_video_comments", f"aweme_id={links['dy_video'].id}")
    assert ages(run, asked, *comments, SHELF_FACTS_SEC="0") == 1
    assert ages(run, asked, *comments, SHELF_LISTS_SEC="0") == 3


@effect
def shelf_rankings_sec(run, asked, **_):
    assert ages(run, asked, "douyin.app.v3.fetch_hot_search_list", SHELF_RANKINGS_SEC="0") == 2


@effect
def stop_after_failures(run, sandbox, asked, **_):
    sandbox.faults.add("*", "status", status=503, times=None)
    run("work", PICTURES, TIKOMNI_TIMEOUT_RETRY_MAX="0", TIKOMNI_STOP_AFTER_FAILURES="1")
    assert len(asked()) == 1


@effect
def max_age_sec(facts, asked, **_):
    facts()
    facts(MAX_AGE_SEC="0")
    assert asked() == [DETAIL, DETAIL]


@effect
def deadline_sec(run, sandbox, **_):
    sandbox.faults.add(SUBMIT, "asr", times=1, stuck=True)
    assert run("work", VIDEO, TIKOMNI_DEADLINE_SEC="2").document["status"] == "partial"


@effect
def asr_poll_interval_sec(run, sandbox, asked, **_):
    sandbox.faults.add(SUBMIT, "asr", times=1, stuck=True)
    run("work", VIDEO, "--deadline", "3", TIKOMNI_ASR_POLL_INTERVAL_SEC="0.1")
    assert asked().count(POLL) > 5  # at the default's pace 3 seconds hold 3 polls


@effect
def asr_min_sec(run, **_):
    document = run("work", links["dy_clip"].url, TIKOMNI_ASR_MIN_SEC="5").document
    assert document["result"]["work"]["transcript"]["source"] == "asr"


@effect
def asr_max_sec(run, **_):
    document = run("work", VIDEO, TIKOMNI_ASR_MAX_SEC="40").document
    assert document["result"]["work"]["analysis_exclusion_reason"] == "duration_too_long"


@effect
def transcript_sources(run, asked, **_):
    document = run("work", links["xhs_subtitled"].url, TIKOMNI_TRANSCRIPT_SOURCES="asr").document
    assert document["result"]["work"]["transcript"]["source"] == "asr" and SUBMIT in asked()


@effect
def asr_soft_wait_sec(run, sandbox, **_):
    sandbox.faults.add(SUBMIT, "asr", times=1, stuck=True)
    document = run("work", VIDEO, "--deadline", "4", TIKOMNI_ASR_SOFT_WAIT_SEC="1").document
    assert any("no result in 1 s" in w for w in document["warnings"])


@effect
def asr_hard_fallback_sec(run, sandbox, **_):
    sandbox.faults.add(SUBMIT, "asr", times=1, stuck=True)
    fast = {"TIKOMNI_ASR_HARD_FALLBACK_SEC": "1", "TIKOMNI_ASR_POLL_INTERVAL_SEC": "0.5"}
    document = run("work", links["dy_no_counts"].url, **fast).document
    assert document["result"]["work"]["transcript"]["source"] == "relay"


@effect
def upload_provider(run, sandbox, **_):
    run("work", links["dy_guarded"].url, TIKOMNI_UPLOAD_PROVIDER="r2")
    assert [s.inputs["provider"] for s in sandbox.requests if s.route == "u3.uploads"] == ["r2"]


@effect
def local_asr(run, sandbox, tmp_path, **_):
    folder = str(tmp_path / "no-model-here")
    sandbox.faults.add(SUBMIT, "status", status=400, times=None)
    told = []
    for when in ("never", "last"):
        ran = run("work", VIDEO, TIKOMNI_LOCAL_ASR=when, TIKOMNI_LOCAL_ASR_MODEL_DIR=folder)
        told.append(any(folder in warning for warning in ran.document["warnings"]))
    assert told == [False, True]


@effect
def local_asr_model_dir(run, tmp_path, **_):
    folder = str(tmp_path / "no-model-here")
    here = {"TIKOMNI_TRANSCRIPT_SOURCES": "local", "TIKOMNI_LOCAL_ASR_MODEL_DIR": folder}
    assert any(folder in w for w in run("work", VIDEO, **here).document["warnings"])


@effect
def asr_usd_per_hour(run, **_):
    cost = run("work", VIDEO, TIKOMNI_ASR_USD_PER_HOUR="3.6").document["cost"]
    assert cost["unpriced"] == [] and cost["estimated_usd"] == pytest.approx(0.001 + 43 * 0.001)


@pytest.fixture
def creator(run):
    """Read so many works of a creator, without words, under some variables; the run's own document."""

    def ask(name="dy_20", works=14, **variables):
        lists_alone = ("--no-transcripts", "--detail", "none", "--works", str(works))
        ran = run("creator", links[name].url, *lists_alone, **{f"TIKOMNI_{k}": v for k, v in variables.items()})
        result = ran.document["result"]
        return json.loads(Path(result["run_path"]).read_text("utf-8"))["result"], result["creator"]

    return ask


def key_of(found: dict) -> str:
    return f"{found['platform']}:{found['platform_author_id']}"


@effect
def score_weights(creator, **_):
    most = []
    for weights in ("1,0,0,0", "2,0,0,0"):
        run, found = creator(SCORE_WEIGHTS=weights)
        most.append(run["aggregates_of"][key_of(found)]["performance"]["most"]["value"])
    assert most[1] == pytest.approx(2 * most[0])


@effect
def immature_hours(creator, **_):
    assert creator()[0]["figures"]["immature"] > 0 == creator(IMMATURE_HOURS="0")[0]["figures"]["immature"]


@effect
def hit_thresholds(creator, **_):
    assert "hit_rate_7" in creator(HIT_THRESHOLDS="7,77")[0]["figures"]


@effect
def ignore_works(creator, **_):
    run, found = creator("dy_60", IGNORE_WORKS="pinned")
    assert run["figures_of"][key_of(found)]["ignored"] > 0


@effect
def words_file(creator, tmp_path, **_):
    def keywords(**variables):
        run, found = creator("xhs_60", works=40, **variables)
        return {item["label"] for item in run["aggregates_of"][key_of(found)]["traits"]["keywords"]["items"]}

    file = tmp_path / "words.txt"
    file.write_text("零基础\n", encoding="utf-8")
    assert "零基础" in keywords(WORDS_FILE=str(file)) - keywords()


@pytest.fixture
def model(run, sandbox):
    """Have a picture post analysed by the model's stand-in but for what is given; the document."""
    known = {"BASE_URL": f"{sandbox.base_url}/v1", "MODEL": "sandbox-model", "API_KEY": sandbox.llm.key}

    def ask(*more, **changed):
        variables = {f"TIKOMNI_LLM_{name}": value for name, value in {**known, **changed}.items()}
        words = ("work", PICTURES, "--analyst", "openai-compatible", *more)
        return run(*words, TIKOMNI_TIMEOUT_RETRY_MAX="0", **variables).document

    return ask


def why_not(document: dict) -> str:
    return document["result"]["analyses"][0]["error"]


@effect
def llm_provider(model, **_):
    planned = model("--dry-run", PROVIDER="ollama", BASE_URL="", API_KEY="")["result"]["analyst"]
    assert planned["base_url"] == "http://127.0.0.1:11434/v1"


@effect
def llm_base_url(model, **_):
    assert why_not(model(BASE_URL="http://127.0.0.1:9")) == "network"


@effect
def llm_model(model, sandbox, **_):
    model(MODEL="sandbox-model-2")
    assert [s.inputs["model"] for s in sandbox.requests if s.route == "sandbox.v1"] == ["sandbox-model-2"]


@effect
def llm_api_key(model, **_):
    assert why_not(model(API_KEY="of-somebody-else")) == "rejected_key"


@effect
def llm_timeout_sec(model, sandbox, **_):
    sandbox.faults.add("sandbox.v1", "slow_headers", seconds=60)
    assert why_not(model(TIMEOUT_SEC="1")) == "timeout"


@effect
def llm_usd_per_mtok(model, sandbox, **_):
    cost = model(USD_PER_MTOK="1,100")["cost"]
    usd = (sandbox.bill.tokens_in + 100 * sandbox.bill.tokens_out) / 1e6
    assert cost["unpriced"] == [] and cost["estimated_usd"] == pytest.approx(0.001 + usd)


@effect
def llm_max_cost(model, **_):
    assert why_not(model(USD_PER_MTOK="1,2", MAX_COST="0.001")) == "budget"


@pytest.fixture
def headers(run):
    """The headers of the first request that reaches a server which answers nothing useful."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append({k.lower(): v for k, v in self.headers.items()})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"status": "ok"}).encode())

        def log_message(self, *_):
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def ask(**variables):
        run("auth", TIKOMNI_BASE_URL=f"http://127.0.0.1:{server.server_port}", **variables)
        return seen[0]

    yield ask
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_effect(name, run, facts, sandbox, asked, machine, tmp_path, headers, insight, creator, model):
    assert name in EFFECTS, f"{name} has no visible effect"
    EFFECTS[name](
        run=run, facts=facts, sandbox=sandbox, asked=asked, machine=machine, tmp_path=tmp_path, headers=headers,
        insight=insight, creator=creator, model=model,
    )  # fmt: skip
