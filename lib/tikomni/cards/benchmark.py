"""Accepted analyses as a section of a card: what a model wrote, each claim with footnotes that quote its sentences.

One renderer for all kinds: it follows the schema that the prompt showed and the answer was checked against. Pure but
for ``stored``, which reads what was accepted. What a model wrote is neutralised like any stranger's text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tikomni.analysis import tasks
from tikomni.analysis.evidence import cited, sentence_id, work_ref
from tikomni.analysis.tasks.registry import Kind, kinds
from tikomni.cards import kept
from tikomni.cards.labels import labels
from tikomni.cards.markdown import inline, quote
from tikomni.settings import Settings
from tikomni.storage.names import inside

BEGIN, END = "<!-- tikomni:analysis -->", "<!-- /tikomni:analysis -->"
_PLACE = re.compile(rb"^%s\n.*?^%s$" % (BEGIN.encode(), END.encode()), re.MULTILINE | re.DOTALL)

_MEMBERS = frozenset(
    "language subject model accepted_at input_hash words_hash sample missing answer sentences works".split()
)

# (key of a work, its title) → a link to its card
Link = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer that was accepted, as ``accepted.json`` holds it. ``now``: the task as it stands by now."""

    data: Mapping[str, Any]
    now: Mapping[str, Any]

    @property
    def stale(self) -> str | None:
        """``stale_words`` or ``stale_figures`` where what it rests on has changed since."""
        if self.data["words_hash"] != self.now.get("words_hash"):
            return "stale_words"
        return None if self.data["input_hash"] == self.now.get("input_hash") else "stale_figures"


def stored(settings: Settings, platform: str, subject_id: str) -> tuple[tuple[Accepted, ...], tuple[str, ...]]:
    """What was accepted about a work or a creator, and the folders of tasks that still wait (from the output root)."""
    accepted, waiting = [], []
    for kind in kinds().values():
        folder = tasks.folder(platform, subject_id, kind.name)
        place = inside(settings.output_root, folder)
        task, answer = _json(place / "task.json"), _json(place / tasks.ACCEPTED)
        if answer is not None and _whole(answer, kind):
            accepted.append(Accepted(answer, task or {}))
        elif task is not None:
            waiting.append(folder.as_posix())
    return tuple(accepted), tuple(waiting)


def _whole(answer: Mapping[str, Any], kind: Kind) -> bool:
    """Whether this is what ``kind`` takes today: not of another version, and not broken by hand."""
    from jsonschema import Draft202012Validator

    if (answer.get("kind"), answer.get("version")) != (kind.name, kind.version) or not answer.keys() >= _MEMBERS:
        return False
    schema = {**kind.schema(answer["language"]), "required": []}  # what is partial is shown, too
    return Draft202012Validator(schema).is_valid(answer["answer"])


def section(accepted: Sequence[Accepted], waiting: Sequence[str], language: str, link: Link) -> str:
    """The section, between the lines that mark it, heading and footnotes included."""
    words, label = _words()[language], labels(language)
    lines = [BEGIN, f"## {label['analysis']}", ""]
    if not accepted:
        lines += [words["waiting"], ""]
    notes: dict[str, str] = {}
    for one in accepted:
        lines += _Writer(one, words, label, link, notes).lines()
    asked = [folder for folder in waiting if not folder.endswith("transcript.clean")]
    lines += [line for folder in asked[:1] for line in (words["how"].format(folder=inline(folder)), "")]
    lines += [f"[^{name}]: {text}" for name, text in notes.items()]
    return "\n".join([*lines, "", END] if notes else [*lines, END])


def put(card: bytes, made: str) -> bytes:
    """``card`` with ``made`` where its section stands; as it is where it has none. The user's own words stay."""
    ours, theirs = _parted(card)
    return _PLACE.sub(lambda _: made.encode("utf-8", "replace"), ours, count=1) + theirs


def has_place(card: bytes) -> bool:
    """Whether ``put`` would find the section."""
    return bool(_PLACE.search(_parted(card)[0]))


def _parted(card: bytes) -> tuple[bytes, bytes]:
    at = card.find(b"\n" + kept.MARKER.encode())
    return (card, b"") if at < 0 else (card[:at], card[at:])


class _Writer:
    """One accepted answer on its way to lines; footnotes gather in ``notes``."""

    def __init__(
        self,
        accepted: Accepted,
        words: Mapping[str, Any],
        label: Mapping[str, Any],
        link: Link,
        notes: dict[str, str],
    ) -> None:
        self.of, self.data = accepted, accepted.data
        self.words, self.label, self.link, self.notes = words, label, link, notes
        kind = kinds()[self.data["kind"]]
        self.schema = kind.schema(self.data["language"])
        self.mark = "abcdefgh"[list(kinds()).index(kind.name)]

    def lines(self) -> Iterator[str]:
        data, words = self.data, self.words
        yield from (f"### {words['kinds'][data['kind']]}", "")
        if self.of.stale:
            yield from (words[self.of.stale], "")
        told = {name: inline(str(data[name])) for name in ("model", "kind", "version", "input_hash")}
        yield words["stamp"].format(**told, date=inline(str(data["accepted_at"])[:10]))
        if data["subject"]["type"] == "creator":
            sample = data["sample"]
            confidence = words["confidence"][sample["confidence"]]
            yield words["sample"].format(works=sample["works"], confidence=confidence)
        if data["missing"]:
            yield words["incomplete"].format(names=self.label["comma"].join(map(self._name, data["missing"])))
        yield ""
        if data["kind"] == "transcript.clean":
            yield from self._cleaned()
            return
        for name, part in self.schema["properties"].items():
            if name not in data["answer"]:
                continue
            value = data["answer"][name]
            if part.get("x-key"):
                yield from self._entries(value, part["items"])
                continue
            yield from (f"#### {self._name(name)}", "")
            if name == "visual_text":
                yield from (f"*{words['visual_note']}*", "")
            yield from self._part(value, part)
            yield ""

    def _part(self, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
        """The lines of a module: an object's members, or several objects one after the other."""
        schema = self._resolved(schema)
        if isinstance(value, list):
            for item in value:
                yield from self._part(item, schema["items"])
            return
        if "picture" in value:
            yield f"- {self._colon(self.words['picture'].format(n=value['picture']))}{inline(value['text'])}"
            return
        ref = work_ref(value.get("work", ""))
        head = self._work(ref) if ref else inline(value.get("name", ""))
        lead = "    " if head else ""
        if head:
            yield f"- **{head}**"
        for name, child in schema["properties"].items():
            if name in value and name not in ("work", "name", "score"):
                yield from self._member(name, value[name], self._resolved(child), lead)
        if score := value.get("score"):
            yield f"- *{self.words['score']}*{self.label['colon']}{score['value']}/5 · {inline(score['why'])}"

    def _member(self, name: str, value: Any, schema: Mapping[str, Any], lead: str) -> Iterator[str]:
        head = f"{lead}- {self._colon(f'**{self._name(name)}**')}"
        if value is None or value == []:
            yield head + self.words["empty"]
        elif isinstance(value, Mapping):
            yield head + self._claim(value)
        elif isinstance(value, list) and isinstance(value[0], Mapping):
            if "text" not in value[0]:  # objects that stand in a module, such as works
                yield head.rstrip()
                for item in value:
                    yield from (f"    {line}" for line in self._part(item, schema["items"]))
            elif len(value) == 1:
                yield head + self._claim(value[0])
            else:
                yield head.rstrip()
                yield from (f"{lead}    - {self._claim(item)}" for item in value)
        elif isinstance(value, list):
            yield head + self.label["comma"].join(inline(str(item)) for item in value)
        else:
            yield head + (self.words["levels"].get(str(value)) or inline(str(value)))

    def _entries(self, value: Iterable[Mapping[str, Any]], schema: Mapping[str, Any]) -> Iterator[str]:
        schema = self._resolved(schema)
        for entry in value:
            verdict = self.words["levels"].get(entry["verdict"]) or entry["verdict"]
            yield from (f"#### {self._work(work_ref(entry['work']) or '')} · {verdict}", "")
            for name, child in schema["properties"].items():
                if name not in ("work", "verdict") and entry.get(name) not in (None, []):
                    yield from self._member(name, entry[name], self._resolved(child), "")
            yield ""

    def _claim(self, claim: Mapping[str, Any]) -> str:
        words = inline(claim["text"])
        if label := claim.get("label"):
            words = f"{inline(label)}{self.label['colon']}{words}"
        if said := claim.get("quote"):
            words += self.words["before_quote"] + self.label["quoted"].format(text=inline(said))
        return words + " ".join(map(self._note, cited(claim)))

    def _note(self, name: str) -> str:
        ref = name.partition(".")[0]
        mark = f"{self.mark}-{name.replace('.', '-')}"
        text = f"{name} {self.label['quoted'].format(text=inline(self.data['sentences'].get(name, '')))}"
        if self.data["subject"]["type"] == "creator":
            text += f" — {self._work(ref)}"
        self.notes.setdefault(mark, text)
        return f"[^{mark}]"

    def _work(self, ref: str) -> str:
        work = self.data["works"].get(ref) or {"key": "", "title": ""}
        title = work["title"] or ref
        return f"{ref} {self.link(work['key'], title) or inline(title, 60)}"

    def _cleaned(self) -> Iterator[str]:
        rows = self.data["answer"]["replacements"]
        yield from (self.words["changes"].format(n=len(rows)), "")
        for row in rows:
            name = sentence_id(row["sentence"]) or ""
            yield f"- {name}{self.label['colon']}{inline(row['from'])} → {inline(row['to']) or '—'}"
        yield from ("", quote("\n".join(self.data["cleaned"].values())), "")

    def _name(self, name: str) -> str:
        return self.words["members"].get(name) or inline(name.replace("_", " ").capitalize())

    def _colon(self, text: str) -> str:
        return f"{text}{self.label['colon']}"

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        schema = next((s for s in schema["anyOf"] if s.get("type") != "null"), schema) if "anyOf" in schema else schema
        return self.schema["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


@cache
def _words() -> dict[str, Any]:
    import yaml

    return yaml.safe_load(Path(__file__).with_name("benchmark.yaml").read_text(encoding="utf-8"))
