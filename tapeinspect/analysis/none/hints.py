"""What to change, for each op that no gradient passes."""

from __future__ import annotations

from typing import Final

from tapeinspect.analysis.differentiable import assigns

_COMPARE = (
    "Where the condition must have a gradient, use a smooth one: tf.sigmoid(k * (a - b)) in place of a > b."
)
_PICK = (
    "Train with tf.nn.softmax, or a sum weighted by it, and pick the index only for predictions and metrics."
)
_STAIRS = "Round forward only: x + tf.stop_gradient(tf.round(x) - x) passes the gradient straight through."
_PYTHON = "Write it with TensorFlow ops, or give it a gradient with tf.custom_gradient."
_RANDOM = "Sample with a formula of the parameters (reparametrisation): mean + stddev * tf.random.normal(…)."

_BY_TYPE: Final[dict[str, str]] = {
    "ArgMax": _PICK,
    "ArgMin": _PICK,
    "TopKV2": "Its values have a gradient, its indices have none: use the values, or tf.gather with them outside.",
    "OneHot": "Feed it from what is constant; for a soft choice use tf.nn.softmax.",
    "Round": _STAIRS, "Rint": _STAIRS, "Floor": _STAIRS, "Ceil": _STAIRS,
    "FloorDiv": "Divide with / where the quotient must have a gradient.",
    "TruncateDiv": "Divide with / where the quotient must have a gradient.",
    "Equal": _COMPARE, "NotEqual": _COMPARE, "Greater": _COMPARE, "GreaterEqual": _COMPARE, "Less": _COMPARE,
    "LessEqual": _COMPARE, "ApproximateEqual": _COMPARE,
    "Multinomial": _RANDOM, "StatelessMultinomial": _RANDOM,
    "RandomShuffle": "Shuffle the indices, then tf.gather the values with them: that has a gradient.",
    "StopGradient": "Take tf.stop_gradient away, or leave the variable out of the sources.",
    "PyFunc": _PYTHON, "PyFuncStateless": _PYTHON,
    "Cast": "Stay with floats on the way to the target; cast to an integer only beside it.",
    "Shape": "Only the shape of the value is used: it has no gradient.",
    "Size": "Only the size of the value is used: it has no gradient.",
    "ZerosLike": "Only the shape of the value is used: it has no gradient.",
    "OnesLike": "Only the shape of the value is used: it has no gradient.",
}  # fmt: skip


def hint_for(op_type: str) -> str:
    """What to change where the way ends at an op of this type."""
    if assigns(op_type):
        return "Compute the target from the value itself, and assign it to the variable beside that."
    return _BY_TYPE.get(
        op_type, "Keep this op off the way to the target, or leave the variable out of the sources."
    )


def hint_for_leaving(text: str) -> str:
    """What to change where a value leaves TensorFlow."""
    if text.endswith((".numpy()", ".item()", ".tolist()")):
        return f"Use the tensor itself: leave out {text[text.rfind('.') :]}."
    if any(f".{method}(" in text for method in ("predict", "predict_on_batch")):
        return "Call the model itself, model(inputs, training=True): what predict gives are NumPy arrays."
    if text.startswith(("float(", "int(", "bool(")):
        return f"Use the tensor itself in place of {text.split('(')[0]}(…)."
    if "constant(" in text:
        return "Use the variable itself in place of a constant made of it."
    return "Use the TensorFlow function of the same name (tf, tf.math, tf.experimental.numpy) on the tensor itself."
