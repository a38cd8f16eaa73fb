"""What of a step does not survive tracing: found by really tracing it, in a sandbox, with a batch's arguments.

The facts go into the trace; what follows from them is worked out by `tapeinspect.analysis.survival`. The details of
a fact, in its `detail_json`:

- call: category (see `survival_calls.category`), owner (type of the object whose method it is), outside (that object
  was there before the trace), tensors (it was given a tensor of the graph), within ('loop' or 'branch' of the graph)
- store: kind ('attribute', 'item', 'global', 'nonlocal'), before, after (in words), leak (a tensor of the graph is
  left in it), variable (it is a tf.Variable), within, hidden (a function that a loop or branch of the graph calls
  changes an object that was there before it)
- read: scope ('global', 'outer', 'attribute'), kind ('int', 'float', 'ndarray'), value; of an attribute also classes
  (names of the object's class and of those it inherits from), callers (the user's frames that the step was called
  from: [file, first line of the function or 0 for the module, line, [names that are bound to the object]])
- iterate: kind (type of the iterator), outside
- behind, in any of them: the trace failed before the line, which is told from an eager run
- catch (an `except` for errors of ops; name: the error), eager (name: the method of the tensor): nothing
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import tf_survey
from tapeinspect.probe.code import known_as
from tapeinspect.probe.sandbox.sandbox import Sandbox, sandbox
from tapeinspect.probe.sandbox.used_up import refuse_what_uses_up
from tapeinspect.probe.survival import eager as survival_eager
from tapeinspect.probe.survival.watch import Fact, Watch

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.step_function import StepFunction


@dataclass(frozen=True, slots=True)
class Survey:
    """What one trace showed."""

    facts: tuple[Fact, ...]
    error: BaseException | None
    """What tracing failed with."""
    frames: tuple[tuple[str, int, str], ...]
    """(file, line, function) of the user's frames of the error, innermost first."""
    seconds: float


def collect(recorder: Recorder, step: StepFunction) -> int:
    """Trace a step and write what was seen; the id of the row in `survey`.

    Its Python side effects, its variables and the random numbers are put back. To be called from a work: see
    `tapeinspect.probe.errands`. Raises WorkRefused, and what watching fails with; never what the step does.
    """
    import tensorflow as tf

    role = recorder.code.role
    watch = Watch(role, given=(step.function, step.args, step.kwargs))
    error: BaseException | None = None
    begun = time.perf_counter()
    with sandbox(step.function, step.args, step.kwargs, role=role) as box:
        refuse_what_uses_up(box)
        traced = tf.function(step.function, autograph=step.converts)
        with watch.watching():
            try:
                traced.get_concrete_function(*step.args, **step.kwargs)
            except (Exception, SystemExit) as problem:  # whatever the user's code raises
                error = problem
        survey = survey_of(watch, step, box, error, time.perf_counter() - begun)
    return write(recorder, step, survey)


def survey_of(
    watch: Watch, step: StepFunction, box: Sandbox, error: BaseException | None, seconds: float
) -> Survey:
    """What a trace showed that was watched, in its sandbox and before that puts anything back.

    `error`: what the trace failed with; the rest of the step is then run eagerly. Raises what watching failed with.
    """
    if watch.failed is not None:
        raise watch.failed
    role, facts = watch.role, list(watch.facts.values())
    frames = () if error is None else tuple(_frames(error, role))
    if error is not None and not step.by_type and not box.fixed:
        box.restore()
        facts += survival_eager.behind(step.function, step.args, step.kwargs, role, watch.reached, frames[:1])
    return Survey(tuple(facts), error, frames, seconds)


def _frames(error: BaseException, role: Callable[[str], str]) -> Iterable[tuple[str, int, str]]:
    frames = tf_survey.translated_stack(error)
    if not frames:
        walked = traceback.walk_tb(error.__traceback__)
        frames = [(f.f_code.co_filename, line, f.f_code.co_name) for f, line in walked][::-1]
    return (frame for frame in frames if role(frame[0]) == "user")


def write(recorder: Recorder, step: StepFunction, survey: Survey) -> int:
    """Write what a trace showed; the id of its row."""
    error, frames = survey.error, survey.frames
    with recorder.lock:
        sink, code = recorder.sink, recorder.code
        run = sink.next_id("survey")
        failure: tuple[Any, ...] = (None, None, None, None, None)
        if error is not None:
            shown = [
                {"file": known_as(p), "line": n, "function": f, "code": "", "user": True}
                for p, n, f in reversed(frames)
            ]
            where = (known_as(frames[0][0]), frames[0][1]) if frames else (None, None)
            failure = (type(error).__name__, tf_survey.plain_message(error), *where, json.dumps(shown))
        status = "traced" if error is None else "failed"
        sink.add("survey", (run, step.step or None, step.name, status, survey.seconds, *failure))
        for fact in survey.facts:
            place = (code.file(fact.where[0]), fact.where[1])
            row = (sink.next_id("survey_fact"), run, fact.fact, *place, fact.name, fact.count)
            sink.add("survey_fact", (*row, json.dumps(fact.detail)))
    return run
