"""Recording a piece of a program from inside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tapeinspect.link.messages import Config


@contextmanager
def record(
    output: str | Path = "run.tape",
    *,
    mode: Literal["eager", "graph"] = "eager",
    values: Literal["off", "health", "full"] = "health",
    memory: int = 256 << 20,
    max_size: int = 2 << 30,
    source: bool = True,
) -> Iterator[Path]:
    """Record what runs inside the `with` block; gives the path of the trace file.

    memory: bytes of tensors kept alive; max_size: bytes of the trace file. Raises UsageError when the file cannot be
    written.
    """
    import tensorflow  # noqa: F401

    from tapeinspect.probe.boot import Probe

    path = Path(output).resolve()
    config = Config(
        str(path),
        -1,
        mode=mode,
        values=values,
        memory=memory,
        max_size=max_size,
        source=source,
        argv=tuple(sys.argv),
    )
    probe = Probe(config, None)
    probe.begin()
    try:
        yield path
    except BaseException as error:
        probe.end(error)
        raise
    else:
        probe.end(None)
