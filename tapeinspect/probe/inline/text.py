"""The source of a loop's body as a function: as it is compiled, on the user's own lines, and as one would paste it."""

from __future__ import annotations
import __future__

import ast
import linecache
import os
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType

from tapeinspect.probe.inline.body import LoopBody
from tapeinspect.probe.inline.names import bound_in

_NAMES = ("train_step", "batch_step", "loop_body")
_FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


@dataclass(frozen=True, slots=True)
class Signature:
    """What the function is given and gives back."""

    name: str
    parameters: tuple[str, ...]
    outer: tuple[str, ...]
    """Names of the function around the loop that it only reads."""
    returns: tuple[str, ...]


def free_name(body: LoopBody, taken: Sequence[str] = ()) -> str:
    """A name for the function that nothing in the user's file has."""
    text = "".join(linecache.getlines(body.path))
    numbered = (f"{_NAMES[0]}_{number}" for number in range(2, 1000))
    return next(name for name in (*_NAMES, *numbered) if name not in text and name not in taken)


def lines_of(body: LoopBody, first: int, signature: Signature) -> list[str]:
    """The lines of a file that holds the function alone, each of the user's on the line that it has in theirs."""
    source = _source(body)
    begins, ends = body.lines(first)
    lines = [""] * (ends + 1)
    indent = _indent(source[body.line - 1])
    if indent:
        # a function around it, on the line before, has the names that it takes from there
        lines[body.line - 2] = f"def _({', '.join(signature.outer)}):"
    lines[body.line - 1] = f"{indent}def {signature.name}({', '.join(signature.parameters)}):"
    lines[begins - 1 : ends] = _body(body, first, source, signature)
    if signature.returns:
        lines[ends] = (
            f"{_indent(source[body.statements[first].lineno - 1])}return {', '.join(signature.returns)}"
        )
    return lines


def compiled(body: LoopBody, first: int, signature: Signature, like: CodeType, number: int) -> CodeType:
    """The code of the function, with its source where `inspect` looks for it. Raises SyntaxError.

    It is known by another spelling of the file's path, `dir/./train.py`, so that whoever asks for the source of that
    path finds this function where the loop is, and whoever asks which file it is finds the user's own. number: which
    such spelling, from 1.
    """
    lines = [f"{line}\n" for line in lines_of(body, first, signature)]
    text = "".join(lines)
    folder, name = os.path.split(body.path)
    path = os.path.join(folder, *["."] * number, name)
    code = compile(text, path, "exec", like.co_flags & _FUTURE, dont_inherit=True)
    linecache.cache[path] = (len(text), None, lines, path)
    found = _find(code, signature.name, body.line)
    assert found is not None
    return found


def pasted(body: LoopBody, first: int, signature: Signature, tensorflow: str) -> str:
    """The function and the loop that calls it, as a user would write them. tensorflow: its name in the script."""
    source = _source(body)
    indent = _indent(source[body.line - 1])
    inner = _indent(source[body.statements[first].lineno - 1])
    begins, ends = body.lines(first)
    done = ", ".join(signature.returns)
    call = f"{signature.name}({', '.join(signature.parameters)})"
    last = body.statements[-1].end_lineno or ends
    skipped = bound_in(body.statements[:first])
    missing = [n for n in signature.parameters if n not in body.bound_outside and n not in skipped]
    lines = [
        f"{indent}@{tensorflow}.function",
        f"{indent}def {signature.name}({', '.join(signature.parameters)}):",
        *_body(body, first, source, signature),
        *([f"{inner}return {done}"] if done else []),
        "",
        *(f"{indent}# {name} needs a value before the first batch" for name in missing),
        *(line.rstrip("\r\n") for line in source[body.line - 1 : begins - 1]),
        f"{inner}{done + ' = ' if done else ''}{call}",
        *(line.rstrip("\r\n") for line in source[ends:last]),
    ]
    return "\n".join(line.removeprefix(indent) for line in lines) + "\n"


def _body(body: LoopBody, first: int, source: list[str], signature: Signature) -> list[str]:
    """The lines of the function's statements; `continue` ends the function."""
    begins, ends = body.lines(first)
    lines = [line.rstrip("\r\n") for line in source[begins - 1 : ends]]
    instead = f"return {', '.join(signature.returns)}".rstrip()
    for node in sorted(body.continues(first), key=_at, reverse=True):
        line = lines[node.lineno - begins].encode()
        head, tail = line[: node.col_offset], line[node.end_col_offset or 0 :]
        lines[node.lineno - begins] = (head + instead.encode() + tail).decode()
    return lines


def _at(node: ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _source(body: LoopBody) -> list[str]:
    return linecache.getlines(body.path)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _find(code: CodeType, name: str, line: int) -> CodeType | None:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name == name and constant.co_firstlineno == line:
                return constant
            found = _find(constant, name, line)
            if found is not None:
                return found
    return None
