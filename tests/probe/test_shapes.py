"""Steps of every shape: how many, of what, and which ops are theirs."""

from __future__ import annotations

import ast
from dataclasses import dataclass

import pytest

from tapeinspect.trace.records import Op, Step
from tests.probe.recorded import SHARED, Run, Runner, own
from tests.scripts import SCRIPTS

pytestmark = pytest.mark.tf


@dataclass(frozen=True, slots=True)
class Shape:
    """What is to be expected of a script's steps."""

    script: str
    kind: str = "call"
    within: tuple[str, ...] = ("train_step",)
    """Functions whose calls are the steps."""
    loops: tuple[str, ...] = ()
    """For steps that are turns: how the line of each loop begins."""

    @property
    def path(self) -> str:
        """The script's file."""
        return str(SHARED / f"{self.script}.py")


SHAPES = (
    Shape("plain_function"),
    Shape("tf_function"),
    Shape("trainer_class"),
    Shape("imported_step"),
    Shape("keras_fit"),
    Shape("keras_train_step"),
    Shape("inline_loop", "turn", loops=("for ",)),
    Shape("inline_in_function", "turn", loops=("for batch", "while ")),
    Shape("several_tapes"),
    Shape("nested_tapes", within=("train_step", "curvature")),
    Shape("loop_in_function", "turn", loops=("for ",)),
    Shape("grad_helper", within=("grad",)),
)
GRAPHS = ("tf_function", "keras_fit", "keras_train_step", "loop_in_function")
EAGER = own("shapes", args=tuple(shape.script for shape in SHAPES))
GRAPH = own("shapes", "--mode", "graph", args=GRAPHS)
RECORDINGS = (EAGER, GRAPH)

eager = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.script)
graph = pytest.mark.parametrize("script", GRAPHS)


class Part:
    """What one of the scripts has in a recording of several."""

    def __init__(self, run: Run, script: str) -> None:
        self.run = run
        self.trace = run.trace
        self.path = SHARED / f"{script}.py"
        self.source = self.path.read_text("utf-8").splitlines()
        self.stdout = run.stdout.partition(f"SCRIPT {script}\n")[2].partition("SCRIPT ")[0]
        self.ops = [op for op in run.ops if any(frame.path == str(self.path) for frame in op.stack.frames)]
        self._steps = {op.row.step for op in self.ops} - {None}

    def steps(self) -> list[Step]:
        """Its steps."""
        return [step for step in self.run.steps() if step.id in self._steps]

    def of_step(self, step: int) -> list[Op]:
        """The ops of one of its steps."""
        return [op for op in self.ops if op.row.step == step]


@pytest.fixture(scope="module")
def parts(runner: Runner) -> dict[str, Part]:
    run = runner.get(EAGER)
    assert run.status == 0, run.stderr
    return {shape.script: Part(run, shape.script) for shape in SHAPES}


@pytest.fixture(scope="module")
def graphs(runner: Runner) -> dict[str, Part]:
    run = runner.get(GRAPH)
    assert run.status == 0, run.stderr
    return {script: Part(run, script) for script in GRAPHS}


def loop_lines(run: Part, shape: Shape) -> list[range]:
    """The lines of the loops whose turns are steps, head included."""
    tree = ast.parse("\n".join(run.source))
    return [
        range(node.lineno, node.end_lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, (ast.For, ast.While))
        and run.source[node.lineno - 1].strip().startswith(shape.loops)
    ]


def belongs(op: Op, run: Part, shape: Shape) -> bool:
    """Whether a step's function or loop is on an op's stack."""
    lines = loop_lines(run, shape)
    for frame in op.stack.frames:
        own = frame.path == shape.path or "/parts/" in frame.path
        keras = shape.script == "keras_fit" and frame.path.endswith("keras/src/backend/tensorflow/trainer.py")
        if shape.kind == "call":
            if (own or keras) and frame.function.rpartition(".")[2] in shape.within:
                return True
        elif own and frame.line is not None and any(frame.line in part for part in lines):
            # the head of the loop runs between its turns
            return not any(frame.line == part.start for part in lines)
    return False


@eager
def test_number_function_and_kind(parts: dict[str, Part], shape: Shape) -> None:
    run = parts[shape.script]
    expected = SCRIPTS[shape.script]
    steps = run.steps()
    assert len(steps) == expected.steps, [(step.function, step.line) for step in steps]
    assert steps[0].function == expected.function
    assert {step.kind for step in steps} == {shape.kind}
    assert all(step.seconds is not None and step.seconds > 0 and step.last_op is not None for step in steps)


@eager
def test_the_ops_of_the_steps_are_those_of_their_code(parts: dict[str, Part], shape: Shape) -> None:
    run = parts[shape.script]
    wrong = [
        (op.row.id, op.row.type, op.row.line, op.row.step)
        for op in run.ops
        if (op.row.step is not None) != belongs(op, run, shape)
        and not (shape.kind == "turn" and op.row.line in {part.start for part in loop_lines(run, shape)})
    ]
    assert not wrong, wrong[:10]


@eager
def test_first_last_and_number_of_ops(parts: dict[str, Part], shape: Shape) -> None:
    run = parts[shape.script]
    before = 0
    for step in run.steps():
        ids = [op.row.id for op in run.of_step(step.id)]
        assert ids, step
        assert (step.first_op, step.last_op, step.ops) == (ids[0], ids[-1], len(ids))
        assert ids == list(range(ids[0], ids[-1] + 1)), "one thread: nothing else in between"
        assert ids[0] > before
        before = ids[-1]


@eager
def test_each_step_has_a_tape_a_gradient_and_a_loss(parts: dict[str, Part], shape: Shape) -> None:
    run = parts[shape.script]
    for step in run.steps():
        assert run.trace.tapes(step.id)
        gradients = run.trace.gradients(step.id)
        assert gradients and all(g.form != "none" for g in gradients)
        assert step.loss is not None


@eager
def test_updates_and_what_comes_before_the_tape_belong_to_the_step(
    parts: dict[str, Part], shape: Shape
) -> None:
    run = parts[shape.script]
    if shape.script in ("grad_helper", "nested_tapes"):
        pytest.skip("its helper's calls are the steps, which update nothing")
    for step in run.steps():
        ops = run.of_step(step.id)
        assert any(op.row.type.startswith("Assign") for op in ops), step
        last = max(tape.last_op for tape in run.trace.tapes(step.id))
        assert ops[-1].row.id > last
    if shape.script in ("inline_in_function", "several_tapes"):
        step = run.steps()[0]
        assert step.first_op < min(tape.first_op for tape in run.trace.tapes(step.id))


@eager
def test_losses_are_what_the_script_prints(parts: dict[str, Part], shape: Shape) -> None:
    run = parts[shape.script]
    if shape.script in ("keras_fit", "loop_in_function", "grad_helper"):
        pytest.skip("it prints no loss of each batch")
    printed = [
        float.fromhex(word) for line in run.stdout.splitlines() for word in line.split() if "0x" in word
    ]
    for step in run.steps():
        if (step.function == "main" and step.line != run.steps()[0].line) or step.function == "curvature":
            continue
        assert any(abs(step.loss - value) <= 1e-6 * abs(value) for value in printed), (step, printed)


@graph
def test_a_function_run_as_a_graph_is_one_op_of_its_step(graphs: dict[str, Part], script: str) -> None:
    run, expected = graphs[script], SCRIPTS[script]
    steps = run.steps()
    if script == "loop_in_function":
        assert [step.function for step in steps] == ["train"]
    else:
        assert [step.function for step in steps] == [expected.function] * expected.steps
    for step in steps:
        ops = run.of_step(step.id)
        assert step.kind == "call"
        assert step.ops == len(ops) == 1 and ops[0].row.id == step.first_op == step.last_op
        assert ops[0].row.type.endswith("PartitionedCall") or ops[0].row.type.startswith("__inference_")


def test_traces_name_the_function_and_its_file(graphs: dict[str, Part]) -> None:
    trace = graphs["tf_function"].trace
    assert {opaque.kind for opaque in trace.opaques()} >= {"graph"}
    for script, function, count in (("tf_function", "train_step", 2), ("loop_in_function", "train", 1)):
        part = graphs[script]
        found = [t for t in trace.traces() if t.path == str(part.path)]
        assert [t.function for t in found] == [function] * count
        line = next(n for n, text in enumerate(part.source, 1) if text.startswith("@tf.function"))
        assert all(t.nodes > 5 and t.line == line for t in found)


def test_places_of_graph_steps(graphs: dict[str, Part]) -> None:
    for script in ("tf_function", "keras_train_step", "loop_in_function"):
        part = graphs[script]
        for step in part.steps():
            assert step.path == str(part.path), step
            text = part.source[step.line - 1]
            assert text.strip().startswith(("@tf.function", "def train_step")), text
