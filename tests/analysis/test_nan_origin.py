"""Where NaN and Inf came from, on small recordings written op by op."""

from __future__ import annotations

import json
from pathlib import Path

from tapeinspect.analysis.nan_origin import first_origin, origins
from tapeinspect.trace.reader import TraceReader, open_trace
from tests.trace.builders import Recording

W = 1


class Bad(Recording):
    """A recording in which outputs can be bad; the variable w has the handle 10."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.variable(W, "w", 10)
        self._steps = 0
        self._calls = 0
        self._first = 1

    def bad(
        self, type: str, inputs: list[int], line: int = 7, nan: int = 0, inf: int = 0, **more: object
    ) -> int:
        """An op with NaN or Inf in its output."""
        made = self.op(type, inputs, line=line, step=self._steps + 1, **more)  # type: ignore[arg-type]
        self.writer.insert("health", [(made, self.ops, nan, inf, None)])
        return made

    def good(self, type: str, inputs: list[int], line: int = 7) -> int:
        """An op with a finite output of norm 2."""
        return self.op(type, inputs, line=line, step=self._steps + 1, norm=2.0)

    def noted(self, *inputs: tuple[int, int, int]) -> None:
        """The last op was looked at: (tensor, nan, inf) of each input."""
        figures = [
            {"tensor": t, "dtype": "float32", "shape": [2], "nan": nan, "inf": inf, "zeros": 0.5, "min": 0.0,
             "max": 1.0, "norm": None if nan or inf else 1.0}
            for t, nan, inf in inputs
        ]  # fmt: skip
        self.writer.insert("origin", [(self.ops, self.tensors - 1, json.dumps(figures), "[]")])

    def end(self, target: int, gradient: int | None = None, nan: int = 0) -> None:
        """The step is over: its call, the gradient of w, and the step."""
        self._steps += 1
        self._calls += 1
        step = self._steps
        self.tape(step, self._first, self.ops, step)
        self.call(self._calls, step, [target], None, None, step)
        self._gradients += 1
        row = (
            self._gradients,
            self._calls,
            step,
            W,
            "dense",
            gradient,
            None,
            None,
            None,
            None,
            nan,
            0,
            0.0,
            None,
        )
        self.writer.insert("gradient", [row])
        self.step(step, self._first, self.ops)
        self._first = self.ops + 1

    def open(self) -> TraceReader:
        """The finished recording."""
        return open_trace(self.done())


def test_the_first_op_that_was_given_finite_values(tmp_path: Path) -> None:
    r = Bad(tmp_path / "a.tape")
    fine = r.good("Relu", [r.good("ReadVariableOp", [10])])
    log = r.bad("Log", [fine], line=9, inf=1)
    r.end(r.bad("Sum", [r.bad("Mul", [log, fine], line=10, nan=1)], line=11, nan=1))
    origin = first_origin(r.open())
    assert origin is not None
    assert (origin.type, origin.line, origin.stage, origin.reaches) == ("Log", 9, "forward", "the loss")
    assert origin.turned is not None and (origin.turned.type, origin.turned.line) == ("Mul", 10)
    assert [step.type for step in origin.steps] == ["Log", "Mul", "Sum"]


def test_what_reaches_nothing_is_silent(tmp_path: Path) -> None:
    r = Bad(tmp_path / "a.tape")
    read = r.good("ReadVariableOp", [10])
    r.bad("RealDiv", [read], nan=1)
    mask = r.bad("SelectV2", [read], inf=2)
    r.end(r.good("Softmax", [mask]), r.good("Mul", [read]))
    assert list(origins(r.open())) == []


def test_a_bad_gradient_that_was_checked_and_not_applied_is_silent(tmp_path: Path) -> None:
    for applied in (False, True):
        r = Bad(tmp_path / f"{applied}.tape")
        read = r.good("ReadVariableOp", [10])
        gradient = r.bad("Mul", [read], line=12, inf=1)
        r.good("IsFinite", [gradient])
        if applied:
            r.sink("AssignSubVariableOp", [10, gradient])
        r.end(r.good("Sum", [read]), gradient, nan=1)
        assert (first_origin(r.open()) is not None) == applied


def test_a_variable_leads_back_through_its_assignment(tmp_path: Path) -> None:
    r = Bad(tmp_path / "a.tape")
    read = r.good("ReadVariableOp", [10])
    loss = r.good("Sum", [read])
    gradient = r.bad("SqrtGrad", [read], line=20, inf=1)
    r.sink("AssignSubVariableOp", [10, gradient], line=21)
    r.end(loss, gradient, nan=1)
    again = r.bad("ReadVariableOp", [10], line=8, nan=1)
    r.end(r.bad("Sum", [again], nan=1), again, nan=1)
    reader = r.open()
    (origin,) = origins(reader)
    assert (origin.type, origin.line, origin.step) == ("SqrtGrad", 20, 1)


def test_a_variable_that_was_bad_from_the_start(tmp_path: Path) -> None:
    r = Bad(tmp_path / "a.tape")
    r.end(r.bad("Sum", [r.bad("ReadVariableOp", [10], line=8, nan=1)], nan=1))
    origin = first_origin(r.open())
    assert origin is not None and (origin.kind, origin.line) == ("variable", 8)
    assert origin.message.startswith("w held NaN when it was first read at train.py:8")


def test_nan_in_an_input_that_no_op_made(tmp_path: Path) -> None:
    r = Bad(tmp_path / "a.tape")
    product = r.bad("Mul", [r.good("ReadVariableOp", [10]), 500], line=13, nan=1)
    r.noted((1000, 0, 0), (500, 1, 0))
    r.end(product)
    origin = first_origin(r.open())
    assert origin is not None and (origin.kind, origin.line) == ("data", 13)
    assert "An input of Mul that no recorded op made at train.py:13 already holds NaN" in origin.message


def test_a_mask_is_not_blamed_for_the_nan_made_of_it(tmp_path: Path) -> None:
    r = Bad(tmp_path / "a.tape")
    mask = r.bad("SelectV2", [r.good("ReadVariableOp", [10]), 500], line=13, inf=2)
    r.writer.insert("origin", [(r.ops, mask, json.dumps([
        {"tensor": 500, "dtype": "float32", "shape": [], "nan": 0, "inf": 1, "zeros": 0.0, "min": None, "max": None,
         "norm": None}]), "[]")])  # fmt: skip
    r.end(r.bad("Softmax", [mask], line=14, nan=2))
    origin = first_origin(r.open())
    assert origin is not None and (origin.type, origin.line) == ("Softmax", 14)
    assert "-1e9" in origin.hint


def test_a_thousand_masks_cost_nothing_and_hide_nothing(tmp_path: Path) -> None:
    r = Bad(tmp_path / "a.tape")
    for _ in range(60):
        read = r.good("ReadVariableOp", [10])
        r.end(r.good("Softmax", [r.bad("SelectV2", [read], inf=1)]))
    r.end(r.bad("Log", [r.good("ReadVariableOp", [10])], line=30, inf=1))
    (origin,) = origins(r.open())
    assert (origin.line, origin.step) == (30, 61)


def test_a_recording_without_the_tables_for_it(tmp_path: Path) -> None:
    r = Bad(tmp_path / "a.tape")
    r.end(r.bad("Log", [r.good("ReadVariableOp", [10])], line=30, inf=1))
    r.writer.execute("DROP TABLE origin")
    r.writer.execute("DROP TABLE none_evidence")
    origin = first_origin(r.open())
    assert origin is not None and origin.note is None and origin.line == 30


def test_without_the_health_of_ops_nothing_is_claimed(tmp_path: Path) -> None:
    r = Bad(tmp_path / "a.tape")
    read = r.op("ReadVariableOp", [10])
    r.end(r.op("Sum", [read]), r.op("Mul", [read]), nan=1)
    assert list(origins(r.open())) == []
