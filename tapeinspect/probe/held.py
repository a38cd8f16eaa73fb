"""Tensors kept alive so that somebody can look at them.

An EagerTensor never changes, so a reference is its value. The oldest go first when the budget is spent.
"""

from __future__ import annotations

from collections import deque
from typing import Any


class Held:
    """References to the outputs of the last ops, under a budget of bytes. The caller serialises."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.bytes = 0
        self.tensors: deque[Any] = deque()
        """Tensors, or the tuple of an op's outputs, the oldest first."""
        self.sizes: deque[int] = deque()
        """Bytes of each entry of `tensors`."""

    def trim(self) -> None:
        """Let go of the oldest until the budget is kept."""
        while self.bytes > self.budget:
            self.tensors.popleft()
            self.bytes -= self.sizes.popleft()

    def find(self, tensor_id: int) -> Any:
        """The tensor with this id; None when it is gone."""
        for outputs in reversed(self.tensors):
            for tensor in outputs if type(outputs) is tuple else (outputs,):
                if tensor._id == tensor_id:
                    return tensor
        return None

    def newest(self) -> list[Any]:
        """All tensors, the newest first."""
        found: list[Any] = []
        for outputs in reversed(self.tensors):
            found.extend(outputs if type(outputs) is tuple else (outputs,))
        return found
