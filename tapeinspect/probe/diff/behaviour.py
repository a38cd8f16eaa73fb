"""What calls of the step do besides computing: what eager calls do each time and traced calls only once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from tapeinspect.probe.diff.blame import Blame, Spot
from tapeinspect.probe.diff.runs import Call, Side
from tapeinspect.probe.sandbox.saved import Change


@dataclass(frozen=True, slots=True)
class Found:
    """Something that the two ways to run the step do not have in common."""

    rule: str
    severity: Literal["error", "warning", "info"]
    spot: Spot | None
    message: str
    hint: str


def compare(eager: Side, traced: Side, blame: Blame) -> list[Found]:
    """What differs. Needs two calls of each side."""
    if len(eager.calls) < 2 or not traced.calls:
        return []
    found = _leaks(traced, blame)
    leaked = {change.path for call in traced.calls for change in call.changes if change.leak}
    found += _once(eager, traced, blame, leaked)
    found += _printed(eager.calls[1], traced, blame)
    found += _retraces(traced, blame)
    return found


def _leaks(traced: Side, blame: Blame) -> list[Found]:
    found = []
    told = set()
    for call in traced.calls:
        for change in call.changes:
            if change.leak is None or change.path in told:
                continue
            told.add(change.path)
            found.append(
                Found(
                    "leaked-tensor",
                    "error",
                    blame.change(change.path),
                    f"`{change.path}` is changed once per trace, not at each call, and what it gets is a tensor of the"
                    f" graph, a {change.leak}, that has no value and cannot be used outside",
                    "return the tensor from the step and store it where the step is called; or use a tf.Variable",
                )
            )
    return found


def _once(eager: Side, traced: Side, blame: Blame, leaked: set[str]) -> list[Found]:
    """What eager calls change each time, and a traced call that is not traced anew leaves alone."""
    later = traced.calls[1:]
    if not later:
        return []
    each_time = {change.path for change in later[0].changes}
    first = {change.path: change for change in traced.calls[0].changes}
    found = []
    for change in eager.calls[1].changes:
        if change.path in each_time or change.path in leaked or change.kind == "variable":
            continue
        if any(c.path == change.path for c in later[0].changes):
            continue
        found.append(_one_once(change, first.get(change.path), blame))
    return found


def _one_once(change: Change, traced: Change | None, blame: Blame) -> Found:
    if change.kind == "random":
        return Found(
            "frozen-random",
            "error",
            blame.random(change.path),
            f"`{change.path}` is drawn from at each eager call, but only once in the graph, while tracing: each traced"
            " call uses the same number again",
            "use tf.random in place of Python's and NumPy's random numbers, or pass the number to the step as a tensor",
        )
    times = "once, while tracing" if traced is not None else "never"
    if change.kind == "created":
        return Found(
            "variable-creation",
            "error",
            blame.call("tf.Variable"),
            f"each eager call creates the variable {change.path}, the graph {times}",
            "create the variable outside of the step",
        )
    if change.kind == "file":
        return Found(
            "python-side-effect",
            "warning",
            blame.change(change.path) or blame.call("open", "print"),
            f"each eager call writes to {change.path} ({change.delta}), the graph {times}",
            "write the file where the step is called",
        )
    what = change.delta if change.kind == "python" else "changed"
    return Found(
        "python-side-effect",
        "warning",
        blame.change(change.path),
        f"`{change.path}` is changed by each eager call ({what}), by the graph {times}"
        + (": it runs once per trace" if traced is not None else ""),
        "change it where the step is called, or make it a tf.Variable",
    )


def _printed(eager: Call, traced: Side, blame: Blame) -> list[Found]:
    if len(traced.calls) < 2:
        return []
    found = []
    for name in ("stdout", "stderr"):
        mine, theirs = (Counter(getattr(c.printed, name).splitlines()) for c in (eager, traced.calls[1]))
        missing = mine.total() - theirs.total()
        if missing > 0:
            sample = next(iter(mine - theirs), "")
            found.append(
                Found(
                    "python-print",
                    "warning",
                    blame.output(),
                    f"each eager call prints {missing} line{'s' * (missing > 1)} on {name} ({sample[:40]!r}) that the"
                    " graph prints once per trace, not at each call",
                    "use tf.print to print at each call",
                )
            )
    return found


def _retraces(traced: Side, blame: Blame) -> list[Found]:
    again = [index for index, call in enumerate(traced.calls[1:], 2) if call.traces]
    if not again:
        return []
    calls = " and ".join(str(index) for index in again)
    return [
        Found(
            "retraces",
            "warning",
            blame.start,
            f"the step is traced again in call {calls} with the same arguments",
            "give it tensors in place of Python objects that are made anew for each call",
        )
    ]
