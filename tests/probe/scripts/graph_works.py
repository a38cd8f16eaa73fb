"""Steps that run as graphs: a method, a function with keywords, and Keras' `fit`; run it with --mode graph."""

import gc

import tensorflow as tf

tf.keras.utils.set_random_seed(3)


class Trainer:
    """Its step is a tf.function."""

    def __init__(self):
        self.w = tf.Variable([[0.5], [0.25]])

    @tf.function
    def step(self, x, *, scale=2.0):
        """One batch."""
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x @ self.w) ** 2) * scale
        self.w.assign_sub(0.1 * tape.gradient(loss, self.w))
        return loss


trainer = Trainer()
for rows in (2, 3):
    print(float(trainer.step(tf.ones((rows, 2)))).hex())
dropped = Trainer()
dropped.step(tf.ones((2, 2)))
del dropped
gc.collect()

model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(tf.ones((4, 2)), tf.ones((4, 1)), batch_size=2, verbose=0)
print(float(trainer.step(tf.ones((2, 2)), scale=1.0)).hex())
