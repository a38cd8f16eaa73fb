"""What is applied is not the gradient: clipping by global norm, weight decay, Adam."""

import tensorflow as tf

weight = tf.keras.Variable([[4.0, -3.0], [2.0, 1.0]], name="weight")
optimizer = tf.keras.optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=1.0)


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(x @ weight))
    optimizer.apply_gradients([(tape.gradient(loss, weight.value), weight)])
    return loss


for batch in range(3):
    print(float(train_step(tf.constant([[1.0, 2.0 + batch]]))).hex(), weight.numpy().tobytes().hex())
