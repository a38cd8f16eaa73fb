"""Figures of tensors against what NumPy says in double precision."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from tapeinspect.trace.figures import (
    BINS,
    array_of,
    block_stats,
    block_stats_of,
    stats_of,
    sum_of_squares,
)
from tapeinspect.trace.records import TensorSpec, Value

SIZES = [1, 5, 65_536, 65_537, 200_000]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8", "int64"])
def test_figures_of_ordinary_values(dtype: str, size: int) -> None:
    values = (np.random.default_rng(size).standard_normal(size) * 20 + 30).astype(dtype)
    values[:: max(2, size // 7)] = 0
    exact = values.astype(np.float64)
    for figures in (block_stats(values), stats_of(values)):
        assert figures.norm == pytest.approx(np.linalg.norm(exact), rel=1e-5)
        assert (figures.min, figures.max) == (exact.min(), exact.max())
        assert figures.mean == pytest.approx(exact.mean(), rel=1e-5)
        assert (figures.nan, figures.inf) == (0, 0)
    assert block_stats(values).zeros == np.count_nonzero(exact == 0) / size
    full = stats_of(values)
    assert full.zeros == np.count_nonzero(exact == 0)
    assert full.std == pytest.approx(exact.std(), rel=1e-9, abs=1e-12)
    assert sum(full.counts) == size and len(full.edges) == len(full.counts) + 1


@pytest.mark.parametrize("size", [1, 8_192, 8_193, 131_071, 131_072, 300_001])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sum_of_squares(dtype: str, size: int) -> None:
    values = np.random.default_rng(size).standard_normal(size).astype(dtype)
    exact = float(np.square(values.astype(np.float64)).sum())
    assert sum_of_squares(values) == pytest.approx(exact, rel=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sum_of_squares(values * np.asarray(1e30 if dtype == "float32" else 1e200, dtype)) == math.inf
        values[size // 2] = math.nan
        assert math.isnan(sum_of_squares(values))


def test_many_arrays_have_the_figures_that_each_has_alone() -> None:
    random = np.random.default_rng(7)
    arrays = [random.standard_normal(shape).astype(dtype) for dtype in ("float32", "float64")
              for shape in ((), (1,), (3, 4), (2048,), (2049,), (0, 2))]  # fmt: skip
    for special in (np.nan, np.inf, 0.0, 1e-40, 1e30, -7.0):
        arrays.append(np.full((5,), special, np.float32))
    arrays.append(np.array([1.0, 0.0, np.nan], np.float32))
    arrays.append(np.asfortranarray(random.standard_normal((30, 20)).astype(np.float32)))
    arrays += [np.arange(4), np.array([1 + 1j], np.complex64), np.zeros(3, np.float16)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        together = block_stats_of(arrays)
    for array, figures in zip(arrays, together, strict=True):
        alone = block_stats(array)
        assert figures == pytest.approx(alone, rel=1e-5, abs=1e-6), array
        assert (figures.nan, figures.inf, figures.zeros) == (alone.nan, alone.inf, alone.zeros)
        assert (figures.min, figures.max) == (alone.min, alone.max)
    assert block_stats_of([]) == []


def test_nan_and_inf_are_counted_and_left_out_of_the_rest() -> None:
    values = np.arange(100_000, dtype=np.float32)
    values[[3, 70_000]] = np.nan
    values[[4, 5, 80_000]] = [np.inf, -np.inf, np.inf]
    finite = values[np.isfinite(values)].astype(np.float64)
    for figures in (block_stats(values), stats_of(values)):
        assert (figures.nan, figures.inf, figures.norm) == (2, 3, None)
        assert (figures.min, figures.max) == (0.0, 99_999.0)
        assert figures.mean == pytest.approx(finite.mean(), rel=1e-6)
    assert sum(stats_of(values).counts) == finite.size


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nothing_finite_leaves_nothing_to_say(value: float) -> None:
    values = np.full(10, value, np.float32)
    for figures in (block_stats(values), stats_of(values)):
        assert (figures.min, figures.max, figures.mean, figures.norm) == (None, None, None, None)
        assert figures.nan + figures.inf == 10


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1e30, "float32"),
        (3e38, "float32"),
        (1e-30, "float32"),
        (1e-44, "float32"),
        (1e300, "float64"),
        (6e4, "float16"),
    ],
)
def test_squares_that_do_not_fit_the_type_do_not_spoil_the_norm(value: float, dtype: str) -> None:
    values = np.full(70_000, value, dtype)
    exact = float(values[0]) * math.sqrt(values.size)
    for figures, close in ((block_stats(values), 5e-6), (stats_of(values), 1e-12)):
        assert figures.norm == pytest.approx(exact, rel=close)
        assert (figures.nan, figures.inf) == (0, 0)
        assert figures.mean == pytest.approx(float(values[0]), rel=1e-6)


def test_a_minus_zero_is_a_zero() -> None:
    assert block_stats(np.array([0.0, -0.0, 1.0, -0.0], np.float32)).zeros == 0.75


def test_arrays_of_any_layout() -> None:
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for view in (values, values.T, values[:, ::2, 1:], np.asfortranarray(values), values.astype(">f4")):
        exact = view.astype(np.float64)
        assert block_stats(view).norm == pytest.approx(np.linalg.norm(exact.ravel()))
        assert (block_stats(view).min, block_stats(view).max) == (exact.min(), exact.max())
    assert block_stats(np.float32(-3.0)) == (3.0, -3.0, -3.0, -3.0, 0, 0, 0.0)
    assert block_stats(np.zeros((0, 3), np.float32)) == (0.0, None, None, None, 0, 0, 0.0)


def test_the_array_is_left_as_it_was() -> None:
    values = np.array([1.0, np.nan, np.inf, 0.0], np.float32)
    before = values.tobytes()
    block_stats(values), stats_of(values)
    assert values.tobytes() == before


def test_complex_numbers_have_a_norm() -> None:
    values = np.array([3 + 4j, 0, complex(np.nan, np.inf)], np.complex64)
    assert block_stats(values[:2]) == (5.0, None, None, None, 0, 0, 0.5)
    assert (block_stats(values).nan, block_stats(values).inf, block_stats(values).norm) == (1, 0, None)
    assert stats_of(values[:2]).max == 5.0


def test_the_histogram_divides_what_can_be_divided() -> None:
    spread = stats_of(np.linspace(0, 1, 4001))
    assert len(spread.counts) == BINS and max(spread.counts) - min(spread.counts) <= 2
    whole = stats_of(np.array([1, 2, 2, 5]))
    assert whole.edges == (0.5, 1.5, 2.5, 3.5, 4.5, 5.5) and whole.counts == (1, 2, 0, 0, 1)
    assert stats_of(np.array([True, False, True])).counts == (1, 2)
    assert stats_of(np.full(7, 2.5)).counts == (7,)
    assert stats_of(np.array([-1.7e308, 1.7e308])).counts == ()
    assert stats_of(np.array(["a", "b"])).size == 2 and stats_of(np.array([], np.float32)).counts == ()


def test_bfloat16_bytes_become_numbers() -> None:
    value = Value(TensorSpec("bfloat16", (2,)), b"\x80\x3f\x20\xc0")
    assert array_of(value).tolist() == [1.0, -2.5]
    assert array_of(Value(TensorSpec("int16", (1, 2)), b"\1\0\2\0")).tolist() == [[1, 2]]
    for spec in (TensorSpec("string", (1,)), TensorSpec("float32", None), TensorSpec("float32", (3,))):
        with pytest.raises(ValueError):
            array_of(Value(spec, bytes(8)))
