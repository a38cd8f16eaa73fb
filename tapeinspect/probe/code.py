"""Where ops come from: files, frames and stacks, interned so that each is written once.

A place in the code is a code object and an instruction in it. A stack is the tuple of the places, innermost first.
"""

from __future__ import annotations

import json
import linecache
import os
import site
import sys
import sysconfig
from dataclasses import dataclass, field
from types import CodeType, FrameType, SimpleNamespace
from typing import Any

_GENERATED = "__autograph_generated_file"
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _library_directories() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {
        paths["stdlib"],
        paths["platstdlib"],
        paths["purelib"],
        paths["platlib"],
        *site.getsitepackages(),
    }
    if site.ENABLE_USER_SITE:
        found.add(site.getusersitepackages())
    return tuple(os.path.realpath(path) + os.sep for path in found)


@dataclass(slots=True)
class Rows:
    """Rows for the trace file that have not been written yet, by table."""

    file: list[tuple[Any, ...]] = field(default_factory=list)
    frame: list[tuple[Any, ...]] = field(default_factory=list)
    stack: list[tuple[Any, ...]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Place:
    """One place in the code."""

    id: int
    file: int
    path: str
    role: str
    function: str
    line: int | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CallStack:
    """A whole Python stack, innermost frame first."""

    id: int
    codes: tuple[CodeType, ...]
    lastis: tuple[int, ...]
    places: tuple[Place, ...]
    user: Place | None
    """The innermost place in the user's own code."""
    checks: tuple[tuple[int, CodeType, int], ...]
    """(depth, code, instruction) of the frames that tell this stack from others: the user's own, the innermost and
    the outermost."""


class CodeTable:
    """Interns files, places and stacks. The caller serialises."""

    def __init__(self, main_directory: str | None, keep_source: bool) -> None:
        self.rows = Rows()
        self._keep_source = keep_source
        self._libraries = _library_directories()
        # A script that lies among the libraries (`-m package.train`) is the user's own all the same.
        inside = main_directory and (os.path.realpath(main_directory) + os.sep).startswith(self._libraries)
        self._main = os.path.realpath(main_directory) + os.sep if inside and main_directory else None
        self._roles: dict[str, str] = {}
        self._files: dict[str, int] = {}
        self._count = 0
        # By the ids of code objects, which the stacks keep alive: equal code in two files is not the same.
        self._places: dict[tuple[int, int], Place] = {}
        self._stacks: dict[tuple[Any, ...], CallStack] = {}

    def role(self, path: str) -> str:
        """'user', 'library' or 'generated'."""
        role = self._roles.get(path)
        if role is None:
            role = self._roles[path] = self._role(path)
        return role

    def _role(self, path: str) -> str:
        if _GENERATED in path:
            return "generated"
        if path.startswith("<"):
            return "library" if path.startswith("<frozen") else "user"
        real = os.path.realpath(path)
        if real.startswith(_OURS):
            return "library"
        if self._main and real.startswith(self._main):
            return "user"
        return "library" if real.startswith(self._libraries) else "user"

    def file(self, path: str) -> int:
        """Id of a file; its source is kept when it is the user's or generated."""
        found = self._files.get(path)
        if found is None:
            name = known_as(path)
            found = self._files.get(name)
            if found is not None:  # the same file under another spelling of its path
                self._files[path] = found
                return found
            role = self.role(path)
            source = None
            if role != "library" and self._keep_source:
                source = "".join(linecache.getlines(path)) or None
            found = self._files[path] = self._files[name] = self._count = self._count + 1
            self.rows.file.append((found, name, role, source))
        return found

    def place(self, frame: FrameType, lasti: int) -> Place:
        """The place a frame is at."""
        code = frame.f_code
        key = (id(code), lasti)
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = self._new_place(frame, code, lasti)
        return found

    def _new_place(self, frame: FrameType, code: CodeType, lasti: int) -> Place:
        path = code.co_filename
        role = self.role(path)
        line: int | None = frame.f_lineno
        span: tuple[int | None, int | None, int | None] = (None, None, None)
        if role == "user":
            line, *rest = _expression(frame, line)
            span = (rest[0], rest[1], rest[2])
        function = getattr(code, "co_qualname", code.co_name)
        place = Place(len(self._places) + 1, self.file(path), path, role, function, line)
        self.rows.frame.append((place.id, place.file, function, line, *span))
        return place

    def stack(self, frame: FrameType | None) -> CallStack:
        """The stack from `frame` outward."""
        frames: list[FrameType] = []
        key: list[Any] = []
        while frame is not None:
            frames.append(frame)
            key.append(id(frame.f_code))
            key.append(frame.f_lasti)
            frame = frame.f_back
        found = self._stacks.get(tuple(key))
        if found is None:
            found = self._stacks[tuple(key)] = self._new_stack(frames, key)
        return found

    def _new_stack(self, frames: list[FrameType], key: list[Any]) -> CallStack:
        lastis = tuple(key[1::2])
        places = tuple(self.place(frame, lasti) for frame, lasti in zip(frames, lastis, strict=True))
        user = next((place for place in places if place.role != "library"), None)
        last = len(frames) - 1
        checks = tuple(
            (depth + 1, frames[depth].f_code, lastis[depth])
            for depth, place in enumerate(places)
            if place.role != "library" or depth in (0, 1, last) or places[depth + 1].role != "library"
        )
        stack = CallStack(
            len(self._stacks) + 1, tuple(frame.f_code for frame in frames), lastis, places, user, checks
        )
        ids = json.dumps([place.id for place in places], separators=(",", ":"))
        self.rows.stack.append(
            (stack.id, ids, user and user.id, user and user.file, user and user.line),
        )
        return stack


def _expression(frame: FrameType, line: int | None) -> tuple[int | None, int | None, int | None, int | None]:
    """(line, end line, column, end column) of the expression a frame is evaluating."""
    try:
        import executing

        # Up to Python 3.10 what finds the node holds its frame in cycles: the locals would live until a collection.
        where: Any = SimpleNamespace(
            f_code=frame.f_code, f_lasti=frame.f_lasti, f_lineno=frame.f_lineno, f_globals=frame.f_globals
        )
        node: Any = executing.Source.executing(where).node
        if node is not None and hasattr(node, "end_lineno"):
            path = frame.f_code.co_filename
            start = _characters(linecache.getline(path, node.lineno), node.col_offset)
            end = _characters(linecache.getline(path, node.end_lineno), node.end_col_offset)
            return node.lineno, node.end_lineno, start, end
    except Exception:  # the finder meets every source there is; a line is enough without it
        pass
    return line, None, None, None


def _characters(text: str, offset: int) -> int:
    """A byte offset in UTF-8 as a number of characters."""
    return len(text.encode()[:offset].decode(errors="replace"))


def known_as(path: str) -> str:
    """A file's path as the trace has it."""
    return path if path.startswith("<") else os.path.abspath(path)


def main_directory() -> str | None:
    """The directory of the script or module that runs as `__main__`."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return os.path.dirname(os.path.abspath(path)) if path else None
