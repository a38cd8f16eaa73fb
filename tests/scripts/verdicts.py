"""The scripts of `gotchas/` and `near_misses/`, each with the verdict that its docstring says `tapeinspect diff` gives.

Most follow TensorFlow's guides to tf.function and AutoGraph. The docstring ends in a line `diff: VERDICT` and one
`RULE: PIECE` for each finding, PIECE being part of the line that is named; nothing where any line will do.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDERS: Final = ("gotchas", "near_misses")


@dataclass(frozen=True, slots=True)
class Told:
    """A script, and what it tells of itself."""

    path: Path
    verdict: str
    findings: tuple[tuple[str, int | None], ...]
    """Rule and line of each finding, sorted; None: any line."""

    more: frozenset[str]
    """What else is to be looked at: the docstring may say `diff: VERDICT, op by op, costs`."""

    @property
    def name(self) -> str:
        """Its folder and file: `gotchas/prints`."""
        return f"{self.path.parent.name}/{self.path.stem}"


def told() -> list[Told]:
    """Every script, by name."""
    here = Path(__file__).parent
    return [_told(path) for folder in FOLDERS for path in sorted((here / folder).glob("*.py"))]


def _told(path: Path) -> Told:
    source = path.read_text("utf-8")
    docstring = ast.get_docstring(ast.parse(source), clean=False) or ""
    head, *findings = docstring.partition("\ndiff: ")[2].splitlines()
    lines = source.splitlines()
    found = []
    for finding in findings:
        rule, _, piece = finding.partition(":")
        found.append((rule, _line(path, lines, docstring.count("\n") + 1, piece.strip()) if piece else None))
    verdict, *more = head.split(", ")
    assert {*more} <= {"op by op", "costs"}
    return Told(path, verdict, tuple(sorted(found, key=lambda f: (f[0], f[1] or 0))), frozenset(more))


def _line(path: Path, lines: list[str], after: int, piece: str) -> int:
    """The one line below the docstring that a piece of code is in."""
    found = [number for number, line in enumerate(lines, 1) if number > after and piece in line]
    assert len(found) == 1, f"{path}: {piece!r} is on {len(found)} lines"
    return found[0]
