"""The work "diff": compare the eager step with the traced one, and write what was found into the trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tapeinspect.probe import step_function
from tapeinspect.probe.autograph import work as autograph
from tapeinspect.probe.autograph.trace import Traced
from tapeinspect.probe.diff.engine import Comparison, Request, compare, describe_error
from tapeinspect.probe.diff.judge import JudgedOp
from tapeinspect.probe.errands import WorkRefused
from tapeinspect.probe.inline import rows as inline_rows
from tapeinspect.probe.step_function import StepFunction
from tapeinspect.probe.taken.stand_in import standing_in
from tapeinspect.trace.distance import Distance

if TYPE_CHECKING:
    from tapeinspect.probe.recorder import Recorder


def run(recorder: Recorder, step: int | None, options: dict[str, Any]) -> dict[str, Any]:
    """Compare the step; {"diff": its id in the table}. Raises WorkRefused.

    options: "tolerance" (relative, None: by dtype), "ops" (False: do not compare op by op), "xla" (True: compare with
    the step compiled by XLA, too), "grappler" (True: look at what Grappler makes of the graph), "code" (False: do not
    write what AutoGraph makes of the step), "costs" (False: do not measure time and memory).
    """
    found = step_function.find(recorder, step)
    if not found.callable:
        raise WorkRefused(found.note, found.hint)
    if found.by_type:
        raise WorkRefused(
            f"the values of batch {found.step} are not known: fit takes each batch inside the graph",
            "record with --mode eager, the default, to compare its step",
        )
    code = _EarlyCode(recorder, found)
    request = Request(
        recorder.code.role,
        max(1, recorder.config.memory // 2),
        options.get("tolerance"),
        bool(options.get("ops", True)),
        bool(options.get("xla", False)),
        bool(options.get("grappler", False)),
        bool(options.get("code", True)) and recorder.can("autograph"),
        bool(options.get("costs", True)),
        lambda text: recorder.doing("diff", text),
        code.write,
    )
    try:
        with standing_in(recorder, found) as again:
            result = compare(again, request)
    except Exception as error:  # the script's own
        raise WorkRefused(
            f"the step cannot be run again eagerly: {describe_error(error)}",
            "a step that uses something up can be run only once; pass what it uses as an argument",
        ) from error
    if found.note:
        result.notes.append(found.note)
    with recorder.lock:
        number = _write(recorder, found, result, request)
        if request.code:
            _write_code(recorder, number, found, result, code.run)
    return {"diff": number, "verdict": result.verdict}


class _EarlyCode:
    """Writes what AutoGraph made of the step before the comparison is over, so that it can be read meanwhile."""

    def __init__(self, recorder: Recorder, step: StepFunction) -> None:
        self._recorder = recorder
        self._step = step
        self.run: int | None = None
        """The row in `ag_run`; None: nothing has been written."""

    def write(self, traced: Traced) -> None:
        recorder = self._recorder
        try:
            with recorder.lock:
                self.run = autograph.write(recorder, self._step, traced)
                recorder.sink.flush()
        except Exception as error:  # the comparison goes on all the same
            recorder.note_trouble("autograph", error)


def _write(recorder: Recorder, step: StepFunction, result: Comparison, request: Request) -> int:
    sink = recorder.sink
    number = sink.next_id("diff")
    first = sink.next_id("diff_op", len(result.ops))
    first_op = None
    for offset, judged in enumerate(result.ops):
        if judged is result.first:
            first_op = first + offset
        sink.add("diff_op", _op_row(recorder, first + offset, number, judged))
    where = (recorder.code.file(step.code.co_filename), step.code.co_firstlineno)
    times = (result.eager_seconds, result.traced_seconds, result.trace_seconds)
    notes = json.dumps(result.notes)
    row = (number, step.step, step.name, *where, result.verdict, request.tolerance, *times)
    sink.add("diff", (*row, len(result.ops), first_op, notes))
    for v in result.values:
        what = (sink.next_id("diff_value"), number, v.kind, v.name, v.call)
        sink.add("diff_value", (*what, *_far(v.distance), v.note))
    for f in result.findings:
        place = (recorder.code.file(f.spot.path), f.spot.line) if f.spot else (None, None)
        head = (sink.next_id("diff_finding"), number, f.rule, f.severity)
        sink.add("diff_finding", (*head, *place, f.message, f.hint))
    if result.memory is not None:
        sink.add("diff_memory", (number, result.memory.device, result.memory.eager, result.memory.traced))
    _write_on_request(recorder, number, result)
    inline_rows.write(recorder, step.step, step.body)
    return number


def _write_code(
    recorder: Recorder, number: int, step: StepFunction, result: Comparison, run: int | None
) -> None:
    """What AutoGraph made of the step, converted without a trace where it was not traced; run: it is written."""
    try:
        run = run or autograph.write(recorder, step, result.code)
    except Exception as error:  # the comparison is there all the same
        recorder.note_trouble("autograph", error)
    else:
        recorder.sink.add("diff_code", (number, run))


def _write_on_request(recorder: Recorder, number: int, result: Comparison) -> None:
    """What XLA and Grappler make of the step."""
    sink, compiled = recorder.sink, result.compiled
    if compiled is not None:
        sink.add("diff_xla", (number, compiled.verdict, compiled.seconds, compiled.compile_seconds))
        for v in compiled.values:
            what = (sink.next_id("diff_xla_value"), number, v.kind, v.name)
            sink.add("diff_xla_value", (*what, *_far(v.distance), v.note))
    if result.rewritten is not None:
        sink.add("diff_grappler", (number, len(result.rewritten)))
        for r in result.rewritten:
            place = (recorder.code.file(r.spot.path), r.spot.line) if r.spot else (None, None)
            op = (sink.next_id("diff_rewritten"), number, r.change, r.type, r.name)
            sink.add("diff_rewritten", (*op, r.into, *place))


def _op_row(recorder: Recorder, number: int, diff: int, judged: JudgedOp) -> tuple[Any, ...]:
    pair = judged.pair
    op, traced = pair.op, pair.traced
    file = recorder.code.file(op.path) if op.path else None
    other_type = traced.type if traced is not None and traced.type != op.type else None
    other_line = traced.line if pair.relation == "moved" and traced is not None else None
    library = f"{op.library[0]}:{op.library[1]}" if op.library else None
    shape = json.dumps(op.shape) if op.shape is not None else None
    head = (number, diff, pair.relation, op.type, other_type, file, op.line, other_line, library, op.turn)
    return (*head, op.dtype, shape, *_far(judged.distance), pair.why)


def _far(distance: Distance | None) -> tuple[Any, ...]:
    """max_abs, max_rel, ulp, verdict."""
    if distance is None:
        return (None, None, None, None)
    return (distance.max_abs, distance.max_rel, distance.ulp, distance.verdict)
