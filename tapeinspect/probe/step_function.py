"""From a step that was recorded to the function that it was a call of, and the arguments it was called with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import arguments, reachable
from tapeinspect.probe.errands import WorkRefused
from tapeinspect.probe.inline import function as inline_function
from tapeinspect.probe.inline.function import BodyFunction

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.steplog import Step


@dataclass(frozen=True, slots=True)
class StepFunction:
    """A function of the script's that is a step, or that holds the loop whose turns are."""

    step: int
    function: Callable[..., Any]
    """As written, with no decorator around it; a method is bound to its object."""
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    """What it was called with: `function(*args, **kwargs)` runs the step again."""
    code: CodeType
    callable: bool
    """False: its arguments are not known, so that it can only be looked at."""
    note: str = ""
    """What a user should know of it: why it cannot be called, or what is not as it was."""
    hint: str = ""
    converts: bool = True
    """False: whoever calls it in the script, Keras' `fit`, traces it with AutoGraph off."""
    by_type: bool = False
    """Tensors among the arguments are `tf.TypeSpec`s: it can be traced, but not run."""
    body: BodyFunction | None = None
    """The loop's body that it was made of, when the script has no such function."""
    iterators: tuple[Any, ...] = ()
    """The iterators that hand out what they gave in the batch: see `tapeinspect.probe.taken.stand_in`."""

    @property
    def name(self) -> str:
        """As the user knows it."""
        return str(getattr(self.function, "__qualname__", self.code.co_name))


def find(recorder: Recorder, step: int | None) -> StepFunction:
    """The function of a step whose arguments are kept; the newest that has ended for None. Raises WorkRefused."""
    kept = _newest(recorder) if step is None else recorder.step_log.kept(step)
    if kept is None:
        raise _not_kept(recorder, step)
    if kept.loop is not None:
        return _of_loop(recorder, kept)
    function = _called(recorder, kept)
    if function is None:
        raise WorkRefused(
            f"the function {kept.code.co_name} of batch {kept.id} is gone: the script has dropped it",
            "keep it under a name: a function made anew for each batch is traced anew for each batch, too",
        )
    try:
        args, kwargs = _as_called(kept)
    except LookupError as error:
        raise WorkRefused(
            f"the argument {error.args[0]!r} of batch {kept.id} {error.args[1]}",
            _instead(recorder),
            batches(recorder),
        ) from None
    bound, args = _bind(function, kept.code, args)
    note = hint = ""
    rebound = [arg["name"] for arg in kept.args if not arg.get("exact", True)]
    if rebound:
        note = f"{', '.join(rebound)}: bound anew before the first op, so the new value is used"
    if kept.by_type:
        note = (
            "fit takes each batch inside the graph: it is traced with the types of the batch, not its values"
        )
    return StepFunction(
        kept.id,
        bound,
        args,
        kwargs,
        kept.code,
        True,
        note,
        hint,
        converts=not _called_by_keras(recorder, kept),
        by_type=kept.by_type,
    )


def _not_kept(recorder: Recorder, step: int | None) -> WorkRefused:
    log = recorder.step_log
    if not log.ended and recorder.errands.over:
        return WorkRefused(
            "the script ended without a batch of training: no gradient was asked of a tf.GradientTape",
            "a batch runs from a tape, or the call of a function that opens one, to the update of the variables",
        )
    if not log.ended:
        return WorkRefused("no batch has ended yet", "run the script to the end of its first batch")
    what = "the last batch" if step is None else f"batch {step}"
    if recorder.config.mode == "graph" and not log.kept_ids():
        return WorkRefused(
            f"the arguments of {what} are not known: it ran as a graph, and not through a tf.function of yours",
            "record with --mode eager, the default, to look at it",
        )
    return WorkRefused(f"the arguments of {what} are not kept", _instead(recorder), batches(recorder))


def batches(recorder: Recorder) -> tuple[int, ...]:
    """The batches that can be run again, oldest first: their arguments are kept and alive."""
    log = recorder.step_log
    return tuple(step for step in log.kept_ids() if (found := log.kept(step)) and _alive(found))


def _newest(recorder: Recorder) -> Step | None:
    """The newest batch that can be run again; the newest there is when none can."""
    can = batches(recorder)
    return recorder.step_log.kept(can[-1] if can else None)


def _alive(kept: Step) -> bool:
    if kept.loop is not None:
        return kept.turn is not None and inline_function.playable(kept.turn)
    try:
        arguments.given(kept.kept)
    except LookupError:
        return False
    return True


def _instead(recorder: Recorder) -> str:
    can = batches(recorder)
    if not can:
        return "keep what the step is given under a name of the script's, or raise --memory"
    if len(can) == 1:
        return f"ask for batch {can[0]}"
    if can[-1] - can[0] + 1 == len(can):
        return f"ask for one of the batches {can[0]} to {can[-1]}"
    return f"ask for one of the batches {', '.join(map(str, can))}"


def _of_loop(recorder: Recorder, kept: Step) -> StepFunction:
    """The turns of a loop are the steps: its body, made a function."""
    turn = kept.turn
    if turn is None:
        body = recorder.turns.body(kept.code.co_filename, kept.loop) if kept.loop is not None else None
        if body is not None and body.refusal:
            return _around_loop(recorder, kept, body.refusal)
        return _around_loop(recorder, kept)
    recorder.code.file(
        kept.code.co_filename
    )  # the user's text is that of the file, whoever asks for it first
    made = inline_function.make(turn, kept.id)
    code = made.function.__code__
    return StepFunction(kept.id, made.function, made.args, {}, code, True, made.note, body=made)


def _around_loop(recorder: Recorder, kept: Step, why: str = "") -> StepFunction:
    """There is nothing to call, but there may be a function around the loop. why: its body cannot be one."""
    loop = kept.loop
    line = loop.line if loop is not None and not loop.weak else None
    where = f"in the loop at line {line}" if line is not None else "among other statements"
    function = None if kept.code.co_name == "<module>" else _called(recorder, kept)
    hint = (
        "put what is done for one batch into a function of its own: that can be traced and be a tf.function"
    )
    if function is None:
        place = "at module level" if kept.code.co_name == "<module>" else f"of {kept.code.co_name}"
        reason = f"{place}, and {why}" if why else f"{place}, not in a function"
        raise WorkRefused(f"the step stands {where} {reason}", hint)
    note = f"the step stands {where} of {function.__qualname__}, which is converted but not run"
    note += f": {why}" if why else ""
    return StepFunction(kept.id, function, (), {}, kept.code, False, note, hint)


def _called(recorder: Recorder, kept: Step) -> FunctionType | None:
    """The function that was called: of several made by the same `def`, the one that sees the same outer variables."""
    other = None
    for function in reachable.functions_of(kept.code, _near(kept), recorder.code.role):
        cells = zip(kept.code.co_freevars, function.__closure__ or (), strict=False)
        if all(id(_content(cell)) == kept.free[name] for name, cell in cells if name in kept.free):
            return function
        other = function
    return other


def _near(kept: Step) -> list[Any]:
    """Objects that a step's function is likely to be found at: the first argument, if that is its own object."""
    first = next(iter(arguments.argument_names(kept.code)), None)
    try:
        found = [arguments.given({name: value})[name] for name, value in kept.kept.items() if name == first]
    except LookupError:
        return []
    return [*(found if found and isinstance(found[0], type) else map(type, found)), *found]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _as_called(kept: Step) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as a call would give them."""
    code, values = kept.code, arguments.given(kept.kept)
    names = code.co_varnames
    positional = [values[name] for name in names[: code.co_argcount] if name in values]
    at = code.co_argcount + code.co_kwonlyargcount
    kwargs = {name: values[name] for name in names[code.co_argcount : at] if name in values}
    if code.co_flags & inspect.CO_VARARGS:
        positional += values.get(names[at], ())
        at += 1
    if code.co_flags & inspect.CO_VARKEYWORDS:
        kwargs.update(values.get(names[at], {}))
    return tuple(positional), kwargs


def _bind(
    function: FunctionType, code: CodeType, args: tuple[Any, ...]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A method bound to the object it was called on."""
    if args and code.co_argcount and not inspect.ismodule(args[0]):
        owner = args[0] if isinstance(args[0], type) else type(args[0])
        if any(code is found for found in _codes_in(owner)):
            return function.__get__(args[0]), args[1:]
    return function, args


def _codes_in(cls: type) -> Iterator[CodeType]:
    """The code of each method of a class, with no decorator around it."""
    for base in cls.__mro__:
        for value in list(vars(base).values()):
            found = unwrap(value)
            if found is not None:
                yield found.__code__


def unwrap(value: Any) -> FunctionType | None:
    """The Python function inside of decorators, tf.functions, partials and class methods; None when there is none."""
    for _ in range(20):
        inner = _inside(value)
        if inner is None:
            break
        value = inner
    return value if isinstance(value, FunctionType) else None


def _inside(value: Any) -> Any:
    """What a wrapper wraps; None when it is none."""
    for name in ("__wrapped__", "_python_function", "__func__", "func", "fget"):
        try:
            found = inspect.getattr_static(value, name)
        except AttributeError:
            continue
        if not isinstance(found, FunctionType):
            found = getattr(value, name, None)
        if callable(found):
            return found
    decorator = getattr(value, "_tf_decorator", None)
    return None if decorator is None else getattr(decorator, "decorated_target", None)


def _called_by_keras(recorder: Recorder, kept: Step) -> bool:
    """Whether Keras' trainer called the step: it does so with AutoGraph switched off."""
    known = recorder.steps.known.get(id(kept.code))
    return kept.by_keras or (known is not None and known.by_keras)
