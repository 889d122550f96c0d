"""Analyses that were accepted about a work or a creator, and what a card or a report shows of them: a tree of words.

One tree for all kinds: it follows the schema that the prompt showed and the answer was checked against. Renderers
neutralise what stands in it like any stranger's text. Reads what was accepted, and keeps copies of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tikomni.analysis import tasks
from tikomni.analysis.evidence import cited, sentence_id, share, work_ref
from tikomni.analysis.tasks.material import COMMENTS
from tikomni.analysis.tasks.registry import Kind, kinds
from tikomni.settings import Settings
from tikomni.storage import atomic
from tikomni.storage.names import inside

ANALYSES = "analyses"  # below the state folder
EXPLANATIONS = "creator.sample_explanations"
CLEAN = "transcript.clean"
# So many of the comments that a claim rests on are quoted.
NAMED_COMMENTS = 3

_TEXT = {"type": "string"}
_SHAPE = {
    "type": "object",
    "required": [
        *("language", "subject", "model", "accepted_at", "input_hash", "words_hash"),
        *("sample", "missing", "answer", "sentences", "works"),
    ],
    "properties": {
        "language": {"enum": ["zh", "en"]},
        "subject": {"type": "object", "required": ["type"]},
        "sample": {
            "required": ["confidence"],
            "anyOf": [{"required": ["works"]}, {"required": [COMMENTS]}],
            "properties": {"confidence": {"enum": ["low", "mid", "high"]}, COMMENTS: {"type": "integer"}},
        },
        "missing": {"type": "array", "items": _TEXT},
        "answer": {"type": "object"},
        "sentences": {"type": "object", "additionalProperties": _TEXT},
        "works": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["key", "title", "url"],
                "properties": {"key": _TEXT, "title": _TEXT, "url": {"type": ["string", "null"]}},
            },
        },
        "cleaned": {"type": "object", "additionalProperties": _TEXT},
    },
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer that was accepted, as ``accepted.json`` holds it. ``now``: the task as it stands by now."""

    data: Mapping[str, Any]
    now: Mapping[str, Any]

    @property
    def kind(self) -> Kind:
        return kinds()[self.data["kind"]]

    @property
    def mark(self) -> str:
        """A letter of its kind's own, for footnotes that stand on one card."""
        return "abcdefgh"[list(kinds()).index(self.kind.name)]

    @property
    def stale(self) -> str | None:
        """``stale_words`` or ``stale_figures`` where what it rests on has changed since, as far as that is known."""
        if not self.now:
            return None
        if self.data["words_hash"] != self.now.get("words_hash"):
            return "stale_words"
        return None if self.data["input_hash"] == self.now.get("input_hash") else "stale_figures"

    def work(self, ref: str) -> Mapping[str, Any]:
        """``key``, ``title`` and ``url`` of a work that it cites."""
        return self.data["works"].get(ref) or {"key": "", "title": "", "url": None}


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed, and the ids of the sentences that it rests on. ``share``: of comments, how many and which part
    of all, where there are more than are named."""

    text: str
    sentences: tuple[str, ...]
    label: str | None = None
    quote: str | None = None
    share: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A member of an answer. ``name``: in the reader's language, or what the model calls it; ``work``: the number of
    the work that it is about, in place of a name; ``opinion``: a score."""

    name: str = ""
    text: str = ""
    claims: tuple[Claim, ...] = ()
    items: tuple[Item, ...] = ()
    work: str | None = None
    opinion: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """A part with a heading. ``verdict``: on the ``work`` that it explains."""

    name: str
    items: tuple[Item, ...]
    note: str = ""
    work: str | None = None
    verdict: str = ""


def keep(settings: Settings, platform: str, subject_id: str, data: Mapping[str, Any]) -> None:
    """Keep a copy of what was accepted beside the ledger: a run from another folder must not take it off a card."""
    _, copies = _places(settings, platform, subject_id)
    atomic.write_json(copies / data["kind"] / tasks.ACCEPTED, data)


def stored(settings: Settings, platform: str, subject_id: str) -> tuple[tuple[Accepted, ...], tuple[str, ...]]:
    """What was accepted about a work or a creator, and the folders of tasks that still wait (from the output root)."""
    places = _places(settings, platform, subject_id)
    if not any(place.is_dir() for place in places):
        return (), ()
    accepted, waiting = [], []
    for kind in kinds().values():
        found = _accepted(places, kind)
        if found is not None:
            accepted.append(found)
        elif (places[0] / kind.name / "task.json").is_file():
            waiting.append(tasks.folder(platform, subject_id, kind.name).as_posix())
    return tuple(accepted), tuple(waiting)


def explained(settings: Settings, platform: str, author_id: str, key: str) -> Accepted | None:
    """What an accepted explanation of the sample of a creator says of the work ``key`` alone, where it does."""
    found = _accepted(_places(settings, platform, author_id), kinds()[EXPLANATIONS])
    if found is None:
        return None
    refs = {ref for ref, work in found.data["works"].items() if work["key"] == key}
    entries = [entry for entry in found.data["answer"].get("works", ()) if work_ref(entry["work"]) in refs]
    return Accepted({**found.data, "answer": {"works": entries}, "missing": []}, found.now) if entries else None


def modules(accepted: Accepted, words: Mapping[str, Any]) -> Iterator[Module]:
    """The parts of an answer in the order of its schema; none of ``transcript.clean``, which has ``replacements``."""
    total = accepted.data["sample"].get(COMMENTS, 0)
    reader = _Reader(accepted.kind.schema(accepted.data["language"]), words, total)
    for name, part in reader.schema["properties"].items():
        value = accepted.data["answer"].get(name)
        if value is None or accepted.kind.name == CLEAN:
            continue
        if part.get("x-key"):
            yield from reader.entries(value, part["items"])
        else:
            note = words["visual_note"] if name == "visual_text" else ""
            yield Module(_named(name, words), tuple(reader.items(value, part)), note)


def replacements(accepted: Accepted) -> list[tuple[str, str, str]]:
    """Of ``transcript.clean``: sentence, what stood there, what stands there now."""
    return [
        (sentence_id(row["sentence"]) or "", row["from"], row["to"]) for row in accepted.data["answer"]["replacements"]
    ]


def preface(accepted: Accepted, words: Mapping[str, Any], neutral: Callable[[str], str]) -> list[str]:
    """Who wrote it, on what, and what of it is lacking; strangers' words in it made ``neutral``."""
    data = accepted.data
    told = {name: neutral(str(data[name])) for name in ("model", "kind", "version", "input_hash")}
    what = words["corrections" if data["kind"] == CLEAN else "judgement"]
    lines = [words["stamp"].format(**told, date=neutral(str(data["accepted_at"])[:10]), what=what)]
    sample = data["sample"]
    if data["subject"]["type"] == COMMENTS:
        told = words["confidence"][sample["confidence"]]
        lines.append(words["sample_comments"].format(n=sample.get(COMMENTS, 0), confidence=told))
    if data["subject"]["type"] in ("creator", tasks.COMPARISON):
        lines.append(
            words["sample"].format(works=sample["works"], confidence=words["confidence"][sample["confidence"]])
        )
    if data["missing"]:
        names = [neutral(_named(name, words)) for name in data["missing"]]
        lines.append(words["incomplete"].format(names=words["comma"].join(names)))
    return lines


@dataclass(frozen=True, slots=True)
class _Reader:
    """``comments``: how many comments the answer may rest on; 0 where it rests on works."""

    schema: Mapping[str, Any]
    words: Mapping[str, Any]
    comments: int = 0

    def entries(self, value: Iterable[Mapping[str, Any]], schema: Mapping[str, Any]) -> Iterator[Module]:
        members = self._resolved(schema)["properties"]
        for entry in value:
            given = {n: s for n, s in members.items() if entry.get(n) not in (None, [])}
            items = tuple(self._member(n, entry[n], s) for n, s in given.items() if n not in ("work", "verdict"))
            yield Module("", items, work=work_ref(entry["work"]) or "", verdict=self._level(entry["verdict"]))

    def items(self, value: Any, schema: Mapping[str, Any]) -> Iterator[Item]:
        """What stands in a module: an object's members, or several objects one after the other."""
        schema = self._resolved(schema)
        if isinstance(value, list):
            for item in value:
                yield from self.items(item, schema["items"])
            if not value:
                yield Item(self.words["empty"])
            return
        if schema.get("x-claim"):
            yield Item(value["label"], claims=(replace(self._claim(value), label=None),))
            return
        if "picture" in value:
            yield Item(self.words["picture"].format(n=value["picture"]), value["text"])
            return
        members = tuple(
            self._member(name, value[name], child)
            for name, child in schema["properties"].items()
            if name in value and name not in ("work", "name", "score")
        )
        ref = work_ref(value.get("work", ""))
        if ref or value.get("name"):
            yield Item(value.get("name", ""), items=members, work=ref)
        else:
            yield from members
        if score := value.get("score"):
            yield Item(self.words["score"], f"{score['value']}/5 · {score['why']}", opinion=True)

    def _member(self, name: str, value: Any, schema: Mapping[str, Any]) -> Item:
        schema, told = self._resolved(schema), _named(name, self.words)
        if value is None or value == []:
            return Item(told, self.words["empty"])
        if isinstance(value, Mapping):
            return Item(told, claims=(self._claim(value),))
        if not isinstance(value, list):
            return Item(told, self._level(str(value)))
        if not isinstance(value[0], Mapping):
            return Item(told, self.words["comma"].join(map(str, value)))
        if "text" in value[0]:
            return Item(told, claims=tuple(map(self._claim, value)))
        return Item(told, items=tuple(item for one in value for item in self.items(one, schema["items"])))

    def _claim(self, value: Mapping[str, Any]) -> Claim:
        claim = Claim(value["text"], cited(value), value.get("label"), value.get("quote"))
        if not self.comments:
            return claim
        told = self.words["share"].format(n=len(claim.sentences), share=f"{share(value, self.comments):.0%}")
        return replace(claim, sentences=claim.sentences[:NAMED_COMMENTS], share=told)

    def _level(self, value: str) -> str:
        return self.words["levels"].get(value) or value

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        schema = next((s for s in schema["anyOf"] if s.get("type") != "null"), schema) if "anyOf" in schema else schema
        return self.schema["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _named(name: str, words: Mapping[str, Any]) -> str:
    return words["members"].get(name) or name.replace("_", " ").capitalize()


def _places(settings: Settings, platform: str, subject_id: str) -> tuple[Path, Path]:
    """The folder of the tasks about a work or a creator, and that of the copies of what was accepted."""
    name = tasks.folder(platform, subject_id, "").name
    return inside(settings.output_root, tasks.TASKS, name), inside(settings.state, ANALYSES, name)


def _accepted(places: tuple[Path, Path], kind: Kind) -> Accepted | None:
    """What was accepted in a task folder, or elsewhere: of today's version, and not broken by hand."""
    task = places[0] / kind.name / "task.json"
    answers = (place / kind.name / tasks.ACCEPTED for place in places)
    answer, stamp = next(((path, found) for path in answers if (found := _stamp(path))), (task, ()))
    return _loaded(answer, task, kind.name, stamp, _stamp(task)) if stamp else None


@lru_cache(32)  # each card of a creator's works asks for the same
def _loaded(answer: Path, task: Path, name: str, *_stamps: tuple[int, ...]) -> Accepted | None:
    data = _json(answer)
    whole = data is not None and _is_whole(data, kinds()[name])
    return Accepted(data or {}, _json(task) or {}) if whole else None


def _is_whole(data: Mapping[str, Any], kind: Kind) -> bool:
    from jsonschema import Draft202012Validator

    if (data.get("kind"), data.get("version")) != (kind.name, kind.version):
        return False
    if not Draft202012Validator(_SHAPE).is_valid(data) or (kind.name == CLEAN and "cleaned" not in data):
        return False
    schema = {**kind.schema(data["language"]), "required": []}  # what is partial is shown, too
    return Draft202012Validator(schema).is_valid(data["answer"])


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
