"""What the user types, and the ops it lets through."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapeinspect.trace.reader import TraceReader, open_trace, parse_filter
from tapeinspect.trace.records import OpFilter
from tests.trace.builders import Recording


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", OpFilter()),
        ("matmul conv", OpFilter(words=("matmul", "conv"))),
        ("type:MatMul type:Conv*", OpFilter(types=("MatMul", "Conv*"))),
        ("line:23 file:train.py", OpFilter(line=23, path="train.py")),
        ("train.py:23", OpFilter(line=23, path="train.py")),
        ("nan tape backward", OpFilter(bad=True, recorded=True, backward=True)),
        ("-tape -backward", OpFilter(recorded=False, backward=False)),
        ("step:4 tensor:123", OpFilter(step=4, tensor=123)),
        ('"two words" file:"my file.py"', OpFilter(words=("two words",), path="my file.py")),
        ('"nan"', OpFilter(words=("nan",))),
        ("line:abc type: :", OpFilter(words=("line:abc", "type:", ":"))),
        ("line:" + "9" * 30, OpFilter(words=("line:" + "9" * 30,))),
        ('"', OpFilter()),
    ],
)
def test_a_filter_is_what_the_user_typed(text: str, expected: OpFilter) -> None:
    assert parse_filter(text) == expected
    assert parse_filter(text).text == text


def test_the_step_shown_is_the_step_filtered_unless_one_is_named() -> None:
    assert parse_filter("mul", step=3).step == 3
    assert parse_filter("step:5", step=3).step == 5


@pytest.fixture
def reader(tmp_path: Path) -> TraceReader:
    recording = Recording(tmp_path / "a.tape")
    const = recording.op("Const", step=None, line=3)
    product = recording.op("MatMul", [const, const], tapes=[1], line=7)
    recording.op("BatchMatMulV2", [product], tapes=[1], line=7)
    recording.op("Mul", [const], line=9)
    recording.op("Relu", [product], tapes=[1], line=23)
    recording.writer.insert("health", [(product, 2, 1, 0, None), (product + 1, 3, 0, 0, 2.0)])
    recording.step(1, 2, 5)
    return open_trace(recording.done())


@pytest.mark.parametrize(
    ("text", "ops"),
    [
        ("matmul", [2, 3]),
        ("type:matmul", [2]),
        ("type:mul type:const", [1, 4]),
        ("type:*", [1, 2, 3, 4, 5]),
        ("type:b*", [3]),
        ("compute_7", [2, 3]),
        ("COMPUTE_7 batch", [3]),
        ("compute_2", [5]),
        ("mul", [2, 3, 4]),
        ("train_step", [1, 2, 3, 4, 5]),
        ("train.py", [1, 2, 3, 4, 5]),
        ("line:7", [2, 3]),
        ("train.py:23", [5]),
        ("other.py:23", []),
        ("file:user/train.py", [1, 2, 3, 4, 5]),
        ("file:home", []),
        ("tape", [2, 3, 5]),
        ("-tape", [1, 4]),
        ("nan", [2]),
        ("nan tape relu", []),
        ("tensor:1001", [2, 3, 5]),
        ("tensor:1001 relu", [5]),
        ("tensor:77", []),
        ("step:1 mul", [2, 3, 4]),
        ("step:7", []),
        ("nothing", []),
        ("'; DROP TABLE op", []),
    ],
)
def test_the_ops_that_a_filter_lets_through(reader: TraceReader, text: str, ops: list[int]) -> None:
    assert list(reader.op_ids(parse_filter(text))) == ops


def test_a_filter_sees_what_was_recorded_after_it_was_first_used(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.tape")
    recording.op("Mul", line=3)
    recording.writer.commit()
    reader = open_trace(recording.path)
    assert list(reader.op_ids(parse_filter("compute_9"))) == []
    recording.op("NewType", line=9)
    recording.writer.commit()
    assert list(reader.op_ids(parse_filter("compute_9"))) == [2]
    assert list(reader.op_ids(parse_filter("newtype"))) == [2]
