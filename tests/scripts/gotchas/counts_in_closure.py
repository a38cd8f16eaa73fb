"""A variable of the function around the step is raised by the step.

diff: different
python-side-effect: seen += 1
"""

import tensorflow as tf


def main():
    w = tf.Variable(2.0, name="w")
    seen = 0

    @tf.function
    def train_step(x):
        nonlocal seen
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((w * x - 1.0) ** 2)
        seen += 1
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss

    for _ in range(3):
        train_step(tf.constant([1.0, 2.0]))
    print(seen, float(w))


if __name__ == "__main__":
    main()
