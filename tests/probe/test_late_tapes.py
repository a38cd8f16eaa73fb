"""A step begins with the first op of its call, however long that was before its tape."""

from __future__ import annotations

import pytest

from tests.probe.recorded import Runner, own

pytestmark = pytest.mark.tf
LATE = own("late_tapes")
RECORDINGS = (LATE,)


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_what_was_written_before_the_tape_belongs_to_the_step(runner: Runner, step: int) -> None:
    run = runner.get(LATE)
    found = run.steps()[step - 1]
    ops = run.of_step(step)
    assert found.function == ("first_step" if step % 2 else "second_step")
    assert [op.row.type for op in ops[:2]] == ["Mul", "AddV2" if step % 2 else "Sub"]
    assert (found.first_op, found.last_op) == (ops[0].row.id, ops[-1].row.id)
    assert found.ops == len(ops)
