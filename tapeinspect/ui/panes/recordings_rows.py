"""The lists of two recordings held against each other: pairs of ops; first differences, loss and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tapeinspect.analysis.recordings.records import Firsts, OpPair, Verdict
from tapeinspect.trace.distance import Distance
from tapeinspect.ui.format import number, visible
from tapeinspect.ui.palette import Palette
from tapeinspect.ui.panes.recordings_page import Page
from tapeinspect.ui.widgets.cells import Line, fit

WORDS: Final[dict[Verdict, str]] = {"same": "the same", "rounding": "rounding", "real": "differs"}
TONES: Final[dict[Verdict, str]] = {"same": "good", "rounding": "muted", "real": "bad"}


class PairRows:
    """Ops of the first recording beside those of the second."""

    def __init__(self, page: Page, everything: bool) -> None:
        self.pairs: Sequence[OpPair] = (
            page.pairs if everything else [pair for pair in page.pairs if pair.verdict != "same"]
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def line(self, index: int, width: int, palette: Palette) -> Line:
        pair = self.pairs[index]
        row = pair.any
        place = f":{row.line}" if row.line else ""
        types = max(12, min(30, width - 48))
        words, tone = in_words(pair)
        return [
            (fit(place, 7, right=True) + " ", palette.faint),
            (fit(visible(row.type), types) + " ", palette.text),
            (fit(words, 15), getattr(palette, tone)),
            (fit(figures(pair), max(10, width - types - 24)), palette.number),
        ]


def in_words(pair: OpPair) -> tuple[str, str]:
    """What became of a pair of ops, and the field of the palette for it."""
    if pair.first is None:
        return "only in second", "warn"
    if pair.second is None:
        return "only in first", "warn"
    return WORDS[pair.verdict], TONES[pair.verdict]


def figures(pair: OpPair) -> str:
    """`1.5 | 1.6, 0.063 apart`: norms of the first output."""
    if pair.first is None or pair.second is None:
        return ""
    if pair.first.bad != pair.second.bad:
        return f"NaN or Inf in the {'first' if pair.first.bad else 'second'} only"
    if pair.first.norm is None and pair.second.norm is None:
        return ""
    apart = f", {pair.relative:.2g} apart" if pair.relative else ""
    return f"{_norm(pair.first.norm)} | {_norm(pair.second.norm)}{apart}"


def in_elements(far: Distance) -> str:
    """`up to 1.5e-07 apart, relative 3e-06, 4 ULP`."""
    if far.verdict == "bit-equal":
        return "the same bits"
    if far.max_abs is None:
        return "of another shape or type"
    relative = f", relative {far.max_rel:.2g}" if far.max_rel is not None else ""
    return f"up to {far.max_abs:.2g} apart{relative}" + (f", {far.ulp:,} ULP" if far.ulp is not None else "")


def _norm(value: float | None) -> str:
    return "–" if value is None else number(value, 6)


@dataclass(frozen=True, slots=True)
class Value:
    """One row of the values."""

    kind: str
    """first (the first batch that differs in a respect), loss or gradient."""
    name: str
    text: str
    verdict: Verdict | None
    batch: int | None = None
    """Where Enter goes."""


class ValueRows:
    """The first differences of the whole run, then loss and gradients of the batch."""

    def __init__(self, page: Page | None, firsts: Firsts, scanned: bool) -> None:
        self.values: Sequence[Value] = [*_firsts(firsts, scanned), *(_of_batch(page) if page else ())]

    def __len__(self) -> int:
        return len(self.values)

    def head(self, width: int, palette: Palette) -> Line:
        """The heads of the columns."""
        return [
            (
                " " * 11 + fit("value", self._names(width)) + fit("", 11) + "norm in the first | second",
                palette.heading,
            )
        ]

    def _names(self, width: int) -> int:
        longest = max((len(visible(value.name)) for value in self.values), default=8)
        return max(8, min(longest + 1, width - 42))

    def line(self, index: int, width: int, palette: Palette) -> Line:
        value = self.values[index]
        tone = getattr(palette, TONES[value.verdict]) if value.verdict else palette.muted
        first = value.kind == "first"
        word = "" if first else WORDS[value.verdict] if value.verdict else ""
        return [
            (" " + fit(value.kind, 10), palette.second),
            (fit(visible(value.name), self._names(width)), palette.text),
            (fit(word, 11), tone),
            (visible(value.text), tone if first else palette.number),
        ]


def _firsts(firsts: Firsts, scanned: bool) -> list[Value]:
    none = "none" if scanned else "none so far"
    found = (("in ops", firsts.ops), ("in values", firsts.values), ("in gradients", firsts.gradients))
    return [
        Value(
            "first",
            name,
            none if batch is None else f"batch {batch}",
            "same" if batch is None else "real",
            batch,
        )
        for name, batch in found
    ]


def _of_batch(page: Page) -> list[Value]:
    found = page.sum
    loss = f"{_norm(found.loss_first)} | {_norm(found.loss_second)}"
    values = (
        [Value("loss", "", loss, found.loss)] if (found.loss_first, found.loss_second) != (None, None) else []
    )
    for pair in found.gradients:
        text = pair.note or f"{_norm(pair.first)} | {_norm(pair.second)}"
        if pair.far is not None and pair.verdict != "same":
            text += f"  {in_elements(pair.far)}"
        values.append(Value("gradient", pair.variable, text, pair.verdict))
    return values
