"""A graph convolution network for nodes, full-batch: one constant graph in every step, a mask for training nodes."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(49)
NODES = 60
community = rng.integers(0, 3, NODES)
same = community[:, None] == community[None]
adjacency = np.triu(rng.random((NODES, NODES)) < np.where(same, 0.25, 0.03), 1)
adjacency = (adjacency + adjacency.T + np.eye(NODES)).astype("float32")
degree = adjacency.sum(1)
normalized = tf.constant(adjacency / np.sqrt(degree[:, None] * degree[None]))
features = tf.constant((np.eye(3)[community] + rng.normal(size=(NODES, 3))).astype("float32"))
train_mask = tf.constant((np.arange(NODES) % 3 == 0).astype("float32"))


class GraphConvolution(tf.Module):
    def __init__(self, inputs, outputs, name):
        super().__init__(name)
        limit = np.sqrt(6 / (inputs + outputs))
        self.w = tf.Variable(tf.random.uniform((inputs, outputs), -limit, limit), name="w")
        self.b = tf.Variable(tf.zeros(outputs), name="b")

    def __call__(self, x):
        return normalized @ (x @ self.w) + self.b


first, second = GraphConvolution(3, 16, "first"), GraphConvolution(16, 3, "second")
variables = [*first.trainable_variables, *second.trainable_variables]
optimizer = tf.keras.optimizers.Adam(0.01, weight_decay=5e-4)


def train_step():
    with tf.GradientTape() as tape:
        hidden = tf.nn.dropout(tf.nn.relu(first(features)), 0.5)
        logits = second(hidden)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(community, logits)
        loss = tf.reduce_sum(losses * train_mask) / tf.reduce_sum(train_mask)
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return loss


for _epoch in range(40):
    train_step()
