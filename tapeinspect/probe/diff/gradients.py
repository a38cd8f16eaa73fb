"""The gradients that a run of the step asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tapeinspect.probe import tf_private
from tapeinspect.probe.diff.memory import Gauge
from tapeinspect.probe.sandbox.saved import symbolic

Asked = tuple[str, int | None]
"""A variable, and the line that asked for its gradient."""


@dataclass(slots=True, eq=False)
class GradientWatch:
    """Collects what `tape.gradient` gives. name_of: the user's name of a variable, by its handle's id.

    line: the user's line that runs.
    """

    name_of: Callable[[int], str | None]
    line: Callable[[], int | None]
    found: list[tuple[Asked, Any]] = field(default_factory=list)
    _gauge: Gauge | None = None

    @contextmanager
    def on(self) -> Iterator[None]:
        """Collect inside."""
        module = tf_private.backward_pass()
        original = module.imperative_grad

        def imperative_grad(*args: Any, **kwargs: Any) -> Any:
            results = original(*args, **kwargs)
            self._take(kwargs.get("sources_raw") or args[2], results)
            return results

        module.imperative_grad = imperative_grad
        try:
            yield
        finally:
            module.imperative_grad = original

    @contextmanager
    def copying(self, gauge: Gauge) -> Iterator[None]:
        """Keep copies inside, so that no gradient lives on for being collected; the gauge leaves the copies out."""
        self._gauge = gauge
        try:
            yield
        finally:
            self._gauge = None

    def _copy(self, value: Any) -> Any:
        import numpy as np

        if self._gauge is None or not hasattr(value, "_numpy_internal"):
            return value
        array = tf_private.view(value)
        self._gauge.aside += array.nbytes
        return np.array(array)

    def _take(self, sources: Any, results: Any) -> None:
        line = self.line()
        for index, (source, result) in enumerate(zip(sources, results, strict=False)):
            handle = getattr(getattr(source, "handle", None), "_id", None)
            name = self.name_of(handle) if handle is not None else None
            self.found.append(((name or f"source {index}", line), self._copy(result)))

    def here(self) -> list[Any]:
        """Those of the graph that is being traced, None where there is none, for the graph to return."""
        import tensorflow as tf

        graph = tf.compat.v1.get_default_graph()
        results = []
        for _, result in self.found:
            tensor = getattr(result, "values", result)
            results.append(result if getattr(tensor, "graph", None) is graph else None)
        return results


def named(asked: list[Asked], values: list[Any]) -> dict[str, Any]:
    """Values as arrays by name. Sparse ones are made dense.

    What one line asks for several times is numbered, and what another line asks for again has the line in its name:
    a loop of the graph asks once, and what comes behind it has the same name all the same.
    """
    found: dict[str, Any] = {}
    counts: dict[Asked, int] = {}
    first: dict[str, int | None] = {}
    for (name, line), value in zip(asked, values, strict=False):
        key = name if first.setdefault(name, line) == line else f"{name} (line {line})"
        count = counts[name, line] = counts.get((name, line), 0) + 1
        found[key if count == 1 else f"{key} ({count})"] = dense(value)
    return found


def dense(value: Any) -> Any:
    """A gradient as an array, None for None."""
    import numpy as np
    import tensorflow as tf

    if value is None or symbolic(getattr(value, "values", value)):  # a jacobian traces what it vectorises
        return None
    if isinstance(value, tf.IndexedSlices):
        value = tf.convert_to_tensor(value)
    return np.asarray(tf_private.view(value) if hasattr(value, "_numpy_internal") else value)
