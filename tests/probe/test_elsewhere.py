"""Outputs on another device than the CPU are measured where they lie: forced here, as no such device is at hand."""

from __future__ import annotations

import pytest

from tests.probe.recorded import Runner, own

pytestmark = pytest.mark.tf
ELSEWHERE = own("elsewhere", recorded=False)
RECORDINGS = (ELSEWHERE,)


def test_figures_are_numpys(runner: Runner) -> None:
    run = runner.get(ELSEWHERE)
    assert run.status == 0, run.stderr
    found = run.truth["found"]
    assert {row[0] for row in found} >= {"MatMul", "Cast", "Log", "Split", "Sum"}
    for op, true, mine in found:
        assert mine is not None, op
        assert mine[:2] == true[:2], op
        assert mine[2] == (
            None if true[2] is None else pytest.approx(true[2], rel=2e-3 if op == "Cast" else 1e-5)
        ), op
    assert any(true[1] for _, true, _ in found), "an Inf is among them"
    assert run.truth["gradients"] == ["dense", "dense"]
