"""`tapeinspect diff A.tape B.tape`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tapeinspect.cli.main import main
from tests.ui.build import recording


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Six good batches, and the same with NaN in an op of line 17 of the fourth."""
    folder = tmp_path_factory.mktemp("diff")
    first, second = (recording(folder / name, batches=6) for name in ("a.tape", "b.tape"))
    with sqlite3.connect(second) as connection:
        made = "SELECT op.id, output FROM op JOIN kind ON kind.id = op.kind WHERE step = 4 AND type = 'Sum'"
        op, tensor = connection.execute(made).fetchone()
        connection.execute("UPDATE op SET norm = NULL WHERE id = ?", (op,))
        connection.execute("INSERT INTO health VALUES (?, ?, 1, 0, NULL)", (tensor, op))
        connection.execute("UPDATE gradient SET norm = 2 * norm WHERE step = 4")
    connection.close()
    return str(first), str(second)


def test_the_same(traces: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", traces[0], traces[0]]) == 0
    assert "the same in 6 batches" in capfd.readouterr().out


def test_a_difference_as_text(traces: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *traces]) == 1
    out = capfd.readouterr().out
    assert "different from batch 4 on" in out
    assert "NaN or Inf in the second only" in out


def test_the_first_batches_alone(traces: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--steps", "3", *traces]) == 0
    assert "the same in 3 batches" in capfd.readouterr().out


def test_a_difference_as_json(traces: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--format", "json", *traces]) == 1
    body = json.loads(capfd.readouterr().out)
    assert body["verdict"] == "different"
    assert body["first_difference"]["line"] == 17
    assert {gradient["verdict"] for gradient in body["gradients"]} == {"real"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("{a}",), "two recordings are needed"),
        (("{a}", "missing.tape"), "there is no file missing.tape"),
        (("missing.tape", "{a}"), "there is no file missing.tape"),
        (("--only", "behaviour", "{a}", "{a}"), "--only behaviour is about a script"),
    ],
)
def test_what_cannot_be_compared(
    args: tuple[str, ...], message: str, traces: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *(arg.format(a=traces[0]) for arg in args)]) == 2
    assert message in capfd.readouterr().err


def test_names_from_a_stranger_give_no_orders_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = recording(tmp_path / "a.tape"), recording(tmp_path / "b.tape", nan_at=2)
    with sqlite3.connect(second) as connection:
        connection.execute("UPDATE variable SET name = ? WHERE id = 1", ("\x1b]0;owned\x07kernel",))
    connection.close()
    assert main(["diff", str(first), str(second)]) == 1
    assert "\x1b" not in capfd.readouterr().out
