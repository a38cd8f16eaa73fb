"""Has the iterators that a step takes from hand out what they gave in its batch, while the step is run once more.

An iterator of tf.data stays the object that it is and gets other elements for a while, so that it is traced as one. In
the place of any other, wherever the step finds it, another iterator is put. Those of the script are as before behind.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tapeinspect.probe import arguments, tf_iterators, tf_private
from tapeinspect.probe.introspect import names_in
from tapeinspect.probe.sandbox import saved
from tapeinspect.probe.sandbox.reach import Reach
from tapeinspect.probe.sandbox.sandbox import roots_of
from tapeinspect.probe.sandbox.special import Fixed, HandsOut
from tapeinspect.probe.step_function import StepFunction
from tapeinspect.probe.taken.log import Taken

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder

_AHEAD: Final = 1000
"""Items of an iterator over a list that are handed out at most."""


@dataclass(slots=True, eq=False)
class StoodIn:
    """One iterator that hands out what it gave."""

    path: str
    """As the user's code names it."""
    what: str
    """"generator", "iterator of a tf.data.Dataset" …"""
    count: int
    """Items it hands out."""
    ahead: bool
    """They are those that it would give next, since it can be copied."""
    begin: Callable[[], None]
    instead: _Items | None = None
    """The iterator in its place; None for one of tf.data, which stays itself."""


class _Items(HandsOut):
    """An iterator in the place of one of Python's."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.at = 0
        self.taken = False
        """Something was taken, ever."""

    def __iter__(self) -> _Items:
        return self

    def __next__(self) -> Any:
        self.taken = True
        if self.at >= len(self.items):
            raise StopIteration
        self.at += 1
        return self.items[self.at - 1]

    def begin(self) -> None:
        """Hand out the first next."""
        self.at = 0


class _Arguments(tuple[Any, ...]):
    """The arguments of a step: whenever they are gone through, to call it, its iterators begin anew."""

    begins: list[Callable[[], None]]

    def __iter__(self) -> Iterator[Any]:
        for begin in self.begins:
            begin()
        return super().__iter__()


@dataclass(slots=True, eq=False)
class _Exchange:
    """What is put in the place of what."""

    instead: dict[int, Any] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)
    """Whose ids are used."""

    def of(self, value: Any) -> Any:
        """A value with iterators in lists, tuples and dicts exchanged."""
        found = self.instead.get(id(value))
        if found is not None:
            return found
        kind = type(value)
        if kind in (list, tuple):
            items = [self.of(item) for item in value]
            return value if all(map(_is, items, value)) else kind(items)
        if kind is dict:
            entries = {key: self.of(item) for key, item in value.items()}
            return value if all(map(_is, entries.values(), value.values())) else entries
        return value

    def into(self, reach: Reach, stack: ExitStack) -> None:
        """Exchange them wherever the step finds them; all is put back when the stack is closed."""
        for entry in reach.saved:
            if isinstance(entry, saved.SavedCell):
                held = [entry.value]
            elif isinstance(entry, saved.SavedDict):
                held = list(entry.items.values())
            elif isinstance(entry, saved.SavedList):
                held = list(entry.items)
            elif isinstance(entry, saved.SavedAttributes):
                held = list(entry.values.values())
            else:
                continue
            if any(id(item) in self.instead for item in held):
                stack.callback(entry.restore)
                self._within(entry)

    def _within(self, entry: saved.Saved) -> None:
        instead = self.instead
        if isinstance(entry, saved.SavedCell):
            entry.target.cell_contents = instead[id(entry.value)]
        elif isinstance(entry, saved.SavedDict):
            for key, item in entry.items.items():
                if id(item) in instead:
                    dict.__setitem__(entry.target, key, instead[id(item)])
        elif isinstance(entry, saved.SavedAttributes):
            for name, item in entry.values.items():
                if id(item) in instead:
                    entry.put(entry.target, name, instead[id(item)])
        elif isinstance(entry, saved.SavedList):
            for index, item in enumerate(entry.items):
                if id(item) in instead:
                    entry.target[index] = instead[id(item)]


def _is(a: Any, b: Any) -> bool:
    return a is b


@contextmanager
def standing_in(recorder: Recorder, step: StepFunction) -> Iterator[StepFunction]:
    """The step with iterators that hand out what they gave in its batch.

    Those of which that is not known stay as they are. To be used while the script stands still.
    """
    kept = recorder.step_log.kept(step.step) if step.callable else None
    taken = kept.taken if kept is not None and not step.by_type else None
    if taken is None or not (taken.elements or taken.items or "next" in names_in(step.code)):
        yield step
        return
    with ExitStack() as stack:
        yield _exchanged(recorder, step, taken, stack)


def _exchanged(recorder: Recorder, step: StepFunction, taken: Taken, stack: ExitStack) -> StepFunction:
    reach = Reach(recorder.code.role)
    with tf_private.tapes_paused():
        reach.walk(roots_of(step.function, step.args, step.kwargs))
    exchange, found = _Exchange(), []
    for entry in (*reach.fixed, *reach.iterators):
        if entry.consumed and entry.value is not None:
            stood = _stand_in(entry, step, taken, entry in reach.iterators, stack)
            if stood is not None:
                found.append(stood)
                if stood.instead is not None:
                    exchange.instead[id(entry.value)] = stood.instead
                    exchange.kept.append(entry.value)
    if not found:
        return step
    exchange.into(reach, stack)
    args = _Arguments(map(exchange.of, step.args))
    args.begins = [stood.begin for stood in found]
    kwargs = {name: exchange.of(value) for name, value in step.kwargs.items()}
    return dataclasses.replace(step, args=args, kwargs=kwargs, iterators=tuple(found))


def _stand_in(
    entry: Fixed, step: StepFunction, taken: Taken, copies: bool, stack: ExitStack
) -> StoodIn | None:
    iterator = tf_iterators.dataset_iterator(entry.value)
    if iterator is not None:
        elements = taken.elements.get(iterator._iterator_resource._id)
        if not elements or taken.dropped or tf_iterators.hands_out(iterator):
            return None
        begin, back = tf_iterators.hand_out(iterator, elements)
        stack.callback(back)
        return StoodIn(entry.path, entry.what, len(elements), False, begin)
    items = taken.items.get(id(entry.value))
    if items is not None and (items.iterator is None or items.iterator() is entry.value):
        try:
            values = [arguments.given({"": value})[""] for value in items.values]
        except LookupError:
            return None
        return _in_place(entry, values, False)
    if copies and entry.path.rpartition(".")[2] in names_in(step.code):
        return _in_place(entry, list(itertools.islice(copy.copy(entry.value), _AHEAD)), True)
    return None


def _in_place(entry: Fixed, values: list[Any], ahead: bool) -> StoodIn:
    # the words about a step name the kind of its iterators
    kind = type(type(entry.value).__name__, (_Items,), {})
    items: _Items = kind(values)
    return StoodIn(entry.path, entry.what, len(values), ahead, items.begin, items)
