"""Starts the probe in the target, before the script, and ends it after.

Nothing of TensorFlow is imported here: the hooks go in when the script has imported it.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tapeinspect.link.messages import Config, Hello, Status, Trouble, config_from_json
from tapeinspect.probe.control import Control

_probes: list[Probe] = []


def start(config_json: str) -> None:
    """Prepare this process, whose script has not begun, for recording."""
    config = config_from_json(config_json)
    probe = Probe(config, Control.connect(config.control))
    _probes.append(probe)
    probe.prepare()


def started() -> Probe | None:
    """The probe of this process; None when the tool did not start it."""
    return _probes[0] if _probes else None


class Probe:
    """The probe of a process that the tool started."""

    def __init__(self, config: Config, control: Control | None) -> None:
        self._config = config
        self._control = control
        self._recorder: Any = None
        self._hooks: Any = None
        self._error: BaseException | None = None
        self._over = False
        self._pid = os.getpid()
        self._started = time.time()

    def prepare(self) -> None:
        """Listen for the import of TensorFlow, for the script's end and for what may end it."""
        self._tell(Hello(self._pid, sys.version.split()[0]))
        sys.meta_path.insert(0, _Finder(self._importing, self._imported))
        atexit.register(self._finish)
        os.register_at_fork(after_in_child=self._forked)
        self._end_before(os, "_exit")
        self._end_before(os, "abort")
        self._tell(Status("running"))

    @property
    def recorder(self) -> Any:
        """The recorder, once TensorFlow is imported; else None."""
        return self._recorder

    def begin(self) -> None:
        """Record from now on, in a process that the tool did not start."""
        self._record()

    def end(self, error: BaseException | None) -> None:
        """Record no more, and take every hook out."""
        self._error = error
        self._over = True
        self._write_end()
        self._hooks.remove()

    def _importing(self) -> None:
        self._tell(Status("importing", "importing TensorFlow"))

    def _imported(self) -> None:
        """The script has imported TensorFlow."""
        if os.getpid() != self._pid:
            return
        from tapeinspect.probe import tf_private

        try:
            if tf_private.version() < tf_private.MINIMUM:
                self._too_old()
            else:
                self._record()
        except Exception as error:
            self._tell(Trouble(f"nothing is recorded: {error}", getattr(error, "hint", ""), fatal=True))
        self._tell(Status("running"))

    def _too_old(self) -> None:
        import tensorflow as tf

        self._tell(
            Trouble(
                f"TensorFlow {tf.__version__} is too old to be recorded; 2.16 is the oldest that works",
                "pip install -U tensorflow",
                fatal=True,
            )
        )

    def _record(self) -> None:
        from tapeinspect.probe.hooks import Hooks
        from tapeinspect.probe.recorder import Recorder
        from tapeinspect.trace.writer import TraceWriter

        writer = TraceWriter(self._config.output, self._config.max_size)
        recorder = Recorder(self._config, writer, self._control)
        self._recorder = recorder
        recorder.set_meta(**self._facts())
        self._say_missing()
        self._hooks = Hooks(recorder)
        self._hooks.install()
        if self._control is not None:
            self._control.serve(recorder, self._tool_gone)

    def _say_missing(self) -> None:
        from tapeinspect.probe import tf_private

        has = tf_private.available()
        for capability in tf_private.CAPABILITIES:
            if not has[capability.name]:
                self._tell(
                    Trouble(
                        f"this TensorFlow lacks what tapeinspect needs for {capability.name!r}, which"
                        f" {capability.purpose}",
                        "tapeinspect info shows what works.",
                        fatal=capability.name == "ops",
                    )
                )

    def _facts(self) -> dict[str, Any]:
        import tapeinspect
        from tapeinspect.trace.schema import FORMAT

        tensorflow = sys.modules.get("tensorflow")
        config = self._config
        return {
            "format": FORMAT,
            "script": config.script or (sys.argv[0] if sys.argv else ""),
            "argv": list(config.argv) or list(sys.argv),
            "cwd": os.getcwd(),
            "tensorflow": getattr(tensorflow, "__version__", None),
            "keras": _version_of("keras") if tensorflow is not None else None,
            "python": sys.version.split()[0],
            "tapeinspect": tapeinspect.__version__,
            "mode": config.mode,
            "values": config.values,
            "pid": self._pid,
            "started": self._started,
            "exit_status": None,
            "complete": False,
        }

    def _end_before(self, module: Any, name: str) -> None:
        """Have a function that ends the process at once write the recording first."""
        import functools

        original = getattr(module, name)

        @functools.wraps(original)
        def ending(*args: Any, **kwargs: Any) -> Any:
            self._finish()
            return original(*args, **kwargs)

        setattr(module, name, ending)

    def _finish(self) -> None:
        """The script is over: write what is left, once."""
        if self._over or os.getpid() != self._pid:
            return
        self._over = True
        from tapeinspect.errors import TapeinspectError

        try:
            if self._recorder is None:
                self._write_empty()
            else:
                self._write_end()
        except (TapeinspectError, OSError) as error:
            self._tell(Trouble(str(error), getattr(error, "hint", ""), fatal=True))
        self._tell(Status("finished"))
        if isinstance(self._error_of(), KeyboardInterrupt):
            _unhandled_interrupt()

    def _write_end(self) -> None:
        recorder = self._recorder
        complete = not recorder.off
        recorder.finish(self._error_of)
        recorder.close(complete)

    def _error_of(self) -> BaseException | None:
        from tapeinspect.probe import failures

        return self._error or failures.last()

    def _write_empty(self) -> None:
        """A script that never imported TensorFlow leaves a recording too, with the error that ended it."""
        from tapeinspect.probe import failures
        from tapeinspect.probe.code import CodeTable, main_directory
        from tapeinspect.trace.writer import TraceWriter

        writer = TraceWriter(self._config.output, self._config.max_size)
        writer.set_meta(**{**self._facts(), "complete": True})
        error = self._error_of()
        if error is not None:
            code = CodeTable(main_directory(), self._config.source)
            writer.insert("error", [failures.row(error, None, code.role)])
        writer.commit()
        writer.close()

    def _tool_gone(self) -> None:
        """The tool has died: keep what was recorded and end the script, which nobody could see any more."""
        if self._over:
            return
        self._finish()
        os.kill(self._pid, signal.SIGTERM)
        time.sleep(2)
        os.kill(self._pid, signal.SIGKILL)

    def _forked(self) -> None:
        """A child of the script is not recorded."""
        self._over = True
        if self._recorder is not None:
            self._recorder.off = True
            self._recorder.gate.armed = False
            self._recorder.detach()
        if self._control is not None:
            self._control.release()
            self._control = None

    def tell(self, message: Any) -> None:
        """Tell the tool something, if there is one."""
        self._tell(message)

    def _tell(self, message: Any) -> None:
        if self._control is not None and os.getpid() == self._pid:
            self._control.send(message)


def _unhandled_interrupt() -> None:
    """Let Python end as for an interrupt that nobody handled, which it forgets when any code text is executed."""
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")


def _version_of(package: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


class _Finder:
    """Notices the import of TensorFlow; steps aside once it has."""

    def __init__(self, before: Any, after: Any) -> None:
        self._before = before
        self._after = after

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The spec that the other finders have for TensorFlow, with a loader that tells when it is done."""
        if name != "tensorflow" or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        for finder in list(sys.meta_path):
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self._before, self._after)  # type: ignore[assignment]
                return spec
        return None


class _Loader:
    """TensorFlow's own loader, with a word before and after."""

    def __init__(self, loader: Any, before: Any, after: Any) -> None:
        self._loader = loader
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the loader does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, as if the loader were still its own."""
        self._before()
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._after()
