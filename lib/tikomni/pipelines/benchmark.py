"""From a model's answer to a card that shows it: read, checked, kept, rendered. And from facts of any origin to a card
with its task. Sends nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tikomni.analysis import evidence, tasks
from tikomni.analysis.tasks import answers
from tikomni.analysis.tasks.material import COMMENTS, Material
from tikomni.analysis.tasks.parts import whole
from tikomni.analysis.tasks.registry import Kind, kinds
from tikomni.cards import accepted, assets
from tikomni.cards.document import CREATOR_SCHEMA_PATH, SCHEMA_PATH, validate
from tikomni.cards.labels import language
from tikomni.cards.paths import CardIndex, homes
from tikomni.cards.render import render_creator, render_work, renew_analysis, renew_report
from tikomni.errors import InputError, TikomniError
from tikomni.facts import Creator, Transcript, Work
from tikomni.settings import Settings
from tikomni.storage.atomic import write_json, write_text
from tikomni.storage.names import inside
from tikomni.storage.tree import Tree

PROBLEMS = "problems.json"
MOST_DOCUMENTS = 1000


@dataclass(frozen=True, slots=True)
class Task:
    """A task folder that was read and found whole."""

    folder: Path
    kind: Kind
    material: Material


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What became of an answer. ``cards``: those that show it, the subject's own first; ``missing``: members that are
    still to come; ``problems``: what was not kept."""

    accepted: Path | None
    cards: tuple[Path, ...]
    missing: tuple[str, ...]
    problems: tuple[evidence.Problem, ...]
    problems_path: Path | None
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """One document's card and the tasks about it."""

    card: Path
    tasks: tuple[tuple[str, Path], ...]


def write_tasks(settings: Settings, files: Iterable[tasks.TaskFiles]) -> tuple[tuple[str, Path], ...]:
    """Write task folders below the output root; returns (kind, folder). Parts of an earlier, longer input go.

    Raises:
        InputError: ``storage``; TikomniError ``disk_full``.
    """
    made = []
    for one in files:
        folder = inside(settings.output_root, one.folder)
        for path in folder.glob("input/*.md"):
            if f"input/{path.name}" not in one.files:
                path.unlink()
        for name, text in one.files.items():
            write_text(folder / name, text)
        made.append((one.kind, folder))
    return tuple(made)


def task_of(folder: Path) -> Task:
    """The task in ``folder``.

    Raises:
        InputError: ``invalid_input``, where it is none, of another version, or was changed by hand.
    """
    try:
        data = json.loads((folder / "input.json").read_text(encoding="utf-8"))
        material = Material.from_dict(data)
        kind = kinds()[material.kind]
        whole_as_made = data["input_hash"] == material.input_hash
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "invalid_input",
            f"{folder}: not a task folder ({type(error).__name__}: {error}).",
            hint="Give a folder of result.tasks[].path.",
        ) from None
    if kind.version != material.version or not whole_as_made:
        raise InputError(
            "invalid_input",
            f"{folder}: made by another version, or changed by hand.",
            hint="Run the analysis again: it costs nothing and makes the task anew.",
        )
    return Task(folder, kind, material)


def is_answered(task: Task, settings: Settings) -> bool:
    """Whether a whole analysis of the task as it is now was accepted, here or from another folder."""
    subject = task.material.subject
    found, _ = accepted.stored(settings, subject["platform"], subject["id"])
    mine = (one.data for one in found if one.kind.name == task.kind.name)
    return any(data["input_hash"] == task.material.input_hash and not data["missing"] for data in mine)


def hand_in(task: Task, text: str, model: str, partial: bool, settings: Settings) -> HandedIn:
    """Check an answer and keep it: whole, or with ``partial`` what of it holds, together with what was kept before.

    Nothing is kept of an answer that does not hold as a whole, unless ``partial``.

    Raises:
        InputError: ``invalid_input``, where ``text`` holds no answer at all; ``storage``.
    """
    material, language_ = task.material, task.material.language
    schema = task.kind.schema(language_)
    path = task.folder / tasks.ACCEPTED
    answer = answers.read(text, schema)
    kept = _kept(path, material) if partial else {}
    answer = answers.merged(kept, answer, schema)
    problems = evidence.check(answer, schema, material)
    if partial:  # what is still to come is no fault
        gaps = {f"/{name}" for name in schema["required"] if name not in answer}
        problems = tuple(p for p in problems if p.pointer not in gaps and p.rule != evidence.EACH_WORK)
    problems_path = task.folder / PROBLEMS
    if not problems:
        problems_path.unlink(missing_ok=True)
    else:
        write_json(problems_path, [problem.as_dict() for problem in problems])
        answer = answers.holding(answer, problems, schema) if partial else {}
    missing = tuple(_missing(answer, schema, material))
    if not answer or (problems and not partial):
        return HandedIn(None, (), missing, problems, problems_path)
    subject = material.subject
    data = _accepted(task, answer, model, missing, settings)
    write_json(path, data)
    accepted.keep(settings, subject["platform"], subject["id"], data)
    cards = renew_analysis(settings, subject["platform"], subject["id"])
    report = renew_report(settings, subject["platform"], subject["id"]) if subject["type"] == "creator" else None
    return HandedIn(path, tuple(cards), missing, problems, problems_path if problems else None, report)


def text_of(folder: Path, ref: str) -> str:
    """A work of a task, whole and fenced.

    Raises:
        InputError: ``invalid_input``, naming the works that there are.
    """
    material = task_of(folder).material
    work = material.by_ref.get(evidence.work_ref(ref) or "")
    if work is None:
        known = f"{material.works[0].ref} to {material.works[-1].ref}"
        raise InputError("invalid_input", f"{ref}: no work of this task; there are {known}.")
    return whole(work, material.input_hash)


def from_facts(text: str, settings: Settings, warnings: list[str]) -> list[Made]:
    """Cards and tasks for a document of a work or a creator, or for a list of them, whatever platform they are of.

    Raises:
        InputError: ``invalid_input`` with the JSON pointer of what does not follow the schema; ``storage``.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError("invalid_input", f"--facts: not JSON ({error}).") from None
    documents = found if isinstance(found, list) else [found]
    if not documents or len(documents) > MOST_DOCUMENTS:
        raise InputError("invalid_input", f"--facts: {len(documents)} documents; expected 1 to {MOST_DOCUMENTS}.")
    facts = [_document(document, f"/{n}" if isinstance(found, list) else "") for n, document in enumerate(documents)]
    Tree(settings).check(homes(settings))
    index = CardIndex(settings)
    return [
        _work(one, settings, index, warnings) if isinstance(one, Work) else _creator(one, settings, index, warnings)
        for one in facts
    ]


def _document(document: Any, at: str) -> Work | Creator:
    if not isinstance(document, dict):
        raise InputError("invalid_input", f"--facts {at or '/'}: expected an object, found {type(document).__name__}.")
    is_work = "platform_work_id" in document
    # Who writes a document by hand leaves out what is not known; the schema wants it said.
    blank = Work("", "") if is_work else Creator("", "")
    whole_document = {"schema_version": 1, **json.loads(json.dumps(blank.as_dict())), **document}
    if isinstance(spoken := document.get("transcript"), dict):
        whole_document["transcript"] = {**json.loads(json.dumps(Transcript("local", None, "", "").as_dict())), **spoken}
    try:
        validate(whole_document, SCHEMA_PATH if is_work else CREATOR_SCHEMA_PATH)
    except TikomniError as error:
        raise InputError("invalid_input", f"--facts {at or '/'}: {error.message}", details=error.details) from None
    if not is_work:
        return Creator.from_dict(whole_document)
    work = Work.from_dict(whole_document)
    return work if "primary_text" in document else work.with_words(work.transcript, None)


def _work(work: Work, settings: Settings, index: CardIndex, warnings: list[str]) -> Made:
    stored = assets.stored(settings, assets.plan(work, settings.images))
    made = work_tasks(work, settings, [str(settings.cards / asset.path) for asset in stored if not asset.is_cover])
    return Made(render_work(settings, work, stored, warnings, index=index), made)


def work_tasks(work: Work, settings: Settings, pictures: Sequence[str]) -> tuple[tuple[str, Path], ...]:
    """Write the tasks about one work; ``pictures``: paths on this machine."""
    return write_tasks(settings, tasks.for_work(work, language(settings, work.platform), pictures))


def creator_tasks(creator: Creator, picture: tasks.Picture, settings: Settings) -> tuple[tuple[str, Path], ...]:
    """Write the tasks about one creator. Before its card is rendered, which tells that they wait."""
    return write_tasks(settings, tasks.for_creator(creator, picture, language(settings, creator.platform)))


def _creator(creator: Creator, settings: Settings, index: CardIndex, warnings: list[str]) -> Made:
    """A creator alone: no works, so no figures, and nothing that an analysis could rest on."""
    from tikomni.analysis.aggregate import aggregates
    from tikomni.analysis.cohort import cohort
    from tikomni.analysis.figures import figures
    from tikomni.analysis.rules import rules
    from tikomni.analysis.sampling import sample
    from tikomni.cards.creator_card import Collection, CreatorSummary

    found = rules(creator.platform)
    nothing = cohort((), found, datetime.now(settings.zone), settings.zone)
    summary = CreatorSummary(
        figures=figures(creator, nothing),
        rules=found,
        standings=(),
        collection=Collection(requested=0, fetched=0, pages=0, stop_reason="not_requested", complete=False),
        sample=sample(()),
        aggregates=aggregates(nothing, ()),
        changes=None,
        avatar=next(iter(assets.stored(settings, assets.plan_avatar(creator))), None),
    )
    return Made(render_creator(settings, creator, summary, index, warnings), ())


def _kept(path: Path, material: Material) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data["answer"] if data.get("input_hash") == material.input_hash else {}


def _missing(answer: Mapping[str, Any], schema: Mapping[str, Any], material: Material) -> Iterable[str]:
    yield from (name for name in schema["required"] if name not in answer)
    for name, part in schema["properties"].items():
        if part.get("x-all") and name in answer:
            given = {evidence.work_ref(item[part["x-key"]]) for item in answer[name]}
            yield from (work.ref for work in material.sampled if work.ref not in given)


def _accepted(
    task: Task, answer: Mapping[str, Any], model: str, missing: Sequence[str], settings: Settings
) -> dict[str, Any]:
    material = task.material
    schema = task.kind.schema(material.language)
    claims = [place for place in evidence.walk(answer, schema) if place.schema.get("x-claim")]
    used = {name for place in claims for name in evidence.cited(place.value)}
    refs = {name.partition(".")[0] for name in used} | {
        evidence.work_ref(place.value) for place in evidence.walk(answer, schema) if place.schema.get("x-work")
    }
    works = [work for work in material.sampled if work.ref in refs]
    shares = {one.pointer: evidence.share(one.value, len(material.sampled)) for one in claims}
    is_clean = task.kind.name == "transcript.clean"
    return {
        "kind": task.kind.name,
        "version": task.kind.version,
        "language": material.language,
        "subject": dict(material.subject),
        "model": model,
        "accepted_at": datetime.now(settings.zone).isoformat(timespec="seconds"),
        "input_hash": material.input_hash,
        "words_hash": material.words_hash,
        "sample": material.sample,
        "missing": list(missing),
        "answer": dict(answer),
        "sentences": {name: work.sentences[name] for work in works for name in work.sentences if name in used},
        "works": {work.ref: {"key": work.key, "title": work.title, "url": work.url} for work in works},
        **({"cleaned": evidence.cleaned(answer, material.sampled[0])} if is_clean else {}),
        **({"shares": shares} if material.subject["type"] == COMMENTS else {}),
    }
