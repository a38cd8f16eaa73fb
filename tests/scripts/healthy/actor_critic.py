"""An actor-critic on a small balancing game, one tape around each episode, as in the tutorial."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(9)
body = tf.keras.layers.Dense(32, activation="relu")
actor, critic = tf.keras.layers.Dense(2), tf.keras.layers.Dense(1)
inputs = tf.keras.Input((2,))
hidden = body(inputs)
model = tf.keras.Model(inputs, [actor(hidden), critic(hidden)])
optimizer = tf.keras.optimizers.Adam(0.01)
huber = tf.keras.losses.Huber(reduction="sum")


def run_episode():
    state = rng.normal(size=2).astype("float32") * 0.1
    probabilities, values, rewards = [], [], []
    for _ in range(12):
        logits, value = model(state[None])
        action = int(rng.random() < float(tf.nn.softmax(logits)[0, 1]))
        probabilities.append(tf.nn.softmax(logits)[0, action])
        values.append(value[0, 0])
        state = state + np.array([state[1], 0.4 * state[0] + (0.1 if action else -0.1)], "float32") * 0.3
        rewards.append(1.0 if abs(state[0]) < 0.3 else 0.0)
        if abs(state[0]) > 0.5:
            break
    return tf.stack(probabilities), tf.stack(values), rewards


def train_step():
    with tf.GradientTape() as tape:
        probabilities, values, rewards = run_episode()
        returns, total = [], 0.0
        for reward in rewards[::-1]:
            total = reward + 0.99 * total
            returns.append(total)
        returns = np.array(returns[::-1], "float32")
        returns = (returns - returns.mean()) / (returns.std() + 1e-6)
        advantage = returns - values
        loss = -tf.reduce_sum(tf.math.log(probabilities) * tf.stop_gradient(advantage)) + huber(
            returns[:, None], values[:, None]
        )
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


for _ in range(6):
    train_step()
