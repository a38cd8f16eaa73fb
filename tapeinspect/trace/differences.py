"""Comparisons of the eager step with the traced one, as they stand in a trace file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, cast

from tapeinspect.trace import decode
from tapeinspect.trace.database import Database, Row

Verdict = Literal["same", "different", "fails_to_trace"]
Figure = Literal["bit-equal", "rounding", "real"]
Relation = Literal["equal", "eager", "traced", "moved", "folded"]
Compilation = Literal["same", "different", "random", "not_compiled"]
Rewrite = Literal["fused", "folded", "replaced", "removed", "added"]

_VERDICTS: Final = ("same", "different", "fails_to_trace")
_FIGURES: Final[tuple[Figure, ...]] = ("bit-equal", "rounding", "real")
_COMPILATIONS: Final[tuple[Compilation, ...]] = ("same", "different", "random", "not_compiled")
_REWRITES: Final[tuple[Rewrite, ...]] = ("fused", "folded", "replaced", "removed", "added")
_RELATIONS: Final = ("equal", "eager", "traced", "moved", "folded")


@dataclass(frozen=True, slots=True)
class Difference:
    """One comparison."""

    id: int
    step: int | None
    function: str
    path: str | None
    line: int | None
    verdict: Verdict
    tolerance: float | None
    """Relative; None: by dtype."""
    eager_seconds: float | None
    traced_seconds: float | None
    trace_seconds: float | None
    ops: int
    """Pairs of ops; 0 when ops were not compared."""
    first_op: int | None
    """Id of the first pair, in the order of the eager run, whose values really differ."""
    notes: tuple[str, ...]

    @property
    def break_even(self) -> float | None:
        """How many batches make up for the time that tracing takes; None when traced calls are not faster."""
        if None in (self.eager_seconds, self.traced_seconds, self.trace_seconds):
            return None
        gain = cast(float, self.eager_seconds) - cast(float, self.traced_seconds)
        return cast(float, self.trace_seconds) / gain if gain > 0 else None


@dataclass(frozen=True, slots=True)
class Far:
    """How far two values are apart."""

    max_abs: float | None
    """None: another shape or type, or no number."""
    max_rel: float | None
    ulp: int | None
    verdict: Figure | None
    """None: not compared."""


@dataclass(frozen=True, slots=True)
class DiffOp:
    """An op of the eager run beside that of the graph."""

    id: int
    relation: Relation
    type: str
    traced_type: str | None
    """Where the graph computes it by another op."""
    path: str | None
    line: int | None
    traced_line: int | None
    """Where the graph has it on another line."""
    library: str | None
    """`file:line` of the innermost line of a library such as Keras."""
    turn: int
    """How often the op had run before."""
    dtype: str | None
    shape: tuple[int, ...] | None
    far: Far
    why: str


@dataclass(frozen=True, slots=True)
class DiffValue:
    """An output, a gradient, or a variable after a call."""

    kind: Literal["output", "gradient", "variable"]
    name: str
    call: int
    far: Far
    note: str
    side: Literal["traced", "xla"] = "traced"
    """What is compared: the traced step with the eager one, or the compiled step with the traced one."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """The step compiled by XLA, beside the traced one."""

    verdict: Compilation
    """random: not comparable, since XLA draws other random numbers."""
    seconds: float | None
    """Of one call."""
    compile_seconds: float | None
    """Of tracing and compiling."""
    values: tuple[DiffValue, ...]
    """Of the first call."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that one call of the step needs at most, beyond what is taken before it."""

    device: Literal["cpu", "gpu"]
    eager: int
    traced: int | None
    """None where the traced step fails."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """An op of the graph that Grappler changed."""

    change: Rewrite
    type: str
    name: str
    """The graph's own."""
    becomes: str
    """Type of the op that computes it instead; "" for one that is removed or added."""
    path: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class DiffFinding:
    """Something a user should look at."""

    rule: str
    severity: Literal["error", "warning", "info"]
    path: str | None
    line: int | None
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class DiffLine:
    """What became of one line of the user's."""

    path: str | None
    line: int | None
    eager: int
    """Ops that ran eagerly; folded ones left out, as in the next."""
    traced: int
    only_eager: int
    only_traced: int
    folded: int
    verdict: Figure | None
    """The worst of its ops."""


class Differences:
    """Comparisons in a trace file. Every error is a TraceError; a file without the tables has none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def available(self) -> bool:
        """Whether the file has room for comparisons; one of an older recording has not."""
        return self._database.one("SELECT 1 FROM sqlite_master WHERE name = 'diff'") is not None

    def all(self) -> list[Difference]:
        """Every comparison, in order."""
        if not self.available():
            return []
        rows = self._database.rows(
            "SELECT d.id, d.step, d.function, f.path, d.line, d.verdict, d.tolerance, d.eager_seconds,"
            " d.traced_seconds, d.trace_seconds, d.ops, d.first_op, d.notes_json"
            " FROM diff d LEFT JOIN file f ON f.id = d.file ORDER BY d.id"
        )
        return [_difference(row) for row in rows]

    def ops(self, diff: int) -> list[DiffOp]:
        """The pairs of ops of a comparison, in the order of the eager run."""
        rows = self._database.rows(
            "SELECT o.id, o.relation, o.type, o.traced_type, f.path, o.line, o.traced_line, o.library, o.turn,"
            " o.dtype, o.shape_json, o.max_abs, o.max_rel, o.ulp, o.verdict, o.why"
            " FROM diff_op o LEFT JOIN file f ON f.id = o.file WHERE o.diff = ? ORDER BY o.id",
            (diff,),
        )
        return [_op(row) for row in rows]

    def values(self, diff: int) -> list[DiffValue]:
        """Outputs, gradients and variables of a comparison, call by call."""
        rows = self._database.rows(
            "SELECT kind, name, call, max_abs, max_rel, ulp, verdict, note FROM diff_value WHERE diff = ? ORDER BY id",
            (diff,),
        )
        return [_value(row) for row in rows]

    def findings(self, diff: int) -> list[DiffFinding]:
        """What a user should look at, the most severe first."""
        rows = self._database.rows(
            "SELECT d.rule, d.severity, f.path, d.line, d.message, d.hint"
            " FROM diff_finding d LEFT JOIN file f ON f.id = d.file WHERE d.diff = ? ORDER BY d.id",
            (diff,),
        )
        return [_finding(row) for row in rows]

    def compiled(self, diff: int) -> Compiled | None:
        """The step compiled by XLA; None where that was not asked for or the step cannot be traced."""
        if "diff_xla" not in self._database.tables:
            return None
        row = self._database.one(
            "SELECT verdict, seconds, compile_seconds FROM diff_xla WHERE diff = ?", (diff,)
        )
        if row is None:
            return None
        values = self._database.rows(
            "SELECT kind, name, 1, max_abs, max_rel, ulp, verdict, note FROM diff_xla_value WHERE diff = ? ORDER BY id",
            (diff,),
        )
        return Compiled(
            next((known for known in _COMPILATIONS if known == row[0]), "different"),
            decode.maybe_real(row[1]),
            decode.maybe_real(row[2]),
            tuple(replace(_value(value), side="xla") for value in values),
        )

    def run_of(self, diff: int) -> int | None:
        """The run of AutoGraph that belongs to a comparison: see `TraceReader.autograph`; None where there is none."""
        if "diff_code" not in self._database.tables:
            return None
        row = self._database.one("SELECT run FROM diff_code WHERE diff = ?", (diff,))
        return None if row is None else decode.maybe_whole(row[0])

    def has_run(self, run: int) -> bool:
        """Whether a run of AutoGraph came with a comparison, which looks for nothing else."""
        if "diff_code" not in self._database.tables:
            return False
        return self._database.one("SELECT 1 FROM diff_code WHERE run = ?", (run,)) is not None

    def memory(self, diff: int) -> Memory | None:
        """What a call needs both ways; None where that was not or could not be measured."""
        if "diff_memory" not in self._database.tables:
            return None
        row = self._database.one("SELECT device, eager, traced FROM diff_memory WHERE diff = ?", (diff,))
        if row is None:
            return None
        device: Literal["cpu", "gpu"] = "gpu" if row[0] == "gpu" else "cpu"
        return Memory(device, decode.whole(row[1]), decode.maybe_whole(row[2]))

    def rewritten(self, diff: int) -> list[Rewritten] | None:
        """What Grappler changed, in the order of the graph; None where that was not asked for or could not be told."""
        if "diff_grappler" not in self._database.tables:
            return None
        if self._database.one("SELECT 1 FROM diff_grappler WHERE diff = ?", (diff,)) is None:
            return None
        rows = self._database.rows(
            "SELECT r.change, r.type, r.name, r.becomes, f.path, r.line"
            " FROM diff_rewritten r LEFT JOIN file f ON f.id = r.file WHERE r.diff = ? ORDER BY r.id",
            (diff,),
        )
        return [_rewritten(row) for row in rows]


def by_line(ops: list[DiffOp]) -> list[DiffLine]:
    """The ops of each line of the user's, in the order of their first op."""
    lines: dict[tuple[str | None, int | None], list[DiffOp]] = {}
    for op in ops:
        lines.setdefault((op.path, op.line), []).append(op)
    return [_line(path, line, found) for (path, line), found in lines.items()]


def _line(path: str | None, line: int | None, ops: list[DiffOp]) -> DiffLine:
    count = {relation: sum(op.relation == relation for op in ops) for relation in _RELATIONS}
    both = count["equal"] + count["moved"]
    figures = [op.far.verdict for op in ops if op.far.verdict is not None]
    return DiffLine(
        path,
        line,
        both + count["eager"],
        both + count["traced"],
        count["eager"],
        count["traced"],
        count["folded"],
        max(figures, key=_FIGURES.index, default=None),
    )


def _difference(row: Row) -> Difference:
    notes = decode.from_json(row[12])
    return Difference(
        id=row[0],
        step=decode.maybe_whole(row[1]),
        function=decode.text(row[2]),
        path=decode.maybe_text(row[3]),
        line=decode.maybe_whole(row[4]),
        verdict=cast(Verdict, row[5] if row[5] in _VERDICTS else "different"),
        tolerance=decode.maybe_real(row[6]),
        eager_seconds=decode.maybe_real(row[7]),
        traced_seconds=decode.maybe_real(row[8]),
        trace_seconds=decode.maybe_real(row[9]),
        ops=decode.whole(row[10]),
        first_op=decode.maybe_whole(row[11]),
        notes=tuple(n for n in notes if isinstance(n, str)) if isinstance(notes, list) else (),
    )


def _far(max_abs: object, max_rel: object, ulp: object, verdict: object) -> Far:
    return Far(
        decode.maybe_real(max_abs),
        decode.maybe_real(max_rel),
        decode.maybe_whole(ulp),
        next((figure for figure in _FIGURES if figure == verdict), None),
    )


def _op(row: Row) -> DiffOp:
    return DiffOp(
        id=row[0],
        relation=cast(Relation, row[1] if row[1] in _RELATIONS else "equal"),
        type=decode.text(row[2]),
        traced_type=decode.maybe_text(row[3]),
        path=decode.maybe_text(row[4]),
        line=decode.maybe_whole(row[5]),
        traced_line=decode.maybe_whole(row[6]),
        library=decode.maybe_text(row[7]),
        turn=decode.whole(row[8]),
        dtype=decode.maybe_text(row[9]),
        shape=decode.shape(decode.from_json(row[10])),
        far=_far(*row[11:15]),
        why=decode.text(row[15]),
    )


def _value(row: Row) -> DiffValue:
    kind: Literal["output", "gradient", "variable"] = (
        "gradient" if row[0] == "gradient" else "variable" if row[0] == "variable" else "output"
    )
    return DiffValue(kind, decode.text(row[1]), decode.whole(row[2]), _far(*row[3:7]), decode.text(row[7]))


def _rewritten(row: Row) -> Rewritten:
    change: Rewrite = next((known for known in _REWRITES if known == row[0]), "replaced")
    texts = (decode.text(row[1]), decode.text(row[2]), decode.text(row[3]))
    return Rewritten(change, *texts, decode.maybe_text(row[4]), decode.maybe_whole(row[5]))


def _finding(row: Row) -> DiffFinding:
    severity: Literal["error", "warning", "info"] = (
        "error" if row[1] == "error" else "info" if row[1] == "info" else "warning"
    )
    path, line = decode.maybe_text(row[2]), decode.maybe_whole(row[3])
    return DiffFinding(decode.text(row[0]), severity, path, line, decode.text(row[4]), decode.text(row[5]))
