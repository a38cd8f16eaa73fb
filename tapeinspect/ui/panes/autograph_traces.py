"""The list of the traces of the run, a part of the AutoGraph tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tapeinspect.trace.records import FunctionTrace
from tapeinspect.ui.format import basename, count, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.autograph_lines import trace_time
from tapeinspect.ui.widgets.cells import Line, fit, width_of
from tapeinspect.ui.widgets.line_list import LineList, NoRows

if TYPE_CHECKING:
    from tapeinspect.trace.reader import TraceReader


class TraceRows:
    """The traces of `tf.function`s."""

    def __init__(self, traces: Sequence[FunctionTrace]) -> None:
        self.traces = traces

    def __len__(self) -> int:
        return len(self.traces)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        trace = self.traces[index]
        own = trace.kind == "function"
        names, signature, caller = self.columns(width)
        where = f"{basename(trace.caller_path)}:{trace.caller_line}" if trace.caller_path else ""
        tone = palette.warn if trace.retrace and own else palette.muted
        name = f"{visible(trace.function)} #{trace.number}"
        pieces: Line = [
            (" ↻ " if trace.retrace else "   ", tone),
            (fit(name, names) + " ", palette.text if own else palette.muted),
            (fit(trace_time(trace), 9, right=True), palette.number),
            (fit(f"{trace.nodes:,}", 10, right=True) + "  ", palette.name),
            (fit(where, caller), palette.faint),
            (fit(visible(trace.signature), signature) + " " if signature else "", palette.name),
        ]
        left = width - width_of(pieces)
        pieces.append((fit(visible(trace.why) if trace.retrace else "first trace", max(8, left)), tone))
        return pieces

    @staticmethod
    def columns(width: int) -> tuple[int, int, int]:
        """Columns of names, signatures and callers."""
        left = width - 26
        caller = 20 if width >= 96 else 0
        signature = (left - caller) // 3 if width >= 120 else 0
        return max(8, min(26, (left - caller - signature) // 2)), signature, caller


class TraceList(LineList):
    """The traces of the run in order."""

    has_head = True

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, title="Traces")

    @property
    def trace(self) -> FunctionTrace | None:
        """The trace under the cursor."""
        rows = self.rows
        return rows.traces[self.cursor] if isinstance(rows, TraceRows) and len(rows) else None

    def list_all(self, reader: TraceReader | None) -> None:
        """Show the traces of a recording, or why there are none."""
        traces = reader.traces() if reader is not None else []
        again = sum(trace.retrace for trace in traces)
        self.set_title(f"Traces  {count(len(traces), 'trace')} · {count(again, 'retrace')}", "T goes back")
        if traces:
            self.show(TraceRows(traces))
            return
        eager = reader is not None and reader.meta.mode == "eager"
        self.empty = (
            "No tf.function was traced: in this mode they run op by op, so that every op can be seen\n"
            "--mode graph runs the script as it is written, and lists every trace here"
            if eager
            else "No tf.function has been traced yet\nEvery trace will be here, with why it was made"
        )
        self.rows = NoRows()
        self.repaint()

    def place(self) -> tuple[str, int] | None:
        """Where the trace under the cursor was called from, else the function's own line."""
        trace = self.trace
        if trace is None:
            return None
        caller = (trace.caller_path, trace.caller_line)
        path, line = caller if caller[0] is not None else (trace.path, trace.line)
        return (path, line) if path and line else None

    def head_line(self, width: int) -> Line:
        if not isinstance(self.rows, TraceRows):
            return []
        names, signature, caller = TraceRows.columns(width)
        text = "   " + fit("function #trace", names + 1) + fit("time", 9, right=True)
        text += fit("graph ops", 10, right=True) + "  " + fit("called at", caller)
        text += fit("signature", signature) + " " if signature else ""
        return [(text + "why it was traced", self.palette.heading)]

    def copy_text(self) -> str:
        trace = self.trace
        if trace is None:
            return ""
        parts = [
            f"{trace.function} trace {trace.number}",
            trace.signature,
            trace_time(trace),
            trace.why,
            trace.advice,
        ]
        return "  ".join(part for part in parts if part)

    def copy_record(self) -> object:
        """What `Y` copies."""
        return self.trace
