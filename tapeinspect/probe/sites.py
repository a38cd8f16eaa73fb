"""What ops of one place have in common, interned: a training step repeats the ops of the step before.

A `Site` is a call stack, an op type with attributes, and the dtypes and shapes of its outputs. Ops are recorded as
a reference to their site; only what differs from one run to the next is kept with each op.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

from tapeinspect.probe import tf_private
from tapeinspect.probe.code import CallStack
from tapeinspect.probe.loops import Loop

FLOATS = {
    "half": 2,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
}
_SIZES = {
    "bool": 1,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "int32": 4,
    "uint32": 4,
    "int64": 8,
    "uint64": 8,
}
_UNIQUE = frozenset({"shared_name", "container"})
_DTYPE_NAMES = ("dtype", "SrcT", "DstT", "out_type", "output_type", "index_type", "Index")
_PLAIN = (int, float, str, bytes, bool, type(None))

ASSIGNS = frozenset({"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"})
_ALIASES = frozenset({"ReadVariableOp"})
_HELD_ALIAS = 1 << 16


@dataclass(slots=True, eq=False, repr=False)
class StepPlace:
    """Where in a site's stack the step stands."""

    depth: int
    loop: Loop | None
    position: int | None
    """For a step that is the turn of a loop: the number of the loop's statement, 0 for its head."""
    lasti: int
    """The instruction that the step's frame is at."""
    inner: tuple[Any, ...]
    """The checks of the frames inside it."""
    users: tuple[Any, ...]
    """Those of them that an op is checked by which comes where it came in the last step: the frame that ran the op,
    and the user's."""
    outer: tuple[Any, ...]
    """The frames around it, interned."""


@dataclass(slots=True, eq=False, repr=False)
class Site:
    """What ops of one place have in common."""

    id: int
    type: str
    raw_type: Any
    """As TensorFlow gives it: text, or bytes for the ops of a backward pass."""
    attrs: Any
    """TensorFlow's own tuple, to compare with; None when it cannot be kept or compared."""
    stack: CallStack
    stack_id: int
    kind: int
    n_inputs: int
    n_outputs: int
    shapes: tuple[Any, ...]
    checks: tuple[Any, ...]
    measure: int
    """0: no float output, or none is measured; 1: a single float32 or float64 output; 2: anything else with floats;
    3: floats on another device."""
    held_bytes: int
    """Bytes of the outputs when they are worth keeping alive, else 0."""
    is_assign: bool
    special: str
    """'', 'dataset', 'py_function' or 'graph': an op that runs code no callback reaches; 'iterator': one that takes
    an element from an iterator of tf.data."""
    is_special: bool
    """It is one of these, or it assigns, or it `looks`."""
    step: StepPlace | None = None
    next: Any = None
    """The site that followed the last time."""
    dtypes: tuple[str, ...] = ()
    looks: bool = False
    """It is the first op behind a statement that took something from a Python iterator."""


@dataclass(slots=True)
class KindTable:
    """Interns op kinds: type, attributes, dtypes and shapes of the outputs."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    _ids: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def intern(self, op_type: str, attrs: str, outputs: str) -> int:
        """The id of a kind."""
        key = (op_type, attrs, outputs)
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self._ids) + 1
            self.rows.append((found, *key))
        return found


class SiteTable:
    """Interns sites. The caller serialises.

    measures: whether outputs are measured at all; holds: whether they are kept alive.
    """

    def __init__(self, measures: bool, holds: bool) -> None:
        self.kinds = KindTable()
        self._measures = measures
        self._holds = holds
        self.all: list[Site] = []
        self._sites: dict[tuple[Any, ...], Site] = {}

    def find(
        self, raw_type: str | bytes, inputs: Any, attrs: Any, outputs: Any, stack: CallStack
    ) -> tuple[Site, bool]:
        """The site of an op, and whether it is new."""
        op_type = raw_type.decode() if isinstance(raw_type, bytes) else raw_type
        dtypes = tuple(t.dtype.name for t in outputs)
        shapes = tuple(_shape(t) for t in outputs)
        text = attrs_text(attrs)
        specs = json.dumps([[d, s] for d, s in zip(dtypes, shapes, strict=True)], separators=(",", ":"))
        kind = self.kinds.intern(op_type, text, specs)
        key = (stack.id, kind, len(inputs))
        site = self._sites.get(key)
        if site is not None:
            return site, False
        is_assign, special = _assigns(op_type), _special(op_type)
        site = Site(
            id=len(self.all) + 1,
            type=op_type,
            raw_type=raw_type,
            attrs=attrs if _comparable(attrs) else None,
            stack=stack,
            stack_id=stack.id,
            kind=kind,
            n_inputs=len(inputs),
            n_outputs=len(outputs),
            shapes=shapes,
            checks=stack.checks,
            measure=_measure(dtypes, shapes, outputs) if self._measures else 0,
            held_bytes=_held_bytes(op_type, dtypes, shapes) if self._holds else 0,
            is_assign=is_assign,
            special=special,
            is_special=is_assign or special != "",
            dtypes=dtypes,
        )
        self.all.append(site)
        self._sites[key] = site
        return site, True


def attrs_text(attrs: Any) -> str:
    """TensorFlow's tuple of alternating names and values as JSON text; names that are unique each time left out."""
    if not attrs:
        return "{}"
    names = attrs[0::2]
    values = attrs[1::2]
    plain = {
        _name(name): _dtype_name(value) if _is_dtype(_name(name), value) else _plain(value)
        for name, value in zip(names, values, strict=False)
        if _name(name) not in _UNIQUE
    }
    return json.dumps(plain, separators=(",", ":"), default=str)


def function_name(attrs: Any) -> str:
    """The name of the function among an op's attributes, '' when there is none."""
    for name, value in zip(attrs[0::2], attrs[1::2], strict=False):
        if _name(name) in ("f", "predicate", "token", "key_func", "reduce_func"):
            inner = getattr(value, "name", value)
            return inner.decode() if isinstance(inner, bytes) else str(inner)
    return ""


def _name(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _is_dtype(name: str, value: Any) -> bool:
    """Whether an attribute is a dtype that TensorFlow gives as a number."""
    if type(value) is not int:
        return False
    return name in _DTYPE_NAMES or (name[0] == "T" and (len(name) == 1 or name[1:].islower()))


def _dtype_name(value: int) -> str:
    from tensorflow import dtypes

    try:
        return str(dtypes.as_dtype(value).name)
    except TypeError:
        return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bytes):
        text = value[:200].decode(errors="replace")
        return text if text.isprintable() else f"<{len(value)} bytes>"
    if isinstance(value, (int, float, str, type(None))):
        return value[:500] if isinstance(value, str) else value
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value[:64]]
    as_list = getattr(value, "as_list", None)
    if as_list is not None:
        return as_list() if value.rank is not None else None
    name = getattr(value, "name", None)
    if isinstance(name, bytes):
        return name.decode(errors="replace")
    return name if isinstance(name, str) else str(value)[:200]


def _comparable(attrs: Any) -> bool:
    """Whether attributes may be kept: plain values only, so that no function or graph is kept alive."""
    for value in attrs[1::2]:
        values = value if isinstance(value, (list, tuple)) else (value,)
        for v in values:
            if not isinstance(v, _PLAIN) and not hasattr(v, "as_datatype_enum") and not hasattr(v, "dims"):
                return False
    return not any(_name(name) in _UNIQUE for name in attrs[0::2])


def _shape(tensor: Any) -> Any:
    try:
        return tensor._shape_tuple()
    except Exception:  # variants and resources of some kinds have none
        return None


def _measure(dtypes: tuple[str, ...], shapes: tuple[Any, ...], outputs: Any) -> int:
    if not any(dtype in FLOATS for dtype in dtypes):
        return 0
    if not all(tf_private.on_host(tensor) for tensor in outputs):
        return 3
    if len(dtypes) > 1 or dtypes[0] not in ("float32", "float64") or shapes[0] is None:
        return 2
    return 1


def _held_bytes(op_type: str, dtypes: tuple[str, ...], shapes: tuple[Any, ...]) -> int:
    total = 0
    for dtype, shape in zip(dtypes, shapes, strict=True):
        width = FLOATS.get(dtype) or _SIZES.get(dtype)
        if width is None or shape is None or None in shape:
            return 0
        total += width * math.prod(shape)
    if op_type in _ALIASES and total > _HELD_ALIAS:
        # It shares the variable's memory: keeping it would make each assignment copy the variable.
        return 0
    return total and total + 64


def _assigns(op_type: str) -> bool:
    return op_type in ASSIGNS or op_type.startswith(
        ("ResourceApply", "ResourceSparse", "ResourceScatter", "ResourceStrided")
    )


def _special(op_type: str) -> str:
    if op_type.startswith(("__inference_", "__forward_", "__backward_")) or op_type.endswith(
        "PartitionedCall"
    ):
        return "graph"
    if op_type in ("EagerPyFunc", "PyFunc", "PyFuncStateless"):
        return "py_function"
    if op_type == "IteratorGetNext":
        return "iterator"
    if "Dataset" in op_type and op_type.startswith(_DATASET_WITH_CODE):
        return "dataset"
    return ""


_DATASET_WITH_CODE = (
    "Map", "ParallelMap", "FlatMap", "Interleave", "ParallelInterleave", "LegacyParallelInterleave", "Filter",
    "Reduce", "Scan", "TakeWhile", "Generator", "GroupBy", "MapAndBatch", "Experimental",
)  # fmt: skip
