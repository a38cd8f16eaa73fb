"""The lines that a failed trace did not reach: what they do that would not survive, told by running them eagerly."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tapeinspect.probe import tf_survey
from tapeinspect.probe.survival.watch import Fact, Watch, Where

_ASKING = ("numpy", "__bool__", "__float__", "__format__")


def behind(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    role: Callable[[str], str],
    reached: Container[Where],
    failing: Sequence[tuple[str, int, str]],
) -> list[Fact]:
    """Run a function eagerly and tell what the lines do that its trace did not reach; `behind` is in their detail.

    `failing`: where the trace failed; said elsewhere. An error of the function ends the run and is not told.
    """
    import tensorflow as tf

    first = tf.constant(0)._id
    given = {t._id for t in tf.nest.flatten((args, kwargs)) if hasattr(t, "_id")}
    stopped = {frame[:2] for frame in failing}
    found: dict[tuple[Where, str], Fact] = {}

    def is_tensor(value: Any) -> bool:
        """One from outside has its value while tracing, too."""
        own = isinstance(value, tf.Tensor) and hasattr(value, "_id")
        return own and (value._id > first or value._id in given)

    def asked(name: str, tensor: Any, frame: Any) -> None:
        where = (frame.f_code.co_filename, frame.f_lineno or 0)
        if is_tensor(tensor) and role(where[0]) == "user":
            found.setdefault((where, name), Fact("eager", where, name, {}, 0)).count += 1

    watch = Watch(role, is_tensor, eagerly=True, given=(function, args, kwargs))
    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        with watch.watching(), _listening(asked):
            function(*args, **kwargs)
    except (Exception, SystemExit):  # the script's own run of the step tells what goes wrong in it
        pass
    finally:
        tf.config.run_functions_eagerly(eagerly)
    facts = [*found.values(), *watch.facts.values()]
    unreached = [fact for fact in facts if fact.where not in reached and fact.where not in stopped]
    for fact in unreached:
        fact.detail["behind"] = True
    return unreached


@contextmanager
def _listening(asked: Callable[[str, Any, Any], None]) -> Iterator[None]:
    """Call `asked` with the name of the method, the tensor and the frame that asks an eager tensor for its value."""
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
