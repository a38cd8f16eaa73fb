"""Signal handlers of the user's: SIGINT, SIGTERM, SIGUSR1, an alarm, and those in place at the start."""

import signal

import tensorflow as tf

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE, signal.SIGCHLD):
    print(number.name, signal.getsignal(number))
weight = tf.Variable(1.0, name="weight")
seen = []


def train_step():
    with tf.GradientTape() as tape:
        loss = weight * weight
        signal.raise_signal(signal.SIGUSR1)
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGALRM):
    signal.signal(number, lambda number, frame: seen.append(signal.Signals(number).name))
signal.raise_signal(signal.SIGINT)
print(float(train_step()).hex())
signal.raise_signal(signal.SIGTERM)
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
print(seen)
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
print(float(train_step()).hex())
