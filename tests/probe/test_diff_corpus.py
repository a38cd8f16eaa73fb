"""What the comparison of eager and traced says of the gotchas of TensorFlow's guides, and of their near misses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tapeinspect.trace.differences import Difference, DiffFinding
from tapeinspect.trace.reader import TraceReader, open_trace
from tests.probe.recorded import Runner, own
from tests.scripts.verdicts import FOLDERS, Told, told

pytestmark = pytest.mark.tf

CORPUS = {folder: own("verdicts", args=(folder,), recorded=False) for folder in FOLDERS}
RECORDINGS = tuple(CORPUS.values())
SCRIPTS = {script.name: script for script in told()}
every_script = pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
Compared = Callable[[str], tuple[TraceReader, Difference]]


@pytest.fixture(scope="session")
def outcomes(runner: Runner) -> dict[str, Any]:
    """What each script told of itself, by name."""
    return {name: told for corpus in CORPUS.values() for name, told in runner.get(corpus).truth.items()}


@pytest.fixture(scope="session")
def compared(runner: Runner, outcomes: dict[str, Any]) -> Iterator[Compared]:
    """Gives the recording of a script and the comparison in it."""
    opened = []

    def of(name: str) -> tuple[TraceReader, Difference]:
        folder, _, stem = name.partition("/")
        reader = open_trace(runner.get(CORPUS[folder]).path.with_suffix("") / f"{stem}.tape")
        opened.append(reader)
        assert [error.detail for error in reader.probe_errors()] == []
        assert outcomes[name]["refused"] == []
        (difference,) = reader.differences.all()
        return reader, difference

    yield of
    for reader in opened:
        reader.close()


@every_script
def test_each_script_gets_its_verdict(script: Told, compared: Compared) -> None:
    """The verdict, the rules and the lines are those the script tells of itself, and no others."""
    reader, difference = compared(script.name)
    found = reader.differences.findings(difference.id)
    assert (difference.verdict, [rule for rule, _ in script.findings]) == (
        script.verdict,
        sorted(f.rule for f in found),
    ), found
    lines = {(f.rule, f.line) for f in found} | {(f.rule, None) for f in found}
    assert set(script.findings) <= lines, found
    assert all(f.path == str(script.path) for f in found), found


@every_script
def test_nothing_of_the_script_is_changed(script: Told, outcomes: dict[str, Any]) -> None:
    """Variables, optimizers, containers, attributes, globals, files and generators are as before, bit for bit."""
    assert outcomes[script.name]["changed"] == []


@every_script
def test_the_script_goes_on_as_alone(script: Told, outcomes: dict[str, Any]) -> None:
    """It prints the same and ends the same as without us: its random numbers and its iterators go on, too."""
    assert outcomes[script.name]["printed"] == outcomes[script.name]["alone"]


def test_there_are_as_many_near_misses() -> None:
    """A rule that cries wolf is met by as many scripts as one that misses."""
    wrong = [script for script in SCRIPTS.values() if script.verdict != "same"]
    assert all(script.path.parent.name == "gotchas" for script in wrong)
    assert len(SCRIPTS) - len(wrong) >= 0.9 * len(wrong) > 40


@pytest.mark.parametrize("name", ["random_in_loops", "tf_random", "keras_model"])
def test_random_numbers_of_both_ways_are_equal(name: str, compared: Compared) -> None:
    """Stateful ops and Keras' dropout draw the same eagerly and traced, in loops and in later calls, too."""
    reader, difference = compared(f"near_misses/{name}")
    verdicts = {value.far.verdict for value in reader.differences.values(difference.id)}
    assert verdicts <= {"bit-equal", "rounding"}  # a graph may add in another order


def _alone(compared: Compared, name: str) -> list[str]:
    """The ops that one side alone has."""
    reader, difference = compared(f"near_misses/{name}")
    assert difference.ops
    ops = reader.differences.ops(difference.id)
    return [f"{op.relation} {op.type}" for op in ops if op.relation in ("eager", "traced")]


@pytest.mark.parametrize(
    "name",
    ["plain_step", "loops_and_branches", "random_in_loops", "keras_model", "embedding", "defined_in_both"],
)
def test_ops_of_healthy_steps_line_up(name: str, compared: Compared) -> None:
    """No op is left over, not even in loops and branches; constants and shapes are folded away."""
    assert _alone(compared, name) == []


def test_ops_of_loops_are_compared_turn_by_turn(compared: Compared) -> None:
    reader, difference = compared("near_misses/loops_and_branches")
    equal = [op for op in reader.differences.ops(difference.id) if op.relation == "equal"]
    assert len(equal) > 20
    assert max(op.turn for op in equal) >= 2


def test_loops_backward_is_told_apart(compared: Compared) -> None:
    """The gradient of a loop's constant is computed in the graph alone."""
    assert set(_alone(compared, "loop_with_gradient")) == {"traced Mul", "traced Sum"}


def _findings(compared: Compared, name: str) -> list[DiffFinding]:
    reader, difference = compared(f"gotchas/{name}")
    return reader.differences.findings(difference.id)


def test_the_first_op_that_differs_is_named(compared: Compared) -> None:
    """The op whose values differ, not one that follows from it."""
    (finding,) = _findings(compared, "asks_how_it_runs")
    assert "beyond rounding" in finding.message and "which only the" in finding.message
    reader, difference = compared("gotchas/helper_asks_how_it_runs")
    first = next(op for op in reader.differences.ops(difference.id) if op.id == difference.first_op)
    assert first.type == "Mul"


def test_what_to_write_instead_is_said(compared: Compared) -> None:
    """The classic line of the tutorial: what fails, why, and what works."""
    (finding,) = _findings(compared, "appends_numpy")
    assert "fails to trace" in finding.message and ".numpy() exists only eagerly" in finding.message
    assert "tf.reduce_mean(loss_value)" in finding.hint
    (mended,) = _findings(compared, "appends_tensor")
    assert "once per trace" in mended.message and "`loss_history`" in mended.message


def test_what_changes_between_batches_is_said(compared: Compared) -> None:
    """What the step reads, and the line of the loop that changes it."""
    (finding,) = _findings(compared, "rate_between_batches")
    assert "`rate`, which line" in finding.message and "`rate *= 0.5`" in finding.message


def test_an_error_of_the_graph_is_told_at_its_line(compared: Compared) -> None:
    """What the op says, without the graph's own names."""
    (finding,) = _findings(compared, "catches_errors")
    assert "InvalidArgumentError: the loss : Tensor had NaN values; eagerly" in finding.message


def test_times_are_measured(compared: Compared) -> None:
    """Tracing takes longer than a traced call, and all three are there."""
    _, difference = compared("near_misses/keras_model")
    eager, traced, trace = difference.eager_seconds, difference.traced_seconds, difference.trace_seconds
    assert eager and traced and trace and trace > traced


def test_memory_is_measured(compared: Compared) -> None:
    """Three tensors that names keep eagerly, and one that a graph works in; two when it is late to let go of one."""
    reader, difference = compared("near_misses/large_tensors")
    memory = reader.differences.memory(difference.id)
    if memory is None:
        pytest.skip("memory is not measured here")
    tensor = 4 * 2048 * 2048
    assert memory.eager == pytest.approx(3 * tensor, rel=0.05)
    assert memory.traced is not None and 0.95 * tensor < memory.traced < 2.05 * tensor


def test_memory_of_a_small_step_is_small(compared: Compared) -> None:
    reader, difference = compared("near_misses/keras_model")
    memory = reader.differences.memory(difference.id)
    assert memory is None or memory.eager < 16 << 20
