"""Works on a live script, asked for over the channel."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tapeinspect.link.messages import Answer, AskWork, Config, Go, Status
from tapeinspect.session.launch import Launch
from tapeinspect.session.target import Event, Target
from tapeinspect.trace.reader import open_trace
from tests.probe.recorded import HERE, ROOT, Runner, own

SCRIPT = HERE / "autograph_step.py"
PLAIN = own("autograph_step", recorded=False)
RECORDINGS = [PLAIN]
pytestmark = pytest.mark.tf


@dataclass
class Session:
    """What came of a script that was stopped behind its first batch and asked for works."""

    answers: list[Answer]
    status: int | None
    stdout: str
    trace: Path
    within: list[Answer]
    """Those asked for when it stood within `tape.gradient`."""
    place: Status | None
    """Where that was."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("errands")
    config = Config(str(folder / "run.tape"), -1, str(SCRIPT), (str(SCRIPT),), pause_at=1)
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    out = bytearray()
    paused = threading.Event()
    stood: list[Status] = []

    def listen(event: Event) -> None:
        if isinstance(event, Status) and event.state == "paused":
            stood.append(event)
            paused.set()
        out.extend(getattr(event, "data", b""))

    target = Target.start(Launch(SCRIPT, None, (), config, True, env), listen)
    early = target.ask(AskWork(0, "autograph"))  # before there is a batch: done when the first has ended
    answers = [early.result(120)]
    paused.wait(120)
    for work, step in (("autograph", 1), ("autograph", 9), ("nothing", None)):
        answers.append(target.ask(AskWork(0, work, step)).result(120))
    _go_back(target, paused, stood)
    within = [target.ask(AskWork(0, work)).result(120) for work in ("autograph", "diff", "autograph")]
    target.send(Go("end"))
    assert target.drain(120)
    text = out.decode().replace("\r\n", "\n")
    return Session(answers, target.exit_status, text, folder / "run.tape", within, stood[-1])


def _go_back(target: Target, paused: threading.Event, stood: list[Status]) -> None:
    """Let the script come to the third op of its next `tape.gradient`."""
    line = next(n for n, text in enumerate(SCRIPT.read_text().splitlines(), 1) if "tape.gradient" in text)
    for until in ["tape", *["op"] * 40]:
        paused.clear()
        target.send(Go(until))  # type: ignore[arg-type]
        assert paused.wait(120)
        if sum(status.line == line for status in stood) == 3:
            return


def test_a_work_asked_for_early_waits_for_the_first_batch(session: Session) -> None:
    assert session.answers[0].ok and session.answers[0].body == {"run": 1}


def test_a_work_is_done_while_the_script_is_paused(session: Session) -> None:
    assert session.answers[1].ok and session.answers[1].body == {"run": 2}
    reader = open_trace(session.trace)
    first, second = (run for run in reader.autograph.runs() if run.id in (1, 2))
    assert (first.step, second.step, first.function) == (1, 1, "Trainer.step")
    assert first.ops == second.ops > 0
    assert [error.detail for error in reader.probe_errors()] == []
    reader.close()


def test_a_work_is_done_within_the_way_back_too(session: Session) -> None:
    assert session.place is not None and session.place.line is not None
    assert "tape.gradient" in SCRIPT.read_text().splitlines()[session.place.line - 1]
    assert [answer.ok for answer in session.within] == [True] * 3, session.within
    reader = open_trace(session.trace)
    runs = {run.id: run for run in reader.autograph.runs()}
    first, _, third = (answer.body.get("run", 0) for answer in session.within)
    assert runs[first].status == runs[third].status == "traced"
    assert runs[first].ops == runs[third].ops == runs[1].ops
    reader.close()


def test_what_cannot_be_done_is_said(session: Session) -> None:
    late: dict[str, Any] = session.answers[2].body
    assert not session.answers[2].ok and late["message"] == "the arguments of batch 9 are not kept"
    assert (late["hint"], late["batches"]) == ("ask for batch 1", [1])
    assert not session.answers[3].ok and "no work 'nothing'" in session.answers[3].body["message"]


def test_the_script_goes_on_as_without_us(session: Session, runner: Runner) -> None:
    plain = runner.get(PLAIN)
    assert session.status == 0
    said = [line for line in session.stdout.splitlines() if line in plain.stdout.splitlines()]
    assert said == plain.stdout.splitlines()
