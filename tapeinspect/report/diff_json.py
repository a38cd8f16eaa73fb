"""A comparison of eager and traced as one JSON object. The names and meanings of the fields are a contract."""

from __future__ import annotations

import json
import math
from typing import Any, TextIO

from tapeinspect.report.diff_code import code_object
from tapeinspect.report.loop_body import loop_object
from tapeinspect.trace.diff_request import grappler_list, memory_object, xla_object
from tapeinspect.trace.differences import Difference, DiffOp, DiffValue, Far, by_line
from tapeinspect.trace.reader import TraceReader


def write(
    reader: TraceReader,
    diff: Difference,
    stream: TextIO,
    *,
    colour: bool = False,
    only: str | None = None,
    width: int = 0,
) -> None:
    """Write a comparison. only: the part that was asked for; what was not compared for it is empty."""
    stream.write(json.dumps(body(reader, diff, only), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def body(reader: TraceReader, diff: Difference, only: str | None = None) -> dict[str, Any]:
    """The object."""
    ops, values = reader.differences.ops(diff.id), reader.differences.values(diff.id)
    first = next((op for op in ops if op.id == diff.first_op), None)
    return {
        "verdict": diff.verdict,
        "step": diff.step,
        "function": diff.function,
        "file": diff.path,
        "line": diff.line,
        "findings": [
            {
                "rule": f.rule,
                "severity": f.severity,
                "file": f.path,
                "line": f.line,
                "message": f.message,
                "hint": f.hint,
            }
            for f in reader.differences.findings(diff.id)
        ],
        "first_difference": None if first is None else _first(first),
        "gradients": _values(values, "gradient", "variable"),
        "outputs": _values(values, "output", "name"),
        "variables": _values(values, "variable", "variable"),
        "lines": [
            {
                "file": line.path,
                "line": line.line,
                "eager_ops": line.eager,
                "traced_ops": line.traced,
                "only_eager": line.only_eager,
                "only_traced": line.only_traced,
                "folded": line.folded,
                "verdict": line.verdict,
            }
            for line in by_line(ops)
        ],
        "eager_seconds": diff.eager_seconds,
        "traced_seconds": diff.traced_seconds,
        "trace_seconds": diff.trace_seconds,
        "break_even_batches": None if diff.break_even is None else math.ceil(diff.break_even),
        "code": code_object(reader, diff),
        "memory": memory_object(reader.differences.memory(diff.id)),
        "xla": xla_object(reader.differences.compiled(diff.id)),
        "grappler": grappler_list(reader.differences.rewritten(diff.id)),
        "notes": list(diff.notes),
        "as_function": loop_object(reader.loop_bodies.of_step(diff.step)),
    }


def _first(op: DiffOp) -> dict[str, Any]:
    return {"file": op.path, "line": op.line, "type": op.type, **_far(op.far)}


def _values(values: list[DiffValue], kind: str, name: str) -> list[dict[str, Any]]:
    """The values of the first call."""
    return [{name: v.name, **_far(v.far)} for v in values if v.kind == kind and v.call == 1]


def _far(far: Far) -> dict[str, Any]:
    return {"max_abs": far.max_abs, "max_rel": far.max_rel, "ulp": far.ulp, "verdict": far.verdict}
