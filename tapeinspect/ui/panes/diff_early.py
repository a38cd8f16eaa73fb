"""The code part of a comparison that is still going on: it is known long before ops, values and costs are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapeinspect.errors import TraceError
from tapeinspect.trace.records import AutographRun
from tapeinspect.ui.panes import autograph_page

if TYPE_CHECKING:
    from tapeinspect.trace.reader import TraceReader
    from tapeinspect.ui.panes.asking import Asking
    from tapeinspect.ui.widgets.side_by_side import SideBySide


class EarlyCode:
    """Both sources of the step that is being compared, with no verdicts yet."""

    def __init__(self) -> None:
        self._before = 0
        """Id of the last run of AutoGraph when the comparison was asked for."""
        self._shown = 0

    def begin(self, reader: TraceReader | None) -> None:
        """A comparison is asked for: what is in the recording already does not belong to it."""
        runs = reader.autograph.runs() if reader is not None else []
        self._before = runs[-1].id if runs else 0

    def show(self, reader: TraceReader, asking: Asking, code: SideBySide) -> bool:
        """Show the sources, or that the rest is still under way; False when they are not known."""
        run = self._run(reader, asking)
        if run is None:
            self._shown = 0
            return False
        if run.id != self._shown:
            functions = reader.autograph.functions(run.id)
            step = next((f for f in functions if (f.path, f.line) == (run.path, run.line)), None)
            if step is None:
                return False
            try:
                page = autograph_page.make_page(reader, run, step, functions, ())
            except TraceError:
                return False
            code.show(page.left, page.right, page.links, page.anchors)
            self._shown = run.id
        code.say(asking.progress())
        return True

    def _run(self, reader: TraceReader, asking: Asking) -> AutographRun | None:
        if not asking.open:
            return None
        runs = reader.autograph.runs()
        return next((r for r in reversed(runs) if r.id > self._before and r.step == asking.step), None)
