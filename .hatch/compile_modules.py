"""Compiles the modules in C while tapeinspect is built or installed; without a compiler the package is Python alone."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_MODULES = (
    Path("tapeinspect") / "probe" / "native" / "_callback.c",
    Path("tapeinspect") / "trace" / "_figures.c",
)


class CompileModules(BuildHookInterface):
    """Adds the compiled modules to the wheel, or puts them beside their sources when the install is editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the files of the wheel are gathered."""
        self._folder = tempfile.mkdtemp()
        try:
            made = {source: _compile(Path(self.root) / source, Path(self._folder)) for source in _MODULES}
        except BaseException as error:  # setuptools leaves by SystemExit, too
            if isinstance(error, KeyboardInterrupt):
                raise
            print(f"tapeinspect: no C compiler ({error}); all is recorded by Python alone", file=sys.stderr)
            return
        for source, module in made.items():
            if version == "editable":
                shutil.copy(module, Path(self.root) / source.parent / module.name)
            else:
                build_data["force_include"][str(module)] = str(source.parent / module.name)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """When the wheel has been written."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _compile(source: Path, folder: Path) -> Path:
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    command = build_ext(Distribution({"ext_modules": [Extension(source.stem, [str(source)])]}))
    command.build_lib = command.build_temp = str(folder)
    command.ensure_finalized()
    command.run()
    return next(path for path in folder.rglob(f"{source.stem}*") if path.suffix in (".so", ".pyd"))
