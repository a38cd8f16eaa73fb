"""One rule for each kind of Python code that does something else when it is traced."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tapeinspect.analysis.survival.between import changed_between
from tapeinspect.analysis.survival.problem import Problem
from tapeinspect.source import Source
from tapeinspect.trace.records import SurveyFact

Rule = Callable[[SurveyFact, Source], "Problem | None"]

_ONCE = "Traced, it runs once for each trace, not once for each batch."


def changed_container(fact: SurveyFact, source: Source) -> Problem | None:
    """`history.append(loss)` on a list that outlives the step."""
    if not _is_call(fact, "container") or not fact.detail.get("outside") or fact.detail.get("within"):
        return None
    kind = fact.detail.get("owner", "container")
    eager = f"Eagerly, {fact.name} changes a {kind} that outlives the step in every batch."
    if fact.detail.get("tensors"):
        traced = (
            f"{_ONCE} What it leaves there is a tensor of the graph, which has no value and leaks the graph."
        )
        return _problem("python-leak", "error", fact, eager, traced, _RETURN_IT)
    return _problem("python-side-effect", "warning", fact, eager, _ONCE, _COUNT_IT)


def changed_in_graph(fact: SurveyFact, source: Source) -> Problem | None:
    """`outputs.append(y)` in a loop, or under an `if`, that became part of the graph."""
    within = fact.detail.get("within")
    if not _is_call(fact, "container") or not within:
        return None
    if within == "loop":
        return _problem(
            "python-in-graph-loop",
            "error",
            fact,
            f"Eagerly, {fact.name} runs in every turn of the loop.",
            "Traced, the loop is part of the graph and its body is run by Python once, so this happens once.",
            "Use a tf.TensorArray: outputs = outputs.write(i, y) in the loop, outputs.stack() behind it.",
        )
    return _problem(
        "python-under-condition",
        "error",
        fact,
        f"Eagerly, {fact.name} runs when the condition holds.",
        "Traced, Python runs both branches of a condition on a tensor once, so this happens whatever the condition,"
        " and what is put there belongs to the inside of the branch.",
        "Compute the value in both branches (tf.where, or assign the same variable in `if` and `else`), and change"
        " the container behind the `if`.",
    )


def printed(fact: SurveyFact, source: Source) -> Problem | None:
    """`print(loss)`, `logging.info(loss)`."""
    if not (_is_call(fact, "print") or _is_call(fact, "log")):
        return None
    what = "prints the values" if fact.detail.get("tensors") else "prints"
    eager = f"Eagerly, {fact.name} {what} in every batch."
    more = " It shows Tensor(...) where a value is meant." if fact.detail.get("tensors") else ""
    severity = "warning" if fact.detail.get("tensors") or _mentions_names(fact, source) else "info"
    return _problem(
        "python-print",
        severity,
        fact,
        eager,
        _ONCE + more,
        "Use tf.print(...), or print outside of the step.",
    )


def wrote_file(fact: SurveyFact, source: Source) -> Problem | None:
    """`log.write(...)`."""
    if not _is_call(fact, "file"):
        return None
    eager = f"Eagerly, {fact.name} writes to a file in every batch."
    fix = "Return the value and write it outside of the step, or use tf.summary or tf.py_function."
    return _problem("python-file-write", "warning", fact, eager, _ONCE, fix)


def frozen_random(fact: SurveyFact, source: Source) -> Problem | None:
    """`np.random.normal()`, `random.random()`."""
    if not _is_call(fact, "random"):
        return None
    return _problem(
        "frozen-random",
        "warning",
        fact,
        f"Eagerly, {fact.name} gives another random number in every batch.",
        "Traced, it is called once; the number becomes a constant of the graph, the same in every batch.",
        "Use tf.random (tf.random.uniform, tf.random.normal, tf.random.shuffle), or pass the number to the step as a"
        " tensor.",
    )


def frozen_clock(fact: SurveyFact, source: Source) -> Problem | None:
    """`time.time()`."""
    if not _is_call(fact, "clock"):
        return None
    return _problem(
        "frozen-time",
        "warning",
        fact,
        f"Eagerly, {fact.name} tells the time in every batch.",
        "Traced, it tells the time of the trace: a constant of the graph, and differences of it measure tracing.",
        "Measure the time around the call of the step, or use tf.timestamp().",
    )


def consumed_iterator(fact: SurveyFact, source: Source) -> Problem | None:
    """`next(iterator)`, or `for x in iterator` over a Python iterator that outlives the step."""
    is_next = _is_call(fact, "next")
    if not (is_next or fact.fact == "iterate") or not fact.detail.get("outside"):
        return None
    kind = fact.detail.get("owner" if is_next else "kind", "iterator")
    what = (
        f"next() takes one item of a Python {kind}" if is_next else f"the loop runs through a Python {kind}"
    )
    return _problem(
        "python-iterator",
        "warning",
        fact,
        f"Eagerly, {what} in every batch.",
        "Traced, it is done once; the items become constants of the graph.",
        "Take the item outside of the step and pass it as an argument, or iterate over a tf.data.Dataset.",
    )


def stored(fact: SurveyFact, source: Source) -> Problem | None:
    """`self.counter += 1`, `stats["n"] = n`, a global or outer variable."""
    if fact.fact != "store" or fact.detail.get("leak") or fact.detail.get("hidden"):
        return None
    if fact.detail.get("variable"):
        return None  # made once, behind a check; making one again is an error of TensorFlow's
    before, after = fact.detail.get("before", ""), fact.detail.get("after", "")
    change = (
        f" (here from {before} to {after})" if before != after and fact.detail.get("kind") != "item" else ""
    )
    eager = f"Eagerly, {fact.name} is set in every batch{change}."
    return _problem("python-side-effect", "warning", fact, eager, _ONCE, _COUNT_IT)


def hidden_change(fact: SurveyFact, source: Source) -> Problem | None:
    """`counter.advance()` in a loop of the graph, which does `self.n += 1`."""
    if fact.fact != "store" or not fact.detail.get("hidden"):
        return None
    loop = fact.detail.get("within") == "loop"
    return _problem(
        "hidden-change",
        "error",
        fact,
        f"Eagerly, {fact.name} is set {'in every turn of the loop' if loop else 'when the condition holds'} that calls"
        " this function.",
        "Traced, AutoGraph does not see changes of Python objects in the functions that a loop or branch of the graph"
        " calls: it is set once, by tracing.",
        "Return the value and assign it in the loop or branch itself, or use a tf.Variable.",
    )


def leaked(fact: SurveyFact, source: Source) -> Problem | None:
    """`self.last = loss`."""
    if fact.fact != "store" or not fact.detail.get("leak") or fact.detail.get("hidden"):
        return None
    eager = f"Eagerly, {fact.name} keeps the value of the batch."
    traced = (
        f"{_ONCE} What it keeps is a tensor of the graph: it has no value, using it outside raises"
        " 'out of scope', and it keeps the graph alive."
    )
    return _problem("python-leak", "error", fact, eager, traced, _RETURN_IT)


def frozen_value(fact: SurveyFact, source: Source) -> Problem | None:
    """A Python number or a NumPy array from outside, which other code changes."""
    if fact.fact != "read" or fact.detail.get("scope") == "attribute":
        return None
    evidence = source.changes(fact.name, fact.line, fact.detail.get("scope") == "global")
    return None if evidence is None else _frozen(fact, f"line {evidence}")


def frozen_attribute(fact: SurveyFact, sources: Mapping[str, Source], step: str) -> Problem | None:
    """`self.rate`, which the loop that calls the step, named last, changes."""
    if fact.fact != "read" or fact.detail.get("scope") != "attribute":
        return None
    place = changed_between(fact, sources, step)
    if place is None:
        return None
    return _frozen(fact, f"line {place[1]}" + ("" if place[0] == fact.path else f" of {Path(place[0]).name}"))


def _frozen(fact: SurveyFact, evidence: str) -> Problem:
    array = fact.detail.get("kind") == "ndarray"
    what = "the NumPy array" if array else f"the Python {fact.detail.get('kind')}"
    value = "" if array else f" ({fact.detail.get('value')} here)"
    return _problem(
        "frozen-value",
        "warning",
        fact,
        f"Eagerly, {what} {fact.name} is read in every batch; {evidence} changes it.",
        f"Traced, the value it has in the trace{value} becomes a constant of the graph; later changes are not seen.",
        f"Make {fact.name} a tf.Variable and assign to it, or pass it to the step as a tensor.",
    )


def caught(fact: SurveyFact, source: Source) -> Problem | None:
    """`except tf.errors.InvalidArgumentError`."""
    if fact.fact != "catch":
        return None
    return _problem(
        "exception-control-flow",
        "warning",
        fact,
        f"Eagerly, ops raise {fact.name} where they stand, and this catches it.",
        "Traced, ops raise only when the graph runs: the `try` is over by then, nothing is caught, and the call of the"
        " step raises.",
        "Test for the case with tf.cond or tf.where, or put the `try` around the call of the step.",
    )


def needs_value(fact: SurveyFact, source: Source) -> Problem | None:
    """`.numpy()`, `assert tensor` and the like, behind the line that tracing failed at."""
    if fact.fact != "eager":
        return None
    statement = source.statement(fact.line)
    found = _value_use(fact.name, statement)
    if found is None:
        return None
    rule, eager, traced, fix = found
    return _problem(rule, "error", fact, eager, traced, fix)


RULES: Final[tuple[Rule, ...]] = (
    changed_container, changed_in_graph, printed, wrote_file, frozen_random, frozen_clock, consumed_iterator,
    stored, hidden_change, leaked, frozen_value, caught, needs_value,
)  # fmt: skip

_RETURN_IT = "Return the tensor from the step and keep it outside, or assign it to a tf.Variable."
_COUNT_IT = (
    "Do it outside of the step, with what the step returns; for a counter, use a tf.Variable and assign_add;"
    " for Python code that must run, tf.py_function."
)
_BUILTINS = ("max", "min", "sorted", "any", "all", "sum", "list", "tuple", "set")


def _value_use(name: str, statement: ast.stmt | None) -> tuple[str, str, str, str] | None:
    """(rule, eagerly, traced, fix) of a use of a tensor's value in a statement; None when AutoGraph copes with it."""
    nodes = list(ast.walk(statement)) if statement is not None else []
    if name == "numpy":
        if not any(isinstance(node, ast.Attribute) and node.attr == "numpy" for node in nodes):
            return None
        return (
            "eager-only-numpy",
            "Eagerly, .numpy() gives the value of a tensor.",
            "Traced, a tensor has no value yet: .numpy() raises AttributeError.",
            "Keep to tensors inside the step, return the tensor and call .numpy() on what the step returns.",
        )
    if name == "__array__":
        return (
            "eager-only-numpy",
            "Eagerly, NumPy takes the value of a tensor.",
            "Traced, a tensor has no value yet: NumPy raises NotImplementedError.",
            "Use the TensorFlow function (tf.reduce_sum for np.sum, ...), or tf.numpy_function.",
        )
    if name == "__format__" or (name == "__float__" and any(isinstance(n, ast.Mod) for n in nodes)):
        return (
            "eager-only-format",
            "Eagerly, the value of a tensor is formatted.",
            "Traced, a tensor has no value yet: formatting it raises TypeError.",
            "Format what the step returns, or use tf.strings.format and tf.print.",
        )
    if name != "__bool__":
        return None
    if isinstance(statement, ast.Assert):
        return (
            "assert-on-tensor",
            "Eagerly, assert checks the value of a tensor in every batch.",
            "Traced, AutoGraph leaves assert alone: it raises OperatorNotAllowedInGraphError.",
            "Use tf.debugging.assert_... or tf.debugging.Assert.",
        )
    if any(isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)) for node in nodes):
        return (
            "comprehension-on-tensor",
            "Eagerly, the comprehension looks at the value of a tensor.",
            "Traced, AutoGraph does not convert comprehensions: it raises OperatorNotAllowedInGraphError.",
            "Write it as a for loop with if, or use tf.boolean_mask, tf.where or tf.map_fn.",
        )
    called = {
        node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    used = sorted(called & set(_BUILTINS))
    if used:
        return (
            "builtin-on-tensor",
            f"Eagerly, {used[0]} looks at the values of tensors.",
            f"Traced, AutoGraph does not convert {used[0]}: it raises OperatorNotAllowedInGraphError.",
            "Use tf.maximum, tf.minimum, tf.reduce_max, tf.reduce_any, tf.reduce_all, tf.sort or tf.add_n.",
        )
    return None


def _is_call(fact: SurveyFact, category: str) -> bool:
    return fact.fact == "call" and fact.detail.get("category") == category


def _mentions_names(fact: SurveyFact, source: Source) -> bool:
    """Whether what is printed depends on anything, so that printing it once says something else."""
    statement = source.statement(fact.line)
    if statement is None:
        return False
    calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)]
    return any(isinstance(n, ast.Name) for call in calls for arg in call.args for n in ast.walk(arg))


def _problem(rule: str, severity: str, fact: SurveyFact, eager: str, traced: str, fix: str) -> Problem:
    if fact.detail.get("behind"):
        traced += " Tracing stopped before this line."
    known = "error" if severity == "error" else "info" if severity == "info" else "warning"
    return Problem(rule, known, fact.path, fact.line, eager, traced, fix)  # type: ignore[arg-type]
