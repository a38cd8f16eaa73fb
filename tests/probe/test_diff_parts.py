"""Alignment, distances and explanations, with no TensorFlow."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from tapeinspect.probe.diff import memory
from tapeinspect.probe.diff.align import RanOp, align, match
from tapeinspect.probe.diff.explain import explain
from tapeinspect.probe.diff.failing import _in_brief
from tapeinspect.probe.diff.judge import gradient_norm, judge_call
from tapeinspect.probe.diff.runs import Call
from tapeinspect.probe.diff.stale import changed_between
from tapeinspect.probe.step_function import StepFunction
from tapeinspect.trace import bits
from tapeinspect.trace.distance import distance


def _lcs(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of a longest common subsequence, by the book."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def test_match_finds_a_longest_common_subsequence() -> None:
    """On random sequences, as long as the textbook's, and in order."""
    rng = random.Random(1)
    for _ in range(500):
        a, b = ([rng.choice("abcd") for _ in range(rng.randrange(14))] for _ in range(2))
        found = match(a, b)
        assert all(a[i] == b[j] for i, j in found)
        assert all(p[0] < q[0] and p[1] < q[1] for p, q in itertools.pairwise(found))
        assert len(found) == _lcs(a, b)


def test_match_of_very_different_long_sequences_ends() -> None:
    """Beyond alignment, ops are paired by their number: no hour of search, no wrong pair."""
    a, b = ["x"] * 30 + list("ab" * 2000), list("cd" * 2000) + ["x"] * 20
    found = match(a, b)
    assert len(found) == 20
    assert all(a[i] == b[j] for i, j in found)


def _op(kind: str, line: int, bits: bytes | None = None, **more: object) -> RanOp:
    return RanOp(kind, "train.py", line, digest=bits, **more)  # type: ignore[arg-type]


def test_ops_are_aligned_line_by_line_in_order() -> None:
    """What is in both, what in one alone, what moved and what is folded."""
    eager = [
        _op("MatMul", 1, b"1"),
        _op("Relu", 1, b"2"),
        _op("Exp", 2, b"3"),
        _op("ZerosLike", 2, b"4"),
        _op("Log", 3, b"5"),
    ]
    traced = [
        _op("Const", 1, b"0"),
        _op("MatMul", 1, b"1"),
        _op("Exp", 4, b"3"),
        _op("Log", 3, b"6"),
        _op("Sqrt", 3, b"7"),
    ]
    found = [(p.relation, p.op.type) for p in align(eager, traced)]
    assert found == [
        ("folded", "Const"),
        ("equal", "MatMul"),
        ("eager", "Relu"),
        ("moved", "Exp"),
        ("folded", "ZerosLike"),
        ("equal", "Log"),
        ("traced", "Sqrt"),
    ]


def test_another_op_with_the_same_result_is_no_difference() -> None:
    """A gradient that the graph computes by Tile and eager by BroadcastTo."""
    (pair,) = align([_op("BroadcastTo", 5, b"9", shape=(2,))], [_op("Tile", 5, b"9", shape=(2,))])
    assert (pair.relation, pair.why) == ("equal", "the graph computes it by Tile")


def test_loop_counters_of_the_graph_are_folded() -> None:
    """A while loop of the graph counts its turns."""
    counter = _op("AddV2", 7, b"1", shape=(), dtype="int32", in_loop=True)
    real = _op("AddV2", 7, b"1", shape=(), dtype="float32", in_loop=True)
    assert [p.relation for p in align([], [counter, real])] == ["folded", "traced"]


def _far(a: object, b: object, **options: float) -> tuple[str, int | None]:
    found = distance(np.asarray(a, "float32"), np.asarray(b, "float32"), **options)
    return found.verdict, found.ulp


def test_distance_has_three_verdicts() -> None:
    """The same bits; a last digit; more than rounding."""
    one = np.float32(1)
    assert _far([1, 2], [1, 2]) == ("bit-equal", 0)
    assert _far([1, 2], [np.nextafter(one, np.float32(2)), 2]) == ("rounding", 1)
    assert _far([1, 2], [1.01, 2])[0] == "real"
    assert _far([0.0], [-0.0]) == ("rounding", 0)


def test_distance_of_nan_and_infinity() -> None:
    """NaN on both sides is no difference, on one side it is."""
    nan, inf = float("nan"), float("inf")
    assert _far([nan, inf, 1], [nan, inf, 1])[0] == "bit-equal"
    assert _far([nan, 1], [0, 1])[0] == "real"
    assert _far([inf, 1], [-inf, 1])[0] == "real"
    assert _far([inf, 1.0], [inf, 1.0000001])[0] == "rounding"


def test_distance_ulps_across_zero_and_in_64_bits() -> None:
    """Representable numbers between the two, whatever their signs."""
    tiny = np.nextafter(np.float32(0), np.float32(1))
    assert distance(np.array([-tiny]), np.array([tiny])).ulp == 2
    a = np.array([1.0])
    assert distance(a, np.nextafter(a, 2)).ulp == 1


def test_distance_follows_the_dtype_and_the_tolerance() -> None:
    """A thousandth is rounding for half precision, not for single; --tolerance overrules both."""
    a, b = np.array([1.0, 2.0]), np.array([1.001, 2.0])
    assert distance(a.astype("float16"), b.astype("float16")).verdict == "rounding"
    assert distance(a.astype("float32"), b.astype("float32")).verdict == "real"
    assert distance(a.astype("float32"), b.astype("float32"), tolerance=1e-2).verdict == "rounding"
    assert distance(np.array([1, 2]), np.array([1, 3])).verdict == "real"
    assert distance(a, a.astype("float32")).verdict == "real"


def test_a_gradient_is_judged_against_all_gradients() -> None:
    """A true gradient of zero differs by 100 % and is noise; what an optimizer makes of it is, too."""
    big, noise = np.ones(100, "float32"), np.full(3, 1e-7, "float32")
    slot = "adam/dense_bias_momentum"
    eager = Call(
        gradients={"kernel": big, "dense/bias": noise},
        variables={"kernel": big, "dense/bias": np.zeros(3, "float32"), slot: noise},
    )
    traced = Call(
        gradients={"kernel": big, "dense/bias": -noise},
        variables={"kernel": big, "dense/bias": np.full(3, 1e-3, "float32"), slot: -noise},
    )
    found = {(j.kind, j.name): j for j in judge_call(eager, traced, 1, None)}
    assert found["gradient", "dense/bias"].distance.verdict == "rounding"
    assert "zero up to rounding" in found["gradient", "dense/bias"].note
    assert found["variable", "dense/bias"].distance.verdict == "rounding"
    assert found["variable", slot].distance.verdict == "rounding"
    traced.gradients["dense/bias"] = np.full(3, 0.1, "float32")
    worse = {(j.kind, j.name): j.distance.verdict for j in judge_call(eager, traced, 1, None)}
    assert (
        worse["gradient", "dense/bias"]
        == worse["variable", "dense/bias"]
        == worse["variable", slot]
        == "real"
    )


def test_a_gradient_of_a_later_call_is_judged_against_those_before_as_well() -> None:
    """What the first call's large gradients were rounded by is in the variables that a later, small one is taken at."""
    eager = Call(gradients={"weight": np.float32(0.14)})
    traced = Call(gradients={"weight": np.float32(0.14) + np.float32(3e-6)})
    assert gradient_norm(Call(gradients={"weight": np.float32(90.0), "bias": None})) == 90.0

    def verdict(before: float) -> str:
        (judged,) = judge_call(eager, traced, 3, None, before=before)
        return judged.distance.verdict

    assert verdict(90.0) == "rounding"
    assert verdict(0.0) == "real"
    traced.gradients["weight"] = np.float32(0.2)
    assert verdict(90.0) == "real"


def test_a_message_with_arrays_in_it_is_told_in_brief() -> None:
    text = (
        "Expected values "
        + "array([0.25, 0.5]), " * 100
        + "to be a dense tensor with shape [32], got [32, 4]."
    )
    told = _in_brief(text)
    assert len(told) < 410 and told.startswith("Expected values") and told.endswith("got [32, 4].")
    assert _in_brief("short") == "short"


def test_python_numbers_are_compared_with_tensors() -> None:
    """An eager step may return a float where the graph returns a tensor."""
    eager = Call(outputs={"loss": 0.1, "name": "a", "n": 3, "none": None})
    traced = Call(
        outputs={"loss": np.float32(0.1), "name": np.array(b"a", object), "n": np.int32(3), "none": None}
    )
    assert {j.distance.verdict for j in judge_call(eager, traced, 1, None)} == {"bit-equal"}
    traced.outputs["n"] = np.int32(4)
    assert [j.name for j in judge_call(eager, traced, 1, None) if j.distance.verdict == "real"] == ["n"]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("loss_history.append(loss.numpy().mean())", "write `tf.reduce_mean(loss)` and return it"),
        ("total = loss.numpy().std()", "tf.math.reduce_std(loss)"),
        ("value = loss.numpy()", "write `value = loss` and call `.numpy()` where the step returns it"),
    ],
)
def test_numpy_calls_get_their_replacement(code: str, hint: str) -> None:
    """The line itself is rewritten."""
    found = explain("AttributeError", "'SymbolicTensor' object has no attribute 'numpy'", code)
    assert found.rule == "eager-only-numpy"
    assert hint in found.hint


def test_an_unknown_error_is_told_as_it_is() -> None:
    """No explanation is made up."""
    found = explain("KeyError", "'weights'\nmore")
    assert (found.rule, found.message, found.hint) == ("fails-to-trace", "KeyError: 'weights'", "")


class _Gpus:
    """Two GPUs, of which one call needs 300 and 40 bytes more than the 1000 and 500 that are taken."""

    def __init__(self) -> None:
        self.peaks = {"GPU:0": 5000, "GPU:1": 5000}

    def reset_memory_stats(self, name: str) -> None:
        self.peaks[name] = 0

    def get_memory_info(self, name: str) -> dict[str, int]:
        current = {"GPU:0": 1000, "GPU:1": 500}[name]
        return {"current": current, "peak": max(current, self.peaks[name])}


def test_memory_of_gpus_is_what_their_allocator_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Summed over the devices, without what was there before and without older peaks."""
    gpus = _Gpus()
    monkeypatch.setattr(memory, "_config", lambda: gpus)
    monkeypatch.setattr(memory.Allocator, "_wait", lambda self: None)
    gauge = memory.Allocator(["/device:GPU:0", "/device:GPU:1"], "gpu")
    assert memory.peak_of(gauge, lambda: gpus.peaks.update({"GPU:0": 1300, "GPU:1": 540}), 0.0) == 340


@pytest.fixture
def heap(monkeypatch: pytest.MonkeyPatch) -> memory.Heap:
    """What malloc has given out, without ops to look behind."""
    monkeypatch.setattr(memory.tf_private, "op_callback", lambda callback: nullcontext())
    try:
        return memory.Heap()
    except (AttributeError, OSError, LookupError):
        pytest.skip("malloc cannot be asked here")


@pytest.mark.parametrize("size", [40_000, 4_000_000, 60_000_000])
def test_memory_of_a_process_is_what_malloc_has_given_out(heap: memory.Heap, size: int) -> None:
    """Also of what is freed again at once, and where freed memory of before is taken again."""
    count = 60_000_000 // size
    before = [bytearray(size) for _ in range(count)]

    def call() -> None:
        blocks = [bytearray(size) for _ in range(count)]
        time.sleep(0.05)  # long enough for who asks to get a turn on a busy machine
        blocks.clear()

    for _ in range(3):
        assert memory.peak_of(heap, call, 0.2) == pytest.approx(size * count, rel=0.05)
    assert memory.peak_of(heap, lambda: None, 0.2) < 2_000_000
    assert len(before) == count


@pytest.mark.parametrize("library", ["libtcmalloc.so.4", "libjemalloc.so.2"])
def test_memory_under_another_malloc_is_not_measured(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """glibc's own knows nothing of what it gives out."""
    maps = tmp_path / "maps"
    maps.write_text(f"7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/{library}\n")
    monkeypatch.setattr(memory, "_MAPS", maps)
    with pytest.raises((LookupError, AttributeError)):
        memory.Heap()


LOOP = """
import tensorflow as tf
rate, scale, seen = 0.1, 2.0, []

def step(x):
    return x * rate * scale

def decay():
    global rate
    rate *= 0.5

for epoch in range(3):
    {statement}
    step(1.0)
"""


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("rate = 0.1 / (epoch + 1)", 13),
        ("rate *= 0.5", 13),
        ("decay()", 10),
        ("for rate in (0.1, 0.2): pass", 13),
        ("other = rate", None),
        ("seen.append(rate)", None),
        ("x = 3.0", None),
        ("rate = 0.2; graph = tf.function(step)", None),
        ("rate = 0.2; step = make()", None),
        ("other.rate = 2.0", None),
    ],
)
def test_what_the_loop_changes_and_the_step_reads(statement: str, line: int | None, tmp_path: Path) -> None:
    """A name bound anew in the loop that calls the step, or in what it calls."""
    path = tmp_path / "train.py"
    path.write_text(LOOP.replace("{statement}", statement))
    scope: dict[str, object] = {}
    exec(
        compile(
            path.read_text().partition("for epoch")[0].replace("import tensorflow as tf", ""), path, "exec"
        ),
        scope,
    )
    function = scope["step"]
    step = StepFunction(1, function, (1.0,), {}, function.__code__, True)  # type: ignore[arg-type,attr-defined]
    found = changed_between(step, lambda path: "user")
    assert [f.rule for f in found] == ["frozen-value"] * (line is not None)
    assert line is None or f"line {line} changes" in found[0].message


@pytest.mark.parametrize("kind", ["float32", "float64", "int8", "bool", "complex64", "S3", "O"])
def test_same_bits_are_those_of_equal_bytes(kind: str) -> None:
    """Whatever the shape, the length or the order in memory; zeros of both signs and NaNs are bits, too."""
    rng = np.random.default_rng(0)
    for size in (0, 1, 7, 8, 9, 63):
        a = rng.integers(0, 2, size).astype(kind)
        for b in (a.copy(), a.reshape(1, -1).T, rng.integers(0, 2, size).astype(kind), a[::-1]):
            assert bits.same(a, b) == (a.tolist() == b.reshape(-1).tolist())
            assert (bits.digest([a]) == bits.digest([b])) == bits.same(a, b)
    assert not bits.same(np.zeros(2), -np.zeros(2))
    assert bits.same(np.full(3, np.nan), np.full(3, np.nan))
    assert not bits.same(np.zeros(2, "int32"), np.zeros(2, "float32"))


def test_an_op_passes_its_input_on_where_the_bits_say_so() -> None:
    """Whether the values of both are kept, of one, or of none."""
    value, other = np.arange(4.0), np.ones(4)
    for kept in (True, False):
        known = {"values": (value,)} if kept else {"digest": bits.digest([value])}
        source = RanOp("A", "train.py", 1, **known)  # type: ignore[arg-type]
        for mine, passes in ((value, True), (other, False)):
            for op in (
                RanOp("B", "train.py", 1, values=(mine.copy(),), given=((source, 0),)),
                RanOp("B", "train.py", 1, digest=bits.digest([mine]), given=((source, 0),)),
            ):
                assert op.passes() == passes
