"""Runs a script until a work on it is done, for the commands that print what came of the work."""

from __future__ import annotations

import ast
import shutil
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tapeinspect.cli.diagnostics import say
from tapeinspect.cli.options import CommandLine
from tapeinspect.errors import ScriptError, UsageError
from tapeinspect.link.messages import Trouble
from tapeinspect.session.state import exit_in_words

if TYPE_CHECKING:
    from tapeinspect.session.launch import Launch
    from tapeinspect.session.target import Event
    from tapeinspect.trace.reader import TraceReader


@contextmanager
def look(line: CommandLine, options: Namespace, work: str, function: str | None) -> Iterator[TraceReader]:
    """Run a script, or import it, until a work is done; the recording that it wrote.

    What the script prints goes to stderr. Raises UsageError when the work was refused or could not be done.
    """
    from tapeinspect.trace.reader import open_trace

    folder = Path(tempfile.mkdtemp(prefix="tapeinspect-"))
    try:
        output = options.output or str(folder / f"{work}.tape")
        launch = _launch(line, options, output, work, function)
        heard = _run(launch)
        try:
            trace = open_trace(launch.config.output)
        except Exception as error:
            raise _refused(heard, launch) from error
        try:
            if not _done(trace, work):
                raise _refused(heard, launch)
            yield trace
        finally:
            trace.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _launch(line: CommandLine, options: Namespace, output: str, work: str, function: str | None) -> Launch:
    from tapeinspect.cli.prepare import prepare

    recording = Namespace(
        output=output, mode=getattr(options, "mode", "eager"), values="off", no_values=True, no_source=False,
        memory=256 << 20, max_size=2 << 30, steps=None,
    )  # fmt: skip
    launch = prepare(line, recording, screen=False)
    imports = function is not None and not getattr(options, "run", False) and _is_guarded(line.script)
    config = replace(
        launch.config,
        work=(work,),
        work_step=options.step,
        work_ends=True,
        work_options={"function": function} if function else {},
    )
    return replace(launch, config=config, to_stderr=True, imports=function if imports else None)


def _is_guarded(script: str | None) -> bool:
    """Whether a script can be imported without running: nothing but definitions stands outside of its guard.

    A script that has a guard is taken at its word.
    """
    if script is None:
        return False
    try:
        tree = ast.parse(Path(script).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False
    guards = [node for node in tree.body if isinstance(node, ast.If) and "__name__" in ast.dump(node.test)]
    runs = [node for node in tree.body if isinstance(node, (ast.For, ast.While, ast.With))]
    return bool(guards) or not (runs or any(_is_call(node) for node in tree.body))


def _is_call(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


class _Heard:
    """What the target had to say."""

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []
        self.status = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Trouble):
            self.troubles.append(event)


def _run(launch: Launch) -> _Heard:
    from tapeinspect.cli.signals import passing_on
    from tapeinspect.session.target import Target

    heard = _Heard()
    with passing_on() as deliver:
        target = Target.start(launch, heard)
        deliver(target)
        target.drain()
    heard.status = target.exit_status or 0
    return heard


def _done(trace: TraceReader, work: str) -> bool:
    return bool(trace.autograph.runs()) if work == "autograph" else True


def _refused(heard: _Heard, launch: Launch) -> Exception:
    """Why there is nothing to show."""
    if heard.troubles:
        for trouble in heard.troubles[:-1]:
            say(trouble.message, trouble.hint)
        last = heard.troubles[-1]
        return UsageError(last.message, last.hint)
    if heard.status:
        return ScriptError(f"{launch.name} ended before a batch had: {exit_in_words(heard.status)}")
    return UsageError(
        f"{launch.name} ended without a batch: no tf.GradientTape was opened",
        "name a function of it: tapeinspect autograph SCRIPT:FUNCTION",
    )
