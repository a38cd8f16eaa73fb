"""Under `tapeinspect record` a program prints and ends as it does alone, and its steps are found.

A program that runs a `tf.function` is compared under `--mode graph`: running it op by op, as `--mode eager` does,
changes rounding and how often Python code in it runs. How its steps are found there is tested in `tests/probe`.
"""

from __future__ import annotations

import pytest

from tapeinspect.trace.reader import open_trace
from tests.recording.programs import Program, Runner, demos, scripts

PROGRAMS = [*scripts(), *demos()]
pytestmark = pytest.mark.tf
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
every_eager_program = pytest.mark.parametrize(
    "program", [program for program in PROGRAMS if not program.graph], ids=lambda program: program.name
)


@every_program
def test_prints_the_same_and_ends_the_same(program: Program, runner: Runner) -> None:
    alone = runner.run(program, "alone")
    assert alone.status == program.exit_status, alone.stderr.decode(errors="replace")
    recorded = runner.run(program, "graph" if program.graph else "eager")
    assert recorded.stdout == alone.stdout
    assert recorded.stderr == alone.stderr
    assert recorded.status == alone.status


@every_eager_program
def test_steps_are_found(program: Program, runner: Runner) -> None:
    recorded = runner.run(program, "eager")
    assert recorded.status == program.exit_status, recorded.stderr.decode(errors="replace")
    assert recorded.trace is not None
    reader = open_trace(recorded.trace)
    try:
        steps = reader.steps()
        assert not reader.probe_errors()
        assert reader.meta.exit_status == program.exit_status
        assert [len(steps), steps[0].function.rpartition(".")[2] if steps else None] == [
            program.steps,
            program.function,
        ]
    finally:
        reader.close()
