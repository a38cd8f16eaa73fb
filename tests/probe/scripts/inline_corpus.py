"""Every loop of tests/scripts/inline, run plainly and then recorded with its batch looked at: what came of it."""

import ast
import contextlib
import io
import json
import re
import runpy
import sys
import tempfile
import textwrap
from pathlib import Path

import inline_turns
import tensorflow as tf

from tapeinspect.link.messages import Config
from tapeinspect.probe.boot import Probe
from tapeinspect.probe.errands import Errand
from tapeinspect.trace.reader import open_trace

FOLDER = Path(__file__).parents[2] / "scripts" / "inline"


def plainly(script):
    """What a script prints."""
    printed = io.StringIO()
    tf.keras.backend.clear_session()
    tf.random.set_seed(11)
    with contextlib.redirect_stdout(printed):
        runpy.run_path(str(script), run_name="__main__")
    return printed.getvalue()


def looked_at(script, recorder, said):
    """The same with a batch looked at: what it prints, and what was said in place of a result."""
    batch = int(re.search(r"on batch (\d+)", script.read_text("utf-8"))[1])
    said.clear()
    wanted = recorder.step_log.begun + batch
    errands = recorder.errands
    errands.planned = [Errand(work, wanted, {}) for work in ("autograph", "diff")]
    errands.planned_step = wanted
    printed = plainly(script)
    recorder.notice_returns()
    tf.constant(0.0) + 1.0  # an op behind the last batch, which ends it
    return {"step": wanted, "printed": printed, "said": list(said)}


def with_the_function(script, body):
    """What a script prints with the function in its loop's place."""
    lines = script.read_text("utf-8").splitlines(keepends=True)
    head = lines[body.line - 1]
    code = textwrap.indent(body.code, head[: len(head) - len(head.lstrip())])
    node = next(n for n in ast.walk(ast.parse("".join(lines))) if getattr(n, "lineno", 0) == body.line)
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / script.name
        changed.write_text("".join([*lines[: body.line - 1], code, *lines[node.end_lineno :]]), "utf-8")
        return plainly(changed)


def main():
    """Write the recording to the path that was given, and print what the scripts did."""
    scripts = sorted(path for path in FOLDER.glob("*.py") if path.stem != "__init__")
    if len(sys.argv) > 2:
        scripts = [path for path in scripts if path.stem in sys.argv[2:]]
    plain = {script.stem: plainly(script) for script in scripts}
    probe = Probe(Config(sys.argv[1], -1, values="off", argv=tuple(sys.argv)), None)
    probe.begin()
    said = []
    probe.recorder.say = lambda message, hint="": said.append(message)
    found = {script.stem: looked_at(script, probe.recorder, said) for script in scripts}
    turns = inline_turns.run(probe.recorder)
    probe.end(None)
    trace = open_trace(sys.argv[1])
    same = {diff.step for diff in trace.differences.all() if diff.verdict == "same"}
    for script in scripts:
        case = found[script.stem]
        case["plain"] = plain[script.stem]
        if case["step"] in same:
            case["pasted"] = with_the_function(script, trace.loop_bodies.of_step(case["step"]))
    print("TRUTH " + json.dumps({**found, "turns": turns}))


if __name__ == "__main__":
    main()
