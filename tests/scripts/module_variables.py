"""Variables with no name of their own: attributes of a `tf.Module`, in lists and dicts, and loose ones."""

import tensorflow as tf


class Layer(tf.Module):
    def __init__(self, size, name=None):
        super().__init__(name=name)
        self.kernel = tf.Variable(tf.eye(size))
        self.extra = [tf.Variable(1.0), tf.Variable(2.0)]

    def __call__(self, x):
        return x @ self.kernel * self.extra[0] + self.extra[1]


class Network(tf.Module):
    def __init__(self):
        super().__init__()
        self.layers = {"first": Layer(2), "second": Layer(2, name="named")}
        self.scale = tf.Variable(0.5)

    def __call__(self, x):
        return self.layers["second"](self.layers["first"](x)) * self.scale


network = Network()
loose = tf.Variable(0.25)


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(x) * loose)
    variables = [*network.trainable_variables, loose]
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(0.001 * gradient)
    return loss


for batch in range(2):
    print(float(train_step(tf.constant([[1.0, 2.0]]) + batch)).hex())
print([variable.name for variable in network.trainable_variables])
