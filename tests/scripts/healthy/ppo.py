"""The clipped policy update of PPO over several epochs of one batch."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(11)
states = rng.normal(size=(128, 4)).astype("float32")
actions = rng.integers(0, 3, 128)
advantages = (states[np.arange(128), actions] + 0.1 * rng.normal(size=128)).astype("float32")
advantages = (advantages - advantages.mean()) / advantages.std()
returns = advantages + 1.0
actor = tf.keras.Sequential(
    [tf.keras.Input((4,)), tf.keras.layers.Dense(32, "tanh"), tf.keras.layers.Dense(3)]
)
critic = tf.keras.Sequential(
    [tf.keras.Input((4,)), tf.keras.layers.Dense(32, "tanh"), tf.keras.layers.Dense(1)]
)
policy_optimizer, value_optimizer = tf.keras.optimizers.Adam(3e-3), tf.keras.optimizers.Adam(1e-3)


def log_probability(logits):
    return tf.reduce_sum(tf.one_hot(actions, 3) * tf.nn.log_softmax(logits), axis=1)


before = tf.stop_gradient(log_probability(actor(states)))


def train_policy():
    with tf.GradientTape() as tape:
        ratio = tf.exp(log_probability(actor(states)) - before)
        bound = tf.where(advantages > 0, 1.2 * advantages, 0.8 * advantages)
        loss = -tf.reduce_mean(tf.minimum(ratio * advantages, bound))
    gradients = tape.gradient(loss, actor.trainable_variables)
    policy_optimizer.apply_gradients(zip(gradients, actor.trainable_variables, strict=True))


def train_value():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((returns - tf.squeeze(critic(states), axis=1)) ** 2)
    gradients = tape.gradient(loss, critic.trainable_variables)
    value_optimizer.apply_gradients(zip(gradients, critic.trainable_variables, strict=True))


for _ in range(15):
    train_policy()
for _ in range(15):
    train_value()
