"""What one object held, how it differs by now, and how to put it back into the same object.

Nothing here calls code of the script's: no `__eq__`, `__repr__` or `__setattr__` of its classes.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from tapeinspect.probe.introspect import as_written

_SHORT = 60
_ATOMS = (bool, int, float, complex, str, bytes, type(None))
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a run changed."""

    path: str
    """As the user's code names it: `loss_history`, `self.counter`."""
    kind: Literal["variable", "python", "random", "output", "created", "file"]
    before: str
    after: str
    delta: str
    """What happened, in words: "1 item appended", "set"."""
    leak: str | None = None
    """What a symbolic tensor of a graph was left in, None when none was."""


@dataclass(slots=True, eq=False)
class Saved:
    """The state of one object. `restore` puts it back, `changes` tells what is different."""

    path: str
    target: Any
    quiet: bool = False
    """It belongs to a library: it is put back and not talked about."""

    def changes(self) -> Iterator[Change]:
        """What differs from the saved state."""
        return iter(())

    def restore(self) -> None:
        """Make the object what it was."""


@dataclass(slots=True, eq=False)
class SavedList(Saved):
    """A list, deque or bytearray: the same items in the same order."""

    items: Any = ()

    def __post_init__(self) -> None:
        self.items = self._now()

    def _now(self) -> tuple[Any, ...]:
        base = list if isinstance(self.target, list) else type(self.target)
        return tuple(base.__iter__(self.target))

    def changes(self) -> Iterator[Change]:
        """Items added, removed or replaced."""
        now, was = self._now(), self.items
        if _same_items(now, was):
            return
        more = len(now) - len(was)
        if more > 0 and _same_items(now[: len(was)], was):
            delta, fresh = f"{_many(more)} appended", now[len(was) :]
        elif more > 0 and _same_items(now[more:], was):
            delta, fresh = f"{_many(more)} put in front", now[:more]
        elif more < 0:
            delta, fresh = f"{_many(-more)} removed", now
        else:
            delta, fresh = "changed", now
        name = type(self.target).__name__.replace("ListWrapper", "list")
        before, after = f"{name} of {len(was)}", f"{name} of {len(now)}"
        yield Change(self.path, "python", before, after, delta, leak_in(fresh))

    def restore(self) -> None:
        """Put the items back."""
        if _same_items(self._now(), self.items):
            return
        if isinstance(self.target, list):
            list.__setitem__(self.target, slice(None), list(self.items))
        elif isinstance(self.target, bytearray):
            self.target[:] = bytes(self.items)
        else:
            self.target.clear()
            self.target.extend(self.items)


@dataclass(slots=True, eq=False)
class SavedSet(Saved):
    """A set."""

    items: Any = ()

    def __post_init__(self) -> None:
        self.items = set.copy(self.target)

    def _ids(self) -> tuple[set[int], set[int]]:
        return {id(item) for item in self.items}, {id(item) for item in set.__iter__(self.target)}

    def changes(self) -> Iterator[Change]:
        """Members added or removed."""
        was, now = self._ids()
        if was != now:
            fresh = [item for item in set.__iter__(self.target) if id(item) not in was]
            delta = f"{_many(len(now) - len(was))} added" if len(now) > len(was) else "changed"
            before, after = f"set of {len(was)}", f"set of {len(now)}"
            yield Change(self.path, "python", before, after, delta, leak_in(fresh))

    def restore(self) -> None:
        """Put the members back."""
        was, now = self._ids()
        if was != now:
            set.clear(self.target)
            set.update(self.target, self.items)


@dataclass(slots=True, eq=False)
class SavedDict(Saved):
    """A dict, the names of a module, or the attributes of an object."""

    items: Any = None
    label: Callable[[str, Any], str] = lambda path, key: f"{path}[{describe(key)}]"
    """The name of an entry."""
    hidden: Callable[[Any], bool] = lambda key: False
    """Keys whose changes are not talked about."""
    entries: bool = False
    """It is a dict, where what is added or removed is counted; not names or attributes."""

    def __post_init__(self) -> None:
        self.items = dict(self._base().items(self.target))

    def _base(self) -> Any:
        ordered = isinstance(self.target, collections.OrderedDict)
        return collections.OrderedDict if ordered else dict

    def _different(self) -> list[tuple[Any, Any, Any]]:
        now = dict(self._base().items(self.target))
        found = [
            (key, was, now.get(key, _ABSENT))
            for key, was in self.items.items()
            if now.get(key, _ABSENT) is not was
        ]
        return found + [(key, _ABSENT, value) for key, value in now.items() if key not in self.items]

    def changes(self) -> Iterator[Change]:
        """Entries set; for a dict of the user's, how many were added or removed."""
        different = [
            entry for entry in self._different() if not self.hidden(entry[0]) and not _same(*entry[1:])
        ]
        for key, was, now in different:
            if not self.entries or (was is not _ABSENT and now is not _ABSENT):
                path = self.label(self.path, key)
                delta = _step(was, now)
                yield Change(path, "python", describe(was), describe(now), delta, leak_in([now]))
        if self.entries:
            yield from self._size([now for _, was, now in different if was is _ABSENT], len(self.items))

    def _size(self, added: list[Any], before: int) -> Iterator[Change]:
        now = len(dict(self._base().items(self.target)))
        if added or now < before:
            delta = f"{_many(len(added))} added" if added else f"{_many(before - now)} removed"
            yield Change(self.path, "python", f"dict of {before}", f"dict of {now}", delta, leak_in(added))

    def restore(self) -> None:
        """Put the entries back, in their order."""
        different = self._different()
        base = self._base()
        if any(now is _ABSENT for _, _, now in different):
            base.clear(self.target)
            base.update(self.target, self.items)
            return
        for key, was, _ in different:
            if was is _ABSENT:
                base.__delitem__(self.target, key)
            else:
                base.__setitem__(self.target, key, was)


@dataclass(slots=True, eq=False)
class SavedAttributes(Saved):
    """Attributes of an object that has no `__dict__` for them: slots, or those of a class."""

    names: tuple[str, ...] = ()
    get: Callable[[Any, str], Any] = object.__getattribute__
    put: Callable[[Any, str, Any], None] = object.__setattr__
    drop: Callable[[Any, str], None] = object.__delattr__
    values: Any = None

    def __post_init__(self) -> None:
        self.values = self._now()

    def _now(self) -> dict[str, Any]:
        found = {}
        for name in self.names:
            with suppress(AttributeError):
                found[name] = self.get(self.target, name)
        return found

    def changes(self) -> Iterator[Change]:
        """Attributes set or deleted."""
        now = self._now()
        for name in self.names:
            before, after = self.values.get(name, _ABSENT), now.get(name, _ABSENT)
            if before is not after and not _same(before, after):
                delta = _step(before, after)
                path = f"{self.path}.{as_written(type(self.target), name)}"
                yield Change(path, "python", describe(before), describe(after), delta, leak_in([after]))

    def restore(self) -> None:
        """Set the attributes as they were."""
        now = self._now()
        for name in self.names:
            before = self.values.get(name, _ABSENT)
            if before is now.get(name, _ABSENT):
                continue
            with suppress(AttributeError, TypeError):
                if before is _ABSENT:
                    self.drop(self.target, name)
                else:
                    self.put(self.target, name, before)


@dataclass(slots=True, eq=False)
class SavedCell(Saved):
    """A variable of an enclosing function."""

    value: Any = None

    def __post_init__(self) -> None:
        self.value = self._now()

    def _now(self) -> Any:
        try:
            return self.target.cell_contents
        except ValueError:  # not bound yet
            return _ABSENT

    def changes(self) -> Iterator[Change]:
        """Whether it was bound anew."""
        now = self._now()
        if now is not self.value and not _same(now, self.value):
            delta = _step(self.value, now)
            yield Change(self.path, "python", describe(self.value), describe(now), delta, leak_in([now]))

    def restore(self) -> None:
        """Bind it as it was."""
        if self._now() is self.value:
            return
        if self.value is _ABSENT:
            del self.target.cell_contents
        else:
            self.target.cell_contents = self.value


@dataclass(slots=True, eq=False)
class SavedArray(Saved):
    """The contents of a NumPy array."""

    value: Any = None

    def __post_init__(self) -> None:
        self.value = self.target.copy()

    def _changed(self) -> bool:
        import numpy as np

        if self.target.dtype.kind == "O":
            flat = zip(self.target.ravel().tolist(), self.value.ravel().tolist(), strict=True)
            return any(a is not b for a, b in flat)
        return bool(np.asarray(self.target).tobytes() != np.asarray(self.value).tobytes())

    def changes(self) -> Iterator[Change]:
        """Whether any element differs."""
        if self._changed():
            yield Change(self.path, "python", describe(self.value), describe(self.target), "written to")

    def restore(self) -> None:
        """Put the elements back."""
        import numpy as np

        if self._changed():
            np.copyto(self.target, self.value)


@dataclass(slots=True, eq=False)
class SavedState(Saved):
    """Something that tells its state and takes it back: a random number generator, an iterator over a list."""

    read: Callable[[], Any] = lambda: None
    write: Callable[[Any], None] = lambda state: None
    kind: Literal["random", "python", "file"] = "random"
    told: Callable[[Any], str] = lambda state: ""
    delta: str = "advanced"
    state: Any = None

    def __post_init__(self) -> None:
        self.state = self.read()

    def changes(self) -> Iterator[Change]:
        """Whether its state differs."""
        now = self.read()
        if not plain_equal(now, self.state):
            yield Change(self.path, self.kind, self.told(self.state), self.told(now), self.delta)

    def restore(self) -> None:
        """Take the state back."""
        if not plain_equal(self.read(), self.state):
            self.write(self.state)


def plain_equal(a: Any, b: Any) -> bool:
    """Whether two states made of plain values and arrays are the same."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(plain_equal(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(plain_equal, a, b))
    if hasattr(a, "tobytes") and hasattr(b, "tobytes"):
        return bool(a.tobytes() == b.tobytes())
    return type(a) in _ATOMS and type(a) is type(b) and bool(a == b or (a != a and b != b))


def symbolic(value: Any) -> bool:
    """Whether a value is a tensor of a graph rather than one that has a value."""
    kind = type(value)
    return kind.__name__ == "SymbolicTensor" or (
        kind.__module__.startswith("tensorflow.python.framework.ops") and not hasattr(value, "_numpy_internal")
        and kind.__name__ == "Tensor"
    )  # fmt: skip


def leak_in(values: Any, depth: int = 3) -> str | None:
    """The symbolic tensor that some values hold, in words; None when they hold none."""
    for value in values:
        if symbolic(value):
            return describe(value)
        if depth and type(value) in (list, tuple, dict):
            inner = leak_in(value.values() if type(value) is dict else value, depth - 1)
            if inner is not None:
                return inner
    return None


def describe(value: Any) -> str:
    """A value in a few words, without running any code of the script's."""
    if value is _ABSENT:
        return "nothing"
    if type(value) in _ATOMS:
        text = repr(value)
        return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
    module, name = type(value).__module__, type(value).__name__
    if type(value) in (list, tuple, dict, set, frozenset, collections.deque):
        return f"{name} of {len(value)}"
    if module == "numpy" and not getattr(value, "shape", None):
        return repr(value.item()) if hasattr(value, "item") else name
    if symbolic(value):
        return f"symbolic Tensor {_spec(value)}"
    if hasattr(value, "_numpy_internal"):
        array: Any = value._numpy_internal() if _scalar(value) else None
        return f"Tensor {array.item()!r}" if hasattr(array, "item") else f"Tensor {_spec(value)}"
    return f"{name} {_spec(value)}" if module.startswith(("numpy", "tensorflow", "keras")) else name


def _scalar(tensor: Any) -> bool:
    kind = tensor.dtype
    return bool(tensor.shape.rank == 0 and (kind.is_floating or kind.is_integer or kind.is_bool))


def _spec(value: Any) -> str:
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None or dtype is None:
        return ""
    return f"{shape} {getattr(dtype, 'name', dtype)}".strip()


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) in _ATOMS and type(a) is type(b) and bool(a == b))


def _same_items(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    return len(a) == len(b) and all(map(_same, a, b))


def _step(before: Any, after: Any) -> str:
    numbers = (int, float)
    if type(before) in numbers and type(after) in numbers:
        change = after - before
        return f"{'+' if change >= 0 else '−'}{abs(change):.6g}"
    return "set" if before is _ABSENT else "deleted" if after is _ABSENT else "replaced"


def _many(number: int) -> str:
    return f"{number} item" if number == 1 else f"{number} items"
