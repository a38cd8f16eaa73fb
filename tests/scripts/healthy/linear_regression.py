"""Linear regression by hand, as in TensorFlow's guide to basic training loops."""

import tensorflow as tf

x = tf.linspace(-2.0, 2.0, 201)
y = 3.0 * x + 2.0 + tf.random.normal([201], seed=1)


class Line(tf.Module):
    def __init__(self):
        self.w = tf.Variable(5.0)
        self.b = tf.Variable(0.0)

    def __call__(self, x):
        return self.w * x + self.b


model = Line()
for _epoch in range(40):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(y - model(x)))
    dw, db = tape.gradient(loss, [model.w, model.b])
    model.w.assign_sub(0.1 * dw)
    model.b.assign_sub(0.1 * db)
print(float(loss))
