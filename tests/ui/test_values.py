"""Windows of recorded values, slices and searches."""

from __future__ import annotations

import math
import struct

import pytest

from tapeinspect.trace.records import TensorSpec, Value
from tapeinspect.ui.values import Recorded, condition, slice_text


def recorded(dtype: str, shape: tuple[int, ...], data: bytes) -> Recorded:
    return Recorded(Value(TensorSpec(dtype, shape), data))


async def test_a_window_of_any_rank() -> None:
    source = recorded("int32", (2, 3, 4), struct.pack("<24i", *range(24)))
    assert await source.window((1, [0, 2], [1, 3])) == [[13, 14], [17, 18]]
    assert await source.window(([0, 2], 2, 3)) == [11, 23]


@pytest.mark.parametrize(
    ("dtype", "data", "expected"),
    [
        ("float32", struct.pack("<2f", 0.5, -2), [0.5, -2.0]), ("bool", b"\1\0", [True, False]),
        ("float16", struct.pack("<2e", 1.5, 2), [1.5, 2.0]), ("bfloat16", b"\x80\x3f\x00\xc0", [1.0, -2.0]),
        ("complex64", struct.pack("<4f", 1, 2, 3, 4), [1 + 2j, 3 + 4j]),
        ("uint64", struct.pack("<2Q", 1, 2**63), [1, 2**63]),
        ("string", b'["a", "b"]', ["a", "b"]),
    ],
)  # fmt: skip
async def test_every_type_of_values(dtype: str, data: bytes, expected: list[object]) -> None:
    assert await recorded(dtype, (2,), data).window(([0, 2],)) == expected


async def test_a_scalar_is_one_value() -> None:
    assert await recorded("float64", (), struct.pack("<d", 2.5)).window(()) == [2.5]


@pytest.mark.parametrize(
    ("text", "hits", "misses"),
    [
        ("nan", [math.nan], [1.0, 3]), ("inf", [math.inf], [-math.inf, 1.0]), (">3", [3.5, 4], [3, math.nan]),
        ("<=-1", [-1, -2.5], [0]), ("0.12", [0.1234, 0.12], [0.13]), ("7", [7, 7.0], [7.5]), ("abc", ["xABCx"], ["x"]),
    ],
)  # fmt: skip
def test_what_a_search_finds(text: str, hits: list[object], misses: list[object]) -> None:
    test = condition(text)
    assert all(test(value) for value in hits) and not any(test(value) for value in misses)


def test_a_search_for_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="could not convert"):
        condition(">much")


def test_slices_are_written_as_in_python() -> None:
    assert slice_text((10, 4, 6), ([0, 3], [0, 4], 1)) == "[0:3, :, 1]"
