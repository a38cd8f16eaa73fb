"""Where each op comes from: never the wrong line, however the code turns from one batch to the next."""

from __future__ import annotations

import pytest

from tapeinspect.trace.records import Op
from tests.probe.recorded import Run, Runner, own

pytestmark = pytest.mark.tf
BRANCHES = own("branches")
RECORDINGS = (BRANCHES,)


@pytest.fixture(scope="module")
def branches(runner: Runner) -> Run:
    run = runner.get(BRANCHES)
    assert run.status == 0, run.stderr
    return run


def seen(run: Run) -> list[tuple[list, Op]]:
    """Each op that the script's callback saw, with the recorded one."""
    truth = run.truth["ops"]
    return list(zip(truth, run.ops[-len(truth) :], strict=True))


def test_every_op_is_recorded_once_and_in_order(branches: Run) -> None:
    pairs = seen(branches)
    assert len(pairs) > 4000
    assert [op.row.type for _, op in pairs] == [true[0] for true, _ in pairs]


def test_ids_dtypes_and_shapes(branches: Run) -> None:
    for (kind, inputs, outputs, *_), op in seen(branches):
        assert list(op.inputs) == inputs, kind
        found = [
            [o.id, o.spec.dtype, None if o.spec.shape is None else list(o.spec.shape)] for o in op.outputs
        ]
        assert found == outputs, kind


def test_the_users_frames_are_never_anothers(branches: Run) -> None:
    stacks, files = branches.truth["stacks"], {BRANCHES.script.parent.as_posix()}
    wrong = []
    for (kind, _, _, stack, _), op in seen(branches):
        true = [(path, name, line) for path, name, line in stacks[stack] if line]
        found = [
            (frame.path, frame.function.rpartition(".")[2], frame.line)
            for frame in op.stack.frames
            if any(frame.path.startswith(folder) for folder in files)
        ]
        if found != true:
            wrong.append((op.row.id, kind, true, found))
    assert not wrong, f"{len(wrong)} of {len(branches.truth['ops'])}: {wrong[:3]}"


def test_the_librarys_frames_are_never_anothers(branches: Run) -> None:
    stacks = branches.truth["stacks"]
    wrong = []
    for (kind, _, _, stack, _), op in seen(branches):
        true = [(path, name) for path, name, _ in stacks[stack]]
        found = [(frame.path, frame.function.rpartition(".")[2]) for frame in op.stack.frames]
        if found != true:
            wrong.append((op.row.id, kind, true, found))
    assert not wrong, f"{len(wrong)} of {len(branches.truth['ops'])}: {wrong[:1]}"


def test_line_and_path_of_a_row_are_those_of_the_innermost_user_frame(branches: Run) -> None:
    stacks = branches.truth["stacks"]
    wrong = []
    for (*_, stack, _), op in seen(branches):
        path, _, line = next(frame for frame in stacks[stack] if frame[2])
        if (op.row.path, op.row.line) != (path, line):
            wrong.append((op.row.id, op.row.type, path, line, op.row.path, op.row.line))
    assert not wrong, f"{len(wrong)} of {len(branches.truth['ops'])}: {wrong[:3]}"


def test_steps_are_the_calls_of_the_step_function(branches: Run) -> None:
    stacks = branches.truth["stacks"]
    for (*_, stack, _), op in seen(branches):
        assert (op.row.step is not None) == any(name == "train_step" for _, name, _ in stacks[stack])
    steps = branches.steps()
    assert [step.id for step in steps] == list(range(1, 67))
    assert {step.function for step in steps} == {"train_step"}
