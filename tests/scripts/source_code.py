"""`inspect` on the step and on TensorFlow's own functions: source, signature, module, name."""

import inspect

import tensorflow as tf

weight = tf.Variable(1.0, name="weight")


def train_step(x, *, scale=2.0):
    """One step."""
    with tf.GradientTape() as tape:
        loss = weight * x * scale
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


print(float(train_step(tf.constant(3.0))).hex())
print(inspect.getsource(train_step))
for function in (
    train_step,
    tf.GradientTape.gradient,
    tf.GradientTape.__enter__,
    tf.Variable.assign_sub,
    tf.matmul,
):
    print(function.__module__, function.__qualname__, inspect.signature(function))
for function in (tf.GradientTape, tf.GradientTape.gradient, tf.GradientTape.jacobian, tf.GradientTape.watch):
    source = inspect.getsource(function)
    print(len(source), source.splitlines()[0])
print(tf.GradientTape.__mro__, tf.GradientTape.gradient is tf.GradientTape.__dict__["gradient"])
