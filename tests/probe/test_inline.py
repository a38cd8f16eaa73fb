"""Loops with no step function, in the shape of the guides: each gets its verdict as a function of its batch."""

from __future__ import annotations

import math
import re
from functools import cache

import pytest

from tapeinspect.analysis import survival
from tests.probe.recorded import SHARED, Run, Runner, own

pytestmark = pytest.mark.tf
CORPUS = own("inline_corpus", recorded=False)
RECORDINGS = (CORPUS,)
SCRIPTS = {path.stem: path for path in sorted((SHARED / "inline").glob("*.py")) if path.stem != "__init__"}


@cache
def expected(name: str) -> tuple[str, str, list[tuple[int, str]]]:
    """(verdict, why it is refused, the line and rule of each finding)."""
    text = SCRIPTS[name].read_text("utf-8")
    found = re.search(r"# EXPECT (\w+) on batch \d+(?:: (.*))?", text)
    assert found is not None
    lines = enumerate(text.splitlines(), 1)
    rules = sorted((n, rule) for n, line in lines for rule in re.findall(r"# RULE ([\w-]+)", line))
    return found[1], found[2] or "", rules


@pytest.fixture(scope="module")
def run(runner: Runner) -> Run:
    run = runner.get(CORPUS)
    assert run.status == 0, run.stderr
    return run


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_loop_gets_its_verdict(run: Run, name: str) -> None:
    """The verdict, the rules and the lines that its script names, and no others."""
    verdict, refused, rules = expected(name)
    case = run.truth[name]
    diff = next((d for d in run.trace.differences.all() if d.step == case["step"]), None)
    if refused:
        assert diff is None and [refused in text for text in case["said"]] == [True, True], case["said"]
        return
    assert diff is not None and case["said"] == [], case["said"]
    found = run.trace.differences.findings(diff.id)
    assert (diff.verdict, sorted((f.line, f.rule) for f in found)) == (verdict, rules), found
    assert {f.path for f in found} <= {str(SCRIPTS[name])}
    assert diff.path == str(SCRIPTS[name]) and diff.ops == len(run.trace.differences.ops(diff.id))


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_prints_what_it_prints_without_us(run: Run, name: str) -> None:
    """Tracing and comparing change nothing of it."""
    assert run.truth[name]["printed"] == run.truth[name]["plain"]


@pytest.mark.parametrize("name", [name for name in SCRIPTS if expected(name)[0] == "same"])
def test_the_function_can_be_pasted(run: Run, name: str) -> None:
    """Where both ways are the same, the script with the function in the loop's place gives the same numbers."""
    case = run.truth[name]
    for mine, theirs in zip(case["pasted"].split(), case["plain"].split(), strict=True):
        assert mine == theirs or math.isclose(number(mine), number(theirs), rel_tol=1e-5), case["pasted"]


def number(text: str) -> float:
    """A number as Python prints it."""
    plain = text.strip("[],")
    return float.fromhex(plain) if "0x" in plain else float(plain)


def test_the_function_is_told(run: Run) -> None:
    """What it is given and gives back, which lines it does, and what stays in the loop."""
    bodies = {name: run.trace.loop_bodies.of_step(run.truth[name]["step"]) for name in SCRIPTS}
    said = {name: (b.parameters, b.returns) for name, b in bodies.items() if b is not None}
    assert said["keras_metrics"] == (("x", "y", "total"), ("total",))
    assert said["keras_guide"] == (("step", "x_batch_train", "y_batch_train"), ())
    assert said["state_in_a_method"] == (("part", "state"), ("state",))
    assert said["sums_in_a_function"] == (("images", "total"), ("total",))
    assert said["while_next"] == (("x",), ()) and said["whole_data"] == ((), ())
    early = bodies["stops_early"]
    assert early is not None and (early.line, early.first, early.last) == (7, 10, 12)
    assert early.title == "the loop's body as a function of x"
    assert bodies["leaves_in_the_midst"] is None


def test_autograph_shows_it_on_the_users_lines(run: Run) -> None:
    """Both sources, with marks on the lines of the user's file, and the same failures at the same lines."""
    runs = {r.step: r for r in run.trace.autograph.runs()}
    for name in SCRIPTS:
        verdict, refused, rules = expected(name)
        if refused:
            continue
        found = runs[run.truth[name]["step"]]
        assert found.status == ("failed" if verdict == "fails_to_trace" else "traced"), name
        assert "the step is the body of the loop at" in found.note
        function = next(f for f in run.trace.autograph.functions(found.id) if f.name == found.function)
        assert function.path == str(SCRIPTS[name]) and function.line == found.line
        assert (function.generated or "").startswith(f"def tf__{found.function}(")
        failure = run.trace.autograph.failure(found.id)
        if failure is not None:
            assert failure.path == str(SCRIPTS[name]) and failure.line in [line for line, _ in rules]
        else:
            assert any(m.mark == "G" for m in run.trace.autograph.marks(found.id, function.path).values())


def test_what_does_not_survive_tracing_is_found_there_too(run: Run) -> None:
    """The findings of the AutoGraph tab are on the same lines."""
    wanted = {"loss_in_a_list": 13, "random_noise": 10, "state_in_a_method": 24, "loss_as_a_number": 15}
    for name, line in wanted.items():
        found = survival.findings(run.trace, run.truth[name]["step"]) or []
        assert line in [f.line for f in found], (name, found)
        assert {f.path for f in found} == {str(SCRIPTS[name])}


def test_the_arguments_are_those_of_the_turn(run: Run) -> None:
    """Loop targets and what goes from turn to turn, as they were when the turn began."""
    steps = {step.id: {arg.name: arg.text for arg in step.args} for step in run.trace.steps()}
    first = run.truth["keras_metrics"]["step"] - 1
    assert steps[first + 1]["total"] == "Tensor() float32" and steps[first + 1]["x"] == "Tensor(4, 3) float32"
    assert steps[run.truth["slices"]["step"]] == {"first": "int"}


@pytest.mark.parametrize(
    ("loop", "turns", "first", "names"),
    [
        ("sums", 16, 0, ["epoch", "step", "total", "x"]),
        ("zipped", 8, 0, ["total", "x", "y"]),
        ("skipping", 12, 3, ["n", "total", "x"]),
        ("now_and_then", 6, 0, ["n", "state"]),
        ("counted", 8, 1, ["left", "step"]),
        ("numpy_batches", 6, 2, ["batch"]),
    ],
)
def test_the_values_are_those_that_the_turn_began_with(
    run: Run, loop: str, turns: int, first: int, names: list[str]
) -> None:
    """In the first turn, in every later one and when the loop runs again; and what the function begins with."""
    assert [turn for turn in run.truth["turns"] if turn[0] == loop] == [[loop, first, names, []]] * turns


def test_nothing_was_amiss(run: Run) -> None:
    assert [error.detail for error in run.trace.probe_errors()] == []
    assert [file.path for file in run.trace.files() if "/./" in file.path] == []
