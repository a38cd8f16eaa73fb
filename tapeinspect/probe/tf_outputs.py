"""Other outputs of a graph that was traced already: its inputs and side effects stay, and nothing is traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from tapeinspect.probe import tf_private

CAPABILITY: Final = "other_outputs"


def own_outputs(concrete: Any, index: int) -> list[Any]:
    """The graph's tensors in one item of the tuple that a traced function returned."""
    import tensorflow as tf

    flat = tf.nest.flatten(concrete.graph.structured_outputs[index], expand_composites=True)
    return [tensor for tensor in flat if tf.is_tensor(tensor)]


def giving(concrete: Any, outputs: Sequence[Any]) -> Callable[..., list[Any]]:
    """A function of the graph of a concrete function that gives these of its tensors.

    It is called with the same arguments. Raises whatever TensorFlow raises when it will not have that.
    """
    kind: Any = tf_private.resolve(
        "tensorflow.python.eager.polymorphic_function.concrete_function:ConcreteFunction"
    )
    signature: Any = tf_private.resolve(
        "tensorflow.core.function.polymorphism.function_type:from_structured_signature"
    )
    graph, wanted = concrete.graph, list(outputs)
    before = graph.outputs, graph.structured_outputs
    given = graph.structured_input_signature
    graph.outputs, graph.structured_outputs = wanted, wanted
    try:
        told = signature(given, wanted, graph.function_captures.capture_types)
        # the graph's own signature has placeholders for models and the like, which no argument fits
        parameters = list(concrete.function_type.parameters.values())
        told = type(told)(parameters, told.captures, return_annotation=told.output)
        made: Callable[..., list[Any]] = kind.from_func_graph(graph, told, {})
    finally:
        graph.outputs, graph.structured_outputs = before
    return made
