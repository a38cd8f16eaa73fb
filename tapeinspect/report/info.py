"""The facts that a bug report needs, found without importing TensorFlow here."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import tapeinspect
from tapeinspect.trace.schema import FORMAT

PROBE_SECONDS = 120.0
_DISTRIBUTIONS = {
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tf-nightly", "tensorflow-macos", "tensorflow-gpu"),
    "keras": ("keras", "keras-nightly"),
    "textual": ("textual",),
    "numpy": ("numpy",),
    "pygments": ("pygments",),
    "executing": ("executing",),
}

Facts = dict[str, dict[str, str | None]]


def collect() -> Facts:
    """Versions, platform, terminal and paths, in sections; None for what is not there."""
    versions = {name: _version(names) for name, names in _DISTRIBUTIONS.items()}
    size = shutil.get_terminal_size()
    return {
        "versions": {
            "tapeinspect": tapeinspect.__version__,
            "trace format": str(FORMAT),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            **versions,
        },
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "processors": str(os.cpu_count()),
        },
        "terminal": {
            "TERM": os.environ.get("TERM"),
            "COLORTERM": os.environ.get("COLORTERM"),
            "NO_COLOR": os.environ.get("NO_COLOR"),
            "size": f"{size.columns}x{size.lines}",
            "encoding": getattr(sys.__stderr__, "encoding", None),
            "stdin is a terminal": _is_terminal(sys.__stdin__),
            "stderr is a terminal": _is_terminal(sys.__stderr__),
        },
        "paths": {
            "python": sys.executable,
            "tapeinspect": str(Path(tapeinspect.__file__).parent),
            "current directory": os.getcwd(),
            "temporary files": tempfile.gettempdir(),
        },
    }


def probe() -> dict[str, Any]:
    """What the probe finds in this TensorFlow, by name; {"error": ...} when it cannot tell.

    Asked of another process: importing TensorFlow takes seconds, and a broken one can crash.
    """
    command = [sys.executable, "-m", "tapeinspect.probe.capabilities"]
    env = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PROBE_SECONDS, env=env
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = None
    if done.returncode or not isinstance(found, dict):
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        return {"error": last[0]}
    return found


def text(facts: Facts, capabilities: dict[str, Any] | None) -> str:
    """The facts for a person to read."""
    lines: list[str] = []
    for section, entries in facts.items():
        lines.append(section)
        lines += [f"  {name:<22}{'-' if value is None else value}" for name, value in entries.items()]
    if capabilities is None:
        lines.append("what can be recorded with this TensorFlow: tapeinspect info --probe")
    elif "error" in capabilities:
        lines.append(f"what can be recorded with this TensorFlow: unknown ({capabilities['error']})")
    else:
        lines.append("what can be recorded with this TensorFlow")
        for name, entry in capabilities.items():
            found = "yes" if entry.get("available") else "no"
            lines.append(f"  {name:<30}{found:<5}{entry.get('for', '')}")
    return "\n".join(lines) + "\n"


def _version(names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def _is_terminal(stream: Any) -> str:
    return "yes" if stream is not None and stream.isatty() else "no"
