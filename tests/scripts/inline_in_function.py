"""The tape inline in the loops of a `main()`: epochs around batches, `continue` and a `while`."""

import tensorflow as tf


def main():
    weight = tf.Variable(2.0, name="weight")
    for epoch in range(2):
        for batch in range(3):
            x = tf.constant([1.0, 2.0, 3.0]) * (batch + 1)
            if batch == 1:
                continue
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.square(weight * x - 1.0))
            weight.assign_sub(0.005 * tape.gradient(loss, weight))
            print(epoch, batch, float(loss).hex())
    left = 2
    while left:
        with tf.GradientTape() as tape:
            loss = tf.square(weight)
        weight.assign_sub(tape.gradient(loss, weight) * 0.1)
        left -= 1
    print(float(weight).hex())


main()
