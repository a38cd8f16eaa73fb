"""`tf.distribute`: the step runs once in each replica, on a thread of its own."""

import tensorflow as tf

cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    weight = tf.Variable(2.0, name="weight")


def train_step(x):
    with tf.GradientTape() as tape:
        loss = weight * x
    return tape.gradient(loss, weight)


for batch in range(2):
    gradients = strategy.run(train_step, args=(tf.constant(3.0 + batch),))
    print(batch, *(float(value).hex() for value in strategy.experimental_local_results(gradients)))
