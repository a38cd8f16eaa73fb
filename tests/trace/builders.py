"""Small recordings, written fact by fact."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tapeinspect.trace.decode import specs_to_json
from tapeinspect.trace.records import TensorSpec
from tapeinspect.trace.writer import TraceWriter

SOURCE = "".join(f"line_{line} = compute_{line}(x)\n" for line in range(1, 41))
"""Source of the only user file: line 7 reads `line_7 = compute_7(x)`."""

FIRST_TENSOR = 1000


class Recording:
    """A recording of one script, /home/user/train.py, whose ops each come from one line of `train_step`."""

    def __init__(self, path: Path, max_size: int | None = None) -> None:
        self.path = path
        self.writer = TraceWriter(path, max_size)
        self.ops = 0
        self.tensors = FIRST_TENSOR
        self._ids: dict[tuple[str, Any], int] = {}
        self._events = 0
        self._gradients = 0
        self.writer.set_meta(
            script="train.py", argv=["train.py"], mode="eager", values="health", complete=False
        )
        self.writer.insert("file", [(1, "/home/user/train.py", "user", SOURCE)])
        self.writer.insert("file", [(2, "/lib/tensorflow/ops.py", "library", None)])
        self.writer.insert("frame", [(1, 2, "matmul", 700, None, None, None)])
        self.writer.insert("thread", [(1, "MainThread"), (2, "worker")])

    def op(
        self,
        type: str,
        inputs: Sequence[int] = (),
        *outputs: TensorSpec,
        line: int = 7,
        tapes: Sequence[int] = (),
        step: int | None = 1,
        thread: int = 1,
        norm: float | None = None,
    ) -> int:
        """An op; the id of its first output. Without `outputs` it makes one float32 of shape (2, 3)."""
        specs = outputs or (TensorSpec("float32", (2, 3)),)
        self.ops += 1
        first, self.tensors = self.tensors, self.tensors + len(specs)
        row = (
            self.ops, step, self.kind(type, specs), self.stack(line), thread, self.ops * 10, 1000,
            tapes[0] if tapes else None, json.dumps(list(inputs), separators=(",", ":")), first, norm,
        )  # fmt: skip
        self.writer.insert("op", [row])
        self.writer.insert("op_tape", [(self.ops, tape) for tape in tapes[1:]])
        return first

    def sink(
        self, type: str, inputs: Sequence[int], line: int = 7, tapes: Sequence[int] = (), step: int = 1
    ) -> None:
        """An op without outputs."""
        self.ops += 1
        row = (
            self.ops, step, self.kind(type, ()), self.stack(line), 1, self.ops * 10, 1000,
            tapes[0] if tapes else None, json.dumps(list(inputs)), None, None,
        )  # fmt: skip
        self.writer.insert("op", [row])

    def kind(self, type: str, specs: Iterable[TensorSpec]) -> int:
        """The id of a kind."""
        key = ("kind", (type, tuple(specs)))
        if key not in self._ids:
            self._ids[key] = sum(name == "kind" for name, _ in self._ids) + 1
            self.writer.insert("kind", [(self._ids[key], type, '{"T":"float"}', specs_to_json(key[1][1]))])
        return self._ids[key]

    def stack(self, line: int) -> int:
        """The id of the stack whose innermost user frame is at this line; the frame has the id 100 + line."""
        if ("stack", line) not in self._ids:
            self._ids["stack", line] = line
            self.writer.insert("frame", [(100 + line, 1, "train_step", line, line, 9, 20)])
            self.writer.insert("stack", [(line, f"[1,{100 + line}]", 100 + line, 1, line)])
        return line

    def step(self, step: int, first: int, last: int | None, loss: float | None = None) -> None:
        """A step over the ops from `first` to `last`."""
        ops = 0 if last is None else last - first + 1
        row = (step, "call", "train_step", 1, 5, 1, first, last, ops, first * 10, 0.5, loss, "[]", None)
        self.writer.insert("step", [row])

    def variable(self, variable: int, name: str, handle: int | None = None, **fields: Any) -> int:
        """A variable; its handle."""
        kind, trainable = fields.get("kind", "variable"), fields.get("trainable", True)
        self.writer.insert("variable", [(variable, name, kind, "float32", "[2,3]", trainable, handle)])
        return handle or 0

    def tape(
        self, tape: int, first: int | None, last: int | None, step: int | None = 1, **fields: Any
    ) -> None:
        """A tape over the ops from `first` to `last`."""
        accessed = fields.get("watch_accessed", 1)
        self.writer.insert("tape", [(tape, step, 1, None, 0, accessed, self.stack(6), first, last)])

    def event(self, tape: int, event: str, op: int, **what: int) -> None:
        """Something that happens to a tape after an op."""
        self._events += 1
        row = (
            self._events,
            tape,
            event,
            op,
            self.stack(6),
            op * 10,
            what.get("tensor"),
            what.get("variable"),
        )
        self.writer.insert("tape_event", [row])

    def call(
        self,
        call: int,
        tape: int,
        targets: Sequence[int],
        first: int | None,
        last: int | None,
        step: int | None = 1,
    ) -> None:
        """A call of tape.gradient whose ops go from `first` to `last`."""
        row = (
            call,
            tape,
            step,
            "gradient",
            self.stack(20),
            json.dumps(list(targets)),
            first,
            last,
            0.1,
            None,
        )
        self.writer.insert("gradient_call", [row])

    def gradient(self, call: int, variable: int, norm: float | None, step: int | None = 1) -> None:
        """A gradient; None when it has no norm."""
        self._gradients += 1
        form = "none" if norm is None else "dense"
        row = (self._gradients, call, step, variable, form, None, norm, None, None, None, 0, 0, 0.0, None)
        self.writer.insert("gradient", [row])

    def done(self) -> Path:
        """Finish the recording."""
        self.writer.set_meta(complete=True, exit_status=0)
        self.writer.commit()
        self.writer.close()
        return self.path
