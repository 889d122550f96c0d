"""Analyses by a model that a user has set: asked, judged by the same check as an agent's, repaired, handed in.

The order of steps and nothing else. The model gets the task's words and no tools; its answer changes nothing but the
analysis on the card.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tikomni.analysis import evidence
from tikomni.analysis.tasks import answers
from tikomni.analysis.tasks.question import Question, questions, repair
from tikomni.deadline import Deadline
from tikomni.dispatch.dispatcher import Dispatcher
from tikomni.dispatch.ledger import Ledger
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.dispatch.llm import MOST_TOKENS, Endpoint, Model, stored
from tikomni.dispatch.terms import Terms
from tikomni.envelope import Cost, Status
from tikomni.errors import InputError, TikomniError, UpstreamError
from tikomni.pipelines.benchmark import HandedIn, Task, hand_in, is_answered, task_of
from tikomni.pipelines.session import Ended, Session, each
from tikomni.settings import Settings

ROUNDS = 3
AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked for which kinds of analyses."""

    endpoint: Endpoint
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What became of one task. ``answers``: how many were looked at, paid for now or before; 0 where a whole analysis
    was there already. ``pending``: a later run goes on with it."""

    kind: str
    folder: Path
    status: Status
    answers: int = 0
    handed_in: HandedIn | None = None
    error: TikomniError | None = None
    pending: bool = False

    @property
    def whole(self) -> bool:
        return self.status == "complete"


@dataclass(frozen=True, slots=True)
class Plan:
    """What asking a task comes to. ``stored``: first answers that are there; ``usd_at_most``: with all repairs."""

    questions: int
    stored: int
    tokens: int
    usd_at_least: float | None
    usd_at_most: float | None


async def of_run(asked: Asked | None, done: Iterable[Ended], run: Session) -> tuple[Analysis, ...]:
    """Analyse what a run brought. Subjects that are not whole yet wait: their words are still to come."""
    if asked is None:
        return ()
    rows = [(kind, folder, one.pending) for one in done for kind, folder in one.tasks if kind in asked.kinds]
    made = {folder: Analysis(kind, folder, "partial", pending=True) for kind, folder, _ in rows}
    ready = [folder for _, folder, pending in rows if not pending]
    model = Model(asked.endpoint, run.dispatcher)

    async def one(folder: Path) -> None:
        made[folder] = await analyse(folder, model, run.settings)
        if error := made[folder].error:
            run.means.warn(f"{error.message} {error.hint()}")
        run.step("analysis", f"{folder.parent.name}/{folder.name}", made[folder].status)
        run.progress.stage("analyses", sum(not analysis.pending for analysis in made.values()), len(made))

    if not run.interrupted:
        await run.go(each(one, ready, AT_ONCE))
    return tuple(made.values())


async def analyse(folder: Path, model: Model, settings: Settings, *, again: bool = False) -> Analysis:
    """Ask ``model`` for the analysis of one task, and hand in what holds of its answer.

    ``again``: also where a whole analysis is there, whoever wrote it.
    """
    name = folder.name
    try:
        task = task_of(folder)
        if not again and is_answered(task, settings):
            return Analysis(name, folder, "complete")
        return await _analyse(task, model, settings)
    except DeadlinePassed:
        return Analysis(name, folder, "partial", pending=True)
    except TikomniError as error:
        return Analysis(name, folder, "failed", error=error, pending=error.spec.retryable)


async def of_task(
    folder: Path, endpoint: Endpoint, settings: Settings, deadline: Deadline, terms: Terms
) -> tuple[Analysis, Cost]:
    """Have one task analysed, on its own; what that cost beside it."""
    async with Dispatcher(settings, deadline, terms) as dispatcher:
        model = Model(endpoint, dispatcher, fresh=terms.fresh)
        return await analyse(folder, model, settings, again=True), dispatcher.cost()


def plan(task: Task, endpoint: Endpoint, settings: Settings) -> Plan:
    """What asking for ``task`` would take, from the ledger and the task alone."""
    asked = questions(task.kind, task.material)
    path = settings.state / "ledger.sqlite3"
    if not path.is_file():
        return _planned(asked, asked, endpoint)
    with closing(Ledger(path)) as ledger:
        names = [endpoint.name(one.messages, _about(task, number, 1)) for number, one in enumerate(asked, 1)]
        new = [one for one, name in zip(asked, names, strict=True) if stored(ledger.calls, name) is None]
    return _planned(asked, new, endpoint)


def _planned(asked: Sequence[Question], new: Sequence[Question], endpoint: Endpoint) -> Plan:
    read = sum(one.tokens for one in new)
    # A repair reads the question, the answer and what is wrong with it.
    most = sum(one.tokens * ROUNDS + 2 * (ROUNDS - 1) * MOST_TOKENS for one in asked)
    return Plan(
        questions=len(asked),
        stored=len(asked) - len(new),
        tokens=read,
        usd_at_least=endpoint.usd(read, 0),
        usd_at_most=endpoint.usd(most, len(asked) * ROUNDS * MOST_TOKENS),
    )


@dataclass(slots=True)
class _Answer:
    """What one question has brought so far: the parts that hold, and why the rest is lacking.

    ``stopped``: it could not be asked on, so that further questions are of no use now.
    """

    held: Mapping[str, Any]
    rounds: int = 0
    whole: bool = False
    stopped: bool = False
    pending: bool = False
    error: TikomniError | None = None


async def _analyse(task: Task, model: Model, settings: Settings) -> Analysis:
    kept: Mapping[str, Any] = {}
    read, whole, pending, error = 0, True, False, None
    for number, question in enumerate(questions(task.kind, task.material), 1):
        found = await _answer(task, question, number, model)
        kept = answers.merged(kept, found.held, question.schema)
        read, whole = read + found.rounds, whole and found.whole
        pending, error = found.pending, found.error or error
        if found.stopped:
            break
    name, folder = task.kind.name, task.folder
    if not whole and not any(kept.values()):
        return Analysis(name, folder, "failed" if error else "partial", read, None, error, pending)
    text = json.dumps(kept, ensure_ascii=False)
    done = hand_in(task, text, model.endpoint.model, not whole, settings)
    if done.accepted is None:  # parts that held each on its own do not hold together
        done = hand_in(task, text, model.endpoint.model, True, settings)
    complete = done.accepted is not None and not done.missing and not done.problems
    return Analysis(name, folder, "complete" if complete else "partial", read, done, error, pending)


def _about(task: Task, number: int, round_: int) -> dict[str, Any]:
    """What the ledger is told of one question; ``number``: which of the task's."""
    subject = task.material.subject
    return {
        "task": f"{subject['platform']}:{subject['id']}",
        "kind": task.kind.name,
        "version": task.kind.version,
        "input_hash": task.material.input_hash,
        "question": number,
        "round": round_,
    }


async def _answer(task: Task, question: Question, number: int, model: Model) -> _Answer:
    """Up to ``ROUNDS`` answers to one question, each joined with what held of the one before."""
    found = _Answer({})
    messages = question.messages
    while found.rounds < ROUNDS:
        try:
            said = await model.ask(messages, question.schema, _about(task, number, found.rounds + 1))
        except DeadlinePassed:
            found.pending = found.stopped = True
            return found
        except TikomniError as error:
            found.stopped, found.pending, found.error = True, error.spec.retryable, error
            return found
        found.rounds += 1
        try:
            answer = answers.merged(found.held, answers.read(said.text, question.schema), question.schema)
        except InputError as error:
            why = error.message if said.whole else f"it was cut at its longest; {error.message}"
            messages = repair(question, said.text, (), why)
            continue
        problems = evidence.check(answer, question.schema, question.material)
        found.held = answers.holding(answer, problems, question.schema)
        if not problems:
            found.whole = True
            return found
        messages = repair(question, said.text, problems)
    what = "parts of it hold and are kept" if found.held else "nothing of it holds"
    found.error = UpstreamError(
        "invalid_answer",
        f"{task.kind.name}: {model.endpoint.model} gave {ROUNDS} answers that are not right; {what}.",
        hint="Another model may do better; `card write --task DIR --analyst openai-compatible --fresh` asks anew.",
    )
    return found
