"""An embedding: its gradients are IndexedSlices, with indices that occur twice."""

import tensorflow as tf

tf.keras.utils.set_random_seed(13)
embedding = tf.keras.layers.Embedding(6, 3, name="words")
head = tf.keras.layers.Dense(1, name="head")
optimizer = tf.keras.optimizers.Adam(0.1)


def train_step(words):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(head(embedding(words)) - 1.0))
    variables = [*embedding.trainable_variables, *head.trainable_variables]
    gradients = tape.gradient(loss, variables)
    print(type(gradients[0]).__name__, gradients[0].indices.numpy().tolist(), gradients[0].values.shape)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return loss


for batch in range(2):
    print(float(train_step(tf.constant([[1, 4, 1], [4, 4, batch]]))).hex())
print(embedding.embeddings.numpy().tobytes().hex())
