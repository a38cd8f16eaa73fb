"""Every private symbol of AutoGraph that tapeinspect uses, beside `tf_private`. Tried with TensorFlow 2.16 and 2.21."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, FunctionType
from typing import Any, Final

_OURS: Final = os.path.dirname(os.path.abspath(__file__))
_API: Final = "tensorflow.python.autograph.impl.api"
OPERATORS: Final = (
    "if_stmt",
    "while_stmt",
    "for_stmt",
    "if_exp",
    "and_",
    "or_",
    "not_",
    "assert_stmt",
    "list_append",
)
"""What generated code calls instead of Python's own constructs."""
SYMBOLS: Final = (
    f"{_API}:converted_call",
    f"{_API}:_convert_actual",
    f"{_API}:_call_unconverted",
    f"{_API}:_fall_back_unconverted",
    f"{_API}:is_autograph_artifact",
    f"{_API}:_TRANSPILER.get_extra_locals",
    "tensorflow.python.autograph.impl.conversion:is_unsupported",
    "tensorflow.python.autograph.impl.conversion:is_allowlisted",
    "tensorflow.python.autograph.core.config:CONVERSION_RULES",
    "tensorflow.python.autograph.core.ag_ctx:control_status_ctx",
)
"""What the capability "autograph" needs."""


def api() -> Any:
    """The module that converts functions and calls them."""
    return importlib.import_module(_API)


def namespace() -> Any:
    """The module that generated code knows as `ag__`."""
    return api()._TRANSPILER.get_extra_locals()["ag__"]


def calling_frame() -> FrameType:
    """The frame that calls an operator of AutoGraph's, however many of ours stand around the operator."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_OURS) and frame.f_back is not None:
        frame = frame.f_back
    return frame


@dataclass(frozen=True, slots=True)
class Converted:
    """A function that AutoGraph converted."""

    function: Any
    """The new function."""
    generated: str
    """What `tf.autograph.to_code` gives."""
    first: int
    """Line of the generated file that `generated` begins at."""
    path: str
    """The generated file."""
    lines: dict[int, int]
    """Line in `generated` -> line in the function's file."""


def convert(function: Any) -> Converted:
    """Convert a function as `tf.autograph.to_code` does. Raises whatever the conversion raises."""
    module = api()
    context = importlib.import_module("tensorflow.python.autograph.core.converter")
    options = context.ConversionOptions(recursive=True, user_requested=True, optional_features=None)
    converted = module._convert_actual(function, context.ProgramContext(options=options))
    return described(converted)


def described(converted: Any) -> Converted:
    """What is known of a function that AutoGraph made."""
    from tensorflow.python.util import tf_inspect

    path = converted.__code__.co_filename
    generated = _dedent(tf_inspect.getsource(converted))
    first = converted.__code__.co_firstlineno
    count = generated.count("\n") + 1
    found = source_map(converted)
    lines = {at - first + 1: original for at, original in found.items() if first <= at < first + count}
    return Converted(converted, generated, first, path, lines)


def source_map(converted: Any) -> dict[int, int]:
    """Line of the generated file -> line of the original file: AutoGraph's own map."""
    return {place.lineno: origin.loc.lineno for place, origin in converted.ag_source_map.items()}


def _dedent(text: str) -> str:
    import textwrap

    return textwrap.dedent(text)


def is_disabled() -> bool:
    """Whether AutoGraph is off for the code that runs: `autograph=False`, `do_not_convert`, Keras' `fit`."""
    core = importlib.import_module("tensorflow.python.autograph.core.ag_ctx")
    return bool(core.control_status_ctx().status == core.Status.DISABLED)


def is_artifact(function: Any) -> bool:
    """Whether AutoGraph made a function, or was told to leave it alone."""
    return bool(api().is_autograph_artifact(function))


def is_told_not_to_convert(function: Any) -> bool:
    """Whether a function is what `tf.autograph.experimental.do_not_convert` gives."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and "func" in code.co_freevars and code.co_filename == api().__file__


def library_rule(function: Any) -> str | None:
    """The package on AutoGraph's list of libraries left as they are that a function belongs to."""
    from tensorflow.python.util import tf_inspect

    config = importlib.import_module("tensorflow.python.autograph.core.config")
    module = tf_inspect.getmodule(function)
    if not hasattr(module, "__name__"):
        return None
    for rule in config.CONVERSION_RULES:
        action = rule.get_action(module)
        if action == config.Action.CONVERT:
            return None
        if action == config.Action.DO_NOT_CONVERT:
            return str(rule._prefix)
    return None


def is_left_alone(function: Any) -> bool:
    """Whether AutoGraph's list of libraries covers a function, its class, or the class it was inherited from."""
    module = importlib.import_module("tensorflow.python.autograph.impl.conversion")
    return bool(module.is_allowlisted(function))


def is_unsupported(function: Any) -> bool:
    """Whether AutoGraph never converts this kind of callable."""
    module = importlib.import_module("tensorflow.python.autograph.impl.conversion")
    return bool(module.is_unsupported(function))


def is_builtin(function: Any) -> bool:
    """Whether AutoGraph takes a callable for a builtin of Python's."""
    module = importlib.import_module("tensorflow.python.autograph.pyct.inspect_utils")
    return bool(module.isbuiltin(function))


def is_tf_function(value: Any) -> bool:
    """Whether a callable is a `tf.function`."""
    target = getattr(value, "__func__", value)
    return any(
        hasattr(found, "python_function") and hasattr(found, "get_concrete_function")
        for found in (value, target)
    )


def translated_frames(error: BaseException) -> list[tuple[str, int, str, str, bool]]:
    """(file, line, function, code, converted) of an error met while tracing, outermost first; empty when unknown."""
    metadata = getattr(error, "ag_error_metadata", None)
    found = getattr(metadata, "translated_stack", ())
    return [(f.filename, f.lineno, f.function_name, f.code, bool(f.is_converted)) for f in reversed(found)]


def is_tensor(value: Any) -> bool:
    """Whether TensorFlow, rather than Python, decides on a value."""
    import tensorflow as tf

    return bool(tf.is_tensor(value)) or isinstance(value, tf.Variable)


def in_trial() -> bool:
    """Whether AutoGraph tries a loop out in a graph that it throws away."""
    import tensorflow as tf

    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        if getattr(graph, "name", None) == "tmp":
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> Callable[[], None]:
    """Put `make(original)` in the place of an attribute; returns what undoes it."""
    original = getattr(owner, name)
    setattr(owner, name, make(original))
    return lambda: setattr(owner, name, original)


def code_of(function: Any) -> Any:
    """The code object of a function or method; None for what has none."""
    return getattr(getattr(function, "__func__", function), "__code__", None)


def is_plain_function(value: Any) -> bool:
    """Whether a value is a Python function or method."""
    return isinstance(value, FunctionType) or inspect.ismethod(value)


def is_generated(path: str) -> bool:
    """Whether a file is one that AutoGraph wrote."""
    return "__autograph_generated_file" in path


def graph_iterable(value: Any) -> str | None:
    """What a `for` in the graph goes over, in words; None for what Python loops over while tracing."""
    import tensorflow as tf

    if isinstance(value, tf.data.Dataset):
        return "a tf.data.Dataset"
    if isinstance(value, tf.data.Iterator):
        return "a tf.data iterator"
    if isinstance(value, tf.distribute.DistributedIterator):
        return "a distributed iterator"
    if isinstance(value, tf.distribute.DistributedDataset):
        return "a distributed dataset"
    if tf.is_tensor(value):
        if isinstance(value, tf.RaggedTensor):
            return "a ragged tensor"
        return (
            "tf.range"
            if getattr(getattr(value, "op", None), "type", "") == "Range"
            else "the first axis of a tensor"
        )
    return None


def describe(value: Any) -> str:
    """Dtype and shape of a tensor, else the type; `undefined` for what has no value yet."""
    kind = type(value).__name__
    if kind in ("Undefined", "UndefinedReturnValue"):
        return "undefined"
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if is_tensor(value) and dtype is not None:
        dims = (
            "?"
            if shape is None or shape.rank is None
            else ", ".join("?" if d is None else str(d) for d in shape)
        )
        return f"{dtype.name} ({dims})"
    return kind
