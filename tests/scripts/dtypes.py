"""Tensors of every kind: float16, bfloat16, float64, complex, integers, bool, string, empty, rank 6."""

import tensorflow as tf

half = tf.Variable([1.0, 2.0], dtype=tf.float16, name="half")
brain = tf.Variable([1.0, 2.0], dtype=tf.bfloat16, name="brain")
double = tf.Variable([1.0, 2.0], dtype=tf.float64, name="double")
wave = tf.Variable([1 + 2j, 2 - 1j], dtype=tf.complex64, name="wave")
variables = [half, brain, double, wave]


def train_step(scale):
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.cast(half * half, tf.float64)) + tf.reduce_sum(
            tf.cast(brain, tf.float64) ** 3
        )
        loss = scale * (total + tf.reduce_sum(double**2) + tf.cast(tf.reduce_sum(tf.abs(wave)), tf.float64))
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(tf.cast(0.01, variable.dtype) * gradient)
    return loss


for batch in range(2):
    print(float(train_step(tf.constant(batch + 1.0, tf.float64))).hex())
for variable in variables:
    print(variable.name, tf.strings.as_string(tf.cast(tf.math.real(variable), tf.float64)).numpy().tolist())
print(tf.bitcast(tf.constant([1, -1], tf.int8), tf.uint8).numpy(), (tf.constant([7], tf.int64) // 2).numpy())
print(tf.logical_not([True, False]).numpy(), tf.strings.join(["a\x1b[31m", "b\u00e9\0"]).numpy())
print(
    tf.reduce_sum(tf.zeros((0, 3))).numpy(),
    tf.ones((1, 2, 1, 2, 1, 2)).shape,
    tf.quantization.quantize([1.0], 0, 2, tf.qint8)[0].dtype,
)
print(tf.random.stateless_uniform((3,), (1, 2), dtype=tf.float16).numpy().tobytes().hex())
