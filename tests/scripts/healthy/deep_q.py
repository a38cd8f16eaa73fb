"""Deep Q-learning with a target network, as in Keras' examples."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(10)


def network():
    return tf.keras.Sequential([
        tf.keras.Input((4,)), tf.keras.layers.Dense(32, activation="relu"),
        tf.keras.layers.Dense(32, activation="relu"), tf.keras.layers.Dense(3),
    ])  # fmt: skip


model, target = network(), network()
target.set_weights(model.get_weights())
optimizer = tf.keras.optimizers.Adam(1e-3, clipnorm=1.0)
huber = tf.keras.losses.Huber()
states = rng.normal(size=(600, 4)).astype("float32")
actions = rng.integers(0, 3, 600)
rewards = (states[np.arange(600), actions] > 0).astype("float32")
following = (states + rng.normal(size=(600, 4)) * 0.1).astype("float32")
for step in range(24):
    picked = rng.integers(0, 600, 32)
    goals = rewards[picked] + 0.9 * tf.reduce_max(target(following[picked]), axis=1)
    masks = tf.one_hot(actions[picked], 3)
    with tf.GradientTape() as tape:
        values = tf.reduce_sum(model(states[picked]) * masks, axis=1)
        loss = huber(goals, values)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    if step % 8 == 7:
        target.set_weights(model.get_weights())
