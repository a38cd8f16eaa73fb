"""Soft actor-critic with two critics, target networks and a learnt temperature: three losses in a step."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(50)
LOG_STD_MIN, LOG_STD_MAX, GAMMA, TAU = -20.0, 2.0, 0.99, 0.005


def mlp(outputs, inputs):
    return tf.keras.Sequential(
        [
            tf.keras.Input((inputs,)),
            tf.keras.layers.Dense(32, "relu"),
            tf.keras.layers.Dense(32, "relu"),
            tf.keras.layers.Dense(outputs),
        ]
    )


policy = mlp(2, 3)
critics, targets = [mlp(1, 4) for _ in range(2)], [mlp(1, 4) for _ in range(2)]
for critic, target in zip(critics, targets, strict=True):
    target.set_weights(critic.get_weights())
log_alpha = tf.Variable(0.0, name="log_alpha")
policy_optimizer, alpha_optimizer = tf.keras.optimizers.Adam(3e-4), tf.keras.optimizers.Adam(3e-4)
critic_optimizers = [tf.keras.optimizers.Adam(3e-4) for _ in critics]


def act(states):
    mean, log_std = tf.split(policy(states), 2, axis=-1)
    log_std = tf.clip_by_value(log_std, LOG_STD_MIN, LOG_STD_MAX)
    noise = tf.random.normal(tf.shape(mean))
    raw = mean + noise * tf.exp(log_std)
    action = tf.tanh(raw)
    log_prob = -0.5 * (noise**2 + 2 * log_std + np.log(2 * np.pi)) - tf.math.log(1 - action**2 + 1e-6)
    return action, tf.reduce_sum(log_prob, axis=1, keepdims=True)


def update(states, actions, rewards, following, done):
    alpha = tf.exp(log_alpha)
    next_actions, next_log = act(following)
    pair = tf.concat([following, next_actions], 1)
    next_q = tf.minimum(targets[0](pair), targets[1](pair)) - alpha * next_log
    goal = rewards + GAMMA * (1 - done) * next_q
    for critic, optimizer in zip(critics, critic_optimizers, strict=True):
        with tf.GradientTape() as tape:
            q = critic(tf.concat([states, actions], 1))
            q_loss = 0.5 * tf.reduce_mean(tf.square(q - tf.stop_gradient(goal)))
        optimizer.apply_gradients(
            zip(tape.gradient(q_loss, critic.trainable_variables), critic.trainable_variables, strict=True)
        )
    with tf.GradientTape() as tape:
        sampled, log_prob = act(states)
        pair = tf.concat([states, sampled], 1)
        policy_loss = tf.reduce_mean(alpha * log_prob - tf.minimum(critics[0](pair), critics[1](pair)))
    policy_optimizer.apply_gradients(
        zip(tape.gradient(policy_loss, policy.trainable_variables), policy.trainable_variables, strict=True)
    )
    with tf.GradientTape() as tape:
        alpha_loss = -tf.reduce_mean(log_alpha * tf.stop_gradient(log_prob - 1.0))
    alpha_optimizer.apply_gradients([(tape.gradient(alpha_loss, log_alpha), log_alpha)])
    for critic, target in zip(critics, targets, strict=True):
        for a, b in zip(target.variables, critic.variables, strict=True):
            a.assign((1 - TAU) * a + TAU * b)


def angle_step(theta, speed, torque):
    speed = np.clip(speed + 0.15 * np.sin(theta) + 0.1 * torque, -8, 8)
    return theta + 0.05 * speed, speed


def see(theta, speed):
    return np.stack([np.cos(theta), np.sin(theta), speed], 1).astype("float32")


for _ in range(10):
    theta, speed, torque = rng.uniform(-np.pi, np.pi, 32), rng.normal(size=32), rng.uniform(-1, 1, 32)
    after, speed_after = angle_step(theta, speed, torque)
    reward = -(theta**2 + 0.1 * speed**2 + 0.001 * torque**2).astype("float32")[:, None]
    update(
        *map(
            tf.constant,
            (
                see(theta, speed),
                torque.astype("float32")[:, None],
                reward,
                see(after, speed_after),
                np.zeros((32, 1), "float32"),
            ),
        )
    )
