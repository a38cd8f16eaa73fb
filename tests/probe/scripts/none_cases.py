"""Gradients that are None, each for a reason of its own, and near misses that only look like one.

Each case is a step. The line that is to blame ends in a comment `# HERE`; the line of the call has none.
"""

import json

import numpy as np
import tensorflow as tf

W = [[0.5, -1.0], [2.0, 0.25]]
x = tf.constant([[1.0, 2.0], [3.0, -1.0]])
told = []


def case(function):
    """Run a case as a step of its own; tell which of its gradients are None."""
    gradients = function()
    told.append([function.__name__, [gradient is None for gradient in tf.nest.flatten(gradients)]])


def fresh(name="w", **options):
    return tf.Variable(W, name=name, **options)


# never read, or read elsewhere


def never_read():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x * b)
    return tape.gradient(loss, [w, b])


def read_before():
    w, b = fresh(), fresh("b")
    scaled = 2.0 * w  # HERE
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(scaled * b)
    return tape.gradient(loss, [w, b])


def read_after():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x * b)
    loss_and_penalty = loss + tf.reduce_sum(w * w)  # HERE
    return tape.gradient(loss, [w, b]), loss_and_penalty


def read_before_only():
    w, b = fresh(), fresh("b")
    value = w.value()  # HERE
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(value * b)
    return tape.gradient(loss, [w, b])


def off_the_way():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        penalty = tf.reduce_sum(w * w)  # HERE
        loss = tf.reduce_sum(x * b)
    return tape.gradient(loss, [w, b]), penalty


def while_stopped():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        with tape.stop_recording():
            scaled = 2.0 * w  # HERE
        loss = tf.reduce_sum(scaled * b)
    return tape.gradient(loss, [w, b])


# an op with no gradient


def argmax():
    w = fresh()
    with tf.GradientTape() as tape:
        scores = x @ w
        loss = tf.reduce_sum(
            tf.cast(tf.argmax(scores, axis=1), tf.float32)  # HERE
        )
    return tape.gradient(loss, [w])


def rounding():
    w = fresh()
    with tf.GradientTape() as tape:
        rounded = tf.round(x @ w)  # HERE
        loss = tf.reduce_sum(rounded * rounded)
    return tape.gradient(loss, [w])


def to_integer():
    w = fresh()
    with tf.GradientTape() as tape:
        whole = tf.cast(x @ w, tf.int32)  # HERE
        loss = tf.reduce_sum(tf.cast(whole, tf.float32))
    return tape.gradient(loss, [w])


def equality():
    w = fresh()
    with tf.GradientTape() as tape:
        hits = tf.equal(x @ w, 1.0)  # HERE
        loss = tf.reduce_mean(tf.cast(hits, tf.float32))
    return tape.gradient(loss, [w])


def comparison():
    w = fresh()
    with tf.GradientTape() as tape:
        positive = (x @ w) > 0.0  # HERE
        loss = tf.reduce_mean(tf.where(positive, x, -x))
    return tape.gradient(loss, [w])


def stopped():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        target = tf.stop_gradient(x @ w)  # HERE
        loss = tf.reduce_sum((target - x @ b) ** 2)
    return tape.gradient(loss, [w, b])


def stopped_variable():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        frozen = tf.stop_gradient(w)  # HERE
        loss = tf.reduce_sum((x @ frozen - x @ b) ** 2)
    return tape.gradient(loss, [w, b])


def variable_while_stopped():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        with tape.stop_recording():
            scale = tf.square(w)  # HERE
        loss = tf.reduce_sum(scale * b)
    return tape.gradient(loss, [w, b])


def before_reset():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        squared = w * w  # HERE
        tape.reset()
        loss = tf.reduce_sum(squared * b)
    return tape.gradient(loss, [w, b])


def second_of_linear():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(w * b)
        first = tape.gradient(loss, w)
    return outer.gradient(first, [w, b])


def one_hot():
    w = fresh()
    with tf.GradientTape() as tape:
        picked = tf.cast(tf.nn.top_k(x @ w).indices, tf.float32)  # HERE
        loss = tf.reduce_sum(picked)
    return tape.gradient(loss, [w])


def assigned():
    w, b, state = fresh(), fresh("b"), fresh("state")
    with tf.GradientTape() as tape:
        state.assign(x @ w)  # HERE
        loss = tf.reduce_sum(state * b)
    return tape.gradient(loss, [w, b])


# through NumPy or Python


def variable_numpy():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(b * w.numpy())  # HERE
    return tape.gradient(loss, [w, b])


def tensor_numpy():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        scores = x @ w
        weights = scores.numpy()  # HERE
        loss = tf.reduce_sum(weights * b)
    return tape.gradient(loss, [w, b])


def keras_predict():
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1, name="head")])
    with tf.GradientTape() as tape:
        scores = model.predict(x, verbose=0)  # HERE
        loss = tf.reduce_mean(tf.square(x[:, :1] - scores))
    return tape.gradient(loss, [model.layers[0].kernel])


def predict_of_its_own():
    class Model:
        def __init__(self):
            self.w = fresh()

        def predict(self, inputs):
            return tf.argmax(inputs @ self.w, axis=1)  # HERE

    model, b = Model(), fresh("b")
    with tf.GradientTape() as tape:
        best = model.predict(x)
        loss = tf.reduce_sum(tf.cast(best, tf.float32) * b)
    return tape.gradient(loss, [model.w, b])


def numpy_mean():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        scores = x @ w
        scale = np.mean(scores)  # HERE
        loss = tf.reduce_sum(scale * b)
    return tape.gradient(loss, [w, b])


def python_float():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        scale = float(tf.reduce_mean(w))  # HERE
        loss = tf.reduce_sum(scale * b)
    return tape.gradient(loss, [w, b])


def python_float_of_name():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        scale = tf.reduce_mean(w)
        loss = tf.reduce_sum(float(scale) * b)  # HERE
    return tape.gradient(loss, [w, b])


def variable_constant():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        copy = tf.constant(w)  # HERE
        loss = tf.reduce_sum(copy * b)
    return tape.gradient(loss, [w, b])


def helper(scores):
    return np.clip(scores, 0, 1)  # HERE


def in_a_helper():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(helper(x @ w) * b)
    return tape.gradient(loss, [w, b])


def numpy_function():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        doubled = tf.numpy_function(lambda a: 2 * a, [x @ w], tf.float32)  # HERE
        loss = tf.reduce_sum(doubled * b)
    return tape.gradient(loss, [w, b])


def looked_at_only():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        scores = x @ w  # HERE
        print("scores", float(tf.reduce_sum(scores)) > -100)
        loss = tf.reduce_sum(x * b)
    return tape.gradient(loss, [w, b])


history = []


def logged_beside():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        scores = x @ w  # HERE
        history.append(scores.numpy())
        loss = tf.reduce_sum(b * np.float32(2.0) * np.mean(history[0] > 100.0))
    return tape.gradient(loss, [w, b])


class Model:
    def __init__(self):
        self.w, self.b = fresh(), fresh("b")

    def loss(self, inputs):
        scores = inputs @ self.w
        self.scale = scores.numpy().max()  # HERE
        return tf.reduce_sum(self.b * self.scale)


def in_a_method():
    model = Model()
    with tf.GradientTape() as tape:
        loss = model.loss(x)
    return tape.gradient(loss, [model.w, model.b])


# what the variable is


def replaced_by_a_tensor():
    w = fresh()
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((x @ w) ** 2)
        gradient = tape.gradient(loss, w)
        if gradient is None:
            break
        w = w - 0.1 * gradient  # HERE
    return gradient


class Rebuilt:
    def __init__(self):
        self.dense = tf.keras.layers.Dense(2, use_bias=False)
        self.dense.build((None, 2))
        self.variables = self.dense.trainable_variables

    def __call__(self, inputs):
        self.dense = tf.keras.layers.Dense(2, use_bias=False)
        return self.dense(inputs)  # HERE


def rebuilt():
    model = Rebuilt()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x))
    return tape.gradient(loss, model.variables)


def not_trainable():
    w, b = fresh(trainable=False), fresh("b")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x @ w @ b)  # HERE
    return tape.gradient(loss, [w, b])


def watches_by_hand():
    w, b = fresh(), fresh("b")
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(b)
        loss = tf.reduce_sum(x @ w @ b)  # HERE
    return tape.gradient(loss, [w, b])


def integer_variable():
    w = tf.Variable([[1, 2], [3, 4]], name="whole")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.cast(w, tf.float32) * x)  # HERE
    return tape.gradient(loss, [w])


# what the target is


def target_before():
    w = fresh()
    loss = tf.reduce_sum((x @ w) ** 2)  # HERE
    with tf.GradientTape() as tape:
        other = tf.reduce_sum(w)
    return tape.gradient(loss, [w]), other


def target_after():
    w = fresh()
    with tf.GradientTape() as tape:
        scores = x @ w
    loss = tf.reduce_sum(scores**2)  # HERE
    return tape.gradient(loss, [w])


def target_from_numpy():
    w = fresh()
    with tf.GradientTape() as tape:
        scores = x @ w
        loss = tf.constant(np.mean(scores.numpy() ** 2))  # HERE
    return tape.gradient(loss, [w])


def integer_target():
    w = fresh()
    with tf.GradientTape() as tape:
        loss = tf.argmax(tf.reshape(x @ w, [-1]))  # HERE
    return tape.gradient(loss, [w])


# what the source is


def not_watched():
    image = tf.constant(W)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(image**2)  # HERE
    return tape.gradient(loss, image)


def watched_too_late():
    image = tf.constant(W)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(image**2)  # HERE
        tape.watch(image)
    return tape.gradient(loss, image)


def a_copy():
    w = fresh()
    copy = tf.identity(w)  # HERE
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x @ w)
    return tape.gradient(loss, copy)


def a_converted_copy():
    w = fresh()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x @ w)
        copy = tf.convert_to_tensor(w)  # HERE
    return tape.gradient(loss, copy)


def a_later_tensor():
    w = fresh()
    with tf.GradientTape() as tape:
        hidden = x @ w
        loss = tf.reduce_sum(hidden)
        shown = tf.nn.relu(hidden)  # HERE
    return tape.gradient(loss, shown)


# near misses: none of these is None


def zeros_instead():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x * b)
    return tape.gradient(loss, [w, b], unconnected_gradients=tf.UnconnectedGradients.ZERO)


def constant_of_a_tensor():
    w = fresh()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.constant(x @ w))
    return tape.gradient(loss, [w])


def straight_through():
    w = fresh()
    with tf.GradientTape() as tape:
        y = x @ w
        loss = tf.reduce_sum(y + tf.stop_gradient(tf.round(y) - y))
    return tape.gradient(loss, [w])


def logged_on_the_way():
    w = fresh()
    with tf.GradientTape() as tape:
        y = x @ w
        print("mean", np.mean(y) < 100, tf.argmax(y, axis=1).shape)
        loss = tf.reduce_sum(y)
    return tape.gradient(loss, [w])


def handed_over():
    w = fresh()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.raw_ops.Square(x=w))
    return tape.gradient(loss, [w])


def used_after_the_call():
    w, b = fresh(), fresh("b")
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_sum(x * b)
        other = tf.reduce_sum(x * w)
    gradients = tape.gradient(loss, [w, b])
    return gradients, tape.gradient(other, [w])


def custom_none():
    @tf.custom_gradient
    def nothing(a):
        return 2.0 * a, lambda upstream: None

    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        hidden = nothing(x @ w)  # HERE
        loss = tf.reduce_sum(hidden * b)
    return tape.gradient(loss, [w, b])


def handed_to_argmax():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        pick = tf.cast(tf.argmax(w), tf.float32)  # HERE
        loss = tf.reduce_sum(pick * b)
    return tape.gradient(loss, [w, b])


def a_list_of_parts():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        rows = [float(value) for value in w[0]]  # HERE
        loss = tf.reduce_sum(tf.stack(rows) * b)
    return tape.gradient(loss, [w, b])


def one_element():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        scores = x @ w
        first = scores.numpy()[0, 0].item()  # HERE
        loss = tf.reduce_sum(b * first)
    return tape.gradient(loss, [w, b])


def both_ways_blocked():
    w, b = fresh(), fresh("b")
    with tf.GradientTape() as tape:
        hidden = tf.sign(tf.stop_gradient(w)) + tf.round(w)  # HERE
        loss = tf.reduce_sum(hidden * b)
    return tape.gradient(loss, [w, b])


def second_use():
    w = fresh()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(x @ w)
    tape.gradient(loss, w)
    return tape.gradient(loss, w)  # HERE


CASES = [
    value
    for name, value in list(globals().items())
    if callable(value)
    and getattr(value, "__module__", "") == __name__
    and name not in ("case", "fresh", "helper", "Rebuilt", "Model", "second_use")
]
for each in CASES:
    case(each)
print("TRUTH " + json.dumps(told))
second_use()
