"""The list of ops of the viewed batch, or of the whole run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.cache import LRUCache

from tapeinspect.trace.records import OpRow
from tapeinspect.ui.format import number, shape, spec, took, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, fit
from tapeinspect.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from tapeinspect.trace.reader import TraceReader

CHUNK: Final = 64
RECORDED, BACKWARD, BAD = "●", "◂", "!"


class OpRows:
    """Ops by id, their digests fetched in chunks when they come into sight."""

    def __init__(self, reader: TraceReader, ids: Sequence[int]) -> None:
        self.reader = reader
        self.ids = ids
        self.id_width = len(str(ids[-1])) if len(ids) else 1
        self._chunks: LRUCache[int, list[OpRow]] = LRUCache(64)

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, index: int) -> OpRow:
        """The digest of an op."""
        start = index - index % CHUNK
        chunk = self._chunks.get(start)
        if chunk is None or index - start >= len(chunk):
            chunk = self.reader.rows(self.ids[start : start + CHUNK])
            self._chunks[start] = chunk
        return chunk[index - start]

    def line(self, index: int, width: int, palette: Palette) -> Line:
        row = self.row(index)
        columns = columns_for(width, self.id_width)
        mark = RECORDED if row.tape is not None else BACKWARD if row.backward else " "
        tone = palette.second if row.backward else palette.text if row.tape is not None else palette.muted
        name = palette.bad if row.bad else tone
        line: Line = [
            (fit(str(row.id), columns["op"], right=True), palette.faint),
            (" " + mark, palette.accent if row.tape is not None else palette.second),
            (BAD if row.bad else " ", palette.bad),
            (fit(visible(row.type), columns["type"]), name),
        ]
        for column, size in columns.items():
            if column not in ("op", "type"):
                line.append((" " + cell(column, row, size), _tone(column, row, palette)))
        return line


def cell(column: str, row: OpRow, width: int) -> str:
    """What a column says of an op."""
    if column == "output":
        return fit(
            spec(row.output, short=True) if width > 15 else shape(row.output.shape) if row.output else "",
            width,
        )
    if column == "line":
        return fit(f":{row.line}" if row.line is not None else "", width, right=True)
    if column == "time":
        return fit(took(row.took_ns), width, right=True)
    return fit("NaN/Inf" if row.bad else number(row.norm) if row.norm is not None else "", width, right=True)


def _tone(column: str, row: OpRow, palette: Palette):  # type: ignore[no-untyped-def]
    if column == "norm" and row.bad:
        return palette.bad
    if column == "time" and row.took_ns >= 1_000_000:
        return palette.warn
    return {"output": palette.name, "line": palette.faint, "time": palette.muted}.get(column, palette.number)


def columns_for(width: int, id_width: int) -> dict[str, int]:
    """Columns that fit and how wide they are; the type takes what is left."""
    id_width += 1
    left = width - id_width - 3
    sizes: dict[str, int] = {}
    for name, size, least in (("line", 5, 28), ("output", 12, 36), ("time", 8, 50), ("norm", 8, 60)):
        if width >= least:
            sizes[name] = size
            left -= size + 1
    if "output" in sizes and left > 26:
        more = min(left - 26, 10)
        sizes["output"] += more
        left -= more
    result = {"op": id_width, "type": max(4, left)}
    result.update({name: sizes[name] for name in ("output", "line", "time", "norm") if name in sizes})
    return result


class OpList(LineList):
    """Ops with their output, line, time and norm."""

    has_head = True

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, title="Ops")

    @property
    def op(self) -> OpRow | None:
        """The op under the cursor."""
        rows = self.rows
        return rows.row(self.cursor) if isinstance(rows, OpRows) and len(rows) else None

    @property
    def ids(self) -> Sequence[int]:
        """The ops in the list."""
        return self.rows.ids if isinstance(self.rows, OpRows) else range(0)

    def grow(self, ids: Sequence[int]) -> None:
        """Take more ops of the same selection; the cursor and what is in sight stay."""
        rows = self.rows
        if not isinstance(rows, OpRows) or not len(rows):
            return
        rows.ids = ids
        rows.id_width = len(str(ids[-1]))
        self._strips.clear()
        self.resize_rows()
        self.refresh()

    def head_line(self, width: int) -> Line:
        id_width = self.rows.id_width if isinstance(self.rows, OpRows) else 2
        line: Line = []
        for column, size in columns_for(width, id_width).items():
            gap = "   " if column == "type" else " " if column != "op" else ""
            line.append(
                (gap + fit(column, size, right=column not in ("type", "output")), self.palette.heading)
            )
        return line

    def copy_text(self) -> str:
        row = self.op
        if row is None:
            return ""
        place = f"{row.path}:{row.line}" if row.path else ""
        figures = f"norm {number(row.norm)}" if row.norm is not None else ""
        parts = [f"op {row.id}", row.type, spec(row.output), place, took(row.took_ns), figures]
        return "  ".join(part for part in parts if part)
