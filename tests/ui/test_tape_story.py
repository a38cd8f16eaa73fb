"""The order in which the Tape tab tells what happened."""

from __future__ import annotations

import json
from pathlib import Path

from tapeinspect.trace.reader import open_trace
from tapeinspect.ui.panes.tape_story import (
    CallItem,
    EventItem,
    OpaqueItem,
    OpItem,
    SourceItem,
    TapeItem,
    WatchItem,
    story,
)  # fmt: skip
from tests.ui.build import MODEL, Builder, TraceWriter, _header


def nested(path: Path) -> Path:
    """An outer tape around an inner one whose gradient it records too; the inner one stops for one op."""
    builder = Builder(TraceWriter(path))
    writer = builder.writer
    _header(writer, True, False)

    def op(tape: int | None) -> int:
        return builder.add("Mul", (2,), MODEL, 1, tape, [])

    builder.event(1, "enter")
    op(1)
    builder.event(2, "enter")
    for variable in (1, 2):
        builder.event(2, "watch", variable)
    target = op(2)
    builder.event(2, "stop_recording")
    op(None)
    builder.event(2, "resume")
    builder.event(2, "exit")
    gradient = op(1)
    op(1)
    builder.event(1, "exit")
    writer.insert("gradient_call", [(1, 2, 1, "gradient", MODEL, json.dumps([target]), 4, 4, 0.001, None)])
    row = (1, 1, 1, 1, "dense", gradient, 0.5, -1.0, 1.0, 0.0, 0, 0, 0.0, None)
    writer.insert("gradient", [row])
    writer.insert("tape", [(1, 1, 1, None, 0, 1, MODEL, 1, 5), (2, 1, 1, 1, 0, 1, MODEL, 2, 3)])
    writer.insert("opaque", [(1, "py_function", "f", None, 3, "It runs elsewhere."),
                             (2, "py_function", "g", None, 99, "It runs elsewhere.")])  # fmt: skip
    writer.insert("step", [(1, "call", "train_step", 1, 13, 1, 1, 5, 5, 0, 0.1, 1.0, "[]", None)])
    writer.commit()
    writer.close()
    return path


def test_nested_tapes_are_told_in_order_with_the_backward_pass_folded(tmp_path: Path) -> None:
    items = story(open_trace(nested(tmp_path / "nested.tape")), 1)
    told: list[object] = []
    for item in items:
        if isinstance(item, TapeItem):
            told.append(("tape", item.depth, item.tape.id))
        elif isinstance(item, OpItem):
            told.append(("op", item.depth, item.op))
        elif isinstance(item, EventItem):
            told.append((item.event.event, item.depth))
        elif isinstance(item, WatchItem):
            told.append(("watch", item.depth, [event.variable for event in item.events]))
        elif isinstance(item, CallItem):
            told.append(("call", item.depth, item.backward, item.target))
        elif isinstance(item, SourceItem):
            told.append(("source", item.depth, item.gradient.variable.name))
        elif isinstance(item, OpaqueItem):
            told.append(("opaque", item.opaque.name))
    assert told == [
        ("tape", 0, 1), ("op", 1, 1), ("tape", 1, 2), ("watch", 2, [1, 2]), ("op", 2, 2), ("stop_recording", 2),
        ("op", 2, 3), ("resume", 2), ("exit", 1), ("call", 1, 1, "Mul 2"), ("source", 1, "conv2d/kernel"),
        ("op", 1, 5), ("exit", 0), ("opaque", "f"),
    ]  # fmt: skip


def test_a_batch_without_tapes_has_no_story(plain: Path) -> None:
    assert story(open_trace(plain), 99) == []
