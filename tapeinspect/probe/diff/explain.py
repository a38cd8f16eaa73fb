"""Why a step cannot be traced, in the user's words: what TensorFlow's error means and what to write instead."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Final

from tapeinspect.meanings import meaning


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an error means and what to do about it."""

    rule: str
    message: str
    hint: str


_OTHER_NAMES: Final = {"std": "math.reduce_std", "var": "math.reduce_variance"}


def explain(
    error_type: str, message: str, code: str = "", statement: ast.stmt | None = None, converted: bool = True
) -> Explanation:
    """What an error of tracing means.

    code: the line it was raised in; statement: what that line is part of; converted: AutoGraph converts that code.
    """
    inner = re.match(r"(\w*(?:Error|Exception)): ", message)
    if inner:  # AutoGraph wraps some errors in one of its own
        error_type, message = inner[1], message[inner.end() :]
    known = meaning(error_type, message, statement, converted)
    if known is not None:
        instead = _without_numpy(code) if known.rule == "eager-only-numpy" else None
        return Explanation(known.rule, known.traced, instead or known.fix)
    short = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return Explanation("fails-to-trace", f"{error_type}: {short}" if short else error_type, "")


def _without_numpy(code: str) -> str | None:
    """What a line with `.numpy()` in it should be, None where there is none."""
    if ".numpy()" not in code:
        return None
    instead = code.replace(".numpy()", "")
    method = re.search(r"(\w[\w.]*)\.numpy\(\)\.(mean|sum|max|min|prod|std|var|any|all)\(\)", code)
    if method:
        op = _OTHER_NAMES.get(method[2], f"reduce_{method[2]}")
        instead = code.replace(method[0], f"tf.{op}({method[1]})")
    stored = re.search(r"\.append\(|\+=|\.add\(|\[.*\]\s*=[^=]", code)
    value = re.sub(r"^.*?\.(?:append|add)\((.*)\)$", r"\1", instead) if stored else instead
    return f"write `{value}` and " + (
        "return it from the step; append it, with `.numpy()`, where the step is called"
        if stored
        else "call `.numpy()` where the step returns it"
    )
