"""The work "autograph": shows what AutoGraph makes of the step, by tracing it with the arguments of a batch."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import named_function, step_function, tf_autograph
from tapeinspect.probe.autograph import failure as autograph_failure
from tapeinspect.probe.autograph.rows import Rows
from tapeinspect.probe.autograph.static import called_in_lines
from tapeinspect.probe.autograph.trace import Traced, trace
from tapeinspect.probe.errands import WorkRefused
from tapeinspect.probe.inline import rows as inline_rows
from tapeinspect.probe.step_function import StepFunction
from tapeinspect.probe.survival import check as survival
from tapeinspect.probe.survival.watch import Watch
from tapeinspect.probe.taken.stand_in import standing_in

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder
    from tapeinspect.probe.sandbox.sandbox import Sandbox


def run(recorder: Recorder, step: int | None, options: dict[str, Any]) -> dict[str, Any]:
    """Trace a step and write what AutoGraph made of it: {"run": id of the row in `ag_run`}. Raises WorkRefused.

    options: {"function": name} also shows that function of the script, be it called by the step or not.
    """
    if not recorder.can("autograph"):
        raise WorkRefused(
            "this TensorFlow lacks what is needed to watch AutoGraph", "tapeinspect info shows what works"
        )
    named = _named(recorder, options)
    if recorder.errands.module is not None and named is not None:
        return {"run": look_at(recorder, named)}
    try:
        target = step_function.find(recorder, step)
    except WorkRefused as refused:
        run = _without_function(recorder, step, named, refused)
        if run is None:
            raise
        return {"run": run}
    return {"run": look_at(recorder, target, named)}


def _without_function(
    recorder: Recorder, step: int | None, named: StepFunction | None, refused: WorkRefused
) -> int | None:
    """Convert what is there though the step is no function: the named one, or what the loop at module level calls."""
    if named is not None:
        return look_at(recorder, named)
    kept = recorder.step_log.kept(step)
    main = sys.modules.get("__main__")
    if kept is None or kept.loop is None or main is None or kept.code.co_name != "<module>":
        return None
    lines = range(kept.loop.line, kept.loop.end + 1)
    called = [
        function
        for function in called_in_lines(kept.code.co_filename, lines, vars(main))
        if recorder.code.role(getattr(tf_autograph.code_of(function), "co_filename", "<frozen")) == "user"
    ]
    if not called:
        return None
    with recorder.lock:
        sink = recorder.sink
        run = sink.next_id("ag_run")
        rows = Rows.of(recorder, run, False, None)
        rows.add_reachable(*called)
        rows.write()
        where = ("<module>", recorder.code.file(kept.code.co_filename), kept.loop.line)
        note = f"{refused.message}; the functions that it calls are converted"
        sink.add("ag_run", (run, kept.id, *where, "converted", note, refused.hint, 0, None, None))
    return run


def _named(recorder: Recorder, options: dict[str, Any]) -> StepFunction | None:
    name = options.get("function")
    module = recorder.errands.module or sys.modules.get("__main__")
    if not isinstance(name, str) or module is None:
        return None
    return named_function.find(module, name)


def look_at(recorder: Recorder, target: StepFunction, named: StepFunction | None = None) -> int:
    """Trace or convert a function and write what came of it, and of `named`; the id of the row in `ag_run`."""
    traced = surveyed = None
    if target.callable:
        try:
            with standing_in(recorder, target) as step:
                surveyed = Surveyed(recorder, step)
                traced = trace(recorder, step, surveyed.watch, surveyed.look)
        except WorkRefused as refused:  # it can be converted all the same
            target = dataclasses.replace(target, callable=False, note=refused.message, hint=refused.hint)
    with recorder.lock:
        run = write(recorder, target, traced, named)
    if surveyed is not None and surveyed.survey is not None:
        row = survival.write(recorder, target, surveyed.survey)
        recorder.errands.surveyed = (target.step, row)
    return run


class Surveyed:
    """What of the step does not survive tracing, told by the same trace."""

    def __init__(self, recorder: Recorder, target: StepFunction) -> None:
        self._recorder = recorder
        self._target = target
        given = (target.function, target.args, target.kwargs)
        self.watch = Watch(recorder.code.role, given=given) if recorder.can("survey") else None
        self.survey: survival.Survey | None = None

    def look(self, box: Sandbox, traced: Traced) -> None:
        """The trace is over, and nothing is put back yet."""
        if self.watch is None:
            return
        try:
            self.survey = survival.survey_of(self.watch, self._target, box, traced.error, traced.seconds)
        except Exception as error:  # what AutoGraph made of the step is there all the same
            self._recorder.note_trouble("survey", error)


def write(
    recorder: Recorder, target: StepFunction, traced: Traced | None, named: StepFunction | None = None
) -> int:
    """Write the rows of one run; the caller holds the lock."""
    sink, code = recorder.sink, target.code
    run = sink.next_id("ag_run")
    rows = Rows.of(recorder, run, not target.converts, traced)
    if traced is not None:
        rows.add_met()
        if not target.converts:
            rows.add_step(target.function)
    if traced is None or traced.error is not None:
        rows.add_reachable(target.function)
    if named is not None:
        rows.add_reachable(named.function)
    rows.write()
    status, ops, converting, seconds = "converted", 0, None, None
    if traced is not None:
        status = "traced" if traced.error is None else "failed"
        ops, converting, seconds = traced.total, traced.seen.convert_ns / 1e9, traced.seconds
        if traced.error is not None:
            sink.add(
                "ag_failure", autograph_failure.row(traced.error, run, traced.seen, recorder.code.role, code)
            )
    where = (recorder.code.file(code.co_filename), code.co_firstlineno)
    step = target.step or None
    sink.add(
        "ag_run",
        (run, step, target.name, *where, status, target.note, target.hint, ops, converting, seconds),
    )
    inline_rows.write(recorder, target.step, target.body)
    return run
