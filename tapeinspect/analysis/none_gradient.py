"""Why a gradient is None: worked out from the recorded ops, and saying no more than they show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tapeinspect.analysis.differentiable import NO_GRADIENT, STRUCTURE, assigns, carries_gradient, reads
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Edge, Gradient, GradientCall, Reason, Tape, Variable


def explain(reader: TraceReader, gradient: Gradient) -> Reason:
    """Why this gradient, of form 'none', is None; with the line of the user's code that it comes from."""
    call = next((call for call in reader.gradient_calls(gradient.step) if call.id == gradient.call), None)
    if call is None:
        return Reason(f"No recorded op connects {gradient.variable.name} to the target.", None, None)
    scene = _scene(reader, call)
    source = gradient.variable
    reason = (
        (scene and _target_reason(scene))
        or (scene and source.handle is not None and _source_reason(scene, source, source.handle))
        or Reason(f"No recorded op connects {source.name} to the target.", call.path, call.line)
    )
    return reason


def explain_call(reader: TraceReader, call: GradientCall) -> Reason | None:
    """Why every gradient of a call is None, when that is due to its target; None when it is not."""
    scene = _scene(reader, call)
    return None if scene is None else _target_reason(scene)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a gradient call has to do with: its tape and the ops up to it, in order."""

    reader: TraceReader
    call: GradientCall
    tape: Tape
    edges: Sequence[Edge]

    def recorded(self, edge: Edge) -> bool:
        return self.tape.id in edge.tapes

    def reason(self, message: str, edge: Edge | None = None) -> Reason:
        """A reason at the line of an op, else at that of the call."""
        if edge is not None:
            user = self.reader.rows([edge.op])[0]
            if user.line is not None:
                return Reason(message, user.path, user.line)
        return Reason(message, self.call.path, self.call.line)

    def line(self, edge: Edge) -> str:
        """ " at line 12" of the user's code, or nothing."""
        row = self.reader.rows([edge.op])[0]
        return "" if row.line is None else f" at line {row.line}"


def _scene(reader: TraceReader, call: GradientCall) -> _Scene | None:
    tape = next((tape for tape in reader.tapes(call.step) if tape.id == call.tape), None)
    if tape is None:
        tape = next((tape for tape in reader.tapes(None) if tape.id == call.tape), None)
    if tape is None:
        return None
    first = _begin(tape)
    last = call.first_op - 1 if call.first_op is not None else max(_end(tape, reader.counts.ops), first)
    if call.step is not None:
        try:
            step = reader.step(call.step)
        except KeyError:
            return None
        first = min(first, step.first_op)
        if call.first_op is None and step.last_op is not None:
            last = max(last, step.last_op)
    return _Scene(reader, call, tape, reader.edges(first, last))


def _begin(tape: Tape) -> int:
    """The first op that the tape could record."""
    entered = next((event.op + 1 for event in tape.events if event.event == "enter"), None)
    return entered or tape.first_op or 1


def _end(tape: Tape, otherwise: int) -> int:
    """The last op that the tape could record."""
    left = next((event.op for event in reversed(tape.events) if event.event == "exit"), None)
    return left or tape.last_op or otherwise


def _target_reason(scene: _Scene) -> Reason | None:
    """The reason that lies in the targets, when none of them was computed while the tape was recording."""
    if not scene.call.targets:
        return None
    made = {tensor: edge for edge in scene.edges for tensor in edge.outputs}
    makers = [made.get(target) for target in scene.call.targets]
    begin, end = _begin(scene.tape), _end(scene.tape, scene.reader.counts.ops)
    if any(maker is None or scene.recorded(maker) or begin <= maker.op <= end for maker in makers):
        return None
    maker = next(maker for maker in makers if maker is not None)
    when = "before the tape was opened" if maker.op < begin else "after the tape was closed"
    line = scene.line(maker)
    return scene.reason(f"The target was computed {when}: {maker.type}{line} was not recorded.", maker)


def _source_reason(scene: _Scene, source: Variable, tensor: int) -> Reason | None:
    taking = [edge for edge in scene.edges if tensor in edge.inputs]
    if source.kind == "variable":
        taking = [edge for edge in taking if reads(edge.type)]
    if not taking:
        # Not "is not used": handed straight to an op, as in tf.argmax(v), TensorFlow reads it unseen.
        where = "in this batch" if scene.call.step is not None else "while the tape was open"
        return scene.reason(f"No recorded op reads {source.name} {where}.")
    recorded = [edge for edge in taking if scene.recorded(edge)]
    if not recorded:
        return _unrecorded_reason(scene, source, tensor, taking)
    return _path_reason(scene, source, tensor, recorded)


def _unrecorded_reason(scene: _Scene, source: Variable, tensor: int, taking: Sequence[Edge]) -> Reason:
    """Why the tape recorded none of the ops that used the source."""
    begin, end = _begin(scene.tape), _end(scene.tape, scene.reader.counts.ops)
    inside = [edge for edge in taking if begin <= edge.op <= end]
    if not inside:
        when = (
            "before the tape was opened" if all(edge.op < begin for edge in taking) else "outside of the tape"
        )
        if all(edge.op > end for edge in taking):
            when = "after the tape was closed"
        return scene.reason(f"{source.name} is used only {when}{scene.line(taking[-1])}.", taking[-1])
    used = inside[0]
    if all(_paused(scene.tape, edge.op) for edge in inside):
        return scene.reason(f"{source.name} is used only while the tape's recording was stopped.", used)
    watches = [
        event.op
        for event in scene.tape.events
        if event.event == "watch" and (event.variable == source.id or event.tensor == tensor)
    ]
    if watches and all(edge.op <= min(watches) for edge in inside):
        return scene.reason(f"{source.name} is used only before tape.watch was called on it.", used)
    if watches:
        return scene.reason(f"{source.name} is used by ops that the tape did not record.", used)
    if source.kind == "tensor":
        return scene.reason(
            f"{source.name} is a tensor that the tape does not watch: call tape.watch first.", used
        )
    if not scene.tape.watch_accessed:
        why = "the tape was made with watch_accessed_variables=False and tape.watch was not called on it"
        return scene.reason(f"{source.name} is not watched: {why}.", used)
    if source.trainable is False:
        return scene.reason(f"{source.name} is not trainable, so the tape does not watch it by itself.", used)
    return scene.reason(f"{source.name} is used by ops that the tape did not record.", used)


def _paused(tape: Tape, op: int) -> bool:
    """Whether the tape's recording was stopped when an op ran."""
    stopped = False
    for event in tape.events:
        if event.op >= op:
            break
        if event.event in ("stop_recording", "resume"):
            stopped = event.event == "stop_recording"
    return stopped


def _path_reason(scene: _Scene, source: Variable, tensor: int, recorded: Sequence[Edge]) -> Reason:
    """Where the way from the source to the target ends."""
    toward = _toward(scene.edges, scene.call.targets)
    reached = {tensor}
    last = recorded[0]
    endings: list[tuple[Edge, str]] = []
    for edge in scene.edges:
        if edge.op < recorded[0].op or reached.isdisjoint(edge.inputs):
            continue
        if source.kind == "variable" and tensor in edge.inputs and not reads(edge.type):
            continue
        last = edge
        ending = _ending(scene, edge)
        if ending is None:
            outputs = zip(edge.outputs, edge.dtypes, strict=True)
            reached.update(output for output, dtype in outputs if carries_gradient(dtype))
        elif edge.op in toward:
            endings.append((edge, ending))
    if not reached.isdisjoint(scene.call.targets):
        return scene.reason(
            f"A gradient function on the way from the target to {source.name} gave None.", last
        )
    if endings:
        # Shapes and comparisons rarely are what a user meant to differentiate: name another end if there is.
        edge, ending = max(endings, key=lambda end: (end[0].type not in STRUCTURE, end[0].op))
        return scene.reason(
            f"The way from {source.name} to the target ends{scene.line(edge)}: {ending}.", edge
        )
    message = f"No recorded op connects {source.name} to the target"
    return scene.reason(f"{message}; the last op that uses it is {last.type}{scene.line(last)}.", last)


def _ending(scene: _Scene, edge: Edge) -> str | None:
    """Why no gradient comes back through an op, None when one may."""
    if edge.type in NO_GRADIENT:
        return f"{edge.type} has no gradient"
    if assigns(edge.type):
        return f"{edge.type} writes it into a variable, which no gradient passes"
    if edge.dtypes and not any(carries_gradient(dtype) for dtype in edge.dtypes):
        kinds = ", ".join(sorted(set(edge.dtypes)))
        return f"{edge.type} gives {kinds}, which has no gradient"
    if not scene.recorded(edge):
        stopped = "while its recording was stopped" if _paused(scene.tape, edge.op) else ""
        if not stopped and edge.op > _end(scene.tape, scene.reader.counts.ops):
            stopped = "after it was closed"
        return f"the tape did not record {edge.type}{' (' + stopped + ')' if stopped else ''}"
    return None


def _toward(edges: Sequence[Edge], targets: Iterable[int]) -> set[int]:
    """The ops that the targets depend on, through tensors or through variables written and read again."""
    needed = set(targets)
    found: set[int] = set()
    for edge in reversed(edges):
        writes = bool(edge.inputs) and assigns(edge.type) and edge.inputs[0] in needed
        if writes or not needed.isdisjoint(edge.outputs):
            found.add(edge.op)
            needed.update(edge.inputs)
    return found
