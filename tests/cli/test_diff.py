"""`tapeinspect diff`: the comparison is on stdout, the script's output on stderr, and the status tells the verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tapeinspect.report import diff_json
from tapeinspect.trace.reader import open_trace
from tests.cli.running import SECONDS, run
from tests.forks import Forks
from tests.scripts.verdicts import told

TUTORIAL = """
import sys
import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]], name="weight")
loss_history = []

@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss_value = tf.reduce_mean(tf.square(x @ weight))
    LINE
    weight.assign_sub(0.1 * tape.gradient(loss_value, weight))
    return loss_value

for batch in range(int(sys.argv[1])):
    train_step(tf.ones((4, 2)) * (batch + 1.0))
    print("batch", batch)
"""
APPEND = "loss_history.append(loss_value.numpy().mean())"


def script(folder: Path, line: str) -> None:
    """The classic step of the tutorial, with that line in it."""
    (folder / "train.py").write_text(TUTORIAL.replace("LINE", line))


@pytest.mark.tf
def test_the_classic_step_fails_to_trace(tmp_path: Path, forks: Forks) -> None:
    """The line that fails, why, and what to write instead; the script ends behind the batch that is compared."""
    script(tmp_path, APPEND)
    done = forks.tapeinspect(["diff", "--format", "json", "train.py", "5"], tmp_path, SECONDS)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == "fails_to_trace"
    (finding,) = found["findings"]
    assert (finding["rule"], finding["file"], finding["line"]) == (
        "eager-only-numpy",
        str(tmp_path / "train.py"),
        12,
    )
    assert ".numpy() exists only eagerly" in finding["message"]
    assert "tf.reduce_mean(loss_value)" in finding["hint"]
    assert found["first_difference"] is None and found["traced_seconds"] is None
    assert b"batch 1" not in done.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "train.py"]


@pytest.mark.tf
def test_a_step_that_traces_is_the_same(tmp_path: Path) -> None:
    """Status 0 and figures that are the same; the recording is kept when it is named."""
    script(tmp_path, "pass")
    options = ["--steps", "2", "-o", "kept.tape"]
    done = run("diff", *options, "train.py", "3", cwd=tmp_path)
    text = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert text.startswith("train_step (train.py:8), eager against traced, on batch 2\nSAME\n")
    assert "gradients  1 bit-equal" in text and "variables  1 bit-equal" in text
    assert b"batch 0" in done.stderr and b"batch" not in done.stdout.replace(b"a batch", b"").replace(
        b"on batch", b""
    ).replace(b"from batch", b"")
    reader = open_trace(tmp_path / "kept.tape")
    (code,) = diff_json.body(reader, reader.differences.all()[0])["code"]
    assert code["function"] == "train_step" and "def tf__train_step" in code["generated"]
    assert code["verdicts"]["11"] == "the same bits"
    reader.close()


INLINE = """
import tensorflow as tf

w, total = tf.Variable([[1.0], [0.5]], name="w"), tf.constant(0.0)
for x in tf.data.Dataset.from_tensor_slices(tf.ones((6, 2))).batch(2):
    x = x / 2.0
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x @ w)
    w.assign_sub(tape.gradient(loss, w))
    total += loss
print(float(total))
"""


@pytest.mark.tf
@pytest.mark.parametrize("name", ["gotchas/rate_between_batches", "gotchas/appends_tensor"])
def test_a_gotcha_is_told_at_its_line(name: str, tmp_path: Path, forks: Forks) -> None:
    """What the script says of itself, by the command; its other batches are not run."""
    script = next(script for script in told() if script.name == name)
    options = ["--format", "json", "--only", "behaviour"]
    done = forks.tapeinspect(["diff", *options, str(script.path)], tmp_path, SECONDS)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == script.verdict
    assert [(f["rule"], f["line"]) for f in found["findings"]] == list(script.findings)
    assert all(f["file"] == str(script.path) and f["hint"] for f in found["findings"])


@pytest.mark.tf
def test_a_step_in_a_loop_is_compared_as_a_function(tmp_path: Path, forks: Forks) -> None:
    """With what its names held when the first turn began, before anybody knew it to be a batch."""
    (tmp_path / "train.py").write_text(INLINE)
    done = forks.tapeinspect(["diff", "train.py"], tmp_path, SECONDS)
    text = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert text.startswith(
        "the loop's body as a function of x and total (train.py:5), eager against traced, on batch 1\nSAME\n"
    )
    assert "    with tf.GradientTape() as tape:\n        loss = tf.reduce_sum(x @ w)\n" in text
    assert text.endswith("    return total\n\nfor x in tf.data.Dataset.from_tensor_slices(tf.ones((6, 2))).batch(2):\n"
                         "    total = train_step(x, total)\n")  # fmt: skip


@pytest.mark.tf
def test_a_loop_that_is_left_in_the_midst_of_a_batch_cannot_be_compared(tmp_path: Path, forks: Forks) -> None:
    """A sentence that says why, and what to do."""
    (tmp_path / "train.py").write_text(INLINE.replace("loss = ", "if w[0, 0] < -9: break\n        loss = "))
    done = forks.tapeinspect(["diff", "train.py"], tmp_path, SECONDS)
    assert (done.returncode, done.stdout) == (2, b"")
    assert (
        b"tapeinspect: the step stands in the loop at line 5 at module level, and `break` on line 8"
        in done.stderr
    )
    assert b"into a function of its own" in done.stderr


def test_a_script_without_steps(tmp_path: Path) -> None:
    """There is nothing to compare."""
    (tmp_path / "train.py").write_text("print('hello')\n")
    done = run("diff", "train.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"train.py ended without a training step" in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "no script was named"),
        (["missing.py"], "missing.py"),
        (["--tolerance", "wide", "train.py"], "'wide' is not a number"),
        (["--tolerance", "-1", "train.py"], "'-1' is not a number"),
        (["--steps", "0", "train.py"], "'0' is not a whole number"),
        (["--only", "all", "train.py"], "invalid choice: 'all'"),
    ],
)
def test_usage(args: list[str], message: str, tmp_path: Path) -> None:
    """Status 2 and a sentence."""
    done = run("diff", *args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
