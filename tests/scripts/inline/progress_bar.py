"""A progress bar around the batches that is told the loss, in the manner of tqdm."""
# EXPECT fails_to_trace on batch 2

import tensorflow as tf


class tqdm:
    """Goes through something and shows how far it is."""

    def __init__(self, iterable):
        self.iterable, self.n, self.postfix = iterable, 0, ""

    def __iter__(self):
        for item in self.iterable:
            yield item
            self.n += 1

    def set_postfix(self, **shown):
        """Show something behind the bar."""
        self.postfix = ", ".join(f"{name}={value:.6f}" for name, value in shown.items())


weight = tf.Variable([[0.5], [-0.25]])
bar = tqdm(tf.data.Dataset.from_tensor_slices(tf.ones((9, 2))).batch(3))
for x in bar:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ weight))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    bar.set_postfix(loss=loss.numpy())  # RULE eager-only-numpy
print(bar.n, bar.postfix)
