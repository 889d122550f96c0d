"""Accepted analyses as a section of a card: what a model wrote, each claim with footnotes that quote its sentences.

Pure. What a model wrote is neutralised like any stranger's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tikomni.analysis.tasks import COMPARISON
from tikomni.cards import accepted as analyses
from tikomni.cards import kept
from tikomni.cards.accepted import Accepted, Claim, Item
from tikomni.cards.labels import labels
from tikomni.cards.markdown import inline, quote

BEGIN, END = "<!-- tikomni:analysis -->", "<!-- /tikomni:analysis -->"
_PLACE = re.compile(rb"^%s\n.*?^%s$" % (BEGIN.encode(), END.encode()), re.MULTILINE | re.DOTALL)

# (key of a work, its title) → a link to its card
Link = Callable[[str, str], str | None]


def section(
    accepted: Sequence[Accepted],
    waiting: Sequence[str],
    language: str,
    link: Link,
    explanation: Accepted | None = None,
) -> str:
    """The section, between the lines that mark it, heading and footnotes included.

    Args:
        waiting: folders of tasks that nobody has answered.
        explanation: what was said of this work as one of its creator's.
    """
    words = labels(language, "benchmark")
    lines = [BEGIN, f"## {words['analysis']}", ""]
    if not accepted and explanation is None:
        lines += [words["waiting"], ""]
    notes: dict[str, str] = {}
    for one in accepted:
        lines += _Writer(one, words, link, notes).lines()
    if explanation is not None:
        lines += _Writer(explanation, words, link, notes, alone=True).lines()
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
    """One accepted answer on its way to lines; footnotes gather in ``notes``.

    ``alone``: of an explanation of many works, that of the card's own.
    """

    def __init__(
        self, accepted: Accepted, words: Mapping[str, Any], link: Link, notes: dict[str, str], alone: bool = False
    ) -> None:
        self.of, self.words, self.link, self.notes, self.alone = accepted, words, link, notes, alone

    def lines(self) -> Iterator[str]:
        of, words = self.of, self.words
        yield from (f"### {words['in_sample'] if self.alone else words['kinds'][of.kind.name]}", "")
        if of.stale:
            yield from (f"**{words[of.stale]}**", "")
        yield from analyses.preface(of, words, inline)
        yield ""
        if of.kind.name == "transcript.clean":
            yield from self._cleaned()
        for module in analyses.modules(of, words):
            if module.work is None:
                yield from (f"#### {inline(module.name)}", "")
            elif self.alone:
                yield f"- **{words['members']['verdict']}**{words['colon']}{inline(module.verdict)}"
            else:
                yield from (f"#### {self._work(module.work)} · {inline(module.verdict)}", "")
            if module.note:
                yield from (f"*{module.note}*", "")
            yield from self._items(module.items)
            yield ""

    def _items(self, items: Iterable[Item], lead: str = "") -> Iterator[str]:
        for item in items:
            name = self._work(item.work) if item.work else inline(item.name)
            if item.opinion:
                yield f"{lead}- *{name}*{self.words['colon']}{inline(item.text)}"
                continue
            parts = [inline(item.text), *map(self._claim, item.claims)]
            told = [part for part in parts if part]
            head = f"{lead}- **{name}**" + (self.words["colon"] if told else "")
            if len(told) == 1:
                yield head + told[0]
                continue
            yield head.rstrip()
            yield from (f"{lead}    - {part}" for part in told)
            yield from self._items(item.items, lead + "    ")

    def _claim(self, claim: Claim) -> str:
        text = inline(claim.text)
        if claim.label:
            text = f"{inline(claim.label)}{self.words['colon']}{text}"
        if claim.quote:
            text += self.words["before_quote"] + self.words["quoted"].format(text=inline(claim.quote))
        if claim.share:
            text += f"{self.words['open']}{claim.share}{self.words['close']}"
        return text + " ".join(map(self._note, claim.sentences))

    def _note(self, name: str) -> str:
        mark = f"{self.of.mark}-{name.replace('.', '-')}"
        text = f"{name} {self.words['quoted'].format(text=inline(self.of.data['sentences'].get(name, '')))}"
        if self.of.data["subject"]["type"] in ("creator", COMPARISON) and not self.alone:
            text += f" — {self._work(name.partition('.')[0])}"
        self.notes.setdefault(mark, text)
        return f"[^{mark}]"

    def _work(self, ref: str) -> str:
        work = self.of.work(ref)
        title = work["title"] or ref
        return f"{ref} {self.link(work['key'], title) or inline(title, 60)}"

    def _cleaned(self) -> Iterator[str]:
        rows = analyses.replacements(self.of)
        yield from (self.words["changes"].format(n=len(rows)), "")
        for name, before, after in rows:
            yield f"- {name}{self.words['colon']}{inline(before)} → {inline(after) or '—'}"
        yield from ("", quote("\n".join(self.of.data["cleaned"].values())), "")
