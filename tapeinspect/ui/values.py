"""Where the values of a tensor come from: the recording, or the running script. No Textual in here."""

from __future__ import annotations

import asyncio
import json
import math
import operator
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from tapeinspect.errors import TapeinspectError
from tapeinspect.trace.records import Stats, TensorSpec, Value

if TYPE_CHECKING:
    from tapeinspect.link.messages import Answer
    from tapeinspect.ui.subject import Subject

Index: TypeAlias = "tuple[int | list[int], ...]"
"""One entry an axis: a fixed index, or [start, stop]."""

_FORMATS: Final = {
    "bool": "?", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I",
    "int64": "q", "uint64": "Q", "float16": "e", "float32": "f", "float64": "d", "bfloat16": "H",
    "complex64": "ff", "complex128": "dd",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unavailable(Exception):
    """Why a value cannot be shown, and what to do about it."""

    why: str
    hint: str = ""


class Source(Protocol):
    """A tensor whose values can be asked for."""

    spec: TensorSpec

    async def window(self, index: Index) -> list[Any]:
        """The values of a window as nested lists. Raises Unavailable."""
        ...


class Recorded:
    """A value that the recording holds."""

    def __init__(self, value: Value) -> None:
        self.spec = value.spec
        self.shape = value.spec.shape or ()
        self._strings: list[Any] | None = None
        self._data = value.data
        if value.spec.dtype == "string":
            self._strings = _flat(json.loads(value.data))
        self._unpack = _unpacker(value.spec.dtype)
        self.size = math.prod(self.shape)

    def at(self, flat: int) -> Any:
        """One element by its place in C order."""
        if self._strings is not None:
            return self._strings[flat]
        return self._unpack(self._data, flat)

    async def window(self, index: Index) -> list[Any]:
        def walk(axis: int, offset: int) -> Any:
            if axis == len(self.shape):
                return self.at(offset)
            stride = math.prod(self.shape[axis + 1 :])
            entry = index[axis]
            if isinstance(entry, int):
                return walk(axis + 1, offset + entry * stride)
            return [walk(axis + 1, offset + i * stride) for i in range(*entry)]

        result = walk(0, 0)
        return result if isinstance(result, list) else [result]


class Live:
    """A value that the running script still holds."""

    def __init__(self, subject: Subject, tensor: int, spec: TensorSpec) -> None:
        self.subject, self.tensor, self.spec = subject, tensor, spec

    async def window(self, index: Index) -> list[Any]:
        body = await _ask(self.subject, self.tensor, index)
        window = _numbers(body["window"])
        return window if isinstance(window, list) else [window]


async def _ask(subject: Subject, tensor: int, index: Index) -> dict[str, Any]:
    future = subject.ask_value(tensor, index)
    if future is None:
        raise Unavailable("The script has ended, and the recording does not hold this value",
                          "Record with --values full to keep values, or look while the script is paused.")  # fmt: skip
    try:
        answer: Answer = await asyncio.wait_for(asyncio.wrap_future(future), 10)
    except asyncio.TimeoutError:
        raise Unavailable(
            "The script does not answer", "It is busy; pause it with p and look again."
        ) from None
    except TapeinspectError as error:
        raise Unavailable(error.message, error.hint) from None
    if not answer.ok:
        raise Unavailable(
            str(answer.body.get("message", "The value is gone")),
            "Record with --values full to keep all values.",
        )
    return answer.body


async def open_source(subject: Subject, tensor: int, spec: TensorSpec | None) -> Source:
    """The tensor's values, from the recording if it has them, else from the script. Raises Unavailable."""
    reader = subject.reader
    try:
        value = await asyncio.to_thread(reader.value, tensor) if reader is not None else None
    except TapeinspectError as error:
        raise Unavailable(error.message, error.hint) from None
    if value is not None:
        if value.spec.dtype != "string" and value.spec.dtype not in _FORMATS:
            raise Unavailable(f"Values of type {value.spec.dtype} cannot be shown as numbers")
        return Recorded(value)
    if not subject.live:
        level = reader.meta.values if reader is not None else "health"
        hint = f"It was made with --values {level}. Record with --values full to keep values"
        if level == "full":
            hint = "It had no room for all values: a larger --memory keeps more"
        raise Unavailable(
            "The recording does not hold this tensor's values", f"{hint}, or look while the script is paused."
        )
    rank = len(spec.shape) if spec is not None and spec.shape is not None else 0
    body = await _ask(subject, tensor, tuple([0, 0] for _ in range(rank)))
    return Live(subject, tensor, TensorSpec(str(body["dtype"]), tuple(int(size) for size in body["shape"])))


async def figures(subject: Subject, tensor: int) -> Stats | str:
    """The figures of a tensor, or a sentence on why there are none."""
    reader = subject.reader
    try:
        stats = await asyncio.to_thread(reader.stats, tensor) if reader is not None else None
        if stats is not None:
            return stats
        future = subject.ask_stats(tensor)
        if future is None:
            return "more figures: record with --values full, or look while live"
        answer: Answer = await asyncio.wait_for(asyncio.wrap_future(future), 10)
    except asyncio.TimeoutError:
        return "the script is busy; p pauses it"
    except TapeinspectError as error:
        return error.message
    if not answer.ok:
        return str(answer.body.get("message", "the value is gone"))
    known: dict[str, Any] = {
        name: _numbers(answer.body[name]) for name in Stats.__dataclass_fields__ if name in answer.body
    }
    for name in ("edges", "counts"):
        known[name] = tuple(known.get(name) or ())
    return Stats(**known)


def _numbers(value: Any) -> Any:
    """Answers write NaN and Inf as words."""
    if isinstance(value, list):
        return [_numbers(entry) for entry in value]
    return float(value) if value in ("nan", "inf", "-inf") else value


def _unpacker(dtype: str) -> Callable[[bytes, int], Any]:
    form = _FORMATS.get(dtype, "B")
    reader = struct.Struct("<" + form)
    size = reader.size

    def plain(data: bytes, flat: int) -> Any:
        return reader.unpack_from(data, flat * size)[0]

    def brain(data: bytes, flat: int) -> Any:
        return struct.unpack("<f", b"\0\0" + data[flat * 2 : flat * 2 + 2])[0]

    def pair(data: bytes, flat: int) -> Any:
        return complex(*reader.unpack_from(data, flat * size))

    if dtype == "bfloat16":
        return brain
    return pair if dtype.startswith("complex") else plain


def _flat(nested: Any) -> list[Any]:
    return [leaf for entry in nested for leaf in _flat(entry)] if isinstance(nested, list) else [nested]


_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip


def _compared(compare: Callable[[Any, Any], bool], bound: float, value: Any) -> bool:
    return isinstance(value, int | float) and compare(value, bound)


def condition(text: str) -> Callable[[Any], bool]:
    """What the user searches for: `nan`, `inf`, `>3`, `<=-1`, or a number as it is shown. Raises ValueError."""
    text = text.strip().lower()
    if text in ("nan", "inf", "-inf"):
        special = float(text)
        if math.isnan(special):
            return lambda value: isinstance(value, float) and math.isnan(value)
        return lambda value: isinstance(value, float) and value == special
    for sign, compare in _SIGNS.items():
        if text.startswith(sign):
            return partial(_compared, compare, float(text[len(sign) :]))
    try:
        wanted = float(text)
    except ValueError:
        return lambda value: text in str(value).lower()
    digits = len(text.split(".")[1]) if "." in text and "e" not in text else 0
    return lambda value: (
        isinstance(value, int | float)
        and (value == wanted or (digits > 0 and round(value, digits) == wanted))
    )


def slice_text(shape: Sequence[int], index: Index) -> str:
    """A window as a slice: `[0:3, :, 1]`."""
    parts = []
    for size, entry in zip(shape, index, strict=True):
        if isinstance(entry, int):
            parts.append(str(entry))
        else:
            parts.append(":" if (entry[0], entry[1]) == (0, size) else f"{entry[0]}:{entry[1]}")
    return f"[{', '.join(parts)}]"
