"""The step reads a variable of the function around it, which that function changes.

diff: different
frozen-value: x / temperature
"""

import tensorflow as tf


def main():
    w = tf.Variable(2.0, name="w")
    temperature = 1.0

    @tf.function
    def train_step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((w * x / temperature - 1.0) ** 2)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss

    for epoch in range(3):
        temperature = 1.0 / (epoch + 1)
        print(float(train_step(tf.constant([1.0, 2.0]))))


main()
