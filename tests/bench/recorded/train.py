"""Train the transformer of model.py with a loop written by hand."""

import argparse
import time

import tensorflow as tf
from model import Classifier


class Adam:
    """Adam with warm-up and gradient clipping."""

    def __init__(self, variables, rate, warmup):
        self.rate = rate
        self.warmup = warmup
        self.step = tf.Variable(0.0, trainable=False, name="step")
        self.first = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
        self.second = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]

    def apply(self, gradients, variables):
        self.step.assign_add(1.0)
        rate = self.rate * tf.minimum(1.0, self.step / self.warmup)
        clipped, _ = tf.clip_by_global_norm(gradients, 1.0)
        for g, v, m, s in zip(clipped, variables, self.first, self.second, strict=True):
            m.assign(0.9 * m + 0.1 * g)
            s.assign(0.999 * s + 0.001 * tf.square(g))
            mean = m / (1.0 - tf.pow(0.9, self.step))
            spread = s / (1.0 - tf.pow(0.999, self.step))
            v.assign_sub(rate * mean / (tf.sqrt(spread) + 1e-8))


def loss_of(labels, logits):
    """Mean cross entropy with smoothed labels."""
    classes = logits.shape[-1]
    smooth = tf.one_hot(labels, classes, on_value=0.9, off_value=0.1 / (classes - 1))
    losses = tf.nn.softmax_cross_entropy_with_logits(labels=smooth, logits=logits)
    return tf.reduce_mean(losses)


def train_step(model, optimizer, ids, labels):
    """One batch: forward, backward, update."""
    with tf.GradientTape() as tape:
        logits = model(ids, training=True)
        loss = loss_of(labels, logits)
        decay = 1e-4 * tf.add_n([tf.nn.l2_loss(v) for v in model.trainable_variables])
        total = loss + decay
    gradients = tape.gradient(total, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    hits = tf.equal(tf.argmax(logits, axis=-1, output_type=labels.dtype), labels)
    return loss, tf.reduce_mean(tf.cast(hits, tf.float32))


def batches(size, length, vocabulary, classes, seed):
    """Sequences whose class is the most frequent of the first tokens."""
    rng = tf.random.Generator.from_seed(seed)
    ids = rng.uniform([4096, length], 1, vocabulary, tf.int32)
    labels = tf.math.floormod(tf.reduce_max(ids[:, :8], axis=1), classes)
    data = tf.data.Dataset.from_tensor_slices((ids, labels))
    return data.shuffle(4096, seed=seed).batch(size, drop_remainder=True)


def train(epochs, size, length=64, vocabulary=1000, classes=10):
    """The whole training run; returns the last loss."""
    model = Classifier(vocabulary, length, width=64, heads=4, hidden=256, blocks=2, classes=classes)
    optimizer = Adam(model.trainable_variables, rate=1e-3, warmup=100.0)
    loss = None
    for epoch in range(epochs):
        began = time.perf_counter()
        losses, hits = [], []
        for ids, labels in batches(size, length, vocabulary, classes, seed=epoch):
            loss, share = train_step(model, optimizer, ids, labels)
            losses.append(float(loss))
            hits.append(float(share))
        seconds = time.perf_counter() - began
        mean = sum(losses) / len(losses)
        print(f"epoch {epoch}: loss {mean:.4f}, hits {sum(hits) / len(hits):.1%}, {seconds:.1f} s")
    return loss


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    train(options.epochs, options.batch)


if __name__ == "__main__":
    main()
