"""Filters of the op list: what the user types, and the query it becomes."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database
from tapeinspect.trace.interned import Interned
from tapeinspect.trace.records import OpFilter

_TOKEN = re.compile(r'(?:[a-z]+:)?"[^"]*"|\S+', re.IGNORECASE)
_PLACE = re.compile(r"(?P<path>[^:]+\.\w+):(?P<line>\d+)")
_MOST_IDS = (1 << 63) - 1


def parse_filter(text: str, step: int | None = None) -> OpFilter:
    """What the user typed as a filter; anything else is a word to look for, so it never fails.

    `type:MatMul` `type:Conv*` · `line:23` `train.py:23` `file:train.py` · `step:4` · `tensor:123` · `nan` ·
    `tape` · `backward` (`-tape`, `-backward`: the others) · words and "quoted phrases", each of which must
    occur in the op's type, user file name, user function or source line.
    """
    parsed = OpFilter(step=step, text=text)
    for token in _TOKEN.findall(text):
        parsed = _with_token(parsed, token)
    return parsed


def _with_token(filter: OpFilter, token: str) -> OpFilter:
    name, colon, value = token.partition(":")
    value = value.strip('"')
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
    key = name.lower()
    if colon and key == "type" and value:
        return replace(filter, types=(*filter.types, value))
    if colon and key == "file" and value:
        return replace(filter, path=value)
    if colon and key in ("line", "step", "tensor") and number is not None:
        changed: dict[str, Any] = {key: number}
        return replace(filter, **changed)
    flags: dict[str, dict[str, Any]] = {
        "nan": {"bad": True},
        "tape": {"recorded": True},
        "-tape": {"recorded": False},
        "backward": {"backward": True},
        "-backward": {"backward": False},
    }
    if token.lower() in flags:
        return replace(filter, **flags[token.lower()])
    place = _PLACE.fullmatch(token)
    if place and len(place["line"]) < 19:
        return replace(filter, path=place["path"], line=int(place["line"]))
    phrase = token.strip('"')
    return replace(filter, words=(*filter.words, phrase)) if phrase else filter


@dataclass(slots=True)
class Condition:
    """What a filter asks of a row of `op`, as SQL. `empty`: nothing can match."""

    clauses: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)
    empty: bool = False

    def add(self, clause: str, *parameters: Any) -> None:
        """Another clause that must hold."""
        self.clauses.append(clause)
        self.parameters += parameters

    def where(self) -> str:
        """All clauses as the SQL behind WHERE."""
        return " AND ".join(self.clauses) or "1"


@dataclass(frozen=True, slots=True)
class _StackText:
    path: str
    words: str
    lines: frozenset[tuple[int, int]]
    """(file, line) of each frame in the user's code, or in code generated from it."""


class Vocabulary:
    """The words that op types and user stacks can be found by: a few thousand, so matched in Python."""

    def __init__(self, database: Database, interned: Interned) -> None:
        self._database = database
        self._interned = interned
        self._lock = threading.RLock()
        self._types: dict[int, str] = {}
        self._stacks: dict[int, _StackText] = {}

    def refresh(self) -> None:
        """Read what came since the last time."""
        with self._lock:
            self._read_kinds()
            self._read_stacks()

    def _read_kinds(self) -> None:
        last = max(self._types, default=-_MOST_IDS)
        self._types.update(
            (row[0], decode.text(row[1]).lower())
            for row in self._database.rows("SELECT id, type FROM kind WHERE id > ?", (last,))
        )

    def _read_stacks(self) -> None:
        last = max(self._stacks, default=-_MOST_IDS)
        rows = self._database.rows(
            "SELECT id, frames_json, user_frame, file, line FROM stack WHERE id > ?", (last,)
        )
        if not rows:
            return
        users = {row[0] for row in self._database.rows("SELECT id FROM file WHERE role <> 'library'")}
        frames = {
            row[0]: row[1:] for row in self._database.rows("SELECT id, file, line, function FROM frame")
        }
        for stack, frames_json, user_frame, file, line in rows:
            on_stack = [frames[frame] for frame in decode.ids(frames_json) if frame in frames]
            path = self._interned.path(decode.whole(file)) or ""
            code = self._interned.source_line(decode.whole(file), decode.whole(line))
            function = decode.text(frames[user_frame][2]) if user_frame in frames else ""
            self._stacks[stack] = _StackText(
                path,
                f"{PurePath(path).name}\n{function}\n{code}".lower(),
                frozenset((frame[0], frame[1]) for frame in on_stack if frame[0] in users),
            )

    def types_with(self, patterns: Sequence[str]) -> list[int]:
        """Kinds of any of these op types, regardless of case; a trailing * stands for anything."""
        exact = {pattern.lower() for pattern in patterns}
        starts = tuple(pattern[:-1] for pattern in exact if pattern.endswith("*"))
        return [
            kind
            for kind, name in self._types.items()
            if name in exact or (starts and name.startswith(starts))
        ]

    def kinds_with(self, word: str) -> list[int]:
        """Kinds whose op type holds the word."""
        return [kind for kind, name in self._types.items() if word in name]

    def stacks_with(self, word: str) -> list[int]:
        """Stacks whose user file name, user function or source line holds the word."""
        return [stack for stack, text in self._stacks.items() if word in text.words]

    def stacks_at(self, path: str | None, line: int | None) -> list[int]:
        """Stacks with a user frame on this line; without a line, with the innermost one in the file."""
        if line is None:
            return [stack for stack, text in self._stacks.items() if _is_path(text.path, path or "")]
        files = {file for text in self._stacks.values() for file, _ in text.lines}
        if path is not None:
            files = {file for file in files if _is_path(self._interned.path(file) or "", path)}
        return [
            stack for stack, text in self._stacks.items() if any((file, line) in text.lines for file in files)
        ]

    def lines_of(self, stack: int, file: int) -> list[int]:
        """The lines of a file that have a frame on the stack, each once."""
        text = self._stacks.get(stack)
        return [at for where, at in text.lines if where == file and at is not None] if text else []

    def narrow(self, condition: Condition, filter: OpFilter) -> None:
        """Add what the filter says about types, words and places."""
        with self._lock:
            self.refresh()
            self._narrow(condition, filter)

    def _narrow(self, condition: Condition, filter: OpFilter) -> None:
        if filter.types:
            self._among(condition, "kind", self.types_with(filter.types))
        if filter.path is not None or filter.line is not None:
            self._among(condition, "stack", self.stacks_at(filter.path, filter.line))
        for word in filter.words:
            kinds, stacks = self.kinds_with(word.lower()), self.stacks_with(word.lower())
            if kinds and stacks:
                clause = (
                    "(kind IN (SELECT value FROM json_each(?)) OR stack IN (SELECT value FROM json_each(?)))"
                )
                condition.add(clause, _json(kinds), _json(stacks))
            elif kinds:
                self._among(condition, "kind", kinds)
            else:
                self._among(condition, "stack", stacks)

    @staticmethod
    def _among(condition: Condition, column: str, ids: Sequence[int]) -> None:
        if ids:
            condition.add(f"{column} IN (SELECT value FROM json_each(?))", _json(ids))
        else:
            condition.empty = True


def _json(ids: Sequence[int]) -> str:
    return f"[{','.join(map(str, ids))}]"


def _is_path(path: str, wanted: str) -> bool:
    path, wanted = path.lower(), wanted.lower()
    return wanted in (path if "/" in wanted else PurePath(path).name)
