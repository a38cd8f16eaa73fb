"""The Tape tab: what the tapes recorded, and beside it the way back. Selecting an op on one side selects it on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container

from tapeinspect.ui.format import count, visible
from tapeinspect.ui.panes.backward_rows import BackwardItem, BackwardRows, Reach, TakenBack
from tapeinspect.ui.panes.tape import TapePane
from tapeinspect.ui.widgets.line_list import LineList, NoRows

if TYPE_CHECKING:
    from tapeinspect.ui.subject import Subject


_NOTE = "gradient in → out"


class BackwardPane(LineList):
    """The ops that the gradient calls of the viewed batch took backward, in the order they were."""

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(id=id, title="Backward")
        self.subject = subject

    def tell(self, reach: Reach, keep: bool) -> None:
        """Show what gradients reached."""
        rows = BackwardRows(reach)
        taken = sum(isinstance(item, TakenBack) for item in rows.items)
        summed = sum(isinstance(item, TakenBack) and item.call.summed for item in rows.items)
        if not taken:
            self.set_title("Backward")
            self.empty = self._why_empty(reach)
            self.rows = NoRows()
            self.resize_rows()
            self.repaint()
            return
        title = f"Backward  {count(taken, 'op')}"
        self.set_title(title + (f" · {count(summed, 'sum')} Σ" if summed else ""), _NOTE)
        self.show(rows, cursor=None if keep else 0)

    def _why_empty(self, reach: Reach) -> str:
        reader = self.subject.reader
        if reader is not None and not reader.has_backward:
            return "This recording does not tell how gradients flowed\nRecord the script again to see it"
        if any(one.call.method != "gradient" for one in reach.passes):
            ops = sum(one.graph or 0 for one in reach.passes)
            size = f" of {count(ops, 'op')}" if ops else ""
            return f"The jacobian ran as one graph{size}\nexperimental_use_pfor=False shows its way back"
        if reach.passes:
            return "No op was taken backward\n3 shows the gradients"
        return "No gradient was asked for\nThe way back through the ops would be here"

    @property
    def item(self) -> BackwardItem | None:
        """What the cursor is on."""
        rows = self.rows
        return rows.items[self.cursor] if isinstance(rows, BackwardRows) and len(rows) else None

    def tensor_here(self) -> int | None:
        """The gradient that came in."""
        item = self.item
        flows = item.call.incoming if isinstance(item, TakenBack) else ()
        return next((flow.tensor for flow in flows if flow is not None), None)

    def place(self) -> tuple[str, int] | None:
        """The line of the forward op, or of the gradient call."""
        item, reader = self.item, self.subject.reader
        if isinstance(item, TakenBack):
            if item.call.op is None or reader is None:
                return None
            row = reader.rows([item.call.op])[0]
            return (row.path, row.line) if row.path and row.line else None
        call = item.call if item is not None else None
        return (call.path, call.line) if call and call.path and call.line else None

    def copy_record(self) -> object:
        """What `Y` copies."""
        return self.item.call if self.item is not None else None

    def action_choose(self) -> None:
        item = self.item
        if item is not None:
            op = item.call.first_op
            if op is None and isinstance(item, TakenBack):
                op = item.call.op
            if op is not None:
                self.post_message(TapePane.OpPicked(op))


class TapeTab(Container):
    """Forward at the left and backward at the right, or one above the other where there is no room."""

    DEFAULT_CSS = """
    TapeTab { layout: horizontal; height: 1fr; }
    TapeTab BackwardPane { border-left: vkey $panel; width: 46%; }
    TapeTab.-narrow { layout: vertical; }
    TapeTab.-narrow BackwardPane { border-left: none; width: 1fr; height: 45%; }
    TapeTab.-low BackwardPane { display: none; }
    TapeTab.-zoomed .-hidden { display: none; }
    TapeTab.-zoomed BackwardPane { border-left: none; width: 1fr; height: 1fr; }
    """

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(id=id)
        self.subject = subject
        self.tape = TapePane(subject, id="forward")
        self.backward = BackwardPane(subject, id="backward")

    def compose(self) -> ComposeResult:
        yield self.tape
        yield self.backward

    def on_resize(self) -> None:
        self.set_class(self.size.width < 110, "-narrow")
        self.set_class(self.size.width < 110 and self.size.height < 12, "-low")

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show the tapes of a batch."""
        same = step == self.tape.step
        self.tape.view(step, at_end)
        self.backward.tell(self.tape.reach, keep=same)

    def grow(self) -> None:
        """The recording has grown: the batch may have."""
        before = self.tape.reach
        self.tape.grow()
        if self.tape.reach is not before:
            self.backward.tell(self.tape.reach, keep=True)

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Select the other side of what was selected."""
        if not event.by_user:
            return
        if event.owner is self.tape:
            op = self.tape.op_selected()
            backward = self.tape.reach.backward(op) if op is not None else None
            rows = self.backward.rows
            why = self.tape.reach.why_not(op) if op is not None else None
            note = f"∅ {visible(why.message)}" if why is not None else _NOTE
            self.backward.set_title(self.backward.title, note if isinstance(rows, BackwardRows) else "")
            if backward is not None and isinstance(rows, BackwardRows):
                index = rows.index_of(backward.id)
                if index is not None:
                    self.backward.move_to(index, by_user=False)
        elif event.owner is self.backward and isinstance(self.backward.item, TakenBack):
            index = self.tape.index_of(self.backward.item.call.op)
            if index is not None:
                self.tape.move_to(index, by_user=False)

    def other_side(self) -> None:
        """Go to the backward call of an op, or to the op of a backward call."""
        other = self.tape if self.backward.has_focus else self.backward
        if self.has_class("-zoomed"):
            self.zoom()
        if other.display and len(other.rows):
            other.focus()

    def zoom(self) -> None:
        """Give the focused side the whole tab, or take it back."""
        zoomed = not self.has_class("-zoomed")
        hidden = self.tape if self.backward.has_focus else self.backward
        for pane in (self.tape, self.backward):
            pane.set_class(zoomed and pane is hidden, "-hidden")
        self.set_class(zoomed, "-zoomed")

    @property
    def _side(self) -> TapePane | BackwardPane:
        return self.backward if self.backward.has_focus else self.tape

    def tensor_here(self) -> int | None:
        """The tensor under the cursor."""
        return self._side.tensor_here()

    def place(self) -> tuple[str, int] | None:
        """File and line under the cursor."""
        return self._side.place()
