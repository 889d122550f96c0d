"""Recorded answers instead of the made-up world.

A folder holds ``<route id>.json`` files (the body, for any inputs, status 200), an ``index.jsonl``, or both. A row of
the index: ``{"route": …, "inputs": {…} or null, "status": 200, "body": … or "file": "name"}``; inputs that it names
must be equal to the call's, null fits any call. The most particular row wins, then the first. Bodies go out as they
were recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tikomni.errors import InputError
from tikomni.sandbox.answers import Answer, refuse

_TYPES = {".json": "application/json", ".html": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class _Recording:
    inputs: Mapping[str, Any]
    answer: Answer

    def fits(self, inputs: Mapping[str, Any]) -> bool:
        return all(str(inputs.get(name)) == str(value) for name, value in self.inputs.items())


@dataclass(frozen=True, slots=True)
class Replay:
    """Recordings by route, the most particular first."""

    recordings: Mapping[str, list[_Recording]]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The recordings of this folder; ``config`` where it has none, or a row that cannot be used."""
        found: dict[str, list[_Recording]] = {}
        for row in _rows(folder / "index.jsonl"):
            try:
                found.setdefault(row["route"], []).append(_recording(row, folder))
            except (KeyError, TypeError, OSError) as error:
                raise InputError("config", f"{folder / 'index.jsonl'} has a row that cannot be used: {error}") from None
        for file in sorted(folder.glob("*.json")):
            found.setdefault(file.stem, []).append(_recording({"file": file.name}, folder))
        if not found:
            raise InputError("config", f"There are no recorded answers in {folder}.")
        for recordings in found.values():
            recordings.sort(key=lambda recording: -len(recording.inputs))
        return cls(found)

    def answer(self, route_id: str, inputs: Mapping[str, Any]) -> Answer:
        """The recorded answer that fits."""
        for recording in self.recordings.get(route_id, ()):
            if recording.fits(inputs):
                return recording.answer
        raise refuse(404, f"No recording of {route_id} fits these inputs")


def _rows(index: Path) -> list[Any]:
    lines = index.read_text("utf-8").splitlines() if index.exists() else []
    try:
        return [json.loads(line) for line in lines if line.strip()]
    except ValueError as error:
        raise InputError("config", f"{index} is not JSON line by line: {error}") from None


def _recording(row: Mapping[str, Any], folder: Path) -> _Recording:
    kind = _TYPES[".json"]
    if "file" in row:
        file = folder / row["file"]
        body, kind = file.read_bytes(), _TYPES.get(file.suffix, "application/octet-stream")
    else:
        body = json.dumps(row["body"], ensure_ascii=False).encode()
    return _Recording(row.get("inputs") or {}, Answer(row.get("status", 200), body, {"content-type": kind}))
