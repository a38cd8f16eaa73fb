"""What a step that runs as a graph was called with.

Nothing is wrapped for it: when the op that runs the graph has run, the call of the `tf.function` that made it is still
on the stack, once for each batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import arguments, tf_private, tf_tracing
from tapeinspect.probe.arguments import Captured
from tapeinspect.probe.frames import locals_of

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder

_DEPTH = 60
"""Frames of TensorFlow's own between the op that runs a graph and the call of its `tf.function`, at most."""


@dataclass(frozen=True, slots=True)
class Called:
    """A function that ran as a graph, and its arguments."""

    code: CodeType
    kept: dict[str, Any]
    """What `arguments.keep` made of them: the script's own objects live or die as without us."""
    args: list[dict[str, Any]]
    """The same for the trace."""
    free: dict[str, int]
    """Ids of what its outer variables hold."""
    by_keras: bool = False
    """Keras' trainer called it while its own function was traced."""
    by_type: bool = False
    """Tensors are known by their type alone: the batch was taken inside the graph."""

    @classmethod
    def of(cls, recorder: Recorder, code: CodeType, captured: Captured, by_keras: bool = False) -> Called:
        """Keep and describe arguments."""
        kept = arguments.keep(captured, recorder.config.memory // 4)
        args = arguments.describe(captured, recorder.config.values != "off")
        return cls(code, kept, args, captured.free, by_keras, by_type=by_keras)


def of_call(recorder: Recorder, innermost: FrameType | None) -> Called | None:
    """The user's function whose graph has just run, called through its `tf.function`; None when it was not."""
    if not recorder.can("graph_arguments"):
        return None
    wanted = tf_tracing.call_code()
    frame = innermost
    for _ in range(_DEPTH):
        if frame is None:
            return None
        if frame.f_code is wanted:
            return _of_frame(recorder, locals_of(frame))
        frame = frame.f_back
    return None


def _of_frame(recorder: Recorder, local: dict[str, Any]) -> Called | None:
    function = tf_tracing.undecorated(local["self"].python_function)
    given = tuple(local.get("args", ()))
    target, owner = tf_tracing.bound_to(function)
    if owner:
        function = tf_tracing.unbound(function)
        given = (target, *given)
    if not isinstance(function, FunctionType) or recorder.code.role(function.__code__.co_filename) != "user":
        return None
    values = _by_name(function, given, dict(local.get("kwds", {})))
    if values is None:
        return None
    return Called.of(recorder, function.__code__, Captured(values, frozenset(), _free(function)))


def _by_name(function: FunctionType, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments by parameter, as the frame of the call would have them; None when they do not fit."""
    code = function.__code__
    plain = code.co_varnames[: code.co_argcount]
    only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    rest = list(arguments.argument_names(code)[len(plain) + len(only) :])
    values = dict(zip(plain, args, strict=False))
    for name in (*plain, *only):
        if name in named:
            values[name] = named.pop(name)
    for name, default in zip(plain[::-1], (function.__defaults__ or ())[::-1], strict=False):
        values.setdefault(name, default)
    for name, default in (function.__kwdefaults__ or {}).items():
        values.setdefault(name, default)
    if code.co_flags & arguments.VARARGS:
        values[rest.pop(0)] = args[len(plain) :]
    if code.co_flags & arguments.VARKEYWORDS:
        values[rest.pop(0)] = named
    return values if all(name in values for name in (*plain, *only)) else None


def _free(function: FunctionType) -> dict[str, int]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            found[name] = id(cell.cell_contents)
        except ValueError:  # bound later
            continue
    return found


def of_keras(recorder: Recorder, opener: FrameType) -> Called | None:
    """The `train_step` that Keras' trainer calls while its own function is traced; None when `opener` is in none."""
    frame: FrameType | None = opener
    step = None
    while frame is not None:
        if tf_private.is_keras_step_caller(frame.f_code.co_name, frame.f_code.co_filename):
            break
        if frame.f_code.co_name == "train_step":
            step = frame
        frame = frame.f_back
    if frame is None or step is None:
        return None
    captured = arguments.capture(step)
    values = {name: tf_tracing.types_of(value) for name, value in captured.values.items()}
    return Called.of(recorder, step.f_code, Captured(values, captured.rebound, captured.free), by_keras=True)
