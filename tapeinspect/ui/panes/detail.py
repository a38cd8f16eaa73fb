"""All about the selected op: inputs, outputs with their figures, users, attributes, stack."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tapeinspect.trace.records import Frame, Op, Stats
from tapeinspect.ui.format import visible
from tapeinspect.ui.panes.detail_lines import DetailLines, Link, known_tensors, own_frames
from tapeinspect.ui.values import figures
from tapeinspect.ui.widgets.line_list import LineList, NoRows, TextRows
from tapeinspect.ui.widgets.work import begin

if TYPE_CHECKING:
    from tapeinspect.trace.reader import TraceReader
    from tapeinspect.ui.subject import Subject


class DetailPane(LineList):
    """The selected op. Lines that lead somewhere do so on Enter."""

    selectable = True

    @dataclass
    class Followed(Message):
        """The user pressed Enter on a line that leads somewhere."""

        link: Link

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, title="Details")
        self.empty = "The details of the selected op will be here"
        self.op: Op | None = None
        self.frame = 0
        """Index of the shown frame in the op's stack."""
        self.links: list[Link | None] = []
        self.figures: dict[int, Stats | str] = {}
        """Figures of outputs by tensor, or why there are none."""
        self._reader: TraceReader | None = None

    def show_op(self, subject: Subject, op: Op | None) -> None:
        """Show an op, with the frame of the user's innermost line."""
        self.op, self._reader = op, subject.reader
        if op is None or self._reader is None:
            self.rows, self.links = NoRows(), []
            self.set_title("Details")
            self.resize_rows()
            self.refresh()
            return
        own = own_frames(op)
        self.frame = own[0] if own else 0
        if op.stack.user is not None and op.stack.user in op.stack.frames:
            self.frame = op.stack.frames.index(op.stack.user)
        self.figures = {}
        self.build(cursor=0)
        begin(self, lambda: self._figures(subject, op), "figures")

    async def _figures(self, subject: Subject, op: Op) -> None:
        await asyncio.sleep(0.15)  # while a key is held down nobody reads figures
        for output in op.outputs[:8]:
            if output.spec.dtype not in ("resource", "variant"):
                found = await figures(subject, output.id)
                if isinstance(found, Stats) or subject.live:
                    self.figures[output.id] = found
        if self.op is op and self.figures:
            self.build()

    def step_frame(self, direction: int) -> Frame | None:
        """Walk the stack: 1 up to the caller, -1 down; None when there is no further frame of the user's."""
        if self.op is None:
            return None
        own = own_frames(self.op)
        onward = [i for i in own if (i > self.frame if direction > 0 else i < self.frame)]
        if not onward:
            return None
        self.frame = onward[0] if direction > 0 else onward[-1]
        self.build()
        return self.op.stack.frames[self.frame]

    @property
    def shown_frame(self) -> Frame | None:
        """The frame whose line the source pane shows."""
        op = self.op
        if op is None or not op.stack.frames:
            return None
        frame = op.stack.frames[self.frame]
        return frame if frame.role != "library" else None

    def build(self, cursor: int | None = None) -> None:
        """Make the lines anew."""
        op, reader = self.op, self._reader
        if op is None or reader is None:
            return
        made = DetailLines(self.palette, max(20, self.inner_width - 1))
        made.op(op)
        made.inputs(op, reader, known_tensors(reader, op))
        made.outputs(op, self.figures)
        made.users(op, reader)
        made.attributes(op)
        made.stack(op, self.frame)
        self.links = made.links
        self.set_title(f"{visible(op.row.type)}  op {op.row.id}", "Enter follows")
        self.show(TextRows(made.lines), cursor=cursor)

    def repaint(self) -> None:
        super().repaint()
        self.build()

    def on_resize(self) -> None:
        self.build()

    def action_choose(self) -> None:
        if self.cursor < len(self.links) and (link := self.links[self.cursor]) is not None:
            self.post_message(self.Followed(link))

    def tensor_here(self) -> int | None:
        """The tensor under the cursor, else the op's first output."""
        if self.cursor < len(self.links):
            link = self.links[self.cursor]
            if link is not None and link.kind == "tensor":
                return link.id
        return self.op.outputs[0].id if self.op is not None and self.op.outputs else None
