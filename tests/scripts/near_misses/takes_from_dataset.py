"""The step takes its batches from iterators of tf.data: one that it is given, one of its object, one as NumPy arrays.

diff: same
"""

import tensorflow as tf

w = tf.Variable([[2.0], [1.0]], name="w")
dataset = tf.data.Dataset.range(1, 200).map(lambda i: tf.fill((3, 2), tf.cast(i, tf.float32) * 0.1))
rows = tf.data.Dataset.from_tensor_slices(tf.ragged.constant([[0.5], [0.1, 0.2], [0.3, 0.1, 0.2]])).repeat()


class Trainer:
    def __init__(self):
        self.batches = iter(dataset)
        self.more = {"rows": iter(rows.batch(2))}

    @tf.function
    def train_step(self, critic_batches):
        for _ in range(2):
            x = next(critic_batches)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((x @ w) ** 2)
            w.assign_sub(0.1 * tape.gradient(loss, w))
        with tf.GradientTape() as tape:
            x = self.batches.get_next() * 2.0
            scale = tf.reduce_sum(next(self.more["rows"]), axis=1)
            loss = tf.reduce_mean((x @ w) ** 2) * tf.reduce_mean(scale)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss


trainer = Trainer()
critic_batches = iter(dataset.skip(1))
for _ in range(4):
    print(float(trainer.train_step(critic_batches)), next(critic_batches).numpy()[0, 0])
