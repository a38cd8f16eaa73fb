"""The ops that a trace makes, by name, each with the user's line: to say where a graph's nodes come from."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from tapeinspect.probe import tf_private
from tapeinspect.probe.diff.blame import Spot
from tapeinspect.probe.diff.watch import Places, mapped_stack

_INLINED = re.compile(r".*/_\d+/")
"""What TensorFlow puts in front of a node's name where it dissolves a branch, a loop or a call."""


@dataclass(frozen=True, slots=True)
class ListedOp:
    """An op of the graph."""

    name: str
    type: str
    spot: Spot | None


@dataclass(slots=True, eq=False)
class OpList:
    """Lists what is traced, the bodies of branches and loops included, and adds nothing to the graph."""

    places: Places
    ops: dict[str, ListedOp] = field(default_factory=dict)
    """By name; of two bodies that use one name, the first."""

    def tracing(self) -> AbstractContextManager[None]:
        """What is traced inside is listed."""
        return tf_private.op_callback(self._op)

    def _op(
        self, op_type: Any, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None
    ) -> None:
        if graph is None:
            return
        name = outputs[0].op.name if outputs else _text(op_name)
        if name not in self.ops:
            where = self.places.of_frames(mapped_stack())
            spot = Spot(where.path, where.line) if where.path is not None and where.line is not None else None
            self.ops[name] = ListedOp(name, _text(op_type), spot)

    def find(self, name: str) -> ListedOp | None:
        """The op that a node of the graph stands for."""
        return self.ops.get(name) or self.ops.get(_INLINED.sub("", name))

    def of_types(self, *starts: str) -> list[ListedOp]:
        """Ops whose type begins so, in the order of the program."""
        return [op for op in self.ops.values() if op.type.startswith(starts)]


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name or "")
