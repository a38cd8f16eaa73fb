"""Numbers, times and strings as the screen shows them."""

from __future__ import annotations

import math

import pytest

from tapeinspect.trace.records import TensorSpec
from tapeinspect.ui import format as f
from tapeinspect.ui.widgets.cells import fit, fit_start, plain, styled_span, wrap


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0"), (1.0, "1.000"), (0.12345, "0.1235"), (0.00123, "0.00123"), (1.5e-7, "1.50e-07"),
     (12345.6, "12346"), (2.5e9, "2.50e+09"), (-3.14159, "-3.142"), (math.nan, "nan"), (-math.inf, "-inf")],
)  # fmt: skip
def test_numbers(value: float | None, text: str) -> None:
    assert f.number(value) == text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (850, "850 ns"),
        (12_340, "12.3 µs"),
        (999_600, "1 ms"),
        (4_560_000, "4.56 ms"),
        (1.5e9, "1.5 s"),
        (125e9, "2m 05s"),
    ],
)
def test_durations(nanoseconds: float, text: str) -> None:
    assert f.took(nanoseconds) == text


def test_shapes_and_types() -> None:
    assert f.spec(TensorSpec("float32", (32, 10))) == "float32 32×10"
    assert f.spec(TensorSpec("float32", ()), short=True) == "f32 scalar"
    assert f.shape((2, -1)) == "2×?" and f.shape(None) == "?"


def test_control_characters_are_made_visible() -> None:
    assert f.visible("a\x1b[31mb\nc") == "a␛[31mb␊c"
    assert "‮" not in f.visible("a‮b")


def test_sparklines_show_gaps_and_what_is_not_finite() -> None:
    assert f.sparkline([0.0, 7.0, None, math.nan]) == "▁█·!"
    assert f.sparkline([1.0, 1.0]) == "▄▄"
    assert f.histogram([0, 5, 10], 8) == " ▄█"


def test_fitting_counts_columns_and_not_characters() -> None:
    assert fit("日本語", 5) == "日本…" and fit("ab", 4) == "ab  " and fit("abc", 2) == "a…"
    assert fit_start("/home/ada/train.py", 9) == "…train.py"


def test_wrapping_cuts_what_is_longer_than_a_line() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    assert all(len(line) <= 10 for line in wrap("x" * 35, 10))


def test_a_span_is_restyled_across_pieces() -> None:
    from rich.style import Style

    bold = Style(bold=True)
    line = styled_span([("abc", None), ("def", Style(color="red"))], 2, 4, bold)
    assert plain(line) == "abcdef"
    assert [text for text, style in line if style is not None and style.bold] == ["c", "d"]
