"""The screen on recordings: what each pane shows and what each key does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tapeinspect.ui.app import TapeApp
from tapeinspect.ui.screens.help import HelpScreen
from tapeinspect.ui.screens.value import ValueScreen
from tests.ui.text import line_with, said, screen_text

Open = Callable[[Path], TapeApp]
WIDE = (120, 36)


async def test_the_first_batch_with_its_ops_source_and_details(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.pause()
        app = pilot.app
        assert "mnist_eager.py" in line_with(app, "RECORDING")
        assert "batch 1/3" in line_with(app, "RECORDING") and "TF 2.21.0" in line_with(app, "RECORDING")
        assert line_with(app, "Ops  batch 1 · 33 ops")
        assert ":15" in line_with(app, " 1 ● ReadVariableOp")
        assert "model(images, training=True)" in line_with(app, "▶15")
        assert "conv2d/kernel" not in line_with(app, "recorded by tape 1")


async def test_brackets_walk_through_the_batches(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("]", "]")
        assert line_with(app, "▲ batch 3") and line_with(app, "Ops  batch 3")
        await pilot.press("]")
        assert "There is no newer batch." in said(app)
        await pilot.press("[")
        assert line_with(app, "▲ batch 2")
        await pilot.press("L")
        assert line_with(app, "▲ batch 3")


async def test_the_selected_op_drives_source_and_details(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("down")
        await pilot.pause(0.2)
        assert line_with(app, "Conv2D  op 2") and "VALID" in line_with(app, "padding")
        assert line_with(app, "← ReadVariableOp 1")
        await pilot.press("G")
        assert line_with(app, "AssignSubVariableOp  op 33") and "apply_gradients" in line_with(app, "▶20")


async def test_an_input_leads_to_the_op_that_made_it(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("down", "enter")
        detail = app.main.trace_pane.detail
        assert detail.has_focus
        detail.move_to(
            next(i for i, link in enumerate(detail.links) if link is not None and link.kind == "op")
        )
        await pilot.press("enter")
        await pilot.pause()
        assert app.main.trace_pane.ops.op.id == 1


async def test_u_and_d_walk_the_stack(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("u")
        assert line_with(app, "mnist_eager.py:26  train") and "train_step(images" in line_with(app, "▶26")
        await pilot.press("u", "u")
        assert "outermost frame" in said(app)
        await pilot.press("d", "d")
        assert "logits" in line_with(app, "▶15")


async def test_a_filter_is_applied_while_it_is_typed_and_esc_clears_it(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("/", *"type:MatMul")
        await pilot.pause(0.4)
        assert line_with(app, "Ops  batch 1 · 3 ops")
        await pilot.press("enter")
        await pilot.press("G", "escape")
        await pilot.pause(0.2)
        assert line_with(app, "Ops  batch 1 · 33 ops")
        assert app.main.trace_pane.ops.op.type == "MatMul", "the selected op stays selected"


async def test_a_filter_without_hits_says_how_to_go_on(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.press("/", *"zebra", "enter")
        await pilot.pause(0.4)
        assert line_with(pilot.app, "No op matches “zebra”") and line_with(pilot.app, "Esc clears the filter")


async def test_a_source_line_shows_only_its_ops(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        app = pilot.app
        pane = app.main.trace_pane
        await pilot.pause()
        pane.source.focus()
        pane.source.move_to(15)
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert "line 16" in line_with(app, "Ops  batch 1 · 2 ops")
        assert [row.type for row in map(pane.ops.rows.row, range(2))] == ["Equal", "All"]


async def test_all_ops_of_the_run(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.press("a")
        assert line_with(pilot.app, "Ops  whole run · 99 ops")
        await pilot.press("a")
        assert line_with(pilot.app, "Ops  batch 1 · 33 ops")


async def test_the_tape_tab_tells_what_was_recorded_and_leads_to_the_op(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("2")
        assert line_with(app, "Tape  batch 1 · 1 tape · 1 gradient call")
        assert "15 ops recorded" in line_with(app, "╭─ tape 1")
        assert "conv2d/kernel" in line_with(app, "watches")
        assert "∅ bool has no gra" in line_with(app, "Equal")
        assert "14 ops taken b" in line_with(app, "tape 1.gradient")
        await pilot.press("z")
        await pilot.pause()
        assert "12 backward ops" in line_with(app, "tape 1.gradient") and "DivNoNan 17" in line_with(
            app, "tape 1.gradient"
        )
        await pilot.press("z", "down", "down", "down", "enter")
        await pilot.pause()
        assert app.main.tab == 1 and app.main.trace_pane.ops.op.type == "Conv2D"


async def test_gradients_are_sorted_by_the_column_that_was_asked_for(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("3")
        pane = app.main.pane(3).table
        assert line_with(app, "Gradients  batch 1 · 4 variables") and "12.5%" in line_with(
            app, "conv2d/kernel"
        )
        while pane.order != "grad norm":
            await pilot.press("S")
        norms = [row.gradient.norm for row in pane.rows.rows]
        assert norms == sorted(norms, reverse=True)
        assert line_with(app, "sorted by grad norm")


async def test_a_missing_gradient_says_why(open_app: Open, failed: Path) -> None:
    async with open_app(failed).run_test(size=WIDE) as pilot:
        await pilot.press("3")
        await pilot.pause()
        line = line_with(pilot.app, "dense/bias")
        assert "None" in line and len(line.split("None", 1)[1].strip()) > 15


async def test_nan_is_marked_in_timeline_ops_and_gradients(open_app: Open, nan: Path) -> None:
    async with open_app(nan).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.pause()
        assert app.main._bad == {31}
        app.main.view_batch(31)
        await pilot.press("/", *"nan", "enter")
        await pilot.pause(0.4)
        assert "●!Cast" in line_with(app, "Cast")
        await pilot.press("3")
        assert "3/0" in line_with(app, "conv2d/kernel")


async def test_the_first_nan_of_the_run(open_app: Open, nan: Path, plain: Path) -> None:
    async with open_app(nan).run_test(size=WIDE) as pilot:
        await pilot.press("3", "N")
        await pilot.pause(0.2)
        main = pilot.app.main
        assert (main.tab, main.viewed) == (1, 31)
        assert main.trace_pane.ops.op.bad and main.trace_pane.ops.op.type == "Cast"
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.press("N")
        assert "No op has NaN or Inf" in said(pilot.app)


async def test_an_exception_is_a_card_with_the_users_own_frames(open_app: Open, failed: Path) -> None:
    async with open_app(failed).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.pause(0.2)
        assert "InvalidArgumentError at mnist_eager.py:16" in line_with(app, "FAILED")
        assert line_with(app, "6 Output exception")
        await pilot.press("6")
        await pilot.pause(0.2)
        text = screen_text(app)
        assert "Condition x == y did not hold." in text and "… 1 library frame" in text
        assert "tf.debugging.assert_equal(logits.shape, (32, 10))" in text
        assert "keras/layer.py" not in text
        assert "not part of a recording" in text


async def test_live_actions_are_refused_on_a_recording(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        for key in ("n", "s", "o", "c", "p", "f10"):
            await pilot.press(key)
        assert "This is a recording" in said(pilot.app)
        assert {"next_batch", "go_on", "pause", "restart"} <= pilot.app.main.footer.off


async def test_values_in_a_grid(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("v")
        await pilot.pause(0.6)
        assert isinstance(app.screen, ValueScreen)
        assert "[0, :, 0, 0:11]" in line_with(app, "ReadVariableOp 1")
        assert "1 NaN · 1 Inf" in line_with(app, "mean")
        grid = app.screen.grid
        await pilot.press("/", *"nan", "enter")
        await pilot.pause(0.3)
        assert grid.at == [0, 0, 0, 5] and "nan" in line_with(app, "nan ")
        await pilot.press("c", "]", "right")
        await pilot.pause(0.2)
        assert grid.axes == [1, 0]
        await pilot.press("escape")
        assert app.screen is app.main


async def test_a_value_that_was_not_kept_says_what_to_do(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.press("down", "v")
        await pilot.pause(0.4)
        assert line_with(pilot.app, "does not hold this tensor's values") and line_with(
            pilot.app, "--values full"
        )


async def test_copying_as_text_and_as_json(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.press("down", "y")
        assert pilot.app.clipboard.startswith(
            "op 2  Conv2D  float32 32×26×26×16  /home/ada/mnist_eager.py:15"
        )
        await pilot.press("Y")
        assert json.loads(pilot.app.clipboard)["attrs"]["padding"] == "VALID"


async def test_finding_text_in_the_source(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        source = pilot.app.main.trace_pane.source
        pilot.app.main.find("x", 1)  # something to look for is needed before `.` goes anywhere
        await pilot.press("2", "/", *"matmul", "enter")
        assert "MatMul" in pilot.app.main.pane(2).tape.copy_text()
        first = pilot.app.main.pane(2).tape.cursor
        await pilot.press(".")
        assert pilot.app.main.pane(2).tape.cursor == first, "the only hit is found again"
        assert source.file is not None


async def test_edit_needs_an_editor_and_the_file(
    open_app: Open, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    async with open_app(plain).run_test(size=WIDE) as pilot:
        await pilot.press("e")
        assert "No editor is set" in said(pilot.app)
        monkeypatch.setenv("EDITOR", "vi")
        await pilot.press("e")
        assert "is not on this machine" in said(pilot.app)


async def test_help_lists_every_key(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=(120, 70)) as pilot:
        await pilot.press("?")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        assert "F10" in line_with(pilot.app, "Run the next batch")
        assert "needs a running script" in line_with(pilot.app, "Run the next batch")
        await pilot.press("escape")
        assert pilot.app.screen is pilot.app.main


async def test_q_leaves_a_recording_at_once(open_app: Open, plain: Path) -> None:
    app = open_app(plain)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("q")
    assert app.return_code == 0


@pytest.mark.parametrize("size", [(60, 16), (20, 5), (160, 45)])
async def test_every_tab_at_every_size_and_theme(open_app: Open, nan: Path, size: tuple[int, int]) -> None:
    async with open_app(nan).run_test(size=size) as pilot:
        for theme in ("tape-light", "ansi-dark", "nord"):
            pilot.app.theme = theme
            for tab in {"tape-light": "135", "ansi-dark": "246", "nord": "321"}[theme]:
                await pilot.press(tab)
            await pilot.resize_terminal(size[0] + 7, size[1] + 3)
        assert pilot.app.is_running


async def test_zoom_gives_a_pane_all_the_room(open_app: Open, plain: Path) -> None:
    async with open_app(plain).run_test(size=WIDE) as pilot:
        pane = pilot.app.main.trace_pane
        for focused in (pane.source, pane.ops, pane.detail):
            focused.focus()
            await pilot.press("z")
            await pilot.pause()
            assert focused.size.width >= 118 and focused.size.height >= 30
            await pilot.press("z")
            await pilot.pause()
            assert focused.size.width < 100


async def test_markup_and_control_characters_in_a_trace_are_plain_text(
    open_app: Open, tmp_path: Path
) -> None:
    from tests.ui import build

    path = build.recording(tmp_path / "odd.tape")
    import sqlite3

    with sqlite3.connect(path) as database:
        database.execute("UPDATE kind SET type = '[red]bold[/] \x1b[31m' WHERE type = 'Conv2D'")
    async with open_app(path).run_test(size=(160, 45)) as pilot:
        await pilot.press("down")
        assert "[red]bold[/] ␛[31m" in screen_text(pilot.app)


async def test_a_damaged_place_in_a_recording_is_told_and_does_not_end_the_screen(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tapeinspect.errors import TraceError
    from tapeinspect.trace.reader import TraceReader
    from tests.ui import build

    app = open_app(build.recording(tmp_path / "damaged.tape"))
    async with app.run_test(size=WIDE) as pilot:

        def broken(self: TraceReader, op: int) -> None:
            raise TraceError(f"op {op} cannot be read")

        monkeypatch.setattr(TraceReader, "op", broken)
        await pilot.press("down")
        await pilot.pause(0.2)
        assert "op 2 cannot be read" in said(app)
        monkeypatch.undo()
        await pilot.press("down")
        assert line_with(app, "op 3")
