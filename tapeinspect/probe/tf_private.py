"""Every private symbol of TensorFlow and Keras that tapeinspect uses, each behind a capability.

A capability that a TensorFlow version lacks switches one feature off and is said once; it never breaks
the run. Tried with TensorFlow 2.16 and 2.21.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tapeinspect.probe import tf_autograph
from tapeinspect.probe.frames import locals_of

MINIMUM = (2, 16)


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that tapeinspect needs of TensorFlow's inside."""

    name: str
    purpose: str
    symbols: tuple[str, ...]
    """`module:attribute.attribute` of each symbol it uses."""


CAPABILITIES: tuple[Capability, ...] = (
    Capability(
        "ops",
        "sees every eager op",
        (
            "tensorflow.python.framework.op_callbacks:add_op_callback",
            "tensorflow.python.framework.op_callbacks:remove_op_callback",
            "tensorflow.python.eager.context:context",
        ),
    ),
    Capability(
        "tapes",
        "sees tapes open, close and watch, and what they recorded",
        (
            "tensorflow.python.eager.backprop:GradientTape._push_tape",
            "tensorflow.python.eager.backprop:GradientTape._pop_tape",
            "tensorflow.python.eager.tape:push_new_tape",
            "tensorflow.python.eager.tape:push_tape",
            "tensorflow.python.eager.tape:pop_tape",
            "tensorflow.python.eager.tape:watch",
            "tensorflow.python.eager.tape:watch_variable",
            "tensorflow.python.eager.imperative_grad:imperative_grad",
            "tensorflow.python.pywrap_tfe:TFE_Py_TapeSetPossibleGradientTypes",
        ),
    ),
    Capability(
        "backward",
        "sees the backward pass op by op",
        (
            "tensorflow.python.eager.backprop:_gradient_function",
            "tensorflow.python.eager.backprop:_default_vspace._replace",
            "tensorflow.python.eager.backprop:_default_vspace.aggregate_fn",
            "tensorflow.python.pywrap_tfe:TFE_Py_RegisterGradientFunction",
            "tensorflow.python.pywrap_tfe:TFE_Py_RegisterVSpace",
            "tensorflow.python.eager.record:record_operation",
            "tensorflow.python.eager.record:could_possibly_record",
            "tensorflow.python.framework.ops:EagerTensor",
        ),
    ),
    Capability(
        "pause_tapes",
        "reads a variable without a tape recording the read",
        (
            "tensorflow.python.eager.record:stop_recording",
            "tensorflow.python.ops.gen_resource_variable_ops:read_variable_op",
        ),
    ),
    Capability(
        "traces",
        "hears of each trace of a tf.function",
        ("tensorflow.python.eager.polymorphic_function.transform:CONCRETE_FUNCTION_CALLBACKS",),
    ),
    Capability(
        "retraces",
        "tells how long a trace took and why a tf.function was traced again",
        (
            "tensorflow.python.eager.polymorphic_function.tracing_compilation:_create_concrete_function",
            "tensorflow.python.eager.polymorphic_function.tracing_compilation:_maybe_define_function",
            "tensorflow.core.function.polymorphism.function_cache:FunctionCache.generalize",
            "tensorflow.core.function.polymorphism.function_type:FunctionType.is_supertype_of",
            "tensorflow.python.util.tf_stack:extract_stack",
        ),
    ),
    Capability(
        "graph_arguments",
        "keeps what a step that runs as a graph was called with",
        (
            "tensorflow.python.eager.polymorphic_function.polymorphic_function:Function.__call__",
            "tensorflow.python.eager.polymorphic_function.polymorphic_function:Function.python_function",
        ),
    ),
    Capability(
        "survey",
        "shows what of the user's code does not survive tracing",
        (
            "tensorflow.python.autograph.impl.api:_TRANSPILER.get_extra_locals",
            "tensorflow.python.autograph.impl.api:_convert_actual",
        ),
    ),
    Capability(
        "quiet_dataset",
        "keeps tf.data from warning that functions run eagerly",
        ("tensorflow.python.data.ops.structured_function:def_function.functions_run_eagerly",),
    ),
    Capability(
        "quiet_pfor",
        "keeps jacobians from warning that functions run eagerly",
        ("tensorflow.python.ops.parallel_for.control_flow_ops:def_function.functions_run_eagerly",),
    ),
    Capability(
        "works",
        "traces a step between two batches without the script's tapes noticing",
        (
            "tensorflow.python.framework.func_graph:func_graph_from_py_func",
            "tensorflow.python.autograph.core.ag_ctx:ControlStatusCtx",
            "tensorflow.python.autograph.core.ag_ctx:Status.UNSPECIFIED",
        ),
    ),
    Capability(
        "autograph",
        "shows what AutoGraph converts while a step is traced",
        tf_autograph.SYMBOLS,
    ),
    Capability(
        "tracebacks",
        "keeps our frames out of the tracebacks TensorFlow shortens",
        ("tensorflow.python.util.traceback_utils:_EXCLUDED_PATHS",),
    ),
    Capability(
        "optimized_graphs",
        "shows what Grappler makes of the traced step",
        (
            "tensorflow.python.eager.context:Context.enable_graph_collection",
            "tensorflow.python.eager.context:Context.disable_graph_collection",
            "tensorflow.python.eager.context:Context.export_run_metadata",
        ),
    ),
    Capability(
        "other_outputs",
        "compares the ops and measures the memory of the traced step without tracing it again",
        (
            "tensorflow.python.eager.polymorphic_function.concrete_function:ConcreteFunction.from_func_graph",
            "tensorflow.core.function.polymorphism.function_type:from_structured_signature",
        ),
    ),
)


def resolve(symbol: str) -> Any:
    """The object a `module:attribute.attribute` names. Raises ImportError or AttributeError."""
    module, _, path = symbol.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def available() -> dict[str, bool]:
    """Which capabilities this TensorFlow has."""
    return {capability.name: _has(capability) for capability in CAPABILITIES}


def _has(capability: Capability) -> bool:
    try:
        for symbol in capability.symbols:
            resolve(symbol)
    except (ImportError, AttributeError):
        return False
    return True


def version() -> tuple[int, int]:
    """Major and minor version of the imported TensorFlow."""
    import tensorflow as tf

    major, minor = tf.__version__.split(".")[:2]
    return int(major), int(minor)


def add_op_callback(callback: Callable[..., None]) -> None:
    """Have a function called after each op that this thread runs eagerly or adds to a graph."""
    resolve("tensorflow.python.framework.op_callbacks:add_op_callback")(callback)


def remove_op_callback(callback: Callable[..., None]) -> None:
    """Undo `add_op_callback`, in the same thread."""
    from tensorflow.python.framework import op_callbacks

    if callback in op_callbacks.context.context().op_callbacks:
        op_callbacks.remove_op_callback(callback)


@contextmanager
def op_callback(callback: Callable[..., None]) -> Iterator[None]:
    """A function is called inside after each op that this thread runs eagerly or adds to a graph."""
    add_op_callback(callback)
    try:
        yield
    finally:
        remove_op_callback(callback)


def gradient_tape() -> Any:
    """The class `tf.GradientTape`."""
    return resolve("tensorflow.python.eager.backprop:GradientTape")


def tape_functions() -> Any:
    """The module whose functions GradientTape's methods call."""
    return importlib.import_module("tensorflow.python.eager.tape")


def backward_pass() -> Any:
    """The module whose `imperative_grad` runs a tape backward."""
    return importlib.import_module("tensorflow.python.eager.imperative_grad")


def eager_tensor() -> Any:
    """The class of tensors that have a value."""
    return resolve("tensorflow.python.framework.ops:EagerTensor")


def gradient_function() -> Any:
    """The function that every tape calls for each op it takes backward."""
    return resolve("tensorflow.python.eager.backprop:_gradient_function")


def register_gradient_function(function: Any) -> None:
    """Have every tape call this function instead."""
    resolve("tensorflow.python.pywrap_tfe:TFE_Py_RegisterGradientFunction")(function)


def vector_space() -> Any:
    """A named tuple of the functions with which tapes add gradients up; the sum is `aggregate_fn`."""
    return resolve("tensorflow.python.eager.backprop:_default_vspace")


def register_vector_space(space: Any) -> None:
    """Have every tape use these functions instead."""
    resolve("tensorflow.python.pywrap_tfe:TFE_Py_RegisterVSpace")(space)


def record_module() -> Any:
    """The module through which functions with a gradient of their own are put on the tapes."""
    return importlib.import_module("tensorflow.python.eager.record")


def possible_gradient_types() -> Callable[[Any], int]:
    """A function of a tuple of tensors: not 0 when a tape of this thread records an op on them."""
    found: Callable[[Any], int] = resolve("tensorflow.python.pywrap_tfe:TFE_Py_TapeSetPossibleGradientTypes")
    return found


@contextmanager
def tapes_paused() -> Iterator[None]:
    """No tape of this thread records what runs inside."""
    from tensorflow.python.eager import record

    with record.stop_recording():
        yield


@contextmanager
def tapes_aside(tapes: list[Any]) -> Iterator[None]:
    """These open `tf.GradientTape`s of this thread record nothing of what runs inside; tapes opened inside do.

    Even where the code around has stopped recording, as TensorFlow does in much of its own.
    """
    pywrap_tfe: Any = importlib.import_module("tensorflow.python.pywrap_tfe")
    stopped = pywrap_tfe.TFE_Py_TapeSetIsStopped()
    recording = [tape for tape in tapes if tape._recording]
    for tape in reversed(recording):
        tape._pop_tape()
    if stopped:
        pywrap_tfe.TFE_Py_TapeSetRestartOnThread()
    try:
        yield
    finally:
        if stopped:
            pywrap_tfe.TFE_Py_TapeSetStopOnThread()
        for tape in recording:
            tape._push_tape()


@contextmanager
def fresh_autograph() -> Iterator[None]:
    """AutoGraph's state is as at the start of a program, whatever the code around has switched off."""
    from tensorflow.python.autograph.core import ag_ctx

    with ag_ctx.ControlStatusCtx(status=ag_ctx.Status.UNSPECIFIED):
        yield


def is_tracing() -> bool:
    """Whether the thread that runs is tracing a function, be it in an `init_scope` inside that trace."""
    code = resolve("tensorflow.python.framework.func_graph:func_graph_from_py_func").__code__
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False


@contextmanager
def functions_traced() -> Iterator[None]:
    """Inside, a tf.function is traced even where the script's run op by op."""
    from tensorflow.python.eager import def_function

    was = def_function.functions_run_eagerly()
    def_function.run_functions_eagerly(False)
    try:
        yield
    finally:
        def_function.run_functions_eagerly(was)


def concrete_function_callbacks() -> list[Callable[[Any], None]]:
    """Functions that TensorFlow calls with each new concrete function."""
    found: list[Callable[[Any], None]] = resolve(
        "tensorflow.python.eager.polymorphic_function.transform:CONCRETE_FUNCTION_CALLBACKS"
    )
    return found


def executing_eagerly() -> bool:
    """Whether ops run now rather than being added to a graph."""
    return bool(resolve("tensorflow.python.eager.context:context")().executing_eagerly())


def outermost_graph() -> Any:
    """The graph of the function being traced, the outermost when they nest; None outside tracing."""
    import tensorflow as tf

    graph = tf.compat.v1.get_default_graph()
    outermost = None
    while graph is not None and hasattr(graph, "outer_graph"):
        outermost, graph = graph, graph.outer_graph
    return outermost


def original_code(frame: Any) -> Any:
    """The code object of the user's function that AutoGraph generated a frame's function from; None when unknown."""
    name = frame.f_code.co_name
    while frame is not None:
        for value in locals_of(frame).values():
            converted = getattr(value, "__code__", None)
            if converted is not None and converted.co_name == name.removeprefix("tf__"):
                return converted
        frame = frame.f_back
    return None


def run_functions_eagerly() -> Callable[[], None]:
    """Run every tf.function op by op, silently; returns what undoes it."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    undo = [_quiet_dataset(), _quiet_pfor()]

    def restore() -> None:
        tf.config.run_functions_eagerly(False)
        for step in undo:
            step()

    return restore


def _quiet_dataset() -> Callable[[], None]:
    """tf.data never runs functions eagerly and warns about it: let it see the flag as off."""
    return _stand_in("tensorflow.python.data.ops.structured_function", functions_run_eagerly=lambda: False)


def _quiet_pfor() -> Callable[[], None]:
    """Vectorised loops switch the flag off while they run and warn about it: switch it off before they look."""
    from tensorflow.python.eager import def_function

    was: list[bool] = []

    def off() -> bool:
        was.append(def_function.functions_run_eagerly())
        def_function.run_functions_eagerly(False)
        return False

    def back(_: bool) -> None:
        def_function.run_functions_eagerly(was.pop() if was else False)

    return _stand_in(
        "tensorflow.python.ops.parallel_for.control_flow_ops",
        functions_run_eagerly=off,
        run_functions_eagerly=back,
    )


def _stand_in(module_name: str, **replaced: Callable[..., Any]) -> Callable[[], None]:
    """Give one module another view of `def_function`; returns what undoes it."""
    try:
        module: Any = importlib.import_module(module_name)
        original = module.def_function
    except (ImportError, AttributeError):
        return lambda: None
    view = types.ModuleType(original.__name__)
    view.__dict__.update(original.__dict__)
    view.__dict__.update(replaced)
    module.def_function = view

    def undo() -> None:
        module.def_function = original

    return undo


def hide_from_tracebacks(path: str) -> None:
    """Have TensorFlow leave frames of files under `path` out where it shortens tracebacks."""
    try:
        module: Any = importlib.import_module("tensorflow.python.util.traceback_utils")
        if path not in module._EXCLUDED_PATHS:
            module._EXCLUDED_PATHS = (*module._EXCLUDED_PATHS, path)
    except (ImportError, AttributeError, TypeError):
        return


def view(tensor: Any) -> Any:
    """A NumPy array that shares the memory of an EagerTensor on the CPU; a copy from another device."""
    return tensor._numpy_internal()


def is_tensor_value(value: Any) -> bool:
    """Whether an object is an eager tensor, one made of them (IndexedSlices, RaggedTensor …), or a type of such."""
    import tensorflow as tf

    if isinstance(value, (tf.IndexedSlices, tf.RaggedTensor, tf.SparseTensor, tf.TypeSpec)):
        return True
    return isinstance(value, tf.Tensor) and hasattr(value, "_id")


def on_host(tensor: Any) -> bool:
    """Whether a tensor lies in the memory of the CPU, so that looking at it copies nothing."""
    return "CPU" in (tensor.backing_device or "CPU")


def summarize(tensor: Any) -> tuple[Any, Any]:
    """Half the sum of a float tensor's squares, and [_, size, -Inf, Inf, NaN], computed where the tensor lies.

    Both are small tensors that are not waited for: on a GPU the script goes on meanwhile.
    """
    import tensorflow as tf

    wide = tf.cast(tensor, tf.float32) if tensor.dtype.size < 4 else tensor
    counts = tf.raw_ops.DebugNumericSummaryV2(
        input=wide, output_dtype=tf.float64, tensor_debug_mode=3, tensor_id=-1
    )
    return tf.raw_ops.L2Loss(t=wide), counts


KERAS_STEP_CALLER = "one_step_on_data"
"""The function of Keras' trainer that calls a model's `train_step`, built-in or the user's."""
KERAS_TRAINER = ("keras/src/backend/tensorflow/trainer.py",)


def is_keras_step_caller(function: str, path: str) -> bool:
    """Whether a frame is Keras' trainer calling a model's `train_step`."""
    return function == KERAS_STEP_CALLER and path.replace("\\", "/").endswith(KERAS_TRAINER)
