"""Where the NaN came from: the first op, forward or backward, whose inputs were finite and whose output was not.

Only what reaches a loss, a gradient or a variable counts: `tapeinspect.analysis.nan.victims`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from weakref import WeakKeyDictionary

from tapeinspect.analysis.nan import remedies
from tapeinspect.analysis.nan.chain import Chain, Root, chain_of
from tapeinspect.analysis.nan.origin import Backing, Origin, Trend
from tapeinspect.analysis.nan.telling import bad_in_words, given_to
from tapeinspect.analysis.nan.victims import Victim, bad_steps, victims_of
from tapeinspect.analysis.syntax import syntax_of
from tapeinspect.trace.reader import TraceReader
from tapeinspect.trace.records import Edge, GradientCall, PathStep, Step

__all__ = ["Origin", "first_origin", "origin_of_step", "origins"]

_REPEATS = 12
"""Steps of an origin that is known already, after which no more are looked at: once the variables are NaN, every step
is bad for the same reason."""
_KEPT = 100
_LONGEST_WAY = 40
_STEPS = 60
"""Steps before that a trend goes back over."""

_known: WeakKeyDictionary[TraceReader, dict[tuple[int, int], Origin | None]] = WeakKeyDictionary()


def first_origin(reader: TraceReader) -> Origin | None:
    """The origin of the first NaN or Inf of the run that matters; None when there is none."""
    return next(origins(reader), None)


def origins(reader: TraceReader) -> Iterator[Origin]:
    """The origin of the NaN or Inf of each bad step, each place in the code once, in order."""
    seen: set[object] = set()
    repeats = 0
    for step in bad_steps(reader):
        origin = origin_of_step(reader, step.id)
        if origin is None:
            continue
        # What goes back to a step that was told of says what its variables brought with them.
        known = {(origin.path, origin.line, origin.type, origin.stage), origin.step} & seen
        repeats = repeats + 1 if known else 0
        seen |= {(origin.path, origin.line, origin.type, origin.stage), origin.step}
        if not known:
            yield origin
        elif repeats >= _REPEATS:
            return


def origin_of_step(reader: TraceReader, step: int) -> Origin | None:
    """Where the NaN or Inf of a step came from, which may be an earlier one; None when nothing that matters is bad."""
    known = _known.setdefault(reader, {})
    key = (step, reader.counts.ops)
    if key not in known:
        if len(known) > _KEPT:
            known.clear()
        known[key] = _origin_of_step(reader, reader.step(step))
    return known[key]


def _origin_of_step(reader: TraceReader, step: Step) -> Origin | None:
    last = step.last_op if step.last_op is not None else reader.counts.ops
    edges, bad = reader.edges(step.first_op, last), reader.bad_tensors(step.first_op, last)
    victims = victims_of(reader, step, edges, bad)
    if not victims:
        return None
    victim = victims[0]
    tensors = [
        tensor for other in victims if _together(victim, other) for tensor in other.tensors
    ]  # gradients of one call go back to the same op by ways of different length
    chain = chain_of(reader, step, last, tensors, victim.edge)
    if not chain.roots:
        return None
    return _Story(reader, chain, victim).tell()


def _together(victim: Victim, other: Victim) -> bool:
    return victim.op == other.op and victim.edge is other.edge


class _Story:
    """Puts together what is told of a chain."""

    def __init__(self, reader: TraceReader, chain: Chain, victim: Victim) -> None:
        self.reader, self.chain, self.victim = reader, chain, victim
        self.turn = chain.turn()
        self.root = self._pick()
        self.calls = {
            call.id: call for step in {edge.step for edge in chain.edges} if step is not None
            for call in reader.gradient_calls(step)
        }  # fmt: skip

    def _pick(self) -> Root:
        """The root to tell of: the earliest that is not a constant of Inf which the script put there itself."""
        roots = self.chain.roots
        meant = [root for root in roots if self._is_mask(root)]
        for root in roots:
            if root not in meant:
                return root
        if self.turn is not None:
            return Root(self.turn, "op")
        return roots[0]

    def _is_mask(self, root: Root) -> bool:
        """A single Inf, or a tensor full of it, that was written down as it is: -inf for a mask or a first maximum."""
        if root.kind != "data" or root.given is None:
            return False
        note = self.reader.origin(root.edge.op)
        given = next((one for one in note.inputs if one.tensor == root.given), None) if note else None
        return given is not None and not given.nan and given.min is None

    def tell(self) -> Origin:
        """The origin."""
        edge, reader = self.root.edge, self.reader
        backing = self._backing(edge)
        place = backing.edge if backing is not None and backing.edge is not None else edge
        row, (path, line) = reader.rows([edge.op])[0], self._place(place)
        note = reader.origin(edge.op)
        health = [self.chain.bad[tensor] for tensor in edge.outputs if tensor in self.chain.bad]
        expression = self._expression(place)
        turned = self.turn if self.turn is not None and self.turn.op > edge.op else None
        return Origin(
            kind="op" if self.root.kind == "gradient" else self.root.kind,
            stage="backward"
            if backing is not None or row.backward or self.root.kind == "gradient"
            else self._stage(edge),
            step=edge.step or self.victim_step(),
            op=edge.op,
            type=edge.type,
            path=path,
            line=line,
            expression=expression,
            nan=sum(one.nan for one in health),
            inf=sum(one.inf for one in health),
            reaches=self.victim.what,
            message=self._message(backing, path, line, expression, turned),
            hint=self._hint(backing, expression),
            forward=None if backing is None or backing.edge is None else self._step_of(backing.edge),
            turned=None if turned is None else self._step_of(turned),
            note=note,
            steps=self._way(edge),
            trend=self._trend(edge),
            others=tuple(
                self._step_of(root.edge) for root in self.chain.roots if root is not self.root and root.kind == "op"
            )[:5],
        )  # fmt: skip

    def victim_step(self) -> int:
        """The step of the victim."""
        return next((edge.step for edge in reversed(self.chain.edges) if edge.step is not None), 0)

    def _stage(self, edge: Edge) -> Literal["forward", "update"]:
        ended = [call for call in self.calls.values() if call.step == edge.step and call.last_op]
        if self.root.kind == "op" and ended and all((call.last_op or 0) < edge.op for call in ended):
            return "update"
        return "forward"

    def _backing(self, edge: Edge) -> Backing | None:
        """The forward op whose backward an op is; None for an op of no backward pass."""
        call = self._call_of(edge)
        if call is None:
            return None
        rows = [
            row
            for row in self.reader.backward_calls(call.id)
            if row.first_op is not None and row.last_op is not None and row.first_op <= edge.op <= row.last_op
        ]
        if not rows:
            return None
        row = min(rows, key=lambda row: (row.last_op or 0) - (row.first_op or 0))
        forward = self.reader.edges(row.op, row.op) if row.op is not None else []
        return Backing(row.type, forward[0] if forward else None)

    def _call_of(self, edge: Edge) -> GradientCall | None:
        return next(
            (
                call
                for call in self.calls.values()
                if call.first_op is not None
                and call.last_op is not None
                and call.first_op <= edge.op <= call.last_op
            ),
            None,
        )

    # words

    def _message(
        self,
        backing: Backing | None,
        path: str | None,
        line: int | None,
        expression: str,
        turned: Edge | None,
    ) -> str:
        edge, kind = self.root.edge, self.root.kind
        where = _at(path, line)
        code = f" (`{expression}`)" if expression else ""
        words = bad_in_words(*self._counts())
        if kind == "data":
            return f"{self._data()}{where}{code} already holds {words}, and it reaches {self.victim.what}."
        if kind == "variable":
            return f"{self._variable()} held {words} when it was first read{where}{code}, before any recorded change."
        if kind == "gradient":
            return (
                f"The gradient function of {edge.type}{where}{code} gives {words} of finite gradients; "
                f"it reaches {self.victim.what}."
            )
        what = edge.type
        if backing is not None:
            of = "" if backing.type == edge.type else f", going back through {backing.type}"
            what = f"{edge.type}{of}" if of else f"The backward pass of {edge.type}"
        detail = given_to(self.reader.origin(edge.op), edge.type)
        mask = any(tensor in self.chain.bad for tensor in edge.inputs)
        given = "inputs that hold only Inf where it matters" if mask else "finite inputs"
        sentence = f"{what}{where}{code} gives {words} of {given}" + (f": {detail}" if detail else "")
        if turned is not None and not self._counts()[0]:
            sentence += f"; {turned.type}{self._at_edge(turned)} makes NaN of it"
        return f"{sentence}; it reaches {self.victim.what}."

    def _counts(self) -> tuple[int, int]:
        """NaN and Inf in the outputs of the root, or in what it was given."""
        edge = self.root.edge
        if self.root.kind == "gradient" and self.root.given is not None:
            one = self.chain.bad[self.root.given]
            return one.nan, one.inf
        if self.root.kind == "data" and (note := self.reader.origin(edge.op)) is not None:
            given = [one for one in note.inputs if one.tensor == self.root.given]
            if given:
                return given[0].nan, given[0].inf
        health = [self.chain.bad[tensor] for tensor in edge.outputs if tensor in self.chain.bad]
        return sum(one.nan for one in health), sum(one.inf for one in health)

    def _data(self) -> str:
        edge, given = self.root.edge, self.root.given
        if given in edge.outputs:
            source = "the dataset" if edge.type.startswith("Iterator") else edge.type
            return f"What {source} gives"
        if edge.step is not None:
            step = self.reader.step(edge.step)
            for argument in step.args:
                if argument.tensor == given and given is not None:
                    return f"The argument {argument.name} of {step.function}, used by {edge.type}"
        return f"An input of {edge.type} that no recorded op made"

    def _variable(self) -> str:
        handle = self.root.edge.inputs[0] if self.root.edge.inputs else None
        name = next((v.name for v in self.reader.variables() if v.handle == handle), None)
        return name or "A variable"

    def _hint(self, backing: Backing | None, expression: str) -> str:
        edge = self.root.edge
        if self.root.kind == "data":
            return remedies.DATA
        if self.root.kind == "variable":
            return remedies.RESTORED
        if self.root.kind == "gradient":
            return remedies.OWN
        if backing is not None:
            guarded = "where" in expression or self._guarded(backing)
            return remedies.backward_remedy(backing.type, expression, guarded) or remedies.forward_remedy(
                edge.type, "", "", False
            )
        made_by = self._maker_type(edge)
        takers = [taker.type for taker in self.chain.edges if not set(edge.outputs).isdisjoint(taker.inputs)]
        taken_by = next((kind for kind in takers if kind in ("Sum", "RealDiv")), "")
        note = self.reader.origin(edge.op)
        empty = note is not None and any(
            given.spec.shape is not None and 0 in given.spec.shape for given in note.inputs if given.norm == 0
        )
        grew = note is not None and any(all(abs(x) > 1 for x in one.inputs) for one in note.elements)
        return remedies.forward_remedy(edge.type, made_by, taken_by, empty, grew and not self._counts()[0])

    def _guarded(self, backing: Backing) -> bool:
        """Whether what a forward op gave goes into a tf.where."""
        if backing.edge is None:
            return False
        outputs = set(backing.edge.outputs)
        return any(
            edge.type in ("SelectV2", "Select") and not outputs.isdisjoint(edge.inputs)
            for edge in self.chain.edges
        )

    def _maker_type(self, edge: Edge) -> str:
        """Type of the op that made the first input, past what only hands on."""
        tensor = edge.inputs[0] if edge.inputs else None
        for _ in range(4):
            producer = self.reader.producer(tensor) if tensor is not None else None
            made = self.reader.edges(producer, producer) if producer is not None else []
            if not made:
                return ""
            if made[0].type not in ("Identity", "Cast", "Reshape") or not made[0].inputs:
                return made[0].type
            tensor = made[0].inputs[0]
        return ""

    # places

    def _place(self, edge: Edge) -> tuple[str | None, int | None]:
        row = self.reader.rows([edge.op])[0]
        return row.path, row.line

    def _at_edge(self, edge: Edge) -> str:
        return _at(*self._place(edge))

    def _step_of(self, edge: Edge) -> PathStep:
        path, line = self._place(edge)
        tensor = next((tensor for tensor in edge.outputs if tensor in self.chain.bad), None)
        return PathStep(edge.op, edge.type, path, line, tensor)

    def _expression(self, edge: Edge) -> str:
        try:
            frame = self.reader.stack(edge.stack).user
        except KeyError:
            return ""
        syntax = syntax_of(self.reader, frame.file) if frame is not None else None
        node = syntax.expression(frame) if syntax is not None and frame is not None else None
        return syntax.text(node) if syntax is not None and node is not None else ""

    def _way(self, edge: Edge) -> tuple[PathStep, ...]:
        edges = self.chain.way(edge, self.turn)
        if len(edges) > _LONGEST_WAY:
            edges = [*edges[: _LONGEST_WAY // 2], *edges[-_LONGEST_WAY // 2 :]]
        return tuple(self._step_of(edge) for edge in edges)

    def _trend(self, edge: Edge) -> Trend | None:
        """The first input that an op of this batch made, in the batches before."""
        for tensor in edge.inputs:
            producer = self.reader.producer(tensor)
            if producer is None:
                continue
            history = self.reader.site_history(producer, _STEPS)
            points = tuple((step, norm) for step, _, norm in history)
            if any(norm is not None for _, norm in points):
                own = self.reader.rows([producer])[0]
                return Trend(own.type, (*points, (own.step or 0, own.norm)))
        return None


def _at(path: str | None, line: int | None) -> str:
    if path is None or line is None:
        return ""
    return f" at {path.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line}"
