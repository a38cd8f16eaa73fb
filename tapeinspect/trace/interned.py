"""What many ops share and the file holds once: kinds, stacks, frames, sources. Read when first needed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database, Row
from tapeinspect.trace.records import Frame, SourceFile, Stack, TensorSpec

Role = Literal["user", "library", "generated"]

_BATCH = 500
_CACHED_KINDS = 20_000


@dataclass(frozen=True, slots=True)
class Kind:
    """What ops of one type, with the same attributes and the same kind of outputs, have in common."""

    type: str
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the user's code ran an op: the innermost user frame of its stack."""

    path: str | None
    line: int | None


UNKNOWN_KIND = Kind("unknown", ())
NO_PLACE = Place(None, None)


class Interned:
    """Kinds, stacks, frames and files by id. Rows of these tables never change, so they are cached."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.RLock()
        self._kinds: dict[int, Kind] = {}
        self._places: dict[int, Place] = {}
        self._files: dict[int, SourceFile] = {}
        self._lines: dict[int, list[str]] = {}
        self._stacks: dict[int, Stack] = {}

    def expire(self) -> None:
        """Look again for sources that came after their file was first seen."""
        for file, record in list(self._files.items()):
            if record.source is None:
                self._files.pop(file, None)
                self._lines.pop(file, None)

    def kinds(self, wanted: Iterable[int]) -> dict[int, Kind]:
        """Kinds by id; a kind that is not in the file is left out."""
        with self._lock:
            if len(self._kinds) > _CACHED_KINDS:
                self._kinds = {}
            missing = [kind for kind in set(wanted) if kind not in self._kinds]
            for row in self._fetch("SELECT id, type, outputs_json FROM kind WHERE id IN", missing):
                self._kinds[row[0]] = Kind(decode.text(row[1]), decode.specs(row[2]))
            return self._kinds

    def attrs(self, kind: int) -> dict[str, Any]:
        """The attributes of ops of one kind."""
        row = self._database.one("SELECT attrs_json FROM kind WHERE id = ?", (kind,))
        content = decode.from_json(row[0]) if row else None
        return content if isinstance(content, dict) else {}

    def places(self, stacks: Iterable[int]) -> dict[int, Place]:
        """Places by id of the stack; a stack that is not in the file is left out."""
        missing = [stack for stack in set(stacks) if stack not in self._places]
        for stack, file, line in self._fetch("SELECT id, file, line FROM stack WHERE id IN", missing):
            path = None if file is None else self.path(decode.whole(file))
            self._places[stack] = Place(path, decode.maybe_whole(line))
        return self._places

    def place(self, stack: int) -> Place:
        """The place of one stack; an empty one when it is unknown."""
        return self.places((stack,)).get(stack, NO_PLACE)

    def stack(self, stack: int) -> Stack:
        """A whole stack; KeyError when there is none of this id."""
        if stack not in self._stacks:
            row = self._database.one("SELECT frames_json, user_frame FROM stack WHERE id = ?", (stack,))
            if row is None:
                raise KeyError(stack)
            ids = decode.ids(row[0])
            known = self.frames({*ids, decode.whole(row[1])})
            frames = tuple(known[frame] for frame in ids if frame in known)
            self._stacks[stack] = Stack(stack, frames, known.get(decode.whole(row[1])))
        return self._stacks[stack]

    def frames(self, wanted: Iterable[int]) -> dict[int, Frame]:
        """Frames by id; a frame that is not in the file is left out."""
        rows = self._fetch(
            "SELECT id, file, function, line, end_line, col, end_col FROM frame WHERE id IN", list(wanted)
        )
        return {row[0]: self._frame(row) for row in rows}

    def _frame(self, row: Row) -> Frame:
        file = decode.whole(row[1])
        return Frame(
            id=row[0],
            file=file,
            path=self.path(file) or "unknown",
            role=self._role(file),
            function=decode.text(row[2]),
            line=decode.maybe_whole(row[3]),
            end_line=decode.maybe_whole(row[4]),
            col=decode.maybe_whole(row[5]),
            end_col=decode.maybe_whole(row[6]),
        )

    def file(self, file: int) -> SourceFile:
        """A source file; KeyError when there is none of this id."""
        known = self._files.get(file)
        if known is None:
            row = self._database.one("SELECT id, path, role, source FROM file WHERE id = ?", (file,))
            if row is None:
                raise KeyError(file)
            known = self._files[file] = SourceFile(
                row[0], decode.text(row[1]), _role(row[2]), decode.maybe_text(row[3])
            )
        return known

    def file_ids(self) -> list[int]:
        """Ids of all files, in order."""
        return [row[0] for row in self._database.rows("SELECT id FROM file ORDER BY id")]

    def path(self, file: int) -> str | None:
        """Path of a file, None when it is unknown."""
        try:
            return self.file(file).path
        except KeyError:
            return None

    def source_line(self, file: int, line: int) -> str:
        """One line of a file's source, empty when it was not kept."""
        lines = self._lines.get(file)
        if lines is None:
            try:
                source = self.file(file).source
            except KeyError:
                source = None
            lines = self._lines[file] = (source or "").splitlines()
        return lines[line - 1] if 0 < line <= len(lines) else ""

    def _role(self, file: int) -> Role:
        try:
            return self.file(file).role
        except KeyError:
            return "library"

    def _fetch(self, select: str, wanted: list[int]) -> list[Row]:
        rows: list[Row] = []
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            rows += self._database.rows(f"{select} ({','.join('?' * len(part))})", part)
        return rows


def _role(value: object) -> Role:
    return "user" if value == "user" else "generated" if value == "generated" else "library"
