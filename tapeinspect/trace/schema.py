"""The trace file: a SQLite database, one table for each kind of fact.

Ids count from 1 in the order of recording. `time_us` is microseconds since the recording started, `took_ns`
nanoseconds. A tensor is named by TensorFlow's own id, unique in one process. Columns that end in JSON hold
JSON text. Nothing in the file is ever unpickled, evaluated or read as markup.

A step is one batch of training. `op.step` is null for ops outside any step. The health of an op's first
output is in `op.norm` (its L2 norm; null when it is not a float, not finite, or was not measured). `health`
has a row for each further float output, and one for every output that holds NaN or Inf. A `step.loss` that is
NaN is the text 'nan', since SQLite would store null. `meta` has `dropped_ops_before`, the first op kept, when
the size limit dropped older ones.
"""

from __future__ import annotations

from typing import Final

FORMAT: Final = 1
"""Version of the layout below. A reader refuses files with a higher one."""

APPLICATION_ID: Final = 0x74617065
"""SQLite's `application_id` of every trace file: "tape" in ASCII."""

TABLES: Final[dict[str, str]] = {
    # facts of the whole run: format, script, argv, cwd, tensorflow, keras, python, tapeinspect, mode,
    # values, pid, started (unix seconds), exit_status (null while it runs or when nobody learned it),
    # overhead (ratio), complete
    "meta": "key TEXT PRIMARY KEY, value_json TEXT NOT NULL",
    # role: 'user', 'library' (TensorFlow, Keras, site-packages, standard library), 'generated' (AutoGraph's)
    "file": "id INTEGER PRIMARY KEY, path TEXT NOT NULL, role TEXT NOT NULL, source TEXT",
    # one place in the code: the expression that was being evaluated. Lines from 1, columns from 0 in
    # characters, end exclusive; columns null where only the line is known
    "frame": "id INTEGER PRIMARY KEY, file INTEGER NOT NULL, function TEXT NOT NULL, line INTEGER,"
    " end_line INTEGER, col INTEGER, end_col INTEGER",
    # frames_json: ids of `frame`, innermost first; file and line: the innermost frame of the user's
    "stack": "id INTEGER PRIMARY KEY, frames_json TEXT NOT NULL, user_frame INTEGER, file INTEGER,"
    " line INTEGER",
    # what ops have in common: type, attributes, and [dtype, shape] of each output
    "kind": "id INTEGER PRIMARY KEY, type TEXT NOT NULL, attrs_json TEXT NOT NULL,"
    " outputs_json TEXT NOT NULL",
    "thread": "id INTEGER PRIMARY KEY, name TEXT NOT NULL",
    # inputs_json: tensor ids. output: id of the first output; the others follow it, unless op_output says
    # otherwise. took_ns: from the end of the thread's previous op to the end of this one, recording left
    # out. tape: innermost tape that recorded the op; op_tape lists further ones
    "op": "id INTEGER PRIMARY KEY, step INTEGER, kind INTEGER NOT NULL, stack INTEGER NOT NULL,"
    " thread INTEGER NOT NULL, time_us INTEGER NOT NULL, took_ns INTEGER NOT NULL, tape INTEGER,"
    " inputs_json TEXT NOT NULL, output INTEGER, norm REAL",
    "op_output": "op INTEGER NOT NULL, slot INTEGER NOT NULL, tensor INTEGER NOT NULL, PRIMARY KEY (op,"
    " slot)",
    "op_tape": "op INTEGER NOT NULL, tape INTEGER NOT NULL, PRIMARY KEY (op, tape)",
    "health": "tensor INTEGER PRIMARY KEY, op INTEGER NOT NULL, nan INTEGER NOT NULL, inf INTEGER NOT NULL,"
    " norm REAL",
    # figures computed because somebody looked, or for all outputs with --values full. histogram_json:
    # {"edges": [...], "counts": [...]} of the finite values
    "stats": "tensor INTEGER PRIMARY KEY, size INTEGER NOT NULL, nan INTEGER NOT NULL, inf INTEGER NOT NULL,"
    " zeros INTEGER NOT NULL, min REAL, max REAL, mean REAL, std REAL, norm REAL, histogram_json TEXT",
    # data: the tensor's bytes in C order, little endian, compressed by zlib. Strings: a JSON list, likewise
    # compressed
    "value": "tensor INTEGER PRIMARY KEY, op INTEGER, step INTEGER, dtype TEXT NOT NULL,"
    " shape_json TEXT NOT NULL,"
    " data BLOB NOT NULL",
    # kind: 'call' (one call of `function`) or 'turn' (one turn of the loop at `line`). file, line: where
    # the function or the loop begins. args_json: see records.Step. last_op and seconds are null while the
    # step runs. overhead: recording's share, (seconds with recording) / (seconds without)
    "step": "id INTEGER PRIMARY KEY, kind TEXT NOT NULL, function TEXT NOT NULL, file INTEGER, line INTEGER,"
    " thread INTEGER NOT NULL, first_op INTEGER NOT NULL, last_op INTEGER, ops INTEGER NOT NULL,"
    " time_us INTEGER NOT NULL, seconds REAL, loss REAL, args_json TEXT NOT NULL, overhead REAL",
    # parent: the tape that was open around it. first_op and last_op: the ops run while it was open
    "tape": "id INTEGER PRIMARY KEY, step INTEGER, thread INTEGER NOT NULL, parent INTEGER,"
    " persistent INTEGER NOT NULL,"
    " watch_accessed INTEGER NOT NULL, stack INTEGER NOT NULL, first_op INTEGER, last_op INTEGER",
    # event: 'enter', 'exit', 'watch', 'stop_recording', 'resume', 'reset'. op: the last op before it.
    # tensor and variable: what 'watch' watched
    "tape_event": "id INTEGER PRIMARY KEY, tape INTEGER NOT NULL, event TEXT NOT NULL, op INTEGER NOT NULL,"
    " stack INTEGER NOT NULL, time_us INTEGER NOT NULL, tensor INTEGER, variable INTEGER",
    # method: 'gradient', 'jacobian', 'batch_jacobian'. first_op, last_op: the ops of the backward pass
    # (null: none). targets_json: tensor ids. sources: rows of `gradient`. error: type and message when it
    # raised
    "gradient_call": "id INTEGER PRIMARY KEY, tape INTEGER NOT NULL, step INTEGER, method TEXT NOT NULL,"
    " stack INTEGER NOT NULL, targets_json TEXT NOT NULL, first_op INTEGER, last_op INTEGER, seconds REAL,"
    " error TEXT",
    # name: as the user knows it (Keras path, tf.Variable name, attribute of a tf.Module, name in the user's
    # code). kind: 'variable', or 'tensor' for a watched tensor given as a source. handle: tensor id of the
    # resource handle
    "variable": "id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, dtype TEXT NOT NULL,"
    " shape_json TEXT NOT NULL, trainable INTEGER, handle INTEGER",
    # one source of one gradient call. form: 'dense', 'sparse' (IndexedSlices; figures of the dense
    # equivalent) or 'none'. tensor: id of the gradient. zeros: share of exact zeros, 0 to 1. Why one is
    # None is not stored but worked out: see tapeinspect.analysis
    "gradient": "id INTEGER PRIMARY KEY, call INTEGER NOT NULL, step INTEGER, variable INTEGER NOT NULL,"
    " form TEXT NOT NULL, tensor INTEGER, norm REAL, min REAL, max REAL, mean REAL, nan INTEGER, inf INTEGER,"
    " zeros REAL, rows INTEGER",
    # a variable at one step: figures of its value as the step first read it, and the norm of the change
    # that the Assign* ops of that step made to it (null: none seen)
    "variable_step": "step INTEGER NOT NULL, variable INTEGER NOT NULL, norm REAL, min REAL, max REAL,"
    " mean REAL,"
    " nan INTEGER, inf INTEGER, zeros REAL, update_norm REAL, assigns INTEGER NOT NULL, PRIMARY KEY (step,"
    " variable)",
    # one trace of a tf.function. signature and cause in words; op: the last op before it
    "trace": "id INTEGER PRIMARY KEY, function TEXT NOT NULL, file INTEGER, line INTEGER,"
    " signature TEXT NOT NULL,"
    " nodes INTEGER NOT NULL, step INTEGER, op INTEGER NOT NULL, stack INTEGER",
    # code that no callback reaches: kind 'dataset', 'py_function', 'graph' (a tf.function run as a graph)
    "opaque": "id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, stack INTEGER, op INTEGER,"
    " why TEXT NOT NULL",
    # an exception that ended the script. frames_json: [{"file", "line", "function", "code", "user"}],
    # outermost first
    "error": "id INTEGER PRIMARY KEY, type TEXT NOT NULL, message TEXT NOT NULL, file TEXT, line INTEGER,"
    " step INTEGER, frames_json TEXT NOT NULL",
    # something in tapeinspect itself failed; that part of the recording is off from there
    "probe_error": "id INTEGER PRIMARY KEY, part TEXT NOT NULL, message TEXT NOT NULL, detail TEXT NOT NULL",
    "finding": "id INTEGER PRIMARY KEY, rule TEXT NOT NULL, severity TEXT NOT NULL, step INTEGER, op INTEGER,"
    " file INTEGER, line INTEGER, message TEXT NOT NULL, hint TEXT NOT NULL",
    # AutoGraph, written when somebody asked for it (`record --autograph`, the tab, `tapeinspect autograph`).
    # One row for each time a step was really traced, in a sandbox, to see what AutoGraph makes of it. step:
    # whose arguments were used, null for none. function, file, line: what was traced. status: 'traced',
    # 'failed' (see ag_failure; the rest of the rows is still there), 'converted' (no arguments are known, so
    # it was converted but not run: no marks, no branches). note and hint in words, for what a user should
    # know of it, empty: nothing. ops: nodes of its graph, bodies of loops and branches included.
    # convert_seconds: AutoGraph's share of trace_seconds
    "ag_run": "id INTEGER PRIMARY KEY, step INTEGER, function TEXT NOT NULL, file INTEGER, line INTEGER,"
    " status TEXT NOT NULL, note TEXT NOT NULL, hint TEXT NOT NULL, ops INTEGER NOT NULL,"
    " convert_seconds REAL, trace_seconds REAL",
    # one function that the trace met. parent: the ag_function it was first called by, at call_file and
    # call_line. within: the ag_function whose generated source holds it (a nested function or lambda, which
    # has no generated source of its own). kind: 'function', 'method', 'lambda', 'object' (its __call__),
    # 'class', 'builtin', 'generator', 'tf.function'. role as in `file`. line, end_line, source: the original,
    # decorators included, not dedented. status: 'converted', 'not_converted', 'failed' (AutoGraph tried and
    # could not). rule: why, as a word (see records.AutographFunction), reason: in words. generated: exactly
    # what tf.autograph.to_code gives. calls: how often it was called while tracing
    "ag_function": "id INTEGER PRIMARY KEY, run INTEGER NOT NULL, parent INTEGER, within INTEGER,"
    " name TEXT NOT NULL, module TEXT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL, file INTEGER,"
    " line INTEGER, end_line INTEGER, call_file INTEGER, call_line INTEGER, calls INTEGER NOT NULL,"
    " status TEXT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, source TEXT, generated TEXT",
    # AutoGraph's own source map. line: in `generated`, from 1; original: line in the function's file
    "ag_line": "function INTEGER NOT NULL, line INTEGER NOT NULL, original INTEGER NOT NULL,"
    " PRIMARY KEY (function, line)",
    # generated lines, first to last, that only AutoGraph needs. what: 'get_state', 'set_state', 'scope',
    # 'return', 'declaration', 'branch' (an `else` that the user did not write), 'undefined'
    "ag_fold": "function INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, what TEXT NOT NULL,"
    " PRIMARY KEY (function, first)",
    # one construct in the original source. line, end_line, col, end_col as in `frame`. construct: 'if',
    # 'while', 'for', 'break', 'continue', 'return', 'and', 'or', 'not', 'comparison', 'conditional' (a if b
    # else c), 'assert', 'print', 'append', 'lambda', 'comprehension'. became: the op type or 'python', or
    # 'not_run'. count: how often it was met while tracing; for a loop in Python: how many turns it was
    # unrolled into. text: in words. detail_json: {"variables": [{"name", "text", "invariant"}], "branches":
    # [["if", 2], ["else", 1]]}, each of them left out when there is nothing to tell
    "ag_construct": "id INTEGER PRIMARY KEY, run INTEGER NOT NULL, function INTEGER NOT NULL, line INTEGER"
    " NOT NULL, end_line INTEGER, col INTEGER, end_col INTEGER, construct TEXT NOT NULL, became TEXT NOT NULL,"
    " count INTEGER NOT NULL, text TEXT NOT NULL, detail_json TEXT NOT NULL",
    # the mark of one original line: 'G' made graph ops, 'P' ran in Python while tracing only, 'U' a loop
    # unrolled, '·' did not run. ops: graph ops whose innermost user frame is the line. count: turns of an
    # unrolled loop, else how often the line ran while tracing
    "ag_mark": "run INTEGER NOT NULL, file INTEGER NOT NULL, line INTEGER NOT NULL, mark TEXT NOT NULL,"
    " ops INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (run, file, line)",
    # what a trace failed with. file, line: the failing line of the user's. frames_json as in `error`, in the
    # user's terms (AutoGraph's translated stack), outermost first
    "ag_failure": "run INTEGER PRIMARY KEY, type TEXT NOT NULL, message TEXT NOT NULL, file TEXT, line INTEGER,"
    " function TEXT NOT NULL, frames_json TEXT NOT NULL, explanation TEXT NOT NULL, hint TEXT NOT NULL",
    # one comparison of the step run eagerly with the same step traced, on the arguments of `step`. verdict:
    # 'same', 'different', 'fails_to_trace'. file, line: where the function begins. seconds: of one eager call,
    # of one traced call, of tracing. first_op: the first, in eager order, whose values really differ.
    # notes_json: sentences on what could not be compared or put back. ops: what was aligned, 0 when ops were
    # not compared
    "diff": "id INTEGER PRIMARY KEY, step INTEGER, function TEXT NOT NULL, file INTEGER, line INTEGER,"
    " verdict TEXT NOT NULL, tolerance REAL, eager_seconds REAL, traced_seconds REAL, trace_seconds REAL,"
    " ops INTEGER NOT NULL, first_op INTEGER, notes_json TEXT NOT NULL",
    # aligned ops, in the order of the eager run. relation: 'equal', 'eager' (only there), 'traced' (only
    # there), 'moved' (another line of the graph), 'folded' (why: in words). file, line: the user's innermost
    # line; library: "file:line" of the innermost line of a library such as Keras. traced_type, traced_line:
    # where they are others. turn: how often the op had run before. verdict: 'bit-equal', 'rounding', 'real',
    # null where values were not compared
    "diff_op": "id INTEGER PRIMARY KEY, diff INTEGER NOT NULL, relation TEXT NOT NULL, type TEXT NOT NULL,"
    " traced_type TEXT, file INTEGER, line INTEGER, traced_line INTEGER, library TEXT, turn INTEGER NOT NULL,"
    " dtype TEXT, shape_json TEXT, max_abs REAL, max_rel REAL, ulp INTEGER, verdict TEXT, why TEXT NOT NULL",
    # kind: 'output', 'gradient', 'variable' (its value after the call). call: which call of the step, from 1
    "diff_value": "id INTEGER PRIMARY KEY, diff INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
    " call INTEGER NOT NULL, max_abs REAL, max_rel REAL, ulp INTEGER, verdict TEXT NOT NULL,"
    " note TEXT NOT NULL",
    # what a user should look at; severity as in `finding`, the most severe first
    "diff_finding": "id INTEGER PRIMARY KEY, diff INTEGER NOT NULL, rule TEXT NOT NULL, severity TEXT NOT NULL,"
    " file INTEGER, line INTEGER, message TEXT NOT NULL, hint TEXT NOT NULL",
}

INDEXES: Final[tuple[str, ...]] = (
    "CREATE INDEX gradient_step ON gradient (step)",
    "CREATE INDEX gradient_variable ON gradient (variable)",
    "CREATE INDEX tape_step ON tape (step)",
    "CREATE INDEX gradient_call_step ON gradient_call (step)",
    "CREATE INDEX tape_event_tape ON tape_event (tape)",
    "CREATE INDEX health_bad ON health (op) WHERE nan > 0 OR inf > 0",
    "CREATE INDEX ag_function_run ON ag_function (run)",
    "CREATE INDEX ag_construct_function ON ag_construct (function)",
    "CREATE INDEX diff_op_diff ON diff_op (diff)",
)


def statements() -> list[str]:
    """The statements that make an empty trace file."""
    tables = [f"CREATE TABLE {name} ({columns})" for name, columns in TABLES.items()]
    return [f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {FORMAT}", *tables, *INDEXES]


def column_names(table: str) -> tuple[str, ...]:
    """The columns of a table, in order."""
    parts = TABLES[table].split(" PRIMARY KEY (")[0].split(", ")
    return tuple(
        part.split()[0] for part in parts if part.split()[0].isidentifier() and part.split()[0] != "PRIMARY"
    )
