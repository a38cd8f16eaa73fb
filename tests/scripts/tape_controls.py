"""What a tape can be told: persistent, watch, stop_recording, reset, watch_accessed_variables=False."""

import tensorflow as tf

a = tf.Variable(2.0, name="a")
b = tf.Variable(3.0, name="b")


def train_step(x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = a * x
        with tape.stop_recording():
            unseen = b * x
        z = y * y + unseen
    print([tape.gradient(z, source) is None for source in (a, b, x)])
    print(float(tape.gradient(y, a)).hex(), float(tape.gradient(z, x)).hex())
    print([variable.name for variable in tape.watched_variables()])
    del tape

    with tf.GradientTape() as tape:
        loss = a * b
        tape.reset()
        loss += a * a
    print([None if g is None else float(g).hex() for g in tape.gradient(loss, [a, b])])

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(b)
        loss = a * b
    gradients = tape.gradient(loss, [a, b], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    print([float(g).hex() for g in gradients])
    a.assign_sub(0.1)


for value in (1.0, 4.0):
    train_step(tf.constant(value))


def ask_twice():
    with tf.GradientTape() as once:
        square = a * a
    once.gradient(square, a)
    once.gradient(square, a)


try:
    ask_twice()
except RuntimeError as error:
    print(error)
