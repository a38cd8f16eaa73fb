"""What TensorFlow's errors while tracing mean, and what to write instead: text to text, for both sides of the tool."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Final

_NO_VALUE = "a tensor has no value while the step is traced"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error means."""

    rule: str
    eager: str
    """What the line does eagerly."""
    traced: str
    """Why it cannot be traced."""
    fix: str


@dataclass(frozen=True, slots=True)
class _Known:
    """An error of TensorFlow's, told by its text."""

    pattern: re.Pattern[str]
    meaning: Meaning


def _known(pattern: str, rule: str, eager: str, traced: str, fix: str) -> _Known:
    return _Known(re.compile(pattern, re.DOTALL), Meaning(rule, eager, traced, fix))


_BOOL = r"[Uu]sing a symbolic `?tf\.Tensor`? as a Python `?bool`?"
_ITER = r"[Ii]terating over a symbolic `?tf\.Tensor`?"

KNOWN: Final[tuple[_Known, ...]] = (
    _known(
        r"has no attribute '?numpy'?",
        "eager-only-numpy",
        "Eagerly, .numpy() gives the value of a tensor.",
        f"Traced, {_NO_VALUE}: .numpy() exists only eagerly.",
        "Keep to tensors inside the step (tf.reduce_mean(x) for x.numpy().mean()), return the tensor, and call .numpy()"
        " on what the step returns.",
    ),
    _known(
        r"has no attribute '?(item|tolist|backing_device|__array__)'?",
        "eager-only-numpy",
        "Eagerly, this gives the value of a tensor.",
        f"Traced, {_NO_VALUE}.",
        "Keep to tensors inside the step and look at the value of what the step returns.",
    ),
    _known(
        r"Cannot convert a symbolic `?tf\.Tensor`?.* to a numpy array|symbolic tensor.*numpy",
        "eager-only-numpy",
        "Eagerly, NumPy takes the value of the tensor.",
        f"Traced, {_NO_VALUE}, so NumPy cannot take it.",
        "Use the TensorFlow function instead (tf.reduce_sum for np.sum, tf.random for np.random, ...), or wrap the code"
        " in tf.numpy_function.",
    ),
    _known(
        r"Tensor is unhashable",
        "tensor-as-key",
        "Eagerly, too, a tensor cannot be the key of a dict or the member of a set.",
        "Traced, it cannot either.",
        "Use tensor.ref() as the key, or a tf.lookup table.",
    ),
    _known(
        r"does not support item assignment",
        "tensor-item-assignment",
        "Eagerly, too, the parts of a tensor cannot be assigned.",
        "Traced, they cannot either.",
        "Use tf.tensor_scatter_nd_update, or a tf.Variable.",
    ),
    _known(
        r"must be real number, not \w*Tensor|only .* arrays can be converted to Python scalars|argument must be"
        r" (?:a string, a bytes-like object or a|an?) (?:real )?number, not '?\w*Tensor|__(?:float|int|index)__",
        "python-number",
        "Eagerly, Python takes the value of the tensor as a number.",
        f"Traced, {_NO_VALUE}, so it is no number of Python's.",
        "Keep it a tensor: tf.sqrt(x) for math.sqrt(x), tf.cast(x, tf.float32) for float(x), tf.cast(x, tf.int32) for"
        " int(x).",
    ),
    _known(
        r"unsupported format string passed to \w*Tensor",
        "eager-only-format",
        "Eagerly, the value of the tensor is formatted.",
        f"Traced, {_NO_VALUE}, so it cannot be formatted.",
        "Format what the step returns, or use tf.strings.format and tf.print.",
    ),
    _known(
        r"must also have a return statement|has a return statement.*must",
        "return-in-one-branch",
        "Eagerly, only one branch runs, so the other needs no return.",
        "Traced, both branches of a condition on a tensor become parts of the graph and both must return a value.",
        "Return from both branches, or assign the result in both and return it behind the `if`.",
    ),
    _known(
        r"must also be initialized|may be undefined|is undefined|must be defined before the loop|used before"
        r" assignment",
        "undefined-in-branch",
        "Eagerly, the variable is there when the branch that binds it ran.",
        "Traced, both branches become parts of the graph, and a variable that one binds must be bound in the other, or"
        " before.",
        "Give the variable a value of the same dtype before the `if` or the loop.",
    ),
    _known(
        r"is None at the end|must not be None|cannot be None|is None, but",
        "none-in-branch",
        "Eagerly, a variable may be None in one branch and a tensor in the other.",
        "Traced, the graph has to give one tensor for both, and None is none.",
        "Use a tensor that stands for nothing (tf.zeros_like, a flag beside it) in place of None.",
    ),
    _known(
        r"has dtype (\S+) (in the main branch|before the loop).*dtype (\S+) ",
        "type-changes",
        "Eagerly, a variable may change its dtype.",
        "Traced, a variable must have one dtype in both branches and in every turn of a loop.",
        "Cast it to the same dtype in both places: tf.cast, or 0.0 in place of 0.",
    ),
    _known(
        r"has shape .* before the loop, but shape",
        "shape-changes",
        "Eagerly, a variable may have another shape in every turn of a loop.",
        "Traced, the loop is one part of the graph and its variables must keep their shape, unless told otherwise.",
        "Call tf.autograph.experimental.set_loop_options(shape_invariants=[(y, tf.TensorShape([None]))]) first in the"
        " loop, or collect the parts in a tf.TensorArray.",
    ),
    _known(
        r"does not have the same nested structure|don't have the same (nested|set of)|structure",
        "structure-changes",
        "Eagerly, a variable may hold something of another structure after the branch or the turn.",
        "Traced, a list, tuple or dict must keep its number of parts and keys in branches and loops.",
        "Make the structure the same on both paths; collect a growing list in a tf.TensorArray.",
    ),
    _known(
        r"only supports singleton tf\.Variables|[Cc]reat\w+ (a )?variables? on a non-first call|tried to create"
        r" variables",
        "variable-creation",
        "Eagerly, each batch makes a fresh variable.",
        "Traced, variables may be made in the very first call only.",
        "Make the variable once, outside of the step or behind `if self.v is None`.",
    ),
    _known(
        r"out of scope|defined in another function|cannot be accessed (from here|here)|InaccessibleTensor",
        "leaked-tensor",
        "Eagerly, a tensor kept in a list, a dict or an attribute has its value wherever it is used.",
        "Traced, a tensor belongs to the loop, branch or function that made it and cannot be used outside of that.",
        "Return it, make it a variable of the loop, or collect it in a tf.TensorArray.",
    ),
    _known(
        r"maximum recursion depth",
        "recursion",
        "Eagerly, the recursion ends when its condition on a tensor does.",
        "Traced, both branches are traced, so the recursion has no end.",
        "Write it as a while loop, or let a Python number decide how deep it goes.",
    ),
    _known(
        r"should not modify its Python input arguments",
        "changed-argument",
        "Eagerly, a list or dict that the step is given may be changed by it.",
        "Traced, a step may not change its arguments: the change would happen once for each trace.",
        "Change a copy and return it, or change it where the step is called.",
    ),
    _known(
        r"len is not well defined|`len` is not",
        "unknown-shape",
        "Eagerly, every tensor has a length.",
        "Traced, a dimension that differs between calls is not known, so len() has no answer.",
        "Use tf.shape(x)[0].",
    ),
    _known(
        r"int\(\) argument must be .* not 'NoneType'|'NoneType' object cannot be interpreted as an integer",
        "unknown-shape",
        "Eagerly, every dimension of x.shape is a number.",
        "Traced, a dimension that differs between calls is None.",
        "Use tf.shape(x)[0] where the number itself is needed.",
    ),
    _known(
        r"slice index -?\d+ of dimension \d+ out of bounds",
        "static-index",
        "Eagerly, the index is only used when the branch that it stands in runs.",
        "Traced, both branches of a condition on a tensor are built, and an index is checked against a shape that is"
        " known.",
        "Test x.shape[0], a Python number, in place of tf.shape(x)[0]; or leave the dimension open with an"
        " input_signature.",
    ),
    _known(
        r"(?:of|has) type \w+ that does not match type \w+|[Ii]nvalid dtype|Incompatible types"
        r"|requires? .* to be .*dtype",
        "dtype-mismatch",
        "Eagerly, too, tensors of different dtypes do not mix.",
        "Traced, a Python number that meets a tensor takes the tensor's dtype, a loop variable included.",
        "Cast one of them: tf.cast(x, tf.float32); begin loop variables with the dtype they end with.",
    ),
    _known(
        r"for [-+*/@%]+=?: '\w+' and 'NoneType'|for [-+*/@%]+=?: 'NoneType' and '\w+'",
        "none-in-graph",
        "Eagerly, there is a value here.",
        "Traced, it is None: mostly the gradient of what comes out of a loop over a tf.data.Dataset, which no gradient"
        " goes through in a graph.",
        "Open the tape inside of the loop, and apply the gradient there.",
    ),
    _known(
        r"must return zero or more Tensors",
        "returned-object",
        "Eagerly, a step may return any object.",
        "Traced, a function gives back tensors, numbers, strings, None and structures of them.",
        "Return the tensors that are needed of the object.",
    ),
    _known(
        r"tape\.gradient.*only|[Cc]annot evaluate tensor using `?eval",
        "eager-only-numpy",
        "Eagerly, there is nothing to evaluate.",
        f"Traced, {_NO_VALUE}.",
        "Use what the step returns.",
    ),
    _known(
        r"(?:only|not) (?:supported|available|implemented) .*eager|eager execution|when eager|[Ss]ymbolic.*no attribute"
        r"|[Ww]ithin a (?:tf\.)?function|inside a (?:tf\.)?function",
        "eager-only-call",
        "Eagerly, this works.",
        f"Traced, it does not: {_NO_VALUE}.",
        "Do it outside of the step, with what the step returns.",
    ),
)


def meaning(error: str, message: str, statement: ast.stmt | None, converted: bool = True) -> Meaning | None:
    """What an error while tracing means; None for one that is not TensorFlow's way of saying "not while tracing".

    `statement`: the user's line that it came from.
    """
    if re.search(_BOOL, message):
        return _bool(statement, converted)
    if re.search(_ITER, message):
        return _iteration(statement)
    if error == "NotImplementedError" and "numpy" in message:
        return next(k.meaning for k in KNOWN if k.meaning.rule == "eager-only-numpy")
    for known in KNOWN:
        if known.pattern.search(message):
            number = known.meaning.rule == "python-number"
            return _FORMAT if number and _formats(statement) else known.meaning
    if statement is not None and any(isinstance(node, ast.Raise) for node in ast.walk(statement)):
        return Meaning(
            "raise-under-condition",
            f"Eagerly, {error} is raised when the condition holds.",
            "Traced, Python runs both branches of a condition on a tensor, so it is raised whatever the value.",
            "Use tf.debugging.assert_... or tf.debugging.Assert, or raise outside of the step, on what it returns.",
        )
    return None


_FORMAT: Final = next(known.meaning for known in KNOWN if known.meaning.rule == "eager-only-format")


def _formats(statement: ast.stmt | None) -> bool:
    """Whether a statement has a text with `%`."""
    return statement is not None and any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mod)
        and isinstance(node.left, ast.Constant)
        and isinstance(node.left.value, str)
        for node in ast.walk(statement)
    )


def _bool(statement: ast.stmt | None, converted: bool) -> Meaning:
    nodes = list(ast.walk(statement)) if statement is not None else []
    if isinstance(statement, ast.Assert):
        return Meaning(
            "assert-on-tensor",
            "Eagerly, assert checks the value of the tensor in every batch.",
            f"Traced, {_NO_VALUE}, and AutoGraph leaves assert alone.",
            "Use tf.debugging.assert_less and the like, or tf.debugging.Assert(condition, [x]).",
        )
    if any(isinstance(n, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)) for n in nodes):
        return Meaning(
            "comprehension-on-tensor",
            "Eagerly, the comprehension chooses by the value of a tensor.",
            f"Traced, {_NO_VALUE}, and AutoGraph does not convert comprehensions.",
            "Write a for loop with an `if`, or use tf.boolean_mask or tf.where.",
        )
    name = _builtin(nodes)
    if name is not None:
        return Meaning(
            "builtin-on-tensor",
            f"Eagerly, {name} compares the values of tensors.",
            f"Traced, {_NO_VALUE}, and AutoGraph does not convert {name} of several tensors.",
            _INSTEAD.get(name, "Use the TensorFlow function."),
        )
    if any(
        isinstance(n, ast.Compare) and any(isinstance(o, (ast.In, ast.NotIn)) for o in n.ops) for n in nodes
    ):
        return Meaning(
            "membership-of-tensor",
            "Eagerly, `in` compares the value of the tensor with each member.",
            f"Traced, {_NO_VALUE}.",
            "Use tf.reduce_any(tf.equal(members, x)).",
        )
    if converted and not _convertible(statement):
        return Meaning(
            "python-condition-on-tensor",
            "Eagerly, Python decides by the value of the tensor.",
            f"Traced, {_NO_VALUE}, so Python cannot decide here: AutoGraph converts if, while, and, or, not and the"
            " conditional expression.",
            "Write it as one of those, or use tf.cond, tf.where, tf.logical_and.",
        )
    return Meaning(
        "python-condition-on-tensor",
        "Eagerly, Python decides by the value of the tensor.",
        f"Traced, {_NO_VALUE}, and AutoGraph does not convert this code: it is off, or the function has no source.",
        "Let AutoGraph convert it (no do_not_convert, autograph=True), or use tf.cond, tf.where, tf.while_loop,"
        " tf.logical_and.",
    )


def _convertible(statement: ast.stmt | None) -> bool:
    """Whether a statement decides in a way that AutoGraph converts: then it did not convert the code around it."""
    if statement is None or (isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Call)):
        return True  # the head of an `if` or a `while`
    return any(
        isinstance(node, (ast.BoolOp, ast.IfExp))
        or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
        for node in ast.walk(statement)
    )


_INSTEAD: Final = {
    "max": "Use tf.maximum(a, b) or tf.reduce_max(x).",
    "min": "Use tf.minimum(a, b) or tf.reduce_min(x).",
    "sorted": "Use tf.sort(x).",
    "any": "Use tf.reduce_any(x).",
    "all": "Use tf.reduce_all(x).",
    "sum": "Use tf.reduce_sum(x), or tf.add_n for a list of tensors.",
    "list": "Use tf.unstack(x), when the number of parts is known.",
    "tuple": "Use tf.unstack(x), when the number of parts is known.",
}


def _builtin(nodes: list[ast.AST]) -> str | None:
    names = [n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    return next((name for name in names if name in _INSTEAD), None)


def _iteration(statement: ast.stmt | None) -> Meaning:
    nodes = list(ast.walk(statement)) if statement is not None else []
    name = _builtin(nodes)
    if name is not None:
        return Meaning(
            "builtin-on-tensor",
            f"Eagerly, {name} runs through the values of the tensor.",
            f"Traced, {_NO_VALUE}, and AutoGraph does not convert {name}.",
            _INSTEAD[name],
        )
    if any(isinstance(n, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)) for n in nodes):
        return Meaning(
            "comprehension-on-tensor",
            "Eagerly, the comprehension runs through the rows of the tensor.",
            "Traced, AutoGraph converts for loops over tensors, but no comprehensions.",
            "Use tf.map_fn or vectorised ops, write a for loop with a tf.TensorArray, or tf.unstack the tensor first.",
        )
    return Meaning(
        "iteration-over-tensor",
        "Eagerly, Python runs through the rows of the tensor, as in `a, b = x`.",
        "Traced, that cannot be: AutoGraph converts only for loops over tensors.",
        "Use tf.unstack(x) when the number of rows is known, or index: x[0], x[1].",
    )
