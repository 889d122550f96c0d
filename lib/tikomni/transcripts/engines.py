"""What runs in a worker process: speech models behind one interface, and the loop that serves clips to one of them.

A worker gets JSON lines on stdin and answers in JSON lines on what was its stdout: first the model, then one clip after
the other. It must not touch the network, and it ends when its parent does. It decides nothing about the text: that is
``local.py``'s. The libraries are imported when a model is opened.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

RATE = 16_000
# What Whisper is given at once: half an hour would take it more than two gigabytes.
PART_SECONDS = 300

# A stranger's file must not make the decoder open others, as a playlist would.
_CONTAINERS = "wav,mp3,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,flac,aac"


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of speech. Times in milliseconds; ``no_speech`` is a probability, ``logprob`` the mean of a token's."""

    start_ms: int
    end_ms: int
    text: str
    no_speech: float | None = None
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model made of a clip; ``language_probability`` where it found the language out and says how surely."""

    language: str | None
    utterances: tuple[Utterance, ...]
    language_probability: float | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Heard:
        return cls(**{**data, "utterances": tuple(Utterance(**u) for u in data["utterances"])})


class Refused(Exception):
    """The clip cannot be heard; the text is the reason's code."""


class Adapter:
    """One opened model. ``files`` are the model's by role, as ``models.yaml`` names them."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        raise NotImplementedError

    def read(self, path: Path, most_seconds: float) -> Sequence[float]:
        """The sound of a WAV, MP3, M4A, MP4 or WebM file: mono, 16 kHz, -1 to 1. Never holds more than
        ``most_seconds`` of it and one frame.

        Raises:
            Refused: ``local_no_sound``, ``local_file_unreadable``, ``duration_too_long``.
        """
        import av
        import numpy as np

        pieces, left = [], int(most_seconds * RATE)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
        try:
            with path.open("rb") as file, av.open(file, metadata_errors="ignore", options=options) as container:
                if not container.streams.audio:
                    raise Refused("local_no_sound")
                for frame in chain(_frames(container), (None,)):  # None has the resampler give what it still holds
                    for piece in resampler.resample(frame):
                        pieces.append(piece.to_ndarray()[0])
                        left -= piece.samples
                    if left < 0:
                        raise Refused("duration_too_long")
        except (OSError, av.FFmpegError) as error:
            raise Refused("local_file_unreadable") from error
        if not pieces:
            raise Refused("local_no_sound")
        return np.concatenate(pieces).astype(np.float32) / 32768.0

    def hear(self, samples: Any, language: str | None, prompt: str | None) -> Heard:
        """The words in ``samples``; ``language`` is ``None`` where the model is to tell it.

        Raises:
            Refused: ``local_language_unsupported``.
        """
        raise NotImplementedError


class FasterWhisper(Adapter):
    def __init__(self, files: Mapping[str, Path]) -> None:
        from faster_whisper import WhisperModel

        self._model = WhisperModel(
            str(files["model"].parent), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )

    def hear(self, samples: Any, language: str | None, prompt: str | None) -> Heard:
        only_english = not self._model.model.is_multilingual
        if language not in (("en",) if only_english else (None, *self._model.supported_languages)):
            raise Refused("local_language_unsupported")
        utterances: list[Utterance] = []
        told, probability = language, None
        for start, end in parts(_speech(samples), PART_SECONDS * RATE):
            # Not `initial_prompt`, which would be heeded in the first half minute only.
            segments, info = self._model.transcribe(
                samples[start:end], language=told, hotwords=prompt, temperature=0.0,
                condition_on_previous_text=False, vad_filter=True,
            )  # fmt: skip
            if told is None:
                told, probability = info.language, info.language_probability
            at = start * 1000 // RATE
            for s in segments:
                times = (at + round(s.start * 1000), at + round(s.end * 1000))
                if text := s.text.strip():
                    utterances.append(Utterance(*times, text, s.no_speech_prob, s.avg_logprob))
        return Heard(told, tuple(utterances), probability)


class _Sherpa(Adapter):
    """A sherpa-onnx model takes one short stretch at a time: the clip is cut where nobody speaks."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = {role: str(path) for role, path in files.items()}
        self._language: str | None = None
        self._recognizer = self._open(None)

    def _open(self, language: str | None) -> Any:
        raise NotImplementedError

    def hear(self, samples: Any, language: str | None, prompt: str | None) -> Heard:
        if language != self._language:  # it is part of the opened model
            self._recognizer, self._language = self._open(language), language
        utterances, languages = [], Counter[str]()
        for start, end in _speech(samples):
            stream = self._recognizer.create_stream()
            stream.accept_waveform(RATE, samples[start:end])
            self._recognizer.decode_stream(stream)
            if text := stream.result.text.strip():
                utterances.append(Utterance(start * 1000 // RATE, end * 1000 // RATE, text))
                languages[stream.result.lang.strip("<|>")] += len(text)
        told = next((name for name, _ in languages.most_common(1)), "")
        return Heard(language or told or None, tuple(utterances))


class SenseVoice(_Sherpa):
    def _open(self, language: str | None) -> Any:
        from sherpa_onnx import OfflineRecognizer

        return OfflineRecognizer.from_sense_voice(**self._files, num_threads=1, language=language or "", use_itn=True)


class Paraformer(_Sherpa):
    def _open(self, language: str | None) -> Any:
        from sherpa_onnx import OfflineRecognizer

        files = self._files
        return OfflineRecognizer.from_paraformer(paraformer=files["model"], tokens=files["tokens"], num_threads=1)


class SherpaWhisper(_Sherpa):
    def _open(self, language: str | None) -> Any:
        from sherpa_onnx import OfflineRecognizer

        return OfflineRecognizer.from_whisper(**self._files, num_threads=1, language=language or "")


def _speech(samples: Any) -> Iterator[tuple[int, int]]:
    """First and last sample of each stretch in which somebody speaks, by Silero's detector; half a minute at most."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=500, max_speech_duration_s=28, speech_pad_ms=200)
    for stretch in get_speech_timestamps(samples, options):
        yield stretch["start"], stretch["end"]


def parts(stretches: Iterable[tuple[int, int]], most: int) -> Iterator[tuple[int, int]]:
    """Stretches that follow one another joined to parts of ``most`` samples at most, cut where nobody speaks."""
    first = last = None
    for start, end in stretches:
        if first is not None and end - first > most:
            yield first, last
            first = None
        first, last = start if first is None else first, end
    if first is not None:
        yield first, last


def _frames(container: Any) -> Iterator[Any]:
    import av

    for packet in container.demux(audio=0):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            continue  # a torn packet costs its own sound only


def serve(lines: Iterable[str], answers: TextIO) -> None:
    """Open the model that the first line names, then answer each clip with its length and with what was heard.

    Answers: ``{"ready": true}``; for a clip ``{"duration_ms": n}`` and ``{"heard": Heard}``; or ``{"failed": code,
    "message": text}`` instead of either.
    """

    def answer(**document: Any) -> None:
        print(json.dumps(document), file=answers, flush=True)

    lines = iter(lines)
    model = json.loads(next(lines))
    try:
        module, _, name = model["engine"].partition(":")
        adapter = getattr(importlib.import_module(module), name)({k: Path(v) for k, v in model["files"].items()})
    except Exception as error:  # whatever a library says of files that it cannot use
        return answer(failed="local_model_unusable", message=f"{type(error).__name__}: {error}"[:500])
    answer(ready=True)
    for line in lines:
        clip = json.loads(line)
        try:
            samples = adapter.read(Path(clip["path"]), clip["most_seconds"])
            answer(duration_ms=len(samples) * 1000 // RATE)
            answer(heard=asdict(adapter.hear(samples, clip["language"], clip["prompt"])))
        except Refused as reason:
            answer(failed=str(reason), message="")
        except Exception as error:  # the next clip may well be served
            answer(failed="local_failed", message=f"{type(error).__name__}: {error}"[:500])


def _lines_until_orphaned() -> Iterator[str]:
    """The lines of stdin. It is read beside the work, so that the process ends with its parent, whatever it is at."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    yield from iter(lines.get, None)


def main() -> None:
    # Libraries print what they like: stdout is theirs from here, and the answers have a descriptor of their own.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(_lines_until_orphaned(), answers)
