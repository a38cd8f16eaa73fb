"""The sentence that tells of an origin: which op, given what, made NaN or Inf, and what it reached."""

from __future__ import annotations

import math

from tapeinspect.trace.records import OriginElement, OriginNote

_SIGNS = {
    "Add": "+", "AddV2": "+", "Sub": "-", "Mul": "*", "RealDiv": "/", "Div": "/", "Pow": "**",
}  # fmt: skip


def number(value: float) -> str:
    """A number in few digits."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.4g}"


def worked(op_type: str, element: OriginElement) -> str:
    """What became of one element: `log(0) = -Inf`, `1 / 0 = Inf`."""
    given = [number(value) for value in element.inputs]
    result = number(element.output)
    if op_type in _SIGNS and len(given) == 2:
        return f"{given[0]} {_SIGNS[op_type]} {given[1]} = {result}"
    return f"{op_type}({', '.join(given)}) = {result}"


def given_to(note: OriginNote | None, op_type: str) -> str:
    """What an op was given that explains its output, as half a sentence; empty when it is not known."""
    if note is None:
        return ""
    if note.elements:
        element = note.elements[0]
        at = f" at [{', '.join(map(str, element.index))}]" if element.index else ""
        return worked(op_type, element) + at
    floats = [given for given in note.inputs if given.norm is not None]
    if not floats:
        return ""
    if any(given.spec.shape is not None and 0 in given.spec.shape for given in floats):
        return "it was given no elements"
    ranges = [
        f"{number(given.min)} to {number(given.max)}"
        for given in floats
        if given.min is not None and given.max is not None
    ]
    return f"its inputs range from {', and from '.join(ranges[:2])}" if ranges else ""


def bad_in_words(nan: int, inf: int) -> str:
    """ "NaN", "Inf", or "NaN and Inf"."""
    return " and ".join(name for name, count in (("NaN", nan), ("Inf", inf)) if count) or "NaN"
