"""What the tool and the target say to each other. Each message is a frozen dataclass; on the wire it is a
JSON object with its class name under "kind".

Ops never travel here: the target writes them to the trace file and says how far it is with `Tick`.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["starting", "importing", "running", "paused", "finished"]


@dataclass(frozen=True, slots=True)
class Config:
    """How the target records; travels in the environment, as JSON."""

    output: str
    """Absolute path of the trace file."""
    control: int
    """The target's end of the socketpair: a file descriptor, -1 for none."""
    script: str = ""
    argv: tuple[str, ...] = ()
    """The script's arguments, argv[0] first."""
    mode: Literal["eager", "graph"] = "eager"
    values: Literal["off", "health", "full"] = "health"
    memory: int = 256 << 20
    """Bytes of tensors kept alive so that they can be looked at."""
    max_size: int = 2 << 30
    """Bytes of the trace file."""
    steps: int | None = None
    """End the script after so many steps."""
    pause_at: int | None = None
    """Pause when this many steps have ended; None: never by itself."""
    source: bool = True
    """Keep the user's source files in the trace."""
    work: tuple[str, ...] = ()
    """Works to be done after the step `work_step` (see `AskWork`), one after the other."""
    work_step: int = 1
    work_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    work_ends: bool = False
    """End the script when the works are done, as `steps` does."""


# from the target


@dataclass(frozen=True, slots=True)
class Hello:
    """The target's probe is in place; the script has not started."""

    pid: int
    python: str


@dataclass(frozen=True, slots=True)
class Status:
    """The target went into another state."""

    state: State
    why: str = ""
    """Why it paused, or what it waits for, in words: "after batch 3", "importing TensorFlow"."""
    step: int | None = None
    op: int | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """How far the trace file is; about ten times a second while anything happens, and at each step's end."""

    ops: int
    steps: int
    """Steps that have ended."""
    loss: float | None
    seconds: float
    """Since the recording started."""
    overhead: float | None
    """(time with recording) / (time without), over the last second or step."""
    size: int = 0
    """Bytes of the trace file."""
    held: int = 0
    """Bytes of tensors kept alive."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part of the recording is off, or the script cannot be recorded at all; one sentence and a hint."""

    message: str
    hint: str = ""
    fatal: bool = False
    """Nothing is recorded from here on."""


@dataclass(frozen=True, slots=True)
class Doing:
    """How far a work is that was asked for."""

    work: str
    text: str
    """What it does, to stand behind "comparing: ": "tracing"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request."""

    request: int
    ok: bool
    body: dict[str, Any]
    """The answer; {"message": …} when not ok."""


# from the tool


@dataclass(frozen=True, slots=True)
class Go:
    """Go on: to the end of the next batch, to the next op, to the end of the open tape, or for good."""

    until: Literal["batch", "op", "tape", "end"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause at the next op."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the script: raise SystemExit at the next op."""


@dataclass(frozen=True, slots=True)
class AskStats:
    """Full figures of a tensor. Answer: the fields of `records.Stats`."""

    request: int
    tensor: int


@dataclass(frozen=True, slots=True)
class AskValue:
    """A window of a tensor's value. `index`: one entry for each axis, a fixed int or a [start, stop] pair.

    Answer: {"dtype", "shape" (of the whole tensor), "window" (nested lists; NaN and Inf as "nan", "inf",
    "-inf")}.
    """

    request: int
    tensor: int
    index: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class AskWork:
    """Work that only the live script can do, on its own thread between two ops: at once while it is paused, else
    when the batch that runs has ended. What comes of it is in the trace file when the answer comes.

    work: "autograph" (options: {}; body: {"run": id in `ag_run`}), "tracing", "diff". step: whose arguments to use, as
    long as they are kept; None: the newest that has ended.
    """

    request: int
    work: str
    step: int | None = None
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


Request = AskStats | AskValue | AskWork
"""What is answered with an `Answer`."""
Message = Hello | Status | Tick | Trouble | Doing | Answer | Go | Pause | Stop | Request
_CLASSES: dict[str, type] = {
    c.__name__: c
    for c in (Hello, Status, Tick, Trouble, Doing, Answer, Go, Pause, Stop, AskStats, AskValue, AskWork)
}


def encode(message: Message) -> bytes:
    """A message as JSON in UTF-8."""
    fields = {name: getattr(message, name) for name in message.__dataclass_fields__}
    return json.dumps({"kind": type(message).__name__, **fields}).encode()


def decode(data: bytes) -> Message:
    """The message in JSON text; unknown fields are left out. Raises ValueError when it is no message."""
    body = json.loads(data)
    cls = _CLASSES.get(str(body.pop("kind", None))) if isinstance(body, dict) else None
    if cls is None:
        raise ValueError(f"not a message: {data[:80]!r}")
    known = cls.__dataclass_fields__  # type: ignore[attr-defined]
    try:
        return cls(**{name: _tuple(value) for name, value in body.items() if name in known})  # type: ignore[no-any-return]
    except TypeError as error:
        raise ValueError(str(error)) from None


def config_to_json(config: Config) -> str:
    """A configuration as JSON text."""
    return json.dumps(dataclasses.asdict(config))


def config_from_json(text: str) -> Config:
    """The configuration in JSON text."""
    return Config(**{name: _tuple(value) for name, value in json.loads(text).items()})


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
