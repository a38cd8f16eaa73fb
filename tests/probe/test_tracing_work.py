"""The work "tracing" on a running script: it answers for the step, and the script goes on as if nothing had been."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tapeinspect.analysis import survival
from tapeinspect.trace.reader import open_trace
from tests.forks import Forks
from tests.probe.recorded import TIMEOUT

pytestmark = pytest.mark.tf
SCRIPT = """
import random
import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
w = tf.Variable([[0.5], [0.25]])
history = []
drop = tf.keras.layers.Dropout(0.5)


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((drop(x, training=True) @ w + np.random.normal() + random.random()) ** 2)
    history.append(loss.numpy().mean())
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss


for batch in range(4):
    print(float(train_step(tf.ones((2, 2)))).hex(), len(history))
print(np.random.normal(), random.random(), float(tf.random.uniform([])))
"""
DRIVER = """
import dataclasses, sys
from tapeinspect.cli.options import add_recording_options, take_apart
from tapeinspect.cli.parsing import Parser
from tapeinspect.cli.prepare import prepare
from tapeinspect.cli.record import record

parser = Parser("record", "", "")
add_recording_options(parser)
line = take_apart(sys.argv[1:])
launch = prepare(line, parser.parse_args(line.options), screen=False)
config = dataclasses.replace(launch.config, work=("tracing",), work_step=2)
sys.exit(record(dataclasses.replace(launch, config=config), True))
"""


@pytest.fixture(scope="module")
def ran(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("tracing")
    script, tape = folder / "train.py", folder / "train.tape"
    script.write_text(SCRIPT)
    command = [sys.executable, "-c", DRIVER, "-o", str(tape), str(script)]
    looked = subprocess.run(command, capture_output=True, timeout=TIMEOUT)
    return {"plain": forks.run(script, [], folder, TIMEOUT), "looked": looked, "tape": tape, "script": script}


def test_the_script_prints_the_same(ran: dict[str, Any]) -> None:
    assert ran["plain"].returncode == ran["looked"].returncode == 0
    assert ran["looked"].stdout == ran["plain"].stdout


def test_what_was_found(ran: dict[str, Any]) -> None:
    reader = open_trace(Path(ran["tape"]))
    assert [error.detail for error in reader.probe_errors()] == []
    (survey,) = reader.surveys()
    assert (survey.step, survey.function, survey.status) == (2, "train_step", "failed")
    findings = survival.findings(reader)
    assert findings is not None
    lines = ran["script"].read_text().splitlines()
    found = {(f.rule, lines[(f.line or 0) - 1].strip().split("=")[0].split("(")[0].strip()) for f in findings}
    assert found == {("eager-only-numpy", "history.append"), ("frozen-random", "loss")}
    assert findings[0].hint.startswith("Keep to tensors inside the step")
    assert len(reader.steps()) == 4, "the work is no step"
    reader.close()
