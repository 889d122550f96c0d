"""Analysis tasks: what an LLM is asked about a work or a creator, as a folder that an agent's file tool can read.

Pure: returns paths and texts; who runs a pipeline writes them. Asks no model, and nothing here judges an answer
(``analysis.evidence`` does).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from tikomni.analysis.signals import Signals, labels
from tikomni.analysis.tasks.comments import of_comments
from tikomni.analysis.tasks.comparison import COMPARISON, of_comparison
from tikomni.analysis.tasks.material import Material, source
from tikomni.analysis.tasks.parts import read
from tikomni.analysis.tasks.registry import Kind, kinds
from tikomni.envelope import tokens
from tikomni.facts import Creator, Work
from tikomni.storage.names import identifier, slug

if TYPE_CHECKING:
    from tikomni.analysis.buckets import Standing
    from tikomni.analysis.comments import Discussion
    from tikomni.analysis.comparison import Comparison
    from tikomni.analysis.figures import Figures
    from tikomni.analysis.sampling import Sample

TASKS = "tasks"
ANSWER = "answer.json"
ACCEPTED = "accepted.json"


class Picture(Protocol):
    """What the works of a creator add up to, as far as a task tells it."""

    @property
    def standings(self) -> Sequence[Standing]: ...
    @property
    def sample(self) -> Sample: ...
    @property
    def figures(self) -> Figures: ...
    @property
    def signals(self) -> Mapping[str, Signals]: ...


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """``folder``: below the output root, the same on every run; ``files``: name → text."""

    kind: str
    folder: PurePosixPath
    files: Mapping[str, str]


def folder(platform: str, subject_id: str, kind: str) -> PurePosixPath:
    """Where the tasks about a work or a creator stand, below the output root."""
    return PurePosixPath(TASKS, f"{slug(platform, 40, 'platform')}-{identifier(subject_id)}", kind)


def for_work(work: Work, language: str, pictures: Sequence[str] = ()) -> list[TaskFiles]:
    """The tasks about one work; none where it has no words.

    Args:
        pictures: paths of its pictures on this machine, for picture posts.
    """
    shown = source(work, 1)
    if shown.excluded:
        return []
    subject = {"type": "work", "platform": work.platform, "id": work.platform_work_id, "name": shown.title}
    extra = {} if work.work_modality == "video" else {"pictures": tuple(pictures)}
    when = {"always", "spoken"} if work.transcript else {"always"}
    asked = [kind for kind in kinds().values() if kind.of == "work" and kind.when in when]
    return [_files(kind, Material(kind.name, kind.version, language, subject, {}, (shown,), **extra)) for kind in asked]


def for_comments(work: Work, said: Discussion, read: int, replies: int, language: str) -> list[TaskFiles]:
    """The tasks about what people say of a work; none where the audience said nothing in words.

    Args:
        read: comments that were read, those without words included; ``replies``: likewise.
    """
    asked = [kind for kind in kinds().values() if kind.when == "comments"]
    made = [(kind, of_comments(kind, work, said, read, replies, language)) for kind in asked]
    return [_files(kind, material) for kind, material in made if material.sampled]


def for_creator(creator: Creator, picture: Picture, language: str) -> Iterator[TaskFiles]:
    """The tasks about one creator, one at a time: of thousands of works each is large. None where no work of the sample
    has words."""
    standings = {standing.work.key: standing for standing in picture.standings}
    picked = {standing.work.key for standing in picture.sample.picked}
    ordered = sorted(standings.values(), key=lambda s: (s.work.key not in picked, s.rank or len(standings) + 1))
    works = tuple(
        source(
            standing.work,
            number,
            None if standing.work.key in picked else standing.reason or "not_sampled",
            _standing(standing),
            _traits(picture.signals.get(standing.work.key)),
            picture.signals.get(standing.work.key),
        )
        for number, standing in enumerate(ordered, 1)
    )
    if all(work.excluded for work in works):
        return
    subject = {
        "type": "creator",
        "platform": creator.platform,
        "id": creator.platform_author_id,
        "name": creator.author_name or creator.author_handle or creator.platform_author_id,
    }
    told = _figures(creator, picture, sum(work.excluded is None for work in works))
    for kind in kinds().values():
        if kind.of == "creator":
            yield _files(kind, Material(kind.name, kind.version, language, subject, told, works))


def for_comparison(made: Comparison, subject_id: str, language: str) -> list[TaskFiles]:
    """The tasks about creators side by side; none where the words of fewer than two are known."""
    if sum(any(standing.work.primary_text for standing in one.standings) for one in made.sides) < 2:
        return []
    asked = [kind for kind in kinds().values() if kind.of == COMPARISON]
    return [_files(kind, of_comparison(kind, made, subject_id, language)) for kind in asked]


def _files(kind: Kind, material: Material) -> TaskFiles:
    schema = kind.schema(material.language)
    prompt = kind.prompt(material.language)
    asked = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    shown = read(material, kind.tokens - tokens(prompt) - tokens(asked))
    task = {
        "kind": kind.name,
        "version": kind.version,
        "language": material.language,
        "subject": dict(material.subject),
        "prompt": "prompt.md",
        "schema": "schema.json",
        "input": list(shown.files),
        "answer": ANSWER,
        "budget": {"tokens": kind.tokens, "used": shown.tokens + tokens(prompt) + tokens(asked)},
        "sample": material.sample,
        "input_hash": material.input_hash,
        "words_hash": material.words_hash,
    }
    files = {
        "task.json": _json(task),
        "prompt.md": prompt,
        "schema.json": asked + "\n",
        **shown.files,
        "input.json": material.as_text(),
    }
    subject = material.subject
    return TaskFiles(kind.name, folder(subject["platform"], subject["id"], kind.name), files)


def _standing(standing: Standing) -> dict[str, Any]:
    found = {
        "interactions": standing.interactions,
        "multiple": standing.multiple.value,
        "bucket": standing.bucket,
        "rank": standing.rank,
    }
    return {name: value for name, value in found.items() if value is not None}


def _traits(signals: Signals | None) -> tuple[str, ...]:
    return tuple(f"{trait}={label}" for trait in ("hook", "structure") for label in labels(signals, trait)[:1])


def _figures(creator: Creator, picture: Picture, sampled: int) -> dict[str, Any]:
    names = ("fans_count", "following_count", "liked_count", "collected_count", "works_count")
    figures = picture.figures
    found = {
        "median_interactions": figures.counts["interactions"].median,
        "p90_interactions": figures.counts["interactions"].p90,
        **{f"hit_rate_{rate.threshold}": rate.rate for rate in figures.hit_rates if rate.days is None},
        "outlier_rate": figures.outlier_rate,
        "interaction_per_fan": figures.interaction_per_fan,
        "engagement_rate": figures.engagement_rate,
    }
    told = {name: getattr(creator, name) for name in names}
    told |= {"works_read": figures.works, "works_mature": figures.mature, "works_sampled": sampled}
    told |= {name: figure.value for name, figure in found.items()}
    # Halves and shares of whole numbers carry the tail of their binary form.
    spelled = {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in told.items()}
    return {name: value for name, value in spelled.items() if value is not None}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
