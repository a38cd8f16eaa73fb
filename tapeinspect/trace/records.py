"""The facts of a recording, as frozen dataclasses: what the reader gives and every view shows.

Tensor ids, op ids and so on are the ids of the trace file (`tapeinspect.trace.schema`). Times: `time_us` is
microseconds since the recording started, `took_ns` nanoseconds, `seconds` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Meta:
    """The facts of the whole run."""

    format: int
    script: str
    argv: tuple[str, ...]
    tensorflow: str | None
    """Version of TensorFlow, None when the script never imported it."""
    keras: str | None
    python: str
    tapeinspect: str
    mode: Literal["eager", "graph"]
    values: Literal["off", "health", "full"]
    started: float
    """Unix time."""
    exit_status: int | None
    """The script's, 128 + signal when it was killed; None while it runs, or when nobody learned it."""
    complete: bool
    """The recording was closed in order; False for a running target and for one cut off."""
    raw: dict[str, Any]
    """Everything in the table `meta`."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a recording has come; a new one after each `refresh()` that found something."""

    ops: int = 0
    steps: int = 0
    """Steps begun; the last one may still run."""
    gradients: int = 0
    errors: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that frames point into."""

    id: int
    path: str
    role: Literal["user", "library", "generated"]
    source: str | None
    """None when it was not kept (`--no-source`, or a library's)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One place in the code: the expression that was being evaluated."""

    id: int
    file: int
    path: str
    role: Literal["user", "library", "generated"]
    function: str
    line: int | None
    end_line: int | None = None
    col: int | None = None
    """Columns count characters from 0, end exclusive; None where only the line is known."""
    end_col: int | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """An interned Python stack, innermost frame first."""

    id: int
    frames: tuple[Frame, ...]
    user: Frame | None
    """The innermost frame of the user's own code."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What is known of a tensor without its value."""

    dtype: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Health:
    """The cheap figures of one float tensor."""

    nan: int
    inf: int
    norm: float | None
    """L2 norm; None when the tensor holds NaN or Inf."""


@dataclass(frozen=True, slots=True)
class Output:
    """One output of an op."""

    id: int
    spec: TensorSpec
    health: Health | None
    """None when it is not a float or was not measured."""


@dataclass(frozen=True, slots=True)
class OpRow:
    """The digest of an op that a list shows."""

    id: int
    step: int | None
    type: str
    stack: int
    path: str | None
    """File of the innermost user frame."""
    line: int | None
    thread: int
    time_us: int
    took_ns: int
    tape: int | None
    """The innermost tape that recorded it."""
    output: TensorSpec | None
    """Dtype and shape of the first output."""
    norm: float | None
    bad: bool
    """An output holds NaN or Inf."""
    backward: bool
    """It ran inside a call of `tape.gradient` or the like."""


@dataclass(frozen=True, slots=True)
class Op:
    """All that is known of one op."""

    row: OpRow
    inputs: tuple[int, ...]
    outputs: tuple[Output, ...]
    attrs: dict[str, Any]
    stack: Stack
    tapes: tuple[int, ...]
    """Every tape that recorded it, innermost first."""
    thread_name: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One op in the graph that tensors make: what it took and what it made."""

    op: int
    step: int | None
    type: str
    stack: int
    thread: int
    tapes: tuple[int, ...]
    """Every tape that recorded it."""
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    dtypes: tuple[str, ...]
    """Of the outputs."""


@dataclass(frozen=True, slots=True)
class Stats:
    """The full figures of one tensor; min, max, mean, std over finite values, None when there are none."""

    size: int
    nan: int
    inf: int
    zeros: int
    min: float | None
    max: float | None
    mean: float | None
    std: float | None
    norm: float | None
    edges: tuple[float, ...] = ()
    """Edges of the histogram's bins: one more than `counts`."""
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor's value, or the part of it asked for."""

    spec: TensorSpec
    data: bytes
    """C order, little endian; for strings a JSON list in UTF-8."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument that a step was called with."""

    name: str
    kind: Literal["tensor", "array", "variable", "python", "structure"]
    text: str
    """As a person would write it, cut short."""
    spec: TensorSpec | None = None
    tensor: int | None = None
    exact: bool = True
    """False when the function may have bound the name anew before it was looked at."""


@dataclass(frozen=True, slots=True)
class Step:
    """One batch of training."""

    id: int
    kind: Literal["call", "turn"]
    """One call of `function`, or one turn of the loop at `line` inside it."""
    function: str
    file: int | None
    path: str | None
    line: int | None
    thread: int
    first_op: int
    last_op: int | None
    """None while it runs."""
    ops: int
    time_us: int
    seconds: float | None
    loss: float | None
    args: tuple[Argument, ...] = ()
    overhead: float | None = None
    """(seconds with recording) / (seconds without)."""


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
class PathStep:
    """One op on the way of a value from a source to where its gradient gets lost."""

    op: int
    type: str
    path: str | None
    line: int | None
    tensor: int | None
    """The tensor that it hands on; None for an op without outputs."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a gradient is None."""

    message: str
    """One sentence."""
    path: str | None
    line: int | None
    hint: str = ""
    """What to change; empty where nothing certain can be said."""
    steps: tuple[PathStep, ...] = ()
    """The way from the source to where it breaks, both included; empty when the source is not used at all."""


@dataclass(frozen=True, slots=True)
class NoneEvidence:
    """What was known of a source at the moment its gradient turned out to be None."""

    tensor: int | None
    """Id of the tensor given, or of the variable's handle."""
    watched: bool | None
    """The tape had seen the variable; None where that is not known."""
    local: str | None
    """What the code at the call calls it."""
    twin: int | None
    """Handle of a variable that the tape did see, alike in name, shape and dtype, and not among the sources."""
    twin_name: str


@dataclass(frozen=True, slots=True)
class OriginInput:
    """An input of the op that made the first NaN or Inf."""

    tensor: int
    spec: TensorSpec
    nan: int
    inf: int
    zeros: float | None
    """Share of exact zeros, 0 to 1; None, like the figures below, for what has no such figures."""
    min: float | None
    max: float | None
    norm: float | None


@dataclass(frozen=True, slots=True)
class OriginElement:
    """One element that came out as NaN or Inf."""

    index: tuple[int, ...]
    inputs: tuple[float, ...]
    """The values that it was made of, one for each input of the op."""
    output: float


@dataclass(frozen=True, slots=True)
class OriginNote:
    """What an op that made the first NaN or Inf was given, looked at while it ran."""

    op: int
    tensor: int
    inputs: tuple[OriginInput, ...]
    elements: tuple[OriginElement, ...]


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


@dataclass(frozen=True, slots=True)
class FunctionTrace:
    """One trace of a `tf.function`."""

    id: int
    function: str
    path: str | None
    line: int | None
    signature: str
    nodes: int
    """Ops in its graph; 0 when tracing failed."""
    step: int | None
    op: int
    """The last op before it."""
    kind: Literal["function", "dataset", "library"] = "function"
    """'dataset': made for tf.data; 'library': not of the user's code."""
    object: int = 0
    """Tells the tf.function objects apart."""
    number: int = 1
    """Which trace of its object this is, from 1."""
    seconds: float | None = None
    """With the functions traced inside it."""
    caller_path: str | None = None
    caller_line: int | None = None
    """The user's line that called it."""
    arguments: tuple[tuple[str, str], ...] = ()
    """(name, what it was called with)."""
    cause: str = "first"
    """A code: see the table `trace`; 'first' for the first trace of a function."""
    argument: str | None = None
    """The part of an argument that the cause is about."""
    why: str = ""
    """The cause in words."""
    advice: str = ""
    """What would have prevented it, empty when there is nothing to say."""
    checked: str | None = None
    """How the advice was tried; None when it was not."""

    @property
    def retrace(self) -> bool:
        """Whether something had been traced before that this call did not fit."""
        return self.cause not in ("first", "variables")


@dataclass(frozen=True, slots=True)
class Survey:
    """One time that a step was traced to see what of it does not survive tracing."""

    id: int
    step: int | None
    function: str
    status: Literal["traced", "failed"]
    seconds: float
    type: str | None = None
    """Class of the exception that tracing failed with."""
    message: str | None = None
    path: str | None = None
    line: int | None = None
    frames: tuple[ErrorFrame, ...] = ()
    """The user's frames of the exception, outermost first."""


@dataclass(frozen=True, slots=True)
class SurveyFact:
    """One thing that happened on a line of the user's while it was traced; see `probe.survival`."""

    id: int
    fact: Literal["call", "store", "read", "iterate", "catch", "eager"]
    file: int
    path: str
    line: int
    name: str
    count: int
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opaque:
    """Code that no callback reaches."""

    id: int
    kind: Literal["dataset", "py_function", "graph"]
    name: str
    op: int | None
    why: str


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """One line of a traceback."""

    file: str
    line: int | None
    function: str
    code: str
    user: bool


@dataclass(frozen=True, slots=True)
class ScriptFailure:
    """An exception that ended the script."""

    id: int
    type: str
    message: str
    file: str | None
    line: int | None
    step: int | None
    frames: tuple[ErrorFrame, ...]
    """Outermost first."""


@dataclass(frozen=True, slots=True)
class ProbeError:
    """Something in tapeinspect itself failed; that part of the recording is off from there."""

    part: str
    message: str
    detail: str


Severity: TypeAlias = Literal["error", "warning", "info"]
"""error: this is wrong; warning: look at it; info: worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a user should look at."""

    rule: str
    severity: Severity
    step: int | None
    op: int | None
    path: str | None
    line: int | None
    message: str
    hint: str


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


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures of a tensor from the forward pass of a batch that was looked at closely."""

    step: int
    op: int
    """The op that made or took it."""
    place: int
    """0: the op's first output; -1, -2: its first, its second input."""
    tensor: int
    spec: TensorSpec
    min: float | None
    max: float | None
    mean: float | None
    zeros: float
    bad: int
    """Elements that are NaN or Inf."""
    units: int | None
    """Of a ReLU: the length of its last axis."""
    dead: int | None
    """Units that were above zero in none of the `examples` outputs looked at so far."""
    examples: int | None
    saturated: float | None
    """Share of a sigmoid's or tanh's outputs where it is flat."""


@dataclass(frozen=True, slots=True)
class IdleDropout:
    """A model that was called without `training`, so that the dropout in it does nothing."""

    step: int
    op: int
    """One that ran in the model."""
    model: str
    layers: tuple[str, ...]
    """The dropouts."""
    rate: float
    """The highest of theirs."""
    handles: tuple[int, ...]
    """Of the model's trainable variables."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A variable that a tape watched, whether a gradient was asked for or not."""

    handle: int
    step: int
    name: str
    dtype: str
    shape: tuple[int, ...] | None
    trainable: bool


@dataclass(frozen=True, slots=True)
class LineCost:
    """What one line of the user's code ran."""

    ops: int = 0
    took_ns: int = 0


@dataclass(frozen=True, slots=True)
class OpFilter:
    """Which ops a list shows. All conditions must hold; `text` is what the user typed: see `parse_filter`."""

    step: int | None = None
    types: tuple[str, ...] = ()
    """Op types, matched without regard to case, a trailing * allowed."""
    words: tuple[str, ...] = ()
    """Each must occur in the op's type, user file name, user function or source line."""
    line: int | None = None
    path: str | None = None
    bad: bool = False
    """Only ops with NaN or Inf in an output."""
    recorded: bool | None = None
    backward: bool | None = None
    tensor: int | None = None
    """Only the ops that make or take this tensor."""
    text: str = field(default="", compare=False)
