"""Every loop of tests/scripts/inline, run plainly and then recorded with its batch looked at: what came of it."""

import contextlib
import io
import json
import re
import runpy
import sys
from pathlib import Path

import tensorflow as tf

from tapeinspect.link.messages import Config
from tapeinspect.probe.boot import Probe
from tapeinspect.probe.errands import Errand

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
    probe.end(None)
    for name, case in found.items():
        case["plain"] = plain[name]
    print("TRUTH " + json.dumps(found))


if __name__ == "__main__":
    main()
