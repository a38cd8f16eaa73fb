"""What is known of a live target, folded from what it says: for the screen's header and headless progress."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tapeinspect.link.messages import Hello, State, Status, Tick, Trouble
from tapeinspect.session.target import Event, Exited


@dataclass(frozen=True, slots=True)
class SessionState:
    """A live target at one moment."""

    state: State = "starting"
    why: str = ""
    """Why it paused, or what it waits for, in words."""
    pid: int | None = None
    python: str = ""
    step: int | None = None
    """The step it is in, or paused behind."""
    op: int | None = None
    file: str | None = None
    """Where it paused, with `line`."""
    line: int | None = None
    ops: int = 0
    steps: int = 0
    """Steps that have ended."""
    loss: float | None = None
    """Of the last step that has one."""
    seconds: float = 0.0
    """Since the recording started."""
    overhead: float | None = None
    """(time with recording) / (time without), over the last second or step."""
    size: int = 0
    """Bytes of the trace file."""
    held: int = 0
    """Bytes of tensors kept alive."""
    troubles: tuple[Trouble, ...] = ()
    exit_status: int | None = None
    """Set when the target has ended; 128 + signal when it was killed."""

    @property
    def over(self) -> bool:
        """The target has ended."""
        return self.exit_status is not None

    @property
    def rate(self) -> float | None:
        """Steps a second since the recording started; None before the first."""
        return self.steps / self.seconds if self.steps and self.seconds > 0 else None

    def after(self, event: Event) -> SessionState:
        """The state after an event; the same object when it says nothing about the state."""
        if isinstance(event, Tick):
            return self._after_tick(event)
        if isinstance(event, Status):
            return replace(
                self,
                state=event.state,
                why=event.why,
                step=event.step if event.step is not None else self.step,
                op=event.op if event.op is not None else self.op,
                file=event.file,
                line=event.line,
            )
        if isinstance(event, Hello):
            return replace(self, pid=event.pid, python=event.python)
        if isinstance(event, Trouble):
            return self if event in self.troubles else replace(self, troubles=(*self.troubles, event))
        if isinstance(event, Exited):
            return replace(
                self,
                state="finished",
                why=exit_in_words(event.status),
                exit_status=event.status,
                file=None,
                line=None,
            )
        return self

    def _after_tick(self, tick: Tick) -> SessionState:
        return replace(
            self,
            ops=tick.ops,
            steps=tick.steps,
            loss=tick.loss if tick.loss is not None else self.loss,
            seconds=tick.seconds,
            overhead=tick.overhead if tick.overhead is not None else self.overhead,
            size=tick.size,
            held=tick.held,
        )


def exit_in_words(status: int) -> str:
    """How a script ended: "exit status 3", "killed by SIGKILL"."""
    if status > 128:
        import signal

        try:
            return f"killed by {signal.Signals(status - 128).name}"
        except ValueError:
            pass
    return f"exit status {status}"
