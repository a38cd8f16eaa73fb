"""`tapeinspect autograph` on scripts: what it prints where, and with which exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, run
from tests.forks import Forks

FAILS = """\
import tensorflow as tf

weight = tf.Variable(2.0)
losses = []


def train_step(x):
    with tf.GradientTape() as tape:
        loss = weight * x
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    losses.append(loss.numpy().mean())
    return loss


for _ in range(3):
    print("loss", float(train_step(tf.constant(1.0))))
print("the end")
"""
GUARDED = """\
import tensorflow as tf

first, second = lambda x: x + 1, lambda y: y + 2


class Trainer:
    def step(self, x):
        for i in tf.range(3):
            x += i
        return x


if __name__ == "__main__":
    raise SystemExit("it was run")
"""


def test_usage(tmp_path: Path) -> None:
    nothing = run("autograph", cwd=tmp_path)
    assert nothing.returncode == 2 and b"no script was named" in nothing.stderr
    missing = run("autograph", "nope.py:step", cwd=tmp_path)
    assert missing.returncode == 2 and b"there is no file nope.py" in missing.stderr and not missing.stdout


@pytest.mark.tf
def test_a_step_that_cannot_be_traced(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(FAILS)
    done = run("autograph", "--format", "json", "train.py", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    body = json.loads(done.stdout)  # nothing but data
    assert body["run"]["status"] == "failed" and body["failure"]["line"] == 11
    assert body["functions"][0]["generated"].startswith("def tf__train_step(x):\n")
    assert b"loss 2.0" in done.stderr and b"the end" not in done.stderr  # it ends behind its first batch
    assert list(tmp_path.glob("*.tape*")) == []


@pytest.mark.tf
def test_a_method_of_a_script_that_is_only_imported(tmp_path: Path, forks: Forks) -> None:
    (tmp_path / "train.py").write_text(GUARDED)
    raw = forks.tapeinspect(["autograph", "--raw", "train.py:Trainer.step"], tmp_path, SECONDS)
    assert raw.returncode == 0, raw.stderr
    assert raw.stdout.startswith(b"def tf__step(self, x):\n") and b"ag__.for_stmt(" in raw.stdout
    assert b"it was run" not in raw.stderr


@pytest.mark.tf
def test_a_name_that_is_not_there(tmp_path: Path, forks: Forks) -> None:
    (tmp_path / "train.py").write_text(GUARDED)
    done = forks.tapeinspect(["autograph", "train.py:Trainer.stop"], tmp_path, SECONDS)
    assert done.returncode == 2 and not done.stdout
    assert b"there is no function 'Trainer.stop' in train.py" in done.stderr
    assert b"did you mean Trainer.step?" in done.stderr
