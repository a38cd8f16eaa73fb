"""Following a frame without keeping alive what it holds."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from tapeinspect.probe.code import CodeTable, Place
from tapeinspect.probe.frames import RunningFrame, locals_of


class Thing:
    """Something with weak references."""


def test_a_frame_is_followed_until_it_returns() -> None:
    running = RunningFrame()

    def function() -> weakref.ref[Thing]:
        thing = Thing()
        running.follow(sys._getframe())
        running.arguments = thing
        assert running.key == id(sys._getframe())
        assert running.find(deeper()) is sys._getframe()
        return weakref.ref(thing)

    def deeper() -> FrameType:
        return sys._getframe()

    thing = function()
    assert thing() is None
    assert running.key == 0 and running.returned_ns > 0
    assert running.find(sys._getframe()) is None


def test_the_next_call_of_the_same_function_is_another_frame() -> None:
    running = RunningFrame()

    def function(follow: bool) -> bool:
        if follow:
            running.follow(sys._getframe())
        return id(sys._getframe()) == running.key

    assert function(True)
    assert not any(function(False) for _ in range(100))


def test_a_frame_that_is_followed_anew() -> None:
    running = RunningFrame()

    def function() -> None:
        for _ in range(2):
            running.follow(sys._getframe())
            running.stop()
        running.follow(sys._getframe())
        assert not running.returned_ns

    function()
    assert running.returned_ns


def test_the_end_of_a_frame_that_is_followed_no_more_is_not_told() -> None:
    running = RunningFrame()

    def inner() -> None:
        running.follow(sys._getframe())

    def outer() -> None:
        def first() -> None:
            running.follow(sys._getframe())
            running.follow(sys._getframe(1))

        first()
        assert running.key == id(sys._getframe()) and not running.returned_ns

    outer()
    assert running.returned_ns


def test_a_generator() -> None:
    running = RunningFrame()

    def numbers() -> Iterator[int]:
        running.follow(sys._getframe())
        yield 1
        assert running.key == id(sys._getframe())
        yield 2

    found = numbers()
    assert [next(found), next(found)] == [1, 2]
    assert running.key
    del found
    gc.collect()
    assert running.returned_ns


def test_a_debugger_that_takes_the_frame_over() -> None:
    running = RunningFrame()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        return trace

    def function() -> None:
        frame = sys._getframe()
        running.follow(frame)
        frame.f_trace = trace  # as `pdb.set_trace` does
        assert running.key == id(frame) and not running.returned_ns
        del frame.f_trace

    function()


def test_a_program_that_is_traced_goes_on() -> None:
    running = RunningFrame()
    lines: list[int] = []

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        lines.append(frame.f_lineno)
        return trace

    def function() -> int:
        running.follow(sys._getframe())
        sys.settrace(trace)
        try:
            return inner()
        finally:
            sys.settrace(None)

    def inner() -> int:
        return 3

    assert function() == 3
    assert lines
    assert running.returned_ns


def test_the_snapshot_of_the_locals_keeps_nothing_alive() -> None:
    def function() -> weakref.ref[Thing]:
        thing = Thing()
        found = locals_of(sys._getframe())
        assert found["thing"] is thing
        reference = weakref.ref(thing)
        del thing, found
        assert reference() is None
        return reference

    function()


def test_a_snapshot_that_the_script_holds_stays() -> None:
    def function() -> dict[str, Any]:
        first = 1
        mine = locals()
        assert locals_of(sys._getframe())["first"] == first
        return mine

    assert function()["first"] == 1


def test_looking_up_the_expression_of_a_frame_keeps_nothing_alive() -> None:
    code = CodeTable(str(Path(__file__).parent), keep_source=False)

    def function() -> tuple[weakref.ref[Thing], Place]:
        thing = Thing()
        return weakref.ref(thing), code.place(sys._getframe(), sys._getframe().f_lasti)

    gc.disable()
    try:
        thing, place = function()
        assert thing() is None
        assert place.role == "user" and place.line
    finally:
        gc.enable()
