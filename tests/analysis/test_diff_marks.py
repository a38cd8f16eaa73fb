"""The verdict that a line gets from what it calls."""

from __future__ import annotations

from pathlib import Path

from tapeinspect.analysis.diff_marks import graver, marks_of_calls
from tapeinspect.trace.reader import open_trace
from tests.ui.build import PATH, recording

A = "/home/ada/train.py"
SOURCE = """def helper(x):
    print(x)
    return x * 2

def step(x):
    return helper(x)
"""


def test_a_line_has_the_gravest_verdict_of_what_it_calls() -> None:
    marks = {(A, 3): "=", (A, 4): "≠", (A, 9): "~"}
    calls = [((A, 8), (A, 3)), ((A, 8), (A, 4)), ((A, 20), (A, 8)), ((A, 9), (A, 3))]
    assert marks_of_calls(marks, calls, {}) == {
        (A, 8): ("≠", (A, 4)),
        (A, 20): ("≠", (A, 4)),
        (A, 9): ("=", (A, 3)),
    }


def test_a_line_that_ran_no_op_is_found_by_its_function() -> None:
    found = marks_of_calls({(A, 2): "P"}, [((A, 6), (A, 3))], {A: SOURCE})
    assert found == {(A, 6): ("P", (A, 2))}
    assert marks_of_calls({(A, 2): "P"}, [((A, 6), (A, 3))], {}) == {}


def test_functions_that_call_each_other_come_to_an_end() -> None:
    calls = [((A, 2), (A, 5)), ((A, 5), (A, 2))]
    assert marks_of_calls({(A, 5): "≠"}, calls, {}) == {(A, 2): ("≠", (A, 5)), (A, 5): ("≠", (A, 5))}


def test_only_what_is_graver_than_the_own_verdict_is_said() -> None:
    assert graver("≠", "=") and graver("=", "") and not graver("=", "=") and not graver("~", "P")


def test_calls_are_read_from_the_stacks_of_a_batch(tmp_path: Path) -> None:
    reader = open_trace(recording(tmp_path / "run.tape"))
    calls = reader.calls(1)
    reader.close()
    assert ((PATH, 26), (PATH, 15)) in calls and ((PATH, 29), (PATH, 26)) in calls
    assert not any(called == (PATH, 29) for _, called in calls), "nothing calls the module"
