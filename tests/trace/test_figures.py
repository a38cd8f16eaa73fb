"""Figures of tensors against what NumPy says in double precision."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import tapeinspect.trace.figures as figures_module
import tapeinspect.trace.spread as spread_module
from tapeinspect.trace.figures import array_of, block_stats, difference, sum_of_squares
from tapeinspect.trace.records import TensorSpec, Value
from tapeinspect.trace.spread import BINS, magnitude_counts, stats_of


@pytest.fixture(params=["in C", "in NumPy"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test of this file runs with the module in C, where there is one, and without."""
    if request.param == "in NumPy":
        for module in (figures_module, spread_module):
            monkeypatch.setattr(module, "_compiled", None)
    elif figures_module._compiled is None:
        pytest.skip("there was no C compiler when tapeinspect was installed")
    return str(request.param)


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
def test_sum_of_squares(dtype: str, size: int, way: str) -> None:
    values = np.random.default_rng(size).standard_normal(size).astype(dtype)
    exact = float(np.square(values.astype(np.float64)).sum())
    assert sum_of_squares(values) == pytest.approx(exact, rel=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        large = sum_of_squares(values * np.asarray(1e30 if dtype == "float32" else 1e200, dtype))
        if way == "in C" and dtype == "float32":
            assert large == pytest.approx(exact * 1e60, rel=1e-5)
        else:
            assert large == math.inf
        values[size // 2] = math.nan
        assert math.isnan(sum_of_squares(values))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "int32"])
@pytest.mark.parametrize("size", [1, 17, 4_097, 100_003])
def test_how_two_arrays_differ(dtype: str, size: int) -> None:
    random = np.random.default_rng(size)
    before = (random.standard_normal(size) * 30).astype(dtype)
    after = before + (random.standard_normal(size) * 3).astype(dtype)
    after[::3] = before[::3]
    wide = "complex128" if dtype == "complex64" else "float64"
    exact = after.astype(wide) - before.astype(wide)
    found = difference(before, after)
    assert found.norm == pytest.approx(np.linalg.norm(exact), rel=1e-5)
    assert found.zeros == np.count_nonzero(exact == 0) / size
    if dtype != "complex64":
        assert found.largest == pytest.approx(float(abs(exact).max()), rel=1e-5)
    assert difference(before, before) == (0.0, None if dtype == "complex64" else 0.0, 1.0)
    if dtype.startswith("float"):
        after[0] = math.nan
        assert difference(before, after).norm is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_figures_in_c_are_those_of_numpy(dtype: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way != "in C":
        pytest.skip("both ways are compared where the module in C is there")
    random = np.random.default_rng(7)
    arrays = [
        (random.standard_normal(shape) * 10).astype(dtype) for shape in ((), (1,), (3, 4), (70_001,), (0, 2))
    ]
    arrays += [np.full((5,), special, dtype) for special in (np.nan, np.inf, 0.0, 1e-40, 1e30, -7.0)]
    arrays.append(np.array([1.0, 0.0, np.nan, -np.inf] * 5_000, dtype))
    arrays.append(np.asfortranarray(random.standard_normal((30, 20)).astype(dtype)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [(block_stats(a), stats_of(a), magnitude_counts(a)) for a in arrays]
        for module in (figures_module, spread_module):
            monkeypatch.setattr(module, "_compiled", None)
        plain = [(block_stats(a), stats_of(a), magnitude_counts(a)) for a in arrays]
    for array, one, other in zip(arrays, found, plain, strict=True):
        assert one[0] == pytest.approx(other[0], rel=1e-5, abs=1e-6), array
        assert (one[0].nan, one[0].inf, one[0].zeros) == (other[0].nan, other[0].inf, other[0].zeros)
        assert (one[0].min, one[0].max) == (other[0].min, other[0].max)
        assert one[1].counts == other[1].counts
        assert one[1].edges == other[1].edges
        assert one[1].std == pytest.approx(other[1].std, rel=1e-12)
        assert one[2] == other[2]


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
