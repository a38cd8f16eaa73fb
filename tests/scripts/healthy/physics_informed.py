"""A physics-informed network: derivatives with respect to the inputs in the loss, points drawn in each step."""

import tensorflow as tf

model = tf.keras.Sequential([
    tf.keras.Input((1,)), tf.keras.layers.Dense(20, "tanh"), tf.keras.layers.Dense(20, "tanh"),
    tf.keras.layers.Dense(1),
])  # fmt: skip
optimizer = tf.keras.optimizers.Adam(3e-3)


def train_step():
    t = tf.random.uniform((64, 1), 0.0, 2.0)
    with tf.GradientTape() as tape:
        with tf.GradientTape() as second:
            second.watch(t)
            with tf.GradientTape() as first:
                first.watch(t)
                u = model(t)
            du = first.gradient(u, t)
        ddu = second.gradient(du, t)
        start = model(tf.zeros((1, 1)))
        loss = tf.reduce_mean(tf.square(ddu + u)) + tf.reduce_mean(tf.square(start - 1.0))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


for _ in range(15):
    train_step()
