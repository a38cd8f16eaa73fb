"""Why AutoGraph did not convert a function, as a word and in words."""

from __future__ import annotations

import functools
import inspect
from types import BuiltinFunctionType, CodeType, MethodType
from typing import Any

from tapeinspect.probe import tf_autograph
from tapeinspect.probe.autograph.watch import Met

Verdict = tuple[str, str, str]
"""(status, rule, reason) as in the table `ag_function`."""

_CONVERTED: Verdict = ("converted", "", "")


def verdict(met: Met, by_keras: bool) -> Verdict:
    """What became of a callable that the trace met. `by_keras`: Keras' `fit` traces the step."""
    if met.converted is not None:
        return _CONVERTED
    if met.error is not None:
        return failed(met.error)
    if by_keras and met.told and met.caller is None and met.through is None:
        return _disabled(True)  # the step, which is traced as Keras does
    if met.told:
        return _no("do_not_convert", "it is decorated with tf.autograph.experimental.do_not_convert")
    if met.disabled:
        return _disabled(by_keras)
    if met.inside:
        return _no("library", "code that is not converted calls it, so it ran as written")
    return unconvertible(met.function)


def _no(rule: str, reason: str) -> Verdict:
    return "not_converted", rule, reason


def _disabled(by_keras: bool) -> Verdict:
    if by_keras:
        reason = (
            "Keras traces its train step with AutoGraph off, so it ran as written: an `if` on a tensor fails"
        )
        return _no("disabled", f"{reason}, use tf.cond")
    return _no(
        "disabled", "AutoGraph is off around the call (autograph=False or do_not_convert): it ran as written"
    )


def unconvertible(function: Any) -> Verdict:
    """Why AutoGraph leaves a callable alone; converted when it does not. The order is AutoGraph's own."""
    if tf_autograph.is_artifact(function):
        return _CONVERTED
    if tf_autograph.is_builtin(function):
        return _no("builtin", _builtin(function))
    if tf_autograph.is_unsupported(function):
        return _unsupported(function)
    if tf_autograph.is_tf_function(function):
        return _no(
            "tf_function", "it is a tf.function of its own: a single call in this graph, traced by itself"
        )
    if tf_autograph.is_left_alone(function):
        return _left_alone(function)
    target = function if tf_autograph.is_plain_function(function) else type(function).__call__
    code = getattr(target, "__code__", None)
    if code is None:
        return _no("native", "it is not written in Python, so there is no source to convert")
    if code.co_filename == "<string>":
        return _no("dynamic", "it was made by exec or eval, so there is no source to convert")
    return _CONVERTED


def _builtin(function: Any) -> str:
    name = getattr(function, "__name__", "")
    if name in ("print", "append"):
        return "it is a builtin of Python's: it runs only while tracing"
    owner = getattr(function, "__self__", None)
    if owner is not None and not inspect.ismodule(owner):
        return f"it is a method of Python's {type(owner).__name__}: it runs only while tracing"
    if name in _OVERLOADED:
        return f"AutoGraph puts a {name} in its place that takes tensors as well"
    return "it is a builtin of Python's: it runs only while tracing"


_OVERLOADED = {
    *(
        "abs",
        "all",
        "any",
        "enumerate",
        "eval",
        "filter",
        "float",
        "globals",
        "int",
        "len",
        "locals",
        "map",
        "max",
    ),
    *("min", "next", "range", "sorted", "super", "zip"),
}


def _unsupported(function: Any) -> Verdict:
    if isinstance(function, type):
        return _no("constructor", f"making a {function.__name__} is left to Python: it happens while tracing")
    if isinstance(function, functools._lru_cache_wrapper):
        return _no("lru_cache", "functools.lru_cache hides it from AutoGraph: it ran as written")
    if type(function).__module__.startswith("wrapt") or type(function).__name__.endswith("FunctionWrapper"):
        return _no("wrapt", "a decorator made with wrapt hides it from AutoGraph: it ran as written")
    module = getattr(function, "__module__", "") or "the standard library"
    return _no("allow_listed", f"{module} is on AutoGraph's list of modules that are left as they are")


def _left_alone(function: Any) -> Verdict:
    package = tf_autograph.library_rule(function)
    if package is None and hasattr(function, "__code__") and inspect.isgeneratorfunction(function):
        return _no("generator", "it is a generator, which AutoGraph does not convert: it runs while tracing")
    owner = None
    if package is None:
        owner = getattr(function, "__self__", None) if isinstance(function, MethodType) else function
        owner = owner if isinstance(owner, type) else type(owner)
        package = next((found for cls in owner.__mro__ if (found := tf_autograph.library_rule(cls))), None)
    if package is None:
        return _no("allow_listed", "it is on AutoGraph's list of what is left as it is")
    name = {"tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy", "tf_keras": "Keras"}.get(
        package, package
    )
    if owner is not None and not owner.__module__.startswith(package):
        return _no(
            "allow_listed",
            f"its class is {name}'s, whose code AutoGraph leaves as it is; so is what that calls",
        )
    return _no("allow_listed", f"it is a part of {name}, which AutoGraph leaves as it is")


def failed(error: BaseException) -> Verdict:
    """What an error of a conversion means."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    lowered = text.lower()
    if "lambda" in lowered and (
        "multiple" in lowered or "unable to identify" in lowered or "ambig" in lowered
    ):
        rule, reason = "lambdas", "several lambdas stand on its line, and AutoGraph cannot tell them apart"
        return "failed", rule, f"{reason}: give each a line of its own, or use def"
    if (
        name == "InaccessibleSourceCodeError"
        or "could not get source" in lowered
        or "could not find" in lowered
    ):
        return "failed", "no_source", "its source cannot be read: put it into a file"
    if "AsyncFunctionDef" in text:
        return "failed", "unsupported", "it is an async function, which AutoGraph does not convert"
    if name == "UnsupportedLanguageElementError":
        return "failed", "unsupported", f"it uses what AutoGraph cannot convert: {text}"
    if "__code__" in text:
        return "failed", "native", "it is not written in Python, so there is no source to convert"
    return "failed", "other", f"AutoGraph could not convert it: {name}: {text}"


def kind_of(function: Any) -> str:
    """The kind of a callable, as in the table `ag_function`."""
    if isinstance(function, CodeType):
        return "lambda" if function.co_name == "<lambda>" else "function"
    if tf_autograph.is_tf_function(function):
        return "tf.function"
    if isinstance(function, BuiltinFunctionType) or tf_autograph.is_builtin(function):
        return "builtin"
    if isinstance(function, type):
        return "class"
    if getattr(function, "__name__", "") in ("<lambda>", "lam", "tf__lam"):
        return "lambda"
    if inspect.isgeneratorfunction(function):
        return "generator"
    if inspect.ismethod(function):
        return "method"
    return "function" if hasattr(function, "__code__") else "object"
