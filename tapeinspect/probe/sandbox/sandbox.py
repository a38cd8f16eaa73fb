"""Running the step again without a trace of it: what it changes is put back exactly, and told."""

from __future__ import annotations

import builtins
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from tapeinspect.probe import tf_private
from tapeinspect.probe.captured_output import CapturedOutput
from tapeinspect.probe.sandbox.reach import Reach
from tapeinspect.probe.sandbox.saved import Change, Saved
from tapeinspect.probe.sandbox.special import Fixed
from tapeinspect.probe.tf_state import SavedVariable, no_summaries, random_states, random_variables

_MOST = 200
"""Changes that are told; more of one run are left out."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What one run printed."""

    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, eq=False)
class _Moment:
    """The state of everything at one moment."""

    reach: Reach
    random: list[Saved]

    @classmethod
    def now(cls, role: Callable[[str], str], roots: list[tuple[str, Any]]) -> _Moment:
        reach = Reach(role)
        with tf_private.tapes_paused():
            reach.walk([*roots, *random_variables()])
        return cls(reach, random_states())

    def entries(self) -> Iterator[Saved]:
        yield from self.reach.saved
        yield from self.reach.variables
        yield from self.random


class Sandbox:
    """The state of everything that a step can change. Made by `sandbox`."""

    def __init__(self, role: Callable[[str], str], roots: list[tuple[str, Any]]) -> None:
        self._role, self._roots = role, roots
        self._start = self._since = _Moment.now(role, roots)
        self._printed = CapturedOutput()
        self._seen = {"stdout": 0, "stderr": 0}
        self.written: list[str] = []
        """Files that a run opened for writing: they are not put back."""
        self.created: list[Any] = []
        """Variables that a run made."""

    @property
    def fixed(self) -> tuple[Fixed, ...]:
        """What the step can reach that cannot be put back."""
        return tuple(self._start.reach.fixed)

    @property
    def consumed(self) -> tuple[Fixed, ...]:
        """What running the step again would use up, should it take from it."""
        return tuple(entry for entry in self._start.reach.fixed if entry.consumed)

    @property
    def iterators(self) -> tuple[Fixed, ...]:
        """Iterators that are put back, unless a run reaches their end."""
        return tuple(self._start.reach.iterators)

    @property
    def variables(self) -> tuple[SavedVariable, ...]:
        """Every variable the step can reach, with the value it had at the beginning."""
        return tuple(self._start.reach.variables)

    def mark(self) -> None:
        """Tell changes and output from here on."""
        self._since = _Moment.now(self._role, self._roots)
        self.created.clear()
        self.written.clear()
        self.printed()

    def changes(self) -> list[Change]:
        """What is different from the last mark, or from the beginning; what is printed apart."""
        found: list[Change] = []
        for entry in self._since.entries():
            if not entry.quiet:
                found += entry.changes()
            if len(found) >= _MOST:
                break
        found += [Change(_name(v), "created", "", "", "created") for v in self.created]
        found += [Change(path, "file", "", "", "opened for writing") for path in dict.fromkeys(self.written)]
        return found

    def printed(self) -> Printed:
        """What was printed since the last call of this."""
        told = {}
        for name in ("stdout", "stderr"):
            text = self._printed.text(name)
            told[name], self._seen[name] = text[self._seen[name] :], len(text)
        return Printed(told["stdout"], told["stderr"])

    def restore(self) -> None:
        """Put everything back: another run begins where the first one did."""
        import tensorflow as tf

        # a step that is run may leave a device or a graph as the default for what comes
        with tf.init_scope(), tf_private.tapes_paused():
            for entry in self._start.entries():
                entry.restore()
        self.created.clear()
        self.written.clear()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Catch what happens inside, and put all back at the end."""
        with ExitStack() as stack:
            stack.enter_context(self._printed.caught())
            stack.callback(self.restore)
            stack.enter_context(no_summaries())
            stack.enter_context(_opened(self.written))
            stack.enter_context(_created(self.created))
            yield


@contextmanager
def sandbox(
    function: Any,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    role: Callable[[str], str],
) -> Iterator[Sandbox]:
    """Save what a call of `function` can change, catch what is printed inside, and put all back at the end.

    role: whether a file is the 'user's or a 'library's. Inside, `tf.summary` writes nothing; what cannot be put
    back is in `Sandbox.fixed`. To be used while the script has no tape open.
    """
    box = Sandbox(role, roots_of(function, args, kwargs or {}))
    with box.entered():
        yield box


def roots_of(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[str, Any]]:
    """What a call of a function can change begins with these objects, each with its name."""
    roots: list[tuple[str, Any]] = []
    owner, function = getattr(function, "__self__", None), getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    names = list(code.co_varnames[: code.co_argcount]) if code is not None else []
    given = ([owner] if owner is not None else []) + list(args)
    for index, value in enumerate(given):
        roots.append((names[index] if index < len(names) else f"argument {index + 1}", value))
    roots += list(kwargs.items())
    return [*roots, (getattr(function, "__name__", "step"), function)]


@contextmanager
def _opened(written: list[str]) -> Iterator[None]:
    """Take down which files are opened for writing by this thread."""
    original = builtins.open
    thread = threading.get_ident()

    def opening(file: Any, mode: Any = "r", *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() == thread and isinstance(mode, str) and set(mode) & set("wax+"):
            written.append(os.fspath(file) if isinstance(file, (str, os.PathLike)) else str(file))
        return original(file, mode, *args, **kwargs)

    builtins.open = opening
    io.open = opening
    try:
        yield
    finally:
        builtins.open = original
        io.open = original


@contextmanager
def _created(found: list[Any]) -> Iterator[None]:
    """Take down which variables are made."""
    import tensorflow as tf

    def creator(next_creator: Any, **kwargs: Any) -> Any:
        variable = next_creator(**kwargs)
        found.append(variable)
        return variable

    with tf.variable_creator_scope(creator):
        yield


def _name(variable: Any) -> str:
    return str(getattr(variable, "name", "variable")).partition(":")[0]
