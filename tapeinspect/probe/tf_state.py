"""State that TensorFlow and Keras keep: variables, random numbers, traces of functions.

The private symbols used here may each be missing: that state is then not put back.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tapeinspect.probe import tf_private, tf_variables
from tapeinspect.probe.sandbox.saved import Change, Saved, SavedState
from tapeinspect.trace import bits

_TRACES = (
    "_created_variables", "_variable_creation_config", "_no_variable_creation_config", "_concrete_variable_creation_fn",
)  # fmt: skip


def is_variable(value: Any) -> bool:
    """Whether a value is a `tf.Variable`."""
    import tensorflow as tf

    return isinstance(value, tf.Variable)


def is_op_error(error: BaseException) -> bool:
    """Whether an op raised an error as it ran."""
    import tensorflow as tf

    return isinstance(error, tf.errors.OpError)


@dataclass(slots=True, eq=False)
class SavedVariable(Saved):
    """The value of a `tf.Variable`."""

    value: Any = None

    @classmethod
    def of(cls, path: str, variable: Any) -> SavedVariable | None:
        """Save a variable; None for one that has no value of its own."""
        value = _read(variable)
        return None if value is None else cls(path, variable, value=value)

    def now(self) -> Any:
        """Its value now, None when it has none."""
        return _read(self.target)

    def changes(self) -> Iterator[Change]:
        """Whether any bit of it differs."""
        now = self.now()
        if now is None or not same_bits(now, self.value):
            yield Change(self.path, "variable", "", "", "assigned")

    def restore(self) -> None:
        """Assign the value."""
        now = self.now()
        if now is None or not same_bits(now, self.value):
            self.target.assign(self.value)


def same_bits(a: Any, b: Any) -> bool:
    """Whether two tensors hold the same bits."""
    import numpy as np

    if a is b:
        return True
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if not a.dtype.is_numpy_compatible:
        return False
    x, y = (np.asarray(tf_private.view(tensor)) for tensor in (a, b))
    return bits.same(x, y)


def _read(variable: Any) -> Any:
    import tensorflow as tf

    try:
        return tf_variables.read_variable(variable.handle, variable.dtype)
    except (
        tf.errors.OpError,
        ValueError,
        AttributeError,
        TypeError,
    ):  # no value yet, or one for each replica
        return None


def function_state(value: Any) -> list[Any] | None:
    """What a `tf.function` keeps of its traces: dicts, and objects with slots. None when it is no tf.function."""
    cls = type(value)
    if cls.__name__ != "Function" or "polymorphic_function" not in cls.__module__:
        return None
    cache = getattr(value, "_function_cache", None)
    parts: list[Any] = [vars(value)]
    if cache is not None:
        parts.append(cache)
        parts += [
            part
            for name in ("_primary", "_dispatch_dict")
            if isinstance(part := getattr(cache, name, None), dict)
        ]
        for table in getattr(cache, "_dispatch_dict", {}).values():
            parts += (
                [part for part in vars(table).values() if isinstance(part, dict)]
                if hasattr(table, "__dict__")
                else []
            )
    for name in ("_variable_creation_config", "_no_variable_creation_config"):
        inner = getattr(getattr(value, name, None), "function_cache", None)
        parts += [p for n in ("_primary", "_dispatch_dict") if isinstance(p := getattr(inner, n, None), dict)]
    return parts


def random_states() -> list[Saved]:
    """The sources of random numbers that any code can draw from."""
    import random

    import numpy as np

    found: list[Saved] = [
        SavedState("random", None, False, random.getstate, random.setstate),
        SavedState("numpy.random", None, False, np.random.get_state, np.random.set_state),
    ]
    found += _context_states()
    return found


def _context_states() -> Iterator[Saved]:
    """What eager ops without a seed take their seeds from; the kernels that hold streams are left alone."""
    with suppress(ImportError, AttributeError):
        context: Any = tf_private.resolve("tensorflow.python.eager.context:context")()
        generator = context._rng
        yield SavedState("tf.random", None, True, generator.getstate, generator.setstate)


def random_variables() -> list[tuple[str, Any]]:
    """Where TensorFlow and Keras keep the generators that are shared by the whole program."""
    found: list[tuple[str, Any]] = []
    module: Any = sys.modules.get("tensorflow.python.ops.stateful_random_ops")
    if module is not None and getattr(module, "global_generator", None) is not None:
        found.append(("tf.random.get_global_generator()", module.global_generator))
    keras: Any = sys.modules.get("keras.src.backend.common.global_state")
    if keras is not None:
        with suppress(Exception):
            generator = keras.get_global_attribute("global_seed_generator")
            if generator is not None:
                found.append(("keras' seed generator", generator.state))
    return found


@contextmanager
def no_summaries() -> Iterator[None]:
    """`tf.summary` writes nothing inside."""
    import tensorflow as tf

    with tf.summary.record_if(False):
        yield


@contextmanager
def functions_eager(eager: bool) -> Iterator[None]:
    """Whether `tf.function`s run op by op inside."""
    from tensorflow.python.eager import def_function

    before = def_function.functions_run_eagerly()
    def_function.run_functions_eagerly(eager)
    try:
        yield
    finally:
        def_function.run_functions_eagerly(before)


@contextmanager
def callbacks_aside() -> Iterator[None]:
    """Only op callbacks that are added inside are called there: TensorFlow hands each the result of the one before."""
    found: list[Any] = tf_private.resolve("tensorflow.python.eager.context:context")().op_callbacks
    module: Any = importlib.import_module("tensorflow.python.eager.execute")
    kept, slow_path = list(found), module.execute
    found.clear()
    try:
        yield
    finally:
        found[:] = kept
        # when the last callback inside goes, TensorFlow takes callbacks out of the path of ops that Python runs
        module.execute = slow_path


class EqualSeeds:
    """Gives random ops seeds by the place they stand at, so that two runs draw the same numbers.

    No seed that the script can have used is used, so that the kernels which hold its streams are left alone: of them
    TensorFlow keeps one for each pair of seeds. The op that runs in a graph's loop keeps its seed and goes on in its
    stream, and so does the eager op at that place; an op that was unrolled has a seed for each copy.
    """

    _runs = 0

    def __init__(self) -> None:
        EqualSeeds._runs += 1
        self._base = (0x7A6E_0000 + 7919 * EqualSeeds._runs) % (2**31 - 1)
        self._places: dict[Any, int] = {}
        self._counts: dict[Any, int] = {}
        self._copies: dict[Any, int] | None = None
        self.drawn: list[tuple[Any, ...]] = []
        """The places that seeds were asked for."""

    def begin(self, traced: bool) -> None:
        """A run begins; a traced one goes first, since it tells which ops are unrolled."""
        if not traced:
            self._copies = dict(self._counts) if self._counts and self._copies is None else self._copies
        self._counts = {}

    def seed(self, place: tuple[Any, ...]) -> tuple[int, int]:
        """The seeds of an op."""
        count = self._counts.get(place, 0)
        self._counts[place] = count + 1
        copies = None if self._copies is None else self._copies.get(place)
        if copies == 1:
            count = 0
        number = self._places.setdefault((place, count), len(self._places) + 1)
        self.drawn.append(place)
        return self._base, number

    @contextmanager
    def used(self, place_of: Callable[[], tuple[Any, ...]]) -> Iterator[None]:
        """Random ops take their seeds from here inside."""
        from tensorflow.python.framework import random_seed

        original = random_seed.get_seed

        def get_seed(op_seed: Any) -> tuple[int, int]:
            return self.seed(place_of())

        random_seed.get_seed = get_seed
        try:
            yield
        finally:
            random_seed.get_seed = original
