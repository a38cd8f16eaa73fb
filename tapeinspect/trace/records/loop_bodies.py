"""Steps that stand inline in a loop, as functions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoopBody:
    """The body of a loop as a function: what was traced or compared in place of a function of the script's."""

    step: int
    function: str
    """The name it was given."""
    path: str | None
    line: int
    """Of the loop's head."""
    first: int
    """First line of what the function does; what is before and behind it stays in the loop."""
    last: int
    parameters: tuple[str, ...]
    returns: tuple[str, ...]
    code: str
    """The function and the loop that calls it, to be put in the loop's place; '' in a recording without source."""

    @property
    def title(self) -> str:
        """What it is, in words."""
        of = f" of {listed(self.parameters)}" if self.parameters else ""
        return f"the loop's body as a function{of}"

    def holds(self, line: int) -> bool:
        """Whether a line of the file is the loop's head or what the function does."""
        return self.line <= line <= self.last


def listed(names: tuple[str, ...]) -> str:
    """`x, y and z`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
