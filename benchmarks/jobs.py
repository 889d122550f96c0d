"""The twelve jobs of an analyst's week, each run as a new user would run it. Run by hand:

    python benchmarks/jobs.py [--only follow,library] [--write]

Prints what each job asks, costs, takes and prints, measured on the sandbox (100 ms a call, five a second), and exits 1
where a job does not end ``complete`` or leaves no artefact. ``--write`` puts the table into ``benchmarks/jobs.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jmespath

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from tikomni.envelope import tokens  # noqa: E402
from tikomni.sandbox import COOKIE, Sandbox, Script, links  # noqa: E402
from tikomni.sandbox.world import crowd  # noqa: E402

PAGE = ROOT / "benchmarks" / "jobs.md"
LATENCY_S, RATE, JOB_SECONDS = 0.1, 5, 15.0
WATCH = "douyin.creator_v2"
COLUMNS = ("job", "commands", "calls", "USD", "speech s", "seconds", "tokens", "artefact")


@dataclass(frozen=True, slots=True)
class Job:
    """``commands`` are measured, what came ``before`` is not.

    ``{names}`` stand for links of the sandbox, ``{task:KIND}`` for the folder of a task of the last command.
    ``artefact`` says where the last result names a file (JMESPath), or is a folder that was given.
    """

    name: str
    says: str
    commands: tuple[str, ...]
    artefact: str
    before: tuple[str, ...] = ()
    new_works: int = 0


TEN = [f"{place}_{size}" for place in ("dy", "xhs") for size in (3, 20, 60, 200, 1000)]
ASKED = "--analyst openai-compatible"
JOBS = (
    Job(
        "breakdown",
        "拆解一下这条：{dy_video}",
        ("work {dy_video}", f"card write --task {{task:work.breakdown}} {ASKED}"),
        "result.card.path",
    ),
    Job("benchmark", "对标一下这个账号：{dy_20}", ("creator {dy_20} --export xlsx",), "result.paths.report"),
    Job(
        "keyword",
        "小红书搜「收纳」，点赞最高的拉一张表",
        ("collect search 收纳 --platform xiaohongshu --sort likes --max 60 --export xlsx",),
        "result.paths.exports.xlsx",
    ),
    Job(
        "comments",
        "这条视频的评论区在问什么：{dy_video}",
        ("work {dy_video} --comments 100", f"card write --task {{task:work.comments}} {ASKED}"),
        "result.card.path",
    ),
    Job(
        "follow",
        "我关注的十个号这周有什么新作品",
        ("creator --follow",),
        "result.digest_path",
        before=("follow add {ten}", "creator --follow --no-transcripts"),
        new_works=2,
    ),
    Job(
        "compare",
        "这三个号放一起比一比",
        ("compare {dy_20} {xhs_20} {repair}",),
        "result.paths.report",
        before=tuple(f"creator {{{name}}} --no-transcripts" for name in ("dy_20", "xhs_20", "repair")),
    ),
    Job(
        "own-account",
        "给我自己的抖音号做个体检",
        (
            f"route call {WATCH}.fetch_author_diagnosis --allow account_read",
            f"route call {WATCH}.fetch_item_list start_time=1792771200000 end_time=1795363199000 order_by=3 "
            "--allow account_read --save works.csv",
        ),
        "result.saved_to",
    ),
    Job(
        "library",
        "我库里有哪些讲过空调的",
        ("library 空调 --export xlsx",),
        "result.paths.xlsx",
        before=("creator {repair}",),
    ),
    Job(
        "low-fans",
        "找找粉丝不到五万却爆了的：收纳",
        ("collect search 收纳 --platform xiaohongshu --max 40 --max-fans 50000 --export xlsx",),
        "result.paths.exports.xlsx",
    ),
    Job(
        "tables",
        "把他的作品表交给飞书和 Excel",
        ("creator {dy_20} --export feishu,xlsx",),
        "result.paths.exports.feishu",
        before=("creator {dy_20}",),
    ),
    Job(
        "obsidian",
        "把库里的卡都放进我的 Obsidian",
        ("render --all --card-root vault",),
        "vault",
        before=("creator {dy_20} --no-transcripts",),
    ),
    Job(
        "transcribe",
        "这些链接批量转写，要字幕",
        ("transcribe {dy_video} {dy_old} {xhs_video} --format srt",),
        "result.works[0].path",
    ),
)


@dataclass(slots=True)
class Place:
    """A new user's machine."""

    sandbox: Sandbox
    home: Path
    task: Mapping[str, str]

    def run(self, text: str) -> tuple[dict[str, Any], int]:
        """Run a command to its end, going on where it says so; its last document, and the tokens of all it printed."""
        printed = 0
        words: str | None = f"{sys.executable} -m tikomni {self._filled(text)}"
        while words is not None:
            done = subprocess.run(words, shell=True, cwd=self.home, env=self._environ(), capture_output=True, text=True)
            document = json.loads(done.stdout)
            printed += tokens(done.stdout)
            if document["status"] != "partial" or not document.get("next"):
                break
            words = document["next"][0]["command"]
        if done.returncode:
            sys.exit(f"{words}: {done.stdout[:600]}{done.stderr[-300:]}")
        rows = document["result"].get("tasks") or ()
        self.task = {row["kind"]: row["path"] for row in rows}
        return document, printed

    def _filled(self, text: str) -> str:
        text = text.replace("{ten}", " ".join(f"'{links[name].url}'" for name in TEN))
        text = re.sub(r"\{task:([\w.]+)\}", lambda found: self.task[found[1]], text)
        return re.sub(r"\{(\w+)\}", lambda found: f"'{links[found[1]].url}'", text)

    def _environ(self) -> dict[str, str]:
        cookie = self.home / "cookie"
        cookie.write_text(COOKIE + "\n", encoding="utf-8")
        cookie.chmod(0o600)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TIKOMNI_", "XDG_"))}
        return kept | {
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT / "lib"),
            "TIKOMNI_PYTHON_OK": "1",
            "TIKOMNI_API_KEY": self.sandbox.key,
            "TIKOMNI_BASE_URL": self.sandbox.base_url,
            "TIKOMNI_GLOBAL_QPS": str(RATE),
            "TIKOMNI_DOUYIN_CREATOR_COOKIE_FILE": str(cookie),
            "TIKOMNI_LLM_BASE_URL": f"{self.sandbox.base_url}/v1",
            "TIKOMNI_LLM_MODEL": "sandbox-model",
            "TIKOMNI_LLM_API_KEY": self.sandbox.llm.key,
        }


def measure(job: Job, sandbox: Sandbox) -> tuple[str, ...]:
    """A row of the table."""
    sandbox.reset()
    with tempfile.TemporaryDirectory() as home:
        place = Place(sandbox, Path(home), {})
        for text in job.before:
            place.run(text)
        if job.new_works:
            crowd.advance(job.new_works)
        before, start = sandbox.bill.as_dict(), time.perf_counter()
        asked, printed, document = len(sandbox.requests), 0, {}
        for text in job.commands:
            document, count = place.run(text)
            printed += count
        seconds = time.perf_counter() - start
        after = sandbox.bill.as_dict()
        calls = sum(not seen.route.startswith("sandbox.") for seen in sandbox.requests[asked:])
        found = artefact(job, document, Path(home))
    if found is None:
        sys.exit(f"{job.name}: nothing at {job.artefact}: {json.dumps(document, ensure_ascii=False)[:600]}")
    spent = after["usd"] - before["usd"]
    speech = after["asr_seconds"] - before["asr_seconds"]
    return (job.name, str(len(job.commands)), str(calls), f"{spent:.3f}", f"{speech:g}", f"{seconds:.1f}", str(printed),
            found)  # fmt: skip


def artefact(job: Job, document: Mapping[str, Any], home: Path) -> str | None:
    """The kind of what the job left, as files have it."""
    value = jmespath.search(job.artefact, document) if job.artefact.startswith("result.") else job.artefact
    if value is None:
        return None
    path = home / str(value)
    if not path.exists():
        return None
    return path.suffix.lstrip(".") if path.is_file() else f"{sum(p.is_file() for p in path.rglob('*'))} files"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="names of jobs")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    jobs = [job for job in JOBS if not args.only or job.name in args.only.split(",")]
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    print("\n".join(lines))
    with Sandbox(rate=None, latency_s=LATENCY_S, script=Script(seconds=JOB_SECONDS)) as sandbox:
        for job in jobs:
            lines.append(f"| {' | '.join(measure(job, sandbox))} |")
            print(lines[-1], flush=True)
    if args.write:
        head, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- measured -->\n")
        _, _, tail = rest.partition("<!-- /measured -->")
        table = "\n".join(lines)
        PAGE.write_text(f"{head}<!-- measured -->\n{table}\n<!-- /measured -->{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
