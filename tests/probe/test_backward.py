"""The backward pass op by op: every gradient is the one that a persistent tape gives when it is asked for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tapeinspect.trace.records import BackwardCall, Flow, GradientCall
from tests.probe.recorded import Run, Runner, own

pytestmark = pytest.mark.tf
EAGER = own("backward", "--values", "full")
GRAPH = own("backward", "--values", "full", "--mode", "graph")
RECORDINGS = (EAGER, GRAPH)
CASES = (
    "dense", "conv", "embedding", "custom", "recomputed", "second_order", "function_inside", "complex_numbers",
    "several_targets", "used_twice", "statistics",
)  # fmt: skip


_ONES: dict[Any, set[int]] = {}


@pytest.fixture(scope="module", params=[EAGER, GRAPH], ids=["eager", "graph"])
def run(runner: Runner, request: pytest.FixtureRequest) -> Run:
    run = runner.get(request.param)
    assert run.status == 0, run.stderr
    return run


@dataclass(frozen=True)
class Case:
    """One case of the script: what it said, and what was recorded of its own tape's gradient call."""

    run: Run
    call: GradientCall
    calls: list[BackwardCall]
    tensors: dict[int, Any]
    """True gradient by forward tensor."""
    sources: dict[int, Any]

    def arrivals(self) -> Iterator[tuple[BackwardCall, int, Flow | None]]:
        """(call, forward tensor, gradient) of the calls that are not inside another one."""
        for call in self.calls:
            if call.op is not None and call.parent is None:
                edge = self.run.trace.edges(call.op, call.op)[0]
                forward = [flow.of if flow else None for flow in call.incoming]
                own = edge.type == call.type
                for slot, flow in enumerate(call.incoming):
                    tensor = edge.outputs[slot] if own else forward[slot]
                    if tensor is not None:
                        yield call, tensor, flow


def case_of(run: Run, name: str, call: int = 0) -> Case:
    """The first gradient call on the targets of a case, `call` of those."""
    told = run.truth[name]
    calls = [c for c in run.trace.gradient_calls(None) if set(c.targets) & set(told["targets"])]
    tensors = dict(told["tensors"])
    return Case(
        run, calls[call], run.trace.backward_calls(calls[call].id), tensors, dict(told.get("sources", []))
    )


@pytest.fixture(params=CASES)
def case(run: Run, request: pytest.FixtureRequest) -> Case:
    return case_of(run, request.param)


def value(run: Run, tensor: int) -> np.ndarray:
    """The recorded value of a tensor, a complex one as pairs."""
    found = run.trace.value(tensor)
    if found is None and tensor in _ones(run):
        return np.array(1.0)
    assert found is not None and found.spec.shape is not None, f"tensor {tensor} was not recorded"
    array = np.frombuffer(found.data, found.spec.dtype).reshape(found.spec.shape)
    return np.stack([array.real, array.imag], -1) if array.dtype.kind == "c" else array


def _ones(run: Run) -> set[int]:
    """The gradients that scalar targets begin with: no op makes them, so no value of theirs is recorded."""
    if run.path not in _ONES:
        calls = [call.id for call in run.trace.gradient_calls(None)]
        flows = [
            flow for call in calls for b in run.trace.backward_calls(call) for flow in b.incoming if flow
        ]
        without_op = {flow for flow in flows if flow.spec is None and flow.health is not None}
        assert {flow.health.norm for flow in without_op if flow.health} == {1.0}
        _ONES[run.path] = {flow.tensor for flow in without_op}
    return _ONES[run.path]


def same(mine: np.ndarray, truth: Any) -> bool:
    true = np.asarray(truth)
    return mine.shape == true.shape and np.allclose(mine, true, rtol=2e-6, atol=1e-7)


def test_each_gradient_that_comes_in_is_the_one_a_tape_gives_for_that_tensor(case: Case) -> None:
    wrong, compared = [], 0
    for call, tensor, flow in case.arrivals():
        if tensor not in case.tensors:
            continue
        truth = case.tensors[tensor]
        if flow is None or truth is None:
            zero = flow is not None and not value(case.run, flow.tensor).any()
            right = (flow is None or zero) and truth is None
        else:
            right = flow.of == tensor and same(value(case.run, flow.tensor), truth)
        compared += 1
        if not right:
            wrong.append((call.type, call.op, tensor, flow, truth))
    assert compared >= 4
    assert not wrong, f"{len(wrong)} of {compared}: {wrong[:3]}"


def test_every_tensor_that_has_a_gradient_got_it_from_a_backward_call(case: Case) -> None:
    reached = {tensor for _, tensor, flow in case.arrivals() if flow is not None}
    recorded = {tensor for tensor in case.tensors if case.run.trace.producer(tensor) is not None}
    wanted = {tensor for tensor, truth in case.tensors.items() if truth is not None} & recorded
    tape = case.call.tape
    missing = {
        tensor for tensor in wanted - reached
        if tape in case.run.trace.op(case.run.trace.producer(tensor) or 0).tapes
    }  # fmt: skip
    assert len(wanted & reached) >= 4
    assert not missing, [case.run.trace.rows([case.run.trace.producer(t) or 0])[0] for t in missing]


def test_what_goes_out_adds_up_to_the_gradients_the_script_was_given(case: Case) -> None:
    arrived: dict[int, np.ndarray] = {}
    for call in case.calls:
        for flow in call.outgoing if call.parent is None else ():
            if flow is not None and flow.of in case.sources:
                truth = np.asarray(case.sources[flow.of])
                total = arrived.setdefault(flow.of, np.zeros_like(truth))
                values = value(case.run, flow.tensor)
                if flow.indices is None:
                    total += values
                else:
                    np.add.at(total, value(case.run, flow.indices), values)
    seen = {source for source in case.sources if source in arrived}
    assert seen or case.call.targets
    for source in seen:
        unseen = [c for c in case.calls if c.op is None]
        assert unseen or np.allclose(arrived[source], case.sources[source], rtol=1e-5, atol=1e-6)


def test_the_recorded_gradients_are_those_the_script_was_given(case: Case) -> None:
    recorded = [g for g in case.run.trace.gradients(case.call.step) if g.call == case.call.id]
    assert len(recorded) == len(case.sources)
    for gradient, truth in zip(recorded, case.sources.values(), strict=True):
        true = np.asarray(truth, "float64")
        assert gradient.norm == pytest.approx(np.linalg.norm(true), rel=1e-5)


def test_norms_are_those_of_the_gradients(case: Case) -> None:
    checked = 0
    for call in case.calls:
        for flow in (*call.incoming, *call.outgoing):
            if flow is not None and flow.health is not None and flow.spec is not None:
                true = np.linalg.norm(value(case.run, flow.tensor).astype("float64"))
                assert flow.health.norm == pytest.approx(true, rel=1e-5, abs=1e-12)
                checked += 1
    assert checked >= 8


def test_sums_are_told_with_their_parts(run: Run) -> None:
    case = case_of(run, "used_twice")
    summed = {call.type: call for call in case.calls if call.summed}
    (flow,) = summed["Mul"].incoming
    assert flow is not None and len(flow.parts) == 4  # y is taken by four ops that lead to the target
    total = sum(value(run, part).astype("float64") for part in flow.parts)
    assert same(value(run, flow.tensor), total)
    assert not any(call.summed for call in case.calls if call.type in ("Sum", "ConcatV2"))
    sums = run.trace.gradient_sums(case.call.id)
    assert sums[flow.tensor] == flow.parts


def test_a_sparse_gradient_has_its_rows(run: Run) -> None:
    case = case_of(run, "embedding")
    flows = [flow for call in case.calls if call.type == "ResourceGather" for flow in call.outgoing if flow]
    assert len(flows) == 2
    assert sorted(value(run, flow.indices).ravel().tolist() for flow in flows if flow.indices) == [
        [0, 1], [1, 1, 3],
    ]  # fmt: skip


def test_a_gradient_function_of_ones_own_stands_under_its_name(run: Run) -> None:
    (call,) = (call for call in case_of(run, "custom").calls if call.type == "clipped")
    assert case_of(run, "custom").call.tape in run.trace.op(call.op or 0).tapes
    assert len(call.incoming) == len(call.outgoing) == 2
    outputs = [flow.of for flow in call.incoming if flow]
    assert run.trace.producer(outputs[0] or 0) == call.op


def test_what_a_gradient_function_takes_backward_itself_stands_inside_it(run: Run) -> None:
    calls = case_of(run, "recomputed").calls
    outer = next(call for call in calls if call.type == "inner")
    inside = [call for call in calls if call.parent == outer.id]
    assert {"Tanh", "MatMul", "Mul"} <= {call.type for call in inside}
    assert outer.first_op is not None and outer.last_op is not None
    for call in inside:
        assert call.op is None or outer.first_op <= call.op <= outer.last_op
        assert outer.took_ns >= call.took_ns


def test_a_traced_function_is_one_call_in_graph_mode(runner: Runner) -> None:
    run = runner.get(GRAPH)
    calls = case_of(run, "function_inside").calls
    (call,) = (call for call in calls if "traced" in call.type)
    forward = run.trace.op(call.op or 0)
    assert "traced" in forward.row.type
    assert case_of(run, "function_inside").call.tape in forward.tapes
    assert "Sin" not in {c.type for c in calls}
    eager = case_of(runner.get(EAGER), "function_inside").calls
    assert {"Sin", "Relu"} <= {c.type for c in eager}


def test_a_persistent_tape_takes_an_op_backward_as_often_as_it_is_asked(run: Run) -> None:
    told = run.truth["persistent_twice"]
    tensors = dict(told["tensors"])
    found = 0
    for nth in (0, 1):
        case = case_of(run, "persistent_twice", nth)
        for _, tensor, flow in case.arrivals():
            truth = tensors[tensor][nth]
            assert (flow is None) == (truth is None)
            if flow is not None:
                assert same(value(run, flow.tensor), truth)
                found += 1
        matmul = next(call for call in case.calls if call.type == "MatMul")
        assert matmul.id in [call.id for call in run.trace.backward_of(matmul.op or 0)]
    assert found >= 5
    assert len({call.call for call in run.trace.backward_of(matmul.op or 0)}) >= 2


def test_ops_of_a_backward_pass_are_forward_ops_of_the_outer_tape(run: Run) -> None:
    case = case_of(run, "second_order")
    inner = [row for row in run.trace.rows([call.op for call in case.calls if call.op]) if row.backward]
    assert len(inner) >= 3


def test_links_hold_without_what_the_probe_knew(run: Run, tmp_path: Any) -> None:
    """The reader finds the same ops from tensors and gradients alone, or none: never another one."""
    blind = tmp_path / "blind.tape"
    with sqlite3.connect(run.path) as source, sqlite3.connect(blind) as copy:
        source.backup(copy)
        copy.execute(
            "UPDATE backward SET op = NULL, outputs_json = '[null]', inputs_json = '[null]'"
            " WHERE outputs_json IS NULL"
        )
    from tapeinspect.trace.reader import open_trace

    found = wrong = missed = 0
    reader = open_trace(blind)
    for call in run.trace.gradient_calls(None)[:40]:
        pairs = zip(run.trace.backward_calls(call.id), reader.backward_calls(call.id), strict=True)
        for known, guessed in pairs:
            found += guessed.op == known.op
            missed += guessed.op is None and known.op is not None
            wrong += guessed.op is not None and guessed.op != known.op
    assert wrong == 0
    assert found > 4 * missed, (found, missed)
