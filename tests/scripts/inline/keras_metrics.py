"""The loop of Keras' guide with metrics, looked at behind each epoch, and a sum that goes on from batch to batch."""
# EXPECT same on batch 2

import tensorflow as tf

tf.keras.utils.set_random_seed(2)
model = tf.keras.Sequential(
    [tf.keras.Input((3,)), tf.keras.layers.Dense(4, "relu"), tf.keras.layers.Dense(2)]
)
optimizer = tf.keras.optimizers.Adam(1e-3)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
train_dataset = tf.data.Dataset.from_tensor_slices((tf.random.normal((12, 3)), tf.zeros(12, tf.int32))).batch(
    4
)

for epoch in range(2):
    total = 0.0
    for x, y in train_dataset:
        x = tf.cast(x, tf.float32) / 2.0
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = loss_fn(y, logits)
        grads = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
        accuracy.update_state(y, logits)
        total += loss
    print(f"epoch {epoch}: accuracy {float(accuracy.result()):.3f}, loss {float(total).hex()}")
    accuracy.reset_state()
