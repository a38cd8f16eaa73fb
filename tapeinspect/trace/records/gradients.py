"""Tapes, gradients, variables, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tapeinspect.trace.records.ops import Health, TensorSpec


@dataclass(frozen=True, slots=True)
class TapeEvent:
    """Something that happened to a tape."""

    id: int
    event: Literal["enter", "exit", "watch", "stop_recording", "resume", "reset"]
    op: int
    """The last op before it; 0 when there was none."""
    stack: int
    line: int | None
    time_us: int
    tensor: int | None
    variable: int | None


@dataclass(frozen=True, slots=True)
class Tape:
    """One `tf.GradientTape`."""

    id: int
    step: int | None
    thread: int
    parent: int | None
    persistent: bool
    watch_accessed: bool
    stack: int
    path: str | None
    line: int | None
    first_op: int | None
    last_op: int | None
    events: tuple[TapeEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, or a watched tensor that was given as a source."""

    id: int
    name: str
    kind: Literal["variable", "tensor"]
    dtype: str
    shape: tuple[int, ...] | None
    trainable: bool | None
    handle: int | None = None
    """Tensor id of its resource handle, which the ops that read or assign it take."""


@dataclass(frozen=True, slots=True)
class Gradient:
    """One source of a gradient call, with the figures of its gradient (dense equivalent for a sparse one)."""

    id: int
    call: int
    step: int | None
    variable: Variable
    form: Literal["dense", "sparse", "none"]
    tensor: int | None
    norm: float | None
    min: float | None
    max: float | None
    mean: float | None
    nan: int
    inf: int
    zeros: float
    """Share of exact zeros, 0 to 1."""
    rows: int | None
    """Rows that a sparse gradient touches."""


@dataclass(frozen=True, slots=True)
class VariableStep:
    """A variable at one step."""

    step: int
    variable: int
    norm: float | None
    min: float | None
    max: float | None
    mean: float | None
    nan: int
    inf: int
    zeros: float | None
    update_norm: float | None
    """L2 norm of the change that the step's Assign* ops made; None when none was seen."""
    assigns: int

    @property
    def update_ratio(self) -> float | None:
        """Norm of the update over norm of the variable."""
        if self.update_norm is None or not self.norm:
            return None
        return self.update_norm / self.norm


@dataclass(frozen=True, slots=True)
class GradientCall:
    """One call of `tape.gradient`, `tape.jacobian` or `tape.batch_jacobian`."""

    id: int
    tape: int
    step: int | None
    method: str
    stack: int
    path: str | None
    line: int | None
    targets: tuple[int, ...]
    first_op: int | None
    last_op: int | None
    seconds: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Flow:
    """One gradient on its way back."""

    tensor: int
    """Its tensor, the values of a sparse one; 0 for a tensor without an id."""
    of: int | None
    """The forward tensor that it is the gradient of; None when it is not known."""
    indices: int | None
    """Tensor of the rows that a sparse gradient (IndexedSlices) is for; None for a dense one."""
    spec: TensorSpec | None
    """None when no recorded op made it."""
    health: Health | None
    """Of the values of a sparse gradient; None when it was not measured."""
    parts: tuple[int, ...] = ()
    """The tensors that the tape summed to it; empty when it is no sum."""


@dataclass(frozen=True, slots=True)
class BackwardCall:
    """One op taken backward: the gradients of its outputs came in, those of its inputs went out."""

    id: int
    call: int
    """The gradient call it is part of."""
    parent: int | None
    """The backward call in whose time it ran, where a gradient function opens a tape itself."""
    step: int | None
    thread: int
    type: str
    """Type of the forward op, or the name of a function with a gradient of its own."""
    op: int | None
    """The forward op; None when no recorded op is."""
    incoming: tuple[Flow | None, ...]
    """One for each output of the forward op; None where no gradient arrived."""
    outgoing: tuple[Flow | None, ...]
    """One for each input of the forward op; None where no gradient went on."""
    first_op: int | None
    """The ops it ran; None when it ran none."""
    last_op: int | None
    took_ns: int

    @property
    def seconds(self) -> float:
        """How long it took, recording left out."""
        return self.took_ns / 1e9

    @property
    def summed(self) -> bool:
        """An incoming gradient is a sum: several ops took that output."""
        return any(flow is not None and flow.parts for flow in self.incoming)
