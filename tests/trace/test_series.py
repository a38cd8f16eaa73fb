"""Figures over the steps."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tapeinspect.trace.reader import open_trace
from tapeinspect.trace.series import FIGURES, Figure, Point
from tapeinspect.trace.spread import SAMPLE, magnitude_counts
from tests.trace.builders import Recording

BY_KEY = {figure.key: figure for figure in FIGURES}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Five steps of two variables; the fourth gradient of the first holds NaN, the second has no second one."""
    recording = Recording(tmp_path / "run.tape")
    writer = recording.writer
    for variable, name in ((1, "kernel"), (2, "bias")):
        writer.insert("variable", [(variable, name, "variable", "float32", "[2]", 1, variable)])
    row = 0
    for step in range(1, 6):
        for variable in (1, 2):
            if (step, variable) == (2, 2):
                continue
            row += 1
            bad = (step, variable) == (4, 1)
            norm = None if bad else 10.0 * variable + step
            figures = (norm, -3.0 * step, 2.0, 0.0, 2 if bad else 0, 0, step / 10, None)
            writer.insert("gradient", [(row, 1, step, variable, "dense", None, *figures)])
            writer.insert("variable_step", [(step, variable, 4.0, -1, 1, 0, 0, 0, 0.0, 0.5 * step, 1)])
    writer.insert("magnitudes", [(1, 1, "update", 6, 1, 0, "[-3, 2, 0, 3]", 0.75, 0.25)])
    writer.insert("magnitudes", [(2, 1, "update", 6, 1, 0, '{"no": "list"}', 0.75, 0.25)])
    writer.commit()
    writer.close()
    return tmp_path / "run.tape"


def points(path: Path, key: str, per: int = 1, variable: int | None = None) -> dict[int, list[Point]]:
    return open_trace(path).series.points(BY_KEY[key], per, variable)


def test_one_point_for_each_step_that_has_the_figure(path: Path) -> None:
    found = points(path, "gradient-norm")
    assert [(p.step, p.value) for p in found[1]] == [(1, 11), (2, 12), (3, 13), (4, None), (5, 15)]
    assert [p.bad for p in found[1]] == [False, False, False, True, False]
    assert [p.step for p in found[2]] == [1, 3, 4, 5]


def test_several_steps_to_a_point_show_the_largest(path: Path) -> None:
    found = points(path, "gradient-norm", per=2, variable=1)
    assert found == {1: [Point(1, 12, False), Point(3, 13, True), Point(5, 15, False)]}


def test_the_largest_of_a_gradient_is_the_farther_from_zero(path: Path) -> None:
    assert [p.value for p in points(path, "gradient-max")[2]] == [3.0, 9.0, 12.0, 15.0]


def test_an_update_beside_the_weight(path: Path) -> None:
    assert [p.value for p in points(path, "update-ratio")[1]] == [0.125, 0.25, 0.375, 0.5, 0.625]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.key)
def test_every_figure_can_be_asked_for(path: Path, figure: Figure) -> None:
    assert open_trace(path).series.points(figure)


def test_magnitudes_are_read_and_damaged_ones_are_empty(path: Path) -> None:
    first, second = open_trace(path).series.magnitudes(1, "update")
    assert (first.step, first.counts, first.zeros, first.seen) == (1, {-3: 2, -1: 3}, 1, 6)
    assert second.counts == {}


def test_counting_magnitudes() -> None:
    array = np.array([0.0, 1.0, -1.5, 3.0, 0.25, math.nan, math.inf], np.float32)
    found = magnitude_counts(array)
    assert (found.seen, found.zeros, found.bad) == (7, 1, 2)
    assert json.loads(found.counts_json) == [-2, 1, 0, 2, 1]


def test_a_sample_stands_for_a_large_array() -> None:
    array = np.zeros((64, 4096), np.float32)
    array[:, ::2] = 1.0  # a stride would see one kind of column only
    found = magnitude_counts(array)
    assert found.seen == SAMPLE
    assert 0.4 < found.zeros / SAMPLE < 0.6
    assert found == magnitude_counts(array)


@pytest.mark.parametrize("dtype", ["float16", "float64", "complex64", "int32"])
def test_other_types(dtype: str) -> None:
    assert json.loads(magnitude_counts(np.array([2, 0, 4], dtype)).counts_json) == [1, 1, 1]
    assert magnitude_counts(np.zeros(3, dtype)).counts_json == "[]"
