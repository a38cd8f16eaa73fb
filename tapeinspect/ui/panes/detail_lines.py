"""The lines of the details of an op, and where each leads to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tapeinspect.trace.records import Op, Output, Stats, TensorSpec
from tapeinspect.ui.format import basename, histogram, number, percent, spec, took, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.widgets.cells import Line, fit, width_of

if TYPE_CHECKING:
    from tapeinspect.trace.reader import TraceReader


@dataclass(frozen=True, slots=True)
class Link:
    """What Enter does on a line of the details."""

    kind: Literal["op", "tensor", "frame"]
    id: int
    """The op, the tensor, or the index of the frame in the stack."""


def own_frames(op: Op) -> list[int]:
    """Indexes of the frames whose source a recording holds: the user's, and AutoGraph's."""
    return [i for i, frame in enumerate(op.stack.frames) if frame.role != "library"]


def input_spec(reader: TraceReader, tensor: int) -> tuple[int | None, str, TensorSpec | None]:
    """The op that made a tensor, its type, and the tensor's dtype and shape, as far as they are known."""
    producer = reader.producer(tensor)
    if producer is None:
        return None, "", None
    made = reader.op(producer)
    found = next((output.spec for output in made.outputs if output.id == tensor), None)
    return producer, made.row.type, found


def known_tensors(reader: TraceReader, op: Op) -> dict[int, tuple[str, TensorSpec | None]]:
    """Tensors that no op made, by id: the handles of variables, and what the step was called with."""
    known: dict[int, tuple[str, TensorSpec | None]] = {
        variable.handle: (variable.name, TensorSpec(variable.dtype, variable.shape))
        for variable in reader.variables()
        if variable.handle is not None
    }
    if op.row.step is not None:
        for argument in reader.step(op.row.step).args:
            if argument.tensor in op.inputs and reader.producer(argument.tensor) is None:
                known[argument.tensor] = (f"argument {argument.name}", argument.spec)
    return known


class DetailLines:
    """Builds the lines and, beside each, what Enter does there."""

    def __init__(self, palette: Palette, width: int) -> None:
        self.palette, self.width = palette, width
        self.lines: list[Line] = []
        self.links: list[Link | None] = []

    def add(self, line: Line, link: Link | None = None) -> None:
        self.lines.append(line)
        self.links.append(link)

    def heading(self, text: str) -> None:
        self.add([(f" {text}", self.palette.muted)])

    def op(self, op: Op) -> None:
        palette, row = self.palette, op.row
        line: Line = [(f" {took(row.took_ns)}", palette.text)]
        if op.tapes:
            names = ", ".join(str(tape) for tape in op.tapes)
            line.append((f"  ● recorded by tape {names}", palette.accent))
        elif row.backward:
            line.append(("  ◂ part of a backward pass", palette.second))
        else:
            line.append(("  not recorded by a tape", palette.muted))
        if op.thread_name not in ("", "MainThread"):
            line.append((f"  thread {visible(op.thread_name)}", palette.muted))
        self.add(line)

    def inputs(self, op: Op, reader: TraceReader, known: dict[int, tuple[str, TensorSpec | None]]) -> None:
        palette = self.palette
        self.heading("inputs" if op.inputs else "no inputs")
        for tensor in op.inputs:
            if (named := known.get(tensor)) is not None:
                text = spec(named[1]) or "tensor"
                self.add([("   ", None), (fit(text, min(24, max(12, len(text) + 1))), palette.name),
                          (" ◉ ", palette.good), (visible(named[0]), palette.text)])  # fmt: skip
                continue
            producer, made_by, made = input_spec(reader, tensor)
            if producer is None:
                self.add([("   tensor", palette.name), ("  a constant, or made before", palette.muted)])
                continue
            origin: Line = [
                ("← ", palette.accent),
                (visible(made_by), palette.text),
                (f" {producer}", palette.faint),
            ]
            text = spec(made) if made else "tensor"
            self.add([("   ", None), (fit(text, min(24, max(12, len(text) + 1))), palette.name), (" ", None), *origin],
                     Link("op", producer))  # fmt: skip

    def outputs(self, op: Op, figures: dict[int, Stats | str]) -> None:
        self.heading("outputs" if len(op.outputs) > 1 else "output" if op.outputs else "no outputs")
        for output in op.outputs:
            self._output(output, figures.get(output.id))

    def _output(self, output: Output, figures: Stats | str | None) -> None:
        palette, health = self.palette, output.health
        line: Line = [("   ", None), (spec(output.spec), palette.name)]
        if health is not None and (health.nan or health.inf):
            line.append((f"  {health.nan:,} NaN  {health.inf:,} Inf", palette.bad))
        elif health is not None and health.norm is not None:
            line += [("  norm ", palette.muted), (number(health.norm), palette.number)]
        if width_of(line) + 10 <= self.width:
            line.append(("  v values", palette.faint))
        link = Link("tensor", output.id)
        self.add(line, link)
        if isinstance(figures, Stats):
            for extra in stats_lines(figures, palette, self.width):
                self.add([("   ", None), *extra], link)
        elif figures:
            self.add([(f"   {figures}", palette.muted)], link)

    def users(self, op: Op, reader: TraceReader) -> None:
        palette = self.palette
        ids: list[int] = []
        for output in op.outputs[:4]:
            ids += [user for user in reader.consumers(output.id, limit=8) if user not in ids]
        if not ids:
            return
        self.heading("used by")
        for row in reader.rows(ids[:8]):
            mark = "◂ " if row.backward else "→ "
            tone = palette.second if row.backward else palette.accent
            self.add([("   ", None), (mark, tone), (visible(row.type), palette.text), (f" {row.id}", palette.faint)],
                     Link("op", row.id))  # fmt: skip

    def attributes(self, op: Op) -> None:
        if not op.attrs:
            return
        self.heading("attributes")
        for name, value in op.attrs.items():
            text = value if isinstance(value, str) else json.dumps(value)
            self.add(
                [(f"   {visible(name)} ", self.palette.muted), (visible(text)[:500], self.palette.string)]
            )

    def stack(self, op: Op, shown: int) -> None:
        palette = self.palette
        self.heading("stack, innermost first")
        folded = 0
        for i, frame in enumerate(op.stack.frames):
            if frame.role == "library":
                folded += 1
                continue
            self._folded(folded)
            folded = 0
            here = i == shown
            name = visible(frame.function)
            self.add([(" ▶ " if here else "   ", palette.accent),
                      (name, palette.strong if here else palette.text),
                      (f"  {basename(frame.path)}:{frame.line or '?'}", palette.muted)], Link("frame", i))  # fmt: skip
        self._folded(folded)

    def _folded(self, count: int) -> None:
        if count:
            text = "   1 library frame" if count == 1 else f"   {count} library frames"
            self.add([(text, self.palette.faint)])


def _bound(value: float | None) -> str:
    """A least or greatest value: whole numbers, such as those of integers, without decimals."""
    return f"{value:.0f}" if value is not None and abs(value) < 1e9 and value == int(value) else number(value)


def stats_lines(stats: Stats, palette: Palette, width: int) -> list[Line]:
    """The figures of a tensor in a few lines, with its histogram."""
    zeros = percent(stats.zeros / stats.size if stats.size else None)
    pairs = [("min", _bound(stats.min)), ("max", _bound(stats.max)), ("mean", number(stats.mean)),
             ("std", number(stats.std)), ("zeros", zeros)]  # fmt: skip
    if stats.nan or stats.inf:
        pairs = [("NaN", f"{stats.nan:,}"), ("Inf", f"{stats.inf:,}"), *pairs]
    lines: list[Line] = [[]]
    used = 0
    for name, figure in pairs:
        need = len(name) + len(figure) + 3
        if used + need > width - 3 and lines[-1]:
            lines.append([])
            used = 0
        tone = palette.bad if name in ("NaN", "Inf") else palette.number
        lines[-1] += [(f"{name} ", palette.muted), (f"{figure}  ", tone)]
        used += need
    if len(stats.edges) > 1 and (bars := histogram(stats.counts, max(8, min(32, width - 26)))):
        lines.append([(number(stats.edges[0], 3) + " ", palette.faint), (bars, palette.info),
                      (" " + number(stats.edges[-1], 3), palette.faint)])  # fmt: skip
    return lines
