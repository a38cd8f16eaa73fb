"""Texts and ragged tensors as input.

diff: same, op by op
"""

import tensorflow as tf

table = tf.Variable(tf.random.stateless_normal([8, 2], [5, 6]), name="table")


@tf.function
def train_step(lines):
    words = tf.strings.split(lines)
    numbers = tf.strings.to_hash_bucket_fast(words.flat_values, 8)
    with tf.GradientTape() as tape:
        rows = tf.RaggedTensor.from_row_lengths(tf.gather(table, numbers), words.row_lengths())
        loss = tf.reduce_mean(tf.square(tf.reduce_mean(rows, axis=1)))
    gradient = tf.convert_to_tensor(tape.gradient(loss, table))
    table.assign_sub(0.1 * gradient)
    return loss


for _ in range(3):
    print(float(train_step(tf.constant(["to be or", "not to be"]))))
