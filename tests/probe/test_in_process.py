"""`tapeinspect.record()` in a running program: what it records, and that nothing of it is left behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.probe.recorded import Runner, own

pytestmark = pytest.mark.tf
IN_PROCESS = own("in_process", recorded=False)
RECORDINGS = (IN_PROCESS,)


@pytest.fixture(scope="module")
def truth(runner: Runner) -> dict[str, Any]:
    run = runner.get(IN_PROCESS)
    assert run.status == 0, run.stderr
    return run.truth


def test_everything_is_restored(truth: dict[str, Any]) -> None:
    assert truth["after"] == truth["before"]
    assert truth["after_error"] == truth["before"]
    assert truth["ours_inside"] and not truth["ours_after"]
    assert truth["before"]["callbacks"] == 0 and not truth["before"]["eagerly"]


def test_it_was_hooked_inside(truth: dict[str, Any]) -> None:
    inside = truth["inside"]
    assert inside["callbacks"] == 1 and inside["eagerly"]


def test_functions_run_as_graphs_again(truth: dict[str, Any]) -> None:
    # traced once before; op by op inside; the graph of before is used after
    assert truth["eager"] == [False, True, True, "after"]


def test_what_was_recorded(truth: dict[str, Any]) -> None:
    first, second = truth["first"], truth["second"]
    assert truth["same_path"]
    assert (first["steps"], first["mode"], first["complete"]) == (["train_step"] * 2, "eager", True)
    assert any(path.endswith("in_process.py") for path in first["sources"])
    assert first["probe"] == second["probe"] == []
    assert (second["mode"], second["complete"], second["sources"]) == ("graph", True, [])


def test_a_graph_traced_before_the_recording_is_one_op(truth: dict[str, Any]) -> None:
    assert truth["second"]["ops"] >= 1


def test_an_exception_passes_and_is_recorded(truth: dict[str, Any]) -> None:
    assert truth["raised"] == "mine"
    assert truth["first"]["errors"] == [] and truth["second"]["errors"] == ["KeyError"]


def test_the_size_is_kept_to_and_the_oldest_values_go_first(truth: dict[str, Any]) -> None:
    assert truth["size"] <= truth["limit"]
    assert (truth["steps"], truth["gradients"]) == (120, 120)
    kept = truth["kept"]
    assert len(kept) == 120 and kept[-1] and not kept[0]
    assert kept == sorted(kept)


def test_memory_is_kept_to(truth: dict[str, Any]) -> None:
    held = truth["held"]
    assert len(held) > 20
    assert max(held) <= truth["budget"]
    assert max(held) > truth["budget"] // 2


def test_variables_are_read_together(truth: dict[str, Any]) -> None:
    assert truth["read"] == [[1.0, 2.0], [3], [[True]], [4.0]]
    assert all(truth["shared"])
    assert truth["partly"] == [False, True]
