"""The walkthrough's shape: `grad(model, inputs, targets)` opens the tape, the loop applies the gradients."""

import tensorflow as tf

tf.keras.utils.set_random_seed(11)
model = tf.keras.Sequential(
    [tf.keras.Input((4,)), tf.keras.layers.Dense(5, "relu"), tf.keras.layers.Dense(3)]
)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.SGD(0.1)


def loss(model, x, y, training):
    return loss_object(y_true=y, y_pred=model(x, training=training))


def grad(model, inputs, targets):
    with tf.GradientTape() as tape:
        loss_value = loss(model, inputs, targets, training=True)
    return loss_value, tape.gradient(loss_value, model.trainable_variables)


for batch in range(3):
    x = tf.random.stateless_normal((6, 4), seed=(batch, 2))
    loss_value, grads = grad(model, x, tf.constant([0, 1, 2, 0, 1, 2]))
    optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
    print(batch, float(loss_value).hex())
