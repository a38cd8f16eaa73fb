"""The body of a loop as a function, without TensorFlow: what is pasted does what the loop did."""

from __future__ import annotations

import ast
import linecache
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tapeinspect.probe.inline.body import LoopBody
from tapeinspect.probe.inline.names import Names
from tapeinspect.probe.inline.statements import path_to
from tapeinspect.probe.inline.text import Signature, compiled, free_name, lines_of, pasted
from tapeinspect.probe.loops import LoopTable

TAPE = """\
class GradientTape:
    def __enter__(self):
        return self
    def __exit__(self, *_):
        return None
log = []
"""
SAME = {
    "carried": """
        total, best = 0, None
        for x in [3, 1, 2]:
            with GradientTape() as tape:
                loss = x * 2
            total += loss
            if best is None or loss < best:
                best = loss
        log.append((total, best))
    """,
    "continue": """
        last = "none"
        for step, (a, b) in enumerate([(1, 2), (3, 4), (5, 6)]):
            if a == 3:
                log.append("skipped")  # then
                continue
            with GradientTape() as tape:
                last = a + b + step
        log.append(last)
    """,
    "kept from turn to turn": """
        seen = 0
        for x in range(4):
            if x % 2:
                seen = x
            with GradientTape() as tape:
                log.append(x + seen)
    """,
    "head on several lines": """
        total = 0.0
        for x in map(
            float,
            [1, 2],
        ):  # the batches
            # a comment that stays
            with GradientTape() as tape:
                total = total + x
        log.append(total)
    """,
    "leaves": """
        for n in range(10):
            if n > 4:
                break
            n = n + 1
            with GradientTape() as tape:
                y = n * n
            if y > 9:
                break
            log.append(y)
        log.append((n, y))
    """,
    "while": """
        items = iter([1, 2, 3])
        left, total = 3, 0
        while left:
            x = next(items)
            with GradientTape() as tape:
                total += x
            log.append(total)
            left -= 1
    """,
    "comprehensions, try, walrus, del": """
        scale = 2
        for x in [[1, 2], [3]]:
            scaled = [scale * y for y in x if (top := y)]
            try:
                with GradientTape() as tape:
                    first = scaled[1]
            except IndexError as error:
                first = str(error)
            log.append((first, top, lambda: scale))
            log.pop()
            log.append(first)
            del scaled
    """,
    "bound by an inner loop or the first turn": """
        for step, xs in enumerate([[1, 2], [3]]):
            for x in xs:
                last = x * 2
            with GradientTape() as tape:
                mean = last if step == 0 else last + step
            log.append((last, mean))
        log.append(last)
    """,
    "in a function": """
        def main(rate):
            total, log_here = 0.0, log
            for epoch in range(2):
                for x in (1.0, 2.0):
                    with GradientTape() as tape:
                        loss = rate * x
                    total = total + loss
                log_here.append(total)
            return total
        log.append(main(0.5))
    """,
}


def body_of(source: str, path: Path) -> LoopBody:
    """The loop of a source whose turns are batches."""
    path.write_text(source, "utf-8")
    linecache.checkcache(str(path))
    table = LoopTable()
    (loop,) = table.of_file(str(path))
    tree = table.tree(str(path))
    assert tree is not None
    around = path_to(tree, loop)
    assert around is not None
    return LoopBody(str(path), loop, around)


def signature(body: LoopBody) -> Signature:
    """Its function with every name that it may be given."""
    cut = body.cut()
    parameters = tuple(n for n in body.needs() if n in body.bound)
    known = [n for n in sorted(cut.binds) if n in body.read_later and (n in cut.certain or n in parameters)]
    return Signature(free_name(body), parameters, (), tuple(known))


def run(source: str) -> Any:
    """What a program logs."""
    names: dict[str, Any] = {}
    exec(compile(source, "<program>", "exec"), names)
    return names["log"]


@pytest.mark.parametrize("name", SAME)
def test_what_is_pasted_does_what_the_loop_did(name: str, tmp_path: Path) -> None:
    """The program with the function in the loop's place logs the same."""
    source = TAPE + textwrap.dedent(SAME[name])
    body = body_of(source, tmp_path / "train.py")
    assert not body.refusal
    lines = source.splitlines(keepends=True)
    indent = " " * (len(lines[body.line - 1]) - len(lines[body.line - 1].lstrip()))
    code = textwrap.indent(pasted(body, body.first, signature(body), "tf"), indent)
    end = body.statements[-1].end_lineno
    changed = "".join([*lines[: body.line - 1], code, *lines[end:]]).replace("@tf.function\n", "\n")
    assert run(changed) == run(source), changed


def test_the_function_stands_on_the_lines_of_the_user(tmp_path: Path) -> None:
    """Each statement has the line and columns that it has in the user's file, and so has the code."""
    source = TAPE + textwrap.dedent(SAME["in a function"])
    body = body_of(source, tmp_path / "train.py")
    about = Signature("step", ("x", "total"), ("rate",), ("total",))
    lines, own = lines_of(body, 0, about), source.splitlines()
    first, last = body.lines(0)
    assert lines[first - 1 : last] == own[first - 1 : last]
    assert lines[body.line - 1].strip() == "def step(x, total):"
    code = compiled(body, 0, about, compile(source, "x", "exec"), 1)
    assert (code.co_firstlineno, code.co_freevars) == (body.line, ("rate",))
    assert code.co_filename != body.path and Path(code.co_filename).samefile(body.path)
    assert "def step" in linecache.getline(code.co_filename, body.line)
    assert "for x in" in linecache.getline(body.path, body.line)


@pytest.mark.parametrize(
    ("inner", "why"),
    [
        ("with GradientTape() as tape:\n        break", "`break` on line 9"),
        ("with GradientTape() as tape:\n        while True:\n            break", ""),
        ("with GradientTape() as tape: pass; x = 1", ""),
        ("x = 1; y = 2\n    with GradientTape() as tape:\n        pass", "share a line"),
    ],
)
def test_what_no_function_can_do_is_refused(inner: str, why: str, tmp_path: Path) -> None:
    """In words, with the line."""
    body = body_of(f"{TAPE}for x in ():\n    {inner}\n", tmp_path / "train.py")
    assert (why in body.refusal) if why else not body.refusal, body.refusal


def test_a_value_is_known_to_be_overwritten_or_not(tmp_path: Path) -> None:
    """A statement that runs has not bound its target yet; one before it, or one in an inner loop, may have."""
    text = "for x in ():\n    x = f(x)\n    for i in x:\n        y = i\n"
    text += "    with GradientTape() as tape:\n        z = y\n"
    body = body_of(TAPE + text, tmp_path / "train.py")
    assert [body.overwritten(0, line, "x") for line in (8, 9, 11)] == [False, True, True]
    assert body.overwritten(0, 10, "y") and not body.overwritten(0, 8, "y")
    assert not body.overwritten(0, 11, "z")


def test_parameters_are_in_the_order_of_the_head(tmp_path: Path) -> None:
    """What the loop binds first, as it stands there, then what goes from turn to turn."""
    text = "t = 0\nfor n, (b, *a) in ():\n    with GradientTape() as tape:\n        t = t + a + b + n\n"
    body = body_of(TAPE + text, tmp_path / "train.py")
    assert body.in_order(body.needs()) == ["n", "b", "a", "t"]


def test_names_are_followed() -> None:
    """What is read before it is bound, and what is surely bound at the end."""
    source = """
        a = b
        if a:
            c = 1
        else:
            c, d = 2, 3
        for e in c:
            f = d
        with g as h:
            i = h
        match i:
            case [j, *k]:
                m = j
            case _:
                m = n
        o: int = p
        def q(r=s):
            return r + t + u
        import v.w
    """
    names = Names()
    bound = names.follow(ast.parse(textwrap.dedent(source)).body)
    assert set(names.reads) == {"b", "d", "g", "n", "p", "s", "t", "u"}
    assert bound == {"a", "c", "h", "i", "m", "o", "q", "v"}
