"""A way out between the tape and the update: no function can do that."""
# EXPECT refused on batch 2: `break` on line 12 leaves the loop in the midst of it

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]])
for x in tf.data.Dataset.from_tensor_slices(tf.ones((9, 2))).batch(3):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ weight))
        # a loss that is too large
        if loss > 100.0:
            break
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
print(weight.numpy().tolist())
