"""Comparisons of an invented step, written into an invented recording."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.ui.build import SOURCE, recording

SAME = ("bit-equal", 0.0, 0.0, 0)
ROUNDING = ("rounding", 3e-8, 2e-6, 21)
REAL = ("real", 0.25, 0.5, 4_194_304)
# relation, type, type in the graph, line, how far, why
OPS = (
    ("equal", "Conv2D", None, 15, SAME, ""),
    ("equal", "Relu", None, 15, ROUNDING, ""),
    ("eager", "All", None, 16, None, "the graph holds the check as an Assert"),
    ("equal", "RandomUniform", None, 17, REAL, "random numbers of NumPy are frozen into the graph"),
    ("folded", "Const", None, 17, None, "a constant"),
    ("traced", "Identity", None, 19, None, ""),
    ("moved", "Mul", "Mul", 19, SAME, ""),
    ("equal", "MatMul", "BatchMatMulV2", 19, ROUNDING, ""),
)
VALUES = (
    ("output", "loss_value", 1, REAL, ""), ("gradient", "conv2d/kernel", 1, ROUNDING, ""),
    ("gradient", "dense/bias", 1, SAME, ""), ("variable", "dense/bias", 1, SAME, ""),
    ("variable", "dense/bias", 2, REAL, "the graph's own random numbers"),
)  # fmt: skip
FINDINGS = (
    ("frozen-random", "error", 17, "np.random.rand() was drawn once, while tracing: every call gets that number",
     "use tf.random.uniform([])"),
    ("python-side-effect", "warning", 18, "loss_history.append runs once for each trace, not for each batch",
     "return the loss and append it where the step is called"),
)  # fmt: skip


GENERATED = """def tf__train_step(images, labels):
    with ag__.FunctionScope('train_step', 'fscope', ag__.ConversionOptions(recursive=True)) as fscope:
        with ag__.ld(tf).GradientTape() as tape:
            logits = ag__.converted_call(ag__.ld(model), (ag__.ld(images),), dict(training=True), fscope)
            ag__.converted_call(ag__.ld(tf).debugging.assert_equal, (ag__.ld(logits).shape, (32, 10)), None, fscope)
            loss_value = ag__.converted_call(ag__.ld(loss_object), (ag__.ld(labels), ag__.ld(logits)), None, fscope)
        ag__.converted_call(ag__.ld(loss_history).append, (ag__.ld(loss_value),), None, fscope)
        grads = ag__.converted_call(ag__.ld(tape).gradient, (ag__.ld(loss_value), ag__.ld(variables)), None, fscope)
        ag__.converted_call(ag__.ld(optimizer).apply_gradients, (zip(grads, variables),), None, fscope)


"""
GENERATED_LINES = ((1, 13), (3, 14), (4, 15), (5, 16), (6, 17), (7, 18), (8, 19), (9, 20))
XLA_VALUES = (
    ("output", "loss_value", SAME), ("gradient", "conv2d/kernel", ROUNDING), ("gradient", "dense/bias", REAL),
    ("variable", "dense/bias", SAME),
)  # fmt: skip
REWRITTEN = (
    ("fused", "Conv2D", "conv", "_FusedConv2D", 15), ("fused", "Relu", "relu", "_FusedConv2D", 15),
    ("removed", "Identity", "identity", "", 19), ("added", "Const", "new", "", None),
)  # fmt: skip


def with_comparison(path: Path, verdict: str = "different", ops: bool = True, findings: bool = True,
                    code: bool = True, xla: str | None = None) -> Path:  # fmt: skip
    """Three batches, and a comparison on the second.

    code: with AutoGraph's source. xla: what came of XLA, with what Grappler did.
    """
    recording(path, batches=3)
    tables = comparison(verdict, ops, findings)
    if code:
        tables |= generated(verdict)
    if xla is not None:
        tables |= on_request(xla)
    with sqlite3.connect(path) as connection:
        for table, rows in tables.items():
            marks = ",".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    connection.close()
    return path


def comparison(verdict: str, ops: bool, findings: bool) -> dict[str, list[tuple[object, ...]]]:
    """The rows of one comparison, by table."""
    times = (0.1, 0.02, 1.6) if verdict != "fails_to_trace" else (0.1, None, None)
    found: dict[str, list[tuple[object, ...]]] = {
        "diff": [(1, 2, "train_step", 1, 13, verdict, None, *times, len(OPS) if ops else 0, 4 if ops else None,
                  json.dumps([]))]
    }  # fmt: skip
    found["diff_memory"] = [(1, "cpu", 201_330_688, 67_112_960 if verdict != "fails_to_trace" else None)]
    if ops:
        found["diff_op"] = [
            (i, 1, relation, type, traced, 1, line, 20 if relation == "moved" else None, None, 0, "float32",
             "[32, 10]", *_far(far), why)
            for i, (relation, type, traced, line, far, why) in enumerate(OPS, 1)
        ]  # fmt: skip
        found["diff_value"] = [
            (i, 1, kind, name, call, *_far(far), note)
            for i, (kind, name, call, far, note) in enumerate(VALUES, 1)
        ]
    if findings:
        found["diff_finding"] = [
            (i, 1, rule, severity, 1, line, message, hint)
            for i, (rule, severity, line, message, hint) in enumerate(FINDINGS, 1)
        ]
    return found


def generated(verdict: str) -> dict[str, list[tuple[object, ...]]]:
    """What AutoGraph made of the step and of a helper that it calls."""
    status = "failed" if verdict == "fails_to_trace" else "traced"
    own = "\n".join(SOURCE.split("\n")[12:20])
    rest = "\n".join(SOURCE.split("\n")[22:26])
    head = (1, 1, None, None, "train_step", "__main__", "function", "user", 1, 13, 20, None, None, 1)
    other = (2, 1, 1, None, "train", "__main__", "function", "user", 1, 23, 26, 1, 17, 2)
    return {
        "ag_run": [(1, 2, "train_step", 1, 13, status, "", "", 90, 0.02, 1.6)],
        "ag_function": [(*head, "converted", "", "", own, GENERATED),
                        (*other, "not_converted", "do_not_convert", "it is told not to be", rest, None)],
        "ag_line": [(1, *pair) for pair in GENERATED_LINES],
        "ag_fold": [(1, 2, 2, "scope")],
        "ag_construct": [(1, 1, 1, 18, 18, None, None, "append", "python", 1, "The list grows while tracing.", "{}")],
        "diff_code": [(1, 1)],
    }  # fmt: skip


def on_request(verdict: str) -> dict[str, list[tuple[object, ...]]]:
    """What XLA and Grappler made of the step."""
    found: dict[str, list[tuple[object, ...]]] = {
        "diff_xla": [(1, verdict, *((None, None) if verdict == "not_compiled" else (0.01, 2.5)))],
        "diff_grappler": [(1, len(REWRITTEN))],
        "diff_rewritten": [
            (i, 1, change, type, name, becomes, 1 if line else None, line)
            for i, (change, type, name, becomes, line) in enumerate(REWRITTEN, 1)
        ],
    }
    if verdict != "not_compiled":
        found["diff_xla_value"] = [
            (i, 1, kind, name, *_far(far), "") for i, (kind, name, far) in enumerate(XLA_VALUES, 1)
        ]
    message, hint = "XLA drops this check, Assert: compiled, the step goes on", "check what the step returns"
    rule, severity = "xla-drops-check", "info"
    if verdict == "not_compiled":
        rule, severity, message = (
            "xla-not-compiled",
            "warning",
            "XLA cannot compile StringFormat: it has no such op",
        )
    found["diff_finding"] = [
        *((i, 1, rule, severity, 1, line, text, hint)
          for i, (rule, severity, line, text, hint) in enumerate(FINDINGS, 1)),
        (len(FINDINGS) + 1, 1, rule, severity, 1, 16, message, hint),
    ]  # fmt: skip
    return found


def _far(far: tuple[str, float, float, int] | None) -> tuple[object, ...]:
    return (None, None, None, None) if far is None else (far[1], far[2], far[3], far[0])
