"""Comparisons of an invented step, written into an invented recording."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.ui.build import recording

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


def with_comparison(path: Path, verdict: str = "different", ops: bool = True, findings: bool = True) -> Path:
    """Three batches, and a comparison on the second."""
    recording(path, batches=3)
    with sqlite3.connect(path) as connection:
        for table, rows in comparison(verdict, ops, findings).items():
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


def _far(far: tuple[str, float, float, int] | None) -> tuple[object, ...]:
    return (None, None, None, None) if far is None else (far[1], far[2], far[3], far[0])
