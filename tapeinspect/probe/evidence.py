"""What is taken down about a source whose gradient is None, while the tape can still be asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tapeinspect.probe.gradients import tf_variable
from tapeinspect.probe.names import name_in_code, variable_name

if TYPE_CHECKING:
    from tapeinspect.probe.calls import Call
    from tapeinspect.probe.sink import Sink

_COUNTER = re.compile(r"_\d+$")
_NAMES = 200
"""Sources whose names in the code are looked for: that takes a search through all that the code can reach."""
_UNNAMED = ("Variable", "variable", "")


class Evidence:
    """Writes rows of `none_evidence`. The caller serialises."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._locals: dict[tuple[int, int], str | None] = {}

    def take(self, call: Call, first: int, sources: list[Any], results: list[Any]) -> None:
        """Look at the sources of a call that got None. `first`: id of the row of its first gradient."""
        missing = [index for index, result in enumerate(results) if result is None]
        if not missing:
            return
        watched = _watched(call.asked.tape)
        variables = [tf_variable(source) for source in sources]
        given = {variable.handle._id for variable in variables if variable is not None}
        strangers = [variable for handle, variable in sorted((watched or {}).items()) if handle not in given]
        for index in missing:
            source, variable = sources[index], variables[index]
            tensor = getattr(source, "_id", None) if variable is None else variable.handle._id
            seen = None if variable is None or watched is None else int(tensor in watched)
            twin = None if variable is None or seen != 0 else _twin(variable, source, strangers)
            self._sink.add("none_evidence", (
                first + index, tensor, seen, self._local(call, index, source),
                None if twin is None else twin.handle._id,
                None if twin is None else variable_name(twin, call.frame),
            ))  # fmt: skip

    def _local(self, call: Call, index: int, source: Any) -> str | None:
        """What the code at the call calls a source; looked up once for each place."""
        key = (call.stack, index)
        if key not in self._locals and len(self._locals) < _NAMES:
            self._locals[key] = name_in_code(source, call.frame, call.asked.given)
        return self._locals.get(key)


def _watched(tape: Any) -> dict[int, Any] | None:
    """The variables that a tape has seen, by handle; None when it cannot be asked."""
    if tape is None or not hasattr(tape, "watched_variables"):
        return None
    return {v.handle._id: v for v in tape.watched_variables() if hasattr(v, "handle")}


def _twin(variable: Any, source: Any, strangers: list[Any]) -> Any:
    """A variable like another one, taken out of `strangers` so that none is the twin of two."""
    name = _last_name(source)
    for at, other in enumerate(strangers):
        if (
            name not in _UNNAMED
            and _last_name(other) == name
            and other.shape == variable.shape
            and other.dtype == variable.dtype
        ):
            return strangers.pop(at)
    return None


def _last_name(variable: Any) -> str:
    """The last part of a variable's name, without a counter: `dense_1/kernel:0` and `kernel` are alike."""
    name = str(getattr(variable, "name", "") or "").split(":")[0].rsplit("/", 1)[-1]
    return _COUNTER.sub("", name)
