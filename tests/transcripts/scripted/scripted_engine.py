"""A speech engine that says what the clip's file tells it to: for languages and troubles that no small model offers.

A clip is a JSON file: ``seconds``, and what is ``heard`` (a ``Heard`` as a dict) or ``does`` (``hang``, ``crash``,
``fail``, ``environment``).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from tikomni.transcripts.engines import RATE, Adapter, Heard, Refused, Utterance


class Scripted(Adapter):
    def __init__(self, files):
        if files["model"].read_text("utf-8").startswith("broken"):
            raise ValueError("these are not weights")
        print("a library that greets on stdout")
        self._name = files["model"].parent.name

    def read(self, path: Path, most_seconds: float):
        self._clip = json.loads(path.read_text("utf-8"))
        if self._clip["seconds"] > most_seconds:
            raise Refused("duration_too_long")
        return range(int(self._clip["seconds"] * RATE))

    def hear(self, samples, language, prompt):
        match self._clip.get("does"):
            case "hang":
                path = Path(self._clip["pid_file"])
                path.with_suffix(".new").write_text(str(os.getpid()))
                path.with_suffix(".new").rename(path)
                while True:
                    time.sleep(1)
            case "crash":
                os._exit(11)
            case "fail":
                raise RuntimeError("a library's own words")
            case "environment":
                return Heard("zh", (Utterance(0, 1, json.dumps(dict(os.environ))),))
        heard = Heard.from_dict(self._clip["heard"])
        return Heard(language or heard.language, heard.utterances, heard.language_probability)
