"""What a tf.function was called with, in words, and how two calls differ.

TensorFlow decides by `TraceType.is_subtype_of` whether a call fits an earlier trace; so do the functions here, and look
into the parts of a type only to say which one it was. Types are told by what they hold, not by their class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a call did not fit an earlier trace."""

    code: str
    """'value', 'shape', 'dtype', 'rank', 'type', 'object', 'died', 'structure', 'variable' or 'arguments'."""
    path: str
    """The argument, or the part of it: `n`, `batch[0]`, `options['rate']`."""
    before: str
    after: str

    @property
    def argument(self) -> str:
        """The argument that `path` is a part of."""
        return self.path.split("[")[0].split(".")[0]

    def sentence(self) -> str:
        """What changed, for people."""
        return _SENTENCES[self.code].format(path=self.path, before=self.before, after=self.after)


_SENTENCES = {
    "value": "the Python value of {path} changed from {before} to {after}",
    "shape": "the shape of {path} changed from {before} to {after}",
    "rank": "the number of dimensions of {path} changed: {before} to {after}",
    "dtype": "the dtype of {path} changed from {before} to {after}",
    "type": "{path} was {before} and is {after}",
    "object": "{path} is another object than before: {after}",
    "died": "the object passed as {path} before is gone; this is a fresh one: {after}",
    "structure": "the structure of {path} changed: {before} to {after}",
    "variable": "the variable passed as {path} changed from {before} to {after}",
    "arguments": "other arguments were given: {after} rather than {before}",
}


def parameters(function_type: Any) -> dict[str, Any]:
    """The type of each argument of a call."""
    return {name: parameter.type_constraint for name, parameter in function_type.parameters.items()}


def differences(after: Any, before: Any) -> list[Difference]:
    """Why a call of the type `after` does not fit a trace of the type `before`; empty when its arguments do."""
    given, had = parameters(after), parameters(before)
    if list(given) != list(had):
        return [Difference("arguments", "", ", ".join(had) or "none", ", ".join(given) or "none")]
    found = [d for name in given for d in _compare(name, given[name], had[name])]
    mine, theirs = dict(getattr(after, "captures", {})), dict(getattr(before, "captures", {}))
    for name, earlier in theirs.items():
        if name in mine:
            found += _compare(str(name), mine[name], earlier)
    return found


def _compare(path: str, after: Any, before: Any) -> list[Difference]:
    if after is None or before is None or after.is_subtype_of(before):
        return []
    mine, theirs = parts(after), parts(before)
    if mine is not None and theirs is not None and type(after) is type(before):
        if [key for key, _ in mine] != [key for key, _ in theirs]:
            return [Difference("structure", path, _outline(before), _outline(after))]
        inner = zip(mine, theirs, strict=True)
        found = [d for (key, a), (_, b) in inner for d in _compare(path + key, a, b)]
        return found or [Difference("structure", path, describe(before), describe(after))]
    return [_leaf(path, after, before)]


def _leaf(path: str, after: Any, before: Any) -> Difference:
    words = (describe(before), describe(after))
    if type(after) is not type(before):
        return Difference("type", path, *words)
    if is_literal(after):
        return Difference("value", path, _cut(repr(before.value)), _cut(repr(after.value)))
    if is_reference(after):
        return Difference("died" if before._ref() is None else "object", path, *words)
    mine, theirs = _dims(after), _dims(before)
    if hasattr(after, "alias_id"):
        return Difference("variable", path, *words)
    if getattr(after, "dtype", None) != getattr(before, "dtype", None):
        return Difference("dtype", path, before.dtype.name, after.dtype.name)
    if mine != theirs:
        code = "rank" if mine is None or theirs is None or len(mine) != len(theirs) else "shape"
        return Difference(code, path, _shape_text(theirs), _shape_text(mine))
    return Difference("type", path, *words)


def is_literal(kind: Any) -> bool:
    """Whether a type stands for one Python value."""
    return type(kind).__name__ == "Literal" and hasattr(kind, "value")


def is_reference(kind: Any) -> bool:
    """Whether a type stands for one Python object."""
    return type(kind).__name__ == "Weakref" and hasattr(kind, "_ref")


def is_tensor(kind: Any) -> bool:
    """Whether a type stands for dense tensors."""
    return type(kind).__name__ == "TensorSpec"


def parts(kind: Any) -> list[tuple[str, Any]] | None:
    """(how to reach it, type) of each part of a tuple, list or mapping; None when it has no parts."""
    if hasattr(kind, "mapping"):
        return [(f"[{key!r}]", part) for key, part in sorted(kind.mapping.items(), key=lambda p: repr(p[0]))]
    if hasattr(kind, "named_attributes"):
        return parts(kind.named_attributes)
    if hasattr(kind, "attribute_names") and hasattr(kind, "attributes"):
        names = zip(kind.attribute_names, kind.attributes.components, strict=True)
        return [(f".{name}", part) for name, part in names]
    inner = getattr(kind, "components_tuple", kind)
    components = getattr(inner, "components", None)
    if isinstance(components, tuple):
        return [(f"[{i}]", part) for i, part in enumerate(components)]
    return None


def describe(kind: Any) -> str:
    """The type of an argument as a person would write it."""
    return _cut(_describe(kind))


def _describe(kind: Any) -> str:
    if is_literal(kind):
        value = kind.value
        return "None" if value is None else f"Python {type(value).__name__} {_cut(repr(value))}"
    if is_reference(kind):
        found = kind._ref()
        return "an object that is gone" if found is None else f"{type(found).__name__} object"
    inner = parts(kind)
    if inner is not None:
        word = type(kind).__name__.lower()
        texts = [
            f"{key.strip('[].')}: {_describe(p)}" if word == "dict" else _describe(p) for key, p in inner
        ]
        return f"{word} of {len(inner)}: {', '.join(texts)}"
    if hasattr(kind, "dtype") and hasattr(kind, "shape"):
        name = type(kind).__name__.removesuffix("Spec")
        return f"{name}{_shape_text(_dims(kind))} {getattr(kind.dtype, 'name', kind.dtype)}"
    return type(kind).__name__.removesuffix("Spec")


def _outline(kind: Any) -> str:
    """The keys of a mapping, or the number of parts."""
    inner = parts(kind) or []
    word = type(kind).__name__.lower()
    keys = [key for key, _ in inner]
    return f"{word} with {', '.join(k[1:-1] for k in keys)}" if word == "dict" else f"{word} of {len(keys)}"


def described(function_type: Any) -> list[dict[str, str]]:
    """The arguments of a call: [{"name", "text"}]."""
    return [{"name": name, "text": describe(kind)} for name, kind in parameters(function_type).items()]


def written(kind: Any) -> str | None:
    """The Python expression of a type in an `input_signature`; None for what cannot stand there."""
    if is_tensor(kind):
        return f"tf.TensorSpec({spelled(_dims(kind))}, tf.{kind.dtype.name})"
    inner = parts(kind)
    word = type(kind).__name__
    if inner is None or word not in ("Tuple", "List", "Dict"):
        return None
    texts = [written(part) for _, part in inner]
    if any(text is None for text in texts):
        return None
    known = [text for text in texts if text is not None]
    if word == "Dict":
        keys = [key[1:-1] for key, _ in inner]
        return "{" + ", ".join(f"{key}: {text}" for key, text in zip(keys, known, strict=True)) + "}"
    if word == "Tuple":
        return "(" + ", ".join(known) + ("," if len(known) == 1 else "") + ")"
    return "[" + ", ".join(known) + "]"


def spelled(dims: Sequence[int | None] | None) -> str:
    """A shape as `tf.TensorSpec` takes it."""
    return "None" if dims is None else "[" + ", ".join("None" if d is None else str(d) for d in dims) + "]"


def joined(texts: Iterable[str]) -> str:
    """`a, b and c`."""
    known = list(texts)
    return known[0] if len(known) == 1 else f"{', '.join(known[:-1])} and {known[-1]}" if known else ""


def _dims(kind: Any) -> tuple[int | None, ...] | None:
    shape = getattr(kind, "shape", None)
    if shape is None or shape.rank is None:
        return None
    return tuple(shape.as_list())


def _shape_text(dims: Sequence[int | None] | None) -> str:
    if dims is None:
        return "(unknown)"
    return "(" + ", ".join("?" if d is None else str(d) for d in dims) + ("," if len(dims) == 1 else "") + ")"


def _cut(text: str) -> str:
    return text if len(text) <= _LIMIT else text[: _LIMIT - 1] + "…"
