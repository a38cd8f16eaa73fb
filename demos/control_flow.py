"""A traced step with branches and loops: look at it in the tabs AutoGraph (4) and Diff (5).

The `if` and the `while` on tensors become part of the graph, the `for` over a Python list is unrolled, and what appends
and prints runs once for each trace, not once for each batch.
"""

import argparse

import digits
import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--batches", type=int, default=-1, help="batches in an epoch (default: all)")
options = parser.parse_args()

tf.keras.utils.set_random_seed(1)

images, labels = digits.load()
dataset = tf.data.Dataset.from_tensor_slices((images, labels))
dataset = dataset.shuffle(1000, seed=1).batch(32, drop_remainder=True).take(options.batches)

weights = [
    tf.Variable(tf.random.normal([size, 64], stddev=0.05), name=f"hidden_{size}") for size in (784, 64)
]
head = tf.Variable(tf.zeros([64, 10]), name="head")
variables = [*weights, head]
batches_seen = []


@tf.function
def train_step(images, labels, rate):
    with tf.GradientTape() as tape:
        hidden = tf.reshape(images, [-1, 784])
        for weight in weights:
            hidden = tf.nn.relu(hidden @ weight)
        logits = hidden @ head
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))

    gradients = tape.gradient(loss, variables)
    if tf.linalg.global_norm(gradients) > 1.0:
        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
    step = rate
    while step * tf.linalg.global_norm(gradients) > 0.5:
        step /= 2.0
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(step * gradient)

    batches_seen.append(len(batches_seen) + 1)
    print("train_step runs in Python: this is a trace")
    return loss


for epoch in range(options.epochs):
    losses = [float(train_step(images, labels, tf.constant(0.5))) for images, labels in dataset]
    print(f"Epoch {epoch + 1}: {len(losses)} batches, loss {losses[0]:.4f} to {losses[-1]:.4f}")
print(f"batches_seen holds {len(batches_seen)} entry: it was appended to while tracing only.")
