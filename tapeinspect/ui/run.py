"""Opening the screen: on a script that is started now, or on a recording.

Textual is imported only after the target has been started, so that the two imports overlap. Meanwhile there is no
garbage collection: imports make many objects and no garbage, and collecting costs a fifth of their time.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tapeinspect.errors import ExitCode
from tapeinspect.ui import first_paint

if TYPE_CHECKING:
    from tapeinspect.session.launch import Launch
    from tapeinspect.session.target import Target
    from tapeinspect.ui.subject import Subject


def run_script(launch: Launch) -> int:
    """Run a script under the screen; the script's exit status. Raises TargetError."""
    while True:
        status = _run_once(launch)
        if status is not None:
            return status
        Path(launch.config.output).unlink(missing_ok=True)


def run_recording(path: Path, other: Path | None = None) -> int:
    """Open the screen on a recording, with another to compare figures with; 0. Raises TraceError."""
    gc.disable()
    first_paint.paint(path.name, "RECORDING", "opening")
    try:
        from tapeinspect.ui.subject import Subject

        subject = Subject(path)
        subject.open()
        if other is not None:
            subject.open_other(other)
    except BaseException:
        first_paint.leave()
        raise
    return int(ExitCode.INTERNAL) if _show(subject) == 1 else 0


def _run_once(launch: Launch) -> int | None:
    """One run of the script; None when the user wants it started again."""
    gc.disable()
    first_paint.paint(launch.name, "STARTING", "starting Python")
    try:
        target, code = _run_and_show(launch)
    except BaseException:
        first_paint.leave()
        raise
    if code == _restart_code():
        return None
    if code == 1:  # what Textual returns when a bug of ours has ended it, after its traceback
        return int(ExitCode.INTERNAL)
    return target.exit_status if target.exit_status is not None else 0


def _run_and_show(launch: Launch) -> tuple[Target, int]:
    import dataclasses

    from tapeinspect.session.target import Target

    # the Output tab's part of the terminal: see subject.terminal_size, which is not imported yet
    columns, rows = shutil.get_terminal_size()
    target = Target.start(dataclasses.replace(launch, size=(max(20, columns - 2), max(4, rows - 7))))
    try:
        from tapeinspect.ui.subject import Inbox, Subject, terminal_size

        inbox = Inbox()
        target.subscribe(inbox.put)
        subject = Subject(target.trace, target, inbox, launch.name)
        subject.terminal.resize(*terminal_size(columns, rows))
        return target, _show(subject)
    finally:
        target.end()


def _hang_up(subject: Subject) -> None:
    """The terminal is gone: end the script, make its recording whole, and leave.

    Textual cannot leave in order: it waits for its last words to be written to a terminal that takes nothing.
    """
    if subject.target is not None:
        from tapeinspect.trace.writer import settle

        subject.target.end()
        subject.target.drain(5.0)
        if subject.reader is not None:
            subject.reader.close()
        settle(subject.path)
    os._exit(128 + signal.SIGHUP)


def _restart_code() -> int:
    from tapeinspect.ui.screens.deeds import RESTART

    return RESTART


def _show(subject: Subject) -> int:
    """Run the application until the user leaves; its return code."""
    from tapeinspect.ui.app import TapeApp

    app = TapeApp(subject)
    gc.freeze()
    gc.enable()
    before = signal.signal(
        signal.SIGHUP, lambda *_: threading.Thread(target=_hang_up, args=(subject,)).start()
    )
    try:
        app.run()
    finally:
        signal.signal(signal.SIGHUP, before)
        if subject.reader is not None:
            subject.reader.close()
    return app.return_code or 0
