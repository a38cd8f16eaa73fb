"""Stored values of tensors and their figures."""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any, Final

from tapeinspect.errors import TraceError
from tapeinspect.trace import decode
from tapeinspect.trace.database import Database
from tapeinspect.trace.records import Stats, TensorSpec, Value

_SIZES: Final = {
    "bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8,
    "uint64": 8, "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16,
}  # fmt: skip
"""Bytes of one element of the types whose values can be shown as numbers."""

_TINY: Final = 256
"""Bytes that are not worth the time it takes to set a compressor up."""

_SAMPLE: Final = 1024
"""Bytes that tell whether compressing a value pays."""

_NOISE: Final = 0.8
"""The share of different words in the sample from which on it does not."""

_BLOCK: Final = 0xFFFF

_LARGEST_TEXT: Final = 64 << 20
_LARGEST: Final = 1 << 32


class Values:
    """Values by id of the tensor."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def value(self, tensor: int) -> Value | None:
        """The stored value; None when it was not stored. Raises TraceError for one that is damaged."""
        row = self._database.one("SELECT dtype, shape_json, data FROM value WHERE tensor = ?", (tensor,))
        if row is None:
            return None
        spec = TensorSpec(decode.text(row[0]), decode.shape(decode.from_json(row[1])))
        size = _size(spec)
        data = _unpacked(row[2], _LARGEST_TEXT if size is None else size)
        if data is None or (size is not None and len(data) != size):
            raise TraceError(f"the value of tensor {tensor} in {self._database.path} is damaged")
        return Value(spec, data)

    def stats(self, tensor: int) -> Stats | None:
        """Stored figures, or those of a stored value of numbers."""
        row = self._database.one(
            "SELECT size, nan, inf, zeros, min, max, mean, std, norm, histogram_json FROM stats"
            " WHERE tensor = ?",
            (tensor,),
        )
        if row is not None:
            return decode.stats(row)
        value = self.value(tensor)
        if value is None or _size(value.spec) is None:
            return None
        from tapeinspect.trace.figures import array_of  # loads NumPy, needed for nothing else here
        from tapeinspect.trace.spread import stats_of

        return stats_of(array_of(value))


def value_row(
    tensor: int, op: int | None, step: int | None, spec: TensorSpec, data: bytes
) -> tuple[Any, ...]:
    """The row of table `value`: `data` in C order, little endian; for strings a JSON list in UTF-8."""
    return (tensor, op, step, spec.dtype, decode.shape_to_json(spec.shape), _packed(data))


def _packed(data: bytes) -> bytes:
    """The bytes in zlib's format, made smaller where that pays.

    The digits of floats are mostly noise: a tenth less space would take thirty times as long.
    """
    if len(data) <= _TINY:
        return _stored(data)
    middle = len(data) // 8 * 4
    words = memoryview(data)[middle : middle + _SAMPLE]
    words = words[: len(words) // 4 * 4].cast("I")
    return _stored(data) if len(set(words)) > _NOISE * len(words) else zlib.compress(data, 1)


def _stored(data: bytes) -> bytes:
    """The bytes as they are in zlib's format: a header, blocks of up to 65,535 bytes, a checksum (RFC 1950, 1951)."""
    parts = [b"\x78\x01"]
    for start in range(0, max(1, len(data)), _BLOCK):
        block = data[start : start + _BLOCK]
        last = start + _BLOCK >= len(data)
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    return b"".join([*parts, struct.pack(">I", zlib.adler32(data))])


def _size(spec: TensorSpec) -> int | None:
    """Bytes of a whole value; None when the type has no fixed size."""
    if spec.dtype not in _SIZES or spec.shape is None or any(size < 0 for size in spec.shape):
        return None
    size = _SIZES[spec.dtype] * math.prod(spec.shape)
    return size if size <= _LARGEST else None


def _unpacked(data: object, limit: int) -> bytes | None:
    """Uncompressed bytes, never more than the limit: a small file may unpack to more than memory holds."""
    if not isinstance(data, bytes):
        return None
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, limit + 1)
    except zlib.error:
        return None
    return unpacked if unpacker.eof and len(unpacked) <= limit else None
