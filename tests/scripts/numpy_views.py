"""Numpy arrays that share memory with tensors, written to; objects that die when the script drops them."""

import gc
import weakref

import numpy as np
import tensorflow as tf

weight = tf.Variable([1.0, 2.0], name="weight")
source = np.ones(2, np.float32)


def train_step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weight * x)
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss


for batch in range(3):
    source[:] = batch + 1
    tensor = tf.constant(source)
    loss = train_step(source)
    view = loss.numpy()
    print(float(view).hex(), tensor.numpy().tolist(), np.asarray(weight.read_value()).tolist())
view = np.from_dlpack(tensor) if hasattr(tensor, "__dlpack__") else tensor.numpy()
print(view.tolist(), len(memoryview(tensor)))


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable([1.0])


def drop_a_model():
    model = Model()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model.kernel)
    print(tape.gradient(loss, model.kernel).numpy().tolist())
    return weakref.ref(model)


alive = drop_a_model()
gc.collect()
print("module alive:", alive() is not None, "collector on:", gc.isenabled(), gc.get_threshold())
