"""What must hold whatever goes wrong, as trials of real commands against a sandbox. The tests run some; by hand:

    python benchmarks/trials.py faults            every fault at every route of every pipeline
    python benchmarks/trials.py kills --times 200  kill -9 at random points, then to the end
    python benchmarks/trials.py deadlines --times 50  random deadlines between 2 and 30 s, then ``next`` until complete

A trial runs a command while something goes wrong, then runs what the answer says (else the same command) until it is
complete, and compares with an undisturbed run: what came out, and what the sandbox charged. ``Trial.broken`` lists
every promise that was not kept; empty is good.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

LIB = Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))

import warm  # noqa: E402

from tikomni.locations import data_home  # noqa: E402
from tikomni.sandbox import Sandbox, Script, links  # noqa: E402

SUBMIT = "u2.services.audio.asr.transcription"
CREATE = "u3.uploads"
# What is charged, or holds a place, without being a read.
SUBMISSIONS = (SUBMIT, CREATE, "u3.uploads.complete")
MOST_RUNS = 60
# Calls that stand in for one whose answer was spoilt: another route, and two further where that one tells little.
STAND_INS = 3
EXITS = {"complete": (0,), "partial": (3,), "incomplete": (3,), "failed": (1, 2, 4)}


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a command. ``document`` is ``None`` where stdout is not one JSON document."""

    exit_status: int
    document: dict[str, Any] | None
    stdout: str
    stderr: str
    seconds: float

    @property
    def calls(self) -> int:
        return ((self.document or {}).get("cost") or {}).get("billed_calls", 0)

    @property
    def status(self) -> str:
        return (self.document or {}).get("status", "no document")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A command worth breaking.

    ``routes``: where its faults are put. ``outcome``: what its last document says, without what may differ from run to
    run. ``prepare`` makes a fresh sandbox as the pipeline wants it. ``half``: flags that make it stop half-way.
    """

    name: str
    words: tuple[str, ...]
    routes: tuple[str, ...]
    outcome: Callable[[dict[str, Any]], Any]
    prepare: Callable[[Sandbox], None] = lambda sandbox: None
    half: tuple[str, ...] = ()


@dataclass
class Bench:
    """A user's machine beside a sandbox of its own."""

    sandbox: Sandbox
    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        base = {k: v for k, v in os.environ.items() if not k.startswith(("TIKOMNI_", "XDG_"))}
        return base | {
            "HOME": str(self.home), "PYTHONPATH": str(LIB), "TIKOMNI_API_KEY": self.sandbox.key,
            "TIKOMNI_BASE_URL": self.sandbox.base_url, "TIKOMNI_GLOBAL_QPS": "100", "TIKOMNI_PYTHON_OK": "1",
            "TIKOMNI_TIMEOUT_RETRY_BACKOFF_MS": "10", "TIKOMNI_ASR_POLL_INTERVAL_SEC": "0.3",
            **self.more, **(more or {}),
        }  # fmt: skip

    def start(self, command: Sequence[str] | str, more: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        words = shlex.split(command) if isinstance(command, str) else [sys.executable, "-m", "tikomni", *command]
        return subprocess.Popen(
            words, cwd=self.home, env=self.environ(more), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip

    def run(
        self, command: Sequence[str] | str, more: Mapping[str, str] | None = None, kill_after: float = 300.0
    ) -> Ran:
        """Run to the end, or until ``kill -9`` after so many seconds."""
        if isinstance(command, str):  # what an answer said, as it stands
            return ended(self.start(command, more))
        started = time.monotonic()
        done = warm.run(command, self.home, self.environ(more), timeout=kill_after)
        return ran(done.exit_status, done.stdout, done.stderr, time.monotonic() - started)

    def repeated_submissions(self) -> bool:
        """Whether the ledger holds a submission that was lost and made once more."""
        with sqlite3.connect(data_home({"HOME": str(self.home)}) / "ledger.sqlite3") as ledger:
            jobs = ledger.execute("SELECT count(*) FROM jobs WHERE state = 'superseded'").fetchone()[0]
            uploads = ledger.execute("SELECT count(*) FROM uploads WHERE state = 'lost'").fetchone()[0]
        ledger.close()
        return bool(jobs + uploads)

    def until_complete(self, command: Sequence[str], first: Ran, wanted: str) -> list[Ran]:
        """Further runs: each time what the answer says, else ``command``, until its status is ``wanted``."""
        runs: list[Ran] = []
        last = first
        while last.status != wanted and len(runs) < MOST_RUNS:
            follow = (last.document or {}).get("next") or []
            last = self.run(follow[0]["command"] if follow else command)
            runs.append(last)
        return runs


@contextmanager
def bench(pipeline: Pipeline, more: Mapping[str, str] | None = None, **options: Any) -> Iterator[Bench]:
    """A fresh sandbox (``options`` are its own) and an empty home."""
    with Sandbox(**{"rate": None, **options}) as sandbox, tempfile.TemporaryDirectory() as home:
        pipeline.prepare(sandbox)
        yield Bench(sandbox, Path(home), more or {})


def ended(process: subprocess.Popen[str]) -> Ran:
    started = time.monotonic()
    out, err = process.communicate(timeout=300)
    return ran(process.returncode, out, err, time.monotonic() - started)


def ran(exit_status: int, out: str, err: str, seconds: float) -> Ran:
    try:
        document = json.loads(out)
    except ValueError:
        document = None
    return Ran(exit_status, document, out, err, seconds)


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a pipeline brings and costs when nothing goes wrong."""

    outcome: Any
    status: str
    bill: Mapping[str, Any]
    seconds: float
    clean: Mapping[Any, int]


@cache
def undisturbed(pipeline: Pipeline) -> Undisturbed:
    with bench(pipeline) as machine:
        ran = machine.run(pipeline.words)
        assert ran.document is not None and ran.document["ok"], ran.stdout[:2000]
        outcome = pipeline.outcome(ran.document)
        return Undisturbed(outcome, ran.status, machine.sandbox.bill.as_dict(), ran.seconds, clean(machine.sandbox))


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one trial: runs that it took, charges above the undisturbed ones, promises not kept."""

    pipeline: str
    what: str
    runs: int
    first: str
    calls_above: int
    submissions_above: int
    seconds_above: float
    longest: float
    broken: tuple[str, ...]

    def row(self) -> str:
        said = "; ".join(self.broken) or "held"
        return (
            f"{self.pipeline:<12} {self.what:<58} {self.first:<10} {self.runs:>4} {self.calls_above:>6} "
            f"{self.submissions_above:>5} {self.seconds_above:>7g}  {said}"
        )


HEAD = (
    f"{'pipeline':<12} {'what went wrong':<58} {'first run':<10} {'runs':>4} {'calls+':>6} {'jobs+':>5} {'speech+':>7}"
)


def judge(
    pipeline: Pipeline,
    what: str,
    machine: Bench,
    runs: Sequence[Ran],
    *,
    spoilt: int = 0,
    again: int = 0,
    repeat: bool = False,
    killed: int = 0,
    counted: int = 0,
    named: bool = False,
) -> Trial:
    """Hold ``runs`` (the disturbed one first) against the promises.

    Args:
        spoilt: answers that were charged and could not be read, each of which may be asked for once more.
        again: answers that need not count any more.
        repeat: a submission may have been accepted without an answer, so one repeat is allowed, if it is named.
        killed: how often a process was killed; reads under way then may be asked again, and are counted.
        counted: repeated calls that the ledger has; a run that was killed could not tell its own.
        named: the ledger has a repeated submission, too.
    """
    base = undisturbed(pipeline)
    bill = machine.sandbox.bill.as_dict()
    broken = [said for number, ran in enumerate(runs, 1) for said in _document(ran, number <= killed)]
    last = runs[-1]
    if last.document is None or last.status != base.status:
        broken.append(f"ended as {last.status}, not {base.status}")
    elif pipeline.outcome(last.document) != base.outcome:
        broken.append("another result than undisturbed")
    documents = [ran.document for ran in runs if ran.document is not None]
    warned = named or any("charged" in w for d in documents for w in d.get("warnings", ()))
    repeats = max(counted, sum((d.get("cost") or {}).get("repeated_calls", 0) for d in documents))
    above = {name: bill[name] - base.bill[name] for name in ("billed_calls", "submissions", "asr_seconds", "uploads")}
    allowed = 1 if repeat else 0
    if above["submissions"] > allowed or above["uploads"] > allowed:
        broken.append(f"{above['submissions']} more jobs and {above['uploads']} more uploads than undisturbed")
    if above["asr_seconds"] > 0 and not repeat:
        broken.append(f"{above['asr_seconds']} s of speech charged twice")
    if (above["submissions"] > 0 or above["uploads"] > 0) and not warned:
        broken.append("a repeated submission that no warning names")
    if above["billed_calls"] > spoilt + repeats:
        broken.append(f"{above['billed_calls']} more billed calls, {spoilt} spoilt and {repeats} told as repeated")
    twice = clean(machine.sandbox) - Counter(base.clean)
    twice = Counter({call: n for call, n in twice.items() if call in base.clean})
    if sum(twice.values()) > repeats + again:
        broken.append(f"asked again though answered: {', '.join(sorted({call[0] for call in twice}))}")
    return Trial(
        pipeline.name,
        what,
        len(runs),
        runs[0].status,
        above["billed_calls"],
        above["submissions"],
        above["asr_seconds"],
        max(ran.seconds for ran in runs),
        tuple(dict.fromkeys(broken)),
    )


def _document(ran: Ran, killed: bool) -> Iterator[str]:
    """What is wrong with one run's answer, whatever happened to it."""
    if killed and ran.exit_status < 0:
        return
    if ran.document is None:
        yield f"stdout is not one JSON document: {ran.stdout[:80]!r} {ran.stderr[-200:]!r}"
        return
    status = ran.document.get("status")
    if ran.exit_status not in (*EXITS.get(status, ()), 130):
        yield f"status {status} with exit {ran.exit_status}"
    if ran.document["ok"] != (status != "failed"):
        yield f"ok is {ran.document['ok']} for {status}"
    if status == "failed" and not ran.document.get("error", {}).get("hint"):
        yield "a failure without a hint"
    if ran.document.get("error", {}).get("code") == "internal":
        yield f"internal: {ran.document['error']['message']}"
    if "Traceback" in ran.stderr:
        yield "a traceback"


def clean(sandbox: Sandbox) -> Counter[Any]:
    """Charged reads that were answered well, by route and inputs."""
    return Counter(
        (seen.route, json.dumps(seen.inputs, sort_keys=True, default=str))
        for seen in tuple(sandbox.requests)
        if seen.status == 200 and not seen.fault and seen.route in sandbox.bill.calls and seen.route not in SUBMISSIONS
    )


# --- the ways to break a run


def under_fault(
    pipeline: Pipeline, route: str, kind: str, times: int | None = 1, skip: int = 0, **options: Any
) -> Trial:
    """``kind`` befalls ``route``; the fault is over when the next run starts."""
    what = f"{kind} {' '.join(f'{k}={v}' for k, v in options.items())} at {route}".replace("  ", " ")
    with bench(pipeline) as machine:
        machine.sandbox.faults.add(route, kind, times=times, **options)
        # Only what is meant to time out does, however slow this machine is.
        impatient = {"TIKOMNI_TIMEOUT_MS": "1500"} if "seconds" in options else None
        first = machine.run(pipeline.words, impatient)
        machine.sandbox.faults.reset()
        pipeline.prepare(machine.sandbox)
        runs = [first, *machine.until_complete(pipeline.words, first, undisturbed(pipeline).status)]
        befallen = [seen for seen in machine.sandbox.requests if seen.fault == kind]
        # A submission that was not plainly refused may have been accepted, as far as its sender can tell.
        refused = kind == "redirect" or (kind == "status" and options["status"] < 500 and options["status"] != 408)
        accepted = not refused and any(seen.route in SUBMISSIONS for seen in befallen)
        return judge(pipeline, what, machine, runs, spoilt=len(befallen) * STAND_INS, repeat=accepted)


def under_environment(pipeline: Pipeline, what: str, variables: Mapping[str, str]) -> Trial:
    """The first run has these variables; later ones have not."""
    with bench(pipeline) as machine:
        shown = {k: v.replace("{port}", machine.sandbox.base_url.rpartition(":")[2]) for k, v in variables.items()}
        first = machine.run(pipeline.words, shown)
        last = machine.run(pipeline.words)  # what the answer says would go the same wrong way again
        runs = [first, last, *machine.until_complete(pipeline.words, last, undisturbed(pipeline).status)]
        return judge(pipeline, what, machine, runs)


def under_a_bad_state(pipeline: Pipeline, what: str) -> Trial:
    """The state folder is ``what``: locked, damaged, full, unusable; half of the work was done before."""
    with bench(pipeline) as machine, TROUBLES[what](machine.home / "state") as trouble:
        machine.more = {**machine.more, "TIKOMNI_STATE_DIR": str(machine.home / "state")}
        before = machine.run((*pipeline.words, *pipeline.half))
        trouble.begin()
        first = machine.run((*pipeline.words, *trouble.flags))
        trouble.end()
        last = machine.run(pipeline.words)
        runs = [first, last, *machine.until_complete(pipeline.words, last, undisturbed(pipeline).status)]
        lost = sum(machine.sandbox.bill.calls.values()) if what == "damaged ledger" else 0
        return judge(pipeline, what, machine, [before, *runs], spoilt=lost, again=lost)


class Trouble:
    """Something wrong with a state folder, from ``begin`` to ``end``. ``flags``: of the run that meets it."""

    flags: tuple[str, ...] = ()

    def __init__(self, state: Path) -> None:
        self.state = state

    def __enter__(self) -> Trouble:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(self) -> None: ...

    def end(self) -> None: ...


class Locked(Trouble):
    """Another program holds the ledger's lock all the time; a ledger is waited for until the deadline."""

    flags = ("--deadline", "2")
    holder: sqlite3.Connection | None = None

    def begin(self) -> None:
        self.holder = sqlite3.connect(self.state / "ledger.sqlite3", isolation_level=None)
        self.holder.execute("BEGIN EXCLUSIVE")

    def end(self) -> None:
        if self.holder is not None:
            self.holder.close()
            self.holder = None


class Damaged(Trouble):
    """The ledger's first pages are overwritten."""

    def begin(self) -> None:
        for name in ("ledger.sqlite3-wal", "ledger.sqlite3-shm"):
            (self.state / name).unlink(missing_ok=True)
        with (self.state / "ledger.sqlite3").open("r+b") as file:
            file.write(b"\0not a database" * 300)


class Unusable(Trouble):
    """A file stands where the folder was, which stops root too."""

    def begin(self) -> None:
        self.state.rename(self.state.with_name("aside"))
        self.state.write_text("")

    def end(self) -> None:
        if self.state.is_file():
            self.state.unlink()
            self.state.with_name("aside").rename(self.state)


class Full(Trouble):
    """The folder stands on a small disk that something else fills up. Needs a machine where one can be mounted."""

    def __enter__(self) -> Trouble:
        self.state.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(self.state)], capture_output=True)
        if done.returncode:
            raise Unavailable("no disk can be mounted here")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", str(self.state)], check=True)

    def begin(self) -> None:
        with suppress(OSError), (self.state / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def end(self) -> None:
        (self.state / "filler").unlink(missing_ok=True)


class Unavailable(Exception):
    """This machine cannot have this trouble."""


TROUBLES: dict[str, type[Trouble]] = {
    "locked ledger": Locked,
    "damaged ledger": Damaged,
    "unusable state folder": Unusable,
    "full disk": Full,
}

JUMP = """
import os, time
_true, _calls = time.time, [0]
def _jumped():
    _calls[0] += 1
    return _true() + (float(os.environ["CLOCK_JUMP"]) if _calls[0] > 20 else 0.0)
time.time = _jumped
"""


def under_a_jumping_clock(pipeline: Pipeline, seconds: float) -> Trial:
    """The wall clock is set forward or back by ``seconds`` in the middle of the first run, and back again after it."""
    with bench(pipeline) as machine:
        (machine.home / "sitecustomize.py").write_text(JUMP, encoding="utf-8")
        jumping = {"CLOCK_JUMP": str(seconds), "PYTHONPATH": os.pathsep.join((str(machine.home), str(LIB)))}
        first = machine.run(pipeline.words, jumping)
        last = machine.run(pipeline.words)
        runs = [first, last, *machine.until_complete(pipeline.words, last, undisturbed(pipeline).status)]
        return judge(pipeline, f"clock jumps by {seconds:g} s", machine, runs)


def killed(pipeline: Pipeline, after: Sequence[float]) -> Trial:
    """``kill -9`` after each of these seconds in turn, then to the end."""
    with bench(pipeline) as machine:
        runs = [machine.run(pipeline.words, kill_after=seconds) for seconds in after]
        final = machine.run(pipeline.words)
        runs += [final, *machine.until_complete(pipeline.words, final, undisturbed(pipeline).status)]
        what = f"kill -9 after {', '.join(f'{s:.2f} s' for s in after)}"
        told = any("charged" in w for ran in runs for w in (ran.document or {}).get("warnings", ()))
        spent = machine.run(("cost",)).document
        counted = spent["result"]["sandbox"]["repeated"] if spent else 0
        named = machine.repeated_submissions()
        return judge(
            pipeline, what, machine, runs, repeat=told or named, killed=len(after), counted=counted, named=named
        )


def within_deadlines(pipeline: Pipeline, deadline: float, **options: Any) -> Trial:
    """Run with ``deadline`` seconds, and every following run too; each may outlast it by 5 s at most.

    Who is late on a machine that has other things to do is not late twice.
    """
    trial, late = _within_deadlines(pipeline, deadline, **options)
    if late and not trial.broken:
        trial, late = _within_deadlines(pipeline, deadline, **options)
    return replace(trial, broken=(*trial.broken, *late))


def _within_deadlines(pipeline: Pipeline, deadline: float, **options: Any) -> tuple[Trial, list[str]]:
    with bench(pipeline, **options) as machine:
        words = (*pipeline.words, "--deadline", f"{deadline:g}")
        first = machine.run(words)
        runs = [first, *machine.until_complete(words, first, undisturbed(pipeline).status)]
        runs.append(machine.run(pipeline.words))  # a walk that went on brought the rest: the whole costs nothing now
        trial = judge(pipeline, f"deadline {deadline:g} s", machine, runs)
        late = [f"run {n} took {ran.seconds:.1f} s" for n, ran in enumerate(runs[:-1], 1) if ran.seconds > deadline + 5]
        return trial, late


# --- what is broken: routes of each pipeline, faults for each kind of route


def _works(document: dict[str, Any]) -> Any:
    """The facts and words of each work, as its document has them."""
    rows = []
    for row in document["result"]["works"]:
        work = json.loads(Path(row["json_path"]).read_text("utf-8"))
        words = (work["transcript"] or {}).get("raw")
        rows.append((work["platform_work_id"], work["title"], work["digg_count"], work["primary_text"], words))
        assert Path(row["card"]).is_file()
    return sorted(rows)


def _items(document: dict[str, Any]) -> Any:
    return document["result"]["items"], document["result"]["pages"]


def _transcripts(document: dict[str, Any]) -> Any:
    return sorted((row["source"], row["text"]) for row in document["result"]["works"])


def _collection(document: dict[str, Any]) -> Any:
    """The facts of each work and its author's fans; another route than the first may rank them otherwise."""
    rows = map(json.loads, Path(document["result"]["paths"]["works"]).read_text("utf-8").splitlines())
    names = ("platform_work_id", "title", "digg_count", "fans_count", "likes_per_fan")
    assert Path(document["result"]["paths"]["page"]).is_file()
    return sorted(tuple(row[name] for name in names) for row in rows)


def _creator(document: dict[str, Any]) -> Any:
    """The profile's facts, and the facts and words of each work."""
    rows = Path(document["result"]["run_path"]).with_name("works.jsonl").read_text("utf-8").splitlines()
    works = [json.loads(row) for row in rows]
    assert Path(document["result"]["paths"]["report"]).is_file()
    assert len(list(Path(document["result"]["paths"]["work_cards"]).glob("*.md"))) == len(works)
    return document["result"]["creator"]["fans_count"], sorted(
        (work["platform_work_id"], work["title"], work["digg_count"], work["primary_text"]) for work in works
    )


DETAIL, POLL = "douyin.app.v3.fetch_one_video", "u2.tasks"
PROFILE, SEARCH = "douyin.app.v3.handler_user_profile", "douyin.search.fetch_video_search_v1"
XHS_PROFILE, XHS_POSTS = "xiaohongshu.app_v2.get_user_info", "xiaohongshu.app_v2.get_user_posted_notes"
POSTS = "douyin.app.v3.fetch_user_post_videos"
NOTE = "xiaohongshu.app_v2.get_video_note_detail"
MIXED = ("dy_video", "dy_pictures", "xhs_subtitled", "xhs_pictures", "dy_old")

PIPELINES = {
    pipeline.name: pipeline
    for pipeline in (
        Pipeline(
            "work",
            ("work", links["dy_video"].url),
            (DETAIL, SUBMIT, POLL, "sandbox.transcriptions"),
            _works,
            half=("--no-transcript",),
        ),
        Pipeline(
            "works",
            (
                "work",
                *(links[name].url for name in ("dy_video", "dy_pictures", "xhs_subtitled", "xhs_pictures", "dy_old")),
            ),
            ("*", DETAIL, NOTE, SUBMIT, POLL),
            _works,
            half=("--no-transcript",),
        ),
        Pipeline(
            "pages",
            ("route", "call", POSTS, f"sec_user_id={links['repair'].id}", "count=2", "--pages", "all"),
            (POSTS,),
            _items,
            half=("--max-items", "1"),
        ),
        Pipeline(
            "transcribe",
            ("transcribe", links["dy_guarded"].url),
            (DETAIL, SUBMIT, POLL, CREATE, "sandbox.uploads", "u3.uploads.complete", "sandbox.media"),
            _transcripts,
            half=("--sources", "subtitles"),
        ),
        Pipeline(
            "creator",
            ("creator", links["dy_20"].url, "--works", "8"),
            (PROFILE, POSTS, SUBMIT, POLL, "sandbox.transcriptions"),
            _creator,
            half=("--no-transcripts",),
        ),
        Pipeline(
            "creator-xhs",
            ("creator", links["xhs_20"].url, "--works", "8"),
            (XHS_PROFILE, XHS_POSTS, NOTE, SUBMIT, POLL),
            _creator,
            half=("--no-transcripts",),
        ),
        Pipeline(
            "collect",
            ("collect", "search", "收纳", "--platform", "douyin", "--max-fans", "200000"),
            (SEARCH, PROFILE),
            _collection,
            half=("--max", "20"),
        ),
    )
}

READS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("close_before", {}), ("close_after", {}), ("broken", {}), ("cut", {}), ("html", {}), ("content_type", {}),
    ("gzip_bomb", {"megabytes": 80}), ("error_code", {}), ("error_code", {"inner": True}), ("empty", {}),
    ("slow_headers", {"seconds": 3.0}), ("drip", {"seconds": 3.0}), ("redirect", {}),
    ("status", {"status": 401}), ("status", {"status": 402}), ("status", {"status": 404}), ("status", {"status": 408}),
    ("status", {"status": 409}), ("status", {"status": 422}), ("status", {"status": 429, "retry_after": 1}),
    ("status", {"status": 429, "retry_after": 1, "date": True}),
    ("status", {"status": 500}), ("status", {"status": 502}), ("status", {"status": 503}), ("status", {"status": 504}),
)  # fmt: skip
BURST = ("status", {"status": 503})

# Where the way to the upstream itself is broken.
WAYS = (
    ("connection refused", {"TIKOMNI_BASE_URL": "http://127.0.0.1:9"}),
    ("no such host", {"TIKOMNI_BASE_URL": "https://nobody.invalid"}),
    ("TLS failure", {"TIKOMNI_BASE_URL": "https://127.0.0.1:{port}"}),
)


# --- all of them


def faults(pipeline: Pipeline, every_route: bool = True) -> list[Callable[[], Trial]]:
    """Each fault at each route of ``pipeline``, or at one route each in turn."""
    trials: list[Callable[[], Trial]] = []
    for number, (kind, options) in enumerate(READS):
        routes = pipeline.routes if every_route else (pipeline.routes[number % len(pipeline.routes)],)
        trials += [partial(under_fault, pipeline, route, kind, **options) for route in routes]
    trials += [partial(under_fault, pipeline, route, *BURST[:1], times=4, **BURST[1]) for route in pipeline.routes]
    trials += [partial(under_environment, pipeline, what, variables) for what, variables in WAYS]
    trials += [partial(under_a_bad_state, pipeline, what) for what in TROUBLES]
    return trials + [partial(under_a_jumping_clock, pipeline, seconds) for seconds in (-14_400.0, 14_400.0)]


def kills(pipeline: Pipeline, times: int, chance: random.Random) -> list[Callable[[], Trial]]:
    """Runs that are killed once or twice, somewhere between their start and their usual end."""
    most = undisturbed(pipeline).seconds
    return [
        partial(killed, pipeline, tuple(chance.uniform(0.05, most) for _ in range(chance.choice((1, 1, 2)))))
        for _ in range(times)
    ]


def deadlines(pipeline: Pipeline, times: int, chance: random.Random, most: float = 30.0) -> list[Callable[[], Trial]]:
    """Runs against a slow upstream with random deadlines; it takes half as long for speech as the longest."""
    slow = {"latency_s": 0.8, "script": Script(seconds=most / 2)}
    return [partial(within_deadlines, pipeline, round(chance.uniform(2, most), 1), **slow) for _ in range(times)]


def run_all(trials: Iterable[Callable[[], Trial]], at_once: int = 4) -> Iterator[Trial]:
    """The trials, a few at once: most of their time is waiting."""

    def one(trial: Callable[[], Trial]) -> Trial | None:
        try:
            return trial()
        except Unavailable:
            return None

    with ThreadPoolExecutor(at_once) as pool:
        yield from filter(None, pool.map(one, trials))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("faults", "kills", "deadlines"))
    parser.add_argument("--pipeline", choices=sorted(PIPELINES), action="append")
    parser.add_argument("--times", type=int, default=50, help="trials, over all pipelines")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chosen = [PIPELINES[name] for name in args.pipeline or PIPELINES]
    chance = random.Random(args.seed)
    trials: list[Callable[[], Trial]] = []
    for pipeline in chosen:
        if args.kind == "faults":
            trials += faults(pipeline)
        else:
            trials += (kills if args.kind == "kills" else deadlines)(pipeline, -(-args.times // len(chosen)), chance)
    print(HEAD)
    broken = 0
    for trial in run_all(trials):
        broken += bool(trial.broken)
        print(trial.row(), flush=True)
    print(f"{len(trials)} trials, {broken} with a broken promise")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
