"""What is known of a script before it starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tapeinspect.errors import ScriptError
from tapeinspect.session.check import check_module, check_script, check_tensorflow


def message(script: Path) -> str:
    with pytest.raises(ScriptError) as caught:
        check_script(script)
    assert caught.value.exit_code == 2
    return f"{caught.value.message}\n{caught.value.hint}".replace(str(script.parent) + os.sep, "")


def test_a_good_script(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_bytes("# -*- coding: latin-1 -*-\nname = 'ü'\nassert (1, 'a warning')\n".encode("latin-1"))
    check_script(script)
    script.write_text("")
    check_script(script)


def test_missing(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    assert message(
        tmp_path / "trian.py"
    ) == f"there is no file trian.py\ndid you mean {tmp_path / 'train.py'}?".replace(
        str(tmp_path) + os.sep, ""
    )
    assert "there is no directory" in message(tmp_path / "nowhere" / "train.py")
    (tmp_path / "sg.py").touch()
    assert message(tmp_path / "missing.py").rstrip() == "there is no file missing.py"


def test_a_directory(tmp_path: Path) -> None:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "train.py").touch()
    (directory / "_generated.py").touch()
    said = message(directory)
    assert "project is a directory, not a script\nname a script in it, such as " in said
    assert said.endswith("train.py")
    (directory / "__main__.py").touch()
    assert message(directory).endswith("run project/__main__.py")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.touch(mode=0)
    assert "cannot read train.py: Permission denied" in message(script)


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs a file that nobody can read")
def test_a_file_that_fails_when_it_is_read() -> None:
    assert "cannot read mem: Input/output error" in message(Path("/proc/self/mem"))


def test_a_pipe_is_left_for_python_to_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    check_script(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"\x7fELF\x02\x01\0\0", "train.py is not a Python script: it is a binary file"),
        (b"\xff\xd8\xff\xe0JFIF", "train.py is not a Python script: invalid or missing encoding declaration"),
        (b"a = 1\nb = 2\nc = '\xfc'\n", "train.py is not a Python script: line 3 is not valid UTF-8"),
        (b"# coding: klingon\n", "train.py is not a Python script: unknown encoding"),
        (b"a = 1\nif a\n    pass\n", "train.py, line 2: expected ':'\n    if a\n        ^\n"),
        (b"x = 1\n    y = 'abc' 'def' +\n", "train.py, line 2: unexpected indent\n    y = 'abc' 'def' +\n"),
        (b"def f():\nreturn 1\n", "train.py, line 2: expected an indented block"),
        (b"x = (1,\n", "train.py, line 1: '(' was never closed\n    x = (1,\n        ^\n"),
        ("ä = 'ö' +".encode(), "train.py, line 1: invalid syntax\n    ä = 'ö' +\n             ^\n"),
        (b"return 1\n", "train.py, line 1: 'return' outside function"),
    ],
)
def test_not_python(tmp_path: Path, source: bytes, expected: str) -> None:
    script = tmp_path / "train.py"
    script.write_bytes(source)
    assert message(script).startswith(expected)


def test_code_too_deep_for_the_compiler(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("(" * 500 + ")" * 500)
    assert message(script).startswith("train.py")


def test_modules(tmp_path: Path) -> None:
    """Found without importing anything of the user's."""
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").write_text("raise SystemExit('imported')")
    (inner / "train.py").touch()
    (inner / "__main__.py").touch()
    (tmp_path / "broken.py").write_text("def")
    path = [str(tmp_path), *sys.path]
    assert check_module("package.inner.train", path) == inner / "train.py"
    assert check_module("package.inner", path) == inner / "__main__.py"
    assert check_module("json.tool", path) is not None
    for name in ("nowhere", "package.nowhere", "package..inner", ".", "package.inner.train.more"):
        with pytest.raises(ScriptError, match="there is no module"):
            check_module(name, path)
    with pytest.raises(ScriptError, match="cannot be run: it has no __main__"):
        check_module("package", path)
    with pytest.raises(ScriptError, match=r"broken\.py, line 1"):
        check_module("broken", path)


def tensorflow_at(directory: Path, *metadata: str) -> list[str]:
    (directory / "tensorflow").mkdir()
    (directory / "tensorflow" / "__init__.py").write_text("raise SystemExit('imported')")
    for name in metadata:
        (directory / name).mkdir()
    return [str(directory)]


def test_no_tensorflow(tmp_path: Path) -> None:
    trouble = check_tensorflow([str(tmp_path)])
    assert trouble is not None
    assert trouble.message.startswith("TensorFlow is not installed")
    assert "pip install" in trouble.hint
    assert not trouble.fatal


@pytest.mark.parametrize(
    "name", ["tensorflow-2.15.1", "tensorflow_cpu-2.9.0", "tf_nightly-2.15.0.dev20231001"]
)
def test_an_old_tensorflow(tmp_path: Path, name: str) -> None:
    trouble = check_tensorflow(tensorflow_at(tmp_path, f"{name}.dist-info"))
    assert trouble is not None
    assert trouble.message.startswith(f"TensorFlow {name.split('-')[1]} is too old")


@pytest.mark.parametrize(
    "metadata",
    [
        ["tensorflow-2.16.1.dist-info"],
        ["tensorflow-3.0.0rc1.dist-info", "tensorflow_datasets-1.0.0.dist-info"],
        ["tensorflow_cpu-2.21.0.dist-info", "tensorflow_estimator-2.15.0.dist-info"],
        [],
    ],
)
def test_a_tensorflow_that_will_do(tmp_path: Path, metadata: list[str]) -> None:
    assert check_tensorflow(tensorflow_at(tmp_path, *metadata)) is None
