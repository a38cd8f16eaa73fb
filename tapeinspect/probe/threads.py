"""What is known of each thread that runs ops: its tapes and its step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapeinspect.probe.steps import StepTracker
    from tapeinspect.probe.tapelog import OpenTape


class ThreadState:
    """One thread of the target."""

    __slots__ = ("backward", "busy", "call", "callback", "calls", "id", "method", "tapes", "tracker")

    def __init__(self, id: int, tracker: StepTracker) -> None:
        self.id = id
        self.tracker = tracker
        self.tapes: list[OpenTape] = []
        """Tapes that record in this thread now, outermost first."""
        self.busy = False
        """Our own code runs in it: its ops are not the script's."""
        self.calls = 0
        """How many calls of `tape.gradient` are running."""
        self.call: int | None = None
        """The gradient call that is running."""
        self.method = ""
        """What it is a call of: gradient, jacobian, batch_jacobian."""
        self.backward: int | None = None
        """The innermost backward call that is running."""
        self.callback: Any = None
