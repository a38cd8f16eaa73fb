"""Which ops each tape recorded: the truth is whether the tape itself has a gradient through them."""

from __future__ import annotations

import pytest

from tests.probe.recorded import Run, Runner, own

pytestmark = pytest.mark.tf
TAPES = own("tapes")
RECORDINGS = (TAPES,)


@pytest.fixture(scope="module")
def run(runner: Runner) -> Run:
    run = runner.get(TAPES)
    assert run.status == 0, run.stderr
    return run


def test_every_tape_is_known_in_the_order_of_opening(run: Run) -> None:
    tapes = run.trace.tapes(None)
    entered = sorted(tapes, key=lambda tape: next(e.id for e in tape.events if e.event == "enter"))
    assert len(tapes) == run.truth["tapes"]
    assert [tape.id for tape in entered] == [tape.id for tape in tapes]
    assert all(tape.persistent for tape in tapes)


def test_ops_are_recorded_by_the_tapes_that_have_a_gradient_through_them(run: Run) -> None:
    tapes = run.trace.tapes(None)
    wrong, asked = [], 0
    for told in run.truth["told"]:
        for tensor, numbers in told["known"]:
            producer = run.trace.producer(tensor)
            op = run.trace.op(producer)
            mine = set(op.tapes) & {tape.id for tape in tapes[told["first"] : told["first"] + told["tapes"]]}
            asked += 1
            if mine != {tapes[number].id for number in numbers}:
                text = run.source[op.row.line - 1].strip() if op.row.line else ""
                wrong.append((op.row.type, op.row.line, text, sorted(mine), [tapes[n].id for n in numbers]))
    assert asked > 150
    assert not wrong, f"{len(wrong)} of {asked}: {wrong[:12]}"


def test_a_row_names_the_innermost_tape(run: Run) -> None:
    for op in run.ops:
        assert op.row.tape == (op.tapes[0] if op.tapes else None)
        assert list(op.tapes) == sorted(op.tapes, reverse=True), "this script opens the inner ones last"


def test_events_come_in_the_order_of_the_script(run: Run) -> None:
    by_function = {}
    for tape in run.trace.tapes(None):
        stack = run.trace.stack(tape.stack)
        by_function.setdefault(stack.user.function if stack.user else None, []).append(tape)
    events = {name: [[e.event for e in tape.events] for tape in tapes] for name, tapes in by_function.items()}
    assert events["single"] == [["enter", "exit"]] * 3
    assert events["watched"] == [["enter", "watch", "watch", "exit"]] * 3
    assert events["paused"] == [["enter", "stop_recording", "resume", "exit"]] * 3
    assert events["forgetful"] == [["enter", "reset", "exit"]] * 3
    assert events["reentered"] == [["enter", "exit", "enter", "exit"]] * 3


def test_events_name_their_line_and_what_was_watched(run: Run) -> None:
    for tape in run.trace.tapes(None):
        assert tape.line and run.source[tape.line - 1].strip().startswith("with ")
        for event in tape.events:
            if event.event == "watch":
                assert ".watch(" in run.source[event.line - 1]
                assert event.tensor is not None
            elif event.event in ("stop_recording", "reset"):
                assert f".{event.event}(" in run.source[event.line - 1]


def test_parents_are_the_tapes_open_around(run: Run) -> None:
    found = {}
    for tape in run.trace.tapes(None):
        stack = run.trace.stack(tape.stack)
        found.setdefault(stack.user.function, []).append(tape)
    for outer, inner in zip(found["nested"][0::2], found["nested"][1::2], strict=True):
        assert outer.parent is None and inner.parent == outer.id
        assert outer.first_op <= inner.first_op <= inner.last_op <= outer.last_op
    for outer, middle, inner in zip(*(found["triple"][i::3] for i in range(3)), strict=True):
        assert (outer.parent, middle.parent, inner.parent) == (None, outer.id, middle.id)
        assert (outer.watch_accessed, middle.watch_accessed, inner.watch_accessed) == (True, False, True)
