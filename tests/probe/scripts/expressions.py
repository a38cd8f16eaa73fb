"""One op or a few on a line; the comment names the expression that each one comes from."""

import threading

import tensorflow as tf
import truth

weight = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="weight")
x = tf.constant([[0.5, -0.5]])
é = tf.constant([[1.5, 2.5]])
image, kernel = tf.ones((1, 4, 4, 1)), tf.ones((2, 2, 1, 1))
log = truth.OpLog(__file__)
log.install()

# fmt: off
y = tf.exp(x) + tf.tanh(x)  # Exp: tf.exp(x) | Tanh: tf.tanh(x) | AddV2: tf.exp(x) + tf.tanh(x)
y = tf.nn.relu(tf.sin(y)) * tf.nn.relu(tf.cos(y))  # Relu: tf.nn.relu(tf.sin(y)) | Relu: tf.nn.relu(tf.cos(y))
y = x @ weight  # MatMul: x @ weight
y = -y if y is not None else y  # Neg: -y
"ünïcödé"; y = tf.sqrt(é)  # Sqrt: tf.sqrt(é)  # noqa: E702
z = y[0, 1:]  # StridedSlice: y[0, 1:]
z += tf.abs(z)  # Abs: tf.abs(z) | AddV2: z += tf.abs(z)
ok = (x < y)[0][0] and bool(tf.reduce_all(x < y))  # All: tf.reduce_all(x < y)
parts = [tf.square(p) for p in (x, y)]  # Square: tf.square(p) | Square: tf.square(p)
double = (lambda v: tf.add(v, v))(x)  # AddV2: tf.add(v, v)
t = tf.transpose(x, perm=[1, 0])  # Transpose: tf.transpose(x, perm=[1, 0])
c = tf.nn.conv2d(image, kernel, 2, "SAME")  # Conv2D: tf.nn.conv2d(image, kernel, 2, "SAME")
s = tf.reduce_sum(x, axis=1, keepdims=True)  # Sum: tf.reduce_sum(x, axis=1, keepdims=True)
several = tf.concat([
    tf.floor(x),  # Floor: tf.floor(x)
    tf.round(x),  # Round: tf.round(x)
], axis=0)
# fmt: on


def work():
    log.install()
    tf.negative(x)
    tf.sign(x)


thread = threading.Thread(target=work, name="worker-7")
thread.start()
thread.join()
truth.tell(**log.facts())
truth.say()
