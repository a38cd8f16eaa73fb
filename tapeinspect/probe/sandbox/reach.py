"""What a function can change: everything reachable from its closure, its globals and its arguments.

Walks breadth first, so that each object has the shortest name the user's code has for it.
"""

from __future__ import annotations

import array
import functools
import inspect
import io
import random
import types
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import CodeType, FunctionType
from typing import Any

from tapeinspect.probe.introspect import as_written, dict_of, dunder, keras_path, names_in, of_class, slots
from tapeinspect.probe.sandbox import saved, special
from tapeinspect.probe.sandbox.saved import Saved
from tapeinspect.probe.tf_state import SavedVariable, function_state, is_variable

_OBJECTS = 300_000
_BYTES = 512 << 20
_ATOMS = (bool, int, float, complex, str, bytes, type(None), CodeType, range, slice)
_NO_ENTRY = (
    "tensorflow.", "jax", "threading", "_thread", "queue", "concurrent.", "multiprocessing", "logging", "asyncio",
    "importlib", "_frozen_importlib", "weakref", "re", "inspect", "socket", "select", "subprocess", "typing", "abc",
    "tapeinspect", "absl", "ml_dtypes", "google.",
)  # fmt: skip
"""Packages whose objects belong to a library's own bookkeeping or to other threads."""
_WALKED = (
    "tensorflow.python.trackable",
    "tensorflow.python.distribute",
    "tensorflow.python.ops.stateful_random_ops",
)
_CONSUMED = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)


class Reach:
    """Finds what a function can change, and saves it."""

    def __init__(self, role: Callable[[str], str]) -> None:
        self.saved: list[Saved] = []
        self.variables: list[SavedVariable] = []
        self.fixed: list[special.Fixed] = []
        self.iterators: list[special.Fixed] = []
        """Those that can be put back as long as they are not at their end."""
        self._role = role
        self._seen: dict[int, Any] = {}
        self._queue: deque[tuple[str, Any, str | None, bool]] = deque()
        self._bytes = 0
        self._quiet = False
        """What is being looked at belongs to a library: it is put back and not talked about."""
        self._library_names: dict[type, frozenset[str]] = {}

    def walk(self, roots: list[tuple[str, Any]]) -> None:
        """Save everything reachable from objects, each given with its name."""
        for path, value in roots:
            self._add(path, value)
        while self._queue:
            path, value, known_as, self._quiet = self._queue.popleft()
            try:
                self._visit(path, value, known_as)
            except Exception as error:  # an object that cannot be looked at is left alone
                self.fixed.append(
                    special.Fixed(path, f"{type(value).__name__} ({type(error).__name__}: {error})", False)
                )
            if len(self._seen) > _OBJECTS:
                self.fixed.append(
                    special.Fixed(
                        "…", f"more than {_OBJECTS:,} objects; those beyond are not put back", False
                    )
                )
                return

    def _add(self, path: str, value: Any, known_as: str | None = None, quiet: bool = False) -> None:
        if type(value) in _ATOMS or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        self._queue.append((path, value, known_as, quiet or self._quiet))

    def _save(self, entry: Saved) -> None:
        entry.quiet = entry.quiet or self._quiet
        self.saved.append(entry)

    def _visit(self, path: str, value: Any, known_as: str | None) -> None:
        if is_variable(value):
            self._variable(path, value, known_as)
        elif isinstance(value, FunctionType):
            self._function(path, value)
        elif type(value).__name__ == "_DictWrapper":
            self._dict_wrapper(path, value)
        elif isinstance(value, (list, dict, set, tuple, frozenset, deque, bytearray, array.array)):
            self._container(path, value)
        elif isinstance(value, type):
            self._class(path, value)
        elif isinstance(value, types.ModuleType):
            self._module(path, value)
        elif type(value).__module__ == "numpy" or type(value).__module__.startswith("numpy."):
            self._numpy(path, value)
        else:
            self._object(path, value)

    def _variable(self, path: str, value: Any, known_as: str | None) -> None:
        found = SavedVariable.of(known_as or path, value)
        if found is not None:
            self.variables.append(found)
        for index, inner in enumerate(getattr(value, "_values", None) or ()):  # one for each replica
            self._add(f"{path}[{index}]", inner)

    def _function(self, path: str, function: FunctionType) -> None:
        self._add(path, getattr(function, "__wrapped__", None))
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            if id(cell) not in self._seen:
                self._seen[id(cell)] = cell
                entry = saved.SavedCell(name, cell)
                self._save(entry)
                self._add(name, entry.value)
        if self._role(function.__code__.co_filename) == "library":
            return
        names = set(names_in(function.__code__))
        scope = function.__globals__
        self._names_of(scope)
        for name in names:
            if name in scope:
                self._add(name, scope[name])
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._add(f"{path}'s default", default)
        self._attributes(path, function.__dict__)  # also an empty one: TensorFlow keeps marks there

    def _names_of(self, scope: dict[str, Any], path: str = "") -> None:
        """The names of a module: bound again as they were."""
        if id(scope) in self._seen:
            return
        self._seen[id(scope)] = scope
        prefix = f"{path}." if path else ""
        self._save(saved.SavedDict(path, scope, label=lambda _, key: f"{prefix}{key}", hidden=dunder))

    def _module(self, path: str, module: types.ModuleType) -> None:
        file = getattr(module, "__file__", None)
        if not file or self._role(file) == "library":
            return
        self._names_of(vars(module), path)
        for name, value in list(vars(module).items()):
            if not name.startswith("__") and not isinstance(value, types.ModuleType):
                self._add(f"{path}.{name}", value)

    def _container(self, path: str, value: Any) -> None:
        if isinstance(value, dict):
            self._save(saved.SavedDict(path, value, entries=True))
            for key, item in list(dict.items(value)):
                if type(item) not in _ATOMS:
                    self._add(f"{path}[{saved.describe(key)}]", item)
        elif isinstance(value, set):
            self._save(saved.SavedSet(path, value))
            self._each(path, set.__iter__(value))
        elif isinstance(value, (tuple, frozenset)):
            self._each(path, iter(value))
        else:
            self._save(saved.SavedList(path, value))
            if not isinstance(value, (bytearray, array.array)):
                self._each(path, list.__iter__(value) if isinstance(value, list) else iter(value))
        if type(value) not in (list, dict, set, tuple, frozenset, deque):
            self._wrapper(path, dict_of(value))

    def _each(self, path: str, items: Iterator[Any]) -> None:
        for index, item in enumerate(items):
            if type(item) not in _ATOMS:
                self._add(f"{path}[{index}]", item)

    def _class(self, path: str, cls: type) -> None:
        for base in cls.__mro__:
            if base is object or not self._of_user(base):
                continue
            if base is not cls:
                self._add(base.__name__, base)
                continue
            plain = tuple(n for n in vars(base) if not n.startswith("__"))
            self._save(
                saved.SavedAttributes(
                    base.__name__, base, False, plain, of_class, type.__setattr__, type.__delattr__
                )
            )
            for name, value in list(vars(base).items()):
                if name in plain or isinstance(
                    value, FunctionType
                ):  # `__setitem__` may change what it names, too
                    self._add(f"{base.__name__}.{name}", value)

    def _of_user(self, cls: type) -> bool:
        for value in vars(cls).values():
            code = getattr(inspect.unwrap(value) if callable(value) else value, "__code__", None)
            if code is not None:
                return self._role(code.co_filename) != "library"
        return cls.__module__ == "__main__"

    def _numpy(self, path: str, value: Any) -> None:
        import numpy as np

        if isinstance(value, np.ndarray):
            if not value.flags.writeable or not value.size:
                return
            self._bytes += value.nbytes
            if self._bytes > _BYTES:
                self.fixed.append(special.Fixed(path, "array, too large to be copied", False))
                return
            self._save(saved.SavedArray(path, value))
            if value.dtype.kind == "O":
                self._each(path, iter(value.ravel().tolist()))
        else:
            self._keep(special.generator(path, value))

    def _object(self, path: str, value: Any) -> None:
        if isinstance(value, random.Random):
            self._keep(special.generator(path, value))
        elif isinstance(value, io.IOBase):
            self._keep(special.file(path, value))
        elif isinstance(value, _CONSUMED):
            self.fixed.append(special.Fixed(path, type(value).__name__.replace("_", " "), True, value))
        elif isinstance(value, functools.partial):
            self._each(path, iter((value.func, *value.args, *value.keywords.values())))
        elif isinstance(value, (types.MethodType, classmethod, staticmethod)):
            self._add(path, value.__func__)
            self._add(path, getattr(value, "__self__", None))
        elif isinstance(value, property):
            self._each(path, iter((value.fget, value.fset)))
        elif hasattr(type(value), "__next__"):
            self._iterator(path, value)
        elif type(value).__module__ in ("socket", "sqlite3", "_socket", "subprocess"):
            self.fixed.append(special.Fixed(path, type(value).__name__.lower(), False))
        else:
            self._instance(path, value)

    def _iterator(self, path: str, value: Any) -> None:
        if type(value).__module__ not in ("builtins", "itertools") and self._of_user(type(value)):
            self._instance(path, value)  # of a class of the user's: what it counts with is put back
        else:
            found = special.iterator(path, value)
            self._keep(found)
            if isinstance(found, Saved):
                what = f"iterator ({type(value).__name__})"
                self.iterators.append(special.Fixed(path, what, True, value))

    def _keep(self, found: Saved | special.Fixed | None) -> None:
        if isinstance(found, special.Fixed):
            self.fixed.append(found)
        elif found is not None:
            self._save(found)

    def _instance(self, path: str, value: Any) -> None:
        cls = type(value)
        state = function_state(value)
        if state is not None:
            self._tf_function(path, value, state)
            return
        if cls.__module__.startswith(_NO_ENTRY) and not cls.__module__.startswith(_WALKED):
            return
        of_user = self._of_user(cls)
        self._quiet = not of_user and not isinstance(value, types.SimpleNamespace)
        attributes = dict_of(value)
        if attributes is not None:
            libraries = self._names_of_libraries(cls) if of_user else frozenset()
            self._attributes(path, attributes, keras_path(value), libraries, cls)
        names = slots(cls)
        if names:
            self._save(saved.SavedAttributes(path, value, names=names))
            for name in names:
                with suppress(AttributeError):
                    self._add(f"{path}.{as_written(cls, name)}", object.__getattribute__(value, name))
        if of_user:
            self._add(cls.__name__, cls)

    def _dict_wrapper(self, path: str, value: Any) -> None:
        """A dict that a tf.Module tracks: the dict itself, and what TensorFlow remembers of it."""
        self._visit(path, value.__wrapped__, None)
        names = ("_self_last_wrapped_dict_snapshot",)
        self.saved.append(saved.SavedAttributes(path, value, True, names, getattr, setattr, delattr))

    def _attributes(
        self,
        path: str,
        attributes: Any,
        known_as: str | None = None,
        libraries: frozenset[str] = frozenset(),
        cls: type = object,
    ) -> None:
        if attributes is None or id(attributes) in self._seen:
            return
        self._seen[id(attributes)] = attributes
        entry = saved.SavedDict(path, attributes, label=lambda p, key: f"{p}.{as_written(cls, str(key))}")
        entry.hidden = lambda key: dunder(key) or key in libraries
        self._save(entry)
        for name, item in list(attributes.items()):
            path_too = f"{path}.{as_written(cls, str(name))}"
            self._add(path_too, item, known_as if name == "_value" else None, name in libraries)

    def _wrapper(self, path: str, attributes: Any) -> None:
        """What a list that a tf.Module tracks has besides its items."""
        if attributes is None or id(attributes) in self._seen:
            return
        self._seen[id(attributes)] = attributes
        self.saved.append(saved.SavedDict(path, attributes, quiet=True))
        for name, item in list(attributes.items()):
            self._add(path if name == "_storage" else f"{path}.{name}", item, quiet=name != "_storage")

    def _names_of_libraries(self, cls: type) -> frozenset[str]:
        """The attributes that the code of a class's bases in libraries sets or reads: theirs, not the user's."""
        found = self._library_names.get(cls)
        if found is None:
            names: set[str] = set()
            for base in cls.__mro__:
                if base is not object and not self._of_user(base):
                    codes = [getattr(value, "__code__", None) for value in vars(base).values()]
                    names.update(*(names_in(code) for code in codes if code is not None))
            found = self._library_names[cls] = frozenset(names)
        return found

    def _tf_function(self, path: str, function: Any, state: list[Any]) -> None:
        """A tf.function: its traces are put back, so that the script's own next call traces as it would have."""
        for part in state:
            if isinstance(part, dict):
                self._save(saved.SavedDict(path, part, quiet=True))
            else:
                self._save(saved.SavedAttributes(path, part, quiet=True, names=slots(type(part))))
        self._add(path, getattr(function, "_python_function", None))
