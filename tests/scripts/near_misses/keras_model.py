"""Dropout, batch normalization, Adam and a metric.

diff: same, op by op, costs
"""

import tensorflow as tf

tf.keras.utils.set_random_seed(2)
model = tf.keras.Sequential(
    [
        tf.keras.layers.Dense(8, activation="relu"),
        tf.keras.layers.Dropout(0.3),
        tf.keras.layers.BatchNormalization(),
        tf.keras.layers.Dense(1),
    ]
)
optimizer, mean = tf.keras.optimizers.Adam(), tf.keras.metrics.Mean()


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    mean.update_state(loss)
    return {"loss": loss, "mean": mean.result()}


for _batch in range(2):
    print(float(train_step(tf.random.normal((8, 4)))["mean"]))
