"""A gradient that is sparse.

diff: same, op by op
"""

import tensorflow as tf

table = tf.Variable(tf.random.stateless_normal([10, 4], [5, 6]), name="table")


@tf.function
def train_step(words):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.nn.embedding_lookup(table, words) ** 2)
    gradient = tape.gradient(loss, table)
    table.scatter_sub(tf.IndexedSlices(0.1 * gradient.values, gradient.indices))
    return loss


for _ in range(3):
    print(float(train_step(tf.constant([1, 3, 3]))))
