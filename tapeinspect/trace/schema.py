"""The trace file: a SQLite database, one table for each kind of fact.

Ids count from 1 in the order of recording. `time_us` is microseconds since the recording started, `took_ns`
nanoseconds. A tensor is named by TensorFlow's own id, unique in one process. Columns that end in JSON hold
JSON text. Nothing in the file is ever unpickled, evaluated or read as markup.

A step is one batch of training. `op.step` is null for ops outside any step. The health of an op's first
output is in `op.norm` (its L2 norm; null when it is not a float, not finite, or was not measured). `health`
has a row for each further float output, and one for every output that holds NaN or Inf; also one for a small
gradient that no op made, under minus the op before it. A `step.loss` that is NaN is the text 'nan', since
SQLite would store null. `meta` has `dropped_ops_before`, the first op kept, when the size limit dropped older
ones.
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
    # one trace of a tf.function. op: the last op before it. file, line: where the function begins. kind:
    # 'function', 'dataset' (made for tf.data) or 'library' (not of the user's code). object: numbers the
    # tf.function objects; number: which trace of its object this is. seconds: with the functions traced
    # inside it. arguments_json: [{"name", "text"}]. cause: a code of probe.signatures.Difference, or 'first',
    # 'variables' (variables were created in the first call), 'new-function', 'instance', 'device', 'replica',
    # 'graph', 'surroundings', 'unknown'; argument: the part of an argument that it is about. advice: what
    # would have prevented it; checked: how that was tried (null: it was not)
    "trace": "id INTEGER PRIMARY KEY, function TEXT NOT NULL, file INTEGER, line INTEGER,"
    " signature TEXT NOT NULL,"
    " nodes INTEGER NOT NULL, step INTEGER, op INTEGER NOT NULL, stack INTEGER, kind TEXT NOT NULL,"
    " object INTEGER NOT NULL, number INTEGER NOT NULL, seconds REAL, caller_file INTEGER,"
    " caller_line INTEGER, arguments_json TEXT NOT NULL, cause TEXT NOT NULL, argument TEXT,"
    " why TEXT NOT NULL, advice TEXT NOT NULL, checked TEXT",
    # code that no callback reaches: kind 'dataset', 'py_function', 'graph' (a tf.function run as a graph),
    # 'jacobian' (the way back of tape.jacobian)
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
    # how large the entries of a gradient, a variable or its update are, in the first batches and every 8th after
    # them. subject: 'gradient', 'weight', 'update'. seen: entries looked at, a sample of a large tensor; zeros,
    # bad (NaN and Inf): of those. counts_json: [k, n, n, …], entries from 2**k up to 2**(k+1), from 2**(k+1) on, …
    # largest, zero_share: absolute value and share of exact zeros (0 to 1) over all entries of an update
    "magnitudes": "step INTEGER NOT NULL, variable INTEGER NOT NULL, subject TEXT NOT NULL,"
    " seen INTEGER NOT NULL, zeros INTEGER NOT NULL, bad INTEGER NOT NULL, counts_json TEXT NOT NULL,"
    " largest REAL, zero_share REAL, PRIMARY KEY (variable, subject, step)",
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
    # what was known of a source at the moment its gradient turned out to be None. tensor: id of the tensor
    # given, or of the variable's handle. watched: whether the tape had seen the variable, null where that is
    # not known. local: what the code at the call calls it. twin, twin_name: handle and name of a variable
    # that the tape did see, alike in name, shape and dtype, and not among the sources
    "none_evidence": "gradient INTEGER PRIMARY KEY, tensor INTEGER, watched INTEGER, local TEXT,"
    " twin INTEGER, twin_name TEXT",
    # an op that made the first NaN or Inf of its line of tensors: none of its inputs was known to hold any.
    # inputs_json: [{"tensor", "dtype", "shape", "nan", "inf", "zeros", "min", "max", "norm"}], null for what
    # has no such figures. elements_json: [{"index", "inputs", "output"}] of the first bad elements, numbers
    # as text where JSON has none ("nan", "inf", "-inf")
    "origin": "op INTEGER PRIMARY KEY, tensor INTEGER NOT NULL, inputs_json TEXT NOT NULL,"
    " elements_json TEXT NOT NULL",
    # one op taken backward inside a gradient call. parent: the row in whose time it ran, where a gradient
    # function opens a tape itself. type: the forward op's, or the name of a function with a gradient of its
    # own. op: the forward op (null: to be found by outputs_json). last_op: first_op - 1 when it ran none.
    # incoming_json: the gradient of each output of the forward op; outgoing_json: that of each input; each is
    # null (none), a tensor id (0: of a tensor without one) or [values, indices] of IndexedSlices.
    # outputs_json, inputs_json: the forward tensors, null when they are those of `op`; null among them: let go
    "backward": "id INTEGER PRIMARY KEY, call INTEGER NOT NULL, parent INTEGER, step INTEGER,"
    " thread INTEGER NOT NULL, type TEXT NOT NULL, op INTEGER, first_op INTEGER NOT NULL,"
    " last_op INTEGER NOT NULL, took_ns INTEGER NOT NULL, incoming_json TEXT NOT NULL,"
    " outgoing_json TEXT NOT NULL, outputs_json TEXT, inputs_json TEXT",
    # where the tape summed the gradients of one tensor. tensor: the sum (its values when it is sparse).
    # parts_json: like incoming_json
    "gradient_sum": "tensor INTEGER PRIMARY KEY, call INTEGER NOT NULL, first_op INTEGER NOT NULL,"
    " last_op INTEGER NOT NULL, parts_json TEXT NOT NULL",
    # figures of tensors that findings need, from the forward pass of a few batches (see probe.samples). place:
    # 0 for the op's first output, -1 for its first input, -2 for its second. bad: how many are NaN or Inf. Of a
    # ReLU: units (its last axis), those that were above zero in none of the `examples` outputs looked at so far.
    # saturated: share, 0 to 1, of a sigmoid's or tanh's outputs
    "sample": "step INTEGER NOT NULL, op INTEGER NOT NULL, place INTEGER NOT NULL, tensor INTEGER NOT NULL,"
    " dtype TEXT NOT NULL, shape_json TEXT NOT NULL, min REAL, max REAL, mean REAL, zeros REAL, bad INTEGER,"
    " units INTEGER, dead INTEGER, examples INTEGER, saturated REAL",
    # models that were called without `training` in those batches, though there is dropout in them. op: one that
    # ran in it. layers_json: names of the dropouts; rate: the highest of theirs. handles_json: tensor ids of the
    # handles of the model's trainable variables
    "idle_dropout": "step INTEGER NOT NULL, op INTEGER NOT NULL, model TEXT NOT NULL, layers_json TEXT NOT NULL,"
    " rate REAL NOT NULL, handles_json TEXT NOT NULL",
    # variables that a tape watched in those batches, whether a gradient was asked for or not
    "watched": "handle INTEGER PRIMARY KEY, step INTEGER NOT NULL, name TEXT NOT NULL, dtype TEXT NOT NULL,"
    " shape_json TEXT NOT NULL, trainable INTEGER NOT NULL",
    # what does not survive tracing, written when somebody asked for it. One row for each time a step was
    # traced, in a sandbox, to see what its Python code does meanwhile. status: 'traced', 'failed'. type,
    # message, file, line, frames_json (as in `error`): what it failed with, else null. What follows from the
    # facts is worked out: see tapeinspect.analysis.survival
    "survey": "id INTEGER PRIMARY KEY, step INTEGER, function TEXT NOT NULL, status TEXT NOT NULL,"
    " seconds REAL NOT NULL, type TEXT, message TEXT, file TEXT, line INTEGER, frames_json TEXT",
    # one thing that happened on a line while tracing. fact: 'call' (name: the function called), 'store'
    # (an attribute, item, global or outer variable was bound), 'read' (a Python value from outside was read),
    # 'iterate' (a `for` ran over a Python iterator), 'catch' (an `except` for errors of ops), 'eager' (run
    # eagerly, the line needs the value of a tensor; not reached by the trace). name: in the user's words.
    # detail_json: see probe.survival
    "survey_fact": "id INTEGER PRIMARY KEY, survey INTEGER NOT NULL, fact TEXT NOT NULL, file INTEGER NOT NULL,"
    " line INTEGER NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL, detail_json TEXT NOT NULL",
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
    # the same step compiled by XLA, a row only where that was asked for. verdict: 'same', 'different', 'random' (not
    # to be compared: XLA draws other random numbers), 'not_compiled'. seconds: of one call; compile_seconds: of
    # tracing and compiling
    "diff_xla": "diff INTEGER PRIMARY KEY, verdict TEXT NOT NULL, seconds REAL, compile_seconds REAL",
    # as diff_value, of the first call, against the traced step
    "diff_xla_value": "id INTEGER PRIMARY KEY, diff INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
    " max_abs REAL, max_rel REAL, ulp INTEGER, verdict TEXT NOT NULL, note TEXT NOT NULL",
    # the graph as Grappler leaves it, a row only where that was asked for. ops: how many it changed
    "diff_grappler": "diff INTEGER PRIMARY KEY, ops INTEGER NOT NULL",
    # change: 'fused', 'folded' (into a constant), 'replaced', 'removed', 'added'. name: the graph's own.
    # becomes: type of the op that computes it instead
    "diff_rewritten": "id INTEGER PRIMARY KEY, diff INTEGER NOT NULL, change TEXT NOT NULL, type TEXT NOT NULL,"
    " name TEXT NOT NULL, becomes TEXT NOT NULL, file INTEGER, line INTEGER",
    # what AutoGraph made of the step that was compared. run: the row of `ag_run`
    "diff_code": "diff INTEGER PRIMARY KEY, run INTEGER NOT NULL",
    # a step that stands inline in a loop, looked at as a function made of the loop's body. line: of the loop's head.
    # first, last: the lines that the function does. code: the function and the loop that calls it; '' without source
    "loop_body": "id INTEGER PRIMARY KEY, step INTEGER NOT NULL, function TEXT NOT NULL, file INTEGER NOT NULL,"
    " line INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, parameters_json TEXT NOT NULL,"
    " returns_json TEXT NOT NULL, code TEXT NOT NULL",
    # bytes that one call of the step needs at most, beyond what is taken before it: a row where that was measured.
    # device: 'gpu' (by TensorFlow's allocator), 'cpu' (by malloc of the process). traced: null where the traced
    # step fails
    "diff_memory": "diff INTEGER PRIMARY KEY, device TEXT NOT NULL, eager INTEGER NOT NULL, traced INTEGER",
}

OPTIONAL: Final = frozenset(
    {
        "backward", "gradient_sum", "none_evidence", "origin", "sample", "watched", "idle_dropout", "diff_xla",
        "diff_xla_value", "diff_grappler", "diff_rewritten", "diff_code", "loop_body", "diff_memory",
    }
)  # fmt: skip
"""Tables that a recording may lack: what they hold is then not known of it."""

INDEXES: Final[tuple[str, ...]] = (
    "CREATE INDEX gradient_step ON gradient (step)",
    "CREATE INDEX gradient_variable ON gradient (variable)",
    "CREATE INDEX tape_step ON tape (step)",
    "CREATE INDEX gradient_call_step ON gradient_call (step)",
    "CREATE INDEX tape_event_tape ON tape_event (tape)",
    "CREATE INDEX backward_call ON backward (call)",
    "CREATE INDEX gradient_sum_call ON gradient_sum (call)",
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
