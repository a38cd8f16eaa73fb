"""The lists of the Diff tab: lines of the step with their verdict, pairs of ops, values after the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tapeinspect.trace.differences import DiffOp, DiffValue, Far
from tapeinspect.ui.format import basename, number, shape, visible
from tapeinspect.ui.highlight import Words
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.diff_page import Page
from tapeinspect.ui.widgets.cells import Line, fit

MARKS: Final = {"✗": "bad", "≠": "bad", "P": "warn", "±": "warn", "~": "muted", "=": "good", "": "faint"}
MARK_WORDS: Final = {
    "✗": "fails to trace", "≠": "other values", "P": "runs only while tracing", "±": "other ops", "~": "rounding",
    "=": "the same bits",
}  # fmt: skip
_RELATIONS: Final = {
    "equal": ("in both", "muted"), "eager": ("only eager", "warn"), "traced": ("only traced", "warn"),
    "moved": ("moved", "second"), "folded": ("folded", "faint"),
}  # fmt: skip
_FIGURES: Final = {"bit-equal": "good", "rounding": "muted", "real": "bad"}


class CodeRows:
    """The lines of the step: mark, number, code, and how many ops each ran eagerly and traced."""

    def __init__(self, page: Page, words: tuple[Words, ...]) -> None:
        self.page = page
        self.words = words
        self.digits = len(str(page.first + len(words)))

    def __len__(self) -> int:
        return len(self.words)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        number_of = self.page.first + index
        mark = self.page.mark(number_of)
        ops = self.page.line(number_of)
        counts = f"{ops.eager}|{ops.traced}" if ops is not None and (ops.eager or ops.traced) else ""
        line: Line = [
            (f" {mark or ' '} ", getattr(palette, MARKS[mark])),
            (fit(str(number_of), self.digits, right=True) + " ", palette.faint),
        ]
        if width >= 60:
            line.append((fit(counts, 8, right=True) + "  ", palette.name))
        return line + [(text, getattr(palette, kind)) for text, kind in self.words[index]]


class OpPairRows:
    """Ops of the eager run beside those of the graph."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.ops: Sequence[DiffOp] = page.ops

    def __len__(self) -> int:
        return len(self.ops)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        op = self.ops[index]
        words, tone = _RELATIONS[op.relation]
        name = op.type if not op.traced_type else f"{op.type} → {op.traced_type}"
        first = op.id == self.page.diff.first_op
        place = f":{op.line}" if op.line else ""
        types = max(14, min(34, width - 44))
        return [
            ("▶" if first else " ", palette.bad),
            (fit(place, 6, right=True) + " ", palette.faint),
            (fit(visible(name), types), palette.text if op.relation == "equal" else getattr(palette, tone)),
            (" " + fit(words, 11), getattr(palette, tone)),
            (" " + fit(far_in_words(op.far), 22), far_tone(op.far, palette)),
            (f" {shape(op.shape)}" if op.shape is not None and width > 90 else "", palette.name),
        ]


class ValueRows:
    """Outputs, gradients and variables after each call."""

    def __init__(self, values: Sequence[DiffValue]) -> None:
        self.values = values
        self.calls = max((value.call for value in values), default=1)

    def __len__(self) -> int:
        return len(self.values)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        value = self.values[index]
        names = max(12, width - 40)
        call = "xla" if value.side == "xla" else f"call {value.call}" if self.calls > 1 else ""
        return [
            (" " + fit(value.kind, 9), palette.second),
            (fit(visible(value.name), names) + " ", palette.text),
            (fit(call, 7), palette.faint),
            (fit(far_in_words(value.far), 22), far_tone(value.far, palette)),
            (f" {visible(value.note)}" if value.note else "", palette.muted),
        ]


def far_in_words(far: Far) -> str:
    """How far two values are apart: `real 0.12`, `rounding 3e-08`, `bit-equal`."""
    if far.verdict is None:
        return "not compared"
    if far.verdict == "bit-equal" or far.max_abs is None:
        return far.verdict
    return f"{far.verdict} {number(far.max_abs, 3)}"


def far_tone(far: Far, palette: Palette):  # type: ignore[no-untyped-def]
    """How it is painted."""
    return getattr(palette, _FIGURES.get(far.verdict or "", "faint"))


def place_of(op: DiffOp) -> str:
    """`train.py:12`, with the library's line where the op is in one."""
    own = f"{basename(op.path)}:{op.line}" if op.path else "outside of your code"
    library = (op.library or "").rpartition("-packages/")[2]
    return f"{own} in {visible(library)}" if library else own
