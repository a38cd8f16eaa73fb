"""A step in a method of a trainer class, with a Keras model and optimizer."""

import tensorflow as tf

tf.keras.utils.set_random_seed(3)


class Trainer:
    def __init__(self):
        self.model = tf.keras.Sequential(
            [tf.keras.Input((3,)), tf.keras.layers.Dense(4, "relu"), tf.keras.layers.Dense(2)]
        )
        self.optimizer = tf.keras.optimizers.Adam(0.05)
        self.loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def train_step(self, x, y):
        with tf.GradientTape() as tape:
            loss = self.loss(y, self.model(x, training=True))
        variables = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def train(self, batches):
        for batch in range(batches):
            x = tf.random.stateless_normal((5, 3), seed=(batch, 1))
            print(batch, float(self.train_step(x, tf.constant([0, 1, 1, 0, 1]))).hex())


trainer = Trainer()
trainer.train(3)
for variable in trainer.model.variables:
    print(variable.path, variable.numpy().tobytes().hex())
