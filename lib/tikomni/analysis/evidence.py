"""Whether an answer to an analysis task is held by what the task showed: its shape, its sentences, its figures.

Pure: problems out, nothing changed. It judges no opinion; it sees to it that each claim leads to words and figures
that are there. What a text demands, and what is written in the answer, changes no rule of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from tikomni.analysis.numbers import Number, dates, plain, spoken_numbers, spoken_shares, wording, written_numbers
from tikomni.analysis.tasks.material import COMMENT, REFERENCE, SHORT, Material, Source, spelled
from tikomni.facts import Document
from tikomni.transcripts.clean import sentences

QUOTE_CHARS = 30
MOST_CHANGED = 0.15
EACH_WORK = "one entry for each work of the sample"
# Counts of the analyst's own (“three steps”) are not figures.
SMALL = 10

_MARKUP = re.compile(
    r"https?://|www\.|javascript:|xsec_token|\]\(|\[\[|\[\^|```|~~~|<<<|>>>|<!|</|<[a-z][\w-]*(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
# Where a sentence stands is no figure of a work.
_PLACE = re.compile(r"第\s*\d+\s*[句行段条]|\b(?:sentences?|lines?)\s+\d+", re.IGNORECASE)
_RANK = re.compile(
    r"(?:排名[是为第\s]*|位[居列]第?\s*)([一二三四五六七八九十]+|\d+)|第\s*([一二三四五六七八九十]+|\d+)\s*名"
    r"|\brank(?:s|ed)?\s+#?(\d+)",
    re.IGNORECASE,
)
# What a text names in passing: works, or comments.
_NAMED = {
    False: re.compile(r"(?<![A-Za-z0-9])" + REFERENCE.pattern),
    True: re.compile(r"(?<![A-Za-z0-9])" + COMMENT.pattern + r"(?![A-Za-z0-9])"),
}
_BOUNDS = {
    "maxItems": "at most {} entries",
    "minItems": "at least {} entries",
    "maxLength": "at most {} characters",
    "minLength": "at least {} characters",
}
_LONG = {short: name for name, short in SHORT.items()}


@dataclass(frozen=True, slots=True)
class Problem(Document):
    """What is wrong where. ``pointer``: JSON pointer into the answer; ``found``: what stands there; ``rule``: what was
    expected; ``nearest``: the sentence that may have been meant, ``W07.12 | …``."""

    pointer: str
    rule: str
    found: str
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A value of an answer and what its schema says of it. ``scope``: the only work that may be cited here."""

    pointer: str
    schema: Mapping[str, Any]
    value: Any
    scope: str | None = None
    in_claim: bool = False


def check(answer: Any, schema: Mapping[str, Any], material: Material) -> tuple[Problem, ...]:
    """Everything that is wrong with ``answer``, in its order; empty where it may be accepted."""
    found = list(_shape(answer, schema))
    # What is not of the right shape is not looked into, but all the rest is.
    broken = {problem.pointer for problem in found}
    for place in walk(answer, schema):
        if not any(_within(place.pointer, at) for at in broken if at):
            found += _of_place(place, material)
    if material.kind == "transcript.clean" and "" not in broken and isinstance(answer, Mapping):
        found += _replacements(_listed(answer.get("replacements")), material, broken)
    return tuple(dict.fromkeys(found))


def walk(value: Any, schema: Mapping[str, Any]) -> Iterator[Place]:
    """Every value of an answer with the schema that is in force there, from the outside to the inside."""
    yield from _walk(Place("", schema, value), schema)


def cited(claim: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences that a claim names, as they are spelled in the material; others as they are given."""
    return tuple(dict.fromkeys(sentence_id(name) or str(name) for name in _listed(claim.get("evidence"))))


def share(claim: Mapping[str, Any], sampled: int) -> float:
    """Of ``sampled`` comments, those that a claim rests on: 0.125 where it names 5 of 40."""
    return round(len(cited(claim)) / sampled, 4) if sampled else 0.0


def sentence_id(text: Any) -> str | None:
    """``Ｗ7.12``, ``[W07.12]`` → ``W07.12``, ``c12`` → ``C012``; ``None`` where it is no id of a sentence."""
    name = spelled(text)
    return name if name.startswith("C") or "." in name else None


def work_ref(text: Any) -> str | None:
    """``w7`` → ``W07``, ``c12`` → ``C012``; ``None`` where it is no number of a work or a comment."""
    name = spelled(text)
    return name if name and "." not in name else None


def cleaned(answer: Mapping[str, Any], work: Source) -> dict[str, str]:
    """What is spoken in ``work``, sentence by sentence, with the replacements of an accepted ``transcript.clean``."""
    made = {name: text for name, text in work.sentences.items() if _is_main(name)}
    for one in answer["replacements"]:
        name = sentence_id(one["sentence"]) or ""
        made[name] = made[name].replace(one["from"], one["to"])
    return {name: text for name, text in made.items() if text}


# --- shape


def _shape(answer: Any, schema: Mapping[str, Any]) -> Iterator[Problem]:
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema).iter_errors(answer):
        while error.validator == "anyOf" and error.context and error.instance is not None:
            error = max(error.context, key=lambda e: len(e.absolute_path) + (e.validator != "type"))
        pointer = _pointer(error.absolute_path)
        found = _shown(error.instance)
        if error.validator == "additionalProperties":
            extra = sorted(set(error.instance) - set(error.schema.get("properties", {})))
            told = "is set by the program" if any("confidence" in name for name in extra) else "is not in the schema"
            for name in extra:
                yield Problem(f"{pointer}/{name}", f"{name} {told}: leave it out", _shown(error.instance[name]))
        elif error.validator == "required":
            for name in error.validator_value:
                if name not in error.instance:
                    yield Problem(f"{pointer}/{name}", f"{name} is required", "nothing")
        elif bound := _BOUNDS.get(error.validator):
            size = len(error.instance)
            told = f"{size} entries" if isinstance(error.instance, list) else f"{size}: {found}"
            yield Problem(pointer, bound.format(error.validator_value), told)
        elif error.validator == "enum":
            yield Problem(pointer, f"one of {', '.join(map(str, error.validator_value))}", found)
        elif error.validator == "type":
            wanted = error.validator_value
            yield Problem(pointer, f"expected {wanted if isinstance(wanted, str) else ' or '.join(wanted)}", found)
        else:
            yield Problem(pointer, f"{error.validator} {_shown(error.validator_value)}", found)


def _walk(place: Place, root: Mapping[str, Any]) -> Iterator[Place]:
    schema = _resolved(place.schema, root)
    if place.value is None:
        return
    if "anyOf" in schema:
        schema = _resolved(next(s for s in schema["anyOf"] if s.get("type") != "null"), root)
    value, scope, claim = place.value, place.scope, place.in_claim or bool(schema.get("x-claim"))
    if isinstance(value, Mapping) and "x-scope" in schema:
        scope = work_ref(value.get(schema["x-scope"])) or scope
    yield replace(place, schema=schema, scope=scope)
    if isinstance(value, Mapping):
        for name, child in schema.get("properties", {}).items():
            if name in value:
                yield from _walk(Place(f"{place.pointer}/{name}", child, value[name], scope, claim), root)
    elif isinstance(value, list) and "items" in schema:
        for n, item in enumerate(value):
            yield from _walk(Place(f"{place.pointer}/{n}", schema["items"], item, scope, claim), root)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    target = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return {**target, **{name: value for name, value in schema.items() if name not in ("$ref", "required")}}


# --- one place


def _of_place(place: Place, material: Material) -> Iterator[Problem]:
    schema, value = place.schema, place.value
    if schema.get("x-work"):
        work = material.by_ref.get(work_ref(value) or "")
        if work is None or work.excluded:
            yield Problem(place.pointer, _not_evidence(work, material), _shown(value))
    if name := schema.get("x-fact"):
        work = material.by_ref.get(place.scope or "")
        if work and str(value) != str(fact := work.figures.get(name)):
            yield Problem(place.pointer, f"the facts say {name} of {work.ref} is {fact}", str(value))
    if schema.get("x-all") and isinstance(value, list):
        yield from _all_works(place, material)
    if schema.get("x-picture") and isinstance(value, int) and value > (given := len(material.pictures)):
        told = f"one of {given} pictures" if given else "no pictures were given: leave it out"
        yield Problem(place.pointer, told, str(value))
    if schema.get("x-claim") and isinstance(value, Mapping):
        yield from _claim(place, material)
    elif isinstance(value, str) and schema.get("x-seen"):
        if found := _MARKUP.search(plain(value)):
            yield Problem(place.pointer, "plain words: no link, HTML or Markdown", _shown(found[0]))
    elif isinstance(value, str) and not place.in_claim and material.kind != "transcript.clean":
        works = [material.by_ref[place.scope]] if place.scope in material.by_ref else list(material.sampled)
        yield from _text(place.pointer, value, material, works)


def _all_works(place: Place, material: Material) -> Iterator[Problem]:
    key = place.schema["x-key"]
    given = [work_ref(item.get(key)) for item in place.value if isinstance(item, Mapping)]
    if lacking := [work.ref for work in material.sampled if work.ref not in given]:
        yield Problem(place.pointer, EACH_WORK, f"lacking: {', '.join(lacking)}")
    for ref in sorted({ref for ref in given if ref and given.count(ref) > 1}):
        yield Problem(place.pointer, "one entry for each work", f"{ref} twice")


def _claim(place: Place, material: Material) -> Iterator[Problem]:
    claim, pointer = place.value, place.pointer
    held: list[str] = []
    for n, name in enumerate(_listed(claim.get("evidence"))):
        problem = _sentence(f"{pointer}/evidence/{n}", name, place.scope, material, str(claim.get("text", "")))
        if problem:
            yield problem
        else:
            held.append(sentence_id(name) or "")
    if len(held) < len(cited(claim)) or not held:
        return  # what the rest hangs on has to be mended first
    works = [material.by_ref[ref] for ref in dict.fromkeys(name.partition(".")[0] for name in held)]
    said = [work.sentences[name] for work in works for name in held if name in work.sentences]
    if quote := claim.get("quote"):
        yield from _quote(f"{pointer}/quote", str(quote), held, works, material)
    yield from _figures(f"{pointer}/figures", _listed(claim.get("figures")), works, material)
    for name, text in claim.items():
        if name in ("text", "label"):
            yield from _text(f"{pointer}/{name}", str(text), material, works, said)
    if place.schema.get("x-needs") == "commercial" and not any(work.commercial for work in works):
        having = [work.ref for work in material.sampled if work.commercial]
        told = f"cite one of {', '.join(having[:8])}" if having else "no work of the sample has one: leave it out"
        yield Problem(pointer, f"a commercial signal in a cited work; {told}", ", ".join(held))
    text = plain(str(claim.get("text", ""))).casefold()
    sweeps = wording()["sweeping_comments" if material.of_comments else "sweeping"]
    sweeping = next((word for word in sweeps if _stands(word, text)), None)
    least = min(3, len(material.sampled))
    if sweeping and place.scope is None and material.subject["type"] != "work" and len(works) < least:
        needed = f"{least} comments" if material.of_comments else f"sentences of {least} works"
        yield Problem(f"{pointer}/text", f"{sweeping!r} needs {needed}", f"{len(works)} cited")


def _sentence(pointer: str, name: Any, scope: str | None, material: Material, text: str) -> Problem | None:
    found = sentence_id(name)
    work = material.by_ref.get(found.partition(".")[0]) if found else None
    near = [material.by_ref[scope]] if scope in material.by_ref else list(material.sampled)
    if found is None:
        told = "a comment, such as C012" if material.of_comments else "a sentence, such as W01.03"
        return Problem(pointer, f"an id of {told}", _shown(name), _nearest(text, near))
    if work is None or work.excluded:
        return Problem(pointer, _not_evidence(work, material), _shown(name), _nearest(text, near))
    if found not in work.sentences:
        first, *_, last = *work.sentences, *work.sentences
        return Problem(pointer, f"a sentence of {work.ref}: {first} to {last}", _shown(name), _nearest(text, [work]))
    if scope and work.ref != scope:
        rule = f"a sentence of {scope}, which this entry is about"
        return Problem(pointer, rule, f"{_shown(name)} | {work.sentences[found][:60]}", _nearest(text, near))
    return None


def _not_evidence(work: Source | None, material: Material) -> str:
    known = f"the sample is {material.sampled[0].ref} to {material.sampled[-1].ref}" if material.sampled else "no works"
    if work is None:
        return f"a {'comment' if material.of_comments else 'work'} of the sample; {known}"
    return f"{work.ref} is no evidence ({work.excluded}); {known}"


def _quote(pointer: str, quote: str, held: list[str], works: list[Source], material: Material) -> Iterator[Problem]:
    wanted = _letters(quote)
    if len(quote) > QUOTE_CHARS:
        yield Problem(pointer, f"at most {QUOTE_CHARS} characters", f"{len(quote)}: {_shown(quote)}")
    elif not wanted or not any(wanted in _letters(run) for run in _runs(held, works)):
        near = _nearest(quote, [*works, *(w for w in material.sampled if w not in works)])
        yield Problem(pointer, f"words that stand in {', '.join(held)}", _shown(quote), near)


def _runs(held: list[str], works: list[Source]) -> Iterator[str]:
    """The cited sentences as they were said, those that follow one another joined: a source may cut a sentence."""
    for work in works:
        yield from "".join(t if name in held else "\n" for name, t in work.sentences.items()).split("\n")


def _figures(pointer: str, figures: Iterable[Any], works: list[Source], material: Material) -> Iterator[Problem]:
    for n, figure in enumerate(figures):
        if not isinstance(figure, Mapping):
            continue
        at = f"{pointer}/{n}"
        name, value = _LONG.get(str(figure.get("name")), str(figure.get("name"))), figure.get("value")
        whose, told = material.figures, "the creator"
        if figure.get("work") is not None or material.subject["type"] == "work":
            work = material.by_ref.get(work_ref(figure.get("work")) or "") if figure.get("work") else works[0]
            if work is None or work not in works:
                yield Problem(f"{at}/work", "a work that this claim cites", _shown(figure.get("work")))
                continue
            whose, told = work.figures, work.ref
        if whose.get(name) is None:
            known = ", ".join(key for key, fact in whose.items() if fact is not None)
            yield Problem(f"{at}/name", f"a figure of {told}: {known}", _shown(name))
        elif not _same(value, whose[name]):
            yield Problem(f"{at}/value", f"the facts say {name} of {told} is {whose[name]}", _shown(value))


def _same(value: Any, fact: Any) -> bool:
    if isinstance(fact, str):
        told = unicodedata.normalize("NFKC", str(value)).strip()
        return told == fact or [(d.year, d.month, d.day) for d in dates(told)] == (
            [(d.year, d.month, d.day) for d in dates(fact)] or None
        )
    if isinstance(value, str):
        read = list(written_numbers(plain(value)))
        if len(read) != 1:
            return False
        value = read[0].value
    return isinstance(value, (int, float)) and abs(value - fact) <= 1e-6 * max(abs(fact), 1)


# --- texts and numbers


def _text(
    pointer: str, text: str, material: Material, works: list[Source], said: Iterable[str] | None = None
) -> Iterator[Problem]:
    """A text's markup, the works that it names, its dates, ranks and numbers, which stand in ``said`` where it cites
    sentences, else anywhere in ``works``."""
    text = plain(text)
    if not _letters(text):
        yield Problem(pointer, "words", _shown(text))
    if found := _MARKUP.search(text):
        yield Problem(pointer, "plain words: no link, HTML or Markdown", _shown(found[0]))
    named: list[Source] = []
    reference = _NAMED[material.of_comments]
    for found in reference.finditer(text):
        work = material.by_ref.get((work_ref(found[0].partition(".")[0])) or "")
        if work is None or work.excluded:
            yield Problem(pointer, _not_evidence(work, material), found[0])
        else:
            named.append(work)
    facts = [material.figures, *(work.figures for work in (*works, *named))]
    spoken = [plain(t) for t in (said or [t for work in works for t in work.sentences.values()])]
    allowed = _allowed(facts, spoken, material).union(*map(spoken_shares, spoken if said else ()))
    yield from _told(pointer, _PLACE.sub("＿", reference.sub(" ", text)), facts, spoken, allowed, material)


def _told(
    pointer: str, text: str, facts: list[Mapping[str, Any]], spoken: list[str], allowed: set[float], material: Material
) -> Iterator[Problem]:
    rule = "a {} of the cited sentences or of the facts"
    certain = [word for word in wording()["certain"] if _stands(word, text.casefold())]
    for word in (word for word in certain if not any(word in one.casefold() for one in spoken)):
        yield Problem(pointer, "what a sample can bear: neither promises nor ranks beyond it", _shown(word))
    days = [day for one in (*(str(f.get("published_date") or "") for f in facts), *spoken) for day in dates(one)]
    for date in dates(text):
        if not any(date.tells(day) for day in days):
            near = days[0].shown if days else None
            yield Problem(pointer, rule.format("date"), date.shown, near)
        text = text.replace(date.shown, "＿")
    ranks = {float(f["rank"]) for f in facts if f.get("rank")} | {n for one in spoken for n in spoken_numbers(one)}
    for match in _RANK.finditer(text):
        if not ranks & spoken_numbers(match[1] or match[2] or match[3]):
            yield Problem(pointer, rule.format("rank"), match[0])
    # Parts of a date or a length are no counts.
    parts = {day.year for day in days} | {n for f in facts for n in divmod(f.get("duration_s") or 0, 60)}
    for number in written_numbers(text):
        if not number.unit and (number.value in parts or (number.value < SMALL and number.value.is_integer())):
            continue
        if not any(number.tells(fact) for fact in allowed):
            near = _bearing(number, material) or _nearest_fact(number.value, facts)
            yield Problem(pointer, rule.format("number"), number.shown, near)


def _allowed(facts: Iterable[Mapping[str, Any]], spoken: Iterable[str], material: Material) -> set[float]:
    """The numbers that a text may tell."""
    told = (float(value) for figures in facts for value in figures.values() if isinstance(value, (int, float)))
    return {float(len(material.sampled)), float(len(material.works)), 1.0}.union(told, *map(spoken_numbers, spoken))


def _bearing(number: Number, material: Material) -> str | None:
    """The sentence that holds ``number``, which the claim may have meant to cite."""
    told = ((name, text) for work in material.sampled for name, text in work.sentences.items())
    found = (f"{name} | {text[:80]}" for name, text in told if any(map(number.tells, spoken_numbers(plain(text)))))
    return next(found, None)


def _nearest_fact(value: float, facts: Iterable[Mapping[str, Any]]) -> str | None:
    """The fact that may have been meant: one of the same size."""
    numbers = [
        (abs(fact - value), name, fact)
        for figures in facts
        for name, fact in figures.items()
        if isinstance(fact, (int, float)) and value / 2 <= fact <= value * 2
    ]
    return f"{min(numbers)[1]} {min(numbers)[2]}" if numbers else None


def _nearest(text: str, works: Iterable[Source]) -> str | None:
    """The sentence that shares most with ``text``."""
    wanted = _letters(text)
    if not wanted:
        return None
    pairs = {wanted[i : i + 2] for i in range(len(wanted) - 1)} or {wanted}
    best, most = None, 0
    for work in works:
        for name, sentence in work.sentences.items():
            letters = _letters(sentence)
            shared = sum(pair in letters for pair in pairs)
            if shared > most:
                best, most = f"{name} | {sentence[:80]}", shared
    return best


# --- transcript.clean


def _replacements(rows: Iterable[Any], material: Material, broken: set[str]) -> Iterator[Problem]:
    work = material.sampled[0]
    made, changed = dict(work.sentences), 0
    for n, row in enumerate(rows):
        at = f"/replacements/{n}"
        if any(_within(pointer, at) for pointer in broken):
            continue
        name = sentence_id(row["sentence"]) or ""
        if problem := _replacement(at, row, name, made, work):
            yield problem
            continue
        after = made[name].replace(row["from"], row["to"])
        changed += sum(
            max(i2 - i1, j2 - j1)
            for tag, i1, i2, j1, j2 in SequenceMatcher(None, made[name], after, autojunk=False).get_opcodes()
            if tag != "equal"
        )
        made[name] = after
    whole = sum(len(text) for name, text in work.sentences.items() if _is_main(name))
    if changed > MOST_CHANGED * whole:
        rule = f"at most {MOST_CHANGED:.0%} of the {whole} characters changed"
        yield Problem("/replacements", rule, f"{changed} changed ({changed / max(whole, 1):.0%})")


def _replacement(at: str, row: Any, name: str, made: Mapping[str, str], work: Source) -> Problem | None:
    """What is wrong with one; ``made``: the sentences with those before it."""
    old, new = row["from"], row["to"]
    if name not in work.sentences or not _is_main(name):
        near = _nearest(old, [work])
        return Problem(f"{at}/sentence", "a sentence of the main text", _shown(row["sentence"]), near)
    before, near = made[name], f"{name} | {made[name]}"
    if old not in before:
        return Problem(f"{at}/from", f"words that stand in {name}", _shown(old), near)
    if before.count(old) > 1:
        rule = f"words that stand once in {name}: give some of those around them, too"
        return Problem(f"{at}/from", rule, _shown(old), near)
    if "\n" in new or _MARKUP.search(new):
        return Problem(f"{at}/to", "plain words on one line", _shown(new))
    grown = len(_letters(new)) - len(_letters(old))
    if grown > 8 or (grown > 2 and len(sentences(before.replace(old, new))) > len(sentences(before))):
        return Problem(f"{at}/to", "a correction: it adds no words of its own", _shown(new))
    return None


# --- spelling


def _is_main(name: str) -> bool:
    """Whether a sentence is of the main text, not of a title or of a video's caption."""
    return name.partition(".")[2].isdigit()


def _letters(text: str) -> str:
    """``text`` as quotes are compared: without width, case, white space and punctuation."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _stands(word: str, text: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){word}(?![a-z0-9])", text)) if word.isascii() else word in text


def _pointer(path: Iterable[Any]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _listed(value: Any) -> list[Any]:
    """What a list holds; nothing where something else stands, which the schema has told."""
    return value if isinstance(value, list) else []


def _within(pointer: str, at: str) -> bool:
    return f"{pointer}/".startswith(f"{at}/")


def _shown(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:79] + "…"
