"""Speech models of a few kilobytes that hear the same words in every sound: sherpa-onnx runs them as it runs real ones.

They have the inputs, outputs and metadata that its exports of SenseVoice and Paraformer have, and no knowledge.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES = 560  # seven frames of 80 mel bands
_NORMAL = {"neg_mean": ",".join(["0"] * FEATURES), "inv_stddev": ",".join(["1"] * FEATURES)}
_FRAMES = {"lfr_window_size": 7, "lfr_window_shift": 6}


def sense_voice(folder: Path) -> Path:
    """Says 锅要热。 in Mandarin."""
    tokens = "<unk> <s> </s> <|zh|> <|en|> <|NEUTRAL|> <|Speech|> <|withitn|> 锅 要 热 。".split()
    said = _certain([3, 5, 6, 7, 8, 0, 9, 0, 10, 0, 11], len(tokens))  # four tags, then words between blanks
    nodes = [
        helper.make_node("Shape", ["x"], ["sizes"]),
        helper.make_node("Gather", ["sizes", "second"], ["frames"], axis=0),
        helper.make_node("Concat", ["one", "frames", "one"], ["rest"], axis=0),
        helper.make_node("Expand", ["blank", "rest"], ["silence"]),
        helper.make_node("Concat", ["said", "silence"], ["logits"], axis=1),
    ]
    values = {"said": said, "blank": _certain([0], len(tokens)), "one": np.array([1]), "second": np.array([1])}
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "T", FEATURES]),
        *(helper.make_tensor_value_info(n, TensorProto.INT32, [1]) for n in ("x_length", "language", "text_norm")),
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, None, len(tokens)])]
    codes = {"lang_auto": 0, "lang_zh": 3, "lang_en": 4, "lang_yue": 7, "lang_ja": 11, "lang_ko": 12}
    facts = {"model_type": "sense_voice_ctc", "normalize_samples": 0, "with_itn": 14, "without_itn": 15, **codes}
    return _write(folder, nodes, values, inputs, outputs, tokens, facts)


def paraformer(folder: Path) -> Path:
    """Says 好的 hello."""
    tokens = "<blank> <s> </s> hel@@ lo 好 的 <unk>".split()
    said = _certain([5, 6, 3, 4, 2], len(tokens))
    nodes = [
        helper.make_node("Identity", ["said"], ["logits"]),
        helper.make_node("Identity", ["count"], ["token_num"]),
    ]
    inputs = [
        helper.make_tensor_value_info("speech", TensorProto.FLOAT, [1, "T", FEATURES]),
        helper.make_tensor_value_info("speech_lengths", TensorProto.INT32, [1]),
    ]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, list(said.shape)),
        helper.make_tensor_value_info("token_num", TensorProto.INT32, [1]),
    ]
    values = {"said": said, "count": np.array([said.shape[1]], np.int32)}
    return _write(folder, nodes, values, inputs, outputs, tokens, {"model_type": "paraformer"})


def _certain(ids: Sequence[int], size: int) -> np.ndarray:
    logits = np.full((1, len(ids), size), -10, np.float32)
    logits[0, range(len(ids)), ids] = 10
    return logits


def _write(
    folder: Path, nodes: list[Any], values: dict[str, np.ndarray], inputs: list[Any], outputs: list[Any],
    tokens: list[str], facts: dict[str, Any],
) -> Path:  # fmt: skip
    folder.mkdir()
    constants = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "fixed", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(
        model, {k: str(v) for k, v in {**facts, "vocab_size": len(tokens), **_FRAMES, **_NORMAL}.items()}
    )
    onnx.save(model, str(folder / "model.onnx"))
    (folder / "tokens.txt").write_text("".join(f"{t} {i}\n" for i, t in enumerate(tokens)), encoding="utf-8")
    return folder
