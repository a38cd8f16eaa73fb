"""Where a step needs the value of a tensor: told by running it eagerly, for the lines that its trace did not reach."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tapeinspect.probe import survival_code, tf_survey
from tapeinspect.probe.survival_watch import Fact, Where

_ASKING = ("numpy", "__bool__", "__float__", "__format__", "__array__")


def uses(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    role: Callable[[str], str],
    reached: Container[Where],
    failing: Sequence[tuple[str, int, str]],
) -> list[Fact]:
    """Run a function eagerly and tell the lines that ask a tensor for its value, which a trace did not reach.

    `failing`: where the trace failed; said elsewhere. An error of the function ends the run and is not told.
    """
    import tensorflow as tf

    found: dict[tuple[Where, str], Fact] = {}
    stopped = {frame[:2] for frame in failing}

    first = tf.constant(0)._id
    given = {t._id for t in tf.nest.flatten((args, kwargs)) if hasattr(t, "_id")}

    def asked(name: str, tensor: Any, frame: Any) -> None:
        if tensor._id <= first and tensor._id not in given:
            return  # one from outside, which has its value while tracing too
        where = (frame.f_code.co_filename, frame.f_lineno or 0)
        if role(where[0]) == "user" and where not in reached and where not in stopped:
            fact = found.setdefault((where, name), Fact("eager", where, name, {}, 0))
            fact.count += 1

    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        with _listening(asked), _following(role, lambda t, frame: asked("__array__", t, frame)):
            function(*args, **kwargs)
    except (Exception, SystemExit):  # the script's own run of the step tells what goes wrong in it
        pass
    finally:
        tf.config.run_functions_eagerly(eagerly)
    return list(found.values())


@contextmanager
def _listening(asked: Callable[[str, Any, Any], None]) -> Iterator[None]:
    base = tf_survey.eager_tensor_class()
    names = [name for name in _ASKING if name in base.__dict__]
    before = {name: base.__dict__[name] for name in names}
    for name in names:
        setattr(base, name, _heard(name, before[name], asked))
    try:
        yield
    finally:
        for name, original in before.items():
            setattr(base, name, original)


def _heard(name: str, original: Any, asked: Callable[[str, Any, Any], None]) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if name != "__format__" or (args and args[0]):
            asked(name, self, sys._getframe(1))
        return original(self, *args, **kwargs)

    return method


@contextmanager
def _following(role: Callable[[str], str], taken: Callable[[Any, Any], None]) -> Iterator[None]:
    """NumPy takes the memory of a tensor without asking it: look at what its functions are called with."""

    def entered(frame: Any, event: str, argument: Any) -> Any:
        return at if role(frame.f_code.co_filename) == "user" else None

    def at(frame: Any, event: str, argument: Any) -> Any:
        if event == "line":
            calls = survival_code.of_file(frame.f_code.co_filename).calls.get(frame.f_lineno)
            for call in calls or ():
                local, globals_ = frame.f_locals, frame.f_globals
                function = survival_code.resolve(call.func, local, globals_)
                if _is_numpys(function):
                    for argument in call.args:
                        value = survival_code.resolve(argument, local, globals_)
                        if hasattr(value, "_id") and hasattr(value, "numpy"):
                            taken(value, frame)
        return at

    was = sys.gettrace()
    sys.settrace(entered)
    try:
        yield
    finally:
        sys.settrace(was)


def _is_numpys(function: Any) -> bool:
    module = getattr(function, "__module__", None) or type(function).__module__
    return str(module).split(".")[0] == "numpy"
