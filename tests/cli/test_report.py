"""`tapeinspect record --report --fail-on`: what was found, on stderr and in the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, run
from tests.forks import Forks

SCRIPT = """
import sys
import tensorflow as tf
w = tf.Variable(tf.ones((8, 4)), name="w")
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, tf.nn.softmax(x @ w)))
    w.assign_sub(0.1 * tape.gradient(loss, w))
    print(float(loss))
for i in range(4):
    step(tf.random.stateless_normal((16, 8), (i, 1)), tf.range(16) % 4)
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.tf
def test_report_and_status(tmp_path: Path, forks: Forks) -> None:
    (tmp_path / "wrong.py").write_text(SCRIPT)
    options = ["-q", "--report", "--fail-on", "error"]
    done = forks.tapeinspect(["record", *options, "wrong.py", "0"], tmp_path, SECONDS)
    said = done.stderr.decode()
    assert done.returncode == 1, said
    assert len(done.stdout.decode().split()) == 4, "stdout is the script's"
    assert "error probabilities-as-logits · wrong.py:7 · batch 1" in said
    exported = run("export", "wrong.tape", cwd=tmp_path).stdout.decode().splitlines()
    findings = [json.loads(line) for line in exported if '"kind":"finding"' in line]
    assert [(f["rule"], f["severity"], f["step"], f["line"]) for f in findings] == [
        ("probabilities-as-logits", "error", 1, 7)
    ]
    assert findings[0]["hint"] and findings[0]["file"].endswith("wrong.py")


def test_the_scripts_own_status_goes_first(tmp_path: Path) -> None:
    (tmp_path / "ends.py").write_text("raise SystemExit(3)")
    assert run("record", "-q", "--fail-on", "warning", "ends.py", cwd=tmp_path).returncode == 3
    (tmp_path / "fine.py").write_text("print(1)")
    assert run("record", "-q", "--fail-on", "warning", "fine.py", cwd=tmp_path).returncode == 0
    wrong = run("record", "--rule", "nothing", "fine.py", cwd=tmp_path)
    assert wrong.returncode == 2 and wrong.stdout == b""
