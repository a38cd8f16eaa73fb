"""How a script ends: an exception, Ctrl+C, a number of steps."""

from __future__ import annotations

import pytest

from tests.probe.recorded import Recording, Run, Runner, own

pytestmark = pytest.mark.tf
ERROR = own("ends", args=("error",), forked=False)
INTERRUPT = own("ends", args=("interrupt",), forked=False)
LIMIT = own("ends", "--steps", "2", args=("limit",))
RECORDINGS = (ERROR, INTERRUPT, LIMIT)


def said(run: Run) -> list[str]:
    return [line for line in run.stdout.splitlines() if line]


def text_of(run: Run, part: str) -> int:
    """The number of the line that holds a text."""
    return next(number for number, line in enumerate(run.source, 1) if part in line)


def test_an_exception_is_recorded_with_its_frames(runner: Runner) -> None:
    run = runner.get(ERROR)
    assert run.status == 1
    assert said(run) == ["step 1", "step 2", "cleaned up", "exit handler ran"]
    (error,) = run.trace.errors()
    assert error.type == "InvalidArgumentError" and "reshape" in error.message.lower()
    assert (error.file, error.line) == (str(run.recording.script), text_of(run, "tf.reshape"))
    assert error.step == 3
    own_frames = [frame for frame in error.frames if frame.user]
    assert [frame.function for frame in own_frames] == ["<module>", "train_step", "deeper"]
    assert [frame.code for frame in own_frames] == [
        "train_step(batch)",
        "loss = tf.reduce_sum(deeper(x))",
        "return tf.reshape(w, [3, 7])",
    ]
    assert all(frame.line == text_of(run, frame.code) for frame in own_frames)
    assert not any("tapeinspect" in frame.function for frame in error.frames)
    assert "tapeinspect/probe" not in run.stderr and "InvalidArgumentError" in run.stderr


def test_what_ran_before_the_exception_is_recorded(runner: Runner) -> None:
    run = runner.get(ERROR)
    steps = run.steps()
    assert [len(run.trace.gradients(step.id)) for step in steps] == [1, 1, 0]
    assert [step.loss for step in steps] == [3.0, pytest.approx(5.6), None]
    assert run.trace.meta.complete and run.trace.meta.exit_status == 1


def test_an_interrupt_ends_with_130(runner: Runner) -> None:
    run = runner.get(INTERRUPT)
    assert run.status == 130
    assert said(run) == ["step 1", "step 2", "cleaned up", "exit handler ran"]
    (error,) = run.trace.errors()
    assert error.type == "KeyboardInterrupt" and error.step == 3
    assert error.line in (text_of(run, "os.kill"), text_of(run, "return w * float(x)"))
    assert run.trace.meta.complete and run.trace.meta.exit_status == 130


def test_a_number_of_steps_ends_it_with_0(runner: Runner) -> None:
    run = runner.get(LIMIT)
    assert run.status == 0, run.stderr
    assert said(run)[-2:] == ["cleaned up", "exit handler ran"]
    assert "step 3" not in run.stdout and "the end" not in run.stdout
    whole = [step for step in run.steps() if run.trace.gradients(step.id)]
    assert [step.id for step in whole] == [1, 2]
    assert run.trace.errors() == []
    assert run.trace.meta.complete and run.trace.meta.exit_status == 0


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.args[0])
def test_updates_of_the_steps_before_are_whole(runner: Runner, recording: Recording) -> None:
    run = runner.get(recording)
    for step in (1, 2):
        (figures,) = run.trace.variable_steps(step).values()
        assert figures.assigns == 1
        assert figures.update_norm == pytest.approx(0.1 * step * 2**0.5, rel=1e-5)
