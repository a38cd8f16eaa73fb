"""Works on steps that run as graphs."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tapeinspect.link.messages import Answer, AskWork, Config, Go, Status
from tapeinspect.session.launch import Launch
from tapeinspect.session.target import Event, Target
from tapeinspect.trace.reader import TraceReader, open_trace
from tests.probe.recorded import HERE, ROOT

pytestmark = pytest.mark.tf
SCRIPT = HERE / "graph_works.py"
ASKED = [("autograph", 2), ("tracing", 1), ("diff", 2), ("autograph", 3), ("autograph", 5), ("diff", 5)]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Answer], int | None, str, Path]:
    trace = tmp_path_factory.mktemp("graph") / "run.tape"
    config = Config(str(trace), -1, str(SCRIPT), (str(SCRIPT),), pause_at=5, mode="graph")
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    paused, out = threading.Event(), bytearray()

    def listen(event: Event) -> None:
        if isinstance(event, Status) and event.state == "paused":
            paused.set()
        out.extend(getattr(event, "data", b""))

    target = Target.start(Launch(SCRIPT, None, (), config, True, env), listen)
    assert paused.wait(60), out.decode()
    answers = [target.ask(AskWork(0, work, step)).result(120) for work, step in ASKED]
    target.send(Go("end"))
    assert target.drain(120)
    return answers, target.exit_status, out.decode(), trace


@pytest.fixture(scope="module")
def reader(session: tuple[list[Answer], int | None, str, Path]) -> TraceReader:
    return open_trace(session[3])


def test_works_are_done_with_the_arguments_of_the_call(
    session: tuple[list[Answer], int | None, str, Path], reader: TraceReader
) -> None:
    answers = session[0]
    assert [answer.ok for answer in answers] == [True, True, True, False, True, False], answers
    runs = [run for run in reader.autograph.runs() if not reader.differences.has_run(run.id)]
    assert [(run.step, run.function, run.status) for run in runs] == [
        (2, "Trainer.step", "traced"),
        (5, "TensorFlowTrainer.train_step", "traced"),
    ]
    (diff,) = reader.differences.all()
    assert (diff.step, diff.verdict) == (2, "same")


def test_the_arguments_are_in_the_recording(reader: TraceReader) -> None:
    steps = {step.id: {arg.name: arg.text for arg in step.args} for step in reader.steps()}
    assert steps[1]["x"] == "Tensor(2, 2) float32" and steps[2]["x"] == "Tensor(3, 2) float32"
    assert steps[1]["scale"] == "2.0" and steps[6]["scale"] == "1.0"
    assert set(steps[4]) == {"self", "data"}


def test_an_object_that_the_script_has_dropped_is_not_kept_for_it(
    session: tuple[list[Answer], int | None, str, Path],
) -> None:
    body = session[0][3].body
    assert body["message"].startswith("the argument 'self' of batch 3 is no more")
    assert body["batches"] == [1, 2, 4, 5]
    assert body["hint"] == "ask for one of the batches 1, 2, 4, 5"


def test_fit_is_traced_by_the_types_of_its_batches(
    session: tuple[list[Answer], int | None, str, Path], reader: TraceReader
) -> None:
    assert "types of the batch" in reader.autograph.runs()[-1].note
    assert "fit takes each batch inside the graph" in session[0][5].body["message"]


def test_the_script_goes_on_and_every_later_batch_is_seen(
    session: tuple[list[Answer], int | None, str, Path], reader: TraceReader
) -> None:
    assert session[1] == 0 and len(reader.steps()) == 6
    assert [error.detail for error in reader.probe_errors()] == []
