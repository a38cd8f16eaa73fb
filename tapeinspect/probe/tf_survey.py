"""The private symbols of AutoGraph that show what the user's code does while it is traced.

Behind the capability `survey` of tf_private. Tried with TensorFlow 2.21.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_OURS = os.path.dirname(os.path.abspath(__file__))
Around = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""A function of (the original, its arguments, its keyword arguments) that returns what the original does."""


@contextmanager
def operators_replaced(around: dict[str, Around]) -> Iterator[None]:
    """Generated code calls these operators of AutoGraph's (`converted_call`, `if_stmt`, …) through another function."""
    api: Any = importlib.import_module("tensorflow.python.autograph.impl.api")
    module = api._TRANSPILER.get_extra_locals()["ag__"]
    before = {name: getattr(module, name) for name in around}
    for name, function in around.items():
        setattr(module, name, _through(function, before[name]))
    try:
        yield
    finally:
        for name, original in before.items():
            setattr(module, name, original)


def _through(around: Around, original: Callable[..., Any]) -> Callable[..., Any]:
    def operator(*args: Any, **kwargs: Any) -> Any:
        return around(original, args, kwargs)

    return operator


@contextmanager
def conversions_heard(heard: Callable[[Any], None]) -> Iterator[None]:
    """Call `heard` with AutoGraph's source map of each function it converts: {location: origin}."""
    api: Any = importlib.import_module("tensorflow.python.autograph.impl.api")
    original = api._convert_actual

    def _convert_actual(*args: Any, **kwargs: Any) -> Any:
        converted = original(*args, **kwargs)
        heard(converted.ag_source_map)
        return converted

    api._convert_actual = _convert_actual
    try:
        yield
    finally:
        api._convert_actual = original


def source_lines(source_map: Any) -> dict[tuple[str, int], tuple[str, int]]:
    """AutoGraph's source map as {(generated file, line): (the user's file, line)}."""
    return {
        (place.filename, place.lineno): (origin.loc.filename, origin.loc.lineno)
        for place, origin in source_map.items()
    }


def is_symbolic(value: Any) -> bool:
    """Whether a value is a tensor of a graph that is being made, with no value of its own."""
    import tensorflow as tf

    return bool(tf.is_tensor(value)) and hasattr(value, "graph") and not hasattr(value, "assign")


def holds(value: Any, is_tensor: Callable[[Any], bool], depth: int = 3) -> bool:
    """Whether a value is such a tensor, or a list, tuple or dict that holds one."""
    if isinstance(value, dict) and depth:
        return any(holds(item, is_tensor, depth - 1) for item in list(value.values())[:200])
    if isinstance(value, (list, tuple)) and depth:
        return any(holds(item, is_tensor, depth - 1) for item in value[:200])
    return is_tensor(value)


def runs_in_graph(iterated: Any) -> bool:
    """Whether a `for` over this becomes a loop of the graph."""
    import tensorflow as tf

    return is_symbolic(iterated) or isinstance(iterated, (tf.data.Dataset, tf.data.Iterator, tf.RaggedTensor))


def is_dataset_iterator(value: Any) -> bool:
    """Whether a value is an iterator of tf.data's."""
    import tensorflow as tf

    return isinstance(value, tf.data.Iterator)


def is_op_error(kind: Any) -> bool:
    """Whether this is a class of errors that ops raise when they run."""
    import tensorflow as tf

    return isinstance(kind, type) and issubclass(kind, tf.errors.OpError)


def translated_stack(error: BaseException) -> list[tuple[str, int, str]]:
    """(file, line, function) of the frames of an error while tracing, innermost first, in the user's own terms."""
    metadata = getattr(error, "ag_error_metadata", None)
    frames = getattr(metadata, "translated_stack", None) or ()
    return [(frame.filename, frame.lineno, frame.function_name) for frame in frames]


def plain_message(error: BaseException) -> str:
    """The message of an error without AutoGraph's traceback in it."""
    metadata = getattr(error, "ag_error_metadata", None)
    cause = getattr(metadata, "cause_message", None)
    text = str(cause) if cause else str(error)
    if "in user code:" in text:
        text = text.strip().splitlines()[-1].strip()
    text = "\n".join(line for line in text.splitlines() if _OURS not in line)
    return text.removeprefix(f"{type(error).__name__}: ")


def eager_tensor_class() -> Any:
    """The class whose methods, written in Python, give the value of an eager tensor."""
    return importlib.import_module("tensorflow.python.framework.ops")._EagerTensorBase
