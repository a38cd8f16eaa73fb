"""AutoGraph's rows of a recording: the sources are what TensorFlow 2.21 makes of SOURCE, the figures invented."""

from __future__ import annotations

import json
from pathlib import Path

from tapeinspect.trace.writer import TraceWriter
from tests.ui import build

PATH = "/home/ada/steps.py"
FILE, KERAS = 11, 12
_SOURCES = Path(__file__).with_name("sources")
SOURCE = (_SOURCES / "steps.txt").read_text()
CLIP = (_SOURCES / "clip.generated.txt").read_text()
TRAIN_STEP = (_SOURCES / "train_step.generated.txt").read_text()
CLIP_LINES = {
    1: 9, 2: 10, 6: 11, 8: 12, 11: 12, 15: 12, 17: 13, 18: 14, 19: 14, 21: 12, 22: 12, 23: 12, 25: 15, 28: 15,
    31: 15, 32: 16, 34: 15, 36: 15, 37: 17, 39: 17,
}  # fmt: skip
TRAIN_STEP_LINES = {
    1: 20, 5: 21, 6: 22, 7: 23, 9: 24, 12: 24, 16: 24, 18: 25, 20: 24, 22: 27, 23: 24, 24: 28, 26: 29, 29: 29,
    33: 29, 35: 29, 36: 30, 37: 30, 38: 29, 39: 29, 40: 32, 41: 33, 42: 34, 44: 34,
}  # fmt: skip
CLIP_FOLDS = ((3, 5, "scope"), (8, 9, "get_state"), (11, 13, "set_state"), (16, 16, "declaration"),
              (25, 26, "get_state"), (28, 29, "set_state"), (34, 35, "branch"), (37, 38, "return"),
              (40, 43, "return"))  # fmt: skip
TRAIN_STEP_FOLDS = ((2, 4, "scope"), (9, 10, "get_state"), (12, 14, "set_state"), (17, 17, "declaration"),
                    (21, 21, "declaration"), (26, 27, "get_state"), (29, 31, "set_state"), (34, 34, "declaration"),
                    (38, 38, "undefined"), (42, 43, "return"), (45, 48, "return"))  # fmt: skip
_FUNCTIONS = (
    # id, parent, name, module, kind, role, file, line, end_line, call_line, calls, status, rule, reason
    (1, None, "train_step", "__main__", "function", "user", FILE, 20, 34, None, 1, "converted", "", ""),
    (2, 1, "clip", "__main__", "function", "user", FILE, 9, 17, 25, 1, "converted", "", ""),
    (3, 1, "list.append", "builtins", "builtin", "library", None, None, None, 23, 1, "not_converted", "builtin",
     "it is a builtin of Python's: it runs only while tracing"),
    (4, 1, "Sequential.__call__", "keras.src.layers.layer", "method", "library", KERAS, 800, 950, 22, 1,
     "not_converted", "do_not_convert",
     "Keras marks it with do_not_convert; the `call` of each layer is converted all the same"),
    (5, 1, "Optimizer.apply_gradients", "keras.src.optimizers", "method", "library", KERAS, 400, 460, 33, 1,
     "not_converted", "allow_listed", "it is a part of Keras, which AutoGraph leaves as it is"),
)  # fmt: skip
_CONSTRUCTS = (
    # function, line, construct, became, count, text, detail
    (1, 23, "append", "python", 1, "The list got a symbolic tensor while tracing; it does not grow later.",
     {}),
    (1, 24, "if", "If", 1, "Both branches are in the graph; which one runs is decided each time.",
     {"variables": [{"name": "logits", "text": "float32 (32, 10)"}]}),
    (1, 24, "comparison", "Greater", 1, "Compared by the graph.", {}),
    (1, 29, "for", "python", 2, "The loop ran over a Python list: the graph holds its body 2 times.", {}),
    (1, 34, "return", "python", 1, "The value is handed back at the end of the trace.", {}),
    (2, 12, "while", "While", 1, "The loop runs in the graph.",
     {"variables": [{"name": "x", "text": "float32 (32, 10)", "invariant": "(None, 10)"},
                    {"name": "turns", "text": "int32 ()"}]}),
    (2, 15, "if", "python", 1, "Its condition is a Python value: it was decided while tracing.",
     {"branches": [["if", 0], ["else", 1]]}),
    (2, 16, "print", "not_run", 0, "It was not reached while tracing.", {}),
)  # fmt: skip
_MARKS = (
    (11, "P", 0, 1), (12, "G", 4, 1), (13, "G", 2, 1), (14, "G", 1, 1), (15, "P", 0, 1), (16, "·", 0, 0),
    (17, "P", 0, 1), (21, "P", 0, 1), (22, "G", 14, 1), (23, "P", 0, 1), (24, "G", 3, 1), (25, "P", 0, 1),
    (27, "G", 1, 1), (28, "G", 9, 1), (29, "U", 0, 2), (30, "G", 6, 2), (32, "G", 31, 1), (33, "G", 48, 1),
    (34, "P", 0, 1),
)  # fmt: skip
FINDINGS = (
    ("python-side-effect", "warning", 23,
     "append runs once, while tracing: eagerly the list grows with every batch, traced it gets one symbolic tensor and "
     "never grows again.",
     "Return the logits from the step, or write into a tf.Variable or tf.TensorArray."),
    ("python-print", "info", 16, "print writes while tracing only: eagerly it prints with every call.",
     "Use tf.print."),
)  # fmt: skip
TRACES = (
    # function, line, signature, nodes, number, seconds, caller, cause, argument, why, advice, checked
    ("train_step", 20, "float32 (32, 784), int64 (32,)", 128, 1, 0.41, 40, "first", None, "", "", None),
    ("train_step", 20, "float32 (7, 784), int64 (7,)", 128, 2, 0.18, 40, "shape", "images",
     "images has the shape (7, 784) where it had (32, 784).",
     "Give the batch a free dimension: input_signature=[tf.TensorSpec([None, 784]), tf.TensorSpec([None], tf.int64)], "
     "or make every batch whole: dataset.batch(32, drop_remainder=True).",
     "with this input_signature one trace takes all the calls seen"),
)  # fmt: skip


def rows(writer: TraceWriter, fails: bool = False, step: int | None = 1, traces: bool = False) -> None:
    """One run of AutoGraph over `train_step`; `fails`: its trace raised at line 30."""
    writer.insert("file", [(FILE, PATH, "user", SOURCE), (KERAS, "/lib/keras/layer.py", "library", None)])
    status = "failed" if fails else "traced"
    writer.insert(
        "ag_run", [(1, step, "train_step", FILE, 20, status, "", "", 0 if fails else 119, 0.021, 0.41)]
    )
    source = SOURCE.split("\n")
    texts = {1: TRAIN_STEP, 2: CLIP}
    for id, parent, *names, kind, role, file, line, end, call, calls, status, rule, reason in _FUNCTIONS:
        own = "\n".join(source[line - 1 : end]) if file == FILE else None
        writer.insert("ag_function", [(id, 1, parent, None, *names, kind, role, file, line, end, FILE if call else None,
                                       call, calls, status, rule, reason, own, texts.get(id))])  # fmt: skip
    for id, lines, folds in ((1, TRAIN_STEP_LINES, TRAIN_STEP_FOLDS), (2, CLIP_LINES, CLIP_FOLDS)):
        writer.insert("ag_line", [(id, line, original) for line, original in lines.items()])
        writer.insert("ag_fold", [(id, *fold) for fold in folds])
    for id, (function, line, construct, became, count, text, detail) in enumerate(_CONSTRUCTS, 1):
        writer.insert("ag_construct", [(id, 1, function, line, line, None, None, construct, became, count, text,
                                        json.dumps(detail))])  # fmt: skip
    writer.insert("ag_mark", [(1, FILE, *mark) for mark in _MARKS])
    writer.insert("finding", [(id, rule, severity, step, None, FILE, line, message, hint)
                              for id, (rule, severity, line, message, hint) in enumerate(FINDINGS, 1)])  # fmt: skip
    if fails:
        frames = [
            {
                "file": PATH,
                "line": 25,
                "function": "train_step",
                "code": "logits = clip(logits, 10.0)",
                "user": True,
            },
            {"file": PATH, "line": 13, "function": "clip", "code": "x = x * 0.5", "user": True},
        ]
        writer.insert("ag_failure", [(1, "ValueError", "'x' has shape (32, 10) before the loop, but shape (32, None) "
                                      "after one iteration.", PATH, 13, "clip", json.dumps(frames),
                                      "A loop of the graph keeps the shape of its variables, and this one changes it.",
                                      "Allow it with tf.autograph.experimental.set_loop_options(shape_invariants=…)."
                                      )])  # fmt: skip
    if traces:
        for id, (name, line, signature, nodes, number, seconds, caller, cause, argument, why, advice,
                 checked) in enumerate(TRACES, 1):  # fmt: skip
            arguments = [{"name": "images", "text": signature.split(", int")[0]}]
            writer.insert("trace", [(id, name, FILE, line, signature, nodes, number, 0, None, "function", 7, number,
                                     seconds, FILE, caller, json.dumps(arguments), cause, argument, why, advice,
                                     checked)])  # fmt: skip


def recording(
    path: Path, fails: bool = False, step: int | None = 1, traces: bool = True, batches: int = 3
) -> Path:
    """A recording whose step was traced for AutoGraph."""
    return build.recording(path, batches=batches, more=lambda writer: rows(writer, fails, step, traces))
