"""Steps with every sort of op that the op callback may meet, and how many of them its C code took."""

import gc
import json
import threading

import tensorflow as tf

tf.keras.utils.set_random_seed(4)
table = tf.Variable(tf.random.normal([12, 4], seed=1), name="table")
kernel = tf.Variable(tf.random.normal([4, 3], seed=2), name="kernel")
wide = tf.Variable(tf.ones([4], tf.float64), name="wide")
optimizer = tf.keras.optimizers.SGD(0.1)
seen = []


def helper(x):
    return tf.nn.relu(x) * 2.0


def step(words, batch):
    with tf.GradientTape(persistent=batch % 2 == 0) as tape:
        rows = tf.gather(table, words)
        left, right = tf.split(rows, 2, axis=0)
        values, places = tf.unique(words)
        hidden = helper(tf.matmul(tf.concat([left, right], 0), kernel))
        for _ in range(batch % 3):
            hidden = helper(hidden)
        if batch == 5:
            hidden = tf.math.log(hidden - 100.0)  # NaN
        tiny = tf.reduce_sum(tf.cast(wide, tf.float32) * 1e-30)
        big = tf.ones([8000]) * tf.reduce_mean(hidden)
        loss = tf.reduce_mean(hidden**2) + tiny + tf.reduce_sum(big) * 1e-9 + tf.cast(places[0], tf.float32)
    gradients = tape.gradient(loss, [table, kernel, wide])
    if batch != 5:
        optimizer.apply_gradients(zip(gradients, [table, kernel, wide], strict=True))
    seen.append(float(loss))
    return tf.size(values)


def two_tapes(x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.sin(x) * x
        slope = inner.gradient(y, x)
    return outer.gradient(slope, x)


def elsewhere():
    for _ in range(20):
        tf.reduce_sum(tf.ones([3, 3]) * 2.0)


for batch in range(14):
    step(tf.constant([1, 2, (batch * 5) % 12, 3]), batch)
    two_tapes(tf.constant([0.5, 1.5]))
other = threading.Thread(target=elsewhere, name="elsewhere")
other.start()
other.join()

callbacks = [found for found in gc.get_objects() if type(found).__name__ == "Callback"]
truth = {
    "taken": sum(callback.taken for callback in callbacks),
    "reads_frames": all(callback.reads_frames for callback in callbacks),
    "losses": [str(loss) for loss in seen],
}
print("TRUTH", json.dumps(truth))
