"""What is known of the items that a step takes from Python iterators, told from names and lines."""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any

import pytest

from tapeinspect.probe.taken.statements import takes_of

SOURCE = """
import tf

def train_step(self, batches):
    x, (y, _) = next(batches)
    x = x * 2
    with tf.GradientTape() as tape:
        if x > 0:
            z = next(self.noise, None)
            loss = x + z
        w = next(table["w"])
    next(batches)
    a = b = next(batches)
    tape.rest = next(batches)
    c = d[0] = 1
    return loss

def helper(batches):
    x = next(batches)
    return x
"""


def code_of(name: str) -> CodeType:
    module = compile(SOURCE, "train.py", "exec")
    return next(c for c in module.co_consts if isinstance(c, CodeType) and c.co_name == name)


def items(line: int, local: dict[str, Any], scope: dict[str, Any] | None = None) -> list[Any]:
    takes = takes_of(ast.parse(SOURCE), code_of("train_step"))
    return [take.item(line, local, scope or {}) for take in takes]


def test_the_statements_that_name_what_they_take() -> None:
    """One name or several; what is not named, or lies in an attribute, is not known."""
    takes = takes_of(ast.parse(SOURCE), code_of("train_step"))
    assert [ast.unparse(take.source) for take in takes] == ["batches", "self.noise", "table['w']"]
    assert [take.alone for take in takes] == [False, True, True]


def test_a_function_without_a_tape_has_none() -> None:
    assert takes_of(ast.parse(SOURCE), code_of("helper")) == ()


@pytest.mark.parametrize(
    ("line", "known"),
    [
        (5, False),  # the statement runs
        (6, True),
        (7, False),  # x has another value
        (12, False),
    ],
)
def test_an_item_is_known_until_its_name_has_another_value(line: int, known: bool) -> None:
    source = iter(())
    found = items(line, {"batches": source, "x": 1, "y": 2, "_": 3})[0]
    assert found == ((source, (1, (2, 3))) if known else None)


def test_the_iterator_is_found_through_attributes_and_keys() -> None:
    """Without running code of the script's: an attribute that a property makes is not asked for."""

    class Plain:
        def __init__(self) -> None:
            self.noise = iter(())

    class Property:
        @property
        def noise(self) -> Any:
            raise AssertionError("asked")

    plain, w = Plain(), iter(())
    found = items(12, {"self": plain, "z": 1.5, "w": 2.5}, {"table": {"w": w}})
    assert found[1:] == [(plain.noise, 1.5), (w, 2.5)]
    assert items(12, {"self": Property(), "z": 1.5})[1] is None


def test_a_name_without_a_value_tells_nothing() -> None:
    """The branch that takes has not run."""
    assert items(11, {"self": object(), "x": 1})[1] is None
