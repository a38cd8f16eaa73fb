"""What can be known about a script before anything is started."""

from __future__ import annotations

import io
import os
import re
import sys
import tokenize
import warnings
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from tapeinspect.errors import ScriptError
from tapeinspect.link.messages import Trouble

OLDEST_TENSORFLOW = (2, 16)
_DISTRIBUTION = re.compile(
    r"(?:tensorflow|tf_nightly|intel_tensorflow)(?:_cpu|_gpu|_macos|_rocm)?-(\d+)\.(\d+)([^-]*)\.dist-info"
)


def check_script(script: Path) -> None:
    """Raise ScriptError when a file cannot be run: missing, a directory, unreadable, not valid Python."""
    if not script.exists():
        raise ScriptError(f"there is no file {script}", _similar(script))
    if script.is_dir():
        raise ScriptError(f"{script} is a directory, not a script", _inside(script))
    if not script.is_file():  # a pipe can be read only once, and that is Python's to do
        return
    try:
        source = script.read_bytes()
    except OSError as error:
        raise ScriptError(f"cannot read {script}: {error.strerror}") from None
    _check_text(script, source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the script's own process shows them
            compile(source, str(script), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ScriptError(_syntax_error(script, error)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ScriptError(f"{script} cannot be compiled: {error}") from None


def check_module(name: str, path: list[str]) -> Path | None:
    """The file that `python -m name` runs, None when it is no file. Raises ScriptError when there is none.

    `path` is the script's `sys.path`. No package is imported for it.
    """
    spec = _find(name, path)
    if spec is None and name.partition(".")[0] not in sys.builtin_module_names:
        raise ScriptError(
            f"there is no module {name!r}", "it is looked for as `python -m` does, from this directory"
        )
    if spec is not None and spec.submodule_search_locations is not None:
        spec = _find(f"{name}.__main__", path)
        if spec is None:
            raise ScriptError(f"{name!r} is a package that cannot be run: it has no __main__.py")
    if spec is None or not spec.has_location or not spec.origin:
        return None
    file = Path(spec.origin)
    if file.suffix == ".py":
        check_script(file)
    return file


def check_tensorflow(path: list[str]) -> Trouble | None:
    """What is amiss with the TensorFlow that a script would import, judged without importing it."""
    hint = f"install it with: {sys.executable} -m pip install 'tensorflow>=2.16'"
    spec = PathFinder.find_spec("tensorflow", path)
    if spec is None or spec.origin is None:
        return Trouble("TensorFlow is not installed for this Python, so nothing can be recorded", hint)
    version = _installed_version(Path(spec.origin).parent.parent)
    if version is not None and version[:2] < OLDEST_TENSORFLOW:
        text = ".".join(map(str, version))
        return Trouble(f"TensorFlow {text} is too old: tapeinspect records TensorFlow 2.16 and newer", hint)
    return None


def script_path(script: Path | None) -> list[str]:
    """`sys.path` as a script will have it (None: `-m`): its own directory first, then what is installed."""
    first = os.getcwd() if script is None else str(script.resolve().parent)
    return [first, *sys.path[1:]]


def _check_text(script: Path, source: bytes) -> None:
    if b"\0" in source:
        raise ScriptError(f"{script} is not a Python script: it is a binary file")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        source.decode(encoding)
    except SyntaxError as error:  # an unknown coding cookie, or a first line that is not UTF-8
        raise ScriptError(f"{script} is not a Python script: {error.msg}") from None
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise ScriptError(
            f"{script} is not a Python script: line {line} is not valid {encoding.upper()}",
            "name its encoding in the first line: # -*- coding: latin-1 -*-",
        ) from None


def _syntax_error(script: Path, error: SyntaxError) -> str:
    lines = [f"{script}, line {error.lineno}: {error.msg}"]
    if error.text and error.lineno:
        text = error.text.rstrip("\r\n")
        code = text.lstrip()
        lines.append(f"    {code}")
        if error.offset:
            start = max(error.offset - 1 - (len(text) - len(code)), 0)
            end = error.end_offset if error.end_lineno == error.lineno else None
            width = max((end or 0) - error.offset, 1)
            lines.append("    " + " " * min(start, len(code)) + "^" * min(width, max(len(code) - start, 1)))
    return "\n".join(lines)


def _similar(script: Path) -> str:
    import difflib

    try:
        names = [entry.name[:-3] for entry in os.scandir(script.parent) if entry.name.endswith(".py")]
    except OSError:
        return f"there is no directory {script.parent} either"
    close = difflib.get_close_matches(script.name.removesuffix(".py"), names, n=1)  # the ending says nothing
    return f"did you mean {script.parent / close[0]}.py?" if close else ""


def _inside(directory: Path) -> str:
    if (directory / "__main__.py").is_file():
        return f"run {directory / '__main__.py'}"
    scripts = sorted(entry.name for entry in directory.glob("*.py") if not entry.name.startswith(("_", ".")))
    return f"name a script in it, such as {directory / scripts[0]}" if scripts else ""


def _find(name: str, path: list[str]) -> ModuleSpec | None:
    """Find a module without importing the packages around it."""
    spec: ModuleSpec | None = None
    locations: list[str] | None = path
    for part in name.split("."):
        if locations is None or not part:
            return None
        spec = PathFinder.find_spec(part, locations)
        if spec is None:
            return None
        found = spec.submodule_search_locations
        locations = None if found is None else list(found)
    return spec


def _installed_version(directory: Path) -> tuple[int | str, ...] | None:
    """The version in the name of the metadata's directory: a millisecond, unlike importlib.metadata."""
    try:
        names = [entry.name for entry in os.scandir(directory)]
    except OSError:
        return None
    found = [match for name in names if (match := _DISTRIBUTION.fullmatch(name))]
    versions = [(int(m[1]), int(m[2]), *filter(None, m[3].split("."))) for m in found]
    return max(versions, key=lambda version: version[:2], default=None)
