"""What is known of code that runs as a graph: traces of tf.functions, and regions that no callback reaches."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tapeinspect.probe import tf_private
from tapeinspect.probe.sites import Site, function_name
from tapeinspect.probe.tracing import graph_arguments
from tapeinspect.probe.tracing.graph_arguments import Called

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.threads import ThreadState

_PY_FUNCTIONS = ("EagerPyFunc", "PyFunc", "PyFuncStateless")
_WHY = {
    "dataset": "It runs on tf.data's own threads, where no callback fires.",
    "py_function": "It runs inside a graph or on a thread of TensorFlow's, where no callback fires.",
    "graph": "It runs as one graph; record with --mode eager to see its ops.",
    "jacobian": "experimental_use_pfor=False runs it op by op.",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a function that was traced comes from."""

    function: str
    file: int
    line: int
    called: Called | None = None
    """Keras' step with the types of its arguments, which are the same for each call."""


class GraphLog:
    """Writes down traces and opaque regions. The caller serialises."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._graphs: WeakKeyDictionary[Any, Origin] = WeakKeyDictionary()
        """Graphs being traced in which a tape was opened."""
        self._with_tape: dict[str, Origin] = {}
        """The same by the full name of the function that the graph became."""
        self._seen: set[tuple[str, str]] = set()
        self.runs: Counter[str] = Counter()
        """How often graphs ran, by the name of the function they were made of."""

    def ran(self, state: ThreadState, site: Site, attrs: Any, now: int) -> None:
        """An op ran code that no callback reaches."""
        name = function_name(attrs or ()) or site.type
        if site.special == "graph":
            name = plain_name(site.type)
            if not site.type.startswith("__backward_"):
                self.runs[name] += 1
            origin = self._with_tape.get(site.type)
            if origin is not None and state.tracker.current is None and not state.calls:
                called = origin.called or graph_arguments.of_call(self._recorder, sys._getframe())
                self._recorder.step_log.ran_graph(state.id, origin, called, now)
                state.tracker.serial += 1
        kind = site.special
        label = f"{site.type} {name}" if kind == "dataset" and name != site.type else name
        if kind == "graph" and state.calls and state.method != "gradient":
            kind, label = "jacobian", state.method  # a graph of TensorFlow's own, in any mode
        self._opaque(kind, label, site.stack.id, self._recorder.sink.next_op() - 1)

    def added(self, op_type: Any) -> None:
        """An op was added to a graph while a tf.function is traced."""
        name = _text(op_type)
        if name in _PY_FUNCTIONS:
            self._opaque("py_function", name, None, None)

    def _opaque(self, kind: str, name: str, stack: int | None, op: int | None) -> None:
        if (kind, name) not in self._seen:
            self._seen.add((kind, name))
            sink = self._recorder.sink
            sink.add("opaque", (sink.next_id("opaque"), kind, name, stack, op, _WHY[kind]))

    def tape_traced(self, opener: Any) -> None:
        """A tape was opened while a tf.function is traced: calls of that function are steps."""
        graph = tf_private.outermost_graph()
        if graph is not None and graph not in self._graphs:
            self._graphs[graph] = self._origin(opener)

    def _origin(self, opener: Any) -> Origin:
        """The function that opens a tape; for one that AutoGraph generated, the user's own."""
        table, frame = self._recorder.code, opener
        generated = table.role(opener.f_code.co_filename) == "generated"
        while generated and not frame.f_code.co_name.startswith("tf__") and frame.f_back is not None:
            frame = frame.f_back  # the body of a loop or a branch, which AutoGraph makes a function of
        code = (tf_private.original_code(frame) if generated else None) or frame.f_code
        where = (code.co_name.removeprefix("tf__"), table.file(code.co_filename), code.co_firstlineno)
        return Origin(*where, graph_arguments.of_keras(self._recorder, opener))

    def traced(self, function: Any) -> None:
        """A tf.function was traced into a new graph."""
        full_name = _text(getattr(function, "name", ""))
        origin = self._graphs.get(function.graph)
        if origin is not None:
            self._with_tape[full_name] = origin


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def plain_name(name: str) -> str:
    """`train_step` of `__inference_train_step_123`."""
    for prefix in ("__inference_", "__forward_", "__backward_"):
        if name.startswith(prefix):
            name = name[len(prefix) :]
            head, _, tail = name.rpartition("_")
            return head if tail.isdigit() else name
    return name
