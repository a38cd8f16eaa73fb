"""The usual remedy for an op that gives NaN or Inf, forward or on the way back."""

from __future__ import annotations

from typing import Final

_OVERFLOW = (
    "The values grew beyond what the type holds. See how they grew over the batches; a lower learning rate, "
    "tf.clip_by_global_norm or normalised inputs keep them small."
)
_DIVIDE = "Add a small constant to the divisor, or use tf.math.divide_no_nan."
_TRIGONOMETRY = "Clip its input: tf.clip_by_value(x, -1 + 1e-7, 1 - 1e-7)."
_POSITIVE = "Keep its input from being negative: tf.maximum(x, 0.0), or tf.abs."

FORWARD: Final[dict[str, str]] = {
    "Log": "Keep its input away from 0: tf.math.log(x + 1e-7), or tf.maximum(x, 1e-7).",
    "Log1p": "Keep its input above -1: tf.maximum(x, -1 + 1e-7).",
    "Sqrt": _POSITIVE,
    "Rsqrt": "Add a small constant inside: tf.math.rsqrt(x + 1e-7).",
    "RealDiv": _DIVIDE, "Div": _DIVIDE, "FloorMod": _DIVIDE, "Mod": _DIVIDE, "Xdivy": _DIVIDE,
    "Reciprocal": _DIVIDE, "Inv": _DIVIDE,
    "Exp": "exp overflows above 88.7 in float32 and 11 in float16: subtract the largest value first, clip its input, "
           "or use the stable form (tf.nn.softmax, tf.reduce_logsumexp, tf.nn.softplus).",
    "Expm1": "It overflows above 88.7 in float32: clip its input.",
    "Sinh": _OVERFLOW, "Cosh": _OVERFLOW, "Square": _OVERFLOW, "Mul": _OVERFLOW, "MatMul": _OVERFLOW,
    "BatchMatMulV2": _OVERFLOW, "Sum": _OVERFLOW, "Mean": _OVERFLOW, "AddV2": _OVERFLOW, "Sub": _OVERFLOW,
    "Conv2D": _OVERFLOW, "BiasAdd": _OVERFLOW, "SquaredDifference": _OVERFLOW, "L2Loss": _OVERFLOW,
    "Pow": "A power with a fraction needs a base above 0: use tf.maximum(x, 1e-7) ** p.",
    "Acos": _TRIGONOMETRY, "Asin": _TRIGONOMETRY, "Atanh": _TRIGONOMETRY,
    "Acosh": "Keep its input at 1 or above: tf.maximum(x, 1.0).",
    "Cast": "The type it casts to does not hold values that large (float16: 65,504): scale them, or use bfloat16.",
    "Softmax": "A row whose every value is -inf has no softmax: mask with a large finite value such as -1e9, or keep "
               "one value of each row.",
    "LogSoftmax": "A row whose every value is -inf has no softmax: mask with a large finite value such as -1e9.",
    "Lgamma": "Keep its input above 0.",
    "Digamma": "Keep its input above 0.",
    "PartitionedCall": "Record without --mode graph to see the ops inside of the function.",
    "StatefulPartitionedCall": "Record without --mode graph to see the ops inside of the function.",
}  # fmt: skip

BACKWARD: Final[dict[str, str]] = {
    "Sqrt": "The slope of a square root at 0 is infinite: add a small constant inside, tf.sqrt(x + 1e-7).",
    "Rsqrt": "Add a small constant inside: tf.math.rsqrt(x + 1e-7).",
    "Pow": "The slope of a power below 1 is infinite at 0: use tf.maximum(x, 1e-7) ** p, or (x + 1e-7) ** p.",
    "Log": "The slope of a logarithm at 0 is infinite: keep its input away from 0, tf.math.log(x + 1e-7).",
    "Acos": "Its slope is infinite at -1 and 1. " + _TRIGONOMETRY,
    "Asin": "Its slope is infinite at -1 and 1. " + _TRIGONOMETRY,
    "RealDiv": _DIVIDE, "Div": _DIVIDE, "Reciprocal": _DIVIDE, "Inv": _DIVIDE,
    "Norm": "The slope of a norm at 0 is not defined: use tf.sqrt(tf.reduce_sum(x * x) + 1e-7).",
    "Std": "The slope of a standard deviation of equal values is infinite: use tf.sqrt(variance + 1e-7).",
    "Exp": FORWARD["Exp"],
}  # fmt: skip

GUARD: Final = (
    "tf.where picks the forward value only; backward, 0 times infinity is NaN. Make the input safe as well: "
    "tf.math.log(tf.where(x > 0, x, 1.0)) inside the outer tf.where."
)
DATA: Final = (
    "Look for it where the data are read: drop or fill such records. "
    "tf.debugging.check_numerics finds the first."
)
RESTORED: Final = "Look at how the variable was initialised, or at the checkpoint that it was restored from."
OWN: Final = (
    "Look at the function that tf.custom_gradient returns: what it computes outside of TensorFlow gave it."
)
EMPTY: Final = "A mean of no elements is NaN: leave such batches out, or divide with tf.math.divide_no_nan."


def forward_remedy(op_type: str, made_by: str, taken_by: str, empty: bool, grew: bool = False) -> str:
    """For an op that gave NaN or Inf forward. `made_by`: type of the op its input is from, `taken_by`: of its user.

    empty: it was given no elements. grew: what it gave is too large for the type, and no case of 0 or below.
    """
    if op_type == "Pow" and grew:
        return _OVERFLOW
    if op_type == "Mean" and empty:
        return EMPTY
    if op_type == "Log" and made_by == "Softmax":
        return "Softmax underflows to 0: use tf.nn.log_softmax(logits), or a cross entropy with from_logits=True."
    if op_type == "Log" and made_by == "Sigmoid":
        return "Sigmoid underflows to 0: use tf.math.log_sigmoid(logits), or a cross entropy with from_logits=True."
    if op_type == "Exp" and taken_by in ("Sum", "RealDiv"):
        return "This is a softmax written by hand: tf.nn.softmax(x) does not overflow."
    return FORWARD.get(op_type, "")


def backward_remedy(op_type: str, expression: str, guarded: bool) -> str:
    """For an op whose gradient function gave NaN or Inf. `guarded`: a tf.where stands around it."""
    if guarded and op_type in ("Log", "RealDiv", "Reciprocal", "Sqrt", "Pow", "Exp"):
        return GUARD
    if op_type == "Sqrt" and "norm" in expression:
        return BACKWARD["Norm"]
    if op_type == "Sqrt" and "std" in expression:
        return BACKWARD["Std"]
    return BACKWARD.get(op_type, "")
