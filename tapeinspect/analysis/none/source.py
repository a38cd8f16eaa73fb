"""Reasons that lie in the source: it is never read, read elsewhere, not watched, or not what it seems to be."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tapeinspect.analysis.differentiable import INTEGERS, carries_gradient, reads
from tapeinspect.analysis.none.hints import hint_for
from tapeinspect.analysis.none.leaving import from_outside
from tapeinspect.analysis.none.scene import Scene, Source
from tapeinspect.analysis.syntax import dotted, names_in, syntax_of
from tapeinspect.trace.records import Edge, Reason

_COPIES = frozenset({"Identity", "ReadVariableOp", "EnsureShape", "Snapshot", "DeepCopy"})
_ARITHMETIC = frozenset(
    {"Sub", "AddV2", "Add", "Mul", "RealDiv", "Neg", "ClipByValue", "Minimum", "Maximum", "Cast"}
)
_DEPTH = 6
_STOPPED = "Move it out of the `with tape.stop_recording()` block."


def users_of(scene: Scene, source: Source) -> tuple[list[Edge], set[int]]:
    """The ops that use a source, and the tensors by which they got it.

    An op that is handed a variable as it is reads it inside TensorFlow: what tells of that is that the tape has seen
    the variable, that the op has an input which no op made, and that its expression names the variable.
    """
    taking = [edge for edge in scene.edges if source.tensor in edge.inputs]
    if source.is_variable:
        taking = [edge for edge in taking if reads(edge.type)]
    known = source.evidence
    if taking or not source.is_variable or known is None or not known.watched or not known.local:
        return taking, {source.tensor}
    name = known.local.replace("/", ".").replace("self.", "")
    hidden = [
        edge
        for edge in scene.edges
        if scene.recorded(edge)
        and not scene.backward(edge.op)  # whose line names all sources
        and any(from_outside(scene, tensor) for tensor in edge.inputs)
        and _names(scene, edge, name)
    ]
    ops = {edge.op for edge in hidden}
    elsewhere = {
        tensor
        for edge in scene.edges
        if edge.op not in ops and not scene.backward(edge.op)
        for tensor in edge.inputs
    }
    through = {
        tensor
        for edge in hidden
        for tensor in edge.inputs
        if tensor not in elsewhere and from_outside(scene, tensor)
    }
    return [edge for edge in hidden if not through.isdisjoint(edge.inputs)], through


def _names(scene: Scene, edge: Edge, name: str) -> bool:
    """Whether the expression that an op ran for names a variable."""
    frame = scene.frame(edge)
    syntax = syntax_of(scene.reader, frame.file) if frame is not None else None
    node = syntax.expression(frame) if syntax is not None and frame is not None else None
    if node is None:
        return False
    return any(found == name or found.endswith("." + name) for found in names_in(node))


def unused_reason(scene: Scene, source: Source) -> Reason:
    """Why a source that no recorded op takes has no gradient."""
    name, known = source.name, source.evidence
    if not source.is_variable:
        return _unused_tensor(scene, source)
    rebuilt = _rebuilt(scene, source)
    if rebuilt is not None:
        return rebuilt
    if known is not None and known.watched:
        message = f"The tape has seen {name}, but no way leads from it to the target."
        return scene.reason(
            message, None, f"Check that what is computed from {source.code} is part of the target."
        )
    unseen = _unseen_use(scene, source)
    if unseen is not None:
        return unseen
    if known is not None and known.watched is False and source.gradient.variable.trainable is not False:
        return scene.reason(
            f"{name} is not read while the tape is open.",
            None,
            f"Use {source.code} inside the `with` block, or leave it out of the sources.",
        )
    # Not "is not used": handed straight to an op, as in tf.argmax(v), TensorFlow reads it unseen.
    where = "in this batch" if scene.call.step is not None else "while the tape was open"
    hint = f"Use {source.code} inside the `with` block, or leave it out of the sources."
    return scene.reason(f"No recorded op reads {name} {where}.", None, hint)


def _unseen_use(scene: Scene, source: Source) -> Reason | None:
    """The reason when a variable was handed as it is to an op that the tape was kept from recording."""
    known = source.evidence
    if known is None or not known.local:
        return None
    name = known.local.replace("/", ".").replace("self.", "")
    used = next(
        (
            edge
            for edge in scene.edges
            if scene.inside(edge)
            and not scene.recorded(edge)
            and edge.op in scene.toward
            and any(from_outside(scene, tensor) for tensor in edge.inputs)
            and _names(scene, edge, name)
        ),
        None,
    )
    if used is None:
        return None
    steps = (scene.step_of(used),)
    if used.type == "StopGradient":
        message = (
            f"The way from {source.name} to the target ends{scene.at(used)}: {used.type} has no gradient."
        )
        return scene.reason(message, used, hint_for(used.type), steps)
    if not scene.paused(used.op):
        return None
    message = f"{source.name} is used only while the tape's recording was stopped."
    return scene.reason(message, used, _STOPPED, steps)


def _rebuilt(scene: Scene, source: Source) -> Reason | None:
    """The reason when a variable of the same name and shape was read in place of this one."""
    known = source.evidence
    if known is None or known.twin is None:
        return None
    reading = next(
        (
            edge
            for edge in scene.edges
            if known.twin in edge.inputs and reads(edge.type) and scene.recorded(edge)
        ),
        None,
    )
    if reading is None:
        return None
    maker = scene.made.get(known.twin)
    if maker is None and not _all_missing(scene):
        return None
    path, line = scene.place(maker or reading)
    what = (
        f"made anew{scene.at_place(path, line)}" if maker is not None else f"read{scene.at_place(path, line)}"
    )
    called = known.twin_name or "another variable"
    return Reason(
        f"{source.name} is not read: another variable of the same name and shape, {called}, was {what} and used "
        "in its place.",
        path,
        line,
        "Build layers and variables once, before the loop, and collect the list of variables after the last time "
        "they are built.",
        (scene.step_of(reading),),
    )


def _all_missing(scene: Scene) -> bool:
    """Whether every gradient of the call is None."""
    return all(
        gradient.form == "none"
        for gradient in scene.reader.gradients(scene.call.step)
        if gradient.call == scene.call.id
    )


def _unused_tensor(scene: Scene, source: Source) -> Reason:
    maker = scene.made.get(source.tensor)
    name = source.name
    if maker is not None:
        message = f"The target does not depend on {name}, which {maker.type}{scene.at(maker)} made"
        if not scene.inside(maker):
            message += " outside of the tape"
        hint = f"Compute the target from {source.code} itself; if it is made outside of the tape, watch it first."
        return scene.reason(message + ".", maker, hint, (scene.step_of(maker),))
    where = "while the tape was open" if scene.call.step is None else "in this batch"
    return scene.reason(
        f"No recorded op takes {name} {where}.",
        None,
        f"Call tape.watch({source.code}) and compute the target from {source.code}.",
    )


def not_itself_reason(scene: Scene, source: Source) -> Reason | None:
    """The reason when a tensor was given as a source that once was a variable, or is a copy of one."""
    if source.is_variable:
        return None
    return _replaced(scene, source) or _copy(scene, source)


def _replaced(scene: Scene, source: Source) -> Reason | None:
    """The reason when a name that stood for a variable was bound to a tensor: `w = w - lr * gradient`."""
    producer = scene.reader.producer(source.tensor)
    if producer is None:
        return None
    (maker,) = scene.reader.edges(producer, producer) or (None,)
    if maker is None or maker.type not in _ARITHMETIC or scene.recorded(maker):
        return None
    frame = scene.frame(maker)
    syntax = syntax_of(scene.reader, frame.file) if frame is not None else None
    node = syntax.expression(frame) if syntax is not None and frame is not None else None
    if syntax is None or node is None or frame is None:
        return None
    statement = next((above for above in syntax.above(node) if isinstance(above, ast.stmt)), None)
    bound = _bound(statement)
    if bound is None or not isinstance(statement, (ast.Assign, ast.AugAssign)):
        return None
    local = source.evidence.local if source.evidence is not None else None
    if local is not None and bound.rsplit(".", 1)[-1] != local.replace("/", ".").rsplit(".", 1)[-1]:
        return None
    if isinstance(statement, ast.Assign) and bound not in names_in(statement.value):
        return None
    if not _from_variable(scene, maker):
        return None
    text, path = syntax.text(statement), frame.path
    return Reason(
        f"{source.name} is no variable any more: `{text}`{scene.at_place(path, statement.lineno)} bound the name to "
        "a tensor, which the tape does not watch.",
        path,
        statement.lineno,
        f"Change the variable in place: {bound}.assign_sub(…) or {bound}.assign(…).",
        (scene.step_of(maker, source.tensor),),
    )


def _bound(statement: ast.stmt | None) -> str | None:
    """The only name that an assignment binds."""
    if isinstance(statement, ast.AugAssign):
        return dotted(statement.target)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return dotted(statement.targets[0])
    return None


def _from_variable(scene: Scene, maker: Edge) -> bool:
    """Whether simple arithmetic made a tensor out of the value of a variable."""
    edges, reader = [maker], scene.reader
    for _ in range(_DEPTH):
        inputs = [tensor for edge in edges for tensor in edge.inputs]
        producers = {op for tensor in inputs if (op := reader.producer(tensor)) is not None}
        edges = [edge for op in producers for edge in reader.edges(op, op)]
        if any(edge.type == "ReadVariableOp" for edge in edges):
            return True
        edges = [edge for edge in edges if edge.type in _ARITHMETIC]
        if not edges:
            return False
    return False


def _copy(scene: Scene, source: Source) -> Reason | None:
    """The reason when a source is a copy of what the target was computed from."""
    reader, tensor = scene.reader, source.tensor
    producer = reader.producer(tensor)
    first: Edge | None = None
    for _ in range(_DEPTH):
        edges = reader.edges(producer, producer) if producer is not None else []
        if not edges or edges[0].type not in _COPIES or not edges[0].inputs:
            break
        first = first or edges[0]
        tensor = edges[0].inputs[0]
        producer = reader.producer(tensor)
    if first is None or not _is_used(scene, tensor, source.tensor):
        return None
    frame = scene.frame(first)
    syntax = syntax_of(reader, frame.file) if frame is not None else None
    node = syntax.expression(frame) if syntax is not None and frame is not None else None
    text = f"`{syntax.text(node)}`" if syntax is not None and node is not None else first.type
    name = next((v.name for v in reader.variables() if v.handle == tensor), None)
    of = "" if name is None else f" of {name}"
    return scene.reason(
        f"{source.name} is a copy{of} that {text} made{scene.at(first)}; the target was computed from the "
        "original, not from the copy.",
        first,
        "Give the original itself as the source, or compute the target from the copy.",
        (scene.step_of(first, source.tensor),),
    )


def _is_used(scene: Scene, original: int, copy: int) -> bool:
    """Whether the target depends on the original, and not by way of the copy."""
    toward = [edge for edge in scene.edges if edge.op in scene.toward]
    return any(original in edge.inputs for edge in toward) and not any(copy in edge.inputs for edge in toward)


def dtype_reason(scene: Scene, source: Source) -> Reason | None:
    """The reason when the source itself is of a type that has no gradient."""
    dtype = source.gradient.variable.dtype
    if carries_gradient(dtype) or dtype not in INTEGERS:
        return None
    used = next((edge for edge in scene.edges if source.tensor in edge.inputs and scene.inside(edge)), None)
    return scene.reason(
        f"{source.name} is of type {dtype}, and only floats have gradients.",
        used,
        "Make it of a float type such as tf.float32, or leave it out of the sources.",
        () if used is None else (scene.step_of(used),),
    )


def unrecorded_reason(scene: Scene, source: Source, taking: Sequence[Edge]) -> Reason:
    """Why the tape recorded none of the ops that used the source."""
    name = source.name
    inside = [edge for edge in taking if scene.inside(edge)]
    if not inside:
        return _elsewhere(scene, source, taking)
    used = inside[0]
    steps = (scene.step_of(used),)
    if all(scene.paused(edge.op) for edge in inside):
        message = f"{name} is used only while the tape's recording was stopped."
        return scene.reason(message, used, _STOPPED, steps)
    if all(scene.forgotten(edge.op) for edge in inside):
        message = f"{name} is used only before the tape was reset, which throws out what was recorded."
        return scene.reason(message, used, f"Use {source.code} after tape.reset() is called.", steps)
    watches = [
        event.op
        for event in scene.tape.events
        if event.event == "watch"
        and (event.variable == source.gradient.variable.id or event.tensor == source.tensor)
    ]
    if watches and all(edge.op <= min(watches) for edge in inside):
        message = f"{name} is used only before tape.watch was called on it."
        return scene.reason(
            message, used, f"Call tape.watch({source.code}) first thing in the `with` block.", steps
        )
    if watches:
        return scene.reason(f"{name} is used by ops that the tape did not record.", used, "", steps)
    message, hint = _why_unwatched(scene, source)
    return scene.reason(message, used, hint, steps)


def _why_unwatched(scene: Scene, source: Source) -> tuple[str, str]:
    """Why the tape does not watch a source that was used while it recorded, and what to do."""
    name, variable = source.name, source.gradient.variable
    if variable.kind == "tensor":
        message = f"{name} is a tensor that the tape does not watch: call tape.watch first."
        return (
            message,
            f"Call tape.watch({source.code}) at the begin of the `with` block, or make it a tf.Variable.",
        )
    if not scene.tape.watch_accessed:
        why = "the tape was made with watch_accessed_variables=False and tape.watch was not called on it"
        return (
            f"{name} is not watched: {why}.",
            f"Call tape.watch({source.code}) at the begin of the `with` block.",
        )
    if variable.trainable is False:
        message = f"{name} is not trainable, so the tape does not watch it by itself."
        return message, (
            f"Make it with trainable=True, call tape.watch({source.code}), or leave it out of the sources "
            "(model.trainable_variables in place of model.variables)."
        )
    return f"{name} is used by ops that the tape did not record.", ""


def _elsewhere(scene: Scene, source: Source, taking: Sequence[Edge]) -> Reason:
    last = taking[-1]
    when = "outside of the tape"
    if all(edge.op < scene.begin for edge in taking):
        when = "before the tape was opened"
    elif all(edge.op > scene.end for edge in taking):
        when = "after the tape was closed"
    on_way = [edge for edge in taking if edge.op in scene.toward] or [last]
    return scene.reason(
        f"{source.name} is used only {when}{scene.at(on_way[-1])}.",
        on_way[-1],
        f"Move what reads {source.code} into the `with tf.GradientTape()` block.",
        (scene.step_of(on_way[-1]),),
    )
