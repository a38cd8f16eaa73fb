"""Two threads, each with its own tape and variable."""

import threading

import tensorflow as tf

results = {}


def train_step(weight, x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(weight * x - 1.0))
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


def train(name, start):
    weight = tf.Variable(start, name=name)
    results[name] = [float(train_step(weight, tf.constant([1.0, 0.5]))).hex() for _ in range(3)]


threads = [threading.Thread(target=train, args=(f"w{i}", 1.0 + i), name=f"trainer-{i}") for i in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for name in sorted(results):
    print(name, results[name])
