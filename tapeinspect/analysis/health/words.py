"""Figures and names as findings write them."""

from __future__ import annotations

from collections.abc import Sequence

from tapeinspect.analysis.health.run import Series
from tapeinspect.trace.records import Finding, Severity, Step


def number(value: float) -> str:
    """A figure with three digits: 0.0123, 1.2e-09."""
    return f"{value:.3g}"


def percent(share: float) -> str:
    """A share of 1: 87 %."""
    return f"{100 * share:.0f} %" if share < 0.995 or share == 1 else "over 99 %"


def names(found: Sequence[str], most: int = 3) -> str:
    """Names, the first few of them: a, b, c and 4 more."""
    shown = list(found[:most])
    if len(found) > most:
        return f"{', '.join(shown)} and {len(found) - most} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def many(count: int, one: str, more: str | None = None) -> str:
    """A number of things: 1 batch, 1,024 batches."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def batches(count: int) -> str:
    """A number of batches."""
    return many(count, "batch", "batches")


def layer_name(variable: str) -> str:
    """The layer that a variable belongs to: `dense_1` of `model/dense_1/kernel`; the variable where it has none."""
    parts = variable.split("/")
    return parts[-2] if len(parts) > 1 else variable


def at_call(rule: str, severity: Severity, series: Series, step: int, message: str, hint: str) -> Finding:
    """A finding at the gradient call that asked for a variable."""
    call = series.call
    where = (call.path, call.line) if call is not None else (None, None)
    return Finding(rule, severity, step, None, *where, message, hint)


def at_step(rule: str, severity: Severity, step: Step, message: str, hint: str) -> Finding:
    """A finding about steps as a whole, at the function or loop that makes them."""
    return Finding(rule, severity, step.id, None, step.path, step.line, message, hint)
