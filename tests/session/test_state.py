"""The state of a session, folded from what the target says."""

from __future__ import annotations

from functools import reduce

import pytest

from tapeinspect.link.messages import Hello, Status, Tick, Trouble
from tapeinspect.session.state import SessionState, exit_in_words
from tapeinspect.session.target import Event, Exited, Output


def after(*events: Event) -> SessionState:
    return reduce(SessionState.after, events, SessionState())


def test_a_whole_session() -> None:
    trouble = Trouble("the disk is full", fatal=True)
    state = after(
        Hello(7, "3.11.7"),
        Status("importing", "importing TensorFlow"),
        Tick(100, 2, 0.5, 4.0, 1.1, 4096, 10),
        trouble,
        trouble,
        Status("paused", "after batch 2", 2, 100, "train.py", 30),
    )
    assert (state.state, state.why, state.step, state.op) == ("paused", "after batch 2", 2, 100)
    assert (state.file, state.line, state.pid, state.python) == ("train.py", 30, 7, "3.11.7")
    assert (state.ops, state.steps, state.loss, state.size, state.held) == (100, 2, 0.5, 4096, 10)
    assert state.troubles == (trouble,)
    assert state.rate == 0.5
    assert not state.over
    over = state.after(Exited(3))
    assert (over.state, over.why, over.exit_status, over.over) == ("finished", "exit status 3", 3, True)
    assert (over.steps, over.file, over.line) == (2, None, None)


def test_what_is_unknown_now_stays_as_it_was() -> None:
    state = after(Tick(1, 1, 0.5, 1.0, 1.1), Tick(2, 1, None, 2.0, None), Status("running"))
    assert (state.loss, state.overhead, state.ops) == (0.5, 1.1, 2)
    assert after(Status("paused", "here", 4, 9), Status("running")).step == 4


def test_output_says_nothing_about_the_state() -> None:
    state = after(Hello(7, "3.11.7"))
    assert state.after(Output(b"loss 0.1")) is state


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "exit status 0"), (3, "exit status 3"), (137, "killed by SIGKILL"), (134, "killed by SIGABRT"),
     (255, "exit status 255"), (128, "exit status 128")],
)  # fmt: skip
def test_exit_in_words(status: int, words: str) -> None:
    assert exit_in_words(status) == words
