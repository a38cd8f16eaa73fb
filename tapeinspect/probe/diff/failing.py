"""What the traced step failed with, at the user's line, and why the eager one does not fail there."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import traceback
from collections.abc import Callable
from typing import Any, Final

from tapeinspect.probe import tf_autograph
from tapeinspect.probe.diff.behaviour import Found
from tapeinspect.probe.diff.blame import Blame, Spot
from tapeinspect.probe.diff.explain import explain
from tapeinspect.probe.diff.runs import Side
from tapeinspect.probe.step_function import StepFunction
from tapeinspect.source import Source

_NODE: Final = re.compile(r'^ *File "([^"]+)", line (\d+), in', re.MULTILINE)
"""Where an op of the graph was made, in the message of an error that it raised."""
_REMARK: Final = re.compile(r"\s*\[\[.*?\]\]|\s*\[Op:\w+\]", re.DOTALL)
"""The graph's own names in such a message."""
_BRIEF: Final = 400
"""Characters of a message."""
_RUNTIME_HINT: Final = (
    "Test for the case with tf.cond or tf.where, or put the `try` around the call of the step."
)


def failure(traced: Side, eager: Side, step: StepFunction, role: Callable[[str], str], blame: Blame) -> Found:
    """What the traced step raised."""
    error = traced.error
    assert error is not None
    if traced.tracing:
        return _while_tracing(error, eager, step, role, blame)
    return _while_running(error, len(traced.calls) + 1, eager, role)


def _while_tracing(
    error: BaseException, eager: Side, step: StepFunction, role: Callable[[str], str], blame: Blame
) -> Found:
    spot = where_raised(error, role)
    converted = spot is None or _is_converted(error, spot)
    statement = Source("".join(linecache.getlines(spot.path))).statement(spot.line) if spot else None
    type_name, message = what_was_raised(error)
    found = explain(type_name, message, _code(spot), statement, converted)
    if found.rule == "changed-argument":
        spot = spot or _changed_argument(step, blame)
    text = f"this line fails to trace{_too(eager)}{_quoted(spot)}: {_in_brief(found.message)}"
    return Found(found.rule, "error", spot, text, found.hint)


def _while_running(error: BaseException, call: int, eager: Side, role: Callable[[str], str]) -> Found:
    """An op of the graph raised an error that the eager run did not stop at."""
    message = str(error)
    users = [Spot(path, int(line)) for path, line in _NODE.findall(message) if role(path) == "user"]
    spot = users[-1] if users else where_raised(error, role)
    said = [line for line in _REMARK.sub("", message).splitlines() if line.strip() and '"' not in line]
    short = _in_brief(said[-1].strip()) if said else ""
    text = f"call {call} of the traced step fails here{_too(eager)}{_quoted(spot)}: {type(error).__name__}: {short}"
    if spot is None or not _in_try(spot):
        return Found("fails-in-graph", "error", spot, text, "")
    text += (
        "; eagerly, the `try` around it catches that; in a graph, ops raise only when it runs, and nothing is"
        " caught inside of it"
    )
    return Found("exception-control-flow", "error", spot, text, _RUNTIME_HINT)


def _in_brief(text: str) -> str:
    """A message without its middle, where TensorFlow puts whole arrays."""
    return text if len(text) <= _BRIEF else f"{text[: _BRIEF // 2]} … {text[-_BRIEF // 2 :]}"


def _too(eager: Side) -> str:
    return " (and eager calls fail, too)" if eager.error is not None else ""


def _code(spot: Spot | None) -> str:
    return linecache.getline(spot.path, spot.line).strip() if spot else ""


def _quoted(spot: Spot | None) -> str:
    code = _code(spot)
    return f": `{code}`" if code else ""


def _in_try(spot: Spot) -> bool:
    """Whether a line stands in the body of a `try` that catches something."""
    try:
        tree = ast.parse("".join(linecache.getlines(spot.path)))
    except (SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.Try)
        and node.handlers
        and node.body[0].lineno <= spot.line <= (node.body[-1].end_lineno or 0)
        for node in ast.walk(tree)
    )


def _changed_argument(step: StepFunction, blame: Blame) -> Spot | None:
    """Where the step changes a list or the like that it was given."""
    try:
        given: dict[str, Any] = inspect.signature(step.function).bind(*step.args, **step.kwargs).arguments
    except (TypeError, ValueError):
        return None
    names = (name for name, value in given.items() if isinstance(value, (list, dict, set)))
    return next((spot for name in names if (spot := blame.change(name)) is not None), None)


def what_was_raised(error: BaseException) -> tuple[str, str]:
    """The type and the message of an error, without the traceback that AutoGraph puts in front of it."""
    text = str(error)
    if text.startswith("in user code:"):
        blocks = [block for block in text.split("\n\n") if block.strip()]
        plain = [line.strip() for line in blocks[-1].splitlines() if not line.lstrip().startswith("File ")]
        text = "\n".join(plain)
    return type(error).__name__, text


def where_raised(error: BaseException, role: Callable[[str], str]) -> Spot | None:
    """The innermost line of the user's that an exception passed, lines of generated code as the user's own."""
    frames: list[tuple[str, int]] = []
    try:
        frames = [(f[0], f[1]) for f in reversed(tf_autograph.translated_frames(error))]
    except Exception:  # an error that AutoGraph has not annotated
        frames = []
    raw = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    for path, line in [*frames, *reversed(raw)]:
        if role(path) == "user":
            return Spot(path, line)
    return None


def _is_converted(error: BaseException, spot: Spot) -> bool:
    """Whether AutoGraph converted the code that a line is in."""
    frames = tf_autograph.translated_frames(error)
    return any(converted for path, line, _, _, converted in frames if Spot(path, line) == spot)
