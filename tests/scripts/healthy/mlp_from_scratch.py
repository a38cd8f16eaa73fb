"""A classifier of tf.Module layers with Xavier weights and an Adam of its own, as in the guide to core APIs."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
centres = rng.normal(size=(10, 64)).astype("float32")
labels = rng.integers(0, 10, 1000)
images = np.clip(centres[labels] * 0.2 + 0.5 + 0.1 * rng.normal(size=(1000, 64)), 0, 1).astype("float32")
data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(1000, seed=1).batch(64)


class Dense(tf.Module):
    def __init__(self, inputs, outputs, activation=tf.identity):
        limit = tf.sqrt(6.0 / (inputs + outputs))
        self.w = tf.Variable(tf.random.uniform((inputs, outputs), -limit, limit))
        self.b = tf.Variable(tf.zeros((outputs,)))
        self.activation = activation

    def __call__(self, x):
        return self.activation(x @ self.w + self.b)


class Adam:
    def __init__(self, rate=1e-3):
        self.rate, self.t, self.m, self.v = rate, 1, {}, {}

    def apply(self, gradients, variables):
        for i, (g, v) in enumerate(zip(gradients, variables, strict=True)):
            self.m[i] = 0.9 * self.m.get(i, 0.0) + 0.1 * g
            self.v[i] = 0.999 * self.v.get(i, 0.0) + 0.001 * tf.square(g)
            m, s = self.m[i] / (1 - 0.9**self.t), self.v[i] / (1 - 0.999**self.t)
            v.assign_sub(self.rate * m / (tf.sqrt(s) + 1e-7))
        self.t += 1


layers = [Dense(64, 100, tf.nn.relu), Dense(100, 50, tf.nn.relu), Dense(50, 10)]
optimizer = Adam()
for x, y in data.repeat(2):
    with tf.GradientTape() as tape:
        h = x
        for layer in layers:
            h = layer(h)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=h))
    variables = [v for layer in layers for v in layer.variables]
    optimizer.apply(tape.gradient(loss, variables), variables)
print(float(loss))
