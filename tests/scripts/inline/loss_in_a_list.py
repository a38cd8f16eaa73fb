"""The loss of each batch is put into a list, as a tensor."""
# EXPECT different on batch 2

import tensorflow as tf

weight = tf.Variable([[0.5], [-0.25]])
optimizer = tf.keras.optimizers.SGD(0.1)
losses = []
for images in [tf.constant([[1.0, 2.0]]) * n for n in (1.0, 2.0, 3.0)]:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(images @ weight))
    optimizer.apply_gradients([(tape.gradient(loss, weight), weight)])
    losses.append(loss)  # RULE leaked-tensor
print([float(loss).hex() for loss in losses])
