"""What the user calls a variable."""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType
from typing import Any

from tapeinspect.probe.frames import locals_of

_UNNAMED = ("Variable", "variable", "")
_DEPTH = 3
_TRACKED_LISTS = ("ListWrapper", "_TupleWrapper")
"""What TensorFlow makes of lists and tuples that are attributes of a tf.Module."""


def variable_name(variable: Any, frame: FrameType | None, given: Any = None) -> str:
    """The name of a variable as the user knows it.

    Keras' path, the name given to `tf.Variable`, the attribute of a `tf.Module` that holds it, or the name that the
    code around `frame` has for it, in this order. given: a container whose items' names are of no interest.
    """
    path = getattr(variable, "path", None)
    if isinstance(path, str) and path:
        return path
    name = str(getattr(variable, "name", "") or "").split(":")[0]
    if name.rstrip("0123456789").rstrip("_") not in _UNNAMED:
        return name
    return name_in_code(variable, frame, given, modules_first=True) or name or "variable"


def name_in_code(
    value: Any, frame: FrameType | None, given: Any = None, modules_first: bool = False
) -> str | None:
    """What the code around `frame` calls an object: a local or global name, else an attribute or item of one.

    given: a container that does not count, like the list that was made for one call. modules_first: an attribute of a
    module goes before a name.
    """
    scopes = [
        {
            n: item
            for n, item in scope.items()
            if (item is value or item is not given) and not n.startswith("__")
        }
        for scope in _scopes(frame)
    ]
    for find in (_in_module, _by_name, _inside) if modules_first else (_by_name, _inside):
        for scope in scopes:
            for name, candidate in scope.items():
                found = find(name, candidate, value)
                if found is not None:
                    return found
    return None


def _in_module(name: str, candidate: Any, value: Any) -> str | None:
    return _inside(name, candidate, value) if _is_module(candidate) else None


def _by_name(name: str, candidate: Any, value: Any) -> str | None:
    return name if candidate is value else None


def _inside(name: str, candidate: Any, value: Any) -> str | None:
    inner = _path_inside(candidate, value, _DEPTH)
    if inner is None or name == "self":
        return inner
    return f"{name}{inner if inner.startswith('[') else '/' + inner}"


def _is_module(holder: Any) -> bool:
    return any(base.__name__ in ("Module", "AutoTrackable") for base in type(holder).__mro__)


def _scopes(frame: FrameType | None) -> Iterator[dict[str, Any]]:
    seen_globals: set[int] = set()
    while frame is not None:
        yield locals_of(frame)
        if id(frame.f_globals) not in seen_globals:
            seen_globals.add(id(frame.f_globals))
            yield dict(frame.f_globals)
        frame = frame.f_back


def _path_inside(holder: Any, value: Any, depth: int) -> str | None:
    """Where inside a container or module an object is: `layer/w`, `[0]`, `[w1]`."""
    if depth == 0 or holder is value:
        return None
    for label, candidate in _members(holder):
        if candidate is value:
            return label
    for label, candidate in _members(holder):
        inner = _path_inside(candidate, value, depth - 1)
        if inner is not None:
            return f"{label}{inner if inner.startswith('[') else '/' + inner}"
    return None


def _members(holder: Any) -> list[tuple[str, Any]]:
    kind = type(holder)
    if (kind in (list, tuple) or kind.__name__ in _TRACKED_LISTS) and len(holder) <= 1000:
        return [(f"[{i}]", item) for i, item in enumerate(holder)]
    if (kind is dict or kind.__name__ == "_DictWrapper") and len(holder) <= 1000:
        return [(f"[{key}]", item) for key, item in list(holder.items())]
    if _is_module(holder) or _holds_variables(holder):
        return [
            (name, item)
            for name, item in list(vars(holder).items())
            if not name.startswith(("__", "_self_"))  # TensorFlow keeps its own tables under the latter
        ]
    return []


def _holds_variables(holder: Any) -> bool:
    """Whether an object of the user's own class is worth a look inside."""
    module = type(holder).__module__
    return hasattr(holder, "__dict__") and (module == "__main__" or (not module.startswith(("tensorflow", "keras", "numpy", "builtins")) and module != "types")) and not isinstance(holder, type)  # fmt: skip  # noqa: E501
