"""Takes down what steps take from iterators.

What a tf.data iterator gives is seen as the op that runs. Of any other iterator nothing is seen as it gives: what it
gave is looked up under the name that the step gives it, whenever the step is looked at.
"""

from __future__ import annotations

import _thread
import math
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from tapeinspect.probe import arguments, tf_iterators
from tapeinspect.probe.code import CallStack
from tapeinspect.probe.frames import locals_of
from tapeinspect.probe.taken.statements import Take, takes_of

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder

_MOST: Final = 256
"""Elements that are kept at most until a step claims them, and of one step."""


@dataclass(slots=True, eq=False)
class Items:
    """What a Python iterator gave."""

    iterator: ref[Any] | None
    """None for one of a kind that has no weak references."""
    values: list[Any] = field(default_factory=list)
    """As `arguments.keep` keeps them."""
    last: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """By the line of a statement that takes: the ids of what it took last, or of what that consists of."""


@dataclass(slots=True, eq=False)
class Taken:
    """What one step took."""

    elements: dict[int, list[Any]] = field(default_factory=dict)
    """The flat tensors of each element, by the id of the resource of the tf.data iterator."""
    items: dict[int, Items] = field(default_factory=dict)
    """By the `id` of the Python iterator."""
    dropped: bool = False
    """There were more elements than the memory allows, and some are gone."""

    def kept(self) -> dict[str, Any]:
        """All that is held, for its size to be counted."""
        return {"elements": list(self.elements.values()), "items": [i.values for i in self.items.values()]}

    def add(self, other: Taken) -> None:
        """What was taken later."""
        for resource, elements in other.elements.items():
            self.elements.setdefault(resource, []).extend(elements)
        for key, items in other.items.items():
            self.items.setdefault(key, Items(items.iterator)).values.extend(items.values)
        self.dropped = self.dropped or other.dropped


@dataclass(slots=True, eq=False)
class _Element:
    op: int
    thread: int
    resource: int
    tensors: list[Any]
    bytes: int


class TakeLog:
    """Keeps what was taken until the step that took it ends. The caller serialises."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._elements: deque[_Element] = deque()
        self._bytes = 0
        self._dropped: dict[int, int] = {}
        """The last op whose element is gone, by thread."""
        self._statements: dict[int, tuple[CodeType, tuple[Take, ...]]] = {}
        self._items: dict[int, dict[int, Items]] = {}
        """By the thread's identity, then by the iterator's."""
        self._off = False

    def gave(self, thread: int, resource: Any, tensors: Any) -> None:
        """The newest op took an element from a tf.data iterator."""
        op = self._recorder.sink.next_op() - 1
        size = sum(map(_size, tensors))
        self._elements.append(_Element(op, thread, resource._id, list(tensors), size))
        self._bytes += size
        while len(self._elements) > _MOST or self._bytes > self._recorder.config.memory // 8:
            oldest = self._elements.popleft()
            self._bytes -= oldest.bytes
            self._dropped[oldest.thread] = oldest.op

    def look_at_stack(self, stack: CallStack, leaf: FrameType) -> bool:
        """An op ran where none had, or behind a statement that takes: whether the functions around took something."""
        frame: FrameType | None = leaf
        found = False
        for code, place in zip(stack.codes, stack.places, strict=False):
            if frame is None or frame.f_code is not code:
                break
            if place.role == "user":
                found = self.look(frame) or found
            frame = frame.f_back
        return found

    def look(self, frame: FrameType | None) -> bool:
        """Look at what the names of a function hold: whether there is something that it has taken since."""
        if frame is None or self._off:
            return False
        try:
            takes = self._takes(frame.f_code)
            return bool(takes) and self._look(frame, takes)
        except Exception as error:
            self._off = True
            self._recorder.trouble("what iterators gave", error)
            return False

    def _takes(self, code: CodeType) -> tuple[Take, ...]:
        known = self._statements.get(id(code))
        if known is None:
            found: tuple[Take, ...] = ()
            if "next" in code.co_names and self._recorder.code.role(code.co_filename) == "user":
                tree = self._recorder.steps.loops.tree(code.co_filename)
                found = takes_of(tree, code) if tree is not None else ()
            known = self._statements[id(code)] = (code, found)
        return known[1]

    def _look(self, frame: FrameType, takes: tuple[Take, ...]) -> bool:
        local = frame.f_locals if frame.f_code.co_name == "<module>" else locals_of(frame)
        known = self._items.setdefault(_thread.get_ident(), {})
        anew = False
        for take in takes:
            found = take.item(frame.f_lineno, local, frame.f_globals)
            if found is not None:
                anew = self._note(known, take.statement.lineno, *found) or anew
        return anew

    def _note(self, known: dict[int, Items], line: int, iterator: Any, given: Any) -> bool:
        if tf_iterators.dataset_iterator(iterator) is not None or not hasattr(type(iterator), "__next__"):
            return False
        items = known.get(id(iterator))
        if items is None:
            weak = None
            with suppress(TypeError):
                weak = ref(iterator)
            items = known[id(iterator)] = Items(weak)
        last = (id(given),) if type(given) is not tuple else tuple(map(id, given))
        if last == items.last.get(line) or len(items.values) >= _MOST:
            return False
        budget = self._recorder.config.memory // 8
        items.values += arguments.keep(arguments.Captured({"": given}, frozenset()), budget).values()
        items.last[line] = last
        return True

    def claim(self, thread: int, first_op: int) -> Taken:
        """What the step took that began with an op and ends in this thread now."""
        taken = Taken(items=self._items.pop(_thread.get_ident(), {}))
        rest = deque(element for element in self._elements if element.thread != thread)
        for element in self._elements:
            if element.thread == thread and element.op >= first_op:
                taken.elements.setdefault(element.resource, []).append(element.tensors)
        self._elements, self._bytes = rest, sum(element.bytes for element in rest)
        taken.dropped = self._dropped.pop(thread, -1) >= first_op
        return taken

    def forget(self) -> None:
        """A call or turn begins: what this thread's names held belongs to one before."""
        self._items.pop(_thread.get_ident(), None)


def _size(tensor: Any) -> int:
    try:
        return int(math.prod(tensor._shape_tuple()) * (tensor.dtype.size or 8))
    except (TypeError, ValueError, NotImplementedError):
        return 8
