"""The private symbols of TensorFlow that tell when, and for which arguments, a tf.function is traced.

Behind the capability `retraces` of tf_private. Tried with TensorFlow 2.21.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_MODULE = "tensorflow.python.eager.polymorphic_function.tracing_compilation"
_INTERNAL = ("initialize_variables", "fn_with_cond")


@dataclass(frozen=True, slots=True)
class Tracing:
    """One trace that TensorFlow is about to make."""

    name: str
    owner: Any
    """An object that the tf.function has for itself."""
    function_type: Any
    """The types that the call was looked up with; a FunctionType."""
    target_type: Any
    """What is traced: the same, or relaxed by `reduce_retracing`."""
    context: Any
    """The surroundings that are part of the look-up; a FunctionContext."""
    scope: str
    """'VARIABLE_CREATION', 'NO_VARIABLE_CREATION' or another name of a ScopeType."""
    reduces: bool
    """`reduce_retracing` is on."""
    signed: bool
    """It has an `input_signature`."""
    python_function: Any
    """The user's function, or the method with the object it is bound to."""


def watch_tracing(around: Callable[[Tracing, Callable[[], Any]], Any]) -> Callable[[], None]:
    """Have `around(tracing, go_on)` called for each trace; it must return what `go_on()` does. Returns the undo."""
    module: Any = importlib.import_module(_MODULE)
    original = module._create_concrete_function

    def _create_concrete_function(function_type: Any, context: Any, graph: Any, options: Any) -> Any:
        def go_on() -> Any:
            return original(function_type, context, graph, options)

        if options.function_cache is None and options.name in _INTERNAL:
            return go_on()
        return around(_tracing(sys._getframe(1), function_type, options), go_on)

    module._create_concrete_function = _create_concrete_function

    def undo() -> None:
        module._create_concrete_function = original

    return undo


def _tracing(caller: Any, target: Any, options: Any) -> Tracing:
    local = caller.f_locals if caller.f_code.co_name == "_maybe_define_function" else {}
    scope = getattr(options.scope_type, "name", str(options.scope_type))
    return Tracing(
        name=str(options.name),
        owner=options.polymorphic_type,
        function_type=local.get("lookup_func_type") or target,
        target_type=target,
        context=local.get("current_func_context"),
        scope=scope,
        reduces=bool(options.reduce_retracing),
        signed=options.input_signature is not None,
        python_function=undecorated(options.python_function),
    )


def undecorated(function: Any) -> Any:
    """The function that decorators of TensorFlow's and `functools.partial` stand around."""
    while getattr(function, "_tf_decorator", None) is not None:
        function = function._tf_decorator.decorated_target
    return getattr(function, "func", function)


def bound_to(function: Any) -> tuple[Any, str]:
    """The object that the method of a tf.function is bound to, None when it is gone; and the name of its class.

    (None, '') for a plain function.
    """
    target = getattr(function, "__self__", None)
    weak = getattr(target, "weakrefself_target__", None)
    if target is None or not callable(weak):
        return target, type(target).__name__ if target is not None else ""
    original = getattr(target, "weakrefself_func__", lambda: None)()
    owner = getattr(original, "__qualname__", "").split(".")[:-1]
    return weak(), owner[-1] if owner else "an"


def unbound(function: Any) -> Any:
    """The function of a method; what was given for any other callable."""
    weak = getattr(getattr(function, "__self__", None), "weakrefself_func__", None)
    if callable(weak):
        function = weak()
    return undecorated(getattr(function, "__func__", function))


_calls: list[Any] = []


def call_code() -> Any:
    """The code of `tf.function`'s `__call__`, inside of TensorFlow's decorators."""
    if not _calls:
        module: Any = importlib.import_module(
            "tensorflow.python.eager.polymorphic_function.polymorphic_function"
        )
        _calls.append(undecorated(module.Function.__call__).__code__)
    return _calls[0]


def types_of(value: Any) -> Any:
    """A structure with its tensors replaced by their types; what holds none is left as it is."""
    import tensorflow as tf

    def type_of(leaf: Any) -> Any:
        return tf.type_spec_from_value(leaf) if tf.is_tensor(leaf) else leaf

    return tf.nest.map_structure(type_of, value)


def mapped_stack() -> list[tuple[str, int]]:
    """(file, line) of each frame, innermost first; generated code as the user's lines it came from."""
    from tensorflow.python.util import tf_stack

    return [(frame.filename, frame.lineno) for frame in reversed(tf_stack.extract_stack())]


def common_type(types: Sequence[Any]) -> Any:
    """The most specific type that fits all; None when there is none."""
    if all(kind == types[0] for kind in types[1:]):
        return types[0]
    return types[0].most_specific_common_supertype(list(types[1:]))


def number_spec(value: Any) -> Any:
    """The type of the tensor that a Python number becomes."""
    import tensorflow as tf

    dtype = tf.bool if isinstance(value, bool) else tf.int32 if isinstance(value, int) else tf.float32
    return tf.TensorSpec((), dtype)


def with_types(function_type: Any, types: dict[str, Any]) -> Any:
    """A call's type with other types of its arguments."""
    made = [type(p)(p.name, p.kind, p.optional, types[name]) for name, p in function_type.parameters.items()]
    return type(function_type)(made, function_type.captures)


def traces_needed(calls: Iterable[Any], reduces: bool, first: Any = None) -> int:
    """How many traces TensorFlow's own cache makes of calls of these types, nothing being traced.

    `first`: a type that is traced before them, as one with an `input_signature` is.
    """
    from tensorflow.core.function.polymorphism.function_cache import FunctionCache, FunctionContext

    cache, context = FunctionCache(), FunctionContext()
    made = 0
    for call in [*([first] if first is not None else []), *calls]:
        if cache.lookup(call, context) is None:
            made += 1
            cache.add(_Traced(cache.generalize(context, call) if reduces else call), context)
    return made


@dataclass(frozen=True, slots=True)
class _Traced:
    """What the cache asks of a concrete function."""

    function_type: Any
