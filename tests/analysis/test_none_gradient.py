"""Why a gradient is None, on small recordings written op by op."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tapeinspect.analysis.none_gradient import explain, explain_call
from tapeinspect.trace.reader import open_trace
from tapeinspect.trace.records import Reason, TensorSpec
from tests.trace.builders import Recording

WHOLE = TensorSpec("int64", (2,))
W, B = 1, 2
"""The variables: w at handle 10, b at handle 20."""

Build = Callable[[Recording], None]


def explained(tmp_path: Path, build: Build, **variable: object) -> Reason:
    """The reason for w's missing gradient; `build` adds the ops, the tape and the call."""
    recording = Recording(tmp_path / "a.tape")
    recording.variable(W, "dense/kernel", 10, **variable)
    recording.variable(B, "dense/bias", 20)
    build(recording)
    recording.step(1, 1, recording.ops)
    recording.gradient(1, W, None)
    reader = open_trace(recording.done())
    return explain(reader, reader.gradients(1)[0])


def finish(
    recording: Recording, target: int, first: int = 1, last: int | None = None, **tape: object
) -> None:
    """The tape over the ops from `first` to `last`, then the call, at line 20, with one op of its own."""
    end = recording.ops if last is None else last
    recording.tape(1, first, end, **tape)
    recording.event(1, "enter", first - 1)
    recording.event(1, "exit", end)
    recording.op("Fill", line=20)
    recording.call(1, 1, [target], recording.ops, recording.ops)


def forward(recording: Recording, handle: int, line: int = 8, tapes: tuple[int, ...] = (1,)) -> int:
    """Read a variable and multiply with it."""
    return recording.op(
        "MatMul", [recording.op("ReadVariableOp", [handle], line=line, tapes=tapes)], line=line, tapes=tapes
    )


def test_a_variable_that_no_op_uses(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        r.sink("AssignVariableOp", [10, 5])
        finish(r, r.op("Mean", [forward(r, 20)], tapes=[1]))

    reason = explained(tmp_path, build)
    assert reason.message == "No recorded op reads dense/kernel in this batch."
    assert (reason.path, reason.line) == ("/home/user/train.py", 20)


@pytest.mark.parametrize(
    ("first", "when"), [(3, "before the tape was opened"), (1, "after the tape was closed")]
)
def test_a_variable_used_outside_of_the_tape(tmp_path: Path, first: int, when: str) -> None:
    def build(r: Recording) -> None:
        if first == 3:
            forward(r, 10, line=9, tapes=())
        target = r.op("Mean", [forward(r, 20)], tapes=[1])
        end = r.ops
        if first == 1:
            forward(r, 10, line=9, tapes=())
        finish(r, target, first, end)

    reason = explained(tmp_path, build)
    assert reason.message == f"dense/kernel is used only {when} at line 9."
    assert reason.line == 9


def test_a_variable_used_while_recording_was_stopped(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        target = r.op("Mean", [forward(r, 20)], tapes=[1])
        r.event(1, "stop_recording", r.ops)
        forward(r, 10, line=12, tapes=())
        r.event(1, "resume", r.ops)
        finish(r, target)

    reason = explained(tmp_path, build)
    assert reason.message == "dense/kernel is used only while the tape's recording was stopped."
    assert reason.line == 12


def test_a_variable_that_is_not_trainable(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        used = forward(r, 10, line=12, tapes=())
        finish(r, r.op("Mul", [used, forward(r, 20)], tapes=[1]))

    reason = explained(tmp_path, build, trainable=False)
    assert reason.message == "dense/kernel is not trainable, so the tape does not watch it by itself."
    assert reason.line == 12
    (tmp_path / "a.tape").unlink()
    assert "did not record" in explained(tmp_path, build).message


def test_a_tape_that_watches_only_what_it_is_told(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        used = forward(r, 10, tapes=())
        finish(r, r.op("Mul", [used, forward(r, 20)], tapes=[1]), watch_accessed=0)

    assert "watch_accessed_variables=False" in explained(tmp_path, build).message


def test_a_tensor_that_nobody_watched_and_one_watched_too_late(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        used = r.op("Square", [10], line=11)
        finish(r, r.op("Mul", [used, forward(r, 20)], tapes=[1]))

    assert explained(tmp_path, build, kind="tensor").message.endswith("call tape.watch first.")
    (tmp_path / "a.tape").unlink()

    def late(r: Recording) -> None:
        build(r)
        r.event(1, "watch", 2, tensor=10)

    assert explained(tmp_path, late, kind="tensor").message.endswith(
        "only before tape.watch was called on it."
    )


@pytest.mark.parametrize(
    ("type", "output", "said"),
    [
        ("ArgMax", WHOLE, "ArgMax has no gradient"),
        ("Round", TensorSpec("float32", ()), "Round has no gradient"),
        ("StopGradient", TensorSpec("float32", ()), "StopGradient has no gradient"),
        ("Cast", TensorSpec("int32", ()), "Cast gives int32, which has no gradient"),
        ("PyFunc", TensorSpec("float32", ()), "PyFunc has no gradient"),
    ],
)
def test_the_way_to_the_target_ends_at_an_op(
    tmp_path: Path, type: str, output: TensorSpec, said: str
) -> None:
    def build(r: Recording) -> None:
        values = forward(r, 10)
        shape = r.op("Shape", [values], WHOLE, line=14, tapes=[1])
        ending = r.op(type, [values], output, line=15, tapes=[1])
        back = r.op("Cast", [ending], line=16, tapes=[1])
        last = r.op("Reshape", [r.op("Mul", [back, forward(r, 20)], tapes=[1]), shape], tapes=[1])
        finish(r, r.op("Mean", [last], line=17, tapes=[1]))

    reason = explained(tmp_path, build)
    assert reason.message == f"The way from dense/kernel to the target ends at line 15: {said}."
    assert (reason.path, reason.line) == ("/home/user/train.py", 15)


def test_an_op_off_the_way_is_not_blamed(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        values = forward(r, 10, line=9)
        r.op("ArgMax", [values], WHOLE, line=15, tapes=[1])
        finish(r, r.op("Mean", [forward(r, 20)], tapes=[1]))

    reason = explained(tmp_path, build)
    assert reason.message == (
        "No recorded op connects dense/kernel to the target; the last op that uses it is ArgMax at line 15."
    )
    assert reason.line == 15


def test_a_value_that_goes_through_another_variable(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        r.sink("AssignVariableOp", [30, forward(r, 10)], line=18, tapes=[1])
        finish(r, r.op("Mul", [r.op("ReadVariableOp", [30], tapes=[1]), forward(r, 20)], tapes=[1]))

    reason = explained(tmp_path, build)
    assert "ends at line 18: AssignVariableOp writes it into a variable" in reason.message


def test_a_way_that_leads_through_ops_the_tape_did_not_record(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        values = forward(r, 10)
        r.event(1, "stop_recording", r.ops)
        hidden = r.op("Exp", [values], line=19)
        r.event(1, "resume", r.ops)
        finish(r, r.op("Mul", [hidden, forward(r, 20)], tapes=[1]))

    reason = explained(tmp_path, build)
    assert reason.message.endswith("the tape did not record Exp (while its recording was stopped).")
    assert reason.line == 19


def test_a_whole_way_blames_a_gradient_function(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        finish(r, r.op("MyCustomOp", [forward(r, 10)], line=22, tapes=[1]))

    reason = explained(tmp_path, build)
    assert reason.message == "A gradient function on the way from the target to dense/kernel gave None."


@pytest.mark.parametrize("end", [2, 3])
def test_a_target_computed_outside_of_the_tape(tmp_path: Path, end: int) -> None:
    recording = Recording(tmp_path / "a.tape")
    recording.variable(W, "w", 10)
    logits = forward(recording, 10)
    tapes = [1] if end == 3 else []
    finish(recording, recording.op("Mean", [logits], line=25, tapes=tapes), 1, end)
    recording.step(1, 1, recording.ops)
    recording.gradient(1, W, None)
    reader = open_trace(recording.done())
    (call,) = reader.gradient_calls(1)
    reason = explain_call(reader, call)
    if end == 3:
        assert reason is None
        return
    expected = "The target was computed after the tape was closed: Mean at line 25 was not recorded."
    assert reason is not None and reason.message == expected and reason.line == 25
    assert explain(reader, reader.gradients(1)[0]) == reason


def test_an_outer_tape_is_told_from_the_inner_one(tmp_path: Path) -> None:
    def build(r: Recording) -> None:
        finish(r, r.op("ArgMax", [forward(r, 10, tapes=(2, 1))], WHOLE, line=15, tapes=(2, 1)))
        r.tape(2, 1, 3)

    assert "ArgMax has no gradient" in explained(tmp_path, build).message


def test_without_facts_nothing_is_claimed(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    recording.variable(W, "w", None)
    recording.gradient(1, W, None)
    recording.gradient(2, 77, None)
    recording.tape(1, 1, 1)
    recording.call(1, 1, [5], None, None)
    reader = open_trace(recording.done())
    said = [explain(reader, gradient).message for gradient in reader.gradients(1)]
    assert said == [
        "No recorded op connects w to the target.",
        "No recorded op connects variable 77 to the target.",
    ]
