"""Why a step cannot be traced, in the user's words: what TensorFlow's error means and what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an error means and what to do about it."""

    rule: str
    message: str
    hint: str


_Entry = tuple[str, str, str, str, str]
"""Regular expressions for the error's type and message; rule, message and hint."""

_KNOWN: Final[tuple[_Entry, ...]] = (
    (
        "AttributeError",
        r"object has no attribute '(?:numpy|_numpy)'|numpy\(\) is only available|no attribute 'item'",
        "eager-only-call",
        "`.numpy()` exists only eagerly: while a step is traced its tensors have no values yet",
        "leave the tensor as it is and call `.numpy()` where the step returns it; in the step, tf ops such as"
        " tf.reduce_mean take the place of NumPy's",
    ),
    (
        "NotImplementedError|TypeError|ValueError",
        r"[Cc]annot convert a symbolic|numpy array.*symbolic|__array__",
        "numpy-in-graph",
        "NumPy needs values, and while a step is traced its tensors have none",
        "use the tf op of the same meaning, or wrap the NumPy code in tf.numpy_function",
    ),
    (
        "TypeError|ValueError",
        r"(?:must be|argument must be).*(?:real number|string|number|int|float).*(?:Tensor|Symbolic)"
        r"|unsupported format string passed to|only.*arrays can be converted|'SymbolicTensor'|__(?:float|int|index)__",
        "python-number",
        "a Python number is wanted here, and while a step is traced its tensors have no values yet",
        "keep it a tensor: tf.cast(x, tf.float32) in place of float(x), tf.cast(x, tf.int32) in place of int(x)",
    ),
    (
        "OperatorNotAllowedInGraphError",
        r"[Ii]terating",
        "python-loop",
        "Python cannot loop over a symbolic tensor here",
        "loop with `for x in tensor` in code that AutoGraph converts, or use tf.map_fn or tf.unstack",
    ),
    (
        "OperatorNotAllowedInGraphError|TypeError",
        r"as a Python `?bool|symbolic `?tf\.Tensor`?.*bool",
        "python-bool",
        "Python wants to know here whether a tensor is true, and while a step is traced it has no value yet",
        "use tf.cond, tf.where, tf.logical_and or tf.debugging.assert_*; a plain `if` in code that AutoGraph converts"
        " works too",
    ),
    (
        "ValueError",
        r"singleton tf\.Variable|tf\.Variable.*created on the first call|non-first call|creating variables",
        "late-variable",
        "the step creates a tf.Variable in a call after the first, and a tf.function may do that in its first one only",
        "create the variable once, outside of the step or in __init__",
    ),
    (
        "InaccessibleTensorError|TypeError|ValueError",
        r"out of scope|cannot be accessed from here|different graph|leaked|not an element of this graph",
        "leaked-tensor",
        "a tensor of another trace or branch is used here: it was kept in a Python variable, list or attribute",
        "return it from the function or the branch that makes it, or keep it in a tf.Variable or tf.TensorArray",
    ),
    (
        "ValueError|UnboundLocalError|TypeError",
        r"must also be initialized|must be defined before the loop|is undefined|may not be None|used before.*defin",
        "undefined-in-branch",
        "a variable is set in one branch or only inside of the loop: a graph needs it on every way",
        "give it a value of the same type before the `if` or the loop",
    ),
    (
        "TypeError|ValueError",
        r"(?:has|have) (?:dtype|type|shape).*(?:iteration|main branch|else|body)|shape invariant"
        r"|does not have the same (?:type|structure|shape|dtype)|inconsistent types|same nested structure",
        "type-changes",
        "a variable of the loop or branch changes its type or shape, and in a graph it may not",
        "make its type and shape the same throughout; tf.autograph.experimental.set_loop_options(shape_invariants=…)"
        " allows shapes to differ",
    ),
    (
        "TypeError|InvalidArgumentError|ValueError",
        r"has type \w+ that does not match type|cannot compute .* as input",
        "type-changes",
        "two types meet here: a Python number has become a tensor of its own type while tracing, which eager Python"
        " converts each time",
        "begin with a number of the right type (0.0 in place of 0), or use tf.cast",
    ),
    (
        "RecursionError",
        r"",
        "recursion",
        "recursion that ends by a tensor's value never ends while tracing, since both branches are traced",
        "write it as a loop, or let it end by a Python number",
    ),
    (
        "TypeError|ValueError",
        r"len is not well defined|`len` is not",
        "python-len",
        "len() needs a shape that is known while tracing",
        "use tf.shape(x)[0]",
    ),
    (
        "AssertionError|OperatorNotAllowedInGraphError",
        r"assert",
        "python-assert",
        "`assert` runs once, while tracing, where the tensor has no value yet",
        "use tf.debugging.Assert or tf.debugging.assert_*",
    ),
    (
        "AttributeError",
        r"[Ss]ymbolic.*no attribute|Tensor.*(?:is meaningless|not available) .*eager",
        "eager-only-call",
        "this exists only eagerly: while a step is traced its tensors have no values yet",
        "use the tf op of the same meaning",
    ),
    (
        "NotImplementedError|RuntimeError|ValueError|AttributeError",
        r"eager execution|when eager|within a (?:tf\.)?function|inside a (?:tf\.)?function",
        "eager-only-call",
        "this works only eagerly",
        "do it outside of the step",
    ),
)  # fmt: skip


def explain(error_type: str, message: str, code: str = "") -> Explanation:
    """What an error of tracing means. code: the line it was raised in."""
    inner = re.match(r"(\w*(?:Error|Exception)): ", message)
    if inner:  # AutoGraph wraps some errors in one of its own
        error_type, message = inner[1], message[inner.end() :]
    for types, pattern, rule, text, hint in _KNOWN:
        if re.fullmatch(types, error_type) and re.search(pattern, message):
            return _sharpen(Explanation(rule, text, hint), code, message)
    short = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return Explanation("fails-to-trace", f"{error_type}: {short}" if short else error_type, "")


def _sharpen(found: Explanation, code: str, message: str) -> Explanation:
    """Say what the line itself should be where that is plain."""
    attribute = re.search(r"no attribute '(\w+)'", message)
    if found.rule == "eager-only-call" and ".numpy()" in code:
        instead = code.replace(".numpy()", "")
        method = re.search(r"(\w[\w.]*)\.numpy\(\)\.(mean|sum|max|min|prod|std|var|any|all)\(\)", code)
        if method:
            op = {"std": "math.reduce_std", "var": "math.reduce_variance"}.get(
                method[2], f"reduce_{method[2]}"
            )
            instead = code.replace(method[0], f"tf.{op}({method[1]})")
        stored = re.search(r"\.append\(|\+=|\.add\(|\[.*\]\s*=[^=]", code)
        value = re.sub(r"^.*?\.(?:append|add)\((.*)\)$", r"\1", instead) if stored else instead
        hint = f"write `{value}` and " + (
            "return it from the step; append it, with `.numpy()`, where the step is called"
            if stored
            else "call `.numpy()` where the step returns it"
        )
        return Explanation(found.rule, found.message, hint)
    if found.rule == "eager-only-call" and attribute and attribute[1] not in ("numpy", "_numpy"):
        text = found.message.replace("`.numpy()`", f"`.{attribute[1]}`")
        return Explanation(found.rule, text, found.hint)
    if found.rule == "python-bool" and code.startswith("assert"):
        return explain("AssertionError", "assert")
    return found
