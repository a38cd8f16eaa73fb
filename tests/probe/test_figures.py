"""Health, full figures and values of tensors, against NumPy's."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.probe.recorded import Run, Runner, close, own

pytestmark = pytest.mark.tf
HEALTH, FULL, OFF = own("figures"), own("figures", "--values", "full"), own("figures", "--values", "off")
UNDERFLOW = 1e-22
"""Below this the squares of float32 vanish, and with them the quick norm of an op's output."""
RECORDINGS = (HEALTH, FULL, OFF)


@pytest.fixture(scope="module", params=RECORDINGS, ids=["health", "full", "off"])
def run(runner: Runner, request: pytest.FixtureRequest) -> Run:
    run = runner.get(request.param)
    assert run.status == 0, run.stderr
    return run


def true_figures(run: Run) -> dict[int, dict[str, Any]]:
    """NumPy's figures by tensor."""
    return dict(run.truth["figures"])


def test_nothing_of_numpys_reaches_the_scripts_stderr(run: Run) -> None:
    assert "Warning" not in run.stderr and "numpy" not in run.stderr, run.stderr


def test_health_of_every_float_output(run: Run) -> None:
    truth, wrong, count = true_figures(run), [], 0
    for op in run.ops:
        for output in op.outputs:
            if output.id not in truth:
                continue
            count += 1
            true, mine = truth[output.id], output.health
            if run.recording == OFF:
                assert mine is None
                continue
            good = mine is not None and (mine.nan, mine.inf) == (true["nan"], true["inf"])
            if not good or not close(mine.norm, true["norm"], 2e-6, UNDERFLOW):
                wrong.append((op.row.type, output, true))
    assert count > 80
    assert not wrong, f"{len(wrong)}: {wrong[:5]}"


def test_rows_are_bad_where_an_output_is(run: Run) -> None:
    truth = true_figures(run)
    for op in run.ops:
        bad = any(truth[o.id]["nan"] or truth[o.id]["inf"] for o in op.outputs if o.id in truth)
        if op.outputs and op.outputs[0].id in truth:
            assert op.row.bad == (bad and run.recording != OFF), (op.row, [truth[o.id] for o in op.outputs])


def test_the_figures_of_an_output_are_those_of_its_op(run: Run) -> None:
    with closing(sqlite3.connect(run.path)) as file:
        measured = dict(file.execute("SELECT tensor, op FROM health"))
    outputs = {output.id: op.row.id for op in run.ops for output in op.outputs}
    assert run.recording == OFF or any(tensor in outputs for tensor in measured)
    assert not {t: (op, outputs[t]) for t, op in measured.items() if outputs.get(t, op) != op}


def test_what_is_no_float_is_not_measured(run: Run) -> None:
    for op in run.ops:
        for output in op.outputs:
            if output.spec.dtype in ("int32", "int64", "bool", "string", "resource"):
                assert output.health is None


def test_full_figures(runner: Runner) -> None:
    run = runner.get(FULL)
    for tensor, true in true_figures(run).items():
        stats = run.trace.stats(tensor)
        if stats is None and run.trace.producer(tensor) is None:
            continue
        assert stats is not None, run.trace.op(run.trace.producer(tensor))
        assert stats.nan + stats.inf == true["nan"] + true["inf"]
        assert close(stats.norm, true["norm"], 2e-6, 1e-44)
        scale = max((abs(v) for v in (true["min"], true["max"]) if v is not None), default=0.0)
        if true["min"] is not None:
            assert (stats.min, stats.max) == (true["min"], true["max"])
            assert close(stats.mean, true["mean"], 1e-5, 1e-6 * scale)
        assert stats.zeros == round(true["zeros"] * stats.size)
        assert sum(stats.counts) in (0, stats.size - stats.nan - stats.inf)


def same_value(run: Run, tensor: int, true: list[Any]) -> bool:
    value = run.trace.value(tensor)
    if value is None:
        return False
    shape = list(value.spec.shape) == true[1]
    if true[0] == "string":
        return shape and json.loads(value.data) == true[2]
    return shape and value.data.hex() == true[2]


def test_values_of_all_tensors_with_values_full(runner: Runner) -> None:
    run = runner.get(FULL)
    pairs = [(tensor, true) for tensor, true in run.truth["values"] if run.trace.producer(tensor)]
    wrong = [(tensor, true) for tensor, true in pairs if not same_value(run, tensor, true)]
    assert len(pairs) > 60
    assert not wrong, f"{len(wrong)} of {len(pairs)}: {wrong[:5]}"


def test_the_last_tensors_are_stored_at_the_end(runner: Runner) -> None:
    run = runner.get(HEALTH)
    pairs = [(t, true) for t, true in run.truth["values"] if run.trace.producer(t) and true[0] != "string"]
    wrong = [
        (run.trace.op(run.trace.producer(t)).row.type, true)
        for t, true in pairs
        if 0 not in true[1] and not same_value(run, t, true)
    ]
    assert not wrong, f"{len(wrong)} of {len(pairs)}: {wrong[:5]}"


def test_values_off_stores_none(runner: Runner) -> None:
    run = runner.get(OFF)
    assert run.trace.meta.values == "off"
    for op in run.ops:
        for output in op.outputs:
            assert run.trace.stats(output.id) is None and run.trace.value(output.id) is None
