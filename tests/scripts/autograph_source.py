"""AutoGraph asked by the script itself: `tf.autograph.to_code` of a step, and the converted step run."""

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = weight * x
        if x > 1.0:
            loss *= 2.0
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


print(tf.autograph.to_code(train_step))
converted = tf.autograph.to_graph(train_step)
print(float(converted(tf.constant(2.0))).hex(), float(train_step(tf.constant(0.5))).hex())
