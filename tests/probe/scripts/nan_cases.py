"""NaN and Inf that reach a loss, a gradient or a variable, and some that stay where they are meant to be.

Each case is a function whose calls are batches; the line that is to blame ends in a comment `# HERE`.
"""

import json
import math

import numpy as np
import tensorflow as tf

told = []


def batch(function, *args):
    """Run a batch; tell whether its loss, its gradients and its variables are finite."""
    loss, gradients, variables = function(*args)
    flat = [g.values if isinstance(g, tf.IndexedSlices) else g for g in gradients]
    told.append(
        [
            function.__name__,
            bool(tf.reduce_all(tf.math.is_finite(loss))),
            all(np.isfinite(g.numpy()).all() for g in flat),
            all(np.isfinite(v.numpy()).all() for v in variables),
        ]
    )


def fresh(*value):
    return tf.Variable(value, name="w")


# forward


def log_of_zero(w, x):
    with tf.GradientTape() as tape:
        scaled = tf.nn.relu(w * x)
        loss = -tf.reduce_mean(tf.math.log(scaled))  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def division(w, x):
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(x)
        loss = tf.reduce_sum(w / total)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def softmax_by_hand(w, x):
    with tf.GradientTape() as tape:
        powers = tf.exp(w * x)  # HERE
        shares = powers / tf.reduce_sum(powers)
        loss = -tf.reduce_sum(shares * x)
    return loss, tape.gradient(loss, [w]), [w]


def log_softmax_by_hand(w, x):
    with tf.GradientTape() as tape:
        shares = tf.nn.softmax(w * x)
        loss = -tf.reduce_sum(tf.constant([1.0, 0.0]) * tf.math.log(shares))  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def root_of_negative(w, x):
    with tf.GradientTape() as tape:
        variance = tf.reduce_mean(w * x) - 1.0
        loss = tf.sqrt(variance)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def arc_cosine(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.acos(w * x))  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def power_of_negative(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((w * x) ** 0.3)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def mean_of_nothing(w, x):
    with tf.GradientTape() as tape:
        kept = tf.boolean_mask(w * x, x > 5.0)
        loss = tf.reduce_mean(kept)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def overflow_of_half(w, x):
    with tf.GradientTape() as tape:
        half = tf.cast(w * x * 1e5, tf.float16)  # HERE
        loss = tf.reduce_sum(tf.cast(half, tf.float32))
    return loss, tape.gradient(loss, [w]), [w]


def overflow_of_square(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(w * x * 1e25))  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def overflow_of_power(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((w * x * 1e12) ** 4.0)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def all_masked(w, x):
    with tf.GradientTape() as tape:
        mask = tf.where(x > 0.0, 0.0, -math.inf)
        shares = tf.nn.softmax(w * x + mask)  # HERE
        loss = tf.reduce_sum(shares * w)
    return loss, tape.gradient(loss, [w]), [w]


# in the data


def bad_argument(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(w * x)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def bad_dataset(w):
    dataset = tf.data.Dataset.from_tensor_slices([[1.0, 2.0], [math.nan, 1.0]])
    for x in dataset:  # HERE
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(w * x)
        gradients = tape.gradient(loss, [w])
    return loss, gradients, [w]


def bad_constant(w):
    weights = np.array([1.0, np.inf], np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * weights)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


# backward


def root_at_zero(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sqrt(w * x))  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def norm_at_zero(w, x):
    with tf.GradientTape() as tape:
        loss = tf.norm(w - x)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def deviation_of_equals(w, x):
    with tf.GradientTape() as tape:
        loss = tf.math.reduce_std(w * x)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def power_at_zero(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((w * x) ** 0.5)  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def arc_cosine_at_one(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.acos(w * x))  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def where_guard(w, x):
    with tf.GradientTape() as tape:
        y = w * x
        loss = tf.reduce_sum(tf.where(y > 0.0, tf.math.log(y), 0.0))  # HERE
    return loss, tape.gradient(loss, [w]), [w]


def of_rows(w):
    with tf.GradientTape() as tape:
        rows = tf.gather(w, [0, 1])
        loss = tf.reduce_sum(tf.sqrt(rows))  # HERE
    return loss, tape.gradient(loss, [w]), [w]


@tf.custom_gradient
def halved(a):
    return a / 2.0, lambda upstream: tf.constant(np.array([np.nan, 1.0], np.float32))


def own_gradient(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(halved(w * x))  # HERE
    return loss, tape.gradient(loss, [w]), [w]


# by the update


def by_the_update(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sqrt(w * x))  # HERE
    gradients = tape.gradient(loss, [w])
    w.assign_sub(0.1 * gradients[0])
    return loss, gradients, [w]


def rate_overflows(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * x)
    gradients = tape.gradient(loss, [w])
    w.assign_sub(gradients[0] * tf.constant(1e30) * tf.constant(1e30))  # HERE
    return loss, gradients, [w]


# near misses: nothing bad reaches a loss, a gradient or a variable


def masked_attention(w, x):
    with tf.GradientTape() as tape:
        mask = tf.where(x > 0.0, 0.0, -math.inf)
        shares = tf.nn.softmax(w * x + mask)
        loss = tf.reduce_sum(shares * w)
    return loss, tape.gradient(loss, [w]), [w]


def maximum_so_far(w, x):
    with tf.GradientTape() as tape:
        best = tf.maximum(tf.fill([2], -math.inf), w * x)
        loss = tf.reduce_max(tf.concat([best, [-math.inf]], 0))
    return loss, tape.gradient(loss, [w]), [w]


def metric_beside(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * x)
    precision = tf.reduce_sum(x * 0.0) / tf.reduce_sum(x * 0.0)
    print("precision", float(precision))
    return loss, tape.gradient(loss, [w]), [w]


def safe_division(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.math.divide_no_nan(w, x * 0.0) + tf.reduce_logsumexp(w * x))
    return loss, tape.gradient(loss, [w]), [w]


def scaled_and_skipped(w, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.cast(tf.cast(w * x, tf.float16), tf.float32))
        scaled = loss * 1e6
    gradients = tape.gradient(scaled, [w])
    if tf.reduce_all(tf.math.is_finite(gradients[0])):
        w.assign_sub(gradients[0] / 1e6)
    return loss, [tf.zeros_like(w)], [w]


good = tf.constant([1.0, 2.0])
RUNS = [
    (log_of_zero, fresh(1.0, 1.0), good, good, tf.constant([1.0, -2.0])),
    (division, fresh(1.0, 2.0), good, tf.constant([1.0, -1.0])),
    (softmax_by_hand, fresh(1.0, 2.0), good, tf.constant([1.0, 100.0])),
    (log_softmax_by_hand, fresh(1.0, 1.0), good, tf.constant([300.0, -300.0])),
    (root_of_negative, fresh(1.0, 1.0), tf.constant([4.0, 4.0]), tf.constant([0.5, 0.5])),
    (arc_cosine, fresh(1.0, 1.0), tf.constant([0.5, 0.2]), tf.constant([0.5, 1.5])),
    (power_of_negative, fresh(1.0, 1.0), good, tf.constant([1.0, -1.0])),
    (mean_of_nothing, fresh(1.0, 1.0), tf.constant([6.0, 7.0]), good),
    (overflow_of_half, fresh(1.0, 1.0), good * 0.1, good),
    (overflow_of_square, fresh(1.0, 1.0), good * 1e-20, good),
    (overflow_of_power, fresh(1.0, 1.0), good * 1e-10, good),
    (all_masked, fresh(1.0, 1.0), tf.constant([1.0, 1.0]), tf.constant([-1.0, -1.0])),
    (bad_argument, fresh(1.0, 1.0), good, tf.constant([1.0, math.nan])),
    (bad_dataset, fresh(1.0, 1.0)),
    (bad_constant, fresh(1.0, 1.0)),
    (root_at_zero, fresh(1.0, 1.0), good, tf.constant([1.0, 0.0])),
    (norm_at_zero, fresh(1.0, 1.0), good, tf.constant([1.0, 1.0])),
    (deviation_of_equals, fresh(1.0, 1.0), good, tf.constant([1.0, 1.0])),
    (power_at_zero, fresh(1.0, 1.0), good, tf.constant([1.0, 0.0])),
    (arc_cosine_at_one, fresh(1.0, 1.0), good * 0.1, tf.constant([0.1, 1.0])),
    (where_guard, fresh(1.0, 1.0), good, tf.constant([1.0, 0.0])),
    (of_rows, tf.Variable([[1.0], [0.0], [2.0]], name="w")),
    (own_gradient, fresh(1.0, 1.0), good),
    (by_the_update, fresh(1.0, 1.0), tf.constant([1.0, 0.0]), good),
    (rate_overflows, fresh(1.0, 1.0), good, good),
    (masked_attention, fresh(1.0, 1.0), tf.constant([1.0, -1.0])),
    (maximum_so_far, fresh(1.0, 1.0), good),
    (metric_beside, fresh(1.0, 1.0), good),
    (safe_division, fresh(1.0, 1.0), good),
    (scaled_and_skipped, fresh(1.0, 1.0), good),
]
for function, w, *inputs in RUNS:
    for x in inputs or [None]:
        batch(function, w, *([] if x is None else [x]))
print("TRUTH " + json.dumps(told))
