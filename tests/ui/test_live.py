"""The screen on a running script: a fake target says what the probe would say."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tapeinspect.link.messages import Answer, AskStats, AskValue, Go, Pause, Status, Tick, Trouble
from tapeinspect.session.target import Output
from tapeinspect.trace.records import Stats
from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.screens.confirm import Confirm
from tapeinspect.ui.subject import BACKLOG, Subject
from tests.ui.build import recording
from tests.ui.fake_target import FakeTarget
from tests.ui.text import line_with, said, screen_text

WIDE = (120, 36)


@pytest.fixture
def target(tmp_path: Path) -> FakeTarget:
    return FakeTarget(tmp_path / "run.tape")


@pytest.fixture
def app(target: FakeTarget) -> TapeApp:
    return TapeApp(Subject(target.trace, target, target.inbox, "demos/train.py"))


def paused_after(target: FakeTarget, batch: int) -> None:
    """The recording holds some batches, and the script has paused behind the last."""
    recording(target.trace, batches=batch, complete=False)
    target.say(
        Tick(33 * batch, batch, 1.5, 2.0, 1.11),
        Status("paused", f"after batch {batch}", step=batch, op=33 * batch),
    )


async def settle(app: TapeApp, until: Callable[[], bool]) -> None:
    """Let the ticks go by until something holds."""
    import asyncio

    for _ in range(100):
        if until():
            break
        await asyncio.sleep(0.05)
    assert until(), screen_text(app)


async def test_it_says_what_it_waits_for_before_there_is_a_recording(
    app: TapeApp, target: FakeTarget
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert line_with(app, "Waiting for Python to start") and "train.py  STARTING" in line_with(
            app, "STARTING"
        )
        target.say(Status("importing", "importing TensorFlow"))
        await settle(app, lambda: "Waiting for TensorFlow to be imported" in screen_text(app))
        assert "importing TensorFlow" in line_with(app, "IMPORTING")
        for tab in "23":
            await pilot.press(tab)
            await pilot.pause()
            assert line_with(app, "Waiting for TensorFlow to be imported")


async def test_the_view_follows_the_script_from_batch_to_batch(
    app: TapeApp, target: FakeTarget, tmp_path: Path
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        paused_after(target, 1)
        await settle(app, lambda: app.main.viewed == 1)
        await pilot.pause(0.2)
        assert "after batch 1" in line_with(app, "PAUSED") and "cost 1.11×" in line_with(app, "PAUSED")
        assert line_with(app, "▲ batch 1 · loss 2.084 · live")
        await pilot.press("n")
        assert target.sent == [Go("batch")]
        await settle(app, lambda: "RUNNING" in screen_text(app))
        more = recording(tmp_path / "more.tape", batches=2, complete=False)
        more.replace(target.trace)
        app.subject.reader.close()
        app.subject.reader = None
        target.say(Status("paused", "after batch 2", step=2))
        await settle(app, lambda: app.main.viewed == 2)


async def test_an_older_batch_stays_in_view_while_the_script_goes_on(
    app: TapeApp, target: FakeTarget
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        paused_after(target, 3)
        await settle(app, lambda: app.main.viewed == 3)
        await pilot.press("[")
        await pilot.pause(0.2)
        assert not app.main.following
        assert "▲ batch 2" in line_with(app, "● batch 3 live")
        await pilot.press("L")
        assert app.main.following and app.main.viewed == 3


@pytest.mark.parametrize(
    ("key", "until"), [("n", "batch"), ("s", "op"), ("o", "tape"), ("c", "end"), ("f5", "end"), ("f11", "op")]
)
async def test_keys_that_let_the_script_run(app: TapeApp, target: FakeTarget, key: str, until: str) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(key)
        assert target.sent == [] and "p pauses it" in said(app)
        paused_after(target, 1)
        await settle(app, lambda: app.subject.paused)
        await pilot.press(key)
        assert target.sent == [Go(until)]


async def test_pausing_by_p_and_by_ctrl_c(app: TapeApp, target: FakeTarget) -> None:
    async with app.run_test(size=WIDE) as pilot:
        target.say(Status("running"))
        await settle(app, lambda: app.subject.status.state == "running")
        await pilot.press("p", "ctrl+c")
        assert target.sent == [Pause(), Pause()]
        assert "pausing at the next op" in line_with(app, "RUNNING")


async def test_output_is_shown_and_input_is_typed(app: TapeApp, target: FakeTarget) -> None:
    async with app.run_test(size=WIDE) as pilot:
        target.say(Output(b"loss \x1b[31m1.5\x1b[0m\r\nname? "))
        await settle(app, lambda: "6 Output new" in screen_text(app))
        await pilot.press("6")
        await pilot.pause()
        assert line_with(app, "loss 1.5") and line_with(app, "name?")
        await pilot.press("enter", *"Ada", "enter", "ctrl+d")
        assert target.typed == b"Ada\n\x04"
        await pilot.press("escape", "1")
        assert app.main.tab == 1
        assert target.size[0] > 100


async def test_a_flood_of_output_is_taken_in_slices(app: TapeApp, target: FakeTarget) -> None:
    async with app.run_test(size=WIDE):
        target.say(*[Output(b"a line\r\n" * 100_000)] * 12)
        await settle(app, lambda: app.subject.skipped > 0)
        assert len(app.subject._pending) <= BACKLOG
        assert len(app.subject.terminal.lines) <= app.subject.terminal.keep + 1001


async def test_the_end_of_the_script(app: TapeApp, target: FakeTarget) -> None:
    async with app.run_test(size=WIDE) as pilot:
        paused_after(target, 1)
        target.exit(0)
        await settle(app, lambda: "ENDED" in screen_text(app))
        await pilot.press("n")
        assert "The script has ended. R starts it again." in said(app)
        await pilot.press("6")
        assert not app.query_one("#stdin").display
        await pilot.press("q")
    assert app.return_code == 0


async def test_ops_without_any_batch_are_shown(app: TapeApp, target: FakeTarget) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause(0.2)
        recording(target.trace, batches=1)
        with sqlite3.connect(target.trace) as database:
            database.execute("DELETE FROM step")
            database.execute("UPDATE op SET step = NULL")
        target.exit(0)
        await settle(app, lambda: "Ops  whole run · 33 ops" in screen_text(app))
        await settle(app, lambda: "opened no gradient tape" in screen_text(app))


async def test_a_script_that_is_killed(app: TapeApp, target: FakeTarget) -> None:
    async with app.run_test(size=WIDE):
        target.exit(137)
        await settle(app, lambda: "killed by SIGKILL" in screen_text(app))
        assert line_with(app, "FAILED") and line_with(
            app, "The script has ended and never imported TensorFlow"
        )


async def test_quitting_asks_while_the_script_runs(app: TapeApp, target: FakeTarget) -> None:
    async with app.run_test(size=WIDE) as pilot:
        target.say(Status("running"))
        await settle(app, lambda: app.subject.status.state == "running")
        await pilot.press("q")
        await pilot.pause()
        assert isinstance(app.screen, Confirm) and line_with(app, "The script still runs")
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main
        await pilot.press("ctrl+q")
        await pilot.pause()
        await pilot.press("y")
    assert app.return_code == 0


async def test_trouble_is_told_in_the_header(app: TapeApp, target: FakeTarget) -> None:
    async with app.run_test(size=WIDE):
        target.say(Status("running"), Trouble("the disk is full: recording has stopped", fatal=True))
        await settle(app, lambda: "the disk is full" in screen_text(app))


async def test_live_values_are_asked_for_by_window(app: TapeApp, target: FakeTarget) -> None:
    window = [[0.5, "nan"], [1.5, -2.0]]
    target.answers[AskValue] = Answer(1, True, {"dtype": "float32", "shape": [2, 2], "window": window})
    stats = Stats(size=4, nan=1, inf=0, zeros=0, min=-2.0, max=1.5, mean=0.0, std=1.0, norm=None)
    target.answers[AskStats] = Answer(1, True, dataclasses.asdict(stats))
    async with app.run_test(size=WIDE) as pilot:
        paused_after(target, 1)
        await settle(app, lambda: app.main.viewed == 1)
        await pilot.press("down", "v")
        await settle(app, lambda: "-2.000" in screen_text(app))
        assert line_with(app, "1 NaN")
        wanted = [asked for asked in target.asked if isinstance(asked, AskValue)][-1]
        assert wanted.index == ([0, 2], [0, 2]) and wanted.tensor == 103


async def test_a_live_value_that_is_gone_says_so(app: TapeApp, target: FakeTarget) -> None:
    target.answers[AskValue] = Answer(
        1, False, {"message": "the tensor was let go: the memory budget is 256 MB"}
    )
    async with app.run_test(size=WIDE) as pilot:
        paused_after(target, 1)
        await settle(app, lambda: app.main.viewed == 1)
        await pilot.press("down", "v")
        await settle(app, lambda: "the tensor was let go" in screen_text(app))


async def test_restarting_is_asked_for_by_the_return_code(app: TapeApp, target: FakeTarget) -> None:
    from tapeinspect.ui.screens.deeds import RESTART

    async with app.run_test(size=WIDE) as pilot:
        target.exit(0)
        await settle(app, lambda: app.subject.exited)
        await pilot.press("R")
    assert app.return_code == RESTART


async def test_a_batch_that_has_ended_stays_in_view_though_the_script_stands_in_the_next(
    app: TapeApp, target: FakeTarget
) -> None:
    """The script stops at its first op after a batch: of a loop without a dataset that is in the next batch."""
    async with app.run_test(size=WIDE) as pilot:
        recording(target.trace, batches=2, complete=False)
        with sqlite3.connect(target.trace) as connection:
            connection.execute("UPDATE step SET last_op = NULL, seconds = NULL WHERE id = 2")
        connection.close()
        target.say(Status("paused", "after batch 1", step=1))
        await settle(app, lambda: app.main.viewed == 1)
        await pilot.pause(0.3)
        assert app.main.viewed == 1 and app.main.following
        assert "● batch 2 live" in line_with(app, "▲ batch 1")
        await pilot.press("s")
        target.say(Status("paused", "after an op", step=1))
        await settle(app, lambda: app.main.viewed == 2)


async def test_a_script_that_has_ended_can_be_started_again_from_the_footer(
    app: TapeApp, target: FakeTarget
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        paused_after(target, 1)
        await settle(app, lambda: app.main.viewed == 1)
        await pilot.pause(0.1)
        assert "R restart" not in line_with(app, "q quit") and "n batch" in line_with(app, "q quit")
        target.exit(0)
        await settle(app, lambda: "R restart" in screen_text(app))
        assert "n batch" not in line_with(app, "q quit")
