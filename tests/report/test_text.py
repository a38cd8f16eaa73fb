"""The report in words."""

from __future__ import annotations

import io
from pathlib import Path

from tapeinspect.analysis.findings import Settings, settings
from tapeinspect.analysis.health.rules import RULES
from tapeinspect.report.text import rules, write
from tests.cli.running import run
from tests.trace.builders import Recording
from tests.ui.build import recording


def report(path: Path) -> str:
    stream = io.StringIO()
    write(path, stream, Settings())
    return stream.getvalue()


def with_finding(path: Path, severity: str = "warning") -> Path:
    made = Recording(path)
    made.op("Mul", step=1)
    made.step(1, 1, 1, loss=0.5)
    message = (
        "a \x1b[31mred\x1b[0m message of many words, which goes on for longer than one line of the report "
        * 2
    )
    made.writer.insert("finding", [(1, "own-rule", severity, 1, 1, 1, 7, message, "change it")])
    return made.done()


def test_what_was_trained_and_how_its_gradients_fare(tmp_path: Path) -> None:
    text = report(recording(tmp_path / "a.tape", batches=3))
    assert text.splitlines()[0] == "mnist_eager.py · TensorFlow 2.21.0"
    assert "3 batches" in text and "gradients of batch 3" in text and "conv2d/kernel" in text
    assert text.count("No findings.") == 1


def test_a_variable_asked_for_again_and_again_has_one_row(tmp_path: Path) -> None:
    made = Recording(tmp_path / "a.tape")
    made.op("Mul")
    made.step(1, 1, 1, loss=0.5)
    made.variable(1, "w")
    made.tape(1, 1, 1)
    for call, norm in ((1, 2.0), (2, 3.0), (3, 4.0)):
        made.call(call, 1, [1000], 1, 1)
        made.gradient(call, 1, norm)
    lines = report(made.done()).splitlines()
    assert [line.split()[1] for line in lines if line.startswith("w ")] == ["4"]
    assert "The last of each; gradients were asked for 3 times in this batch." in lines


def test_the_table_is_of_a_batch_whose_updates_are_known(tmp_path: Path) -> None:
    """Local variables die with the function that trains: the update of the last batch is never known."""
    made = Recording(tmp_path / "a.tape")
    made.variable(1, "w")
    for step, update in ((1, 0.5), (2, None)):
        made.op("AssignSubVariableOp", step=step)
        made.step(step, step, step, loss=0.5)
        made.tape(step, step, step, step=step)
        made.call(step, step, [1000], step, step, step=step)
        made.gradient(step, 1, 2.0, step=step)
        made.writer.insert("variable_step", [(step, 1, 10.0, -1.0, 1.0, 0.0, 0, 0, 0.0, update, 1)])
    text = report(made.done())
    assert "gradients of batch 1" in text and "0.05\n" in text


def test_a_finding_with_place_batch_and_change(tmp_path: Path) -> None:
    lines = report(with_finding(tmp_path / "a.tape")).splitlines()
    at = lines.index("warning own-rule · /home/user/train.py:7 · batch 1")
    assert lines[at + 1].startswith("  a ?[31mred?[0m message") and len(lines[at + 1]) <= 100
    assert "  → change it" in lines


def test_what_could_not_be_looked_at_is_said(tmp_path: Path) -> None:
    assert "has no figures of activations, labels and inputs; record it anew" in report(
        with_finding(tmp_path / "a.tape")
    )
    made = Recording(tmp_path / "b.tape")
    made.writer.set_meta(values="off", mode="graph")
    text = report(made.done())
    assert "--values off" in text and "--mode graph" in text


def test_a_damaged_recording_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.tape").write_bytes(b"nothing")
    done = run("report", "a.tape", cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == b"" and done.stderr.count(b"tapeinspect: ") == 1


def test_status_of_report(tmp_path: Path) -> None:
    with_finding(tmp_path / "a.tape")
    assert run("report", "a.tape", cwd=tmp_path).returncode == 0
    assert run("report", "--fail-on", "warning", "a.tape", cwd=tmp_path).returncode == 1
    assert run("report", "--fail-on", "error", "a.tape", cwd=tmp_path).returncode == 0
    assert run("report", "--fail-on=warning", "--no-rule", "own-rule", "a.tape", cwd=tmp_path).returncode == 0
    wrong = run("report", "--rule", "nothing=1", "a.tape", cwd=tmp_path)
    assert wrong.returncode == 2 and b"there is no rule 'nothing'" in wrong.stderr
    assert run("report", cwd=tmp_path).returncode == 2


def test_the_list_of_rules() -> None:
    text = rules(settings(["dead-relu=0.9"], ["zero-gradient"]))
    assert "dead-relu=0.9\n" in text and "zero-gradient=3  (off)" in text and "update-ratio=30  (off)" in text
    assert all(f"\n{rule.id}" in "\n" + text for rule in RULES)
