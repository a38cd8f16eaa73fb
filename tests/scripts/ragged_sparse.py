"""Ragged and sparse tensors, and a TensorArray, on the way to a loss."""

import tensorflow as tf

weight = tf.Variable([[1.0], [2.0], [3.0]], name="weight")


def train_step(ragged, sparse):
    with tf.GradientTape() as tape:
        rows = tf.reduce_sum(tf.ragged.map_flat_values(tf.sqrt, ragged), axis=1)
        product = tf.sparse.sparse_dense_matmul(sparse, weight)
        array = tf.TensorArray(tf.float32, 2)
        array = array.write(0, tf.reduce_sum(product)).write(1, tf.reduce_sum(rows) * weight[0, 0])
        loss = tf.reduce_sum(array.stack())
    weight.assign_sub(0.1 * tf.convert_to_tensor(tape.gradient(loss, weight)))
    return loss


for batch in range(2):
    ragged = tf.ragged.constant([[1.0, 4.0], [], [9.0 + batch]])
    sparse = tf.SparseTensor([[0, 1], [1, 2]], [1.0, 2.0 + batch], (2, 3))
    print(float(train_step(ragged, sparse)).hex(), ragged.bounding_shape().numpy().tolist())
