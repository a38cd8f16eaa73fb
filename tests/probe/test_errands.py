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


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("errands")
    config = Config(str(folder / "run.tape"), -1, str(SCRIPT), (str(SCRIPT),), pause_at=1)
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    out = bytearray()
    paused = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, Status) and event.state == "paused":
            paused.set()
        out.extend(getattr(event, "data", b""))

    target = Target.start(Launch(SCRIPT, None, (), config, True, env), listen)
    early = target.ask(AskWork(0, "autograph"))  # before there is a batch: done when the first has ended
    answers = [early.result(120)]
    paused.wait(120)
    for work, step in (("autograph", 1), ("autograph", 9), ("nothing", None)):
        answers.append(target.ask(AskWork(0, work, step)).result(120))
    target.send(Go("end"))
    assert target.drain(120)
    return Session(answers, target.exit_status, out.decode().replace("\r\n", "\n"), folder / "run.tape")


def test_a_work_asked_for_early_waits_for_the_first_batch(session: Session) -> None:
    assert session.answers[0].ok and session.answers[0].body == {"run": 1}


def test_a_work_is_done_while_the_script_is_paused(session: Session) -> None:
    assert session.answers[1].ok and session.answers[1].body == {"run": 2}
    reader = open_trace(session.trace)
    first, second = reader.autograph.runs()
    assert (first.step, second.step, first.function) == (1, 1, "Trainer.step")
    assert first.ops == second.ops > 0
    assert [error.detail for error in reader.probe_errors()] == []
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
