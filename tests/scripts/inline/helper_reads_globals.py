"""A helper that takes the batch from the globals, which a function of the batch would not set."""
# EXPECT different on batch 2

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]])


def objective():
    """The loss of the batch."""
    return tf.reduce_mean(tf.square(x @ weight))


for x in tf.data.Dataset.from_tensor_slices(tf.random.normal((9, 2), seed=5)).batch(3):  # noqa: B007 (the helper uses it)
    with tf.GradientTape() as tape:
        loss = objective()  # RULE reads-global
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
print(weight.shape.as_list())
