"""What AutoGraph made of the step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tapeinspect.trace.records.failures import ErrorFrame


@dataclass(frozen=True, slots=True)
class AutographRun:
    """One time that a step was traced to see what AutoGraph makes of it."""

    id: int
    step: int | None
    """The step whose arguments it was traced with."""
    function: str
    path: str | None
    line: int | None
    status: Literal["traced", "failed", "converted"]
    """converted: it was not run, since no arguments for it are known: there are no marks and no branches."""
    note: str
    """What a user should know of it, in words; empty when there is nothing."""
    hint: str
    ops: int
    """Nodes of the graph, bodies of loops and branches included."""
    convert_seconds: float | None
    trace_seconds: float | None


@dataclass(frozen=True, slots=True)
class AutographFunction:
    """One function that the trace of a step met."""

    id: int
    run: int
    parent: int | None
    """The function that called it first, at `call_line`; None for what was traced."""
    within: int | None
    """The function whose generated source holds it: a nested function or lambda has none of its own."""
    name: str
    """As the user would write it: `Model.call`, `outer.<locals>.inner`, `<lambda>`."""
    module: str
    kind: Literal["function", "method", "lambda", "object", "class", "builtin", "generator", "tf.function"]
    role: Literal["user", "library", "generated"]
    path: str | None
    line: int | None
    """Where it begins, decorators included."""
    end_line: int | None
    call_path: str | None
    call_line: int | None
    calls: int
    """How often it was called while tracing."""
    status: Literal["converted", "not_converted", "failed"]
    """failed: AutoGraph tried and could not."""
    rule: str
    """Why it was not converted: allow_listed, do_not_convert, no_source, dynamic (exec), generator, builtin,
    constructor, tf_function, lru_cache, wrapt, native, library (called by a library that is not converted),
    disabled (autograph=False), unsupported (syntax), lambdas (several on a line), other; empty when it was."""
    reason: str
    """The same in words."""
    source: str | None
    """The original, from `line` to `end_line`, as it stands in the file."""
    generated: str | None
    """Exactly what tf.autograph.to_code gives."""


@dataclass(frozen=True, slots=True)
class AutographFold:
    """Generated lines, first to last, that only AutoGraph needs."""

    first: int
    last: int
    what: str
    """get_state, set_state, scope, return, declaration, branch or undefined."""


@dataclass(frozen=True, slots=True)
class LoopVariable:
    """A variable that a loop or branch of the graph carries."""

    name: str
    text: str
    """Dtype and shape, `float32 (32, 10)`; the type of what is no tensor; `undefined`."""
    invariant: str | None = None
    """Its shape invariant, when one was set."""


@dataclass(frozen=True, slots=True)
class AutographConstruct:
    """One construct of the original source, and what it became."""

    id: int
    run: int
    function: int
    path: str | None
    line: int
    end_line: int | None
    col: int | None
    end_col: int | None
    construct: str
    """if, while, for, break, continue, return, and, or, not, comparison, conditional, assert, print, append,
    lambda or comprehension."""
    became: str
    """The op type (`If`, `While`, `ReduceDataset`, `Assert`, `LogicalAnd` ...), `python`, or `not_run`."""
    count: int
    """How often it was met while tracing; the turns of a loop that was unrolled."""
    text: str
    """In words, one sentence."""
    variables: tuple[LoopVariable, ...] = ()
    branches: tuple[tuple[str, int], ...] = ()
    """Python branches with how often each was taken: ("if", 2), ("else", 1)."""


@dataclass(frozen=True, slots=True)
class AutographMark:
    """The mark of one original line."""

    line: int
    mark: Literal["G", "P", "U", "·"]
    """Graph ops, Python while tracing only, an unrolled loop, not run."""
    ops: int
    count: int
    """Turns of an unrolled loop, else how often the line ran while tracing."""


@dataclass(frozen=True, slots=True)
class AutographFailure:
    """What a trace failed with, in the user's terms."""

    run: int
    type: str
    message: str
    path: str | None
    line: int | None
    function: str
    frames: tuple[ErrorFrame, ...]
    """Outermost first."""
    explanation: str
    hint: str
