"""Words from a speech model on this machine: choice of the model, doubts, worker processes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tikomni.deadline import Deadline
from tikomni.progress import Progress
from tikomni.transcripts.engines import Heard, Utterance, parts
from tikomni.transcripts.local import LocalClip, LocalEngine, LocalSettings, judged, time_limit
from tikomni.transcripts.models import choose, known_models, lacking, plain_language, recognise, table
from tikomni.transcripts.source import Words

SCRIPTED = Path(__file__).parent / "scripted"
LAYOUTS = known_models().layouts
ORDER = known_models().order

SENSE_VOICE = {"model.int8.onnx": "", "tokens.txt": "<unk> 0\n<s> 1\n</s> 2\n<blank> 3\n<|zh|> 4\n<|en|> 5\n"}
PARAFORMER = {"model.onnx": "", "tokens.txt": "<blank> 0\n<s> 1\n</s> 2\nhel@@ 3\n好 4\n"}
WHISPER_ONNX = {
    "small-encoder.int8.onnx": "",
    "small-decoder.onnx": "",
    "small-tokens.txt": "",
    "small-encoder.onnx": "",
}
WHISPER_ENGLISH = {"tiny.en-encoder.onnx": "", "tiny.en-decoder.onnx": "", "tiny.en-tokens.txt": ""}
WHISPER_CT2 = {"model.bin": "", "config.json": "{}", "tokenizer.json": "{}", "vocabulary.txt": ""}


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, files: dict[str, str]) -> Path:
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text, encoding="utf-8")
        return tmp_path / name

    return make


# --- which model


@pytest.mark.parametrize(
    ("files", "title"),
    [
        (SENSE_VOICE, "SenseVoice for sherpa-onnx"),
        (PARAFORMER, "Paraformer for sherpa-onnx"),
        (WHISPER_ONNX, "Whisper for sherpa-onnx"),
        (WHISPER_ENGLISH, "Whisper (English only) for sherpa-onnx"),
        (WHISPER_CT2, "Whisper for faster-whisper (CTranslate2)"),
    ],
)
def test_a_model_is_recognised_by_its_files_whatever_the_folders_name(folder, files, title):
    model = recognise(folder("some-name", files), LAYOUTS)
    assert model and model.layout.title == title
    assert all(path.is_file() for path in model.files.values())


def test_of_two_precisions_the_small_one_is_used(folder):
    model = recognise(folder("w", WHISPER_ONNX), LAYOUTS)
    assert model and (model.files["encoder"].name, model.files["decoder"].name) == (
        "small-encoder.int8.onnx",
        "small-decoder.onnx",
    )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no file of a known speech model"),
        ({k: v for k, v in WHISPER_CT2.items() if k != "tokenizer.json"}, "lacks tokenizer.json"),
        ({"model.onnx": "", "tokens.txt": "<blk> 0\n<sos/eos> 1\n"}, "neither SenseVoice's nor Paraformer's"),
        ({"model.onnx": "", "tokens.txt": "\n\n"}, "neither SenseVoice's nor Paraformer's"),
    ],
)
def test_an_unknown_layout_says_what_it_lacks(folder, files, said):
    place = folder("m", files)
    assert recognise(place, LAYOUTS) is None
    assert said in lacking(place, LAYOUTS)
    engine = LocalEngine(LocalSettings((place,)))
    assert said in str(engine.problem()) and str(place) in str(engine.problem())


def test_without_a_folder_the_problem_names_the_setting(tmp_path):
    assert "TIKOMNI_LOCAL_ASR_MODEL_DIR" in str(LocalEngine(LocalSettings.of("", 60)).problem())
    missing = tmp_path / "nowhere"
    assert f"{missing} is not a folder" in str(LocalEngine(LocalSettings.of(str(missing), 60)).problem())


def test_a_missing_extra_is_named_with_the_command_that_adds_it(folder):
    known = table(
        {
            "layouts": [
                {
                    "kind": "whisper",
                    "title": "A model",
                    "engine": "nobody:Nobody",
                    "needs": ["a_module_that_nobody_has"],
                    "files": {"model": ["model.bin"]},
                    "languages": ["*"],
                    "detects": True,
                }
            ],
            "order": {"other": ["whisper"]},
        }
    )
    problem = str(LocalEngine(LocalSettings((folder("m", WHISPER_CT2),)), known).problem())
    assert "a_module_that_nobody_has" in problem and "tikomni-skills env --extra local-asr" in problem


def test_several_folders_are_separated_as_in_path(tmp_path):
    settings = LocalSettings.of(f"{tmp_path / 'a'}{os.pathsep} {tmp_path / 'b'}{os.pathsep}", 60)
    assert settings.model_dirs == (tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("language", "there", "serves"),
    [
        ("zh", ("whisper", "paraformer", "sense_voice"), "sense_voice"),
        ("zh", ("whisper", "paraformer"), "paraformer"),
        ("zh", ("whisper",), "whisper"),
        ("zh", ("english",), None),
        ("yue", ("paraformer", "whisper"), "whisper"),
        ("en", ("sense_voice", "whisper"), "whisper"),
        ("en", ("sense_voice", "english"), "english"),
        ("en", ("sense_voice",), "sense_voice"),
        ("en", ("paraformer",), None),
        ("fr", ("sense_voice", "whisper"), "whisper"),
        ("fr", ("sense_voice",), None),
        (None, ("paraformer", "english", "sense_voice"), "sense_voice"),
        (None, ("sense_voice", "whisper"), "whisper"),
        (None, ("paraformer", "english"), None),
    ],
)
def test_the_language_chooses_the_model(folder, language, there, serves):
    files = {
        "sense_voice": SENSE_VOICE,
        "paraformer": PARAFORMER,
        "whisper": WHISPER_CT2,
        "english": WHISPER_ENGLISH,
    }
    models = [recognise(folder(name, files[name]), LAYOUTS) for name in there]
    chosen = choose([m for m in models if m], language, ORDER)
    assert (chosen.folder.name if chosen else None) == serves


@pytest.mark.parametrize(
    ("tag", "code"),
    [("zh-CN", "zh"), ("cmn", "zh"), ("EN_us", "en"), ("yue", "yue"), ("source", None), ("", None), (None, None)],
)
def test_a_language_tag_is_reduced_to_its_code(tag, code):
    assert plain_language(tag) == code


# --- how far a text is to be trusted


def heard(*texts: str, no_speech: float = 0.1, logprob: float = -0.3, probability: float | None = None) -> Heard:
    utterances = tuple(Utterance(i * 1000, i * 1000 + 900, t, no_speech, logprob) for i, t in enumerate(texts))
    return Heard("zh", utterances, probability)


PROMPT = "以下是普通话的句子。"
PLAIN = "今天我们讲三个做饭的窍门。", "第一个是先把锅烧热。"


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        (heard(*PLAIN), ()),
        (heard(*PLAIN, no_speech=0.9), ("no_speech_likely",)),
        (heard(*PLAIN, logprob=-1.4), ("low_confidence",)),
        (heard(*PLAIN, probability=0.3), ("language_unsure",)),
        (heard(*PLAIN, probability=0.9), ()),
        (heard("好的好的好的好的好的好的好的"), ("repetition",)),
        (heard("thank you. " * 30), ("repetition",)),
        (heard(*["谢谢大家。"] * 6), ("repetition",)),
        (heard(*PLAIN, "哈哈哈哈"), ()),
        (heard(*PLAIN, PROMPT), ("prompt_echo",)),
        (heard(*PLAIN, PROMPT + "我们开始吧。"), ("prompt_echo",)),
    ],
)
def test_doubts_mark_a_text_as_degraded(said, reasons):
    transcript = judged(said, PROMPT, "whisper/m").transcript
    assert transcript and transcript.quality_reasons == reasons
    assert transcript.quality == ("degraded" if reasons else "good")


def test_what_the_model_was_told_never_poses_as_what_was_said():
    result = judged(heard(PLAIN[0], "以下是普通话的句子"), PROMPT, "whisper/m")
    assert result.transcript and result.transcript.raw == PLAIN[0]
    assert judged(heard(PROMPT * 3), PROMPT, "whisper/m") == Words(reason="local_not_understood")


def test_nothing_recognised_is_no_speech():
    assert judged(heard(), None, "whisper/m") == Words(reason="no_speech")


def test_a_clip_may_take_twice_its_length_and_at_least_half_a_minute():
    settings = LocalSettings()
    assert [time_limit(ms, settings) for ms in (None, 4_000, 60_000)] == [30, 30, 120]


def test_a_long_clip_is_heard_in_parts_that_are_cut_where_nobody_speaks():
    assert list(parts([(1, 4), (5, 9), (12, 20), (50, 55), (56, 59)], 10)) == [(1, 9), (12, 20), (50, 59)]
    assert list(parts([(0, 30), (31, 32)], 10)) == [(0, 30), (31, 32)]
    assert list(parts([], 10)) == []


# --- worker processes


@pytest.fixture
def scripted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Callable[..., Path]
) -> Callable[..., LocalEngine]:
    """An engine over folders whose models are scripted; ``sense_voice`` serves Chinese, ``whisper`` everything."""
    monkeypatch.syspath_prepend(SCRIPTED)

    def make(*kinds: str, weights: str = "", **settings: Any) -> LocalEngine:
        def layout(kind: str, languages: list[str]) -> dict[str, Any]:
            return {
                "kind": kind,
                "title": kind,
                "engine": "scripted_engine:Scripted",
                "needs": [],
                "files": {"model": [f"{kind}.weights"]},
                "languages": languages,
                "detects": True,
            }

        known = table({"layouts": [layout("sense_voice", ["zh"]), layout("whisper", ["*"])], "order": dict(ORDER)})
        places = tuple(folder(f"my-{kind}", {f"{kind}.weights": weights}) for kind in kinds)
        return LocalEngine(LocalSettings(places, **settings), known)

    return make


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., LocalClip]:
    def make(media: str, language: str | None = "zh", said: Heard | None = None, seconds: float = 3, **script: Any):
        from dataclasses import asdict

        path = tmp_path / f"{media}.json"
        path.write_text(json.dumps({"seconds": seconds, "heard": asdict(said or heard(*PLAIN)), **script}))
        return LocalClip(media, path, language, round(seconds * 1000))

    return make


def transcribe(engine: LocalEngine, *clips: LocalClip, seconds: float | None = None) -> dict[str, Words]:
    return asyncio.run(engine.transcribe(clips, Deadline(seconds), Progress("none")))


def test_chinese_words_come_back_with_times_and_their_model(scripted, clip):
    result = transcribe(scripted("sense_voice", "whisper"), clip("a"), clip("b"), clip("c"))
    assert list(result) == ["a", "b", "c"]
    transcript = result["a"].transcript
    assert transcript and (transcript.source, transcript.language) == ("local", "zh")
    assert transcript.model == "sense_voice/my-sense_voice"
    assert transcript.raw == "\n".join(PLAIN)
    assert [(s.start_ms, s.end_ms, s.text) for s in transcript.segments] == [(0, 900, PLAIN[0]), (1000, 1900, PLAIN[1])]
    assert (transcript.quality, result["a"].reason) == ("good", None)


def test_a_clip_that_turns_out_to_be_chinese_is_heard_by_the_chinese_model(scripted, clip):
    unknown = clip("a", language=None)
    engine = scripted("whisper", "sense_voice")
    result = transcribe(engine, unknown, clip("b", language="en"))
    assert result["a"].transcript.model == "sense_voice/my-sense_voice"
    assert result["b"].transcript.model == "whisper/my-whisper"


def test_a_language_that_no_model_knows(scripted, clip):
    assert transcribe(scripted("sense_voice"), clip("a", "fr"))["a"].reason == "local_no_model"


def test_workers_get_no_settings_and_no_keys(scripted, clip, monkeypatch):
    secrets = {"TIKOMNI_API_KEY": "key-1234567", "TIKOMNI_DOUYIN_COOKIE": "c=1234567", "MY_ACCOUNT": "key-7654321"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TIKOMNI_API_KEY_ENV", "MY_ACCOUNT")

    seen = transcribe(scripted("whisper"), clip("a", does="environment"))["a"].transcript
    assert seen
    environ = json.loads(seen.raw)
    assert environ["OMP_NUM_THREADS"] == "1" and environ["HF_HUB_OFFLINE"] == "1"
    assert not [name for name in environ if name.upper().startswith("TIKOMNI_")]
    assert not [value for value in secrets.values() if value in seen.raw]


def test_a_stuck_clip_is_killed_and_the_others_are_heard(scripted, clip, tmp_path):
    stuck = clip("stuck", does="hang", pid_file=str(tmp_path / "pid"))
    engine = scripted("whisper", workers=1, least_seconds=3, seconds_per_second=0)
    result = transcribe(engine, stuck, clip("fine"))
    assert result["stuck"].reason == "local_timeout"
    assert result["fine"].transcript.quality == "good"
    assert ended(int((tmp_path / "pid").read_text()))


def test_a_crash_or_a_failure_costs_its_own_clip_only(scripted, clip):
    engine = scripted("whisper", workers=1, most_seconds=60)
    clips = clip("crash", does="crash"), clip("fail", does="fail"), clip("long", seconds=61), clip("fine")
    result = transcribe(engine, *clips)
    assert {media: r.reason for media, r in result.items()} == {
        "crash": "local_crashed",
        "fail": "local_failed",
        "long": "duration_too_long",
        "fine": None,
    }


def test_a_folder_of_broken_files_is_said_for_every_clip_and_why(scripted, clip, capsys):
    engine = scripted("whisper", weights="broken")
    result = asyncio.run(engine.transcribe([clip("a"), clip("b")], Deadline(), Progress("jsonl")))
    assert {r.reason for r in result.values()} == {"local_model_unusable"}
    assert "these are not weights" in capsys.readouterr().err


def test_at_the_deadline_what_is_not_heard_is_pending(scripted, clip, tmp_path):
    engine = scripted("whisper", workers=1)
    stuck = clip("stuck", does="hang", pid_file=str(tmp_path / "pid"))
    result = transcribe(engine, stuck, clip("next"), seconds=2)
    assert {media: r.reason for media, r in result.items()} == {"stuck": "local_pending", "next": "local_pending"}


def test_a_run_that_is_interrupted_leaves_no_worker(scripted, clip, tmp_path):
    pid_file = tmp_path / "pid"
    stuck = clip("stuck", does="hang", pid_file=str(pid_file))

    async def interrupted() -> None:
        run = asyncio.create_task(scripted("whisper").transcribe([stuck], Deadline(), Progress("none")))
        await asyncio.to_thread(wait_for, pid_file.exists)
        run.cancel()
        await asyncio.wait([run])
        assert run.cancelled()

    asyncio.run(interrupted())
    assert ended(int(pid_file.read_text()))


def test_progress_counts_clips(scripted, clip, capsys):
    asyncio.run(scripted("whisper").transcribe([clip("a"), clip("b")], Deadline(), Progress("jsonl")))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["stage"], line["done"], line["total"]) for line in lines] == [("local", 1, 2), ("local", 2, 2)]


PARENT = """
import asyncio, json, sys
from pathlib import Path
from tikomni.transcripts.workers import Worker

async def main(weights, clip):
    worker = await Worker.start("scripted_engine:Scripted", {"model": Path(weights)}, 60)
    await worker.hear(Path(clip), "zh", None, 60, lambda ms: 600)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_workers_end_with_a_parent_that_was_killed(clip, folder, tmp_path):
    pid_file = tmp_path / "pid"
    weights = folder("m", {"whisper.weights": ""}) / "whisper.weights"
    stuck = clip("stuck", does="hang", pid_file=str(pid_file))
    lib = Path(__file__).resolve().parents[2] / "lib"
    environ = {**os.environ, "PYTHONPATH": f"{SCRIPTED}{os.pathsep}{lib}"}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(weights), str(stuck.path)], env=environ)
    wait_for(pid_file.exists)
    worker = int(pid_file.read_text())
    assert not ended(worker)
    parent.kill()
    parent.wait()
    wait_for(lambda: ended(worker))


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")  # a zombie that nobody has buried yet has ended, too
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def wait_for(true: Callable[[], bool]) -> None:
    """Fails the test where it does not come true within a minute."""
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)
