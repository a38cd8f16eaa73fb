"""What AutoGraph makes of a step, as the comparison of eager and traced writes it down."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapeinspect.link.messages import Answer, AskWork, Config, Doing, Go, Status
from tapeinspect.session.launch import Launch
from tapeinspect.session.target import Event, Target
from tapeinspect.trace.differences import Difference
from tapeinspect.trace.reader import TraceReader, open_trace
from tapeinspect.trace.records import AutographRun
from tests.probe.recorded import HERE, ROOT

pytestmark = pytest.mark.tf
SCRIPT = HERE / "diff_code.py"
ON_REQUEST = {"xla": True, "grappler": True}
ASKED = [("autograph", 1, {}), ("diff", 1, ON_REQUEST), ("autograph", 2, {}), ("diff", 2, ON_REQUEST), ("diff", 3, {}),
         ("diff", 1, {"code": False})]  # fmt: skip


@pytest.fixture(scope="module")
def early() -> list[int]:
    """How many times AutoGraph's work could be read, each time that the step began to run eagerly."""
    return []


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, early: list[int]) -> tuple[list[Answer], Path]:
    """The works asked for while the script stands still behind its last batch."""
    trace = tmp_path_factory.mktemp("code") / "run.tape"
    config = Config(str(trace), -1, str(SCRIPT), (str(SCRIPT),), pause_at=3)
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    paused, out = threading.Event(), bytearray()

    def listen(event: Event) -> None:
        if isinstance(event, Status) and event.state == "paused":
            paused.set()
        if isinstance(event, Doing) and event.text == "running eagerly":
            with contextlib.closing(sqlite3.connect(f"file:{trace}?mode=ro", uri=True)) as connection:
                early.append(connection.execute("SELECT count(*) FROM ag_run").fetchone()[0])
        out.extend(getattr(event, "data", b""))

    target = Target.start(Launch(SCRIPT, None, (), config, True, env), listen)
    assert paused.wait(60), out.decode()
    found = [target.ask(AskWork(0, work, step, options)).result(120) for work, step, options in ASKED]
    target.send(Go("end"))
    assert target.drain(120) and target.exit_status == 0, out.decode()
    return found, trace


@pytest.fixture(scope="module")
def reader(answers: tuple[list[Answer], Path]) -> Iterator[TraceReader]:
    assert [answer.ok for answer in answers[0]] == [True] * len(ASKED), answers[0]
    reader = open_trace(answers[1])
    assert [error.detail for error in reader.probe_errors()] == []
    yield reader
    reader.close()


def both(reader: TraceReader, step: int) -> tuple[AutographRun, AutographRun, Difference]:
    """The run of the work "autograph", that of the comparison, and the comparison."""
    diff = next(diff for diff in reader.differences.all() if diff.step == step)
    number = reader.differences.run_of(diff.id)
    runs = [run for run in reader.autograph.runs() if run.step == step]
    own = next(run for run in runs if run.id == number)
    return next(run for run in runs if run.id != number), own, diff


@pytest.mark.parametrize("step", [1, 2])
def test_it_is_what_the_work_autograph_finds(reader: TraceReader, step: int) -> None:
    """The same functions, sources, marks and constructs: those of the trace itself."""
    alone, own, _ = both(reader, step)
    assert own.status == alone.status == ("traced" if step == 1 else "failed")
    seen = [
        [
            (f.name, f.status, f.calls, f.generated, reader.autograph.lines(f.id))
            for f in reader.autograph.functions(n)
        ]
        for n in (alone.id, own.id)
    ]
    assert seen[0] == seen[1] and {"clip", own.function} <= {name for name, *_ in seen[0]}
    assert alone.path is not None
    marks = [reader.autograph.marks(n, alone.path) for n in (alone.id, own.id)]
    assert marks[0] == marks[1] and {mark.mark for mark in marks[0].values()} >= {"G", "P"}
    became = [
        [(c.line, c.construct, c.became, c.count) for f in reader.autograph.functions(n)
         for c in reader.autograph.constructs(f.id)]
        for n in (alone.id, own.id)
    ]  # fmt: skip
    assert became[0] == became[1]
    assert 0 <= own.ops - alone.ops <= 2  # the gradient is an output of the graph, too


def test_a_step_that_fails_to_trace_shows_what_was_converted(reader: TraceReader) -> None:
    alone, own, diff = both(reader, 2)
    assert diff.verdict == "fails_to_trace"
    failures = [reader.autograph.failure(run.id) for run in (alone, own)]
    assert failures[0] is not None and failures[1] is not None
    assert (failures[0].line, failures[0].explanation) == (failures[1].line, failures[1].explanation)
    sources = {f.name: f.generated for f in reader.autograph.functions(own.id)}
    assert "def tf__fails" in (sources["fails"] or "") and "def tf__clip" in (sources["clip"] or "")


def test_a_step_that_is_not_run_again_is_converted_only(reader: TraceReader) -> None:
    (diff,) = (diff for diff in reader.differences.all() if diff.step == 3)
    number = reader.differences.run_of(diff.id)
    (run,) = (run for run in reader.autograph.runs() if run.id == number)
    assert run.status == "converted"
    assert any("def tf__takes" in (f.generated or "")
               for f in reader.autograph.functions(run.id))  # fmt: skip


def test_code_can_be_left_out(reader: TraceReader) -> None:
    last = reader.differences.all()[-1]
    assert last.step == 1 and reader.differences.run_of(last.id) is None


def test_xla_and_grappler_on_request(reader: TraceReader) -> None:
    first, failing, *_ = reader.differences.all()
    compiled, rewritten = reader.differences.compiled(first.id), reader.differences.rewritten(first.id)
    assert compiled is not None and rewritten is not None
    assert compiled.verdict == "not_compiled"  # XLA has to know how often a loop runs that is taken backward
    assert "xla-not-compiled" in {finding.rule for finding in reader.differences.findings(first.id)}
    assert reader.differences.compiled(failing.id) is None
    assert "XLA and Grappler got nothing to work on" in " ".join(failing.notes)


def test_the_code_can_be_read_before_the_rest_is_compared(reader: TraceReader, early: list[int]) -> None:
    """Of the first batch: the work "autograph" has written a run, and the comparison that goes on another."""
    assert early[0] == 2
    runs = [run.id for run in reader.autograph.runs()]
    assert len(runs) == len(set(runs)) == max(early), "nothing is written twice"


@pytest.mark.parametrize(
    ("script", "name", "path"),
    [
        ("keras_train_step", "Model.train_step", "keras_train_step.py"),
        ("keras_fit", "TensorFlowTrainer.train_step", "trainer.py"),
    ],
)
def test_a_step_that_keras_traces_is_named_though_autograph_is_not_asked(
    tmp_path: Path, script: str, name: str, path: str
) -> None:
    trace = tmp_path / "run.tape"
    command = [sys.executable, "-m", "tapeinspect", "diff", "-o", str(trace), f"tests/scripts/{script}.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    reader = open_trace(trace)
    (run,) = reader.autograph.runs()
    step = reader.autograph.functions(run.id)[0]
    reader.close()
    assert (step.name, Path(step.path or "").name, step.status) == (name, path, "not_converted")
    assert "Keras traces its train step with AutoGraph off" in step.reason
