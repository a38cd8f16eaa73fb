"""The Gradients tab: one row per variable of the viewed batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tapeinspect.trace.records import Gradient, Reason
from tapeinspect.ui.format import count
from tapeinspect.ui.panes.gradient_chart import GradientChart
from tapeinspect.ui.panes.gradient_rows import COLUMNS, HISTORY, CallRow, GradientRow, GradientRows, layout
from tapeinspect.ui.panes.tape import TapePane
from tapeinspect.ui.widgets.cells import Line, fit
from tapeinspect.ui.widgets.line_list import LineList, NoRows

if TYPE_CHECKING:
    from tapeinspect.trace.reader import TraceReader
    from tapeinspect.ui.subject import Subject


class GradientsTable(LineList):
    """Every variable's gradient in the viewed batch."""

    has_head = True

    class Why(Message):
        """The user wants to know why the gradient under the cursor is None."""

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(id=id, title="Gradients")
        self.subject = subject
        self.step: int | None = None
        self.order = "as given"
        self._seen = -1
        self._spark_at = 0

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show the gradients of a batch."""
        self.step = step
        self._seen = self.subject.counts.gradients
        reader = self.subject.reader
        rows = self._collect(reader) if reader is not None else []
        if not rows:
            self._say_empty()
            self.rows = NoRows()
            self.resize_rows()
            self.repaint()
            return
        shown = [row for row in rows if isinstance(row, GradientRow)]
        where = f"batch {step}" if step is not None else "whole run"
        missing = sum(row.gradient.form == "none" for row in shown)
        note = f"sorted by {self.order}" if self.order != "as given" else "S sorts"
        title = f"Gradients  {where} · {count(len(shown), 'variable')}"
        self.set_title(title + (f" · {missing} None" if missing else ""), note)
        on_head = self.cursor == 0 and isinstance(rows[0], CallRow)
        self.show(GradientRows(rows), cursor=1 if on_head else None)

    @property
    def longest(self) -> int:
        """Columns of the longest name."""
        return self.rows.longest if isinstance(self.rows, GradientRows) else 8

    def _say_empty(self) -> None:
        subject = self.subject
        if not subject.counts.ops:
            self.empty = subject.waiting_for()
        elif (
            self.step is not None
            and subject.live
            and subject.reader
            and subject.reader.step(self.step).last_op is None
        ):
            self.empty = (
                f"No gradient has been asked for yet in batch {self.step}\nn runs to the end of the batch"
            )
        else:
            where = f"in batch {self.step}" if self.step is not None else "in this run"
            self.empty = f"No gradient was asked for {where}\nThey come from tape.gradient and the like"

    def _collect(self, reader: TraceReader) -> list[GradientRow | CallRow]:
        gradients = reader.gradients(self.step)
        if self.step is None:
            gradients = gradients[-500:]
        norms = reader.norms(HISTORY)
        weights = reader.variable_steps(self.step) if self.step is not None else {}
        groups: dict[int, list[GradientRow]] = {}
        for gradient in gradients:
            history = tuple(
                math.nan if norm is None and gradient.nan and at == self.step else norm
                for at, norm in norms.get(gradient.variable.id, ())
            )
            reason = self._why(reader, gradient) if gradient.form == "none" else None
            row = GradientRow(gradient, weights.get(gradient.variable.id), history, reason)
            groups.setdefault(gradient.call, []).append(row)
        if len(groups) < 2:
            return [row for rows in groups.values() for row in self._sorted(rows)]
        calls = {call.id: call for call in reader.gradient_calls(self.step)}
        result: list[GradientRow | CallRow] = []
        for call, rows in groups.items():
            if call in calls:
                known = [row.gradient.norm for row in rows if row.gradient.norm is not None]
                total = math.sqrt(sum(norm * norm for norm in known)) if known else None
                result.append(CallRow(calls[call], len(rows), total))
            result += self._sorted(rows)
        return result

    @staticmethod
    def _why(reader: TraceReader, gradient: Gradient) -> Reason | None:
        from tapeinspect.analysis.none_gradient import explain

        return explain(reader, gradient)

    def _sorted(self, rows: list[GradientRow]) -> list[GradientRow]:
        if self.order == "as given":
            return rows
        if self.order == "name":
            return sorted(rows, key=lambda row: row.gradient.variable.name)
        key = next(column.key for column in COLUMNS if column.name == self.order)
        return sorted(rows, key=key)  # type: ignore[arg-type]

    def head_line(self, width: int) -> Line:
        if not len(self.rows):
            return []
        names, columns, spark = layout(width, self.longest)
        mark = " ▾" if self.order == "name" else ""
        head: Line = [(" " + fit("variable" + mark, names + 1), self._tone("name"))]
        for column in columns:
            mark = "▾" if column.name == self.order else ""
            text = fit(mark + column.name, column.width, right=column.name != "shape")
            head.append((text, self._tone(column.name)))
        if spark:
            last = f"last {min(spark, self.subject.counts.steps)}"
            head.append(
                (f"  {last} batches" if len(last) + 8 <= spark else f"  {last}", self.palette.heading)
            )
        return head

    def _tone(self, name: str) -> Style:
        return self.palette.accent if name == self.order else self.palette.heading

    def sort_next(self) -> None:
        """Sort by the next column in sight."""
        shown = ["as given", "name", *(column.name for column in layout(self.inner_width, self.longest)[1])]
        at = shown.index(self.order) if self.order in shown else 0
        self.order = shown[(at + 1) % len(shown)]
        self.view(self.step)

    def on_line_list_head_clicked(self, event: LineList.HeadClicked) -> None:
        names, columns, _ = layout(self.inner_width, self.longest)
        x = names + 2
        picked = "name"
        for column in columns:
            if x <= event.x < x + column.width:
                picked = column.name
            x += column.width
        self.order = "as given" if self.order == picked else picked
        self.view(self.step)

    def grow(self) -> None:
        """The recording has grown: the batch may have got its gradients."""
        if self._seen != self.subject.counts.gradients or not len(self.rows):
            self.view(self.step)

    @property
    def row(self) -> GradientRow | CallRow | None:
        """What the cursor is on."""
        return self.rows.rows[self.cursor] if isinstance(self.rows, GradientRows) and len(self.rows) else None

    def tensor_here(self) -> int | None:
        """The gradient under the cursor."""
        return self.row.gradient.tensor if isinstance(self.row, GradientRow) else None

    def place(self) -> tuple[str, int] | None:
        """The line that explains a None, or the gradient call."""
        row = self.row
        if isinstance(row, GradientRow) and row.reason is not None and row.reason.path and row.reason.line:
            return row.reason.path, row.reason.line
        call = row.call if isinstance(row, CallRow) else None
        return (call.path, call.line) if call and call.path and call.line else None

    def copy_record(self) -> object:
        """What `Y` copies."""
        return self.row

    def action_choose(self) -> None:
        """Show the op that made the gradient, or why there is none."""
        if isinstance(self.row, GradientRow) and self.row.reason is not None:
            self.post_message(self.Why())
            return
        tensor, reader = self.tensor_here(), self.subject.reader
        op = reader.producer(tensor) if tensor is not None and reader is not None else None
        if op is not None:
            self.post_message(TapePane.OpPicked(op))


_LEAST_CHART = 6
"""Lines below which a chart says nothing."""


class GradientsPane(Vertical):
    """The table, and below it the selected variable over the batches."""

    DEFAULT_CSS = """
    GradientsPane { height: 1fr; }
    GradientsPane GradientChart { height: 11; }
    GradientsPane.-low GradientChart { display: none; }
    """

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(id=id)
        self.subject = subject
        self.table = GradientsTable(subject, id="table")
        self.chart = GradientChart(subject)

    def compose(self) -> ComposeResult:
        yield self.table
        yield self.chart

    def on_resize(self) -> None:
        self._share()

    def _share(self) -> None:
        """Give the chart what the rows of the table leave, or a few lines where it is low, or nothing."""
        left = self.size.height - len(self.table.rows) - self.table.head_height - 1
        least = 7 if self.size.height >= 16 else 0
        height = min(11, max(left, least)) if self.size.height < 22 else 11
        self.set_class(height < _LEAST_CHART, "-low")
        self.chart.styles.height = max(height, _LEAST_CHART)

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        if event.owner is self.table:
            self.chart.tell(self.table.row, self.table.step)

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show the gradients of a batch."""
        self.table.view(step)
        self._share()
        self.chart.tell(self.table.row, step)

    def grow(self) -> None:
        """The recording has grown."""
        self.table.grow()

    def sort_next(self) -> None:
        """Sort by the next column in sight."""
        self.table.sort_next()

    def tensor_here(self) -> int | None:
        """The gradient under the cursor."""
        return self.table.tensor_here()

    def variable_here(self) -> int | None:
        """The variable under the cursor."""
        row = self.table.row
        return row.gradient.variable.id if isinstance(row, GradientRow) else None

    def place(self) -> tuple[str, int] | None:
        """The line that explains a None, or the gradient call."""
        return self.table.place()
