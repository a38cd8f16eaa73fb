"""Training runs that a rule must find something in, and near misses that every rule must be silent on.

`python cases.py FOLDER` records each into FOLDER/NAME.tape.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

CASES: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {}
STEPS = 8


def wrong(*rules: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """A case that must trigger the first rule, and may trigger the others, which are right there, too."""

    def add(case: Callable[[], None]) -> Callable[[], None]:
        CASES[case.__name__] = (case, rules)
        return case

    return add


def right(case: Callable[[], None]) -> Callable[[], None]:
    """A near miss."""
    CASES[case.__name__] = (case, ())
    return case


def blobs(
    count: int = 32, features: int = 8, classes: int = 4, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Points around a centre for each class."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(classes, features))
    labels = rng.integers(0, classes, count)
    points = centres[labels] + 0.5 * rng.normal(size=(count, features))
    return points.astype("float32"), labels.astype("int64")


def mlp(
    *units: int, activation: str = "relu", last: str | None = None, inputs: int = 8, **options
) -> tf.keras.Model:
    """A stack of Dense layers."""
    layers = [tf.keras.layers.Dense(n, activation, **options) for n in units[:-1]]
    return tf.keras.Sequential([tf.keras.Input((inputs,)), *layers, tf.keras.layers.Dense(units[-1], last)])


def fit(model, loss_of, optimizer=None, steps: int = STEPS, data=blobs, variables=None) -> None:
    """Train a model, a fresh batch each step."""
    optimizer = optimizer or tf.keras.optimizers.Adam(1e-2)

    def train_step(inputs, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(loss_of(labels, model(inputs, training=True)))
        wanted = model.trainable_variables if variables is None else variables
        gradients = tape.gradient(loss, wanted)
        optimizer.apply_gradients(zip(gradients, wanted, strict=True))

    for step in range(steps):
        inputs, labels = data(seed=step)
        train_step(tf.constant(inputs), tf.constant(labels))


def from_logits(labels, logits):
    return tf.keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def from_probabilities(labels, probabilities):
    return tf.keras.losses.sparse_categorical_crossentropy(labels, probabilities)


def line(count: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points on a plane, with noise: targets of shape (count,)."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(count, 8)).astype("float32")
    return inputs, (inputs[:, 0] * 2 - inputs[:, 1] + 0.1 * rng.normal(size=count)).astype("float32")


# gradients


@wrong("vanishing-gradient", "small-update")
def vanishing_sigmoids():
    fit(mlp(*[16] * 9, 4, activation="sigmoid"), from_logits, tf.keras.optimizers.SGD(0.1))


@right
def deep_relus_he():
    fit(mlp(*[16] * 9, 4, kernel_initializer="he_normal"), from_logits, tf.keras.optimizers.Adam(1e-3))


@right
def three_sigmoids():
    fit(mlp(16, 16, 4, activation="sigmoid"), from_logits)


@wrong("exploding-gradient", "nan-origin")
def exploding_in_time():
    def loss(labels, y):
        return tf.reduce_mean(tf.square(y[:, 0] - labels) ** 2)

    fit(mlp(8, 1, activation="linear"), loss, tf.keras.optimizers.SGD(0.05), 20, line)


@right
def one_batch_of_outliers():
    def data(seed):
        inputs, targets = line(seed=seed)
        scale = 20 if seed == 10 else 1
        return scale * inputs, scale * targets

    fit(mlp(8, 1), lambda y, p: tf.reduce_mean(tf.square(p[:, 0] - y)), data=data, steps=16)


@wrong("zero-gradient")
def multiplied_by_zero():
    model, gate = mlp(8, 8, 4), tf.constant(0.0)
    other = tf.Variable(tf.random.normal((8, 4)))

    def train_step(inputs, labels):
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True) + gate * (inputs @ other)
            loss = tf.reduce_mean(from_logits(labels, logits))
        variables = [*model.trainable_variables, other]
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    optimizer = tf.keras.optimizers.Adam(1e-2)
    for step in range(STEPS):
        train_step(*map(tf.constant, blobs(seed=step)))


@right
def zero_initialized_last_layer():
    model = tf.keras.Sequential([tf.keras.Input((8,)), tf.keras.layers.Dense(16, "relu"),
                                 tf.keras.layers.Dense(4, kernel_initializer="zeros")])  # fmt: skip
    fit(model, from_logits)


@wrong("constant-gradient")
def loss_without_data():
    model = mlp(8, 4)
    weight = tf.Variable(tf.ones((4, 4)))
    direction = tf.random.normal((4, 4))

    def train_step(inputs, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(from_logits(labels, model(inputs))) + tf.reduce_sum(direction * weight)
        variables = [*model.trainable_variables, weight]
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    optimizer = tf.keras.optimizers.SGD(1e-2)
    for step in range(STEPS):
        train_step(*map(tf.constant, blobs(seed=step)))


@right
def the_whole_data_in_each_batch():
    fit(mlp(4), from_logits, tf.keras.optimizers.SGD(0.1), data=lambda seed: blobs())


@wrong("bias-before-normalization")
def bias_before_batch_norm():
    model = tf.keras.Sequential([tf.keras.Input((8,)), tf.keras.layers.Dense(16), tf.keras.layers.BatchNormalization(),
                                 tf.keras.layers.ReLU(), tf.keras.layers.Dense(4)])  # fmt: skip
    fit(model, from_logits)


@right
def no_bias_before_batch_norm():
    model = tf.keras.Sequential([tf.keras.Input((8,)), tf.keras.layers.Dense(16, use_bias=False),
                                 tf.keras.layers.BatchNormalization(), tf.keras.layers.ReLU(),
                                 tf.keras.layers.Dense(4)])  # fmt: skip
    fit(model, from_logits)


@right
def bias_before_layer_norm():
    model = tf.keras.Sequential([tf.keras.Input((8,)), tf.keras.layers.Dense(16), tf.keras.layers.LayerNormalization(),
                                 tf.keras.layers.ReLU(), tf.keras.layers.Dense(4)])  # fmt: skip
    fit(model, from_logits)


# updates


@wrong("never-applied")
def optimizer_forgotten():
    model = mlp(8, 4)

    def train_step(inputs, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(from_logits(labels, model(inputs)))
        return tape.gradient(loss, model.trainable_variables)

    for step in range(STEPS):
        train_step(*map(tf.constant, blobs(seed=step)))


@right
def gradients_looked_at():
    model = mlp(8, 4)
    for step in range(STEPS):
        inputs, labels = map(tf.constant, blobs(seed=step))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(from_logits(labels, model(inputs)))
        gradients = tape.gradient(loss, model.trainable_variables)
        tf.linalg.global_norm(gradients)


@wrong("never-changes")
def half_of_the_variables():
    model, optimizer = mlp(8, 8, 4), tf.keras.optimizers.Adam(1e-2)

    def train_step(inputs, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(from_logits(labels, model(inputs)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(list(zip(gradients, model.trainable_variables, strict=True))[2:])

    for step in range(STEPS):
        train_step(*map(tf.constant, blobs(seed=step)))


@right
def accumulated_gradients():
    model, optimizer = mlp(8, 4), tf.keras.optimizers.Adam(1e-2)
    sums = [tf.Variable(tf.zeros_like(v), trainable=False) for v in model.trainable_variables]
    for step in range(STEPS):
        inputs, labels = map(tf.constant, blobs(seed=step))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(from_logits(labels, model(inputs))) / 4
        for total, gradient in zip(sums, tape.gradient(loss, model.trainable_variables), strict=True):
            total.assign_add(gradient)
        if step % 4 == 3:
            optimizer.apply_gradients(zip(sums, model.trainable_variables, strict=True))
            for total in sums:
                total.assign(tf.zeros_like(total))


@right
def an_optimizer_for_each_half():
    model = mlp(8, 8, 4)
    slow, fast = tf.keras.optimizers.Adam(1e-3), tf.keras.optimizers.Adam(1e-2)

    def train_step(inputs, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(from_logits(labels, model(inputs)))
        pairs = list(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        slow.apply_gradients(pairs[:2])
        fast.apply_gradients(pairs[2:])

    for step in range(STEPS):
        train_step(*map(tf.constant, blobs(seed=step)))


@wrong("lost-update")
def learning_rate_zero():
    fit(mlp(8, 4), from_logits, tf.keras.optimizers.SGD(0.0))


@wrong("lost-update")
def half_precision_weights():
    weights = tf.Variable(tf.fill((8, 4), tf.constant(4.0, tf.float16)))
    for step in range(STEPS):
        inputs, labels = map(tf.constant, blobs(seed=step))
        with tf.GradientTape() as tape:
            logits = tf.cast(inputs, tf.float16) @ weights
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))
            )
        weights.assign_sub(tf.cast(1e-4, tf.float16) * tape.gradient(loss, weights))


@right
def warm_up_from_zero():
    schedule = tf.keras.optimizers.schedules.PolynomialDecay(0.0, 4, 1e-2)
    fit(mlp(8, 4), from_logits, tf.keras.optimizers.SGD(schedule))


@wrong("large-update", "exploding-gradient")
def learning_rate_of_fifty():
    fit(mlp(32, 4), from_logits, tf.keras.optimizers.SGD(50.0))


@right
def learning_rate_high_but_fine():
    fit(mlp(32, 4), from_logits, tf.keras.optimizers.SGD(0.5))


@wrong("small-update")
def learning_rate_of_nothing():
    fit(mlp(32, 4), from_logits, tf.keras.optimizers.SGD(1e-8))


@right
def learning_rate_for_fine_tuning():
    fit(mlp(32, 4), from_logits, tf.keras.optimizers.SGD(1e-5))


# activations


@wrong("dead-relu")
def dead_relus():
    model = mlp(32, 32, 4, bias_initializer=tf.keras.initializers.Constant(-20.0))
    fit(model, from_logits, tf.keras.optimizers.SGD(1e-3))


@right
def sparse_relus():
    fit(mlp(256, 4), from_logits)


@wrong("saturated-activation")
def saturated_tanhs():
    fit(
        mlp(16, 16, 4, activation="tanh", kernel_initializer=tf.keras.initializers.RandomNormal(stddev=40.0)),
        from_logits,
    )


@right
def tanh_output_saturates():
    model = mlp(16, 8, last="tanh")

    def loss(labels, y):
        return tf.reduce_mean(tf.square(y - tf.sign(y + 0.5)))

    fit(model, loss, steps=16)


@wrong("dead-relu")
def relu_as_output_dies():
    def data(seed):
        inputs, _ = line(seed=seed)
        return inputs, -np.abs(inputs[:, :1]) - 1

    def loss(labels, y):
        return tf.reduce_mean(tf.square(y - labels))

    fit(mlp(16, 1, last="relu"), loss, tf.keras.optimizers.SGD(0.2), 60, data)


@wrong("dead-relu")
def weights_start_at_zero():
    fit(mlp(16, 4, kernel_initializer="zeros"), from_logits, tf.keras.optimizers.SGD(0.1), 16)


@right
def hinge_is_satisfied():
    def data(seed):
        inputs, labels = blobs(classes=2, seed=seed)
        return 2 * inputs, 2.0 * labels[:, None].astype("float32") - 1

    def loss(labels, y):
        return tf.reduce_mean(tf.nn.relu(1 - labels * y))

    fit(mlp(16, 1), loss, tf.keras.optimizers.Adam(0.05), 60, data)


# losses


@wrong("loss-at-chance")
def shuffled_labels():
    def data(seed):
        points, _ = blobs(seed=seed)
        return points, np.random.default_rng(seed + 1000).integers(0, 4, len(points))

    fit(mlp(8, 4), from_logits, tf.keras.optimizers.SGD(1e-3), 60, data)


@right
def learns_slowly():
    fit(mlp(8, 4), from_logits, tf.keras.optimizers.SGD(5e-2), 60)


@wrong("loss-rising", "exploding-gradient")
def gradient_added():
    model = mlp(8, 4)
    for step in range(40):
        inputs, labels = map(tf.constant, blobs(seed=step))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(from_logits(labels, model(inputs)))
        for variable, gradient in zip(
            model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
        ):
            variable.assign_add(0.1 * gradient)


@right
def targets_grow():
    def data(seed):
        inputs, targets = line(seed=seed)
        return inputs, targets * (1 + seed / 40)

    fit(
        mlp(8, 1),
        lambda y, p: tf.reduce_mean(tf.square(p[:, 0] - y)),
        tf.keras.optimizers.SGD(1e-3),
        40,
        data,
    )


@wrong("loss-flat")
def far_too_low_a_rate():
    fit(
        mlp(8, 1),
        lambda y, p: tf.reduce_mean(tf.square(p[:, 0] - y)),
        tf.keras.optimizers.SGD(1e-6),
        120,
        lambda seed: line(64, seed % 4),
    )


@right
def low_rate():
    fit(
        mlp(8, 1),
        lambda y, p: tf.reduce_mean(tf.square(p[:, 0] - y)),
        tf.keras.optimizers.SGD(1e-3),
        120,
        lambda seed: line(64, seed % 4),
    )


@wrong("loss-oscillating", "large-update")
def beyond_the_minimum():
    weights = tf.Variable(tf.fill((8, 2), 2.2))
    for step in range(40):
        inputs = tf.constant(blobs(seed=step)[0])
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.abs(weights - 3.0)) + 0.0 * tf.reduce_sum(inputs)
        weights.assign_sub(2.0 * tape.gradient(loss, weights))


@right
def two_batches_in_turn():
    def data(seed):
        inputs, targets = line(seed=seed % 2)
        return inputs, targets * (1 + 3 * (seed % 2))

    fit(
        mlp(8, 1),
        lambda y, p: tf.reduce_mean(tf.square(p[:, 0] - y)),
        tf.keras.optimizers.SGD(1e-3),
        40,
        data,
    )


# what losses are given


@wrong("probabilities-as-logits")
def softmax_twice():
    model = mlp(16, 4, last=None)

    def loss(labels, logits):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.nn.softmax(logits))

    fit(model, loss)


@wrong("probabilities-as-logits")
def sigmoid_twice():
    def loss(labels, logits):
        targets = tf.cast(labels > 1, tf.float32)
        return tf.nn.sigmoid_cross_entropy_with_logits(targets, tf.nn.sigmoid(logits[:, 0]))

    fit(mlp(16, 1), loss)


@wrong("logits-as-probabilities")
def logits_to_default_loss():
    fit(mlp(16, 4), from_probabilities)


@wrong("logits-as-probabilities")
def logits_to_binary_loss():
    fit(
        mlp(16, 1),
        lambda labels, y: tf.keras.losses.binary_crossentropy(tf.cast(labels > 1, tf.float32)[:, None], y),
    )


@right
def softmax_and_probabilities():
    fit(mlp(16, 4, last="softmax"), from_probabilities)


@right
def sigmoid_and_probabilities():
    model = mlp(16, 1, last="sigmoid")
    fit(
        model,
        lambda labels, y: tf.keras.losses.binary_crossentropy(tf.cast(labels > 1, tf.float32)[:, None], y),
    )


@right
def clipped_log_of_a_ratio():
    def loss(labels, y):
        ratio = tf.exp(y[:, 0])
        return -tf.reduce_mean(tf.minimum(ratio, tf.clip_by_value(ratio, 0.8, 1.2)))

    fit(mlp(16, 1), loss)


@right
def attention_weights_and_logits():
    class Attend(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.query, self.head = tf.keras.layers.Dense(8), tf.keras.layers.Dense(4)

        def call(self, inputs, training=None):
            tokens = tf.reshape(inputs, (-1, 4, 2))
            weights = tf.nn.softmax(tf.matmul(self.query(tokens), self.query(tokens), transpose_b=True))
            return self.head(tf.reshape(tf.matmul(weights, tokens), (-1, 8)))

    fit(Attend(), from_logits)


@wrong("softmax-of-one")
def one_softmax_unit():
    model = mlp(16, 1, last="softmax")
    fit(
        model,
        lambda labels, y: tf.keras.losses.binary_crossentropy(tf.cast(labels > 1, tf.float32)[:, None], y),
    )


@wrong("softmax-of-one")
def softmax_of_one_beside_the_loss():
    class Answers(tf.keras.layers.Layer):
        def call(self, logits):
            return tf.nn.softmax(logits)

    answers = Answers()

    def loss(labels, y):
        answers(y)
        return tf.nn.sigmoid_cross_entropy_with_logits(tf.where(labels > 1, 1.0, 0.0)[:, None], y)

    fit(mlp(16, 1), loss)


@right
def two_softmax_units():
    def loss(labels, y):
        return tf.keras.losses.sparse_categorical_crossentropy(labels // 2, y)

    fit(mlp(16, 2, last="softmax"), loss)


@wrong("labels-out-of-range")
def one_class_too_many():
    fit(mlp(16, 3), from_logits)


@wrong("labels-out-of-range")
def minus_one_and_one():
    def loss(labels, y):
        return tf.nn.sigmoid_cross_entropy_with_logits(tf.where(labels > 1, 1.0, -1.0), y[:, 0])

    fit(mlp(16, 1), loss)


@right
def soft_labels():
    def loss(labels, y):
        smooth = 0.9 * tf.one_hot(labels, 4) + 0.025
        return tf.nn.softmax_cross_entropy_with_logits(smooth, y)

    fit(mlp(16, 4), loss)


@right
def noisy_labels():
    def loss(labels, y):
        noisy = tf.where(labels > 1, 1.0, 0.0) + 0.05 * tf.random.uniform(tf.shape(labels))
        return tf.nn.sigmoid_cross_entropy_with_logits(noisy, y[:, 0])

    fit(mlp(16, 1), loss)


@wrong("unscaled-inputs")
def raw_pixels():
    def data(seed):
        rng = np.random.default_rng(seed)
        return rng.integers(0, 256, (32, 64)).astype("float32"), rng.integers(0, 4, 32)

    fit(mlp(16, 4, inputs=64), from_logits, tf.keras.optimizers.Adam(1e-4), data=data)


@right
def raw_pixels_rescaled():
    def data(seed):
        rng = np.random.default_rng(seed)
        return rng.integers(0, 256, (32, 64)).astype("float32"), rng.integers(0, 4, 32)

    model = tf.keras.Sequential(
        [tf.keras.Input((64,)), tf.keras.layers.Rescaling(1 / 255), tf.keras.layers.Dense(4)]
    )
    fit(model, from_logits, data=data)


@right
def raw_pixels_normalized_behind():
    def data(seed):
        rng = np.random.default_rng(seed)
        return rng.integers(0, 256, (16, 8, 8, 1)).astype("float32"), rng.integers(0, 4, 16)

    model = tf.keras.Sequential([
        tf.keras.Input((8, 8, 1)), tf.keras.layers.Conv2D(4, 3, use_bias=False), tf.keras.layers.BatchNormalization(),
        tf.keras.layers.ReLU(), tf.keras.layers.GlobalAveragePooling2D(), tf.keras.layers.Dense(4),
    ])  # fmt: skip
    fit(model, from_logits, data=data)


@right
def integer_tokens():
    model = tf.keras.Sequential([tf.keras.Input((8,)), tf.keras.layers.Embedding(300, 8),
                                 tf.keras.layers.GlobalAveragePooling1D(), tf.keras.layers.Dense(4)])  # fmt: skip

    def data(seed):
        rng = np.random.default_rng(seed)
        return rng.integers(0, 256, (32, 8)), rng.integers(0, 4, 32)

    fit(model, from_logits, data=data)


# modes


def _batch_norm(conv: bool) -> tf.keras.Model:
    first = [tf.keras.layers.Dense(16, use_bias=False)]
    if conv:
        first = [tf.keras.layers.Reshape((2, 2, 2)), tf.keras.layers.Conv2D(8, 2, use_bias=False)]
    normalized = [*first, tf.keras.layers.BatchNormalization(), tf.keras.layers.ReLU()]
    last = [tf.keras.layers.Flatten(), tf.keras.layers.Dense(4)]
    return tf.keras.Sequential([tf.keras.Input((8,)), *normalized, *last])


def _without_flag(model: tf.keras.Model) -> None:
    optimizer = tf.keras.optimizers.Adam(1e-2)

    def train_step(inputs, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(from_logits(labels, model(inputs)))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )

    for step in range(STEPS):
        train_step(*map(tf.constant, blobs(seed=step)))


@wrong("training-flag")
def dense_batch_norm_without_flag():
    _without_flag(_batch_norm(conv=False))


@wrong("training-flag")
def conv_batch_norm_without_flag():
    _without_flag(_batch_norm(conv=True))


@right
def conv_batch_norm_with_flag():
    fit(_batch_norm(conv=True), from_logits)


@right
def fine_tuned_batch_norm():
    model = _batch_norm(conv=False)
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.moving_variance.assign([0.3 + 0.1 * i for i in range(16)])
    _without_flag(model)


def _dropout() -> tf.keras.Model:
    return tf.keras.Sequential([
        tf.keras.Input((8,)), tf.keras.layers.Dense(16, "relu"), tf.keras.layers.Dropout(0.8), tf.keras.layers.Dense(4),
    ])  # fmt: skip


@wrong("dropout-off")
def dropout_without_flag():
    _without_flag(_dropout())


@right
def dropout_with_flag():
    fit(_dropout(), from_logits)


@right
def dropout_off_on_purpose():
    model = _dropout()
    fit(
        lambda inputs, training: model(inputs, training=False),
        from_logits,
        variables=model.trainable_variables,
    )


# shapes


@wrong("broadcast-labels")
def column_against_row():
    fit(mlp(16, 1), lambda y, p: tf.reduce_mean(tf.square(y - p)), data=line)


@wrong("broadcast-labels")
def model_built_in_the_first_batch():
    model = tf.keras.Sequential([tf.keras.layers.Dense(16, "relu"), tf.keras.layers.Dense(1)])
    optimizer = tf.keras.optimizers.Adam(0.01)
    for step in range(STEPS):
        inputs, labels = map(tf.constant, line(seed=step))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(inputs) - labels) ** 2)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )


@wrong("broadcast-labels")
def column_against_row_mae():
    fit(mlp(16, 1), lambda y, p: tf.reduce_mean(tf.abs(p - y)), data=line)


@right
def keras_mse_squeezes():
    loss = tf.keras.losses.MeanSquaredError()
    fit(mlp(16, 1), lambda y, p: loss(y[:, None], p), data=line)


@right
def column_against_column():
    fit(mlp(16, 1), lambda y, p: tf.reduce_mean(tf.square(y[:, None] - p)), data=line)


@right
def pairwise_on_purpose():
    def loss(labels, y):
        distance = tf.reduce_sum(tf.square(y), 1)
        pairs = distance[:, None] - 2 * tf.matmul(y, y, transpose_b=True) + distance[None, :]
        same = tf.cast(labels[:, None] == labels, tf.float32)
        return tf.reduce_mean(same * pairs + (1 - same) * tf.nn.relu(1 - pairs))

    fit(mlp(16, 4), loss)


@right
def radial_basis_of_as_many_centres():
    centres, weights = tf.Variable(tf.linspace(-1.0, 1.0, 32)), tf.Variable(tf.random.normal((32, 1)))

    def model(inputs, training):
        return tf.exp(-tf.square(inputs[:, :1] - centres)) @ weights

    fit(model, lambda y, p: tf.reduce_mean(tf.square(y - p[:, 0])), data=line, variables=[centres, weights])


# what is computed from what


@wrong("missing-variable")
def last_bias_left_out():
    w1, b1 = tf.Variable(tf.random.normal((8, 16))), tf.Variable(tf.zeros(16))
    w2, b2 = tf.Variable(tf.random.normal((16, 4))), tf.Variable(tf.zeros(4))

    def model(inputs, training):
        return tf.nn.relu(inputs @ w1 + b1) @ w2 + b2

    fit(model, from_logits, variables=[w1, b1, w2])


@right
def only_the_head():
    base, head = mlp(16, 16), tf.keras.layers.Dense(4)

    def model(inputs, training):
        return head(base(inputs, training=False))

    model(tf.zeros((1, 8)), False)
    fit(model, from_logits, variables=head.trainable_variables)


@right
def target_network():
    online, target = mlp(16, 4), mlp(16, 4)

    def loss(labels, q):
        goal = tf.one_hot(labels, 4) + 0.9 * tf.reduce_max(target(blobs()[0]), 1, keepdims=True)
        return tf.reduce_mean(tf.square(q - tf.stop_gradient(goal)))

    fit(online, loss)


@right
def biases_only():
    model = mlp(16, 16, 4)
    fit(model, from_logits, variables=[v for v in model.trainable_variables if "bias" in v.path])


@wrong("loss-ignores-batch")
def only_the_penalty():
    model = mlp(16, 4)
    fit(model, lambda labels, y: tf.add_n([tf.nn.l2_loss(v) for v in model.trainable_variables]))


@right
def random_collocation_points():
    model = mlp(16, 1, inputs=1, activation="tanh")
    optimizer = tf.keras.optimizers.Adam(1e-3)

    def train_step():
        points = tf.random.uniform((32, 1))
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(points)
                y = model(points)
            slope = inner.gradient(y, points)
            loss = tf.reduce_mean(tf.square(slope + y))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )

    for _ in range(STEPS):
        train_step()


@right
def minimum_of_a_function():
    x = tf.Variable([3.0, -2.0])
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum((x - 1.0) ** 2)
        x.assign_sub(0.1 * tape.gradient(y, x))


@wrong("tape-across-batches")
def loop_inside_the_tape():
    model, optimizer = mlp(16, 4), tf.keras.optimizers.Adam(1e-2)
    with tf.GradientTape(persistent=True) as tape:  # stays open
        for step in range(STEPS):
            inputs, labels = map(tf.constant, blobs(seed=step))
            loss = tf.reduce_mean(from_logits(labels, model(inputs)))
            optimizer.apply_gradients(
                zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
            )


@right
def updates_while_the_tape_is_stopped():
    model, optimizer = mlp(16, 4), tf.keras.optimizers.Adam(1e-2)
    with tf.GradientTape(persistent=True) as tape:
        inputs, labels = map(tf.constant, blobs())
        losses = [tf.reduce_mean(from_logits(labels[i:], model(inputs[i:]))) for i in (0, 8, 16, 24)]
        for loss in losses:
            with tape.stop_recording():
                gradients = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


@right
def unrolled_inside_the_tape():
    class Unrolled(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.cell, self.head = tf.keras.layers.GRUCell(8), tf.keras.layers.Dense(4)

        def call(self, inputs, training=None):
            state = [tf.zeros((len(inputs), 8))]
            for column in range(8):
                out, state = self.cell(inputs[:, column : column + 1], state)
            return self.head(out)

    fit(Unrolled(), from_logits)


@right
def persistent_tape_for_two():
    model, optimizer = mlp(16, 4), tf.keras.optimizers.Adam(1e-2)
    for step in range(STEPS):
        inputs, labels = map(tf.constant, blobs(seed=step))
        with tf.GradientTape(persistent=True) as tape:
            logits = model(inputs)
            loss, size = tf.reduce_mean(from_logits(labels, logits)), tf.reduce_mean(tf.square(logits))
        gradients = tape.gradient(loss, model.trainable_variables)
        tape.gradient(size, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


def main(folder: Path, names: list[str]) -> None:
    """Record the cases, or those named."""
    from tapeinspect import record

    for name, (case, _) in CASES.items():
        if names and name not in names:
            continue
        tf.keras.utils.set_random_seed(1)
        try:
            with record(folder / f"{name}.tape"):
                case()
        except tf.errors.OpError:
            pass  # what labels out of range give on a CPU; the recording has it
        except Exception:
            traceback.print_exc()
            print(f"FAILED {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
