"""From a turn of a loop to a function that does the same, and the arguments that make it do so."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any

from tapeinspect.probe import arguments, tf_private
from tapeinspect.probe.errands import WorkRefused
from tapeinspect.probe.frames import locals_of
from tapeinspect.probe.inline.body import INSTEAD, LoopBody
from tapeinspect.probe.inline.text import Signature, compiled, free_name, pasted
from tapeinspect.probe.inline.turn import Same, Turn

_NUMBERS = (bool, int, float, complex)
_made: dict[tuple[str, int, int, Signature], CodeType] = {}
"""By path, line of the loop, first statement and signature: AutoGraph converts the same code once."""


@dataclass(frozen=True, slots=True)
class BodyFunction:
    """A loop's body as a function."""

    function: FunctionType
    args: tuple[Any, ...]
    note: str
    """What it is, in words, and what was left out of it."""
    pasted: str
    """The function and the loop that calls it, as a user would write them."""
    varying: tuple[str, ...]
    """Parameters that are given Python numbers or texts, others with each batch."""
    stays: tuple[str, ...]
    """Names read later that the function binds and cannot give back, since they are no tensors."""
    others: tuple[tuple[str, str, int], ...]
    """(function, name, line of its call) of functions that take what changes with the batch from the globals."""
    signature: Signature
    lines: tuple[int, int]
    """First and last line of its statements."""


def make(turn: Turn, step: int) -> BodyFunction:
    """The function of a turn. Raises WorkRefused when there is none, or when what it needs is gone or not known."""
    body = turn.body
    frame = _running(turn.code)
    local = _local_names(turn.code)
    if frame is None and local:
        _needs_frame(turn, local)
    around = {} if frame is None else (locals_of(frame) if local else {})
    first, values = _values(turn, around or turn.scope)
    parameters, outer = _divide(body, first, values, local)
    gone = [name for name in outer if name not in around and frame is None]
    if gone:
        raise WorkRefused(
            f"{turn.code.co_name}, which the loop stands in, has returned: what {gone[0]} was there is gone",
            "ask while the loop runs: pause at a batch",
        )
    outer = tuple(name for name in outer if name in around)
    names = {**turn.scope, **around}
    returns, stays = _returns(body, first, parameters, names)
    signature = Signature(free_name(body), parameters, outer, returns)
    code = _code(body, first, signature, turn.code)
    cells = tuple(CellType(around[name]) for name in code.co_freevars)
    function = FunctionType(code, turn.scope, signature.name, None, cells)
    function.__qualname__ = signature.name
    given = {name: _given(name, values[name], step) for name in parameters}
    return BodyFunction(
        function,
        tuple(given.values()),
        _note(body, first, parameters),
        pasted(body, first, signature, _tensorflow(turn.scope)),
        tuple(n for n in parameters if n in body.bound and _varies(n, given[n], body, names)),
        stays,
        tuple(o for o in body.read_by_others(first) if _is_data(names.get(o[1]))),
        signature,
        body.lines(first),
    )


def playable(turn: Turn) -> bool:
    """Whether the values are known and alive that a function of this turn needs."""
    try:
        frame = _running(turn.code)
        local = _local_names(turn.code)
        if frame is None and local:
            _needs_frame(turn, local)
        around = locals_of(frame) if frame is not None and local else turn.scope
        first, values = _values(turn, around)
        for name in turn.body.needs(first):
            if name in values:
                _given(name, values[name], 0)
    except WorkRefused:
        return False
    return True


def refusal(body: LoopBody) -> WorkRefused:
    """Why a loop's body cannot be a function."""
    return WorkRefused(f"the step stands inline in the loop at line {body.line}, and {body.refusal}", INSTEAD)


def _running(code: CodeType) -> FrameType | None:
    """The frame of the loop, when it is on the stack of this thread."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code is code:
            return frame
        frame = frame.f_back
    return None


def _local_names(code: CodeType) -> frozenset[str]:
    """The local and outer variables of a function; none of a module, whose names are all global."""
    if not code.co_flags & 1:
        return frozenset()
    return frozenset((*code.co_varnames, *code.co_cellvars, *code.co_freevars))


def _needs_frame(turn: Turn, local: frozenset[str]) -> None:
    """Raise WorkRefused when names are needed of a function that has returned."""
    body = turn.body
    needed = [n for n in body.cut().reads if n in local and n not in body.bound and n not in turn.kept()]
    if needed:
        raise WorkRefused(
            f"{turn.code.co_name}, which the loop stands in, has returned: what it called {needed[0]} is gone",
            "ask while the loop runs: pause at a batch",
        )


def _values(turn: Turn, around: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """(index of the first statement, what the names held before it); names that had no value are left out."""
    body = turn.body
    starts = [body.first]
    if body.first < turn.position - 1 <= body.tape:
        starts.append(turn.position - 1)
    unknown: list[str] = []
    for first in starts:
        values: dict[str, Any] = {}
        unknown = []
        for name in body.needs(first):
            if first == body.first and name in turn.looked_early:
                found = turn.early
            elif name in turn.looked_inside and not body.overwritten(first, turn.line, name):
                found = turn.inside
            else:
                unknown.append(name)
                continue
            if name in found:
                values[name] = _looked_up(name, found[name], around)
        if not unknown:
            return first, values
    raise WorkRefused(
        f"the loop at line {body.line} binds {unknown[0]} anew before the first op of the batch, so what it was"
        " when the batch began is not known",
        "give the new value another name",
    )


def _looked_up(name: str, kept: Any, around: dict[str, Any]) -> Any:
    if isinstance(kept, Same):
        value = around.get(name)
        if id(value) != kept.id:
            raise WorkRefused(f"the {name} of the batch is no more: the script has dropped it", INSTEAD)
        return value
    return kept


def _given(name: str, kept: Any, step: int) -> Any:
    try:
        return arguments.given({name: kept})[name]
    except LookupError as error:
        raise WorkRefused(f"the {name} of batch {step} {error.args[1]}", "ask for a later batch") from None


def _divide(
    body: LoopBody, first: int, values: dict[str, Any], local: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(parameters, names that are taken from around the function): what changes with the batch is a parameter.

    So is a tensor or number that only a loop around binds: it changes, too, if more slowly. An object does not.
    """
    given = [n for n in body.needs(first) if n in values and (n in body.bound or _is_data(values[n]))]
    parameters = body.in_order(given)
    outer = [
        name
        for name in body.cut(first).reads
        if name in local and name not in parameters and name not in body.bound
    ]
    return tuple(parameters), tuple(outer)


def _is_data(kept: Any) -> bool:
    kind = type(kept)
    return kind in _NUMBERS or kind.__module__ == "numpy" or bool(tf_private.is_tensor_value(kept))


def _varies(name: str, value: Any, body: LoopBody, now: dict[str, Any]) -> bool:
    """Whether each batch gives a parameter a Python value of its own, for which a function is traced anew."""
    if isinstance(value, (list, tuple)):
        return any(_varies(name, item, body, now) for item in value[:100])
    if type(value) not in (int, float, complex, str, bytes):
        return False
    # a sum may begin with a number and go on as a tensor
    return name in body.targets or type(now.get(name)) is type(value)


def _returns(
    body: LoopBody, first: int, parameters: tuple[str, ...], names: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names that the function gives back, names that it would and cannot)."""
    cut = body.cut(first)
    wanted = [n for n in cut.binds if n in body.read_later and (n in cut.certain or n in parameters)]
    wanted.sort(key=lambda name: (name in parameters, name))
    stays = [n for n in wanted if n in names and not _can_be_returned(names[n])]
    return tuple(n for n in wanted if n not in stays), tuple(stays)


def _can_be_returned(value: Any, depth: int = 4) -> bool:
    """Whether a traced function could give back a value of this kind."""
    if isinstance(value, (list, tuple)) and depth:
        return all(_can_be_returned(item, depth - 1) for item in value[:100])
    if isinstance(value, dict) and depth:
        return all(_can_be_returned(item, depth - 1) for item in list(value.values())[:100])
    if value is None or isinstance(value, (*_NUMBERS, str, bytes)):
        return True
    return (
        type(value).__module__ == "numpy"
        or bool(tf_private.is_tensor_value(value))
        or hasattr(value, "assign")
    )


def _code(body: LoopBody, first: int, signature: Signature, like: CodeType) -> CodeType:
    key = (body.path, body.line, first, signature)
    if key not in _made:
        try:
            _made[key] = compiled(body, first, signature, like, len(_made) + 1)
        except SyntaxError as error:
            raise WorkRefused(
                f"the body of the loop at line {body.line} cannot be a function: {error.msg}", INSTEAD
            ) from None
    return _made[key]


def _note(body: LoopBody, first: int, parameters: tuple[str, ...]) -> str:
    where = f"{os.path.basename(body.path)}:{body.line}"
    of = f" of {_listed(parameters)}" if parameters else ""
    text = f"the step is the body of the loop at {where}, as a function{of}"
    ends, first_line = body.lines(first)[1], body.statements[first].lineno
    if first or body.end < len(body.statements):
        stretch = f"line {first_line}" if first_line == ends else f"lines {first_line} to {ends}"
        text += f"; only {stretch}: the rest stays in the loop"
    return text


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _tensorflow(scope: dict[str, Any]) -> str:
    """What the script calls TensorFlow."""
    module = sys.modules.get("tensorflow")
    return next(
        (name for name, value in list(scope.items()) if value is module and name != "tensorflow"), "tf"
    )
