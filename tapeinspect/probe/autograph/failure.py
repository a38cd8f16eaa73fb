"""What a trace failed with, in the user's terms: the line, the translated stack, and what the error means."""

from __future__ import annotations

import json
import linecache
import re
import traceback
from collections.abc import Callable
from types import CodeType
from typing import Any, Final

from tapeinspect.probe import failures, tf_autograph
from tapeinspect.probe.autograph.watch import Seen
from tapeinspect.probe.code import known_as

_MEANINGS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        r"has no attribute '?\"?numpy|\.numpy\(\)|EagerTensor.*numpy",
        "While a function is traced a tensor has no value yet, so it has no .numpy().",
        "use TensorFlow's own ops on it, return it and call .numpy() outside, or wrap the code in tf.py_function",
    ),
    (
        r"symbolic.*(as a Python `?bool|truth value)|Using a symbolic `?tf\.Tensor`? as a Python|as a Python bool",
        "Python has to decide here on a tensor whose value is not known while tracing.",
        "let AutoGraph convert this function, so that `if` and `while` become ops, or use tf.cond and tf.while_loop",
    ),
    (
        r"Iterating over a symbolic|iterating over `?tf\.Tensor|Cannot iterate over",
        "Python has to go over a tensor whose length is not known while tracing.",
        "let AutoGraph convert this function, so that `for` becomes an op, or use tf.map_fn or tf.unstack",
    ),
    (
        r"Cannot convert a symbolic .*to a numpy array|NotImplementedError.*numpy|__array__",
        "NumPy needs the value of a tensor, which is not known while tracing.",
        "use the function of the same name in TensorFlow (tf.math, tf.experimental.numpy), or tf.numpy_function",
    ),
    (
        r"(int|float|index)\(\) argument must be|cannot be interpreted as an integer|can't be cast|only be converted",
        "Python needs the value of a tensor as a number, which is not known while tracing.",
        "use tf.cast and keep it a tensor, or pass a Python number as the argument",
    ),
    (
        r"tf\.function only supports singleton tf\.Variables|tried to create variables on non-first call",
        "A variable is made each time the function is traced.",
        "make the variable once, outside or only when it is None, and use it here",
    ),
    (
        r"out of scope|InaccessibleTensorError|cannot be accessed from here|is from a different graph",
        "A tensor made inside a branch, a loop or another function is used outside of it.",
        "return it from there, or assign it to a variable that is defined before the branch or loop",
    ),
    (
        r"must also be initialized in the else branch|must also be initialized in the main branch|undefined.*branch",
        "A variable gets a value in one branch only; in the graph both branches must give it one.",
        "give it a value before the `if`, or in both branches",
    ),
    (
        r"must be defined before the loop|is used before|must be initialized before the loop|undefined before the loop",
        "A variable first gets a value inside the loop; in the graph it must have one before.",
        "give it a value of the same dtype and shape before the loop",
    ),
    (
        r"shape.*(enters the loop|after one iteration|loop)|has shape .* before the loop",
        "The shape of a variable changes from turn to turn of a loop in the graph.",
        "keep its shape, use a tf.TensorArray, or allow it with tf.autograph.experimental.set_loop_options",
    ),
    (
        r"has dtype .* before the loop|different dtype|must have the same (type|dtype)|type .* (else|main) branch",
        "A variable has another type in one branch, or after a turn of the loop, than in the other.",
        "tf.cast it to one dtype",
    ),
    (
        r"must return zero or more Tensors",
        "A traced function gives back tensors, or Python's None, numbers, strings and structures of them.",
        "return the tensors that are needed of the object",
    ),
    (
        r"is not a (tf\.)?Tensor|None at the (end|beginning)|must return the same",
        "The two branches, or two turns of the loop, give values of different structure.",
        "return the same structure of tensors from both",
    ),
)
"""(what the message says, what it means, what to do), in order."""


def row(
    error: BaseException, run: int, seen: Seen, role: Callable[[str], str], code: CodeType
) -> tuple[Any, ...]:
    """The row of the table `ag_failure`; `code`: of what was traced."""
    frames = _frames(error, seen, role)
    own = next((frame for frame in reversed(frames) if frame["user"]), None)
    name, message = type(error).__name__, message_of(error)
    meaning, hint = explain(name, message)
    file, line, function = code.co_filename, code.co_firstlineno, code.co_name
    if own is not None:
        file, line, function = own["file"], own["line"], own["function"]
    shown = json.dumps([{**frame, "file": known_as(frame["file"])} for frame in frames])
    return (run, name, message, known_as(file), line, function, shown, meaning, hint)


def place(error: BaseException, seen: Seen, role: Callable[[str], str]) -> tuple[str, int] | None:
    """The user's line that a trace failed in."""
    own = [frame for frame in _frames(error, seen, role) if frame["user"]]
    return (own[-1]["file"], own[-1]["line"]) if own else None


def message_of(error: BaseException) -> str:
    """The message without the stack that AutoGraph puts before it."""
    metadata = getattr(error, "ag_error_metadata", None)
    message = getattr(metadata, "cause_message", None) or str(error)
    return str(message).removeprefix(f"{type(error).__name__}: ").strip()


def explain(name: str, message: str) -> tuple[str, str]:
    """(what it means, what to do); empty when it is not one of the errors that tracing is known for."""
    text = " ".join(f"{name}: {message}".split())
    for pattern, meaning, hint in _MEANINGS:
        if re.search(pattern, text, re.IGNORECASE):
            return meaning, hint
    return "", ""


def _frames(error: BaseException, seen: Seen, role: Callable[[str], str]) -> list[dict[str, Any]]:
    translated = tf_autograph.translated_frames(error)
    if not translated:
        failures.strip(error)
        translated = [
            (frame.f_code.co_filename, line, frame.f_code.co_name, "", False)
            for frame, line in traceback.walk_tb(error.__traceback__)
        ]
    return [_frame(*entry, seen, role) for entry in translated]


def _frame(
    path: str, line: int, function: str, code: str, converted: bool, seen: Seen, role: Callable[[str], str]
) -> dict[str, Any]:
    place = seen.original(path, line)
    if place is not None:
        path, line = place
    return {
        "file": path,
        "line": line,
        "function": (function or "").removeprefix("tf__"),
        "code": (code or linecache.getline(path, line or 0)).strip(),
        "user": converted or role(path) == "user",
    }
