"""Mixed precision as in TensorFlow's guide: the mixed_float16 policy, a loss-scaled optimizer and a loop of its own."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, mixed_precision

mixed_precision.set_global_policy("mixed_float16")
rng = np.random.default_rng(44)
x_train = rng.random((512, 64)).astype("float32")
y_train = (x_train[:, :8].sum(1) > 4).astype("int64") + 2 * (x_train[:, 8:16].sum(1) > 4)

inputs = tf.keras.Input((64,), name="digits")
x = layers.Dense(128, activation="relu", name="dense_1")(inputs)
x = layers.Dense(128, activation="relu", name="dense_2")(x)
x = layers.Dense(4, name="dense_logits")(x)
outputs = layers.Activation("softmax", dtype="float32", name="predictions")(x)
model = tf.keras.Model(inputs, outputs)
mixed_precision.set_global_policy("float32")

optimizer = mixed_precision.LossScaleOptimizer(tf.keras.optimizers.RMSprop())
loss_object = tf.keras.losses.SparseCategoricalCrossentropy()
train_dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(512, seed=1).batch(32)
test_loss = tf.keras.metrics.Mean()


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        predictions = model(x, training=True)
        loss = loss_object(y, predictions)
        scaled_loss = optimizer.scale_loss(loss)
    gradients = tape.gradient(scaled_loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


@tf.function
def test_step(x):
    return model(x, training=False)


for _epoch in range(2):
    for x, y in train_dataset:
        loss = train_step(x, y)
    for x, y in train_dataset.take(2):
        test_loss.update_state(loss_object(y, test_step(x)))
