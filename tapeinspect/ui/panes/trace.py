"""The Trace tab: ops at the left, the source and the details of the selected op at the right."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tapeinspect.errors import TraceError
from tapeinspect.trace.records import OpFilter
from tapeinspect.ui.format import count, took
from tapeinspect.ui.panes.detail import DetailPane
from tapeinspect.ui.panes.detail_lines import Link, own_frames
from tapeinspect.ui.panes.ops import OpList, OpRows
from tapeinspect.ui.panes.source import SourcePane
from tapeinspect.ui.widgets.line_list import LineList, NoRows
from tapeinspect.ui.widgets.work import begin

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject


class TracePane(Horizontal):
    """Ops, source and details of the viewed batch."""

    DEFAULT_CSS = """
    TracePane { height: 1fr; }
    TracePane #right { width: 1fr; height: 1fr; border-left: vkey $panel; }
    TracePane #ops { width: 46%; }
    TracePane.-narrow #ops { width: 50%; }
    TracePane #source { height: 1fr; }
    TracePane #detail { height: 1fr; }
    TracePane.-zoomed #right { border-left: none; }
    TracePane.-zoomed #ops { width: 1fr; }
    TracePane.-zoomed .-hidden { display: none; }
    """

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(id=id)
        self.subject = subject
        self.step: int | None = None
        self.whole_run = False
        self.text = ""
        """What the user typed as a filter."""
        self.line: tuple[str, int] | None = None
        """File and line whose ops are shown, when a source line was picked."""
        self.ops = OpList(id="ops")
        self.source = SourcePane(id="source")
        self.detail = DetailPane(id="detail")
        self.ops.at_once = self._follow_cursor
        self._shown: int | None = None
        self._wanted = 0
        self._known = (0, 0)
        """Ops and gradients there were when the details were last made."""

    def compose(self) -> ComposeResult:
        yield self.ops
        with Vertical(id="right"):
            yield self.source
            yield self.detail

    def on_resize(self) -> None:
        self.set_class(self.size.width < 100, "-narrow")

    # what is shown

    @property
    def filtered(self) -> bool:
        """Only some of the batch's ops are shown."""
        return bool(self.text or self.line)

    def filter(self) -> OpFilter:
        """The conditions that hold now."""
        from tapeinspect.trace.reader import parse_filter

        step = None if self.whole_run else self.step
        result = parse_filter(self.text, step) if self.text else OpFilter(step=step)
        if self.line is not None:
            result = replace(result, path=self.line[0], line=self.line[1])
        return result

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show a batch; `at_end` puts the cursor on its last op."""
        self.step = step
        self.reload(at_end=at_end)

    def reload(self, at_end: bool = False, keep: bool = False) -> None:
        """List the ops anew; at once when that is cheap, else on a thread."""
        reader = self.subject.reader
        if reader is None:
            self._nothing()
            return
        conditions = self.filter()
        self._wanted += 1
        if self.filtered:
            begin(self, lambda: self._search(conditions, self._wanted, keep), "filter")
        else:
            self._list(reader.op_ids(conditions), at_end, keep)

    async def _search(self, conditions: OpFilter, wanted: int, keep: bool) -> None:
        reader = self.subject.reader
        if reader is None:
            return
        ids = await asyncio.to_thread(reader.op_ids, conditions)
        if wanted == self._wanted:
            self._list(ids, False, keep)

    def _nothing(self) -> None:
        self.ops.empty = self.subject.waiting_for()
        self.ops.refresh()

    def _list(self, ids: Sequence[int], at_end: bool, keep: bool) -> None:
        reader = self.subject.reader
        assert reader is not None
        if not len(ids):
            self._say_empty()
            self.ops.rows = NoRows()
            self.ops.resize_rows()
            self.ops.repaint()
            self._titles(0)
            self.select(None)
            return
        before = self._shown
        cursor = 0
        if at_end:
            cursor = len(ids) - 1
        elif keep and before is not None:
            cursor = _index_of(ids, before)
        self.ops.rows = OpRows(reader, ids)
        self._titles(len(ids))
        self.ops.show(self.ops.rows, cursor=cursor)

    def _say_empty(self) -> None:
        if self.filtered:
            what = f"“{self.text}”" if self.text else f"line {self.line[1]}" if self.line else ""
            self.ops.empty = f"No op matches {what}\nEsc clears the filter, / changes it"
        elif self.subject.counts.ops == 0:
            self.ops.empty = self.subject.waiting_for()
        else:
            self.ops.empty = f"No op was recorded in batch {self.step}\na shows the ops of the whole run"

    def _titles(self, shown: int) -> None:
        where = "whole run" if self.whole_run or self.step is None else f"batch {self.step}"
        note = ""
        if self.text:
            note = f"/{self.text}"
        elif self.line:
            note = f"line {self.line[1]}"
        elif self.step is not None and not self.whole_run and self.subject.reader is not None:
            seconds = self.subject.reader.step(self.step).seconds
            note = took(seconds * 1e9) if seconds is not None else "running"
        self.ops.set_title(f"Ops  {where} · {count(shown, 'op')}", note)

    def grow(self) -> None:
        """The recording has grown: take in what belongs to the shown batch."""
        reader = self.subject.reader
        if reader is None:
            return
        if not isinstance(self.ops.rows, OpRows) or not len(self.ops.rows):
            self.reload()
            return
        if (known := (reader.counts.ops, reader.counts.gradients)) != self._known:
            self._known = known
            self.detail.build()
        if self.filtered:
            return
        ids = reader.op_ids(self.filter())
        if len(ids) != len(self.ops.ids):
            self.ops.grow(ids)
            self._titles(len(ids))
            self.source.refresh_costs(reader)

    # the selected op

    def _follow_cursor(self) -> None:
        row = self.ops.op
        self.select(row.id if row is not None else None)

    def select(self, op: int | None) -> None:
        """Show an op's source and details."""
        self._shown = op
        reader = self.subject.reader
        if reader is None or op is None:
            self.detail.show_op(self.subject, None)
            return
        try:
            self.detail.show_op(self.subject, reader.op(op))
            self._show_frame()
        except TraceError as error:
            self.subject.damaged(error)

    def _show_frame(self) -> None:
        reader = self.subject.reader
        if reader is not None:
            self.source.show_frame(reader, self.detail.shown_frame, self.step, self._frame_note())

    def _frame_note(self) -> str:
        op = self.detail.op
        if op is None:
            return ""
        own = own_frames(op)
        return f"frame {own.index(self.detail.frame) + 1}/{len(own)}" if self.detail.frame in own else ""

    def walk_stack(self, direction: int) -> bool:
        """Show the caller (1) or the callee (-1); False when there is none."""
        if self.detail.step_frame(direction) is None:
            return False
        self._show_frame()
        return True

    def go_to_op(self, op: int) -> None:
        """Select an op, leaving the filter or the batch when it is not among those shown."""
        index = _index_of(self.ops.ids, op)
        if index < len(self.ops.ids) and self.ops.ids[index] == op:
            self.ops.move_to(index)
            return
        reader = self.subject.reader
        if reader is None:
            return
        self.text, self.line = "", None
        self.source.pick(None)
        step = reader.rows([op])[0].step
        if step is None or step != self.step:
            self.whole_run = True
        self._shown = op
        self.reload(keep=True)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        if event.owner is self.source and self.source.file is not None:
            line = (self.source.file.path, self.source.cursor + 1)
            self.line = None if self.line == line else line
            self.source.pick(self.line[1] if self.line else None)
            self.reload()
        elif event.owner is self.ops:
            self.detail.focus()

    def on_detail_pane_followed(self, event: DetailPane.Followed) -> None:
        link: Link = event.link
        if link.kind == "op":
            self.go_to_op(link.id)
        elif link.kind == "frame":
            self.detail.frame = link.id
            self.detail.build()
            self._show_frame()

    def clear(self) -> bool:
        """Clear filter and zoom; False when there was neither."""
        if self.has_class("-zoomed"):
            self.zoom()
            return True
        if not self.filtered:
            return False
        self.text, self.line = "", None
        self.source.pick(None)
        self.reload(keep=True)
        return True

    def zoom(self) -> None:
        """Give the focused pane all the room, or take it back."""
        panes = (self.ops, self.source, self.detail)
        if self.has_class("-zoomed"):
            self.remove_class("-zoomed")
            for widget in (*panes, self.query_one("#right")):
                widget.remove_class("-hidden")
            return
        focused = next((pane for pane in panes if pane.has_focus), self.ops)
        for pane in panes:
            pane.set_class(pane is not focused, "-hidden")
        self.query_one("#right").set_class(focused is self.ops, "-hidden")
        self.add_class("-zoomed")


def _index_of(ids: Sequence[int], op: int) -> int:
    """Where an op stands in ascending ids, or would."""
    from bisect import bisect_left

    return min(bisect_left(ids, op), max(0, len(ids) - 1))
