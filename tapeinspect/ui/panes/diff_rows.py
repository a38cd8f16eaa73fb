"""The lists of the Diff tab: pairs of ops with what Grappler made of them, and values after the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.style import Style

from tapeinspect.trace.diff_request import CHANGES
from tapeinspect.trace.differences import DiffOp, DiffValue, Far, Rewritten
from tapeinspect.ui.format import basename, number, shape, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.diff_page import Page
from tapeinspect.ui.widgets.cells import Line, fit

_RELATIONS: Final = {
    "equal": ("in both", "muted"), "eager": ("only eager", "warn"), "traced": ("only traced", "warn"),
    "moved": ("moved", "second"), "folded": ("folded", "faint"),
}  # fmt: skip
_FIGURES: Final = {"bit-equal": "good", "rounding": "muted", "real": "bad"}
_FIGURE = 17
"""Columns of a figure."""
Item = DiffOp | Rewritten


class OpPairRows:
    """Ops of the eager run beside those of the graph; below those of a line what Grappler changed of it."""

    def __init__(self, page: Page, rewritten: bool = True) -> None:
        self.page = page
        self.items: Sequence[Item] = _interleaved(page) if rewritten and page.rewritten else list(page.ops)

    def __len__(self) -> int:
        return len(self.items)

    def index_of(self, path: str | None, line: int | None) -> int | None:
        """The first row of a line: one whose values differ where there is one."""
        own = [i for i, item in enumerate(self.items) if (item.path, item.line) == (path, line)]
        real = (i for i in own if isinstance(op := self.items[i], DiffOp) and op.far.verdict == "real")
        return next(real, next(iter(own), None))

    def line(self, index: int, width: int, palette: Palette) -> Line:
        item = self.items[index]
        place = f":{item.line}" if item.line else ""
        types = max(14, min(34, width - 44))
        if isinstance(item, Rewritten):
            becomes = f"{item.type} → {item.becomes}" if item.becomes else item.type
            return [
                (" ", None),
                (fit(place, 6, right=True) + " ", palette.faint),
                (fit(visible(becomes), types), palette.second),
                (" " + fit("Grappler", 11), palette.second),
                (f" {CHANGES[item.change]}", palette.muted),
            ]
        words, tone = _RELATIONS[item.relation]
        name = item.type if not item.traced_type else f"{item.type} → {item.traced_type}"
        first = item.id == self.page.diff.first_op
        return [
            ("▶" if first else " ", palette.bad),
            (fit(place, 6, right=True) + " ", palette.faint),
            (
                fit(visible(name), types),
                palette.text if item.relation == "equal" else getattr(palette, tone),
            ),
            (" " + fit(words, 11), getattr(palette, tone)),
            (" " + fit(far_in_words(item.far), 22), far_tone(item.far, palette)),
            (f" {shape(item.shape)}" if item.shape is not None and width > 90 else "", palette.name),
        ]


def _interleaved(page: Page) -> list[Item]:
    """The ops, behind the last one of each line what Grappler changed of it, and at the end what is on no such line."""
    last = {(op.path, op.line): i for i, op in enumerate(page.ops)}
    behind: dict[int, list[Rewritten]] = {}
    for found in page.rewritten or ():
        behind.setdefault(last.get((found.path, found.line), len(page.ops)), []).append(found)
    items: list[Item] = []
    for i, op in enumerate(page.ops):
        items += [op, *behind.get(i, ())]
    return [*items, *behind.get(len(page.ops), ())]


class ValueRows:
    """Outputs, gradients and variables after each call: traced against eager, compiled by XLA against traced."""

    def __init__(self, page: Page) -> None:
        compiled = page.compiled.values if page.compiled is not None else ()
        self.compiled = {(value.kind, value.name): value for value in compiled}
        """By kind and name, of the first call."""
        known = {(value.kind, value.name) for value in page.values if value.call == 1}
        self.values: Sequence[DiffValue] = [
            *page.values, *(value for key, value in self.compiled.items() if key not in known)
        ]  # fmt: skip
        self.calls = max((value.call for value in page.values), default=1)
        self.xla = bool(compiled)

    def __len__(self) -> int:
        return len(self.values)

    def xla_of(self, value: DiffValue) -> DiffValue | None:
        """How far the compiled step is from the traced one."""
        return self.compiled.get((value.kind, value.name)) if value.call == 1 else None

    def head(self, width: int, palette: Palette) -> Line:
        """The heads of the columns."""
        kinds, names, calls = self._columns(width)
        text = " " + fit("", kinds) + fit("value", names) + " " + fit("call" if calls else "", calls)
        text += fit("eager | traced", _FIGURE)
        return [(text + ("traced | XLA" if self.xla else ""), palette.heading)]

    def _columns(self, width: int) -> tuple[int, int, int]:
        """Columns of kinds, names and calls."""
        calls = 5 if self.calls > 1 else 0
        figures = calls + 3 + _FIGURE * (2 if self.xla else 1)
        kinds = 9 if width - figures >= 20 else 4
        left = width - kinds - figures
        longest = max((len(visible(value.name)) for value in self.values), default=8)
        return kinds, max(8, min(left, longest)), calls

    def line(self, index: int, width: int, palette: Palette) -> Line:
        value = self.values[index]
        kinds, names, calls = self._columns(width)
        own = value.side == "traced"
        found = self.xla_of(value)
        return [
            (" " + fit(value.kind[: kinds - 1], kinds), palette.second),
            (fit(visible(value.name), names) + " ", palette.text),
            (fit(str(value.call), calls) if calls else "", palette.faint),
            (fit(far_in_words(value.far) if own else "", _FIGURE), far_tone(value.far, palette)),
            (
                fit(far_in_words(found.far) if found is not None else "", _FIGURE) if self.xla else "",
                far_tone(found.far, palette) if found is not None else None,
            ),
            (f" {visible(value.note)}" if value.note else "", palette.muted),
        ]


def far_in_words(far: Far) -> str:
    """How far two values are apart: `real 0.12`, `rounding 3e-08`, `bit-equal`."""
    if far.verdict is None:
        return "not compared"
    if far.verdict == "bit-equal" or far.max_abs is None:
        return far.verdict
    return f"{far.verdict} {number(far.max_abs, 3)}"


def far_tone(far: Far, palette: Palette) -> Style:
    """How it is painted."""
    style: Style = getattr(palette, _FIGURES.get(far.verdict or "", "faint"))
    return style


def place_of(op: DiffOp) -> str:
    """`train.py:12`, with the library's line where the op is in one."""
    own = f"{basename(op.path)}:{op.line}" if op.path else "outside of your code"
    library = (op.library or "").rpartition("-packages/")[2]
    return f"{own} in {visible(library)}" if library else own
