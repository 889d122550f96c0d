"""What a run tells while it goes on: to people a bar, to programs JSON lines, always on stderr, never on stdout."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Literal, TextIO

from tikomni import redact

Mode = Literal["auto", "bar", "jsonl", "none"]
EVERY_SECONDS = 1.0


class Progress:
    """Stages with counts. ``auto`` is a bar on a terminal and JSON lines elsewhere.

    A JSON line is ``{"at": seconds, "stage": name, "done": n, "total": n | null, …facts}``: the first and the last
    of a stage, and between them one every ``EVERY_SECONDS`` at most, since agents read this too.
    """

    def __init__(self, mode: Mode = "auto", stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self.mode = ("bar" if self._stream.isatty() else "jsonl") if mode == "auto" else mode
        self._started = time.monotonic()
        self._told: dict[str, float] = {}
        self._bar: Any = None

    def stage(self, name: str, done: int = 0, total: int | None = None, **facts: Any) -> None:
        """Say that ``done`` of ``total`` steps of stage ``name`` are finished."""
        if self.mode == "jsonl":
            at = round(time.monotonic() - self._started, 2)
            if done != total and at - self._told.get(name, -EVERY_SECONDS) < EVERY_SECONDS:
                return
            self._told[name] = at
            line = {"at": at, "stage": name, "done": done, "total": total, **facts}
            self._write(json.dumps(line, ensure_ascii=False))
        elif self.mode == "bar":
            self._draw(name, done, total)

    def note(self, message: str) -> None:
        """One line for whoever watches."""
        if self.mode == "jsonl":
            at = round(time.monotonic() - self._started, 2)
            self._write(json.dumps({"at": at, "note": message}, ensure_ascii=False))
        elif self.mode == "bar":
            if self._bar is not None:
                self._bar.clear()
            self._write(message)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _write(self, line: str) -> None:
        try:
            print(redact.text(line), file=self._stream, flush=True)
        except OSError:
            self.mode = "none"  # nobody listens any more; the run goes on

    def _draw(self, name: str, done: int, total: int | None) -> None:
        from tqdm import tqdm

        if self._bar is None or self._bar.desc != name:
            self.close()
            self._bar = tqdm(total=total, desc=name, file=self._stream, leave=True, ncols=80)
        self._bar.total = total
        self._bar.n = done
        self._bar.refresh()
