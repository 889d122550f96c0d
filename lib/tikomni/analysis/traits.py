"""How this room reads a work's signals, whoever found them: as labels. Judges no text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

TRAITS = ("hook", "structure", "cta", "form", "style", "keywords")


class Signal(Protocol):
    """What a rule answered; ``label`` is ``None`` where it answered none."""

    @property
    def label(self) -> str | None: ...


class Signals(Protocol):
    """The signals of one work. A trait is one answer, or several where a work has several (style, keywords)."""

    @property
    def hook(self) -> Signal | Sequence[Signal]: ...
    @property
    def structure(self) -> Signal | Sequence[Signal]: ...
    @property
    def cta(self) -> Signal | Sequence[Signal]: ...
    @property
    def form(self) -> Signal | Sequence[Signal]: ...
    @property
    def style(self) -> Signal | Sequence[Signal]: ...
    @property
    def keywords(self) -> Signal | Sequence[Signal]: ...


def labels(signals: Signals | None, trait: str) -> tuple[str, ...]:
    """The different labels of one trait, in the order found; none where there are no signals."""
    answer = getattr(signals, trait) if signals is not None else ()
    answers = answer if isinstance(answer, Sequence) else (answer,)
    return tuple(dict.fromkeys(one.label for one in answers if one.label))
