"""Iterators of tf.data: told from others, and given something else to hand out for a while.

Uses the private attributes `_iterator_resource`, `_flat_output_types`, `_flat_output_shapes` of an `OwnedIterator` and
`_variant_tensor` of a dataset (tried with TensorFlow 2.16 and 2.21). Where they are missing, an iterator is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tapeinspect.probe.introspect import dict_of
from tapeinspect.probe.tf_state import callbacks_aside

_NAMES = ("_iterator_resource", "_flat_output_types", "_flat_output_shapes")
_MARK = "_tapeinspect_hands_out"


def dataset_iterator(value: Any) -> Any:
    """The iterator of tf.data that an object is, or that it gets its elements from; None when there is none."""
    import tensorflow as tf

    if not isinstance(value, tf.data.Iterator):
        # one that gives NumPy arrays
        named = type(value).__module__.startswith("tensorflow.") and type(value).__name__ == "NumpyIterator"
        value = getattr(value, "_iterator", None) if named else None
    held = dict_of(value) or {}
    return (
        value if all(name in held for name in _NAMES) and hasattr(value._iterator_resource, "_id") else None
    )


def hands_out(iterator: Any) -> bool:
    """Whether an iterator of tf.data hands out something else for a while."""
    return _MARK in (dict_of(dataset_iterator(iterator)) or {})


def hand_out(
    iterator: Any, elements: Sequence[Sequence[Any]]
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Have an iterator hand out elements, each given as its flat tensors: (begin with the first, be as before).

    It keeps its identity and the type of its elements; what it would have handed out itself waits untouched.
    """
    import tensorflow as tf

    held = dict_of(iterator)
    types, shapes = held["_flat_output_types"], held["_flat_output_shapes"]
    with tf.init_scope():
        dataset = _joined([tf.data.Dataset.from_tensors(tuple(tensors)) for tensors in elements])
        resource = tf.raw_ops.AnonymousIteratorV3(output_types=types, output_shapes=shapes)

    def begin() -> None:
        with tf.init_scope(), callbacks_aside():
            tf.raw_ops.MakeIterator(dataset=dataset._variant_tensor, iterator=resource)

    before = dict(held)
    begin()
    held.update({"_iterator_resource": resource, "_dataset": dataset, _MARK: True})
    if "_components" in held:
        held["_components"] = (resource,)

    def back() -> None:
        held.clear()
        held.update(before)

    return begin, back


def _joined(datasets: list[Any]) -> Any:
    """One dataset behind the other, as a tree that is not deep."""
    while len(datasets) > 1:
        pairs = [datasets[i : i + 2] for i in range(0, len(datasets), 2)]
        datasets = [pair[0].concatenate(pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
    return datasets[0]
