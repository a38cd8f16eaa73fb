"""Two recordings held against each other, as text for a terminal and as the JSON of `tapeinspect diff`."""

from __future__ import annotations

import dataclasses
import math
import os
from typing import Any

from tapeinspect.analysis.recordings.records import Comparison, GradientPair, OpPair, StepPair, Verdict
from tapeinspect.report import recordings_code
from tapeinspect.report.colours import Painter, visible
from tapeinspect.trace.distance import Distance
from tapeinspect.trace.records import OpRow

_WORDS: dict[Verdict, str] = {"same": "the same", "rounding": "apart by rounding", "real": "different"}
_COLOURS: dict[str, str] = {"same": "32", "rounding": "33", "real": "31", "dim": "2", "strong": "1"}
_SHOWN = 12
"""Gradients listed for a batch."""


def text(
    comparison: Comparison, names: tuple[str, str], colour: bool = False, only: str | None = None
) -> str:
    """What differs, from the first difference on; a closing newline. names: of the two recordings.

    only: "code", "ops" or "values" for that part alone.
    """
    paint = _paint if colour else _plain
    lines = [paint(f"{names[0]} against {names[1]}: {_headline(comparison)}", comparison.verdict)]
    lines += [f"  {what}: {visible(a)} | {visible(b)}" for what, a, b in comparison.facts]
    for path, changed in comparison.edited:
        count = "1 line" if changed == 1 else f"{changed} lines"
        lines.append(
            f"  {visible(os.path.basename(path))}: {count} of the source differ; ops are paired across the edit"
        )
    if comparison.steps_first != comparison.steps_second:
        lines.append(f"  batches: {comparison.steps_first} | {comparison.steps_second}")
    if comparison.verdict == "real":
        lines.append(f"  first difference: {_firsts(comparison)}")
    lines.append(f"  {_compared_by(comparison)}")
    if only in (None, "code"):
        lines += recordings_code.lines(comparison, Painter(colour), only == "code")
    for step in _telling(comparison) if only != "code" else ():
        lines += ["", *_step(step, paint, only)]
    return "\n".join(lines) + "\n"


def _firsts(comparison: Comparison) -> str:
    """`in ops none, in values batch 4, in gradients batch 4`."""
    found = dataclasses.asdict(comparison.firsts()).items()
    return ", ".join(f"in {what} {'none' if step is None else f'batch {step}'}" for what, step in found)


def _compared_by(comparison: Comparison) -> str:
    """Whether elements were compared, or norms."""
    ops = sum(step.same + step.rounding + step.real for step in comparison.steps)
    gradients = [pair for step in comparison.steps for pair in step.gradients]
    by_element = sum(step.elements for step in comparison.steps)
    known = sum(pair.far is not None for pair in gradients)
    if not by_element and not known:
        return "compared by norms: record both with --values full to compare the elements"
    return (
        f"compared element by element where both hold the values ({by_element:,} of {ops:,} pairs of ops,"
        f" {known:,} of {len(gradients):,} gradients), by norms elsewhere"
    )


def _headline(comparison: Comparison) -> str:
    steps = len(comparison.steps)
    batches = "1 batch" if steps == 1 else f"{steps} batches"
    ops = sum(step.same + step.rounding + step.real for step in comparison.steps)
    if comparison.verdict == "same":
        return f"the same in {batches}, {ops:,} pairs of ops"
    if comparison.verdict == "rounding":
        return f"apart by no more than rounding in {batches}, {ops:,} pairs of ops"
    first = comparison.first("real")
    return f"different from batch {first.step} on" if first else "different in the number of batches"


def _telling(comparison: Comparison) -> list[StepPair]:
    """The batches worth showing: the first of each verdict that is not "the same", and the last."""
    found = [comparison.first("rounding"), comparison.first("real")]
    if comparison.verdict != "same" and comparison.steps:
        found.append(comparison.steps[-1])
    return sorted(
        {step.step: step for step in found if step is not None}.values(), key=lambda step: step.step
    )


def _step(step: StepPair, paint: Any, only: str | None = None) -> list[str]:
    lines = [
        paint(f"batch {step.step}", "strong")
        + f"  loss {_figure(step.loss_first)} | {_figure(step.loss_second)}"
        + f"  ops: {step.same:,} the same, {step.rounding:,} rounding, {step.real:,} different,"
        + f" {step.only_first:,} only in the first, {step.only_second:,} only in the second"
    ]
    if step.first_op is not None:
        which = "second" if step.first_op.first is None else "first"
        row = step.first_op.any
        lines.append(f"  first op that only the {which} ran: {paint(_op(row), 'real')}")
    if step.first_value is not None:
        lines.append(f"  first op that differs: {paint(_value(step.first_value), step.first_value.verdict)}")
    return lines if only == "ops" else lines + _gradients(step, paint)


def _gradients(step: StepPair, paint: Any) -> list[str]:
    apart = [pair for pair in step.gradients if pair.verdict != "same"]
    lines = [f"  gradient {_gradient(pair, paint)}" for pair in apart[:_SHOWN]]
    if len(apart) > _SHOWN:
        lines.append(f"  and {len(apart) - _SHOWN} more gradients")
    if step.gradients and not apart:
        elements = all(pair.far is not None for pair in step.gradients)
        lines.append(f"  gradients: the same {'bits' if elements else 'norms'}, all {len(step.gradients)}")
    return lines


def _op(row: OpRow) -> str:
    return f"{visible(row.type)} at {_place(row)}"


def _place(row: OpRow) -> str:
    return f"{visible(os.path.basename(row.path))}:{row.line}" if row.path else "a place outside of your code"


def _value(pair: OpPair) -> str:
    assert pair.first is not None and pair.second is not None
    what = f"{visible(pair.first.type)} at {_place(pair.first)}"
    if pair.first.line != pair.second.line:
        what += f" | {_place(pair.second)}"
    if pair.first.bad != pair.second.bad:
        return f"{what}, NaN or Inf in the {'first' if pair.first.bad else 'second'} only"
    if pair.far is not None:
        return f"{what}, {_far(pair.far)}"
    relative = f", {pair.relative:.2g} apart" if pair.relative is not None else ""
    return f"{what}, norm {_figure(pair.first.norm)} | {_figure(pair.second.norm)}{relative}"


def _far(far: Distance) -> str:
    """`up to 1.5e-07, relative 3e-06, 4 ULP`: of the elements."""
    if far.max_abs is None:
        return "of another shape or type"
    relative = f", relative {far.max_rel:.3g}" if far.max_rel is not None else ""
    ulp = f", {far.ulp:,} ULP" if far.ulp is not None else ""
    return f"elements up to {far.max_abs:.3g} apart{relative}{ulp}"


def _gradient(pair: GradientPair, paint: Any) -> str:
    what = pair.note or f"norm {_figure(pair.first)} | {_figure(pair.second)}"
    if pair.far is not None:
        what += f", {_far(pair.far)}"
    return f"{visible(pair.variable)}: {what}  {paint(_WORDS[pair.verdict], pair.verdict)}"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.7g}"


def _paint(text: str, tone: str) -> str:
    return f"\x1b[{_COLOURS[tone]}m{text}\x1b[0m"


def _plain(text: str, tone: str) -> str:
    return text


def json_body(comparison: Comparison) -> dict[str, Any]:
    """The object that `tapeinspect diff --format json` prints; `compared` says what figures are of."""
    telling = comparison.first("real") or comparison.first("rounding")
    pair = None if telling is None else telling.first_value or telling.first_op
    return {
        "verdict": "different" if comparison.verdict == "real" else "same",
        "findings": [_finding(step) for step in _telling(comparison)],
        "first_difference": None if pair is None else _first(pair),
        "gradients": [] if telling is None else [_gradient_json(gradient) for gradient in telling.gradients],
        "eager_seconds": None,
        "traced_seconds": None,
        "trace_seconds": None,
        "first_batches": dataclasses.asdict(comparison.firsts()),
        "facts": [{"name": name, "first": a, "second": b} for name, a, b in comparison.facts],
        "edited": [{"file": path, "lines": lines} for path, lines in comparison.edited],
        "batches": [comparison.steps_first, comparison.steps_second],
        "code": recordings_code.json_objects(comparison),
    }


def _finding(step: StepPair) -> dict[str, Any]:
    pair = step.first_value or step.first_op
    row = None if pair is None else pair.any
    return {
        "rule": "recordings-differ" if step.verdict == "real" else "recordings-round",
        "severity": "error" if step.verdict == "real" else "info",
        "step": step.step,
        "file": row.path if row else None,
        "line": row.line if row else None,
        "message": "; ".join(line.strip() for line in _step(step, _plain)),
    }


def _first(pair: OpPair) -> dict[str, Any]:
    row = pair.any
    norms = [op.norm for op in (pair.first, pair.second) if op is not None]
    known = len(norms) == 2 and None not in norms
    apart = abs(norms[0] - norms[1]) if known else None  # type: ignore[operator]
    return {
        "file": row.path,
        "line": row.line,
        "type": row.type,
        "max_abs": apart if pair.far is None else _finite(pair.far.max_abs),
        "compared": "norms" if pair.far is None else "elements",
    }


def _gradient_json(pair: GradientPair) -> dict[str, Any]:
    known = pair.first is not None and pair.second is not None
    apart = abs(pair.first - pair.second) if known else None  # type: ignore[operator]
    larger = max(pair.first, pair.second) if known else None  # type: ignore[type-var]
    relative = apart / larger if apart is not None and larger else None
    far = pair.far
    return {
        "variable": pair.variable,
        "max_abs": apart if far is None else _finite(far.max_abs),
        "max_rel": relative if far is None else _finite(far.max_rel),
        "ulp": None if far is None else far.ulp,
        "verdict": "bit-equal" if pair.verdict == "same" else pair.verdict,
        "compared": "norms" if far is None else "elements",
    }


def _finite(figure: float | None) -> float | None:
    """JSON has no infinity."""
    return figure if figure is not None and math.isfinite(figure) else None
