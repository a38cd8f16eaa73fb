"""Epochs that stop early, batches that are skipped, and a sum that begins anew: no turn is taken for another."""
# EXPECT same on batch 4

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]])
batches = [tf.ones((3, 2)) * n for n in (0.0, 1.0, 2.0, 3.0, 4.0)]
for epoch in range(2):
    total = tf.constant(epoch * 10.0)
    for x in batches:
        if tf.reduce_max(x) > 3.0:
            break
        if not tf.reduce_any(x > 0.0):
            continue
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x @ weight))
        weight.assign_sub(0.01 * tape.gradient(loss, weight))
        total += loss
    print(epoch, float(total).hex())
