"""The last entry in a recording: how the script ended, which its own process cannot know."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path


def finish(trace: Path, pid: int, status: int) -> bool:
    """Write the exit status into the recording of a process that has ended, and make it one file.

    False, and nothing is changed, when that process left no recording there. Never raises: a recording that
    does not tell the status is a recording all the same.
    """
    import sqlite3

    from tapeinspect.trace.writer import is_trace, settle

    if not is_trace(trace):
        return False
    with contextlib.suppress(sqlite3.Error):
        connection = sqlite3.connect(trace, isolation_level=None, timeout=5.0)
        try:
            row = connection.execute("SELECT value_json FROM meta WHERE key = 'pid'").fetchone()
            if row is None or row[0] != json.dumps(pid):
                return False
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('exit_status', ?)", (json.dumps(status),))
        finally:
            connection.close()
    settle(trace)
    return True
