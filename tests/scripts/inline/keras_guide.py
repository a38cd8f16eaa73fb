"""The loop of Keras' guide: epochs around batches, and the loss printed now and then."""
# EXPECT fails_to_trace on batch 1

import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential(
    [tf.keras.Input((3,)), tf.keras.layers.Dense(4, "relu"), tf.keras.layers.Dense(2)]
)
optimizer = tf.keras.optimizers.Adam(1e-3)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train_dataset = tf.data.Dataset.from_tensor_slices((tf.random.normal((12, 3)), tf.zeros(12, tf.int32))).batch(
    4
)

for epoch in range(2):
    print(f"Start of epoch {epoch}")
    for step, (x_batch_train, y_batch_train) in enumerate(train_dataset):  # RULE retraces
        with tf.GradientTape() as tape:
            logits = model(x_batch_train, training=True)
            loss_value = loss_fn(y_batch_train, logits)
        grads = tape.gradient(loss_value, model.trainable_weights)
        optimizer.apply_gradients(zip(grads, model.trainable_weights, strict=True))
        if step % 2 == 0:
            print(f"Training loss at step {step}: {float(loss_value):.4f}")  # RULE eager-only-format
            print(f"Seen so far: {(step + 1) * 4} samples")
