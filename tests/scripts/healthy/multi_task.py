"""One body, three tasks, weighted by learnt uncertainties (Kendall et al.), evaluated between the epochs."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(47)
features = rng.normal(size=(384, 10)).astype("float32")
price = (features @ rng.normal(size=10) + 0.1 * rng.normal(size=384)).astype("float32")[:, None]
kind = np.argmax(features[:, :3] + 0.3 * rng.normal(size=(384, 3)), 1)
sold = (features[:, 4] > 0).astype("float32")[:, None]
split = 320
train = tf.data.Dataset.from_tensor_slices(
    (features[:split], price[:split], kind[:split], sold[:split])
).batch(32)


class MultiTask(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.body = tf.keras.Sequential(
            [
                tf.keras.layers.Dense(32, "relu"),
                tf.keras.layers.Dropout(0.2),
                tf.keras.layers.Dense(32, "relu"),
            ]
        )
        self.price, self.kind, self.sold = (
            tf.keras.layers.Dense(1),
            tf.keras.layers.Dense(3),
            tf.keras.layers.Dense(1, "sigmoid"),
        )
        self.log_variances = self.add_weight(shape=(3,), initializer="zeros", name="log_variances")

    def call(self, inputs, training=None):
        hidden = self.body(inputs, training=training)
        return self.price(hidden), self.kind(hidden), self.sold(hidden)


model = MultiTask()
optimizer = tf.keras.optimizers.AdamW(3e-3, weight_decay=1e-4)
mse, cce, bce = (
    tf.keras.losses.MeanSquaredError(),
    tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    tf.keras.losses.BinaryCrossentropy(),
)
accuracy = tf.keras.metrics.SparseCategoricalAccuracy()


@tf.function
def train_step(x, price, kind, sold):
    with tf.GradientTape() as tape:
        a, b, c = model(x, training=True)
        losses = tf.stack([mse(price, a), cce(kind, b), bce(sold, c)])
        loss = tf.reduce_sum(tf.exp(-model.log_variances) * losses + model.log_variances)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    accuracy.update_state(kind, b)
    return losses


for _epoch in range(2):
    accuracy.reset_state()
    for batch in train:
        losses = train_step(*batch)
    model(features[split:], training=False)
