"""Which line of one version of a source became which line of another."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tapeinspect.trace.records import SourceFile


@dataclass(frozen=True, slots=True)
class LineMap:
    """From the places of the first recording to those of the second."""

    files: Mapping[str, str]
    """Path in the first recording to path in the second, for files that have a counterpart."""
    lines: Mapping[str, Mapping[int, int]]
    """For each path of the first recording whose sources differ: its line to the second's."""
    edited: tuple[tuple[str, int], ...]
    """(path in the first, lines that changed) of each file whose sources differ."""

    def place(self, path: str | None, line: int | None) -> tuple[str | None, int | None]:
        """Where a place of the first recording is in the second; the line is None when it was removed."""
        if path is None or line is None:
            return path, line
        other = self.files.get(path, path)
        known = self.lines.get(path)
        return other, line if known is None else known.get(line)


def line_map(first: Sequence[SourceFile], second: Sequence[SourceFile]) -> LineMap:
    """Match the user's files of two recordings by name, and their lines by what they say."""
    files: dict[str, str] = {}
    lines: dict[str, dict[int, int]] = {}
    edited: list[tuple[str, int]] = []
    others = [file for file in second if file.role == "user"]
    for file in first:
        if file.role != "user":
            continue
        other = _counterpart(file, others)
        if other is None:
            continue
        files[file.path] = other.path
        if file.source is not None and other.source is not None and file.source != other.source:
            lines[file.path], changed = _match(file.source.splitlines(), other.source.splitlines())
            edited.append((file.path, changed))
    return LineMap(files, lines, tuple(edited))


def _counterpart(file: SourceFile, others: Sequence[SourceFile]) -> SourceFile | None:
    """The file of the same path, else the only one of the same name."""
    same = next((other for other in others if other.path == file.path), None)
    if same is not None:
        return same
    named = [other for other in others if os.path.basename(other.path) == os.path.basename(file.path)]
    return named[0] if len(named) == 1 else None


def _match(first: list[str], second: list[str]) -> tuple[dict[int, int], int]:
    """Line to line, from 1, and how many lines changed. Lines edited in place keep their order."""
    found: dict[int, int] = {}
    changed = 0
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    for tag, a, a_end, b, b_end in matcher.get_opcodes():
        if tag != "equal":
            changed += max(a_end - a, b_end - b)
        for offset in range(min(a_end - a, b_end - b)):
            found[a + offset + 1] = b + offset + 1
    return found, changed
