"""What the keys do that explain: why a gradient is None, and where a NaN or Inf came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapeinspect.analysis.nan_origin import Origin, first_origin, origin_of_step
from tapeinspect.trace.records import Gradient, OpFilter, Reason
from tapeinspect.ui.cause_lines import origin_lines, why_lines
from tapeinspect.ui.format import visible
from tapeinspect.ui.panes.gradient_rows import GradientRow
from tapeinspect.ui.panes.gradients import GradientsPane
from tapeinspect.ui.screens.cause import CauseScreen

if TYPE_CHECKING:
    from tapeinspect.ui.screens.main import MainScreen


async def first_bad(main: MainScreen) -> None:
    """Go to the op that the run's first NaN or Inf came from, and open its card."""
    reader = main.subject.reader
    found = reader.op_ids(OpFilter(bad=True)) if reader is not None else ()
    if reader is None or not len(found):
        unmeasured = reader is not None and reader.meta.values == "off"
        main.say(
            "The ops were not measured: record without --values off to find where NaN comes from."
            if unmeasured
            else "No op has NaN or Inf in an output so far."
        )
        return
    origin = first_origin(reader)
    await _show_op(main, found[0] if origin is None else origin.op)
    if origin is None:
        main.say("NaN or Inf is here, but has reached no loss, gradient or variable.")
    else:
        _tell_origin(main, origin)


def why(main: MainScreen) -> None:
    """Explain the gradient under the cursor when it is None, else the NaN or Inf of the viewed batch."""
    reader = main.subject.reader
    pane = main.pane(main.tab)
    row = pane.table.row if isinstance(pane, GradientsPane) else None
    if isinstance(row, GradientRow) and row.reason is not None:
        _tell_why(main, row.gradient, row.reason)
        return
    origin = origin_of_step(reader, main.viewed) if reader is not None and main.viewed else None
    if origin is None:
        main.say("Select a gradient that is None (3), or a batch with NaN or Inf, to have it explained.")
    else:
        _tell_origin(main, origin)


def _tell_origin(main: MainScreen, origin: Origin) -> None:
    reader = main.subject.reader
    assert reader is not None
    _open(
        main,
        CauseScreen(
            "Where the NaN or Inf came from",
            lambda palette, width: origin_lines(reader, origin, palette, width),
        ),
    )


def _tell_why(main: MainScreen, gradient: Gradient, reason: Reason) -> None:
    reader, name = main.subject.reader, gradient.variable.name
    assert reader is not None
    _open(
        main,
        CauseScreen(
            f"Why {visible(name)} has no gradient",
            lambda palette, width: why_lines(reader, name, reason, palette, width),
        ),
    )


def _open(main: MainScreen, card: CauseScreen) -> None:
    async def go(op: int | None) -> None:
        await _show_op(main, op)

    main.app.push_screen(card, go)


async def _show_op(main: MainScreen, op: int | None) -> None:
    """View the batch of an op, and the op."""
    reader = main.subject.reader
    if op is None or reader is None:
        return
    await main.open_tab(1)
    step = reader.rows([op])[0].step
    if step is not None:
        main.view_batch(step)
    main.trace_pane.go_to_op(op)
