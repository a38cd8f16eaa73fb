"""Compiles `_callback.c` while tapeinspect is built or installed; without a compiler the package is Python alone."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_HERE = Path("tapeinspect") / "probe" / "native"


class CompileCallback(BuildHookInterface):
    """Adds the compiled module to the wheel, or puts it beside its source when the install is editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the files of the wheel are gathered."""
        self._folder = tempfile.mkdtemp()
        try:
            made = _compile(Path(self.root) / _HERE / "_callback.c", Path(self._folder))
        except BaseException as error:  # setuptools leaves by SystemExit, too
            if isinstance(error, KeyboardInterrupt):
                raise
            print(f"tapeinspect: no C compiler ({error}); ops are recorded by Python alone", file=sys.stderr)
            return
        if version == "editable":
            shutil.copy(made, Path(self.root) / _HERE / made.name)
        else:
            build_data["force_include"][str(made)] = str(_HERE / made.name)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """When the wheel has been written."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _compile(source: Path, folder: Path) -> Path:
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    command = build_ext(Distribution({"ext_modules": [Extension("_callback", [str(source)])]}))
    command.build_lib = command.build_temp = str(folder)
    command.ensure_finalized()
    command.run()
    return next(path for path in folder.rglob("_callback*") if path.suffix in (".so", ".pyd"))
