"""Holds two recordings against each other: batch by batch, line by line, op by op."""

from __future__ import annotations

import difflib
import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tapeinspect.analysis.recordings.code import code_of
from tapeinspect.analysis.recordings.elements import Elements
from tapeinspect.analysis.recordings.lines import LineMap, line_map
from tapeinspect.analysis.recordings.records import Comparison, GradientPair, OpPair, StepPair, Verdict
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Gradient, OpFilter, OpRow, TensorSpec

TOLERANCES = {"float16": 1e-2, "bfloat16": 5e-2, "half": 1e-2, "float64": 1e-12, "complex128": 1e-12}
"""Relative difference of two norms that rounding explains, by dtype; 1e-5 for the others. Half precision keeps 11
bits, bfloat16 8, single 24, double 53; sums over a few thousand elements lose some of them."""
_SINGLE = 1e-5
_QUADRATIC = 4_000_000
"""Pairs of ops that may be compared with each other in one batch."""
Key = tuple[str, str | None, int | None, TensorSpec | None]
"""Type, place and output of an op."""
_GLOBAL = 5e-6
"""Of the global gradient norm: a gradient smaller than that is noise, whatever its relative difference."""


def compare(
    first: TraceReader, second: TraceReader, steps: int | None = None, tolerance: float | None = None
) -> Comparison:
    """Compare two recordings, or their first `steps` batches.

    tolerance: relative difference taken for rounding, instead of that of the dtype. Scans both recordings.
    """
    lines = line_map(first.files(), second.files())
    count = min(first.counts.steps, second.counts.steps, steps or first.counts.steps)
    pairs = tuple(compare_step(first, second, step, lines, tolerance)[0] for step in range(1, count + 1))
    whole = steps is None
    found = Comparison(
        facts(first, second),
        lines.edited,
        pairs,
        first.counts.steps if whole else count,
        second.counts.steps if whole else count,
    )
    telling = found.first("real") or found.first("rounding") or next(iter(pairs), None)
    of_batch = compare_step(first, second, telling.step, lines, tolerance)[1] if telling else []
    return replace(
        found, code=code_of(first, second, of_batch, lines), code_step=telling.step if telling else None
    )


def facts(first: TraceReader, second: TraceReader) -> tuple[tuple[str, str, str], ...]:
    """(what, in the first, in the second) of what was not the same around the runs."""
    found = []
    for name in ("tensorflow", "keras", "python", "mode", "values", "exit_status"):
        a, b = (getattr(reader.meta, name) for reader in (first, second))
        if a != b:
            found.append((name, str(a), str(b)))
    a, b = (" ".join(reader.meta.argv[1:]) for reader in (first, second))
    if a != b:
        found.append(("arguments", a, b))
    return tuple(found)


def compare_step(
    first: TraceReader, second: TraceReader, step: int, lines: LineMap, tolerance: float | None = None
) -> tuple[StepPair, list[OpPair]]:
    """One batch that both have: the sum of it, and its ops in pairs."""
    elements = Elements(first, second, step, tolerance)
    pairs = list(align(_rows(first, step), _rows(second, step), lines, tolerance, elements))
    both = [pair for pair in pairs if pair.first is not None and pair.second is not None]
    lonely = [pair for pair in pairs if pair.first is None or pair.second is None]
    real = [pair for pair in both if pair.verdict == "real"]
    rounding = [pair for pair in both if pair.verdict == "rounding"]
    losses = (first.step(step).loss, second.step(step).loss)
    found = StepPair(
        step=step,
        loss_first=losses[0],
        loss_second=losses[1],
        loss=judge(*losses, tolerance or _SINGLE)[0],
        same=len(both) - len(real) - len(rounding),
        rounding=len(rounding),
        real=len(real),
        only_first=sum(pair.second is None for pair in lonely),
        only_second=sum(pair.first is None for pair in lonely),
        first_op=lonely[0] if lonely else None,
        first_value=next(iter(real or rounding), None),
        gradients=_gradients(first.gradients(step), second.gradients(step), tolerance or _SINGLE, elements),
        elements=sum(pair.far is not None for pair in both),
    )
    return found, pairs


def _rows(reader: TraceReader, step: int) -> list[OpRow]:
    return reader.rows(reader.op_ids(OpFilter(step=step)))


def align(
    first: Sequence[OpRow],
    second: Sequence[OpRow],
    lines: LineMap,
    tolerance: float | None = None,
    elements: Elements | None = None,
) -> Iterator[OpPair]:
    """The ops of one batch in pairs, in order: same place, type and output, in the order they ran."""
    keys: list[Key] = [(row.type, *lines.place(row.path, row.line), row.output) for row in first]
    others: list[Key] = [(row.type, row.path, row.line, row.output) for row in second]
    for a, b in _match(keys, others):
        if a is None:
            assert b is not None
            yield OpPair(None, second[b], "real", None)
        elif b is None:
            yield OpPair(first[a], None, "real", None)
        else:
            yield _pair(first[a], second[b], tolerance, elements)


def _match(keys: Sequence[Key], others: Sequence[Key]) -> Iterator[tuple[int | None, int | None]]:
    """Places in two sequences in pairs, in order; None for what only one of them has."""
    shorter = min(len(keys), len(others))
    head = next((i for i in range(shorter) if keys[i] != others[i]), shorter)
    tail = next((i for i in range(shorter - head) if keys[-1 - i] != others[-1 - i]), shorter - head)
    yield from ((i, i) for i in range(head))
    middle, other = keys[head : len(keys) - tail], others[head : len(others) - tail]
    if len(middle) * len(other) > _QUADRATIC:
        blocks = _by_place(middle, other)
    else:
        matcher = difflib.SequenceMatcher(None, middle, other, autojunk=False)
        blocks = [pair for opcode in matcher.get_opcodes() for pair in _split(*opcode)]
    for a, b in blocks:
        yield (None if a is None else head + a), (None if b is None else head + b)
    yield from ((len(keys) - tail + i, len(others) - tail + i) for i in range(tail))


def _split(tag: str, a: int, a_end: int, b: int, b_end: int) -> list[tuple[int | None, int | None]]:
    if tag == "equal":
        return [(a + i, b + i) for i in range(a_end - a)]
    return [*((i, None) for i in range(a, a_end)), *((None, i) for i in range(b, b_end))]


def _by_place(keys: Sequence[Key], others: Sequence[Key]) -> list[tuple[int | None, int | None]]:
    """The same for sequences too long to be compared as a whole: the n-th of each key with the n-th."""
    waiting: dict[Key, deque[int]] = {}
    for index, key in enumerate(others):
        waiting.setdefault(key, deque()).append(index)
    found: list[tuple[int | None, int | None]] = []
    for index, key in enumerate(keys):
        found.append((index, waiting[key].popleft() if waiting.get(key) else None))
    return [*found, *((None, index) for left in waiting.values() for index in left)]


def _pair(a: OpRow, b: OpRow, tolerance: float | None, elements: Elements | None) -> OpPair:
    far = elements.of_ops(a, b) if elements is not None else None
    if far is not None:
        relative = judge(a.norm, b.norm, 0.0)[1]
        return OpPair(a, b, "same" if far.verdict == "bit-equal" else far.verdict, relative, far)
    if a.bad or b.bad:
        return OpPair(a, b, "same" if a.bad and b.bad else "real", None)
    dtype = a.output.dtype if a.output is not None else ""
    verdict, relative = judge(a.norm, b.norm, tolerance or TOLERANCES.get(dtype, _SINGLE))
    return OpPair(a, b, "same" if a.norm is None or b.norm is None else verdict, relative)


def judge(
    a: float | None, b: float | None, tolerance: float, slack: float = 0.0
) -> tuple[Verdict, float | None]:
    """What to say of two figures, and their difference over the larger one. `slack`: absolute, on top."""
    if a is None or b is None:
        return ("same" if a is b else "real"), None
    if a == b or (math.isnan(a) and math.isnan(b)):
        return "same", 0.0
    if not (math.isfinite(a) and math.isfinite(b)):
        return "real", None
    larger = max(abs(a), abs(b))
    apart = abs(a - b)
    return ("rounding" if apart <= tolerance * larger + slack else "real"), apart / larger


def _gradients(
    first: Sequence[Gradient], second: Sequence[Gradient], tolerance: float, elements: Elements
) -> tuple[GradientPair, ...]:
    others = _by_name(second)
    known = _by_name(first)
    total = math.sqrt(sum(gradient.norm**2 for gradient in known.values() if gradient.norm is not None))
    found = []
    for name in [*known, *(name for name in others if name not in known)]:
        a, b = known.get(name), others.get(name)
        note = _note(a, b)
        norms = (a.norm if a else None, b.norm if b else None)
        far = elements.of_gradients(a, b, total) if a is not None and b is not None and not note else None
        verdict: Verdict = "real" if note else judge(*norms, tolerance, _GLOBAL * total)[0]
        if far is not None:
            verdict = "same" if far.verdict == "bit-equal" else far.verdict
        found.append(GradientPair(name, *norms, verdict, note, far))
    return tuple(found)


def _by_name(gradients: Sequence[Gradient]) -> dict[str, Gradient]:
    """The last gradient of each variable; earlier ones of a step with several calls get a number."""
    found: dict[str, Gradient] = {}
    seen: dict[str, int] = {}
    for gradient in gradients:
        name = gradient.variable.name
        seen[name] = seen.get(name, 0) + 1
        found[name if seen[name] == 1 else f"{name} (call {seen[name]})"] = gradient
    return found


def _note(a: Gradient | None, b: Gradient | None) -> str:
    """Where two gradients differ in kind; nothing when their norms can be compared."""
    if a is None or b is None:
        return "only in the second recording" if a is None else "only in the first recording"
    kinds = [_kind(gradient) for gradient in (a, b)]
    return "" if kinds[0] == kinds[1] else f"{kinds[0]} in the first, {kinds[1]} in the second"


def _kind(gradient: Gradient) -> str:
    if gradient.form == "none":
        return "None"
    return "NaN or Inf" if gradient.nan or gradient.inf else "finite"
