"""From a command line to what is to be started."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from tapeinspect.cli.diagnostics import say
from tapeinspect.cli.options import CommandLine
from tapeinspect.errors import UsageError
from tapeinspect.link.messages import Config
from tapeinspect.session.check import check_module, check_script, check_tensorflow, script_path
from tapeinspect.session.launch import Launch


def prepare(line: CommandLine, options: Namespace, screen: bool) -> Launch:
    """What a command line asks to start. Raises UsageError and ScriptError: the script is checked first.

    With a screen the script gets a terminal of ours and pauses behind its first batch.
    """
    if line.script is None and line.module is None:
        raise UsageError("no script was named", "see: tapeinspect --help")
    script = None if line.script is None else Path(line.script)
    path = script_path(script)
    file: Path | None = script
    if script is not None:
        check_script(script)
    else:
        file = check_module(str(line.module), path)
    trouble = check_tensorflow(path)
    name = str(line.module).removesuffix(".__main__").rpartition(".")[2] if script is None else script.stem
    config = Config(
        output=str(_output(options.output, name)),
        control=-1,
        script=str(file.absolute()) if file is not None else str(line.module),
        argv=(line.script or str(file or line.module), *line.args),
        mode=options.mode,
        values="off" if options.no_values else options.values,
        memory=options.memory,
        max_size=options.max_size,
        steps=options.steps,
        pause_at=1 if screen else None,
        source=not options.no_source,
        work=("autograph", "tracing") if getattr(options, "autograph", False) else (),
    )
    notes = (trouble,) if trouble else ()
    return Launch(script, line.module, line.args, config, screen, dict(os.environ), notes=notes)


def _output(given: str | None, stem: str) -> Path:
    """Where the recording goes, absolute. Raises UsageError."""
    if given is None:
        path = Path.cwd() / f"{stem}.tape"
        if not os.access(path.parent, os.W_OK):
            import tempfile

            path = Path(tempfile.mkdtemp(prefix="tapeinspect-")) / path.name
            say(f"the current directory is not writable; the recording goes to {path}")
    else:
        path = Path(given).absolute()
    _check_output(path)
    return path


def _check_output(path: Path) -> None:
    hint = "name another file with --output"
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a directory", hint)
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no directory {path.parent}", hint)
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise UsageError(f"cannot write {path}: permission denied", hint)
    if path.exists() and path.stat().st_size and not _is_recording(path):
        raise UsageError(f"{path} is there already and is not a recording", hint)


def _is_recording(path: Path) -> bool:
    from tapeinspect.trace.schema import APPLICATION_ID

    try:
        with open(path, "rb") as file:
            return file.read(72)[68:] == APPLICATION_ID.to_bytes(4, "big")
    except OSError:
        return False
