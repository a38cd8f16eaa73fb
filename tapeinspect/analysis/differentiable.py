"""What is known of TensorFlow's ops: which have no gradient, and what they do to a variable."""

from __future__ import annotations

from typing import Final

STRUCTURE: Final = frozenset(
    {
        "BroadcastGradientArgs", "ConcatOffset", "Equal", "Greater", "GreaterEqual", "InvertPermutation",
        "Less", "LessEqual", "LogicalAnd", "LogicalNot", "LogicalOr", "NotEqual", "OnesLike", "Rank", "Shape",
        "ShapeN", "Size", "VariableShape", "Where", "ZerosLike",
    }
)  # fmt: skip
"""Op types without a gradient that ask about a tensor beside the way its values take."""

NO_GRADIENT: Final = STRUCTURE | frozenset(
    {
        "ApproximateEqual", "ArgMax", "ArgMin", "AsString", "Ceil", "DecodeRaw", "Floor", "FloorDiv",
        "Multinomial", "OneHot", "PyFunc", "PyFuncStateless", "RandomShuffle", "ReduceJoin", "RegexReplace",
        "Rint", "Round", "StatelessMultinomial", "StopGradient", "StringToNumber", "TruncateDiv",
    }
)  # fmt: skip
"""Op types whose gradient TensorFlow declares not to exist, or whose gradient function always gives None."""

REAL: Final = frozenset({"float16", "bfloat16", "float32", "float64", "complex64", "complex128"})
"""Types that gradients exist for."""

INTEGERS: Final = frozenset(
    {"bool", "string", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
)
"""Types that no gradient exists for."""

_CARRIERS: Final = frozenset({"variant", "resource"})

_NOT_READS: Final = frozenset({"VarHandleOp", "VarIsInitializedOp", "DestroyResourceOp", "VariableShape"})


def carries_gradient(dtype: str) -> bool:
    """Whether a gradient can pass through a tensor of this type; True where it is not known."""
    return dtype in REAL or dtype in _CARRIERS or dtype == "unknown"


def assigns(op_type: str) -> bool:
    """Whether an op whose first input is a variable's handle changes the variable."""
    return op_type.startswith(("Assign", "ResourceApply", "ResourceSparseApply", "ResourceScatter"))


def reads(op_type: str) -> bool:
    """Whether an op that takes a variable's handle may read the variable."""
    return not assigns(op_type) and op_type not in _NOT_READS
