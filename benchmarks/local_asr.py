"""How well and how fast the local engine hears: word error rate and speed, on speech that espeak-ng makes. By hand:

    python benchmarks/local_asr.py MODEL_DIR [MODEL_DIR …] [--clips 12] [--language en]

Needs the extra local-asr and the program espeak-ng. Synthetic voices are easier than people: the error rate says that
nothing is broken, not how a real clip will read. espeak-ng cannot read Chinese.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from tikomni.deadline import Deadline
from tikomni.progress import Progress
from tikomni.transcripts.local import LocalClip, LocalEngine, LocalSettings

TEXTS = (
    "Good morning everybody. Today I want to show you how to cook rice without a cooker. Wash it, add water, and wait.",
    "This bag has two large pockets on the outside and one small pocket inside. I carried it every day for a month.",
    "Never water your plants at noon. The best time is early in the morning, when the soil is still cool.",
    "If you only have one day in the city, start at the river, walk through the market, and take the last train home.",
)
VOICES = ("en-us", "en-gb", "en-us+f3")


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def errors(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to change, add or leave out (Levenshtein, row by row)."""
    row = list(range(len(heard) + 1))
    for i, left in enumerate(wanted, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--language", default="en", help="what the engine is told; '' lets it find out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips, texts, seconds = [], {}, 0.0
        for number in range(options.clips):
            text, voice = TEXTS[number % len(TEXTS)], VOICES[number // len(TEXTS) % len(VOICES)]
            path = Path(folder) / f"{number}.wav"
            subprocess.run(["espeak-ng", "-v", voice, "-s", "155", "-w", str(path), text], check=True)
            with wave.open(str(path)) as file:
                seconds += file.getnframes() / file.getframerate()
            clips.append(LocalClip(path.name, path, options.language or None))
            texts[path.name] = text
        print(f"{'model, workers':<40}{'word errors':>12}{'degraded':>10}{'sound':>9}{'taken':>9}{'speed':>9}")
        for folder_of_model in options.models:
            for workers in (1, None):
                engine = LocalEngine(LocalSettings((folder_of_model.absolute(),), workers=workers))
                if problem := engine.problem():
                    sys.exit(problem)
                started = time.perf_counter()
                found = asyncio.run(engine.transcribe(clips, Deadline(), Progress("none")))
                taken = time.perf_counter() - started
                wanted = sum(len(words(text)) for text in texts.values())
                wrong = sum(
                    errors(words(texts[media]), words(r.transcript.raw if r.transcript else ""))
                    for media, r in found.items()
                )
                degraded = sum(r.transcript is not None and r.transcript.quality == "degraded" for r in found.values())
                name = f"{engine.models[0].name}, {workers or 'one a core'}"
                cells = (
                    f"{wrong / wanted:.1%}",
                    degraded,
                    f"{seconds:.0f} s",
                    f"{taken:.1f} s",
                    f"{seconds / taken:.1f} x",
                )
                print(f"{name:<40}{cells[0]:>12}{cells[1]:>10}" + "".join(f"{cell:>9}" for cell in cells[2:]))


if __name__ == "__main__":
    main()
