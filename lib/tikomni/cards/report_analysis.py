"""Accepted analyses in a report: what a model wrote, its claims with footnotes that lead to the folded sentence.

Computed figures stand elsewhere; scores stand here, as the model's opinion. What a model wrote is text, nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

from tikomni.cards import accepted as analyses
from tikomni.cards import wording
from tikomni.cards.accepted import Accepted
from tikomni.cards.benchmark import BEGIN, END
from tikomni.cards.labels import labels
from tikomni.cards.markdown import one_line, url

_PLACE = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
_TEXT = re.compile(r'<details id="(w\d+)" data-key="([^"]*)">')
_SENTENCE = re.compile(r'<span id="(w\d+\.[tc]?\d+)">([^<]*)</span>')


def section(
    accepted: Sequence[Accepted],
    waiting: Sequence[str],
    language: str,
    texts: Mapping[str, str],
    there: Mapping[str, str],
) -> str:
    """The section, between the lines that mark it.

    Args:
        waiting: folders of tasks that nobody has answered.
        texts: keys of the works whose words are on the page, and the anchor of each.
        there: anchors of sentences, and what they say.
    """
    words = labels(language, "benchmark")
    made = wording.template("analysis.html.j2").render(
        words=words,
        parts=[_part(one, words, texts, there) for one in accepted],
        how=[words["how"].format(folder=one_line(folder)) for folder in waiting],
    )
    return f"{BEGIN}\n{made}{END}"


def put(page: str, accepted: Sequence[Accepted], waiting: Sequence[str], language: str) -> str:
    """``page`` with its section made anew; footnotes lead to those sentences that are on it."""
    texts = {unescape(key): anchor for anchor, key in _TEXT.findall(page)}
    there = {anchor: unescape(text) for anchor, text in _SENTENCE.findall(page)}
    made = section(accepted, waiting, language, texts, there)
    return _PLACE.sub(lambda _: made, page, count=1)


def _part(of: Accepted, words: Mapping[str, Any], texts: Mapping[str, str], there: Mapping[str, str]) -> dict[str, Any]:
    modules = list(analyses.modules(of, words))
    notes = _Notes(of, texts, there)
    verdicts = Counter(module.verdict for module in modules if module.verdict)
    return {
        "title": words["kinds"][of.kind.name],
        "stale": words[of.stale] if of.stale else "",
        "preface": analyses.preface(of, words, one_line),
        "tally": words["comma"].join(f"{one_line(verdict)} {n}" for verdict, n in verdicts.most_common()),
        "modules": modules,
        "notes": notes,
    }


class _Notes:
    """The footnotes of an analysis, numbered as they are met."""

    def __init__(self, of: Accepted, texts: Mapping[str, str], there: Mapping[str, str]) -> None:
        self._of, self._texts, self._there = of, texts, there
        self._numbers: dict[str, int] = {}

    def of(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """What stands behind a claim: number, the way to the sentence, its words."""
        return [self._note(name) for name in names]

    @property
    def all(self) -> list[dict[str, Any]]:
        return [self._note(name) for name in self._numbers]

    def work(self, ref: str) -> dict[str, Any]:
        """Title and link of a work: to its words on this page, else to its original."""
        work = self._of.work(ref)
        anchor = self._texts.get(work["key"])
        return {"title": one_line(work["title"] or ref, 80), "link": f"#{anchor}" if anchor else url(work["url"])}

    def _note(self, name: str) -> dict[str, Any]:
        number = self._numbers.setdefault(name, len(self._numbers) + 1)
        ref, _, sentence = name.partition(".")
        said = str(self._of.data["sentences"].get(name, ""))
        anchor = f"{self._texts.get(self._of.work(ref)['key'])}.{sentence}"
        own = f"{self._of.mark}{number}"
        found = self._there.get(anchor) == said
        return {
            "number": number,
            "own": own,
            "href": f"#{anchor if found else own}",
            "found": found,
            "name": name,
            "text": one_line(said),
            "work": self.work(ref)["title"],
        }
