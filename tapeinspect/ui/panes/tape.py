"""The Tape tab: what each gradient tape recorded, in order, and what was asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tapeinspect.analysis.flow import Unreached, gradient_passes
from tapeinspect.trace.records import Gradient, GradientCall, OpRow, Tape, TapeEvent
from tapeinspect.ui.format import basename, count, number, shape, spec, took, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.backward_rows import SUM, Reach, incoming, norm_piece
from tapeinspect.ui.panes.ops import OpRows
from tapeinspect.ui.panes.tape_story import (
    CallItem,
    EventItem,
    Item,
    OpaqueItem,
    OpItem,
    SourceItem,
    TapeItem,
    WatchItem,
    story,
)
from tapeinspect.ui.widgets.cells import Line, fit, fit_start
from tapeinspect.ui.widgets.line_list import LineList, NoRows

if TYPE_CHECKING:
    from tapeinspect.trace.reader import TraceReader
    from tapeinspect.ui.subject import Subject

_EVENTS = {
    "exit": ("╰─", "the tape is closed"), "stop_recording": ("⏸ ", "stop_recording: what follows is not recorded"),
    "resume": ("▶ ", "recording again"), "reset": ("↺ ", "reset: the tape forgets what it recorded"),
    "enter": ("╭─", "the tape is opened"),
}  # fmt: skip

_OPAQUE = {"dataset": "tf.data", "py_function": "py_function", "graph": "graph of", "jacobian": "way back of"}


class TapeRows:
    """The story of a batch's tapes as lines."""

    def __init__(self, reader: TraceReader, items: list[Item], reach: Reach) -> None:
        self.items = items
        self.reach = reach
        ids = [item.op for item in items if isinstance(item, OpItem)]
        self.ops = OpRows(reader, ids)
        self._index = {op: i for i, op in enumerate(ids)}
        self.places = {item.op: i for i, item in enumerate(items) if isinstance(item, OpItem)}
        """Rows of ops, by op."""
        self.id_width = len(str(ids[-1])) if ids else 1
        self.names = {variable.id: visible(variable.name) for variable in reader.variables()}

    def __len__(self) -> int:
        return len(self.items)

    def op(self, item: OpItem) -> OpRow:
        """The digest of an op."""
        return self.ops.row(self._index[item.op])

    def line(self, index: int, width: int, palette: Palette) -> Line:
        item = self.items[index]
        indent: Line = [(" " + "│ " * item.depth, palette.faint)]
        if isinstance(item, TapeItem):
            return indent + self._tape(item.tape, item.recorded, palette)
        if isinstance(item, EventItem):
            return indent + self._event(item.event, palette)
        if isinstance(item, WatchItem):
            return indent + self._watch(item, palette)
        if isinstance(item, CallItem):
            return indent + self._call(item, palette)
        if isinstance(item, SourceItem):
            return indent + self._source(item.gradient, width, palette)
        if isinstance(item, OpaqueItem):
            name = f"{_OPAQUE.get(item.opaque.kind, item.opaque.kind)} {visible(item.opaque.name)}"
            return [(" ▒ not seen: ", palette.warn), (name, palette.text),
                    (f"  {visible(item.opaque.why)}", palette.muted)]  # fmt: skip
        return indent + self._op(self.op(item), max(10, width - 2 - 2 * item.depth), palette)

    def _tape(self, tape: Tape, recorded: int, palette: Palette) -> Line:
        flags = [flag for flag, on in (("persistent", tape.persistent),
                                       ("watches nothing by itself", not tape.watch_accessed)) if on]  # fmt: skip
        place = f"{basename(tape.path)}:{tape.line}" if tape.path else ""
        return [
            ("╭─ ", palette.accent),
            (f"tape {tape.id}", palette.strong),
            (f"  {place}  ", palette.muted),
            (f"● {count(recorded, 'op')} recorded", palette.accent),
            (f"  {' · '.join(flags)}" if flags else "", palette.second),
        ]

    def _event(self, event: TapeEvent, palette: Palette) -> Line:
        mark, text = _EVENTS.get(event.event, ("· ", event.event))
        line = f"  line {event.line}" if event.line is not None and event.event != "exit" else ""
        return [(mark + " ", palette.accent), (text, palette.muted), (line, palette.faint)]

    def _watch(self, item: WatchItem, palette: Palette) -> Line:
        names = [self.names.get(e.variable, "?") if e.variable is not None else f"tensor {e.tensor}"
                 for e in item.events]  # fmt: skip
        return [("◉ ", palette.good), ("watches ", palette.muted), (", ".join(names), palette.text)]

    def _op(self, row: OpRow, width: int, palette: Palette) -> Line:
        recorded = row.tape is not None
        tone = palette.bad if row.bad else palette.text if recorded else palette.faint
        why = self.reach.why_not(row.id)
        timed = width >= 74 and why is None
        room = width - self.id_width - 24 - (9 if width >= 74 else 0)
        name = min(36, max(10, room - 24))
        output = min(24 if why is None or width >= 74 else 18, max(8, room - name))
        line: Line = [
            ("● " if recorded else "  ", palette.accent),
            (fit(str(row.id), self.id_width, right=True) + " ", palette.faint),
            (fit(visible(row.type), name), tone),
            (" " + fit(spec(row.output), output), palette.name if recorded else palette.faint),
            (fit(f":{row.line}" if row.line else "", 6, right=True), palette.faint),
            (
                fit(took(row.took_ns), 9, right=True) if timed else "",
                palette.muted if recorded else palette.faint,
            ),
        ]
        left = width - name - output - self.id_width - 10 - (9 if timed else 0)
        return line + self._gradient(row, why, left, palette)

    def _gradient(self, row: OpRow, why: Unreached | None, width: int, palette: Palette) -> Line:
        """The gradient that came back to an op, or why none did."""
        backward = self.reach.backward(row.id)
        if backward is not None:
            mark = SUM if backward.summed else "◂"
            return [(f"  {mark}", palette.second), norm_piece(incoming(backward), palette, 9)]
        if why is not None:
            tone = palette.warn if why.cause in ("stops", "none") else palette.faint
            message = visible(why.short)
            return [("  ∅ ", tone), (message if len(message) < width - 4 else fit(message, width - 4), tone)]
        return [] if row.tape is not None else [("  not recorded", palette.faint)]

    def _call(self, item: CallItem, palette: Palette) -> Line:
        call = item.call
        place = f"{basename(call.path)}:{call.line}" if call.path else ""
        line: Line = [
            ("◂ ", palette.second),
            (f"tape {call.tape}.{call.method}", palette.strong),
            (f"  {place}  ", palette.muted),
            (f"{count(item.backward, 'backward op')}", palette.second),
            (f" · {took(call.seconds * 1e9)}" if call.seconds is not None else "", palette.muted),
            (f" · of {item.target}" if item.target else "", palette.muted),
        ]
        if call.error:
            line.append((f" · {visible(call.error)}", palette.bad))
        return line

    def _source(self, gradient: Gradient, width: int, palette: Palette) -> Line:
        variable = gradient.variable
        line: Line = [
            ("    ", None),
            (fit_start(visible(variable.name), max(16, min(36, width - 40))), palette.text),
            (" " + fit(shape(variable.shape), 14), palette.name),
        ]
        if gradient.form == "none":
            return [*line, (" None", palette.warn), ("  3 says why", palette.faint)]
        if gradient.nan or gradient.inf:
            return [*line, (f" {gradient.nan:,} NaN {gradient.inf:,} Inf", palette.bad)]
        sparse = f"  sparse, {count(gradient.rows or 0, 'row')}" if gradient.form == "sparse" else ""
        return [
            *line,
            (" norm ", palette.muted),
            (number(gradient.norm), palette.number),
            (sparse, palette.muted),
        ]


class TapePane(LineList):
    """The tapes of the viewed batch."""

    @dataclass
    class OpPicked(Message):
        """The user wants to see an op in the Trace tab."""

        op: int

    def __init__(self, subject: Subject, id: str | None = None) -> None:
        super().__init__(id=id, title="Tape")
        self.subject = subject
        self.reach = Reach(())
        """What gradients reached."""
        self.step: int | None = None
        self._seen = -1

    def view(self, step: int | None, at_end: bool = False) -> None:
        """Show the tapes of a batch."""
        same = step == self.step
        self.step = step
        reader = self.subject.reader
        items = story(reader, step) if reader is not None else []
        self._seen = self.subject.counts.ops
        self.reach = Reach(gradient_passes(reader, step) if reader is not None else ())
        if reader is None or not items:
            self._say_empty()
            self.rows = NoRows()
            self.resize_rows()
            self.repaint()
            return
        tapes = sum(isinstance(item, TapeItem) for item in items)
        calls = sum(isinstance(item, CallItem) for item in items)
        where = f"batch {step}" if step is not None else "whole run"
        self.set_title(
            f"Tape  {where} · {count(tapes, 'tape')} · {count(calls, 'gradient call')}", "Enter shows the op"
        )
        self.show(TapeRows(reader, items, self.reach), cursor=None if same else 0)

    def _say_empty(self) -> None:
        subject = self.subject
        if subject.counts.ops and self.step is not None:
            self.empty = (
                f"No gradient tape was opened in batch {self.step}\n"
                "[ and ] go to other batches, 1 shows the ops"
            )
        elif subject.counts.ops:
            self.empty = f"No gradient tape was opened{' yet' if subject.live else ''}\n1 shows the ops"
        else:
            self.empty = self.subject.waiting_for()

    def grow(self) -> None:
        """The recording has grown: the batch may have."""
        reader = self.subject.reader
        if reader is None or self._seen == self.subject.counts.ops:
            return
        if self.step is None or reader.step(self.step).last_op is None or not len(self.rows):
            self.view(self.step)

    @property
    def item(self) -> Item | None:
        """What the cursor is on."""
        rows = self.rows
        return rows.items[self.cursor] if isinstance(rows, TapeRows) and len(rows) else None

    def op_selected(self) -> int | None:
        """The op that the cursor is on."""
        return self.item.op if isinstance(self.item, OpItem) else None

    def index_of(self, op: int | None) -> int | None:
        """The row of an op."""
        return self.rows.places.get(op or 0) if isinstance(self.rows, TapeRows) else None

    def op_here(self) -> int | None:
        """The op that Enter shows."""
        item = self.item
        if isinstance(item, OpItem):
            return item.op
        if isinstance(item, CallItem):
            return item.call.first_op
        if isinstance(item, TapeItem):
            return item.tape.first_op
        if (
            isinstance(item, SourceItem)
            and item.gradient.tensor is not None
            and self.subject.reader is not None
        ):
            return self.subject.reader.producer(item.gradient.tensor)
        if isinstance(item, EventItem):
            return item.event.op or None
        if isinstance(item, OpaqueItem):
            return item.opaque.op
        return None

    def tensor_here(self) -> int | None:
        """The tensor under the cursor."""
        item, reader = self.item, self.subject.reader
        if isinstance(item, SourceItem):
            return item.gradient.tensor
        if isinstance(item, OpItem) and reader is not None:
            outputs = reader.op(item.op).outputs
            return outputs[0].id if outputs else None
        return None

    def place(self) -> tuple[str, int] | None:
        """File and line under the cursor."""
        item, rows = self.item, self.rows
        if isinstance(item, OpItem) and isinstance(rows, TapeRows):
            row = rows.op(item)
            return (row.path, row.line) if row.path and row.line else None
        record: Tape | GradientCall | None = None
        if isinstance(item, TapeItem):
            record = item.tape
        elif isinstance(item, CallItem):
            record = item.call
        return (record.path, record.line) if record and record.path and record.line else None

    def copy_record(self) -> object:
        """What `Y` copies."""
        item, rows = self.item, self.rows
        return rows.op(item) if isinstance(item, OpItem) and isinstance(rows, TapeRows) else item

    def action_choose(self) -> None:
        op = self.op_here()
        if op is not None:
            self.post_message(self.OpPicked(op))
